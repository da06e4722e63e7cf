//! Tracked files speak about the product: they name no package registry's host and no path of the machine they were written on.

use std::fs;
use std::path::{Component, Path};

use crate::failure::{Failure, Result};
use crate::proc;
use crate::workspace::Workspace;

/// Hosts of registries, in two halves so that this file does not name them itself. A mirror must be able to stand in for any of them.
const REGISTRIES: [(&str, &str); 8] = [
    ("crates", ".io"),
    ("npmjs", ".org"),
    ("npmjs", ".com"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("rust-lang", ".org/dist"),
    ("deb.debian", ".org"),
    ("rubygems", ".org"),
];

/// Written by tools that put the registry in, and the file that says which registry is allowed.
const EXEMPT: [&str; 3] = ["Cargo.lock", "package-lock.json", "deny.toml"];

/// First folders of paths that any machine has; a clone elsewhere lies in a place of its own, which no file may name.
const COMMON_PLACES: [&str; 8] = ["home", "root", "tmp", "usr", "var", "opt", "srv", "mnt"];

/// Checks every tracked text file and reports all lines at once.
///
/// # Errors
/// When a line names what it may not, or git fails.
pub fn run(workspace: &Workspace) -> Result<()> {
    let listed = proc::read(proc::command(workspace, "git").args(["ls-files", "-z"]))?;
    let forbidden = forbidden(&workspace.root);
    let mut found = Vec::new();
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let path = workspace.root.join(name);
        if path
            .file_name()
            .is_some_and(|file| EXEMPT.iter().any(|exempt| file == *exempt))
        {
            continue;
        }
        // Binary files and files deleted but not yet committed have no lines to check.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (index, line) in text.lines().enumerate() {
            found.extend(named(line, &forbidden).map(|word| format!("{name}:{} names `{word}`", index + 1)));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "tracked files name what belongs to a machine, not to the product:\n  {}",
        found.join("\n  ")
    )))
}

fn forbidden(root: &Path) -> Vec<String> {
    let mut words: Vec<String> = REGISTRIES.iter().map(|(name, end)| format!("{name}{end}")).collect();
    words.push(root.display().to_string());
    if let Some(Component::Normal(first)) = root.components().nth(1) {
        let first = first.to_string_lossy();
        if !COMMON_PLACES.contains(&first.as_ref()) {
            words.push(format!(" /{first}/"));
        }
    }
    words
}

/// Paths are looked for at the start of a word, so that a URL with such a part stays allowed.
fn named<'w>(line: &str, forbidden: &'w [String]) -> impl Iterator<Item = &'w str> {
    let separated = format!(" {}", line.replace(['"', '\'', '`', '=', '(', ':'], " "));
    forbidden
        .iter()
        .map(String::as_str)
        .filter(move |word| separated.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> usize {
        named(line, &forbidden(Path::new("/attic/checkout"))).count()
    }

    #[test]
    fn registries_and_the_place_of_the_clone_are_found() {
        let registry = ["https://index.", "crates", ".io/config.json"].concat();
        assert_eq!(names(&registry), 1);
        assert_eq!(names("cd /attic/elsewhere"), 1);
        assert_eq!(names("root = \"/attic/elsewhere\""), 1);
    }

    #[test]
    fn urls_and_common_places_are_allowed() {
        assert_eq!(names("GET /app/attic/1"), 0);
        assert_eq!(names("/usr/bin/chromium"), 0);
        assert_eq!(names("http://shop.example/attic/"), 0);
    }
}
