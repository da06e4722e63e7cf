//! How a call of the node's JSON-RPC travels: posted on a [`Line`], with credentials that may rotate.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitcoincore_rpc::jsonrpc;
use bitpro_base::http_client::Line;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Asking;
use crate::config::{NodeAuth, NodeConfig};
use crate::error::NodeError;

/// Posts what `jsonrpc` has put together, and reads what comes back.
pub(super) struct Post {
    line: Arc<Line>,
    asking: Asking,
    target: String,
    path: String,
    auth: NodeAuth,
    /// As they were taken at last; `None` before the first call, and after a refusal.
    credentials: Mutex<Option<HeaderValue>>,
}

impl Post {
    pub(super) fn new(config: &NodeConfig, line: Arc<Line>, asking: Asking) -> Self {
        Self {
            line,
            asking,
            target: config.rpc_url.to_string(),
            path: config.rpc_url.path().to_owned(),
            auth: config.auth.clone(),
            credentials: Mutex::new(None),
        }
    }

    fn post<T: DeserializeOwned>(&self, body: &impl Serialize, methods: &[&str]) -> Result<T, jsonrpc::Error> {
        let transport = |error: NodeError| jsonrpc::Error::Transport(Box::new(error));
        let body = Bytes::from(serde_json::to_vec(body)?);
        let answer = self.as_ourselves(&body).map_err(transport)?;
        if answer.status() == StatusCode::FORBIDDEN {
            let methods = methods.iter().map(|&method| method.to_owned()).collect();
            return Err(transport(NodeError::Forbidden { methods }));
        }
        // A refusal comes with a status of its own, and says more than that.
        serde_json::from_slice(answer.body()).map_err(|error| match answer.status() {
            StatusCode::OK => jsonrpc::Error::Json(error),
            status => transport(NodeError::Unreachable(format!(
                "it answers with HTTP {}",
                status.as_u16()
            ))),
        })
    }

    /// A cookie is read again when it was refused: the node writes a new one at each start.
    fn as_ourselves(&self, body: &Bytes) -> Result<Response<Vec<u8>>, NodeError> {
        let kept = self.credentials.lock().clone();
        let is_kept = kept.is_some();
        let mut credentials = match kept {
            Some(credentials) => credentials,
            None => self.read_credentials()?,
        };
        let mut answer = self.send(body, &credentials)?;
        if is_kept && answer.status() == StatusCode::UNAUTHORIZED && matches!(self.auth, NodeAuth::Cookie(_)) {
            credentials = self.read_credentials()?;
            answer = self.send(body, &credentials)?;
        }
        let is_refused = answer.status() == StatusCode::UNAUTHORIZED;
        *self.credentials.lock() = (!is_refused).then_some(credentials);
        if is_refused {
            return Err(NodeError::Unauthorized(answer.status().as_u16()));
        }
        Ok(answer)
    }

    /// The node refuses a batch as a whole for one method that it forbids: each is asked for by itself, to say which one that is.
    fn named(&self, error: jsonrpc::Error, requests: &[jsonrpc::Request<'_>]) -> jsonrpc::Error {
        let jsonrpc::Error::Transport(cause) = &error else {
            return error;
        };
        if !matches!(cause.downcast_ref(), Some(NodeError::Forbidden { .. })) {
            return error;
        }
        let mut asked: Vec<&str> = Vec::new();
        let mut forbidden = Vec::new();
        for request in requests {
            if asked.contains(&request.method) {
                continue;
            }
            asked.push(request.method);
            let body = serde_json::to_vec(request).map(Bytes::from);
            let answer = body.ok().and_then(|body| self.as_ourselves(&body).ok());
            if answer.is_some_and(|answer| answer.status() == StatusCode::FORBIDDEN) {
                forbidden.push(request.method.to_owned());
            }
        }
        if forbidden.is_empty() {
            return error;
        }
        jsonrpc::Error::Transport(Box::new(NodeError::Forbidden { methods: forbidden }))
    }

    fn send(&self, body: &Bytes, credentials: &HeaderValue) -> Result<Response<Vec<u8>>, NodeError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.path)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, credentials)
            .body(Full::new(body.clone()))
            .map_err(|error| NodeError::Unreachable(error.to_string()))?;
        let answer = self.line.ask(request, self.asking.patience);
        self.asking.pulse.beat();
        Ok(answer?)
    }

    fn read_credentials(&self) -> Result<HeaderValue, NodeError> {
        let pair = match &self.auth {
            NodeAuth::Cookie(path) => {
                let cookie = std::fs::read_to_string(path).map_err(|error| NodeError::Cookie {
                    path: path.clone(),
                    reason: error.to_string(),
                })?;
                cookie.trim_end().to_owned()
            }
            NodeAuth::Password { user, password } => format!("{user}:{password}"),
        };
        let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
            .expect("Base64 has only visible letters");
        value.set_sensitive(true);
        Ok(value)
    }
}

impl jsonrpc::Transport for Post {
    fn send_request(&self, request: jsonrpc::Request<'_>) -> Result<jsonrpc::Response, jsonrpc::Error> {
        self.post(&request, &[request.method])
    }

    fn send_batch(&self, requests: &[jsonrpc::Request<'_>]) -> Result<Vec<jsonrpc::Response>, jsonrpc::Error> {
        let mut methods: Vec<&str> = requests.iter().map(|request| request.method).collect();
        methods.sort_unstable();
        methods.dedup();
        let answered = self.post(&requests, &methods);
        match methods.len() {
            0 | 1 => answered,
            _ => answered.map_err(|error| self.named(error, requests)),
        }
    }

    fn fmt_target(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.target)
    }
}
