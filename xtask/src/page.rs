//! What the browser gets: the payment page by Trunk into dist/, the loader by its own script into widget/dist/.

use std::process::Command;

use crate::failure::Result;
use crate::proc::{self, say};
use crate::setup::{self, Need};
use crate::stamp::{Fingerprint, Stamp};
use crate::stopwatch::Stopwatch;
use crate::workspace::Workspace;

/// What both builds need.
pub const NEEDS: [Need; 3] = [Need::WasmTarget, Need::PageTools, Need::Loader];

/// What the page is made of; a change in any of these rebuilds it.
const PAGE_INPUTS: [&str; 6] = [
    "checkout-app",
    "charge",
    "static",
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
];

/// Sets up and builds both, each only when something changed.
///
/// # Errors
/// When the set-up or a build fails.
pub fn ensure(workspace: &Workspace) -> Result<()> {
    setup::ensure(workspace, &NEEDS)?;
    build(workspace)
}

/// Builds both with the tools that are there.
///
/// # Errors
/// When a build fails.
pub fn build(workspace: &Workspace) -> Result<()> {
    // Trunk runs cargo offline as it does everything offline, so what cargo needs must be there before.
    let mut crates = proc::command(workspace, "cargo");
    crates.args(["fetch", "--target", "wasm32-unknown-unknown", "--quiet"]);
    let mut page = proc::command(workspace, "trunk");
    page.args(["build", "--skip-version-check", "--config", "Trunk.toml"])
        // A colour setting of the caller that Trunk does not know would stop it.
        .env_remove("NO_COLOR")
        .env("RUST_BACKTRACE", "0");
    build_one(
        workspace,
        "the payment page",
        "page",
        &PAGE_INPUTS,
        "dist",
        &mut [crates, page],
    )?;

    if !workspace.root.join("widget").is_dir() {
        return Ok(());
    }
    let mut loader = proc::command(workspace, setup::node(workspace));
    loader.arg("build.mjs").current_dir(workspace.root.join("widget"));
    build_one(
        workspace,
        "the loader",
        "loader",
        &["widget"],
        "widget/dist",
        &mut [loader],
    )
}

fn build_one(
    workspace: &Workspace,
    what: &str,
    name: &str,
    inputs: &[&str],
    output: &str,
    commands: &mut [Command],
) -> Result<()> {
    let mut fingerprint = Fingerprint::new(&setup::page_tools());
    for input in inputs {
        fingerprint.add(&workspace.root.join(input))?;
    }
    let file = workspace
        .target
        .join("stamps")
        .join(format!("{name}-{}", workspace.id()));
    let stamp = Stamp::new(file, &fingerprint, workspace.root.join(output));
    if stamp.is_fresh()? {
        say(&format!("{what} is up to date in {output}/"));
        return Ok(());
    }
    say(&format!("building {what}"));
    let stopwatch = Stopwatch::start();
    for command in commands {
        proc::run(command)?;
    }
    stamp.write()?;
    say(&format!("built {what} into {output}/ in {stopwatch}"));
    Ok(())
}
