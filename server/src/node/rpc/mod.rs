//! Calls to the node's JSON-RPC: blocking, on a connection that is kept, with credentials that may rotate.

pub(super) mod answers;
mod blocks;
mod node;

use std::sync::Arc;
use std::time::Duration;

use bitcoincore_rpc::jsonrpc::{self, simple_http};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(super) use blocks::BlockReader;
pub use blocks::CheckedBlock;
pub use node::PoolTx;

use super::config::{NodeAuth, NodeConfig};
use super::error::{IN_WARMUP, NodeError};

/// How long an ordinary call may take. The node answers in milliseconds, and in seconds while it writes its database; only a
/// hanging one is ever cut off. The transport tries once more on a new connection.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// Calls in one HTTP request: enough to make the round trip cheap, few enough to keep a page of big transactions in memory.
const BATCH: usize = 100;

/// A client with a connection of its own. Each thread that calls the node has one.
pub(super) struct Rpc {
    url: String,
    auth: NodeAuth,
    timeout: Duration,
    client: Mutex<Option<Arc<jsonrpc::Client>>>,
}

/// A call, to be sent with others.
pub(super) struct Call {
    method: &'static str,
    params: Value,
}

impl Call {
    /// A call of `method` with a JSON array of parameters.
    pub(super) const fn new(method: &'static str, params: Value) -> Self {
        Self { method, params }
    }
}

/// The answer to one call of a batch.
pub(super) struct Answer(Option<jsonrpc::Response>);

impl Answer {
    /// The result, in the shape that the node documents.
    ///
    /// # Errors
    /// [`NodeError::Refused`] and what else the node may say to this one call.
    pub(super) fn get<T: DeserializeOwned>(&self) -> Result<T, NodeError> {
        match &self.0 {
            Some(response) => response.result().map_err(understand),
            None => Err(NodeError::Malformed("an answer is missing from a batch".to_owned())),
        }
    }
}

impl Rpc {
    /// A client for the configured node. Nothing is sent yet.
    pub(super) fn new(config: &NodeConfig, timeout: Duration) -> Self {
        Self {
            url: config.rpc_url.to_string(),
            auth: config.auth.clone(),
            timeout,
            client: Mutex::new(None),
        }
    }

    /// Calls `method` with a JSON array of parameters.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(super) fn call<T: DeserializeOwned>(&self, method: &str, params: &Value) -> Result<T, NodeError> {
        let params = jsonrpc::arg(params);
        self.with_client(|client| client.call(method, Some(&params)))
    }

    /// Sends many calls at once; the answers come in the order of the calls.
    ///
    /// # Errors
    /// [`NodeError`], when the batch as a whole failed.
    pub(super) fn batch(&self, calls: &[Call]) -> Result<Vec<Answer>, NodeError> {
        let mut answers = Vec::with_capacity(calls.len());
        for calls in calls.chunks(BATCH) {
            let params: Vec<_> = calls.iter().map(|call| jsonrpc::arg(&call.params)).collect();
            let responses = self.with_client(|client| {
                let requests: Vec<_> = calls
                    .iter()
                    .zip(&params)
                    .map(|(call, params)| client.build_request(call.method, Some(params)))
                    .collect();
                client.send_batch(&requests)
            })?;
            answers.extend(responses.into_iter().map(Answer));
        }
        Ok(answers)
    }

    /// A cookie is read again when it was refused: the node writes a new one at each start.
    fn with_client<T>(&self, send: impl Fn(&jsonrpc::Client) -> Result<T, jsonrpc::Error>) -> Result<T, NodeError> {
        let kept = self.client.lock().clone();
        let is_fresh = kept.is_none();
        let client = match kept {
            Some(client) => client,
            None => self.connect()?,
        };
        match send(&client).map_err(understand) {
            Err(NodeError::Unauthorized(_)) if !is_fresh && matches!(self.auth, NodeAuth::Cookie(_)) => {
                let client = self.connect()?;
                send(&client).map_err(understand)
            }
            outcome => outcome,
        }
        .inspect_err(|error| {
            if matches!(error, NodeError::Unauthorized(_)) {
                *self.client.lock() = None;
            }
        })
    }

    fn connect(&self) -> Result<Arc<jsonrpc::Client>, NodeError> {
        let builder = simple_http::Builder::new()
            .timeout(self.timeout)
            .url(&self.url)
            .map_err(|error| NodeError::Unreachable(error.to_string()))?;
        let transport = match &self.auth {
            NodeAuth::Cookie(path) => {
                let cookie = std::fs::read_to_string(path).map_err(|error| NodeError::Cookie {
                    path: path.clone(),
                    reason: error.to_string(),
                })?;
                builder.cookie_auth(cookie.trim_end())
            }
            NodeAuth::Password { user, password } => builder.auth(user, Some(password)),
        };
        let client = Arc::new(jsonrpc::Client::with_transport(transport.build()));
        *self.client.lock() = Some(Arc::clone(&client));
        Ok(client)
    }
}

fn understand(error: jsonrpc::Error) -> NodeError {
    match error {
        jsonrpc::Error::Rpc(refusal) if refusal.code == IN_WARMUP => NodeError::WarmingUp(refusal.message),
        jsonrpc::Error::Rpc(refusal) => NodeError::Refused {
            code: refusal.code,
            message: refusal.message,
        },
        // The answer is parsed while it is read: a connection that breaks off there is no malformed answer.
        jsonrpc::Error::Json(error) if error.is_io() || error.is_eof() => NodeError::Unreachable(error.to_string()),
        jsonrpc::Error::Transport(error) => match error.downcast_ref::<simple_http::Error>() {
            Some(simple_http::Error::HttpErrorCode(code @ (401 | 403))) => NodeError::Unauthorized(*code),
            Some(simple_http::Error::SocketError(error)) => NodeError::Unreachable(error.to_string()),
            _ => NodeError::Unreachable(error.to_string()),
        },
        other => NodeError::Malformed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_the_operator_has_to_do_about_them() {
        let rpc = |code, message: &str| {
            understand(jsonrpc::Error::Rpc(jsonrpc::error::RpcError {
                code,
                message: message.to_owned(),
                data: None,
            }))
        };
        assert_eq!(rpc(-28, "Loading"), NodeError::WarmingUp("Loading".to_owned()));
        assert!(rpc(-5, "no such thing").is_not_found());
        assert!(!rpc(-8, "no such height").is_not_found());
        let transport = |error| understand(jsonrpc::Error::Transport(Box::new(error)));
        assert_eq!(
            transport(simple_http::Error::HttpErrorCode(401)),
            NodeError::Unauthorized(401)
        );
        assert!(matches!(
            transport(simple_http::Error::HttpErrorCode(503)),
            NodeError::Unreachable(_)
        ));
    }

    #[test]
    fn a_missing_cookie_is_named() {
        let path = std::path::PathBuf::from("/nowhere/.cookie");
        let url = "http://127.0.0.1:1".parse().unwrap();
        let config = NodeConfig::new(url, NodeAuth::Cookie(path.clone()), bitpro_charge::Network::Regtest);
        let answer: Result<Value, _> = Rpc::new(&config, CALL_TIMEOUT).call("uptime", &Value::Array(Vec::new()));
        assert!(matches!(answer, Err(NodeError::Cookie { path: named, .. }) if named == path));
    }
}
