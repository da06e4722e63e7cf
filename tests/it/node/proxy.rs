//! Between the node's notifications and the watcher: passes them on, or swallows them without ending a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use bitpro_node::ZmqSource;
use bitpro_tests::Node;
use tokio::task::JoinHandle;
use zeromq::{PubSocket, Socket as _, SocketRecv as _, SocketSend as _, SubSocket};

/// A publisher of what the node publishes.
pub struct Proxy {
    source: ZmqSource,
    is_mute: Arc<AtomicBool>,
    passing: Vec<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy before the node's two topics.
    pub async fn before(node: &Node) -> Result<Self> {
        let is_mute = Arc::new(AtomicBool::new(false));
        let [rawtx_port, sequence_port] = node.zmq_ports();
        let (rawtx, passing_rawtx) = pass("rawtx", rawtx_port, &is_mute).await?;
        let (sequence, passing_sequence) = pass("sequence", sequence_port, &is_mute).await?;
        Ok(Self {
            source: ZmqSource::Endpoints { rawtx, sequence },
            is_mute,
            passing: vec![passing_rawtx, passing_sequence],
        })
    }

    /// Where it publishes.
    pub fn source(&self) -> ZmqSource {
        self.source.clone()
    }

    /// Swallows everything from now on, or nothing any more.
    pub fn mute(&self, is_mute: bool) {
        self.is_mute.store(is_mute, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        for task in &self.passing {
            task.abort();
        }
    }
}

async fn pass(topic: &'static str, port: u16, is_mute: &Arc<AtomicBool>) -> Result<(String, JoinHandle<()>)> {
    let mut node = SubSocket::new();
    node.connect(&format!("tcp://127.0.0.1:{port}")).await?;
    node.subscribe(topic).await?;
    let mut watcher = PubSocket::new();
    let endpoint = watcher.bind("tcp://127.0.0.1:0").await?.to_string();
    let is_mute = Arc::clone(is_mute);
    let passing = tokio::spawn(async move {
        while let Ok(message) = node.recv().await {
            // A watcher that is gone is no reason to stop: the next one connects.
            if !is_mute.load(Ordering::SeqCst) && watcher.send(message).await.is_err() {
                tokio::task::yield_now().await;
            }
        }
    });
    Ok((endpoint, passing))
}
