//! What rustup adds to the toolchain: the browser's target, the formatter and the linter.

use std::path::PathBuf;

use crate::failure::Result;
use crate::proc;
use crate::workspace::Workspace;

/// Whether the target wasm32-unknown-unknown is there.
///
/// # Errors
/// When rustc cannot be run.
pub fn has_wasm_target(workspace: &Workspace) -> Result<bool> {
    let library = sysroot(workspace)?.join("lib/rustlib/wasm32-unknown-unknown/lib");
    Ok(library.is_dir())
}

/// Adds it.
///
/// # Errors
/// When rustup cannot be run, or the download fails.
pub fn add_wasm_target(workspace: &Workspace) -> Result<()> {
    let mut add = proc::command(workspace, "rustup");
    proc::run_long(
        workspace,
        add.args(["target", "add", "wasm32-unknown-unknown"]),
        "rustup-target",
    )
}

/// Whether rustfmt and clippy are there.
///
/// # Errors
/// When rustc cannot be run.
pub fn has_components(workspace: &Workspace) -> Result<bool> {
    let programs = sysroot(workspace)?.join("bin");
    Ok(["rustfmt", "cargo-clippy"]
        .iter()
        .all(|program| programs.join(program).is_file()))
}

/// Adds them.
///
/// # Errors
/// As [`add_wasm_target`].
pub fn add_components(workspace: &Workspace) -> Result<()> {
    let mut add = proc::command(workspace, "rustup");
    proc::run_long(
        workspace,
        add.args(["component", "add", "rustfmt", "clippy"]),
        "rustup-component",
    )
}

fn sysroot(workspace: &Workspace) -> Result<PathBuf> {
    let answer = proc::read(proc::command(workspace, "rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(answer.trim()))
}
