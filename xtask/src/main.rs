//! Set-up and automation of the whole project: what a person or a machine types is `cargo xtask …`, nothing else.
//!
//! Nearly nothing but the standard library: this is the first thing a fresh machine compiles, before anything is cached.

mod bench;
mod demo;
mod dist;
mod environment;
mod failure;
mod fuzz;
mod mutants;
mod page;
mod proc;
mod progress;
mod remap;
mod setup;
mod simulate;
mod stamp;
mod stopwatch;
mod test;
mod work;
mod workspace;

use std::process::ExitCode;

use failure::{Failure, Result};
use workspace::Workspace;

const USAGE: &str = "\
cargo xtask <command>

  demo      start everything on this machine and print the addresses to open (--lan: also for phones in the local network;
            --json: one line for scripts)
  test      run every suite, or those named: `test clippy unit`
  faults    hurt the real server on real nodes in every way we know: --minutes N at random, --seed S, --only A,B, --list
  bench     measure the figures, in release
  simulate  simulated histories of charges against a model: [--seed SEED] [--seconds N]; with --mutations [NAME …], the proof that
            it finds each known defect
  fuzz      whatever strangers send, tried by what it reaches: [TARGET...] [--minutes N] [--merge] [--list]
  dist      make a release: program, Debian package, checksums (--check: twice, and compare; --test: install it in a clean Debian;
            --image: build its container; --package FILE: do these with that package, and build none)
  mutants   mutation testing of charge/; survivors must be explained in charge/mutants-explained.md
  setup     install everything that the other commands need
  page      build the payment page into dist/ and the loader into widget/dist/

What is installed or built lies in ~/.cache/bitpro (BITPRO_CACHE moves it); build results go there too unless CARGO_TARGET_DIR is set.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = fuzz::compile_counting(&arguments) {
        return code;
    }
    match run(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = arguments.split_first() else {
        return Err(Failure::new(format!("a command is missing\n\n{USAGE}")));
    };
    let workspace = Workspace::locate()?;
    match command.as_str() {
        "setup" => {
            takes_no_arguments(command, rest)?;
            setup::ensure(&workspace, &setup::Need::ALL)?;
            Ok(ExitCode::SUCCESS)
        }
        "page" => {
            takes_no_arguments(command, rest)?;
            page::ensure(&workspace)?;
            Ok(ExitCode::SUCCESS)
        }
        "test" => test::run(&workspace, rest),
        "faults" => {
            test::faults(&workspace, rest)?;
            Ok(ExitCode::SUCCESS)
        }
        "demo" => match demo::run(&workspace, rest)? {},
        demo::PAGE_BEHIND => {
            takes_no_arguments(command, rest)?;
            demo::page_behind(&workspace)?;
            Ok(ExitCode::SUCCESS)
        }
        "bench" => match bench::run(&workspace, rest)? {},
        "simulate" => simulate::run(&workspace, rest),
        "fuzz" => {
            fuzz::run(&workspace, rest)?;
            Ok(ExitCode::SUCCESS)
        }
        "dist" => {
            dist::run(&workspace, rest)?;
            Ok(ExitCode::SUCCESS)
        }
        "mutants" => {
            mutants::run(&workspace, rest)?;
            Ok(ExitCode::SUCCESS)
        }
        "help" | "--help" | "-h" => {
            eprintln!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        unknown => Err(Failure::new(format!("`{unknown}` is not a command\n\n{USAGE}"))),
    }
}

fn takes_no_arguments(command: &str, rest: &[String]) -> Result<()> {
    match rest.first() {
        None => Ok(()),
        Some(extra) => Err(Failure::new(format!(
            "`{command}` takes no arguments, but got `{extra}`"
        ))),
    }
}
