//! A TCP relay between a server and its node, which can be cut, silenced and mended.

use std::sync::Arc;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of what the far side says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passing {
    Flows,
    /// It is held back; the connections stay.
    Silent,
    /// Connections are ended.
    Cut,
}

/// Passes connections on to another address. Dropping it cuts them all.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    passing: Arc<watch::Sender<Passing>>,
    listening: JoinHandle<()>,
}

impl Relay {
    /// A relay on a free port to `target` on this machine.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn to(target: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let passing = Arc::new(watch::Sender::new(Passing::Flows));
        let state = Arc::clone(&passing);
        let listening = tokio::spawn(async move {
            // An accept fails only for want of file descriptors; then the test fails by what it waits for.
            while let Ok((inward, _)) = listener.accept().await {
                tokio::spawn(pass(inward, target, state.subscribe()));
            }
        });
        Ok(Self {
            port,
            passing,
            listening,
        })
    }

    /// The port to connect to.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Ends all connections, and each new one at once.
    pub fn cut(&self) {
        self.passing.send_replace(Passing::Cut);
    }

    /// Holds back what the far side says, while the connections stay and new ones are taken: nobody sees a fault. What was held
    /// back arrives late.
    pub fn silence(&self) {
        self.passing.send_replace(Passing::Silent);
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.passing.send_replace(Passing::Flows);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
        self.listening.abort();
    }
}

async fn pass(mut inward: TcpStream, target: u16, mut passing: watch::Receiver<Passing>) {
    if *passing.borrow() == Passing::Cut {
        return;
    }
    let gate = passing.clone();
    let carrying = async {
        if let Ok(mut outward) = TcpStream::connect(("127.0.0.1", target)).await {
            let (mut from_near, to_near) = inward.split();
            let (from_far, mut to_far) = outward.split();
            // Either side may end the connection at any time: that is the end of it, and no error.
            tokio::select! {
                _ = copy(&mut from_near, &mut to_far) => {}
                () = pass_back(from_far, to_near, gate) => {}
            }
        }
    };
    tokio::select! {
        () = carrying => {}
        _ = passing.wait_for(|&passing| passing == Passing::Cut) => {}
    }
}

/// Passes on what the far side says, while it may.
async fn pass_back(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut gate: watch::Receiver<Passing>) {
    let mut chunk = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut chunk).await {
        let is_open = gate.wait_for(|&passing| passing != Passing::Silent).await.is_ok();
        if !is_open || to.write_all(&chunk[..read]).await.is_err() {
            return;
        }
    }
}
