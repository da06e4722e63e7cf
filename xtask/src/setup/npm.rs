//! npm packages of a folder of this repository, installed once per lock file and linked in as `node_modules`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::failure::{Failure, Result};
use crate::proc::{self, say};
use crate::stamp::Fingerprint;
use crate::workspace::Workspace;

use super::folder;

/// Files that decide what npm installs.
const DECISIVE: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// Installs what the lock file of the folder `project` names, unless it is there already. Tells whether it had to.
///
/// # Errors
/// When the lock file is missing or npm fails.
pub fn ensure(workspace: &Workspace, project: &str) -> Result<bool> {
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
    let installed = workspace
        .cache
        .join("npm")
        .join(format!("{}-{}", project.replace('/', "-"), fingerprint.hex()));
    let changed = !installed.is_dir();
    if changed {
        say(&format!("installing the npm packages of {project}"));
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
    }
    link(&installed.join("node_modules"), &source.join("node_modules"))?;
    Ok(changed)
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
