//! The simulation: built in its own profile, then it takes over; or built with known defects put back, one by one.

mod defects;
mod sources;

use std::process::ExitCode;

use crate::environment::Profile;
use crate::failure::Result;
use crate::page;
use crate::proc::{self, say};
use crate::setup::{self, Need};
use crate::workspace::Workspace;

/// Sets up and builds; then this process becomes the simulation, or, with `--mutations`, proves that the simulation finds what it
/// should.
///
/// # Errors
/// When the set-up, a build or a start fails.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let mut needs = vec![Need::Compiler];
    needs.extend(page::NEEDS);
    setup::ensure(workspace, &needs)?;
    page::build(workspace)?;
    if let Some(("--mutations", names)) = arguments.split_first().map(|(first, names)| (first.as_str(), names)) {
        return defects::put_back(workspace, names);
    }
    say("building the simulation");
    let profile = ["--profile", "simulation"];
    proc::run(proc::command(workspace, "cargo").args(BUILD).args(profile))?;
    let program = Profile::Simulation.program(workspace, "simulate");
    Err(proc::become_program(proc::command(workspace, program).args(arguments)))
}

/// How the simulation is built.
const BUILD: [&str; 6] = ["build", "--locked", "-p", "bitpro-tests", "--bin", "simulate"];
