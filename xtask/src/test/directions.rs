//! Which crate of the server may depend on which, and which module may import which within a crate: only what stands below it in one list.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Result};
use crate::stamp;
use crate::workspace::Workspace;

/// The crates below `server/` from the lowest to the highest, and on top the server itself. Those of one row do not know each other; each
/// may depend on those of the rows above its own in this list, which are the lower ones. Cargo refuses a circle; this table says which
/// way it goes.
const CRATES: [(&str, &[&str]); 9] = [
    ("tools", &["base"]),
    ("facts", &["merchant", "node", "rates"]),
    ("configuration", &["config"]),
    ("bounds", &["limits"]),
    ("what is kept", &["store"]),
    ("what is done", &["service"]),
    ("what all pages share, and the shoppers' own", &["web"]),
    ("merchants and operators", &["dashboard", "mapi", "operator"]),
    ("the whole", &["server"]),
];
/// The modules of those crates that hold several subjects, in the same order. What is not named stands below all.
const MODULES: [(&str, &[&[&str]]); 6] = [
    (
        "base",
        &[
            &[
                "client",
                "clock",
                "http_client",
                "instants",
                "links",
                "name",
                "policy",
                "private",
                "rng",
            ],
            &["seal"],
        ],
    ),
    (
        "merchant",
        &[&["keys", "wallet"], &["urls", "words"], &["times"], &["letters"]],
    ),
    (
        "service",
        &[&["wire"], &["charges"], &["accounts", "mail", "reconcile", "webhooks"]],
    ),
    ("web", &[&["app"], &["checkout", "health", "outside"], &["router"]]),
    ("operator", &[&["backup", "instance"], &["admin"]]),
    ("server", &[&["router", "telemetry"], &["lifecycle"], &["cli"]]),
];

/// Every dependency and import that goes up or sideways, and every crate that has no row.
///
/// # Errors
/// When a source cannot be read.
pub fn violations(workspace: &Workspace) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for name in crates(workspace)? {
        let manifest = folder_of(&name).join("Cargo.toml");
        let text = read(&workspace.root.join(&manifest))?;
        let Some(row) = CRATES.iter().position(|(_, crates)| crates.contains(&name.as_str())) else {
            violations.push(format!(
                "{}: the crate has no row in CRATES of xtask",
                manifest.display()
            ));
            continue;
        };
        for other in dependencies(&text) {
            let place = CRATES.iter().position(|(_, crates)| crates.contains(&other));
            if place.is_some_and(|place| place >= row) {
                violations.push(format!(
                    "{}: `{name}` ({}) depends on `{other}`, which is not below it",
                    manifest.display(),
                    CRATES[row].0
                ));
            }
        }
    }
    for (name, rows) in MODULES {
        within(workspace, name, rows, &mut violations)?;
    }
    Ok(violations)
}

/// The crates of the server.
fn crates(workspace: &Workspace) -> Result<Vec<String>> {
    let root = workspace.root.join("server");
    let entries = fs::read_dir(&root).map_err(|error| Failure::file("read", &root, &error))?;
    let mut found = vec!["server".to_owned()];
    for entry in entries.flatten() {
        if entry.path().join("Cargo.toml").is_file() {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

fn folder_of(name: &str) -> std::path::PathBuf {
    match name {
        "server" => "server".into(),
        _ => Path::new("server").join(name),
    }
}

/// Our own crates that a manifest depends on, but for those of its tests.
fn dependencies(manifest: &str) -> Vec<&str> {
    let (_, rest) = manifest.split_once("[dependencies]").unwrap_or_default();
    let section = rest.split("\n[").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| line.strip_prefix("bitpro-"))
        .filter_map(|line| line.split(['.', ' ']).next())
        .collect()
}

fn within(workspace: &Workspace, name: &str, rows: &[&[&str]], violations: &mut Vec<String>) -> Result<()> {
    let sources = folder_of(name).join("src");
    let root = workspace.root.join(&sources);
    let row_of = |module: &str| rows.iter().position(|modules| modules.contains(&module));
    for path in stamp::files_below(&root)? {
        let file = path.strip_prefix(&root).unwrap_or(&path);
        let Some(module) = module_of(file).filter(|_| !is_for_tests(file)) else {
            continue;
        };
        if ABOVE.contains(&module.as_str()) {
            continue;
        }
        let row = row_of(&module);
        for (line, other) in imports(&read(&path)?) {
            if other != module && row_of(&other).is_some_and(|other| row.is_none_or(|row| other >= row)) {
                violations.push(format!(
                    "{}:{line}: `{module}` imports `{other}`, which is not below it",
                    sources.join(file).display()
                ));
            }
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}

/// Files that stand above everything.
const ABOVE: [&str; 2] = ["lib", "main"];

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
    fn every_crate_stands_in_one_row() {
        let mut all: Vec<&str> = CRATES.iter().flat_map(|(_, crates)| crates.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn dependencies_are_read_without_those_of_tests() {
        let text = "[package]\nname = \"x\"\n\n[dependencies]\nbitpro-base.workspace = true\n\
                    bitpro-node = { workspace = true }\nhex.workspace = true\n\n[dev-dependencies]\nbitpro-web.workspace = true\n";
        assert_eq!(dependencies(text), ["base", "node"]);
    }

    #[test]
    fn tests_stand_above_what_they_test() {
        assert!(is_for_tests(Path::new("store/testing.rs")));
        assert!(is_for_tests(Path::new("charges/tests/mails.rs")));
        assert!(!is_for_tests(Path::new("charges/create.rs")));
    }
}
