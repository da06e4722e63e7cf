//! npm packages of a folder of this repository, installed once per lock file and linked in as `node_modules`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::proc;
use crate::stamp::Fingerprint;
use crate::workspace::Workspace;

use super::folder;

/// Files that decide what npm installs.
const DECISIVE: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// Whether the packages that the lock file of the folder `project` names are there; then they are linked in.
///
/// # Errors
/// When the lock file is missing, or a link cannot be made.
pub fn is_ready(workspace: &Workspace, project: &str) -> Result<bool> {
    let installed = place(workspace, project)?;
    if !installed.is_dir() {
        return Ok(false);
    }
    link_in(workspace, project, &installed)?;
    Ok(true)
}

/// Installs them, and links them in.
///
/// # Errors
/// When the lock file is missing or npm fails.
pub fn install(workspace: &Workspace, project: &str) -> Result<()> {
    let source = workspace.root.join(project);
    let installed = place(workspace, project)?;
    let partial = folder::partial(&installed);
    folder::fresh(&partial)?;
    for name in DECISIVE {
        let decisive = source.join(name);
        if decisive.is_file() {
            fs::copy(&decisive, partial.join(name)).map_err(|error| Failure::file("copy", &decisive, &error))?;
        }
    }
    let mut npm = proc::npm(workspace);
    // Packages' own install scripts stay off: what we use needs none, and they would fetch browsers.
    npm.current_dir(&partial)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    proc::run_long(workspace, &mut npm, &format!("npm-{}", project.replace('/', "-")))?;
    folder::put_in_place(&partial, &installed)?;
    link_in(workspace, project, &installed)
}

/// Where the packages of this very lock file lie.
fn place(workspace: &Workspace, project: &str) -> Result<PathBuf> {
    let source = workspace.root.join(project);
    let lock = source.join("package-lock.json");
    if !lock.is_file() {
        return Err(Failure::new(format!(
            "{} is missing: it pins the npm packages of {project}",
            lock.display()
        )));
    }
    let mut fingerprint = Fingerprint::new(&[]);
    for name in DECISIVE {
        fingerprint.add_named(name, &source.join(name))?;
    }
    let name = format!("{}-{}", project.replace('/', "-"), fingerprint.hex());
    Ok(workspace.cache.join("npm").join(name))
}

fn link_in(workspace: &Workspace, project: &str, installed: &Path) -> Result<()> {
    let link_at = workspace.root.join(project).join("node_modules");
    link(&installed.join("node_modules"), &link_at)
}

/// Points `link` at `packages`. A folder that a person installed by hand is replaced: it may be stale.
fn link(packages: &Path, link: &Path) -> Result<()> {
    if fs::read_link(link).is_ok_and(|target| target == packages) {
        return Ok(());
    }
    match fs::symlink_metadata(link) {
        Ok(found) if found.is_dir() => folder::remove(link)?,
        Ok(_) => fs::remove_file(link).map_err(|error| Failure::file("remove", link, &error))?,
        Err(_) => {}
    }
    symlink(packages, link).map_err(|error| Failure::file("create", link, &error))
}
