//! The proof that the simulation finds what it should: known defects are put back into a copy of the sources, one by one, and it
//! looks for each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::BUILD;
use super::sources::Copy;
use crate::environment::Profile;
use crate::failure::{Failure, Result};
use crate::proc::{self, say};
use crate::stopwatch::Stopwatch;
use crate::workspace::Workspace;

/// The known defects: each a patch that puts one back, with a word about it before the first change.
const DEFECTS: &str = "tests/mutations";
/// How long the simulation looks for each, in seconds. It always begins with the same histories.
const PATIENCE: &str = "300";
/// The exit code of the simulation when it has found something.
const FOUND: i32 = 1;

/// What came of a defect that was put back.
enum Outcome {
    Found,
    /// It did not.
    Missed,
    /// The sources have changed, so that the patch says nothing any more.
    Stale,
}

/// Puts each defect that is named, or all, back into a copy of the sources, and lets the simulation look for it.
///
/// # Errors
/// When a name is unknown, or a build fails.
pub fn put_back(workspace: &Workspace, names: &[String]) -> Result<ExitCode> {
    let all = all(&workspace.root)?;
    let chosen: Vec<&PathBuf> = match names
        .iter()
        .find(|name| !all.iter().any(|patch| name_of(patch) == **name))
    {
        Some(unknown) => {
            let known: Vec<String> = all.iter().map(|patch| name_of(patch)).collect();
            let known = known.join("\n  ");
            return Err(Failure::new(format!(
                "`{unknown}` is no known defect; these are:\n  {known}"
            )));
        }
        None => all
            .iter()
            .filter(|patch| names.is_empty() || names.contains(&name_of(patch)))
            .collect(),
    };
    let copy = Copy::of(workspace);
    let mut lines = Vec::new();
    let mut is_proven = true;
    for patch in chosen {
        let name = name_of(patch);
        say(&format!("── {name} ──"));
        let (outcome, told) = look_for(workspace, &copy, patch)?;
        is_proven &= matches!(outcome, Outcome::Found);
        say(&format!("{name}: {told}"));
        lines.push(format!("{name:<45} {told}"));
    }
    for line in lines {
        say(&line);
    }
    Ok(if is_proven {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn look_for(workspace: &Workspace, copy: &Copy, patch: &Path) -> Result<(Outcome, String)> {
    copy.renew(workspace)?;
    if proc::run(apply(&copy.folder, patch).arg("--verbose")).is_err() {
        return Ok((Outcome::Stale, "the patch does not fit the sources any more".to_owned()));
    }
    let building = Stopwatch::start();
    proc::run(proc::command(workspace, "cargo").args(BUILD).current_dir(&copy.folder))?;
    // The next build of the workspace puts its own program there again.
    let built = Profile::Dev.program(workspace, "simulate");
    let program = copy.folder.with_extension("simulate");
    fs::copy(&built, &program).map_err(|error| Failure::file("copy", &built, &error))?;
    let building = building.to_string();
    let looking = Stopwatch::start();
    let mut simulation = proc::command(workspace, &program);
    let (code, told) = proc::read_with_code(simulation.args(["--first", "1", "--seconds", PATIENCE]))?;
    let times = format!("built in {building}, looked for {looking}");
    match code {
        0 => Ok((Outcome::Missed, format!("NOT found; {times}"))),
        FOUND => {
            let found = finding(&told).ok_or_else(|| Failure::new("the simulation does not say what it found"))?;
            Ok((Outcome::Found, format!("{found}; {times}")))
        }
        other => Err(Failure::new(format!("the simulation ended with {other}"))),
    }
}

/// What the simulation says at its end, in short: the seed, how many actions are left, and which rule is broken.
fn finding(told: &str) -> Option<String> {
    let broken = told.lines().rev().find_map(|line| line.strip_prefix("BROKEN: "))?;
    let rule = broken.split(": ").next()?;
    let seed = told.lines().rev().find_map(|line| line.split_once("--seed "))?.1;
    let actions = told.lines().filter(|line| is_action(line)).count();
    Some(format!("found by {seed}, {actions} actions: {rule}"))
}

/// Whether a line tells of an action: `  4711 s  Look`.
fn is_action(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next().is_some_and(|at| at.parse::<i64>().is_ok()) && words.next() == Some("s")
}

/// A command that applies a patch to the sources in `folder`, wherever that lies.
fn apply(folder: &Path, patch: &Path) -> Command {
    let mut apply = Command::new("git");
    apply
        .args(["apply", "--whitespace=nowarn"])
        .arg(patch)
        .current_dir(folder);
    // Below a repository git would take the paths as that one's.
    if let Some(above) = folder.parent() {
        apply.env("GIT_CEILING_DIRECTORIES", above);
    }
    apply
}

fn name_of(patch: &Path) -> String {
    patch.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// All patches, by name.
fn all(root: &Path) -> Result<Vec<PathBuf>> {
    let folder = root.join(DEFECTS);
    let mut patches = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|error| Failure::file("list", &folder, &error))? {
        let path = entry.map_err(|error| Failure::file("list", &folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            patches.push(path);
        }
    }
    patches.sort();
    Ok(patches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_defect_can_still_be_put_back() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the workspace is above");
        let patches = all(root).expect("the folder is there");
        assert!(!patches.is_empty());
        for patch in patches {
            let checked = apply(root, &patch).arg("--check").output().expect("git is there");
            let told = String::from_utf8_lossy(&checked.stderr).into_owned();
            assert!(checked.status.success(), "{}: {told}", patch.display());
        }
    }

    #[test]
    fn a_finding_is_told_in_short() {
        let told = "  12  act: paid\n3 histories from 1 on\n       90 s  Look\n  1200 s  Crash\n\
                    BROKEN: r01 seen without money: seen (None); need 5\nagain: cargo xtask simulate --seed s2:3:4,7\n";
        assert_eq!(
            finding(told).as_deref(),
            Some("found by s2:3:4,7, 2 actions: r01 seen without money")
        );
        assert_eq!(finding("3 histories"), None);
    }
}
