//! The long fuzzing runs: our own crates compiled with counters of what an input reaches, and libFuzzer to look for new ones.
//!
//! This works with the stable compiler: the counters are a pass of LLVM, and the sanitizers, which are not stable, find nothing in code
//! without `unsafe`. Our own crates are compiled anew for it; the dependencies are those of the tests, but for what builds C.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::environment::Profile;
use crate::failure::{Failure, Result};
use crate::page;
use crate::proc::{self, say};
use crate::setup::{self, Need};
use crate::workspace::Workspace;

/// Tells this very program, called by cargo in the place of the compiler, to add the counters.
const COUNTING: &str = "BITPRO_COUNT_COVERAGE";
/// The crates whose code gets counters. What they are built by, such as build scripts, has no engine to count for.
const COUNTED: [&str; 15] = [
    "bitpro_base",
    "bitpro_charge",
    "bitpro_checkout_app",
    "bitpro_config",
    "bitpro_dashboard",
    "bitpro_limits",
    "bitpro_mapi",
    "bitpro_merchant",
    "bitpro_node",
    "bitpro_operator",
    "bitpro_rates",
    "bitpro_server",
    "bitpro_service",
    "bitpro_store",
    "bitpro_web",
];
/// What makes the counters, and lets the engine see what is compared with what.
const COUNTERS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    // Tests are compiled to be compiled quickly; here an hour is spent running.
    "-Copt-level=2",
];

/// Runs the compiler with counters, if this process was called to do that.
pub fn compile_counting(arguments: &[String]) -> Option<ExitCode> {
    env::var_os(COUNTING)?;
    let (compiler, arguments) = arguments.split_first()?;
    let mut command = Command::new(compiler);
    command.args(arguments);
    let mut names = arguments.windows(2).filter(|pair| pair[0] == "--crate-name");
    if names.any(|pair| COUNTED.contains(&pair[1].as_str())) {
        command.args(COUNTERS);
    }
    let error = proc::become_program(&mut command);
    eprintln!("error: {error}");
    Some(ExitCode::FAILURE)
}

/// What `cargo xtask fuzz` was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Order {
    targets: Vec<String>,
    minutes: u64,
    is_list: bool,
    is_merge: bool,
}

/// A target, as the engine's program names it.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    name: String,
    longest: String,
    words: Vec<String>,
}

/// Builds the engine, and lets it look for inputs that break a property.
///
/// # Errors
/// When the order cannot be understood, the build fails, or something was found.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let order = Order::read(arguments)?;
    let mut needs = vec![Need::Compiler];
    needs.extend(page::NEEDS);
    setup::ensure(workspace, &needs)?;
    page::build(workspace)?;
    say("building the targets with counters");
    let own =
        env::current_exe().map_err(|error| Failure::new(format!("where this program lies is unknown: {error}")))?;
    let mut build = proc::command(workspace, "cargo");
    build.args(BUILD).env("RUSTC_WORKSPACE_WRAPPER", own).env(COUNTING, "1");
    proc::run(&mut build)?;
    let program = Profile::Dev.program(workspace, "fuzz");
    let known = targets(&proc::read(
        proc::command(workspace, &program).env("BITPRO_FUZZ_TARGET", "list"),
    )?);
    let mut chosen: Vec<&Target> = known.iter().collect();
    if !order.targets.is_empty() {
        if let Some(unknown) = order
            .targets
            .iter()
            .find(|name| known.iter().all(|target| target.name != **name))
        {
            return Err(Failure::new(format!(
                "`{unknown}` is no target: see `cargo xtask fuzz --list`"
            )));
        }
        chosen.retain(|target| order.targets.contains(&target.name));
    }
    if order.is_list {
        chosen.iter().for_each(|target| say(&target.name));
        return Ok(());
    }
    let seconds = order.minutes.saturating_mul(60) / u64::try_from(chosen.len()).unwrap_or(u64::MAX).max(1);
    let mut broken = Vec::new();
    for target in chosen {
        let place = Place::of(workspace, target)?;
        let mut engine = proc::command(workspace, &program);
        engine.env("BITPRO_FUZZ_TARGET", &target.name);
        if order.is_merge {
            place.merge(&mut engine);
        } else {
            place.look(&mut engine, target, seconds.max(1));
        }
        say(&format!("── {} ──", target.name));
        if proc::run(&mut engine).is_err() {
            broken.push(target.name.as_str());
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    let found = workspace.cache.join("fuzz/found");
    Err(Failure::new(format!(
        "{} broke a property; the inputs lie in {}. Mend the code, and keep the input in fuzz/corpus and as a test with a name",
        broken.join(", "),
        found.display()
    )))
}

/// How the engine's program is built: as a part of the whole workspace, so that the dependencies are those that the tests have.
const BUILD: [&str; 7] = [
    "build",
    "--locked",
    "--workspace",
    "--features",
    "bitpro-fuzz/engine",
    "--bin",
    "fuzz",
];

/// The folders and files of one target.
struct Place {
    /// What is kept in the repository.
    kept: PathBuf,
    /// What earlier runs on this machine have come to.
    grown: PathBuf,
    words: PathBuf,
    found: PathBuf,
}

impl Place {
    fn of(workspace: &Workspace, target: &Target) -> Result<Self> {
        let cache = workspace.cache.join("fuzz");
        let place = Self {
            kept: workspace.root.join("fuzz/corpus").join(&target.name),
            grown: cache.join("corpus").join(&target.name),
            words: cache.join(format!("{}.words", target.name)),
            found: cache.join("found"),
        };
        for folder in [&place.grown, &place.found] {
            fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
        }
        let words = target.words.join("\n");
        fs::write(&place.words, words).map_err(|error| Failure::file("write", &place.words, &error))?;
        Ok(place)
    }

    /// Looks for inputs that reach something new, for so many seconds.
    fn look(&self, engine: &mut Command, target: &Target, seconds: u64) {
        engine
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={}", target.longest))
            .arg(with_path("-dict=", &self.words))
            .arg(with_path(
                "-artifact_prefix=",
                &self.found.join(format!("{}-", target.name)),
            ))
            .args([
                "-timeout=20",
                "-rss_limit_mb=2048",
                "-use_value_profile=1",
                "-print_final_stats=1",
                "-verbosity=0",
            ])
            .arg(&self.grown)
            .arg(&self.kept);
    }

    /// Takes into the repository what reaches something that nothing there does, in short inputs.
    fn merge(&self, engine: &mut Command) {
        engine
            .args(["-merge=1", "-max_len=512"])
            .arg(&self.kept)
            .arg(&self.grown);
    }
}

fn with_path(option: &str, path: &Path) -> String {
    format!("{option}{}", path.display())
}

/// Reads what the program says of its targets: name and longest input in a line, then its words, each behind a tab.
fn targets(told: &str) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for line in told.lines() {
        if let Some(word) = line.strip_prefix('\t') {
            if let Some(target) = targets.last_mut() {
                target.words.push(word.to_owned());
            }
        } else if let Some((name, longest)) = line.split_once(' ') {
            targets.push(Target {
                name: name.to_owned(),
                longest: longest.to_owned(),
                words: Vec::new(),
            });
        }
    }
    targets
}

impl Order {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut order = Self {
            targets: Vec::new(),
            minutes: 30,
            is_list: false,
            is_merge: false,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--list" => order.is_list = true,
                "--merge" => order.is_merge = true,
                "--minutes" => {
                    let minutes = rest.next().and_then(|minutes| minutes.parse().ok());
                    order.minutes = minutes
                        .filter(|minutes| *minutes > 0)
                        .ok_or_else(|| Failure::new("--minutes takes a whole number above zero"))?;
                }
                unknown if unknown.starts_with('-') => {
                    return Err(Failure::new(format!(
                        "`{unknown}` is not known: fuzz [TARGET...] [--minutes N] [--merge] [--list]"
                    )));
                }
                target => order.targets.push(target.to_owned()),
            }
        }
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(arguments: &[&str]) -> Result<Order> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Order::read(&arguments)
    }

    #[test]
    fn an_order_names_targets_and_minutes() {
        let read = order(&["zmq", "--minutes", "5", "host"]).unwrap();
        assert_eq!(
            (read.targets, read.minutes),
            (vec!["zmq".to_owned(), "host".to_owned()], 5)
        );
        assert!(order(&["--merge"]).unwrap().is_merge && order(&["--list"]).unwrap().is_list);
        for wrong in [&["--minutes"][..], &["--minutes", "0"], &["--hours", "1"]] {
            assert!(order(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn targets_are_read_as_the_program_names_them() {
        let read = targets("host 300\n\t\"a b\"\nzmq 2000\n");
        let wanted = Target {
            name: "host".to_owned(),
            longest: "300".to_owned(),
            words: vec!["\"a b\"".to_owned()],
        };
        assert_eq!(read[0], wanted);
        assert_eq!((read[1].name.as_str(), read.len()), ("zmq", 2));
    }
}
