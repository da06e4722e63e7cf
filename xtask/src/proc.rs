//! Child processes: a clean environment, output where it belongs, and a sign of life while a long one works.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{env, io, thread};

use crate::failure::{Failure, Result};
use crate::progress;
use crate::workspace::Workspace;

/// How often a log is looked at for how far its command is.
const LOOK: Duration = Duration::from_millis(500);
/// How much of a failed build's log is shown.
const SHOWN_LINES: usize = 40;

/// A command with the pinned tools first on PATH, cargo's results in their folder, and without what `cargo run` told this process about xtask.
pub fn command(workspace: &Workspace, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    command
        .env("PATH", search_path(workspace))
        .env("CARGO_TARGET_DIR", &workspace.target)
        .current_dir(&workspace.root)
        .stdin(Stdio::null());
    command
}

/// The machine's own npm with the machine's own Node.js: Debian patches the two to find each other's modules.
pub fn npm(workspace: &Workspace) -> Command {
    let mut npm = command(workspace, "npm");
    npm.env("PATH", env::var_os("PATH").unwrap_or_default());
    npm
}

/// Says what is being done, on standard error: standard output belongs to results.
pub fn say(line: &str) {
    progress::aside(|| eprintln!("[xtask] {line}"));
}

/// Runs a command whose own output is the progress. Its standard output goes to standard error.
///
/// # Errors
/// When it cannot be started or ends with anything but success.
pub fn run(command: &mut Command) -> Result<()> {
    command.stdout(Stdio::from(io::stderr()));
    let status = status(command)?;
    check(command, status)
}

/// Runs a command with its output on standard output, for suites whose output is the result.
///
/// # Errors
/// As [`run`].
pub fn run_shown(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    check(command, status)
}

/// Runs a command and gives its standard output.
///
/// # Errors
/// As [`run`]; the failure carries what it wrote to standard error.
pub fn read(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| not_started(command, &error))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!(
            "{} ended with {}: {}",
            shown(command),
            output.status,
            told.trim()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a long command into a log file, showing how far it is, and the end of the log when it fails.
///
/// # Errors
/// As [`run`].
pub fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
    }
    let file = File::create(log).map_err(|error| Failure::file("create", log, &error))?;
    let second = file.try_clone().map_err(|error| Failure::file("open", log, &error))?;
    let mut child = command
        // Cargo counts its units only for a terminal, unless it is told to.
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "100")
        .stdout(file)
        .stderr(second)
        .spawn()
        .map_err(|error| not_started(command, &error))?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // The receiver is only gone when the whole process ends; there is nobody left to tell then.
        let _ = sender.send(child.wait());
    });
    let ended = loop {
        match receiver.recv_timeout(LOOK) {
            Ok(ended) => break ended,
            Err(RecvTimeoutError::Timeout) => {
                let last = tail(log, 1).pop().unwrap_or_default();
                progress::report(&last);
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::new(format!("lost track of {}", shown(command))));
            }
        }
    };
    let status = ended.map_err(|error| not_started(command, &error))?;
    if !status.success() {
        progress::aside(|| {
            for line in tail(log, SHOWN_LINES)
                .iter()
                .filter(|line| !progress::is_only_progress(line))
            {
                eprintln!("  | {line}");
            }
        });
        return Err(Failure::new(format!(
            "{} ended with {status}; its log is {}",
            shown(command),
            log.display()
        )));
    }
    Ok(())
}

/// Runs a long command with a sign of life, but no log to keep: the log lies in the cache under `name`.
///
/// # Errors
/// As [`run`].
pub fn run_long(workspace: &Workspace, command: &mut Command, name: &str) -> Result<()> {
    run_logged(command, &workspace.cache.join("logs").join(format!("{name}.log")))
}

/// Runs a command whose exit code is a result, and gives that code; -1 when a signal ended it.
///
/// # Errors
/// When it cannot be started.
pub fn run_for_code(command: &mut Command) -> Result<i32> {
    Ok(status(command)?.code().unwrap_or(-1))
}

/// Runs a command whose exit code and standard output are the result; -1 when a signal ended it.
///
/// # Errors
/// When it cannot be started.
pub fn read_with_code(command: &mut Command) -> Result<(i32, String)> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| not_started(command, &error))?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((output.status.code().unwrap_or(-1), told))
}

/// Replaces this process by the command, which keeps its process id, its terminal and its signals. Gives why that failed.
pub fn become_program(command: &mut Command) -> Failure {
    let error = command.stdin(Stdio::inherit()).exec();
    not_started(command, &error)
}

/// The first file of that name on the machine's own PATH.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// The command as a person would type it, for messages.
pub fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    format!("`{text}`")
}

fn search_path(workspace: &Workspace) -> OsString {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let folders = workspace.path_prefix().into_iter().chain(env::split_paths(&inherited));
    // Joining fails only when a folder's name holds a colon; then the machine's own PATH is the best there is.
    env::join_paths(folders).unwrap_or(inherited)
}

fn status(command: &mut Command) -> Result<ExitStatus> {
    command.status().map_err(|error| not_started(command, &error))
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{} ended with {status}", shown(command))))
    }
}

fn not_started(command: &Command, error: &io::Error) -> Failure {
    Failure::new(format!("cannot run {}: {error}", shown(command)))
}

/// The last lines of a file; empty when it cannot be read, since a log only decorates another message.
fn tail(log: &Path, lines: usize) -> Vec<String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(16 * 1024)))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end)?;
        Ok(end)
    };
    let end = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&end);
    let all: Vec<&str> = text
        .split(['\n', '\r'])
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    all[all.len().saturating_sub(lines)..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}
