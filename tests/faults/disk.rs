//! A disk of its own for the database, which a test can fill: a file system in memory, mounted by the suite.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

/// More than a world ever needs; only what is used is taken from the memory.
const SIZE: &str = "512m";
/// What is filled of it by a file, in KiB.
const FILLER: u64 = 256;
/// Says that this process runs where its mounts are seen by nobody else.
const OWNER: &str = "BITPRO_FAULTS_OWN_MOUNTS";

/// A mounted disk. Dropping it unmounts it.
#[derive(Debug)]
pub struct Disk {
    folder: TempDir,
}

/// Starts this program anew where its mounts are its own, so that they end with it even after `kill -9`. Returns when that was done
/// already, or cannot be: then no disk can be mounted, and what needs one fails and says so.
pub fn become_owner_of_mounts() {
    if std::env::var_os(OWNER).is_some() {
        return;
    }
    let Ok(this) = std::env::current_exe() else { return };
    for rights in ["-m", "-Urm"] {
        let may = Command::new("unshare").args([rights, "true"]).output();
        if may.is_ok_and(|tried| tried.status.success()) {
            let mut again = Command::new("unshare");
            again.arg(rights).arg(&this).args(std::env::args_os().skip(1));
            let error = again.env(OWNER, "1").exec();
            eprintln!(
                "faults: {} cannot be started with mounts of its own: {error}",
                this.display()
            );
            return;
        }
    }
}

impl Disk {
    /// Mounts an empty disk.
    ///
    /// # Errors
    /// When this process may not mount: neither as root nor in a namespace of its own.
    pub fn mount() -> Result<Self> {
        ensure!(
            std::env::var_os(OWNER).is_some(),
            "a disk of its own can be mounted by root, or where `unshare -Urm` is allowed; here neither is so"
        );
        let folder = tempfile::Builder::new().prefix("bitpro-disk-").tempdir()?;
        let disk = Self { folder };
        mount(
            &["-t", "tmpfs", "-o", &format!("size={SIZE}"), "bitpro"],
            Some(disk.folder()),
        )?;
        Ok(disk)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves no byte free on it.
    ///
    /// # Errors
    /// When it cannot be made small.
    pub fn fill(&self) -> Result<()> {
        // First as small as it may be, and then a file for the rest, so that filling takes no memory worth speaking of.
        let used = Command::new("df")
            .args(["--output=used", "-k"])
            .arg(self.folder())
            .output()?;
        let used = String::from_utf8(used.stdout)?;
        let used: u64 = used.lines().nth(1).context("df names no use")?.trim().parse()?;
        mount(
            &["-o", &format!("remount,size={}k", used + FILLER)],
            Some(self.folder()),
        )?;
        let mut filler = File::create(self.filler())?;
        while filler.write_all(&[0; 4096]).is_ok() {}
        Ok(())
    }

    /// Leaves so many bytes free on it, or a few more.
    ///
    /// # Errors
    /// When it cannot be made small.
    pub fn fill_but(&self, bytes: u64) -> Result<()> {
        self.fill()?;
        let filler = File::options().write(true).open(self.filler())?;
        let full = filler.metadata()?.len();
        filler.set_len(full.saturating_sub(bytes))?;
        Ok(())
    }

    /// Gives it room again.
    ///
    /// # Errors
    /// When it cannot be made large.
    pub fn free(&self) -> Result<()> {
        std::fs::remove_file(self.filler())?;
        mount(&["-o", &format!("remount,size={SIZE}")], Some(self.folder()))
    }

    fn filler(&self) -> PathBuf {
        self.folder().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // It ends with this process's mounts at the latest.
        let _ = Command::new("umount").arg("-l").arg(self.folder()).output();
    }
}

fn mount(arguments: &[&str], folder: Option<&Path>) -> Result<()> {
    let output = Command::new("mount").args(arguments).args(folder).output()?;
    ensure!(
        output.status.success(),
        "mount {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
