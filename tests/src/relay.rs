//! A TCP relay between a server and its node, which can be cut and mended.

use std::sync::Arc;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Passes connections on to another address. Dropping it cuts them all.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    open: Arc<watch::Sender<bool>>,
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
        let open = Arc::new(watch::Sender::new(true));
        let state = Arc::clone(&open);
        let listening = tokio::spawn(async move {
            // An accept fails only for want of file descriptors; then the test fails by what it waits for.
            while let Ok((inward, _)) = listener.accept().await {
                tokio::spawn(pass(inward, target, state.subscribe()));
            }
        });
        Ok(Self { port, open, listening })
    }

    /// The port to connect to.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Ends all connections, and each new one at once.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.open.send_replace(true);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
        self.listening.abort();
    }
}

async fn pass(mut inward: TcpStream, target: u16, mut open: watch::Receiver<bool>) {
    if !*open.borrow() {
        return;
    }
    let passing = async {
        if let Ok(mut outward) = TcpStream::connect(("127.0.0.1", target)).await {
            // Either side may end the connection at any time: that is the end of it, and no error.
            let _ = copy_bidirectional(&mut inward, &mut outward).await;
        }
    };
    tokio::select! {
        () = passing => {}
        _ = open.wait_for(|&open| !open) => {}
    }
}
