//! The demo: a shop, a server and two nodes on this machine, left running until Ctrl-C.

use std::convert::Infallible;

use crate::environment::{self, Profile};
use crate::failure::Result;
use crate::page;
use crate::proc::{self, say};
use crate::setup::{self, Need};
use crate::workspace::Workspace;

/// Sets up, builds, and becomes the demo, so that signals reach it with nothing between. Returns only with a failure.
///
/// # Errors
/// When the set-up, a build or the start fails.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<Infallible> {
    let mut needs = vec![Need::Compiler, Need::AnyBitcoind];
    needs.extend(page::NEEDS);
    setup::ensure(workspace, &needs)?;
    page::build(workspace)?;
    say("building the server and the demo");
    let mut build = proc::command(workspace, "cargo");
    proc::run(build.args(["build", "--workspace", "--bins"]))?;

    let mut demo = proc::command(workspace, Profile::Dev.program(workspace, "demo"));
    environment::tell(&mut demo, workspace, Profile::Dev)?;
    demo.env("BITCOIND", setup::quickest_bitcoind(workspace)?);
    Err(proc::become_program(demo.args(arguments)))
}
