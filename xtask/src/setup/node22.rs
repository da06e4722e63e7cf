//! Node.js 22 and wasm-opt, both as npm packages: Debian 12 has Node.js 18 and a wasm-opt that is too old for Rust's modules.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::proc;
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

/// Where wasm-opt's package lies.
fn wasm_opt(workspace: &Workspace) -> PathBuf {
    workspace.cache.join("binaryen")
}

/// Whether Node.js 22 is there at its version.
pub fn has_node(workspace: &Workspace) -> bool {
    is_installed(NODE, &workspace.cache.join("node22"))
}

/// Installs it.
///
/// # Errors
/// When npm fails.
pub fn install_node(workspace: &Workspace) -> Result<()> {
    install(workspace, NODE, &workspace.cache.join("node22"))
}

/// Whether wasm-opt is there at its version.
pub fn has_wasm_opt(workspace: &Workspace) -> bool {
    is_installed(WASM_OPT, &wasm_opt(workspace))
}

/// Installs it.
///
/// # Errors
/// When npm fails.
pub fn install_wasm_opt(workspace: &Workspace) -> Result<()> {
    install(workspace, WASM_OPT, &wasm_opt(workspace))
}

/// Remembers in a package's folder which version it is.
const MARKER: &str = "installed";

fn is_installed(package: &str, place: &Path) -> bool {
    fs::read_to_string(place.join(MARKER)).is_ok_and(|version| version == package)
}

/// Installs one package into a folder, whole or not at all.
fn install(workspace: &Workspace, package: &str, place: &Path) -> Result<()> {
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
    let marker = partial.join(MARKER);
    fs::write(&marker, package).map_err(|error| Failure::file("write", &marker, &error))?;
    folder::put_in_place(&partial, place)
}
