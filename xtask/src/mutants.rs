//! Mutation testing of the domain, by hand: every change of the code that no test notices must be explained in writing.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::failure::{Failure, Result};
use crate::proc::{self, say};
use crate::setup::{self, Need};
use crate::workspace::Workspace;

/// The committed explanations: a heading or list item per survivor, its text in backticks, the reason after it.
const EXPLAINED: &str = "charge/mutants-explained.md";
/// cargo-mutants ends so when some mutants survived or ran too long; both are judged here.
const JUDGED: [i32; 3] = [0, 2, 3];

/// Mutates `charge/` and compares the survivors with the explained ones.
///
/// # Errors
/// When a survivor is not explained, or the run itself fails.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let path = workspace.root.join(EXPLAINED);
    let written = fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
    setup::ensure(workspace, &[Need::Compiler, Need::Mutants])?;
    let output = workspace.cache.join("mutants");
    fs::create_dir_all(&output).map_err(|error| Failure::file("create", &output, &error))?;
    let mut mutants = proc::command(workspace, "cargo");
    mutants
        .args([
            "mutants",
            "--package",
            "bitpro-charge",
            "--no-shuffle",
            "--colors",
            "never",
            "--output",
        ])
        .arg(&output)
        .args(arguments)
        // Each mutated copy of the sources needs results of its own.
        .env_remove("CARGO_TARGET_DIR");
    let code = proc::run_for_code(&mut mutants)?;
    if !JUDGED.contains(&code) {
        return Err(Failure::new(format!(
            "cargo-mutants ended with {code}: see {}",
            output.display()
        )));
    }
    judge(&output.join("mutants.out"), &explained(&written))
}

fn judge(results: &Path, explained: &BTreeSet<String>) -> Result<()> {
    let missed = read_list(&results.join("missed.txt"))?;
    let caught = read_list(&results.join("caught.txt"))?.len() + read_list(&results.join("timeout.txt"))?.len();
    let survivors: BTreeSet<String> = missed.iter().map(|line| without_position(line)).collect();
    for stale in explained.difference(&survivors) {
        say(&format!("explained in {EXPLAINED}, but caught or gone by now: {stale}"));
    }
    let all = caught + missed.len();
    let share = (caught * 100).checked_div(all).unwrap_or(100);
    say(&format!("{caught} of {all} mutants caught ({share} %)"));
    let unexplained: Vec<&str> = survivors.difference(explained).map(String::as_str).collect();
    if unexplained.is_empty() {
        return Ok(());
    }
    let list = unexplained.join("\n  ");
    Err(Failure::new(format!(
        "these mutants survive and are not explained in {EXPLAINED}:\n  {list}"
    )))
}

/// The lines of a result file; one that was not written had nothing to list.
fn read_list(path: &Path) -> Result<Vec<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::file("read", path, &error)),
    }
}

/// `path:line:column: change` without line and column, so that an explanation outlives edits above it.
fn without_position(survivor: &str) -> String {
    let mut parts = survivor.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(path), Some(_), Some(_), Some(change)) => format!("{path}:{change}"),
        _ => survivor.to_owned(),
    }
}

/// The survivors named in the committed file: the first text in backticks of each heading or list item.
fn explained(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| line.starts_with("- `") || line.starts_with("## `"))
        .filter_map(|line| line.split('`').nth(1))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_matches_wherever_the_line_moved() {
        let survivor = "charge/src/state.rs:41:9: replace < with <= in is_late";
        let file =
            "# Survivors\n\n- `charge/src/state.rs: replace < with <= in is_late`: both sides are never equal.\n";
        assert!(explained(file).contains(&without_position(survivor)));
    }
}
