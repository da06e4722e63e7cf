//! Answers of the node that break off, or never come: whoever stands between us and it must not be able to end the watching.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result, ensure};
use bitpro_node::ZmqSource;
use bitpro_tests::{Pair, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::watched::{Watched, config};

/// How the relay treats connections, also those that are there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Passes everything on.
    Honest,
    /// Answers with a part of a head.
    Cut,
    /// Never answers.
    Silent,
}

/// A relay before the node's RPC.
struct Relay {
    port: u16,
    mode: watch::Sender<Mode>,
    asked: Arc<AtomicU32>,
    serving: JoinHandle<()>,
}

impl Relay {
    async fn before(node: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (mode, modes) = watch::channel(Mode::Honest);
        let asked = Arc::new(AtomicU32::new(0));
        let counting = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(treat(client, node, modes.clone(), Arc::clone(&counting)));
            }
        });
        Ok(Self {
            port,
            mode,
            asked,
            serving,
        })
    }

    /// Changes the mode, and waits until somebody has met it.
    async fn treats(&self, mode: Mode) -> Result<()> {
        let before = self.asked.load(Ordering::SeqCst);
        self.mode.send_replace(mode);
        eventually("a question to the relay", async || {
            ensure!(self.asked.load(Ordering::SeqCst) > before);
            Ok(())
        })
        .await
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn treat(
    mut client: TcpStream,
    node: u16,
    mut modes: watch::Receiver<Mode>,
    asked: Arc<AtomicU32>,
) -> std::io::Result<()> {
    let mode = *modes.borrow_and_update();
    if mode == Mode::Honest {
        let mut node = TcpStream::connect(("127.0.0.1", node)).await?;
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut node) => {}
            _ = modes.changed() => {}
        }
        return Ok(());
    }
    if client.read(&mut [0; 4_096]).await? == 0 {
        return Ok(());
    }
    asked.fetch_add(1, Ordering::SeqCst);
    if mode == Mode::Cut {
        client.write_all(b"HTTP/1.1 200 OK\r\nContent-Ty").await?;
    } else {
        // It ends with the relay, or with its honesty.
        let _ = modes.changed().await;
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_breaks_off_in_its_head_costs_a_round_and_silence_holds_up_no_end() -> Result<()> {
    let pair = Pair::start().await?;
    let mut config = config(&pair.server)?;
    let relay = Relay::before(config.rpc_url.port().context("a port")?).await?;
    config.rpc_url = format!("http://127.0.0.1:{}", relay.port).parse()?;
    config.zmq = ZmqSource::Off;
    let mut watched = Watched::with(config);
    watched.resume()?;
    watched.is_ready().await?;
    let address = watched.address(&pair.wallet).await?;

    relay.treats(Mode::Cut).await?;
    relay.mode.send_replace(Mode::Honest);
    let txid = pair.wallet.pay(&address, 250_000).await?;
    watched.sees(txid).await?;
    watched.is_ready().await?;

    relay.treats(Mode::Silent).await?;
    watched.stop().await
}
