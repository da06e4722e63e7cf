//! The machine that the figures are from.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use bitpro_tests::node;
use serde::Serialize;

use crate::probe;

/// What a reader needs to know to compare.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// How many of them the system sees.
    pub cores: usize,
    /// Memory, in GiB.
    pub memory_gib: f64,
    /// The kernel.
    pub kernel: String,
    /// The kind of file system that temporary files, and so the databases under measurement, lie on.
    pub file_system: String,
    /// Processes that wanted to run during the last minute, before the first figure.
    pub load: String,
    /// How many files a process may have open.
    pub open_files: usize,
    /// The node.
    pub bitcoind: String,
    /// One durable write of 4 KiB, p50 and p99 in milliseconds.
    pub fdatasync_ms: [f64; 2],
    /// One byte to a socket of this machine and back, p50 and p99 in milliseconds.
    pub echo_ms: [f64; 2],
}

const KIB_IN_GIB: f64 = 1_048_576.0;
const PROBES: usize = 300;

impl Machine {
    /// Looks at the machine, and times its disk and its loopback.
    ///
    /// # Errors
    /// When there is no node, or nothing can be written.
    pub async fn look() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bitpro-probe-").tempdir()?;
        let write = probe::durable_write(folder.path(), PROBES).await?;
        let echo = probe::echo(PROBES).await?;
        let memory = line_of("/proc/meminfo", "MemTotal:");
        let kib: f64 = memory
            .split_whitespace()
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or(0.0);
        Ok(Self {
            processor: line_of("/proc/cpuinfo", "model name")
                .trim_start_matches([' ', ':'])
                .to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: kib / KIB_IN_GIB,
            kernel: line_of("/proc/sys/kernel/osrelease", ""),
            file_system: said(
                Command::new("stat")
                    .args(["--file-system", "--format=%T"])
                    .arg(folder.path()),
            ),
            load: line_of("/proc/loadavg", "")
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_owned(),
            open_files: probe::open_files_limit()?,
            bitcoind: said(Command::new(node::bitcoind()?).arg("--version")),
            fdatasync_ms: [write.median(), write.p99()],
            echo_ms: [echo.median(), echo.p99()],
        })
    }

    /// The same in two lines.
    pub fn lines(&self) -> [String; 2] {
        let Self {
            processor,
            cores,
            memory_gib,
            kernel,
            file_system,
            load,
            open_files,
            bitcoind,
            fdatasync_ms: [write, write_p99],
            echo_ms: [echo, echo_p99],
        } = self;
        [
            format!(
                "{processor}, {cores} cores, {memory_gib:.0} GiB; Linux {kernel}; {file_system}; load {load}; {open_files} open files; {bitcoind}"
            ),
            format!(
                "fdatasync of 4 KiB p50 {write:.2} ms, p99 {write_p99:.2} ms; loopback there and back p50 {echo:.3} ms, p99 {echo_p99:.3} ms"
            ),
        ]
    }
}

/// What follows `start` in the first line of a file that has it; nothing where there is none.
fn line_of(file: impl AsRef<Path>, start: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(start));
    line.unwrap_or_default().trim().to_owned()
}

/// The first line that a program says; nothing where there is no such program.
fn said(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&output);
    text.lines().next().unwrap_or_default().trim().to_owned()
}
