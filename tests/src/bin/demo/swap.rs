//! Has the page's script built behind the demo, and takes it in: the server ends in order and starts anew, with all its charges.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use crate::say;
use crate::stage::Stage;

/// What `PROGRAM demo-page` builds; it says itself what it does, and how far it is.
struct Builder(Child);

/// Waits for the build by `program`, and puts what it built in the place of the running server.
///
/// # Errors
/// When the build fails, which leaves the server as it is; or when the new server does not start.
pub async fn swap(stage: &Stage, program: &Path) -> Result<()> {
    say("the page's script is being built behind this; until then pages load themselves again");
    let mut builder = Builder::start(program)?;
    let status = builder.0.wait().await?;
    ensure!(
        status.success(),
        "the page's script could not be built (see above): pages go on without it"
    );
    let mut app = stage.app.write().await;
    app.stop().await.context("the server cannot be started anew")?;
    app.start()
        .await
        .context("the server with the page's script does not start")
}

impl Builder {
    fn start(program: &Path) -> Result<Self> {
        // In a group of its own, so that all that it started can be ended with it. It looks itself whether the demo is gone in another way.
        let child = Command::new(program)
            .arg("demo-page")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        child
            .map(Self)
            .with_context(|| format!("cannot run {}", program.display()))
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        // Without an id it has ended by itself, and was waited for.
        let id = self
            .0
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        if let Some(group) = id {
            // It fails only when the whole group is gone, which is what is wanted.
            let _ = kill_process_group(group, Signal::TERM);
        }
    }
}
