//! Programs taken out of Debian's packages and not installed: installed, they start as services and take the machine's ports.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::proc;
use crate::workspace::Workspace;

use super::folder;

/// A package, and the program in it that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Unpacked {
    package: &'static str,
    program: &'static str,
}

/// A reverse proxy, which would take the ports 80 and 443.
pub const CADDY: Unpacked = Unpacked {
    package: "caddy",
    program: "usr/bin/caddy",
};
/// What checks rules of alerts; the package would start a collector.
pub const PROMTOOL: Unpacked = Unpacked {
    package: "prometheus",
    program: "usr/bin/promtool",
};

impl Unpacked {
    /// Where the program is, once it is there.
    pub fn program(self, workspace: &Workspace) -> PathBuf {
        self.place(workspace).join(self.program)
    }

    /// The program's name.
    pub fn name(self) -> &'static str {
        self.program.rsplit('/').next().unwrap_or(self.program)
    }

    /// Fetches and unpacks the package.
    ///
    /// # Errors
    /// When there is no such package, or it cannot be fetched.
    pub fn fetch(self, workspace: &Workspace) -> Result<()> {
        let place = self.place(workspace);
        let partial = folder::partial(&place);
        folder::fresh(&partial)?;
        if self.download(workspace, &partial).is_err() {
            // The list of packages may be older than the package.
            proc::run_long(
                workspace,
                proc::command(workspace, "apt-get").arg("update"),
                "apt-update",
            )?;
            self.download(workspace, &partial)?;
        }
        let package = self.package_in(&partial)?;
        let mut unpack = proc::command(workspace, "dpkg-deb");
        unpack.arg("--extract").arg(&package).arg(&partial);
        proc::run_long(workspace, &mut unpack, &format!("{}-unpack", self.package))?;
        fs::remove_file(&package).map_err(|error| Failure::file("remove", &package, &error))?;
        folder::put_in_place(&partial, &place)
    }

    fn download(self, workspace: &Workspace, folder: &Path) -> Result<()> {
        let mut download = proc::command(workspace, "apt-get");
        download.args(["download", self.package]).current_dir(folder);
        proc::run_long(workspace, &mut download, &format!("{}-fetch", self.package))
    }

    fn package_in(self, folder: &Path) -> Result<PathBuf> {
        let entries = fs::read_dir(folder).map_err(|error| Failure::file("read", folder, &error))?;
        let mut files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        files
            .find(|file| file.extension().is_some_and(|extension| extension == "deb"))
            .ok_or_else(|| Failure::new(format!("apt-get has fetched no package of {}", self.package)))
    }

    fn place(self, workspace: &Workspace) -> PathBuf {
        workspace.cache.join(self.package)
    }
}
