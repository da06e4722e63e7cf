//! Set-up: installs what is missing, says what it does, and does nothing the second time.

mod apt;
mod bitcoind;
mod cargo_tools;
mod debian_node;
mod folder;
mod node22;
mod npm;
mod python;
mod rust;
mod unpacked;

use std::fs::File;

use crate::failure::{Failure, Result};
use crate::proc::say;
use crate::work::Work;
use crate::workspace::Workspace;

use cargo_tools::Tool;

pub use bitcoind::{locate as bitcoind, locate_quickest as quickest_bitcoind};
pub use debian_node::{ensure as debian_node, mirror, program as debian_bitcoind};
pub use folder::{fresh as fresh_folder, remove as remove_folder};
pub use node22::node;
pub use python::python;
pub use unpacked::{CADDY, PROMTOOL};

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
    /// What checks the rules of alerts.
    Monitoring,
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
    pub const ALL: [Self; 16] = [
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
        Self::Monitoring,
        Self::ShellClient,
        Self::GuideLanguages,
        Self::Sdk,
        Self::PythonClients,
    ];
}

/// What runs by Node.js.
const NEED_NODE: [Need; 4] = [Need::PageTools, Need::Loader, Need::Browser, Need::Sdk];

/// Makes sure that everything in `needs` is there. Tells whether anything had to be installed.
///
/// # Errors
/// When an installation fails, or Debian packages are missing and this is not root.
pub fn ensure(workspace: &Workspace, needs: &[Need]) -> Result<bool> {
    let _lock = lock(workspace)?;
    let mut work = Work::default();
    plan(workspace, needs, &mut work)?;
    let changed = !work.is_empty();
    work.run()?;
    Ok(changed)
}

/// Adds to `work` what is missing of `needs`. Whoever does the work holds the [`lock`] from here on.
///
/// # Errors
/// When the machine cannot be asked for what it has.
pub fn plan<'w>(workspace: &'w Workspace, needs: &[Need], work: &mut Work<'w>) -> Result<()> {
    let needs = |need: Need| needs.contains(&need);
    let missing = apt::missing(workspace, &packages(workspace, &needs)?)?;
    if !missing.is_empty() {
        let seconds = 15 + 2 * u32::try_from(missing.len()).unwrap_or_default();
        work.add("Debian packages", seconds, move || apt::ensure(workspace, &missing));
    }
    if needs(Need::AnyBitcoind) && !needs(Need::Bitcoind) && !bitcoind::any_is_ready(workspace)? {
        work.add("a Bitcoin node", 15, move || bitcoind::get_quickly(workspace));
    }
    if needs(Need::RustComponents) && !rust::has_components(workspace)? {
        work.add("rustfmt and clippy", 5, move || rust::add_components(workspace));
    }
    if needs(Need::WasmTarget) && !rust::has_wasm_target(workspace)? {
        work.add("the Rust target wasm32", 5, move || rust::add_wasm_target(workspace));
    }
    plan_npm(workspace, &needs, work)?;
    for (need, unpacked) in [(Need::Proxies, CADDY), (Need::Monitoring, PROMTOOL)] {
        if needs(need) && !unpacked.program(workspace).is_file() {
            work.add(unpacked.name(), 5, move || unpacked.fetch(workspace));
        }
    }
    if needs(Need::PythonClients) && !python::is_ready(workspace) {
        work.add("Python packages", 20, move || python::install(workspace));
    }
    plan_tools(workspace, &needs, work);
    if needs(Need::Bitcoind) && !bitcoind::Source::find(workspace)?.is_ready(workspace)? {
        work.add("Bitcoin Core", 480, move || bitcoind::build(workspace));
    }
    Ok(())
}

/// The Debian packages behind the needs, missing or not.
fn packages(workspace: &Workspace, needs: &impl Fn(Need) -> bool) -> Result<Vec<&'static str>> {
    let mut packages: Vec<&str> = Vec::new();
    let by_need: [(Need, &[&str]); 11] = [
        (Need::Compiler, &apt::COMPILER),
        (Need::Browser, &apt::BROWSER),
        (Need::MovableClock, &apt::MOVABLE_CLOCK),
        (Need::LoadGenerator, &apt::LOAD_GENERATOR),
        (Need::Proxies, &apt::PROXY),
        (Need::ShellClient, &apt::SHELL_CLIENT),
        (Need::GuideLanguages, &apt::GUIDE_LANGUAGES),
        (Need::Sdk, &apt::SDK),
        (Need::PythonClients, &python::DEBIAN),
        (Need::CleanRoot, &apt::CLEAN_ROOT),
        (Need::Containers, &apt::CONTAINERS),
    ];
    for (_, more) in by_need.iter().filter(|(need, _)| needs(*need)) {
        packages.extend(*more);
    }
    if needs(Need::Bitcoind) && bitcoind::Source::find(workspace)?.is_ours() {
        packages.extend(apt::BITCOIND);
    }
    if NEED_NODE.into_iter().any(needs) {
        packages.extend(node22::packages());
    }
    packages.sort_unstable();
    packages.dedup();
    Ok(packages)
}

fn plan_npm<'w>(workspace: &'w Workspace, needs: &impl Fn(Need) -> bool, work: &mut Work<'w>) -> Result<()> {
    if NEED_NODE.into_iter().any(needs) && !node22::has_node(workspace) {
        work.add("Node.js 22", 8, move || node22::install_node(workspace));
    }
    if needs(Need::PageTools) && !node22::has_wasm_opt(workspace) {
        work.add("wasm-opt", 6, move || node22::install_wasm_opt(workspace));
    }
    let projects = [
        (Need::Loader, "widget"),
        (Need::Browser, "tests/browser"),
        (Need::Sdk, "sdk/typescript"),
    ];
    for (need, project) in projects {
        if needs(need) && !npm::is_ready(workspace, project)? {
            work.add(format!("npm packages of {project}"), 8, move || {
                npm::install(workspace, project)
            });
        }
    }
    Ok(())
}

fn plan_tools<'w>(workspace: &'w Workspace, needs: &impl Fn(Need) -> bool, work: &mut Work<'w>) {
    let mut tools: Vec<&'static Tool> = Vec::new();
    if needs(Need::PageTools) {
        tools.extend(cargo_tools::PAGE.iter());
    }
    let by_need = [
        (Need::Deny, &cargo_tools::DENY),
        (Need::Mutants, &cargo_tools::MUTANTS),
        (Need::Sbom, &cargo_tools::SBOM),
    ];
    tools.extend(by_need.iter().filter(|(need, _)| needs(*need)).map(|(_, tool)| *tool));
    tools.retain(|tool| !cargo_tools::is_installed(workspace, tool));
    let last = tools.len();
    for (index, tool) in tools.into_iter().enumerate() {
        work.add(tool.to_string(), tool.seconds, move || {
            cargo_tools::build(workspace, tool)?;
            if index + 1 == last {
                cargo_tools::tidy(workspace)
            } else {
                Ok(())
            }
        });
    }
}

/// The tools that shape what the browser gets, with their versions: a new one means a new build.
pub fn page_tools() -> Vec<String> {
    let mut tools: Vec<String> = cargo_tools::PAGE.iter().map(ToString::to_string).collect();
    tools.extend([node22::NODE.to_owned(), node22::WASM_OPT.to_owned()]);
    tools
}

/// Two set-ups at once would install into the same folders: the second waits.
///
/// # Errors
/// When the file cannot be made or locked.
pub fn lock(workspace: &Workspace) -> Result<File> {
    let path = workspace.cache.join("setup.lock");
    let file = File::create(&path).map_err(|error| Failure::file("create", &path, &error))?;
    if file.try_lock().is_err() {
        say("another set-up is at work here, waiting for it");
        file.lock().map_err(|error| Failure::file("lock", &path, &error))?;
    }
    Ok(file)
}
