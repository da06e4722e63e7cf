//! Many open sockets, read by one thread, so that the server under measurement keeps the rest of the machine.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::http::Connection;
use crate::stopwatch::now;

/// How many sockets are opened at once.
const OPENED_AT_ONCE: usize = 32;
/// How long one event may take to reach everybody.
const PATIENCE: Duration = Duration::from_secs(30);
/// What every event has once, and nothing else has.
const MARK: &[u8] = b"\ndata: ";

/// The sockets.
pub struct Crowd {
    runtime: Handle,
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
    shared: Arc<Shared>,
    spreads: mpsc::UnboundedReceiver<Spread>,
}

/// How one event reached everybody.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    /// When the first had it.
    pub first: Instant,
    /// When the last had it.
    pub last: Instant,
}

struct Shared {
    rounds: Mutex<Rounds>,
    told: mpsc::UnboundedSender<Spread>,
}

#[derive(Default)]
struct Rounds {
    members: usize,
    /// The number of the first event that not everybody has.
    complete: usize,
    open: VecDeque<(usize, Instant)>,
}

impl Crowd {
    /// Nobody yet.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn new() -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new().name("crowd".to_owned()).spawn(move || {
            // A sender that went away says the same as one that sent.
            let _ = runtime.block_on(ended);
        })?;
        let (told, spreads) = mpsc::unbounded_channel();
        Ok(Self {
            runtime: handle,
            end,
            thread,
            shared: Arc::new(Shared {
                rounds: Mutex::default(),
                told,
            }),
            spreads,
        })
    }

    /// Opens `count` more sockets at `port`: the stream of events at `path`, once its first event is there; or without a path,
    /// whatever comes.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub async fn open(&self, port: u16, path: Option<&str>, count: usize) -> Result<()> {
        let path: Option<Arc<str>> = path.map(Arc::from);
        let shared = Arc::clone(&self.shared);
        let opening = self.runtime.spawn(async move {
            let mut at_work = JoinSet::new();
            for index in 0..count {
                if index >= OPENED_AT_ONCE {
                    join(&mut at_work, &shared).await?;
                }
                at_work.spawn(opened(port, path.clone()));
            }
            while !at_work.is_empty() {
                join(&mut at_work, &shared).await?;
            }
            Ok(())
        });
        opening.await?
    }

    /// Closes all sockets; they count against the limit of open files until then.
    ///
    /// # Errors
    /// When the reading thread has panicked.
    pub async fn leave(self) -> Result<()> {
        drop(self.end);
        let ended = tokio::task::spawn_blocking(|| self.thread.join()).await?;
        ended.map_err(|_| anyhow!("the crowd's thread has panicked"))
    }

    /// How many there are.
    pub fn members(&self) -> usize {
        self.shared.rounds().members
    }

    /// Waits until everybody has the next event.
    ///
    /// # Errors
    /// When somebody does not get it.
    pub async fn next(&mut self) -> Result<Spread> {
        let spread = tokio::time::timeout(PATIENCE, self.spreads.recv()).await;
        spread
            .ok()
            .flatten()
            .context("an event did not reach everybody within 30 s")
    }

    /// Forgets further events that come within `quiet`.
    pub async fn settle(&mut self, quiet: Duration) {
        while let Ok(Some(_)) = tokio::time::timeout(quiet, self.spreads.recv()).await {}
    }
}

impl Shared {
    fn rounds(&self) -> std::sync::MutexGuard<'_, Rounds> {
        // Counters have no state in between that a panic could leave behind.
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody has their event number `round`.
    fn hit(&self, round: usize) {
        let at = now();
        let mut rounds = self.rounds();
        let index = round - rounds.complete;
        if rounds.open.len() == index {
            rounds.open.push_back((0, at));
        }
        rounds.open[index].0 += 1;
        while let Some(&(count, first)) = rounds.open.front() {
            if count < rounds.members {
                break;
            }
            rounds.open.pop_front();
            rounds.complete += 1;
            // Nobody listens only when the crowd is gone.
            let _ = self.told.send(Spread { first, last: at });
        }
    }
}

async fn opened(port: u16, path: Option<Arc<str>>) -> Result<TcpStream> {
    match path {
        Some(path) => {
            let connection = Connection::open(port).await?;
            Ok(connection.into_events(&path).await?.into_stream())
        }
        None => Ok(TcpStream::connect(("127.0.0.1", port)).await?),
    }
}

async fn join(at_work: &mut JoinSet<Result<TcpStream>>, shared: &Arc<Shared>) -> Result<()> {
    if let Some(opened) = at_work.join_next().await {
        let stream = opened??;
        let shared = Arc::clone(shared);
        let joined = {
            let mut rounds = shared.rounds();
            rounds.members += 1;
            rounds.complete + rounds.open.len()
        };
        tokio::spawn(listen(stream, shared, joined));
    }
    Ok(())
}

/// Counts events until the socket is closed.
async fn listen(stream: TcpStream, shared: Arc<Shared>, mut round: usize) {
    while stream.readable().await.is_ok() {
        match events(&stream) {
            Some(0) => {}
            Some(count) => {
                for _ in 0..count {
                    shared.hit(round);
                    round += 1;
                }
            }
            None => return,
        }
    }
}

/// How many events are there to read; `None` at the end. The buffer lives on the stack between two waits, so that a socket costs
/// no memory of ours.
fn events(stream: &TcpStream) -> Option<usize> {
    let mut buffer = [0; 8192];
    match stream.try_read(&mut buffer) {
        Ok(0) => None,
        Ok(read) => Some(
            buffer[..read]
                .windows(MARK.len())
                .filter(|window| *window == MARK)
                .count(),
        ),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Some(0),
        Err(_) => None,
    }
}
