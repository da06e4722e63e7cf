//! Node.js 22 and wasm-opt, both as npm packages: Debian 12 has Node.js 18 and a wasm-opt that is too old for Rust's modules.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::proc::{self, say};
use crate::workspace::Workspace;

use super::folder;

/// Exact versions: the same programs on every machine.
pub const NODE: &str = "node@22.23.3";
pub const WASM_OPT: &str = "binaryen@132.0.0";

/// Debian packages to get npm from, when the machine has none: npm needs some Node.js to install a newer one.
pub fn packages() -> Vec<&'static str> {
    if proc::on_path("node").is_some() && proc::on_path("npm").is_some() {
        Vec::new()
    } else {
        vec!["nodejs", "npm"]
    }
}

/// The pinned Node.js program.
pub fn node(workspace: &Workspace) -> PathBuf {
    workspace.cache.join("node22/node_modules/node/bin/node")
}

/// Installs Node.js 22 if it is missing. Tells whether it was.
///
/// # Errors
/// When npm fails.
pub fn ensure_node(workspace: &Workspace) -> Result<bool> {
    install(workspace, NODE, &workspace.cache.join("node22"))
}

/// Installs wasm-opt if it is missing. Tells whether it was.
///
/// # Errors
/// When npm fails.
pub fn ensure_wasm_opt(workspace: &Workspace) -> Result<bool> {
    install(workspace, WASM_OPT, &workspace.cache.join("binaryen"))
}

/// Installs one package into a folder, whole or not at all; a file in it remembers which version it is.
fn install(workspace: &Workspace, package: &str, place: &Path) -> Result<bool> {
    let marker = "installed";
    if fs::read_to_string(place.join(marker)).is_ok_and(|version| version == package) {
        return Ok(false);
    }
    say(&format!("installing {package} from npm"));
    let partial = folder::partial(place);
    folder::fresh(&partial)?;
    let mut npm = proc::npm(workspace);
    npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"])
        .arg(&partial)
        .arg(package);
    // npm looks for a project upwards from where it runs; this folder must count as one.
    let project = partial.join("package.json");
    fs::write(&project, "{\"private\":true}\n").map_err(|error| Failure::file("write", &project, &error))?;
    npm.current_dir(&partial);
    let log = package.split('@').next().unwrap_or("package");
    proc::run_long(workspace, &mut npm, &format!("npm-{log}"))?;
    let marker = partial.join(marker);
    fs::write(&marker, package).map_err(|error| Failure::file("write", &marker, &error))?;
    folder::put_in_place(&partial, place)?;
    Ok(true)
}
