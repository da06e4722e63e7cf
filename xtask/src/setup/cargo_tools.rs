//! Tools that cargo builds, each at one pinned version, in a folder of their own.

use std::fmt;
use std::path::PathBuf;

use crate::failure::Result;
use crate::proc;
use crate::workspace::Workspace;

use super::folder;

/// A program published as a Rust crate.
#[derive(Debug)]
pub struct Tool {
    package: &'static str,
    program: &'static str,
    version: &'static str,
    /// How long its build takes on two idle cores.
    pub seconds: u32,
    /// Whether it builds with the lock file it was published with.
    locked: bool,
}

impl fmt::Display for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.package, self.version)
    }
}

/// What builds the page. wasm-bindgen must be the version in Cargo.lock; its own lock file names a version that is gone.
pub const PAGE: [Tool; 2] = [
    Tool {
        package: "trunk",
        program: "trunk",
        version: "0.21.14",
        seconds: 216,
        locked: true,
    },
    Tool {
        package: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        version: "0.2.130",
        seconds: 90,
        locked: false,
    },
];
/// Checks licences, bans, sources and advisories of dependencies.
pub const DENY: Tool = Tool {
    package: "cargo-deny",
    program: "cargo-deny",
    version: "0.20.2",
    seconds: 78,
    locked: true,
};
/// Lists what a release holds.
pub const SBOM: Tool = Tool {
    package: "cargo-cyclonedx",
    program: "cargo-cyclonedx",
    version: "0.5.9",
    seconds: 100,
    locked: true,
};
/// Mutation testing, by hand only.
pub const MUTANTS: Tool = Tool {
    package: "cargo-mutants",
    program: "cargo-mutants",
    version: "27.1.0",
    seconds: 120,
    locked: true,
};

/// Builds a tool.
///
/// # Errors
/// When the build fails.
pub fn build(workspace: &Workspace, tool: &Tool) -> Result<()> {
    let mut install = proc::command(workspace, "cargo");
    install
        .current_dir(&workspace.cache)
        .args(["install", tool.package, "--version", tool.version, "--force", "--root"])
        .arg(workspace.tools())
        // These run for seconds: building them fast matters more than their own speed.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_TARGET_DIR", results(workspace));
    if tool.locked {
        install.arg("--locked");
    }
    proc::run_long(workspace, &mut install, tool.package)
}

/// Throws away what the builds of tools left, once none is built any more: they share most of it.
///
/// # Errors
/// When it cannot be removed.
pub fn tidy(workspace: &Workspace) -> Result<()> {
    folder::remove(&results(workspace))
}

fn results(workspace: &Workspace) -> PathBuf {
    workspace.cache.join("tools-target")
}

/// Whether a tool is there at its version.
pub fn is_installed(workspace: &Workspace, tool: &Tool) -> bool {
    // Most of cargo's subcommands tell their version when called by themselves; some only under the name that cargo calls them by.
    let subcommand = tool.program.strip_prefix("cargo-");
    [None, subcommand].into_iter().any(|name| {
        let mut ask = proc::command(workspace, workspace.tools().join("bin").join(tool.program));
        let answer = proc::read(ask.args(name).arg("--version"));
        answer.is_ok_and(|answer| answer.split_whitespace().nth(1) == Some(tool.version))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_page_tools_fit_the_lock_file_and_the_trunk_configuration() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask lies in the workspace");
        let read = |name: &str| fs::read_to_string(root.join(name)).expect("the file is part of the repository");
        let [trunk, wasm_bindgen] = PAGE;
        let locked = format!("name = \"wasm-bindgen\"\nversion = \"{}\"", wasm_bindgen.version);
        assert!(
            read("Cargo.lock").contains(&locked),
            "Cargo.lock names another wasm-bindgen"
        );
        let configuration = read("Trunk.toml");
        assert!(configuration.contains(&format!("wasm_bindgen = \"{}\"", wasm_bindgen.version)));
        assert!(configuration.contains(&format!("trunk-version = \"{}\"", trunk.version)));
    }
}
