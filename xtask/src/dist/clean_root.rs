//! A clean Debian 12 in a folder, with a systemd of its own that runs there as process 1. It shares nothing with this machine but the
//! network and the kernel, whose settings it can only read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::proc::{self, say};
use crate::setup;
use crate::stopwatch::Stopwatch;
use crate::workspace::Workspace;

/// What the package depends on, so that it installs without the network, and the service manager that it is made for.
const PACKAGES: &str = "adduser,ca-certificates,systemd";
/// Debian 12, whatever the machine itself runs.
const SUITE: &str = "bookworm";
/// Settings of apt that say how a mirror is reached, and whether an old copy will do.
const REACHING: [&str; 2] = ["Acquire::http", "Acquire::Check-"];
/// How long a slow machine takes to start an empty system.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(100);

/// Starts the system: mounts what it needs where only it sees it, and makes the kernel's settings unwritable.
const BOOT: &str = r#"
set -e
mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"
cd "$ROOT"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do
    set -- $device
    mknod -m 666 dev/$1 c 1 $2
done
mknod -m 666 dev/tty c 5 0
mkdir dev/pts dev/shm
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
# Not only chroot: systemd gives its services views of their own of what is really the root.
mkdir run/outside
pivot_root . run/outside
exec chroot . /bin/sh -c 'cd /; umount -l /run/outside; rmdir /run/outside; exec env -i container=other PATH=/usr/sbin:/usr/bin /lib/systemd/systemd --system --unit=basic.target'
"#;

/// The archive of a fresh Debian 12, made once and kept.
///
/// # Errors
/// When Debian's archive cannot be reached.
pub fn archive(workspace: &Workspace) -> Result<PathBuf> {
    archive_of(workspace, SUITE, PACKAGES)
}

/// The archive of a fresh system of any suite.
///
/// # Errors
/// As [`archive`].
pub fn archive_of(workspace: &Workspace, suite: &str, packages: &str) -> Result<PathBuf> {
    let archive = workspace.cache.join(format!("debian-{suite}.tar"));
    if archive.is_file() {
        return Ok(archive);
    }
    say(&format!(
        "making a clean Debian, {suite} (a minute; the system is not touched)"
    ));
    let partial = workspace.cache.join(format!("debian-{suite}.partial.tar"));
    // How this machine reaches its mirror may take settings, also inside.
    let settings = proc::read(proc::command(workspace, "apt-config").arg("dump"))?;
    let mut make = proc::command(workspace, "mmdebstrap");
    let is_of_the_way = |line: &&str| REACHING.iter().any(|start| line.starts_with(start));
    for setting in settings.lines().filter(is_of_the_way) {
        make.arg(format!("--aptopt={}", setting.trim_end_matches(';')));
    }
    make.args(["--variant=minbase", &format!("--include={packages}"), suite])
        .arg(&partial)
        .arg(setup::mirror(workspace)?);
    proc::run_long(workspace, &mut make, "clean-root")?;
    fs::rename(&partial, &archive).map_err(|error| Failure::file("move", &partial, &error))?;
    Ok(archive)
}

/// A running system. Dropping it ends all its processes.
#[derive(Debug)]
pub struct System<'w> {
    workspace: &'w Workspace,
    folder: PathBuf,
    outside: Child,
    first_process: String,
}

impl<'w> System<'w> {
    /// Unpacks a fresh system into `folder` and starts it.
    ///
    /// # Errors
    /// When this is not root, or the system does not start.
    pub fn start(workspace: &'w Workspace, folder: &Path) -> Result<Self> {
        setup::fresh_folder(folder)?;
        let mut unpack = proc::command(workspace, "tar");
        proc::read(unpack.arg("xf").arg(archive(workspace)?).arg("-C").arg(folder))?;
        let mut boot = proc::command(workspace, "unshare");
        boot.args([
            "--mount",
            "--pid",
            "--ipc",
            "--uts",
            "--cgroup",
            "--fork",
            "--kill-child",
        ])
        .args(["sh", "-c", BOOT])
        .env("ROOT", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
        let outside = boot
            .spawn()
            .map_err(|error| Failure::new(format!("cannot run {}: {error}", proc::shown(&boot))))?;
        let mut system = Self {
            workspace,
            folder: folder.to_path_buf(),
            outside,
            first_process: String::new(),
        };
        system.wait_until_running()?;
        Ok(system)
    }

    /// Where its files lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = proc::command(self.workspace, "nsenter");
        command
            .args(["--target", &self.first_process, "--mount", "--pid", "--ipc", "--uts"])
            .args(["--root", "--wdns=/", "--"])
            .args([
                "env",
                "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                "DEBIAN_FRONTEND=noninteractive",
            ])
            .arg(program);
        command
    }

    /// What a command inside prints.
    ///
    /// # Errors
    /// When it ends with anything but success.
    pub fn read(&self, program: &str, arguments: &[&str]) -> Result<String> {
        proc::read(self.command(program).args(arguments)).map(|text| text.trim().to_owned())
    }

    /// Waits until `holds`, which something else brings about.
    ///
    /// # Errors
    /// When it does not within the time that a slow machine takes; the failure carries the service's log.
    pub fn wait(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) -> Result<()> {
        let stopwatch = Stopwatch::start();
        while !holds(self) {
            if stopwatch.elapsed() > PATIENCE {
                let log = self.read("journalctl", &["--no-pager", "-n", "30"]).unwrap_or_default();
                return Err(Failure::new(format!(
                    "waited in vain for {what}; the system's log ends with\n{log}"
                )));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn wait_until_running(&mut self) -> Result<()> {
        let children = format!("/proc/{0}/task/{0}/children", self.outside.id());
        let stopwatch = Stopwatch::start();
        loop {
            let ended = self.outside.try_wait().ok().flatten();
            if ended.is_some() || stopwatch.elapsed() > PATIENCE {
                return Err(Failure::new(
                    "no system can be started in a folder here: that takes root, and the right to mount".to_owned(),
                ));
            }
            self.first_process = fs::read_to_string(&children).unwrap_or_default().trim().to_owned();
            let is_running = !self.first_process.is_empty()
                && self
                    .read("systemctl", &["is-system-running", "--wait"])
                    .is_ok_and(|state| state == "running");
            if is_running {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for System<'_> {
    fn drop(&mut self) {
        // Whoever started it takes the whole system along; the kernel needs a moment for that.
        let _ = self.outside.kill();
        let _ = self.outside.wait();
        let first = Path::new("/proc").join(&self.first_process);
        let stopwatch = Stopwatch::start();
        while !self.first_process.is_empty() && first.exists() && stopwatch.elapsed() < PATIENCE {
            thread::sleep(PAUSE);
        }
    }
}
