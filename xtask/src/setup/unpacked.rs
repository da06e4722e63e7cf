//! Caddy, taken out of Debian's package and not installed: installed, it starts as a service and takes the machine's ports 80 and 443.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::proc;
use crate::workspace::Workspace;

use super::folder;

/// Where the program is, once it is there.
pub fn caddy(workspace: &Workspace) -> PathBuf {
    place(workspace).join("usr/bin/caddy")
}

/// Fetches and unpacks the package.
///
/// # Errors
/// When there is no such package, or it cannot be fetched.
pub fn fetch(workspace: &Workspace) -> Result<()> {
    let place = place(workspace);
    let partial = folder::partial(&place);
    folder::fresh(&partial)?;
    if download(workspace, &partial).is_err() {
        // The list of packages may be older than the package.
        proc::run_long(
            workspace,
            proc::command(workspace, "apt-get").arg("update"),
            "apt-update",
        )?;
        download(workspace, &partial)?;
    }
    let package = package_in(&partial)?;
    let mut unpack = proc::command(workspace, "dpkg-deb");
    unpack.arg("--extract").arg(&package).arg(&partial);
    proc::run_long(workspace, &mut unpack, "caddy-unpack")?;
    fs::remove_file(&package).map_err(|error| Failure::file("remove", &package, &error))?;
    folder::put_in_place(&partial, &place)
}

fn download(workspace: &Workspace, folder: &Path) -> Result<()> {
    let mut download = proc::command(workspace, "apt-get");
    download.args(["download", "caddy"]).current_dir(folder);
    proc::run_long(workspace, &mut download, "caddy-fetch")
}

fn package_in(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).map_err(|error| Failure::file("read", folder, &error))?;
    let mut files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    files
        .find(|file| file.extension().is_some_and(|extension| extension == "deb"))
        .ok_or_else(|| Failure::new("apt-get has fetched no package of caddy".to_owned()))
}

fn place(workspace: &Workspace) -> PathBuf {
    workspace.cache.join("caddy")
}
