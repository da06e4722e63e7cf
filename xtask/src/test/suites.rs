//! The suites in the order in which they run: what is quick to fail comes before what is slow to build.
//!
//! The server carries the page inside, so whatever runs the server builds the page first; that costs nothing when it is fresh. What only
//! reads its sources does not.

use std::process::Command;

use crate::environment::{self, Profile};
use crate::failure::Result;
use crate::page;
use crate::proc::{self, say};
use crate::setup::{self, Need};
use crate::workspace::Workspace;

use super::{layering, wording};

/// One named part of the test suite.
pub struct Suite {
    /// What `cargo xtask test <name>` takes, and the key of its budget.
    pub name: &'static str,
    /// What the set-up must provide for it.
    pub needs: &'static [&'static [Need]],
    /// Runs it.
    pub run: fn(&Workspace) -> Result<()>,
}

/// All suites.
pub const SUITES: [Suite; 17] = [
    Suite {
        name: "fmt",
        needs: &[LINTERS],
        run: fmt,
    },
    Suite {
        name: "wording",
        needs: &[],
        run: wording::run,
    },
    Suite {
        name: "layering",
        needs: &[&[Need::WasmTarget]],
        run: layering::run,
    },
    Suite {
        name: "page",
        needs: &[&page::NEEDS],
        run: page::build,
    },
    Suite {
        name: "loader",
        needs: &[&[Need::Loader]],
        run: loader,
    },
    Suite {
        name: "sdk",
        needs: &[SDK],
        run: sdk,
    },
    Suite {
        name: "clippy",
        needs: &[LINTERS, SERVER, &[Need::WasmTarget]],
        run: clippy,
    },
    Suite {
        name: "rustdoc",
        needs: &[SERVER],
        run: rustdoc,
    },
    Suite {
        name: "deny",
        needs: &[&[Need::Deny]],
        run: deny,
    },
    Suite {
        name: "build",
        needs: &[SERVER, &page::NEEDS],
        run: build,
    },
    Suite {
        name: "unit",
        needs: &[SERVER, &page::NEEDS],
        run: unit,
    },
    Suite {
        name: "fuzz",
        needs: &[SERVER, &page::NEEDS],
        run: fuzz,
    },
    Suite {
        name: "simulate",
        needs: &[SERVER, &page::NEEDS],
        run: simulate,
    },
    Suite {
        name: "integration",
        needs: &[SERVER, &page::NEEDS, NODE, GUIDES, SDK],
        run: integration,
    },
    Suite {
        name: "debian-node",
        needs: &[SERVER, &page::NEEDS, &[Need::MovableClock]],
        run: debian_node,
    },
    Suite {
        name: "faults",
        needs: FAULTS,
        run: |workspace| faults(workspace, &[]),
    },
    Suite {
        name: "browser",
        needs: &[SERVER, &page::NEEDS, NODE, BROWSER],
        run: browser,
    },
];

const LINTERS: &[Need] = &[Need::RustComponents];
const SERVER: &[Need] = &[Need::Compiler];
const NODE: &[Need] = &[Need::Bitcoind, Need::MovableClock, Need::Proxies, Need::Monitoring];
const GUIDES: &[Need] = &[Need::ShellClient, Need::GuideLanguages, Need::PythonClients];
const SDK: &[Need] = &[Need::Sdk];
const BROWSER: &[Need] = &[Need::Browser];

fn fmt(workspace: &Workspace) -> Result<()> {
    cargo(workspace, "fmt --all --check")
}

fn clippy(workspace: &Workspace) -> Result<()> {
    let server = cargo(
        workspace,
        "clippy --locked --workspace --all-targets --keep-going -- -D warnings",
    );
    // What runs in the browser is compiled for nothing else, so the first pass did not see it.
    let package = "-p bitpro-checkout-app --features hydrate --target wasm32-unknown-unknown";
    let browser = cargo(workspace, &format!("clippy --locked {package} -- -D warnings"));
    server.and(browser)
}

fn rustdoc(workspace: &Workspace) -> Result<()> {
    let mut doc = cargo_command(
        workspace,
        "doc --locked --workspace --no-deps --document-private-items --keep-going",
    );
    proc::run_shown(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

fn deny(workspace: &Workspace) -> Result<()> {
    cargo(workspace, "deny --locked check licenses bans sources")?;
    // Without the network the fetch may hang for long: a minute is plenty where the database can be reached.
    let mut fetch = proc::command(workspace, "timeout");
    if proc::read(fetch.args(["60", "cargo", "deny", "fetch", "db"])).is_err() {
        say("advisories: database not reachable, skipped");
        return Ok(());
    }
    cargo(workspace, "deny --locked --offline check advisories")
}

fn loader(workspace: &Workspace) -> Result<()> {
    page::build_loader(workspace)?;
    types(workspace, "widget")?;
    node(
        workspace,
        "widget",
        &["--test", "--test-reporter=spec", "test/*.test.mjs"],
    )
}

/// Each SDK by its own language's runner; what they agree on is `sdk/vectors/`.
fn sdk(workspace: &Workspace) -> Result<()> {
    types(workspace, TYPESCRIPT)?;
    compile_sdk(workspace)?;
    node(
        workspace,
        TYPESCRIPT,
        &["--test", "--test-reporter=spec", "test/*.test.ts"],
    )?;
    let mut python = proc::command(workspace, "python3");
    python
        .args(["-B", "-m", "unittest", "discover", "--quiet", "-t", ".", "-s", "tests"])
        .env("PYTHONPATH", "src")
        .current_dir(workspace.root.join("sdk/python"));
    proc::run_shown(&mut python)?;
    let mut php = proc::command(workspace, "php");
    php.arg("tests/run.php").current_dir(workspace.root.join("sdk/php"));
    proc::run_shown(&mut php)
}

const TYPESCRIPT: &str = "sdk/typescript";

/// What the package in TypeScript ships, which its examples import.
fn compile_sdk(workspace: &Workspace) -> Result<()> {
    let compiler = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"];
    node(workspace, TYPESCRIPT, &compiler)
}

/// Compiles everything that the next suites run, so that their times tell how long the tests take.
fn build(workspace: &Workspace) -> Result<()> {
    page::build(workspace)?;
    cargo(workspace, "test --locked --workspace --no-run")?;
    programs(workspace)
}

/// The server and the demo: cargo does not build programs of a package whose tests do not ask for them.
fn programs(workspace: &Workspace) -> Result<()> {
    page::build(workspace)?;
    cargo(workspace, "build --locked --workspace --bins")
}

fn unit(workspace: &Workspace) -> Result<()> {
    page::build(workspace)?;
    let tests = cargo(workspace, "test --locked --workspace --no-fail-fast --lib --bins");
    let examples = cargo(workspace, "test --locked --workspace --no-fail-fast --doc");
    tests.and(examples)
}

/// The corpora and the same changes of them in every run, by the unit tests that `build` has compiled. `cargo xtask fuzz` looks for what
/// nobody has found yet.
fn fuzz(workspace: &Workspace) -> Result<()> {
    page::build(workspace)?;
    let mut test = cargo_command(workspace, "test --locked --workspace --lib -- fuzz::tests::");
    proc::run_shown(test.env("BITPRO_FUZZ_INPUTS", FUZZED_INPUTS))
}

/// Changes of its corpus that each target takes in the suite.
const FUZZED_INPUTS: &str = "2000";

/// Always the same histories, as the tests have built the program: what is found here is a regression. `cargo xtask simulate` looks for
/// what nobody has found yet, with a faster build.
fn simulate(workspace: &Workspace) -> Result<()> {
    programs(workspace)?;
    let program = Profile::Dev.program(workspace, "simulate");
    let mut histories = proc::command(workspace, program);
    proc::run_shown(histories.args(["--first", "1", "--seconds", "20"]))
}

fn integration(workspace: &Workspace) -> Result<()> {
    programs(workspace)?;
    compile_sdk(workspace)?;
    // The domain's laws, and the server on real nodes. The faults, which `*` would take along, are a suite of their own.
    let mut test = cargo_command(workspace, "test --locked --no-fail-fast -p bitpro-tests --test it");
    environment::tell(&mut test, workspace, Profile::Dev)?;
    let laws = cargo(workspace, "test --locked --no-fail-fast -p bitpro-charge --test *");
    proc::run_shown(&mut test).and(laws)
}

/// A part of the integration suite on the node that the demo fetches: another program than Bitcoin Core, with other defaults.
fn debian_node(workspace: &Workspace) -> Result<()> {
    if let Err(failure) = setup::debian_node(workspace) {
        say(&format!(
            "debian-node: this machine cannot have that node, skipped: {failure}"
        ));
        return Ok(());
    }
    programs(workspace)?;
    let mut test = cargo_command(
        workspace,
        "test --locked --no-fail-fast -p bitpro-tests --test it -- pay:: replace:: reorg:: node::mempool::",
    );
    environment::tell(&mut test, workspace, Profile::Dev)?;
    proc::run_shown(test.env("BITCOIND", setup::debian_bitcoind(workspace)))
}

/// Runs the fault suite with `arguments`, as tests/faults/arguments.rs reads them.
pub fn faults(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    programs(workspace)?;
    let mut test = cargo_command(workspace, "test --locked -p bitpro-tests --test faults --");
    environment::tell(&mut test, workspace, Profile::Dev)?;
    proc::run_shown(test.args(arguments))
}

/// What the fault suite needs.
pub const FAULTS: &[&[Need]] = &[SERVER, &page::NEEDS, NODE];

fn browser(workspace: &Workspace) -> Result<()> {
    programs(workspace)?;
    types(workspace, "tests/browser")?;
    let mut playwright = proc::command(workspace, setup::node(workspace));
    playwright
        .args(["node_modules/@playwright/test/cli.js", "test"])
        .current_dir(workspace.root.join("tests/browser"));
    environment::tell(&mut playwright, workspace, Profile::Dev)?;
    proc::run_shown(&mut playwright)
}

/// Checks the types of a folder of JavaScript or TypeScript.
fn types(workspace: &Workspace, folder: &str) -> Result<()> {
    node(
        workspace,
        folder,
        &["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"],
    )
}

fn node(workspace: &Workspace, folder: &str, arguments: &[&str]) -> Result<()> {
    let mut node = proc::command(workspace, setup::node(workspace));
    proc::run_shown(node.args(arguments).current_dir(workspace.root.join(folder)))
}

fn cargo(workspace: &Workspace, arguments: &str) -> Result<()> {
    proc::run_shown(&mut cargo_command(workspace, arguments))
}

/// Cargo with arguments written as a person would type them; none of ours holds a space.
fn cargo_command(workspace: &Workspace, arguments: &str) -> Command {
    let mut command = proc::command(workspace, "cargo");
    command.args(arguments.split_whitespace());
    command
}
