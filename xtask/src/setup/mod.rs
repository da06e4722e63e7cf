//! Set-up: installs what is missing, says what it does, and does nothing the second time.

mod apt;
mod bitcoind;
mod caddy;
mod cargo_tools;
mod debian_node;
mod folder;
mod node22;
mod npm;
mod python;
mod rust;

use std::fs::File;

use crate::failure::{Failure, Result};
use crate::proc::say;
use crate::workspace::Workspace;

use cargo_tools::Tool;

pub use bitcoind::{locate as bitcoind, locate_quickest as quickest_bitcoind};
pub use caddy::caddy;
pub use debian_node::{ensure as debian_node, mirror, program as debian_bitcoind};
pub use folder::{fresh as fresh_folder, remove as remove_folder};
pub use node22::node;
pub use python::python;

/// Something that a command cannot work without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A C and C++ compiler: SQLite and secp256k1 are C.
    Compiler,
    /// rustfmt and clippy.
    RustComponents,
    /// The target wasm32-unknown-unknown.
    WasmTarget,
    /// Trunk, wasm-bindgen and wasm-opt.
    PageTools,
    /// Node.js 22 and the loader's npm packages.
    Loader,
    Deny,
    Mutants,
    /// A bitcoind: the machine's own or Bitcoin Core, built here.
    Bitcoind,
    /// Whatever bitcoind is there or quickest to get.
    AnyBitcoind,
    /// Chromium, fonts, Node.js 22 and the browser tests' npm packages.
    Browser,
    /// What moves the wall clock of the server under test.
    MovableClock,
    /// The HTTP load generator of the figures.
    LoadGenerator,
    /// Two reverse proxies: nginx and Caddy.
    Proxies,
    /// The programs that the API reference's shell client uses.
    ShellClient,
    /// The languages of the guides' programs.
    GuideLanguages,
    /// The languages of the SDKs, and the npm packages that check the one in TypeScript.
    Sdk,
    /// Published Python packages that speak our protocols.
    PythonClients,
    /// What lists the components of a release.
    Sbom,
    /// What makes a clean Debian in a folder.
    CleanRoot,
    /// What builds images of containers.
    Containers,
}

impl Need {
    /// All but [`Need::Mutants`] and what makes a release, which only their own commands want, and [`Need::AnyBitcoind`], which [`Need::Bitcoind`] covers.
    pub const ALL: [Self; 15] = [
        Self::Compiler,
        Self::RustComponents,
        Self::WasmTarget,
        Self::PageTools,
        Self::Loader,
        Self::Deny,
        Self::Bitcoind,
        Self::Browser,
        Self::MovableClock,
        Self::LoadGenerator,
        Self::Proxies,
        Self::ShellClient,
        Self::GuideLanguages,
        Self::Sdk,
        Self::PythonClients,
    ];
}

/// Makes sure that everything in `needs` is there. Tells whether anything had to be installed.
///
/// # Errors
/// When an installation fails, or Debian packages are missing and this is not root.
pub fn ensure(workspace: &Workspace, needs: &[Need]) -> Result<bool> {
    let _lock = lock(workspace)?;
    let needs = |need: Need| needs.contains(&need);
    let node_source = if needs(Need::Bitcoind) {
        Some(bitcoind::Source::find(workspace)?)
    } else if needs(Need::AnyBitcoind) {
        Some(bitcoind::Source::quickest(workspace)?)
    } else {
        None
    };

    let mut packages: Vec<&str> = Vec::new();
    if needs(Need::Compiler) {
        packages.extend(apt::COMPILER);
    }
    if node_source.as_ref().is_some_and(bitcoind::Source::is_ours) {
        packages.extend(apt::BITCOIND);
    }
    if needs(Need::Browser) {
        packages.extend(apt::BROWSER);
    }
    if needs(Need::MovableClock) {
        packages.extend(apt::MOVABLE_CLOCK);
    }
    if needs(Need::LoadGenerator) {
        packages.extend(apt::LOAD_GENERATOR);
    }
    if needs(Need::Proxies) {
        packages.extend(apt::PROXY);
    }
    if needs(Need::ShellClient) {
        packages.extend(apt::SHELL_CLIENT);
    }
    if needs(Need::GuideLanguages) {
        packages.extend(apt::GUIDE_LANGUAGES);
    }
    if needs(Need::Sdk) {
        packages.extend(apt::SDK);
    }
    if needs(Need::PythonClients) {
        packages.extend(python::DEBIAN);
    }
    if needs(Need::CleanRoot) {
        packages.extend(apt::CLEAN_ROOT);
    }
    if needs(Need::Containers) {
        packages.extend(apt::CONTAINERS);
    }
    let needs_node = [Need::PageTools, Need::Loader, Need::Browser, Need::Sdk]
        .into_iter()
        .any(needs);
    if needs_node {
        packages.extend(node22::packages());
    }
    let mut changed = apt::ensure(workspace, &packages)?;

    if needs(Need::RustComponents) {
        changed |= rust::ensure_components(workspace)?;
    }
    if needs(Need::WasmTarget) {
        changed |= rust::ensure_wasm_target(workspace)?;
    }
    if needs_node {
        changed |= node22::ensure_node(workspace)?;
    }
    if needs(Need::PageTools) {
        changed |= node22::ensure_wasm_opt(workspace)?;
    }
    if needs(Need::Loader) {
        changed |= npm::ensure(workspace, "widget")?;
    }
    if needs(Need::Browser) {
        changed |= npm::ensure(workspace, "tests/browser")?;
    }
    if needs(Need::Sdk) {
        changed |= npm::ensure(workspace, "sdk/typescript")?;
    }
    if needs(Need::Proxies) {
        changed |= caddy::ensure(workspace)?;
    }
    if needs(Need::PythonClients) {
        changed |= python::ensure(workspace)?;
    }
    let mut tools: Vec<&Tool> = Vec::new();
    if needs(Need::PageTools) {
        tools.extend(cargo_tools::PAGE.iter());
    }
    if needs(Need::Deny) {
        tools.push(&cargo_tools::DENY);
    }
    if needs(Need::Mutants) {
        tools.push(&cargo_tools::MUTANTS);
    }
    if needs(Need::Sbom) {
        tools.push(&cargo_tools::SBOM);
    }
    changed |= cargo_tools::ensure(workspace, &tools)?;
    if let Some(source) = node_source {
        changed |= bitcoind::ensure(workspace, &source)?;
    }
    Ok(changed)
}

/// The tools that shape what the browser gets, with their versions: a new one means a new build.
pub fn page_tools() -> Vec<String> {
    let mut tools: Vec<String> = cargo_tools::PAGE.iter().map(ToString::to_string).collect();
    tools.extend([node22::NODE.to_owned(), node22::WASM_OPT.to_owned()]);
    tools
}

/// Two set-ups at once would install into the same folders: the second waits.
fn lock(workspace: &Workspace) -> Result<File> {
    let path = workspace.cache.join("setup.lock");
    let file = File::create(&path).map_err(|error| Failure::file("create", &path, &error))?;
    if file.try_lock().is_err() {
        say("another set-up is at work here, waiting for it");
        file.lock().map_err(|error| Failure::file("lock", &path, &error))?;
    }
    Ok(file)
}
