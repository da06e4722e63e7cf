//! The real Litestream, configured and used by the words of the guide for operators.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::process::Process;
use crate::{App, app, guide};

/// The paths that the guide names.
const DATABASE: &str = "/var/lib/bitpro/bitpro.db";
const RESTORED: &str = "/var/lib/bitpro/restored.db";
const REPLICA: &str = "/mnt/replica/bitpro";
const CONFIGURATION: &str = "/etc/litestream.yml";

/// A replica of an instance's database, with a replicator that runs or not. Dropping it ends it.
#[derive(Debug)]
pub struct Litestream {
    folder: TempDir,
    database: PathBuf,
    process: Option<Process>,
}

impl Litestream {
    /// Prepares a replica of the database of `app` in a folder of its own.
    ///
    /// # Errors
    /// When there is no Litestream, or the guide has no configuration for it.
    pub fn beside(app: &App) -> Result<Self> {
        let litestream = Self {
            folder: tempfile::Builder::new().prefix("bitpro-replica-").tempdir()?,
            database: app.database(),
            process: None,
        };
        program()?;
        let configuration = litestream.here(&block("yaml")?);
        ensure!(
            configuration.contains(&litestream.database.display().to_string()),
            "the guide's configuration names another database than {DATABASE}: {configuration}"
        );
        fs::write(litestream.configuration(), configuration)?;
        Ok(litestream)
    }

    /// Begins to replicate.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn start(&mut self) -> Result<()> {
        let mut command = Command::new(program()?);
        command.arg("replicate").arg("-config").arg(self.configuration());
        let log = self.folder.path().join("litestream.log");
        self.process = Some(Process::start("litestream", &command, &log)?);
        Ok(())
    }

    /// Kills it with no chance to copy the rest.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self) -> Result<()> {
        self.process.take().context("it is not running")?.kill()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("litestream.log")).unwrap_or_default()
    }

    /// Writes what the replica knows now to `to`.
    ///
    /// # Errors
    /// When there is nothing yet.
    pub async fn read_back(&self, to: &Path) -> Result<()> {
        let mut command = tokio::process::Command::new(program()?);
        command.arg("restore").arg("-config").arg(self.configuration());
        let output = command.arg("-o").arg(to).arg(&self.database).output().await?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Runs the guide's commands for a lost disk, and gives what they print.
    ///
    /// # Errors
    /// When one fails, with what it says.
    pub async fn restore(&self, app: &App) -> Result<String> {
        let mut command = Command::new("sh");
        let with_settings = app.command()?;
        command.args(["-e", "-c", &self.here(&block("sh")?)]);
        for (name, value) in with_settings.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let (server, replicator) = (app::program()?, program()?);
        let folders = [&server, &replicator].map(|program| program.parent().unwrap_or(Path::new(".")).to_owned());
        let path = env::var_os("PATH").unwrap_or_default();
        command.env(
            "PATH",
            env::join_paths(folders.into_iter().chain(env::split_paths(&path)))?,
        );
        let output = tokio::process::Command::from(command).output().await?;
        let said = String::from_utf8(output.stdout)?;
        ensure!(
            output.status.success(),
            "the guide's commands ended with {}: {said}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(said)
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("litestream.yml")
    }

    /// A text of the guide, with this machine's paths in the place of the guide's.
    fn here(&self, text: &str) -> String {
        let beside = self.database.with_file_name("restored.db");
        let replica = self.folder.path().join("replica");
        [
            (DATABASE, &self.database),
            (RESTORED, &beside),
            (REPLICA, &replica),
            (CONFIGURATION, &self.configuration()),
        ]
        .into_iter()
        .fold(text.to_owned(), |text, (theirs, ours)| {
            text.replace(theirs, &ours.display().to_string())
        })
    }
}

/// The guide's first block with this word after its fence, in the part about replication.
fn block(fence: &str) -> Result<String> {
    let text = fs::read_to_string(guide::folder().join("operating.md"))?;
    let (_, part) = text
        .split_once("\n### Continuous replication\n")
        .context("the guide has no part about replication")?;
    let (_, rest) = part
        .split_once(&format!("\n```{fence}\n"))
        .with_context(|| format!("it has no block of {fence}"))?;
    let (block, _) = rest.split_once("\n```").context("a block without an end")?;
    Ok(format!("{block}\n"))
}

/// The program: the one that `LITESTREAM` names, else the one beside the Python of `BITPRO_PYTHON`, whose packages bring it.
fn program() -> Result<PathBuf> {
    let named = env::var_os("LITESTREAM").map(PathBuf::from);
    let beside = || env::var_os("BITPRO_PYTHON").map(|python| Path::new(&python).with_file_name("litestream"));
    named
        .or_else(beside)
        .filter(|program| program.is_file())
        .context("there is no Litestream: name it by LITESTREAM, or run `cargo xtask setup`")
}
