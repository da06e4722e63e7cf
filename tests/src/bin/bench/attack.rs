//! Ten thousand strangers at one public door, in a process of its own: it has its own open files, and less claim on the processor
//! than the server that it troubles.

mod door;
mod held;
mod plan;
mod requests;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::process::Process;
use tempfile::TempDir;

pub use door::{DOORS, Door};
pub use plan::{Outcome, Plan};

/// How much less than everything else the strangers may claim of the processor.
const NICENESS: &str = "5";

/// The strangers, at work.
pub struct Attack {
    process: Process,
    folder: TempDir,
}

impl Attack {
    /// Lets them loose.
    ///
    /// # Errors
    /// When this program cannot be started again.
    pub fn begin(plan: &Plan) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bitpro-siege-").tempdir()?;
        let file = folder.path().join("plan.json");
        std::fs::write(&file, serde_json::to_vec(plan)?)?;
        let mut command = Command::new("nice");
        command
            .args(["-n", NICENESS])
            .arg(std::env::current_exe()?)
            .arg("attack")
            .arg(&file);
        let process = Process::start("the strangers", &command, &folder.path().join("log"))?;
        Ok(Self { process, folder })
    }

    /// Waits until they have gone, and tells what became of them.
    ///
    /// # Errors
    /// When they did not end by themselves and well.
    pub async fn ended(mut self) -> Result<Outcome> {
        let status = self.process.ended().await?;
        let told = std::fs::read_to_string(self.folder.path().join("log"))?;
        ensure!(status.success(), "the strangers ended with {status}: {told}");
        let last = told.lines().last().context("the strangers told nothing")?;
        serde_json::from_str(last).with_context(|| told.clone())
    }
}

/// Is all of them until the plan's time is up, and tells what became of them on standard output.
///
/// # Errors
/// When the plan cannot be read.
pub async fn carry_out(file: &Path) -> Result<()> {
    let plan: Plan = serde_json::from_slice(&std::fs::read(file)?)?;
    let outcome = if plan.door.is_held() {
        held::carry_out(plan).await
    } else {
        requests::carry_out(plan).await
    };
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&outcome)?)?;
    Ok(())
}
