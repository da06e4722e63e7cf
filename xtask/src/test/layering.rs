//! The layering rule of ARCHITECTURE.md, checked on the dependency graph and on the sources; and whether what it names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{directions, map};
use crate::failure::{Failure, Result};
use crate::workspace::Workspace;
use crate::{proc, stamp};

/// All that the domain may be compiled with. None of these does I/O; a new name is a decision, taken here.
const DOMAIN_CRATES: [&str; 9] = [
    "bitcoin-units",
    "bitpro-charge",
    "proc-macro2",
    "quote",
    "serde",
    "serde_core",
    "serde_derive",
    "syn",
    "unicode-ident",
];

/// What the domain's sources may not name: the outside world, the clock, randomness, concurrency.
const NOT_IN_THE_DOMAIN: [&str; 12] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "rand::",
    "async fn",
    "async move",
    "println!",
];

/// Checks everything and reports all violations at once.
///
/// # Errors
/// When a rule is violated, cargo fails, or a source cannot be read.
pub fn run(workspace: &Workspace) -> Result<()> {
    let mut violations = domain_dependencies(workspace)?;
    violations.extend(domain_sources(workspace)?);
    violations.extend(only_in(
        workspace,
        "`decide(` is called",
        "decide(",
        &["server/service/src/charges"],
    )?);
    violations.extend(only_in(
        workspace,
        "`sqlx` is used",
        "sqlx",
        &["server/store/src/sqlite/"],
    )?);
    violations.extend(only_in(
        workspace,
        "an engine is named",
        "sqlite::",
        &[
            "server/store/src/sqlite/",
            "server/store/src/engine/",
            "server/store/src/lib.rs",
        ],
    )?);
    violations.extend(directions::violations(workspace)?);
    violations.extend(map::violations(workspace)?);
    if !violations.is_empty() {
        return Err(Failure::new(format!(
            "the layering rule is violated:\n  {}",
            violations.join("\n  ")
        )));
    }
    let mut check = proc::command(workspace, "cargo");
    check.args([
        "check",
        "--locked",
        "-p",
        "bitpro-charge",
        "--target",
        "wasm32-unknown-unknown",
    ]);
    proc::run_shown(&mut check)
}

fn domain_dependencies(workspace: &Workspace) -> Result<Vec<String>> {
    let mut tree = proc::command(workspace, "cargo");
    tree.args([
        "tree",
        "--locked",
        "-p",
        "bitpro-charge",
        "-e",
        "normal",
        "--target",
        "all",
        "--prefix",
        "none",
    ]);
    let answer = proc::read(&mut tree)?;
    let crates: BTreeSet<&str> = answer
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let foreign = crates.into_iter().filter(|name| !DOMAIN_CRATES.contains(name));
    Ok(foreign
        .map(|name| format!("charge depends on `{name}`: the domain is pure, see DOMAIN_CRATES in xtask"))
        .collect())
}

fn domain_sources(workspace: &Workspace) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for word in NOT_IN_THE_DOMAIN {
        for place in mentions(workspace, "charge/src", word)? {
            violations.push(format!("{place}: the domain may not name `{word}`"));
        }
    }
    Ok(violations)
}

/// Sources of the server that hold `word` outside the `allowed` path prefixes.
fn only_in(workspace: &Workspace, what: &str, word: &str, allowed: &[&str]) -> Result<Vec<String>> {
    let places = mentions(workspace, "server", word)?;
    let outside = places
        .into_iter()
        .filter(|place| !allowed.iter().any(|prefix| place.starts_with(prefix)));
    Ok(outside
        .map(|place| format!("{place}: {what} outside {}", allowed.join(", ")))
        .collect())
}

/// Where the Rust sources below `folder` hold `word`, as `path:line`; comments do not count.
fn mentions(workspace: &Workspace, folder: &str, word: &str) -> Result<Vec<String>> {
    let mut places = Vec::new();
    for path in stamp::files_below(&workspace.root.join(folder))? {
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
        let name = path.strip_prefix(&workspace.root).unwrap_or(&path);
        places.extend(lines_with(&text, word).map(|line| place(name, line)));
    }
    Ok(places)
}

fn place(path: &Path, line: usize) -> String {
    format!("{}:{line}", path.display())
}

fn lines_with<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    text.lines()
        .enumerate()
        .filter(move |(_, line)| holds(line, word))
        .map(|(index, _)| index + 1)
}

/// Whether the code of a line holds the word as a word of its own: `redecide(` does not hold `decide(`.
fn holds(line: &str, word: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices(word).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        before.is_none_or(|character| !character.is_alphanumeric() && character != '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_longer_words_do_not_count() {
        assert!(holds("let events = decide(&charge, &observation);", "decide("));
        assert!(holds("    charge::decide(&charge)", "decide("));
        assert!(!holds("// decide( is called elsewhere", "decide("));
        assert!(!holds("redecide(&charge)", "decide("));
        assert!(!holds("let sqlx_free = my_sqlx;", "sqlx::"));
    }

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!(lines_with("a\nuse sqlx::Pool;\n", "sqlx").collect::<Vec<_>>(), [2]);
    }
}
