//! Calls to the node's JSON-RPC: blocking, on a connection that is kept, with credentials that may rotate.

pub(super) mod answers;
mod blocks;
mod methods;
mod node;
mod post;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bitcoincore_rpc::jsonrpc;
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use bitpro_base::http_client::{Line, Silence};
pub(super) use blocks::BlockReader;
pub use blocks::CheckedBlock;
pub use methods::METHODS;
pub use node::PoolTx;

use self::post::Post;
use super::config::NodeConfig;
use super::error::{IN_WARMUP, NodeError};

/// How long an ordinary call may take, from the connection to the last byte. The node answers in milliseconds, and in seconds while it
/// writes its database; only a hanging one is ever cut off.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// Calls in one HTTP request: enough to make the round trip cheap, few enough to keep a page of big transactions in memory.
const BATCH: usize = 100;

/// The longest answer that is read, in bytes: a list of four million transactions in the mempool, or a batch of any that are relayed.
const LONGEST_ANSWER: usize = 256 * 1024 * 1024;

/// A client with a connection of its own. Each thread that calls the node has one.
pub(super) struct Rpc {
    client: jsonrpc::Client,
    line: Arc<Line>,
    asking: Asking,
}

/// How the node is asked.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    /// The time for a whole answer.
    pub patience: Duration,
    /// Breaks off what is asked.
    pub stop: CancellationToken,
    /// Beats with every answer, and with every failure to get one.
    pub pulse: Pulse,
}

impl Asking {
    /// An ordinary call that nobody breaks off.
    pub(super) fn alone() -> Self {
        Self {
            patience: CALL_TIMEOUT,
            stop: CancellationToken::new(),
            pulse: Pulse::default(),
        }
    }
}

/// Shows that whoever shares it goes on.
#[derive(Debug, Clone, Default)]
pub(super) struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// Something was done.
    pub(super) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How often something was done.
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
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
    pub(super) fn new(config: &NodeConfig, asking: Asking) -> Self {
        let line = Arc::new(Line::new(server_of(config), LONGEST_ANSWER, asking.stop.clone()));
        let post = Post::new(config, Arc::clone(&line), asking.clone());
        Self {
            client: jsonrpc::Client::with_transport(post),
            line,
            asking,
        }
    }

    /// Calls `method` with a JSON array of parameters.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(super) fn call<T: DeserializeOwned>(&self, method: &str, params: &Value) -> Result<T, NodeError> {
        let params = jsonrpc::arg(params);
        self.client.call(method, Some(&params)).map_err(understand)
    }

    /// Sends many calls at once; the answers come in the order of the calls.
    ///
    /// # Errors
    /// [`NodeError`], when the batch as a whole failed.
    pub(super) fn batch(&self, calls: &[Call]) -> Result<Vec<Answer>, NodeError> {
        let mut answers = Vec::with_capacity(calls.len());
        for calls in calls.chunks(BATCH) {
            let params: Vec<_> = calls.iter().map(|call| jsonrpc::arg(&call.params)).collect();
            let requests: Vec<_> = calls
                .iter()
                .zip(&params)
                .map(|(call, params)| self.client.build_request(call.method, Some(params)))
                .collect();
            let responses = self.client.send_batch(&requests).map_err(understand)?;
            answers.extend(responses.into_iter().map(Answer));
        }
        Ok(answers)
    }

    /// Gets what stands at `path` of the node's REST interface, which asks for no credentials; `None` when it gives nothing.
    fn get(&self, path: &str) -> Option<Vec<u8>> {
        let request = Request::get(path).body(Full::new(Bytes::new())).ok()?;
        let answer = self.line.ask(request, self.asking.patience);
        self.asking.pulse.beat();
        let answer = answer.ok().filter(|answer| answer.status().is_success())?;
        Some(answer.into_body())
    }
}

/// Scheme, host and port.
fn server_of(config: &NodeConfig) -> Uri {
    let authority = &config.rpc_url[url::Position::BeforeHost..url::Position::AfterPort];
    Uri::builder()
        .scheme("http")
        .authority(authority)
        .path_and_query("/")
        .build()
        .expect("the host and port of an address are an authority")
}

impl From<Silence> for NodeError {
    fn from(silence: Silence) -> Self {
        match silence {
            Silence::Strange(what) => Self::Malformed(what),
            other => Self::Unreachable(other.to_string()),
        }
    }
}

fn understand(error: jsonrpc::Error) -> NodeError {
    match error {
        jsonrpc::Error::Rpc(refusal) if refusal.code == IN_WARMUP => NodeError::WarmingUp(refusal.message),
        jsonrpc::Error::Rpc(refusal) => NodeError::Refused {
            code: refusal.code,
            message: refusal.message,
        },
        jsonrpc::Error::Transport(error) => match error.downcast::<NodeError>() {
            Ok(error) => *error,
            Err(error) => NodeError::Unreachable(error.to_string()),
        },
        other => NodeError::Malformed(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
