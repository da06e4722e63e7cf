//! The whole test suite: every suite runs, also after a failure, and the last line counts them.

mod budget;
mod directions;
mod layering;
mod map;
mod suites;
mod wording;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::proc::say;
use crate::setup::{self, Need};
use crate::stopwatch::{Stopwatch, readable};
use crate::workspace::Workspace;

use budget::{Budgets, Machine, Minutes};
use suites::{SUITES, Suite};

/// How one suite ended.
struct Outcome {
    suite: &'static str,
    failure: Option<Failure>,
    used: Duration,
}

/// Runs the suites named in `arguments`, or all of them.
///
/// # Errors
/// When a name is unknown or the written budgets cannot be read; failing suites are no error but the exit code.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let chosen = choose(arguments)?;
    let budgets = Budgets::read(workspace)?;
    let was_built = workspace.target.join("debug").is_dir();
    let (set_up, installed) = set_up(workspace, &chosen);
    let machine = if installed || !was_built {
        Machine::New
    } else {
        Machine::Warm
    };

    let mut outcomes = vec![set_up];
    if outcomes.iter().all(|outcome| outcome.failure.is_none()) {
        outcomes.extend(chosen.iter().map(|suite| run_one(workspace, suite, &budgets, machine)));
    }
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    print(&table(&outcomes, &budgets, machine))?;
    print(&format!("{} passed, {failed} failed\n", outcomes.len() - failed))?;
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Does faults by themselves, for as long as `arguments` say: `--minutes N` draws them at random.
///
/// # Errors
/// When the set-up fails, or an invariant is broken.
pub fn faults(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let mut needs = suites::FAULTS.concat();
    needs.sort_unstable();
    needs.dedup();
    setup::ensure(workspace, &needs)?;
    suites::faults(workspace, arguments)
}

fn choose(names: &[String]) -> Result<Vec<&'static Suite>> {
    if names.is_empty() {
        return Ok(SUITES.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            SUITES.iter().find(|suite| suite.name == name).ok_or_else(|| {
                let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
                Failure::new(format!("`{name}` is not a suite; the suites are: {}", known.join(", ")))
            })
        })
        .collect()
}

fn set_up(workspace: &Workspace, chosen: &[&Suite]) -> (Outcome, bool) {
    let mut needs: Vec<Need> = chosen.iter().flat_map(|suite| suite.needs.concat()).collect();
    needs.sort_unstable();
    needs.dedup();
    say("── setup ──");
    let stopwatch = Stopwatch::start();
    let ended = setup::ensure(workspace, &needs);
    let used = stopwatch.elapsed();
    let installed = *ended.as_ref().unwrap_or(&true);
    (conclude("setup", ended.map(drop), used), installed)
}

fn run_one(workspace: &Workspace, suite: &'static Suite, budgets: &Budgets, machine: Machine) -> Outcome {
    let minutes = budgets.minutes(suite.name, machine);
    say(&format!("── {} ── budget {minutes} min", suite.name));
    let stopwatch = Stopwatch::start();
    let ended = (suite.run)(workspace);
    conclude(suite.name, ended, stopwatch.elapsed())
}

fn conclude(suite: &'static str, ended: Result<()>, used: Duration) -> Outcome {
    let failure = ended.err();
    match &failure {
        None => say(&format!("{suite}: passed in {}", readable(used))),
        Some(failure) => say(&format!("{suite}: FAILED in {}: {failure}", readable(used))),
    }
    Outcome { suite, failure, used }
}

fn table(outcomes: &[Outcome], budgets: &Budgets, machine: Machine) -> String {
    let mut table = format!("\n{:<12} {:<8} {:>13} {:>9}\n", "suite", "result", "time", "budget");
    let mut total = Duration::ZERO;
    for outcome in outcomes {
        let result = if outcome.failure.is_some() { "FAILED" } else { "passed" };
        let minutes = budgets.minutes(outcome.suite, machine);
        let over = if outcome.used > minutes.duration() {
            "  over its budget"
        } else {
            ""
        };
        let time = readable(outcome.used);
        table.push_str(&format!(
            "{:<12} {result:<8} {time:>13} {minutes:>5} min{over}\n",
            outcome.suite
        ));
        total += outcome.used;
    }
    let allowed = outcomes
        .iter()
        .map(|outcome| budgets.minutes(outcome.suite, machine))
        .sum::<Minutes>();
    let over = if total > allowed.duration() {
        "  over its budget"
    } else {
        ""
    };
    table.push_str(&format!(
        "{:<12} {machine:<8} {:>13} {allowed:>5} min{over}\n\n",
        "in all",
        readable(total)
    ));
    for outcome in outcomes {
        if let Some(failure) = &outcome.failure {
            table.push_str(&format!("{}: {failure}\n", outcome.suite));
        }
    }
    table
}

fn print(text: &str) -> Result<()> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Failure::new(format!("cannot write to standard output: {error}")))
}
