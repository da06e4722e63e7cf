//! The figures: everything in release, then the measuring program takes over.

use std::convert::Infallible;

use crate::environment::{self, Profile};
use crate::failure::Result;
use crate::page;
use crate::proc::{self, say};
use crate::setup::{self, Need};
use crate::workspace::Workspace;

/// Thousands of streams need more open files than a login usually gets: as many as the system allows without being asked.
const WITH_ALL_FILES: &str = r#"ulimit -S -n "$(ulimit -H -n)"; exec "$0" "$@""#;

/// Sets up, builds in release, and becomes the measuring program. Returns only with a failure.
///
/// # Errors
/// When the set-up, a build or the start fails.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<Infallible> {
    let mut needs = vec![
        Need::Compiler,
        Need::Bitcoind,
        Need::Browser,
        Need::LoadGenerator,
        Need::PythonClients,
    ];
    needs.extend(page::NEEDS);
    setup::ensure(workspace, &needs)?;
    page::build(workspace)?;
    say("building the server and the figures in release");
    let mut build = proc::command(workspace, "cargo");
    proc::run(build.args(["build", "--release", "--workspace", "--bins"]))?;

    let mut bench = proc::command(workspace, "sh");
    bench
        .args(["-c", WITH_ALL_FILES])
        .arg(Profile::Release.program(workspace, "bench"));
    environment::tell(&mut bench, workspace, Profile::Release)?;
    Err(proc::become_program(bench.args(arguments)))
}
