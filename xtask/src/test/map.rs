//! Whether ARCHITECTURE.md and CONTRIBUTING.md name what there is: a map that points to a room that was moved is worse than none.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::workspace::Workspace;

/// What is walked with a finger.
const MAPS: [&str; 2] = ["ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Every file, folder and function that a map names and that is not there.
///
/// # Errors
/// When a map or a source cannot be read.
pub fn violations(workspace: &Workspace) -> Result<Vec<String>> {
    violations_below(&workspace.root)
}

fn violations_below(root: &Path) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for map in MAPS {
        let text = read(&root.join(map))?;
        for (index, line) in text.lines().enumerate() {
            for lost in lost(root, line)? {
                violations.push(format!("{map}:{}: {lost} is not there", index + 1));
            }
        }
    }
    Ok(violations)
}

/// What one line names in vain. A name without a folder belongs to a folder that the line has named before it; a function belongs
/// to one of the files before it.
fn lost(root: &Path, line: &str) -> Result<Vec<String>> {
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut sources = String::new();
    let mut lost = Vec::new();
    for name in line.split('`').skip(1).step_by(2) {
        if is_path(name) {
            let Some(path) = found(root, &folders, name) else {
                lost.push(format!("`{name}`"));
                continue;
            };
            if path.is_dir() {
                folders.push(path);
            } else {
                if path.extension().is_some_and(|kind| kind == "rs") {
                    sources.push_str(&read(&path)?);
                }
                folders.extend(path.parent().map(Path::to_owned));
            }
        } else if is_function(name) && !sources.is_empty() && !has_function(&sources, name) {
            lost.push(format!("the function `{name}`"));
        }
    }
    Ok(lost)
}

/// Whether a name in backticks is a file or a folder of ours.
fn is_path(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    let is_of_ours = [".rs", ".js", ".md", ".toml", ".sql", ".patch", "/"]
        .iter()
        .any(|end| name.ends_with(end));
    is_of_ours && !name.starts_with(['/', '.']) && name.chars().all(is_plain)
}

fn is_function(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

fn has_function(sources: &str, name: &str) -> bool {
    let wanted = format!("fn {name}");
    let mut places = sources.match_indices(&wanted);
    places.any(|(at, _)| sources[at + wanted.len()..].starts_with(['(', '<']))
}

/// Where a name leads: from the root, into a crate below `server/`, into the server itself, or from a folder that was named before.
fn found(root: &Path, folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    let (first, rest) = name.split_once('/').unwrap_or((name, ""));
    let server = root.join("server");
    let crates = [
        root.join(name),
        server.join(first).join("src").join(rest),
        server.join("src").join(name),
    ];
    let near = folders.iter().map(|folder| folder.join(name));
    crates.into_iter().chain(near).find(|path| path.exists())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    fn lost_in(line: &str) -> Vec<String> {
        lost(root(), line).unwrap()
    }

    #[test]
    fn the_maps_name_only_what_is_there() {
        assert_eq!(violations_below(root()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_there_is_found_however_it_is_written() {
        for line in [
            "`xtask/src/test/map.rs` `violations`, `charge/src/`: `decide.rs`",
            "1. `node/watcher/mod.rs` (`run`, `work`) and `Access::Anyone`, then `POST /login`",
            "| `store/` | `tx/` and `memory/` |",
            "`cli/arguments.rs`, `lifecycle.rs`, `r22_`",
        ] {
            assert_eq!(lost_in(line), Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn what_is_gone_is_named() {
        assert_eq!(
            lost_in("`service/accounts/entering.rs` `enter`"),
            ["`service/accounts/entering.rs`"]
        );
        assert_eq!(lost_in("`node/watcher/mod.rs` `watched`"), ["the function `watched`"]);
        assert_eq!(lost_in("`tx/`"), ["`tx/`"]);
    }
}
