//! What the figures stand beside: the same work done with nothing around it, in a process of its own.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use bitpro_tests::eventually;
use bitpro_tests::process::Process;
use clap::ValueEnum;
use futures::{Stream, StreamExt as _};
use tempfile::TempDir;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use crate::http::Connection;

/// What a peer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// axum with an empty `GET /`, a small page, and server-sent events over a broadcast channel.
    Axum,
    /// Writes the same bytes to everyone who is connected, in a loop.
    Writer,
}

/// A peer that runs.
pub struct Peer {
    /// Its port.
    pub port: u16,
    process: Process,
    _folder: TempDir,
}

impl Peer {
    /// Starts this program again as a peer and waits until it answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start(kind: Kind) -> Result<Self> {
        let peer = Self::launch(kind)?;
        eventually("the peer to listen", async || Connection::open(peer.port).await).await?;
        Ok(peer)
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn launch(kind: Kind) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = tempfile::Builder::new().prefix("bitpro-peer-").tempdir()?;
        let name = kind.to_possible_value().context("every kind has a name")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["peer", name.get_name(), &port.to_string()]);
        let process = Process::start("the peer", &command, &folder.path().join("log"))?;
        Ok(Self {
            port,
            process,
            _folder: folder,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

/// Is a peer until it is killed.
///
/// # Errors
/// When its port is taken.
pub async fn serve(kind: Kind, port: u16) -> Result<()> {
    match kind {
        Kind::Axum => {
            let (sender, _) = broadcast::channel::<String>(16);
            let routes = Router::new()
                .route("/", get(|| async {}))
                .route("/page", get(|| async { Html(PAGE) }))
                .route("/events", get(events))
                .with_state(sender);
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
            Ok(axum::serve(listener, routes).await?)
        }
        Kind::Writer => tokio::task::spawn_blocking(move || write_to_all(port)).await?,
    }
}

/// A page that paints as soon as any page can.
const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Page</title><h1>Page</h1></html>";

async fn events(State(sender): State<broadcast::Sender<String>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let first = futures::stream::once(async { Ok(Event::default().data("first")) });
    let later = BroadcastStream::new(sender.subscribe())
        .filter_map(|text| async { text.ok().map(|text| Ok(Event::default().data(text))) });
    Sse::new(first.chain(later)).keep_alive(KeepAlive::default())
}

/// The first connection commands: a length in four bytes, little-endian, makes one write of that length to all others.
fn write_to_all(port: u16) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    // Whoever waited for the port to open is gone again, and says nothing.
    let (mut commands, length) = loop {
        let (mut first, _) = listener.accept()?;
        let mut length = [0; 4];
        if first.read_exact(&mut length).is_ok() {
            break (first, length);
        }
    };
    let mut others: Vec<TcpStream> = Vec::new();
    let mut expected = u32::from_le_bytes(length);
    loop {
        while others.len() < usize::try_from(expected)? {
            let (other, _) = listener.accept()?;
            other.set_nodelay(true)?;
            others.push(other);
        }
        commands.write_all(&[1])?;
        let mut length = [0; 4];
        commands.read_exact(&mut length)?;
        let frame = frame(usize::try_from(u32::from_le_bytes(length))?);
        for other in &mut others {
            other.write_all(&frame)?;
        }
        expected = u32::try_from(others.len())?;
    }
}

/// An event of `length` bytes, in all.
fn frame(length: usize) -> Vec<u8> {
    let mut frame = b"\ndata: ".to_vec();
    frame.resize(length.saturating_sub(2), b'x');
    frame.extend_from_slice(b"\n\n");
    frame
}
