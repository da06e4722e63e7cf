//! Child processes that cannot outlive this one.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Sender};
use std::{io, thread};

use anyhow::{Context as _, Result, anyhow, bail};

use crate::wait::eventually;

/// A running child. Dropping it kills it; so does the death of this process, even by `kill -9`.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
}

impl Process {
    /// Starts `program`, with both outputs appended to `log`.
    ///
    /// # Errors
    /// When the log cannot be written or the program cannot be run.
    pub fn start(name: &str, command: &Command, log: &Path) -> Result<Self> {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot open the log {}", log.display()))?;
        let mut tied = tie_to_this_process(command);
        tied.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = spawn(tied).with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
        })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, as `TERM` or `STOP`.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&mut self, signal: &str) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} has ended already with {status}", self.name);
        }
        // The shell's own `kill` needs no package; the process is our child and not yet reaped, so the id is still its own.
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "sh", signal])
            .arg(self.id().to_string())
            .status()?;
        if !sent.success() {
            bail!("cannot send {signal} to {}", self.name);
        }
        Ok(())
    }

    /// Kills the process without giving it a chance to tidy up, and waits until it is gone.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks the process to end and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal("TERM")?;
        self.ended().await
    }

    /// Waits until the process has ended by itself.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        eventually(&what, || {
            let status = self.child.try_wait();
            async { status?.ok_or_else(|| anyhow!("it is still running")) }
        })
        .await
    }

    /// Its exit status, if it has ended.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    pub fn exit_status(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when the process is gone, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same command, under `setpriv --pdeathsig KILL`, and in a process group of its own so that Ctrl-C in a terminal reaches only
/// this process, which then ends its children in order.
fn tie_to_this_process(command: &Command) -> Command {
    use std::os::unix::process::CommandExt as _;

    let mut tied = Command::new("setpriv");
    tied.args(["--pdeathsig", "KILL", "--"])
        .arg(command.get_program())
        .args(command.get_args())
        .process_group(0);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => tied.env(name, value),
            None => tied.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        tied.current_dir(folder);
    }
    tied
}

type Order = (Command, Sender<io::Result<Child>>);

/// The kernel sends the death signal when the *thread* that started the child ends. Threads of a runtime come and go, so one
/// that lives as long as the process starts all children.
static SPAWNER: LazyLock<Sender<Order>> = LazyLock::new(|| {
    let (orders, inbox) = mpsc::channel::<Order>();
    thread::spawn(move || {
        for (mut command, reply) in inbox {
            // Nobody waits for the answer only when the caller has panicked; the child dies with its guard then.
            let _ = reply.send(command.spawn());
        }
    });
    orders
});

fn spawn(command: Command) -> Result<Child> {
    let (reply, answer) = mpsc::channel();
    SPAWNER
        .send((command, reply))
        .map_err(|_| anyhow!("the thread that starts children is gone"))?;
    Ok(answer.recv()??)
}
