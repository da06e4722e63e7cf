//! What the machine itself can do at the same minute, and what a process takes of it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::samples::Samples;
use crate::stopwatch::{millis, now, since};

/// The size of a page of the database.
const PAGE: usize = 4096;
/// The probe's file is larger than a page, as a database is.
const PAGES: u64 = 256;

/// How long one durable write takes, in milliseconds: 4 KiB are overwritten in a file in `folder`, then `fdatasync`.
///
/// # Errors
/// When the folder cannot be written.
pub async fn durable_writes(folder: &Path, count: usize) -> Result<Vec<f64>> {
    let path: PathBuf = folder.join("durable-write-probe");
    tokio::task::spawn_blocking(move || {
        let file = File::create(&path)?;
        for page in 0..PAGES {
            file.write_all_at(&[0; PAGE], page * 4096)?;
        }
        file.sync_all()?;
        let mut measured = Vec::with_capacity(count);
        for round in 0..count {
            let byte = u8::try_from(round % 251)?;
            let start = now();
            file.write_all_at(&[byte; PAGE], 0)?;
            file.sync_data()?;
            measured.push(since(start));
        }
        std::fs::remove_file(&path)?;
        Ok(measured)
    })
    .await?
}

/// The same, as samples.
///
/// # Errors
/// As [`durable_writes`].
pub async fn durable_write(folder: &Path, count: usize) -> Result<Samples> {
    let measured = durable_writes(folder, count).await?;
    Samples::of(measured).context("nothing was measured")
}

/// How long one byte takes to a socket of this machine and back, in milliseconds.
///
/// # Errors
/// When there is no port.
pub async fn echo(count: usize) -> Result<Samples> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mut byte = [0];
        while stream.read(&mut byte).await? > 0 {
            stream.write_all(&byte).await?;
        }
        Ok::<_, std::io::Error>(())
    });
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let mut measured = Vec::with_capacity(count);
    let mut byte = [0];
    for _ in 0..count {
        let start = now();
        stream.write_all(&byte).await?;
        stream.read_exact(&mut byte).await?;
        measured.push(millis(now().duration_since(start)));
    }
    drop(stream);
    answering.await??;
    Samples::of(measured).context("nothing was measured")
}

/// The resident memory of a process, in bytes.
///
/// # Errors
/// When the process is gone.
pub fn resident(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib: u32 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
        .and_then(|number| number.trim().parse().ok())
        .context("the process shows no resident memory")?;
    Ok(f64::from(kib) * 1024.0)
}

/// How many files a process may have open: this one, and so its children.
///
/// # Errors
/// When the system does not tell.
pub fn open_files_limit() -> Result<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next())
        .context("the system tells no limit of open files")?;
    Ok(soft.parse().unwrap_or(usize::MAX))
}
