//! Which module of the server may import which: only what stands below it in one list.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Result};
use crate::stamp;
use crate::workspace::Workspace;

/// Where the modules lie.
const SOURCES: &str = "server/src";
/// The modules from the lowest to the highest. Those of one row do not know each other; each may import from the rows above its own
/// in this list, which are the lower ones.
const ROWS: [(&str, &[&str]); 14] = [
    (
        "basics",
        &[
            "clock",
            "http_client",
            "instants",
            "links",
            "name",
            "policy",
            "private",
            "rng",
        ],
    ),
    ("tools", &["keys", "node", "rates", "seal", "wallet"]),
    ("terms", &["config", "merchant"]),
    ("words and bounds", &["limits", "telemetry", "words"]),
    ("forms", &["times", "web"]),
    ("letters", &["letters"]),
    ("store", &["store"]),
    ("beside the store", &["backup", "wire"]),
    ("charges", &["charges"]),
    ("services", &["accounts", "instance", "mail", "reconcile", "webhooks"]),
    ("application", &["app"]),
    ("shoppers and monitors", &["checkout", "health"]),
    ("merchants and operators", &["admin", "dashboard", "mapi"]),
    ("the whole", &["cli", "fuzz", "lifecycle", "router"]),
];
/// Files that stand above everything.
const ABOVE: [&str; 3] = ["lib", "main", "testing"];
/// Imports within the uppermost row, which has an order of its own.
const WITHIN_THE_WHOLE: [(&str, &str); 2] = [("cli", "lifecycle"), ("lifecycle", "router")];

/// Every import that goes up or sideways, and every module that has no row.
///
/// # Errors
/// When a source cannot be read.
pub fn violations(workspace: &Workspace) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    let root = workspace.root.join(SOURCES);
    for path in stamp::files_below(&root)? {
        let name = path.strip_prefix(&root).unwrap_or(&path);
        let Some(module) = module_of(name).filter(|_| !is_for_tests(name)) else {
            continue;
        };
        if ABOVE.contains(&module.as_str()) {
            continue;
        }
        let Some(row) = row_of(&module) else {
            violations.push(format!(
                "{SOURCES}/{}: the module has no row in ROWS of xtask",
                name.display()
            ));
            continue;
        };
        let text = fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
        for (line, other) in imports(&text) {
            let is_allowed = other == module
                || row_of(&other).is_none_or(|other| other < row)
                || WITHIN_THE_WHOLE.contains(&(module.as_str(), other.as_str()));
            if !is_allowed {
                violations.push(format!(
                    "{SOURCES}/{}:{line}: `{module}` ({}) imports `{other}`, which is not below it",
                    name.display(),
                    ROWS[row].0
                ));
            }
        }
    }
    Ok(violations)
}

fn row_of(module: &str) -> Option<usize> {
    ROWS.iter().position(|(_, modules)| modules.contains(&module))
}

/// The module of the crate that a file belongs to.
fn module_of(name: &Path) -> Option<String> {
    if name.extension()? != "rs" {
        return None;
    }
    let first = name.iter().next()?.to_str()?;
    Some(first.strip_suffix(".rs").unwrap_or(first).to_owned())
}

/// Tests stand above what they test.
fn is_for_tests(name: &Path) -> bool {
    let mut parts = name.iter().filter_map(|part| part.to_str());
    parts.any(|part| matches!(part.strip_suffix(".rs").unwrap_or(part), "tests" | "testing" | "fuzz"))
}

/// The modules of the crate that the code of a file names, with their lines.
fn imports(text: &str) -> Vec<(usize, String)> {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut in_group = false;
    for (index, line) in code.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let mut named: Vec<&str> = code.split("crate::").skip(1).collect();
        if code.trim_start().contains("use crate::{") {
            in_group = true;
            named = vec![code.split('{').nth(1).unwrap_or_default()];
        } else if in_group {
            named = vec![code];
        }
        let is_list = in_group;
        in_group = in_group && !code.contains(';');
        for text in named {
            let parts = if is_list { text.split(',').collect() } else { vec![text] };
            let words = parts.into_iter().map(|part| first_word(part.trim()));
            found.extend(
                words
                    .filter(|word| !word.is_empty())
                    .map(|word| (index + 1, word.to_owned())),
            );
        }
    }
    found
}

fn first_word(text: &str) -> &str {
    let end = text.find(|character: char| !character.is_alphanumeric() && character != '_');
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_read_alone_and_in_groups() {
        let text = "use crate::store::Store;\nuse crate::{health, mapi};\nuse crate::{\n    dashboard,\n    web::Context,\n};\n\
                    fn f() { crate::wire::text() } // crate::nowhere\nuse std::fmt;\n";
        let names: Vec<(usize, String)> = imports(text);
        let names: Vec<(usize, &str)> = names.iter().map(|(line, name)| (*line, name.as_str())).collect();
        assert_eq!(
            names,
            [
                (1, "store"),
                (2, "health"),
                (2, "mapi"),
                (4, "dashboard"),
                (5, "web"),
                (7, "wire")
            ]
        );
    }

    #[test]
    fn every_module_stands_in_one_row() {
        let mut all: Vec<&str> = ROWS.iter().flat_map(|(_, modules)| modules.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn tests_stand_above_what_they_test() {
        assert!(is_for_tests(Path::new("store/testing.rs")));
        assert!(is_for_tests(Path::new("charges/tests/mails.rs")));
        assert!(!is_for_tests(Path::new("charges/create.rs")));
    }
}
