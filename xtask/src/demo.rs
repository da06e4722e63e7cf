//! The demo: a shop, a server and two nodes on this machine, left running until Ctrl-C.
//!
//! What it cannot be paid without comes first: a node, the server, the demo itself. The page works without its script, so the tools
//! that build that come behind, while the demo runs; see [`page_behind`].

use std::convert::Infallible;
use std::os::unix::process::parent_id;
use std::process::Command;
use std::time::Duration;
use std::{env, process, thread};

use crate::environment::{self, Profile};
use crate::failure::{Failure, Result};
use crate::page;
use crate::proc;
use crate::setup::{self, Need};
use crate::work::Work;
use crate::workspace::Workspace;

/// The command by which the demo has its page built behind it.
pub const PAGE_BEHIND: &str = "demo-page";

/// How often the build behind the demo looks whether there still is one.
const LOOK_FOR_THE_DEMO: Duration = Duration::from_secs(1);

/// What it takes to be paid.
const NEEDS: [Need; 2] = [Need::Compiler, Need::AnyBitcoind];

/// Sets up, builds, and becomes the demo, so that signals reach it with nothing between. Returns only with a failure.
///
/// # Errors
/// When the set-up, a build or the start fails.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<Infallible> {
    let behind = prepare(workspace)?;
    let mut demo = proc::command(workspace, Profile::Dev.program(workspace, "demo"));
    environment::tell(&mut demo, workspace, Profile::Dev)?;
    demo.env("BITCOIND", setup::quickest_bitcoind(workspace)?);
    if behind {
        let this = env::current_exe().map_err(|error| Failure::new(format!("cannot find this program: {error}")))?;
        demo.arg("--page-by")
            .arg(this)
            .env("CARGO_MANIFEST_DIR", workspace.root.join("xtask"));
    }
    Err(proc::become_program(demo.args(arguments)))
}

/// Does what it takes to be paid. Tells whether the page's script is to be built behind the demo.
fn prepare(workspace: &Workspace) -> Result<bool> {
    let _lock = setup::lock(workspace)?;
    let mut tools = Work::default();
    setup::plan(workspace, &page::NEEDS, &mut tools)?;
    let behind = !tools.is_empty();

    let mut work = Work::default();
    setup::plan(workspace, &NEEDS, &mut work)?;
    if behind {
        page::forget_stale(workspace)?;
    } else {
        // With all tools there, the page takes a minute at most: then it is quicker to have it from the start.
        page::plan(workspace, &mut work)?;
    }
    plan_programs(workspace, &mut work);
    work.run()?;
    Ok(behind)
}

/// Builds the page while the demo runs, and the programs again with the page inside.
///
/// # Errors
/// When the set-up or a build fails.
pub fn page_behind(workspace: &Workspace) -> Result<()> {
    end_with_the_demo();
    let _lock = setup::lock(workspace)?;
    let mut work = Work::default();
    setup::plan(workspace, &page::NEEDS, &mut work)?;
    work.add("the payment page and the loader", 90, move || page::build(workspace));
    work.add("the server with them", 40, move || build_programs(workspace));
    work.run()
}

/// The demo ends the group of this process when it is stopped. One that was killed cannot, and a build for nobody would go on for
/// minutes.
fn end_with_the_demo() {
    let demo = parent_id();
    thread::spawn(move || {
        while parent_id() == demo {
            thread::sleep(LOOK_FOR_THE_DEMO);
        }
        let group = format!("-{}", process::id());
        // The group holds this process too, so there is nobody left to tell of a failure.
        let _ = Command::new("sh")
            .args(["-c", "kill -s TERM -- \"$1\"", "sh", &group])
            .status();
        process::exit(1);
    });
}

fn plan_programs<'w>(workspace: &'w Workspace, work: &mut Work<'w>) {
    let is_new = ["bitpro", "demo"]
        .iter()
        .any(|name| !Profile::Dev.program(workspace, name).is_file());
    let seconds = if is_new { 300 } else { 5 };
    work.add("the server and the demo", seconds, move || build_programs(workspace));
}

/// These two and nothing else: the figures, the simulation and the fuzzing are programs of the same workspace.
fn build_programs(workspace: &Workspace) -> Result<()> {
    let mut build = proc::command(workspace, "cargo");
    build.args(["build", "--locked", "-p", "bitpro-server", "-p", "bitpro-tests"]);
    build.args(["--bin", "bitpro", "--bin", "demo"]);
    proc::run_long(workspace, &mut build, "demo-build")
}
