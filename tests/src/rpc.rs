//! A JSON-RPC client for Bitcoin Core: asynchronous, and reading the cookie anew for each call, since a restart changes it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Where to call a node, and as whom.
#[derive(Debug, Clone)]
pub struct Rpc {
    http: reqwest::Client,
    url: String,
    cookie: PathBuf,
}

/// An error that the node itself answered with.
#[derive(Debug, Clone, Deserialize)]
pub struct RpcError {
    /// Bitcoin Core's number, as in its `rpc/protocol.h`.
    pub code: i64,
    /// What it says.
    pub message: String,
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

impl std::error::Error for RpcError {}

/// How long a connection that is not used is kept.
const KEPT: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Answer {
    result: Value,
    error: Option<RpcError>,
}

impl Rpc {
    /// A client for the node at `url`, as in `http://127.0.0.1:18443`, with the password in the file `cookie`.
    #[must_use]
    pub fn new(url: String, cookie: PathBuf) -> Self {
        Self {
            // A node ends a connection that was idle for 30 s (Bitcoin Core, `DEFAULT_HTTP_SERVER_TIMEOUT`): none is used then that it may be
            // ending.
            http: reqwest::Client::builder()
                .pool_idle_timeout(KEPT)
                .build()
                .unwrap_or_default(),
            url,
            cookie,
        }
    }

    /// A client for one wallet of the same node.
    #[must_use]
    pub fn for_wallet(&self, wallet: &str) -> Self {
        Self {
            http: self.http.clone(),
            url: format!("{}/wallet/{wallet}", self.url),
            cookie: self.cookie.clone(),
        }
    }

    /// The address of the RPC server.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The file with `user:password`.
    #[must_use]
    pub fn cookie(&self) -> &Path {
        &self.cookie
    }

    /// Calls `method` and reads its result as `T`.
    ///
    /// # Errors
    /// An [`RpcError`] when the node refuses; anything else when it cannot be reached or answers in another shape.
    pub async fn call<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T> {
        let result = self.value(method, params).await?;
        serde_json::from_value(result).with_context(|| format!("unexpected result of {method}"))
    }

    /// Calls `method` and takes whatever it answers.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub async fn value(&self, method: &str, params: Value) -> Result<Value> {
        let cookie = tokio::fs::read_to_string(&self.cookie)
            .await
            .with_context(|| format!("no cookie at {}", self.cookie.display()))?;
        let (user, password) = cookie
            .trim()
            .split_once(':')
            .ok_or_else(|| anyhow!("the cookie is not user:password"))?;
        let body = json!({ "jsonrpc": "1.0", "id": 0, "method": method, "params": params });
        let response = self
            .http
            .post(&self.url)
            .basic_auth(user, Some(password))
            .json(&body)
            .send()
            .await
            .with_context(|| format!("cannot call {method}"))?;
        let status = response.status();
        let answer = response.bytes().await?;
        // Refusals come with status 500 and a JSON body; a wrong cookie or a full queue with no body.
        let answer: Answer =
            serde_json::from_slice(&answer).map_err(|_| anyhow!("{method} was answered with status {status}"))?;
        match answer.error {
            Some(error) => Err(anyhow::Error::new(error).context(format!("{method} was refused"))),
            None => Ok(answer.result),
        }
    }
}
