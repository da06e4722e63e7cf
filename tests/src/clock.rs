//! One clock for the server and both nodes, which a test can move forward.
//!
//! The server runs under `libfaketime`, so that the binary under test is the one that is shipped: it has no door for
//! tests. Only the wall clock moves; timers run on. The nodes follow by `setmocktime`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow};
use tempfile::TempDir;

/// Where Debian's `libfaketime` puts its library, by architecture.
const LIBRARY: &str = "faketime/libfaketime.so.1";

/// A shared, movable clock. Clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: TempDir,
    ahead_secs: AtomicI64,
}

impl Clock {
    /// A clock that shows the machine's time.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn new() -> Result<Self> {
        let clock = Self(Arc::new(Inner {
            folder: tempfile::Builder::new().prefix("bitpro-clock-").tempdir()?,
            ahead_secs: AtomicI64::new(0),
        }));
        clock.write()?;
        Ok(clock)
    }

    /// Moves the time forward for every process that follows this clock by its file. Nodes follow at [`crate::Node::keep_time`].
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn advance_secs(&self, secs: u64) -> Result<()> {
        self.jump_secs(i64::try_from(secs)?)
    }

    /// Moves the time by `secs`, back if that is negative: what a wrong time server does to a machine. Nodes are never led back by
    /// [`crate::Node::keep_time`]; give the server a clock of its own for that.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn jump_secs(&self, secs: i64) -> Result<()> {
        self.0.ahead_secs.fetch_add(secs, Ordering::SeqCst);
        self.write()
    }

    /// Turns the clock back, after it was moved forward, as a machine's clock is that was wrong. Nodes are not told.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn step_back_secs(&self, secs: u64) -> Result<()> {
        self.jump_secs(-i64::try_from(secs)?)
    }

    /// The time in Unix milliseconds.
    #[must_use]
    pub fn now_millis(&self) -> i64 {
        machine_millis().saturating_add(self.ahead().saturating_mul(1000))
    }

    /// The time in Unix seconds, if it is not the machine's own.
    #[must_use]
    pub fn mocked_secs(&self) -> Option<i64> {
        (self.ahead() > 0).then(|| self.now_millis() / 1000)
    }

    /// Makes `command` follow this clock.
    ///
    /// # Errors
    /// When `libfaketime` is not installed.
    pub fn follow(&self, command: &mut Command) -> Result<()> {
        command
            .env("LD_PRELOAD", library()?)
            .env("FAKETIME_TIMESTAMP_FILE", self.file())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1");
        Ok(())
    }

    fn ahead(&self) -> i64 {
        self.0.ahead_secs.load(Ordering::SeqCst)
    }

    fn file(&self) -> PathBuf {
        self.0.folder.path().join("time")
    }

    /// Replaces the file in one step: a process must never read half of it.
    fn write(&self) -> Result<()> {
        let next = self.0.folder.path().join("next");
        std::fs::write(&next, format!("{:+}\n", self.ahead()))?;
        std::fs::rename(next, self.file())?;
        Ok(())
    }
}

/// The machine's time in Unix milliseconds.
#[must_use]
pub fn machine_millis() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that the processes under test are measured against"
    )]
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

fn library() -> Result<PathBuf> {
    let by_architecture = std::fs::read_dir("/usr/lib").context("cannot read /usr/lib")?;
    by_architecture
        .filter_map(Result::ok)
        .map(|entry| entry.path().join(LIBRARY))
        .find(|file| Path::is_file(file))
        .ok_or_else(|| anyhow!("libfaketime is missing: install Debian's package `libfaketime`"))
}
