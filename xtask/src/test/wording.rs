//! Tracked files speak about the product: they name no package registry's host and no path of the machine they were written on. They
//! speak of people as "they", and pages and letters use one word for each thing.

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

/// Words that make a man of everybody, in two halves like the hosts.
const PRONOUNS: [(&str, &str); 4] = [("h", "e"), ("h", "is"), ("h", "im"), ("h", "imself")];

/// Files that are written in sentences. Others hold names and samples that only look like words.
const PROSE: [&str; 5] = [".rs", ".md", ".ts", ".js", ".css"];

/// It quotes the pronoun that it forbids.
const QUOTES: &str = "CONTRIBUTING.md";

/// Where the texts of pages and letters stand.
const SCREENS: [&str; 3] = [
    "server/dashboard/src/",
    "server/merchant/src/letters/",
    "server/merchant/src/words",
];

/// What pages and letters call otherwise: charges, shoppers, someone, the operator.
const OLD_WORDS: [&str; 5] = ["transactions", "buyer", "buyers", "somebody", "whoever"];

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
            found.extend(misspoken(name, line).map(|word| format!("{name}:{} says `{word}`", index + 1)));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "tracked files name what belongs to a machine, or use a word that CONTRIBUTING.md has another one for:\n  {}",
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

/// The words of a line of `file` that there are better ones for.
fn misspoken<'l>(file: &str, line: &'l str) -> impl Iterator<Item = &'l str> {
    let is_prose = file != QUOTES && PROSE.iter().any(|end| file.ends_with(end));
    let is_screen = SCREENS.iter().any(|start| file.starts_with(start)) && !file.contains("/tests");
    let pronouns = words(line).filter(move |word| is_prose && is_pronoun(word));
    let texts = line.split('"').skip(1).step_by(2).filter(move |_| is_screen);
    let old = texts.flat_map(words).filter(|word| {
        let word = word.to_lowercase();
        OLD_WORDS.contains(&word.as_str())
    });
    pronouns.chain(old)
}

/// Names such as `buyer_email` are one word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
}

fn is_pronoun(word: &str) -> bool {
    let word = word.to_lowercase();
    PRONOUNS
        .iter()
        .any(|(start, end)| word.strip_prefix(start).is_some_and(|rest| rest == *end))
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

    #[test]
    fn everybody_is_they_and_a_name_is_no_pronoun() {
        let said = ["/// What ", "h", "e", " chose."].concat();
        assert_eq!(misspoken("server/web/src/app.rs", &said).count(), 1);
        assert_eq!(misspoken(QUOTES, &said).count(), 0);
        assert_eq!(misspoken("fuzz/corpus/link/1", &said).count(), 0);
        assert_eq!(
            misspoken("server/web/src/app.rs", "/// What they chose in the header.").count(),
            0
        );
    }

    #[test]
    fn pages_call_a_charge_a_charge() {
        let line = r#"const TITLE: Words = words("Latest transactions", "Derniers encaissements");"#;
        assert_eq!(misspoken("server/dashboard/src/shop.rs", line).count(), 1);
        assert_eq!(misspoken("server/node/src/rpc.rs", line).count(), 0);
        assert_eq!(misspoken("server/dashboard/src/tests/shop.rs", line).count(), 0);
        let named = r#"("data-buyer-email", "buyer_email")"#;
        assert_eq!(misspoken("server/dashboard/src/snippet/code.rs", named).count(), 0);
    }
}
