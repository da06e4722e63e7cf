//! What the browser gets: the payment page by Trunk into dist/, the loader by its own script into widget/dist/.

use std::process::Command;

use crate::failure::Result;
use crate::proc::{self, say};
use crate::remap;
use crate::setup::{self, Need};
use crate::stamp::{Fingerprint, Stamp};
use crate::stopwatch::Stopwatch;
use crate::work::Work;
use crate::workspace::Workspace;

/// What both builds need.
pub const NEEDS: [Need; 3] = [Need::WasmTarget, Need::PageTools, Need::Loader];

/// Sets up and builds both, each only when something changed.
///
/// # Errors
/// When the set-up or a build fails.
pub fn ensure(workspace: &Workspace) -> Result<()> {
    setup::ensure(workspace, &NEEDS)?;
    build(workspace)?;
    say("the page in dist/ and the loader in widget/dist/ are up to date");
    Ok(())
}

/// Builds both with the tools that are there; says nothing when nothing changed.
///
/// # Errors
/// When a build fails.
pub fn build(workspace: &Workspace) -> Result<()> {
    PAGE.build(workspace)?;
    LOADER.build(workspace)
}

/// Builds the loader alone.
///
/// # Errors
/// When the build fails.
pub fn build_loader(workspace: &Workspace) -> Result<()> {
    LOADER.build(workspace)
}

/// Adds to `work` what is stale of both.
///
/// # Errors
/// When the sources cannot be read.
pub fn plan<'w>(workspace: &'w Workspace, work: &mut Work<'w>) -> Result<()> {
    for (bundle, seconds) in [(&PAGE, 85), (&LOADER, 1)] {
        if !bundle.stamp(workspace)?.is_fresh()? {
            work.add(bundle.what, seconds, move || bundle.build(workspace));
        }
    }
    Ok(())
}

/// Throws away what is stale of both: a server with a script that does not fit its page is worse than one without.
///
/// # Errors
/// When it cannot be removed.
pub fn forget_stale(workspace: &Workspace) -> Result<()> {
    for bundle in [&PAGE, &LOADER] {
        if !bundle.stamp(workspace)?.is_fresh()? {
            setup::remove_folder(&workspace.root.join(bundle.output))?;
        }
    }
    Ok(())
}

/// A folder of files for the browser, made from sources by commands.
struct Bundle {
    what: &'static str,
    /// Names its stamp.
    name: &'static str,
    /// Files and folders; a change in any of them makes it stale.
    inputs: &'static [&'static str],
    output: &'static str,
    commands: fn(&Workspace) -> Result<Vec<Command>>,
}

const PAGE: Bundle = Bundle {
    what: "the payment page",
    name: "page",
    inputs: &[
        "checkout-app",
        "charge",
        "static",
        "Cargo.toml",
        "Cargo.lock",
        "Trunk.toml",
        // Its terser shortens the page's script, too.
        "widget/package-lock.json",
    ],
    output: "dist",
    commands: |workspace| {
        // Trunk runs cargo offline as it does everything offline, so what cargo needs must be there before.
        let mut crates = proc::command(workspace, "cargo");
        crates.args(["fetch", "--target", "wasm32-unknown-unknown", "--quiet"]);
        // What the flags below name must be unpacked before they are written down.
        proc::run(&mut crates)?;
        let mut page = proc::command(workspace, "trunk");
        page.args(["build", "--skip-version-check", "--config", "Trunk.toml"])
            // A colour setting of the caller that Trunk does not know would stop it.
            .env_remove("NO_COLOR")
            .env("RUST_BACKTRACE", "0")
            .env("CARGO_ENCODED_RUSTFLAGS", remap::rustflags(workspace)?);
        Ok(vec![page])
    },
};

const LOADER: Bundle = Bundle {
    what: "the loader",
    name: "loader",
    inputs: &["widget"],
    output: "widget/dist",
    commands: |workspace| {
        let mut loader = proc::command(workspace, setup::node(workspace));
        loader.arg("build.mjs").current_dir(workspace.root.join("widget"));
        Ok(vec![loader])
    },
};

impl Bundle {
    fn build(&self, workspace: &Workspace) -> Result<()> {
        let stamp = self.stamp(workspace)?;
        if stamp.is_fresh()? {
            return Ok(());
        }
        let stopwatch = Stopwatch::start();
        for mut command in (self.commands)(workspace)? {
            proc::run_long(workspace, &mut command, self.name)?;
        }
        stamp.write()?;
        say(&format!("built {} into {}/ in {stopwatch}", self.what, self.output));
        Ok(())
    }

    fn stamp(&self, workspace: &Workspace) -> Result<Stamp> {
        let mut words = setup::page_tools();
        words.push("folders are renamed".to_owned());
        let mut fingerprint = Fingerprint::new(&words);
        for input in self.inputs {
            fingerprint.add(&workspace.root.join(input))?;
        }
        let file = workspace
            .target
            .join("stamps")
            .join(format!("{}-{}", self.name, workspace.id()));
        Ok(Stamp::new(file, &fingerprint, workspace.root.join(self.output)))
    }
}
