//! What rustup adds to the toolchain: the browser's target, the formatter and the linter.

use std::path::PathBuf;

use crate::failure::Result;
use crate::proc::{self, say};
use crate::workspace::Workspace;

/// Adds the target wasm32-unknown-unknown if it is missing. Tells whether it was.
///
/// # Errors
/// When rustc or rustup cannot be run, or the download fails.
pub fn ensure_wasm_target(workspace: &Workspace) -> Result<bool> {
    if sysroot(workspace)?
        .join("lib/rustlib/wasm32-unknown-unknown/lib")
        .is_dir()
    {
        return Ok(false);
    }
    say("adding the Rust target wasm32-unknown-unknown");
    let mut add = proc::command(workspace, "rustup");
    proc::run_long(
        workspace,
        add.args(["target", "add", "wasm32-unknown-unknown"]),
        "rustup-target",
    )?;
    Ok(true)
}

/// Adds rustfmt and clippy if one is missing. Tells whether it was so.
///
/// # Errors
/// As [`ensure_wasm_target`].
pub fn ensure_components(workspace: &Workspace) -> Result<bool> {
    let programs = sysroot(workspace)?.join("bin");
    if ["rustfmt", "cargo-clippy"]
        .iter()
        .all(|program| programs.join(program).is_file())
    {
        return Ok(false);
    }
    say("adding rustfmt and clippy");
    let mut add = proc::command(workspace, "rustup");
    proc::run_long(
        workspace,
        add.args(["component", "add", "rustfmt", "clippy"]),
        "rustup-component",
    )?;
    Ok(true)
}

fn sysroot(workspace: &Workspace) -> Result<PathBuf> {
    let answer = proc::read(proc::command(workspace, "rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(answer.trim()))
}
