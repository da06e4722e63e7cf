//! The simulation: built in its own profile, then it takes over.

use std::convert::Infallible;

use crate::environment::Profile;
use crate::failure::Result;
use crate::page;
use crate::proc::{self, say};
use crate::setup::{self, Need};
use crate::workspace::Workspace;

/// Sets up, builds, and becomes the simulation. Returns only with a failure.
///
/// # Errors
/// When the set-up, the build or the start fails.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<Infallible> {
    let mut needs = vec![Need::Compiler];
    needs.extend(page::NEEDS);
    setup::ensure(workspace, &needs)?;
    page::build(workspace)?;
    say("building the simulation");
    proc::run(proc::command(workspace, "cargo").args(BUILD))?;
    let program = Profile::Simulation.program(workspace, "simulate");
    Err(proc::become_program(proc::command(workspace, program).args(arguments)))
}

/// How the simulation is built.
const BUILD: [&str; 8] = [
    "build",
    "--locked",
    "--profile",
    "simulation",
    "-p",
    "bitpro-tests",
    "--bin",
    "simulate",
];
