//! docs/limits.md says what the program does: every number on it is looked up in the settings and the sources, and every name of a
//! limit or metric, from the page to the sources and back; and each row has its tests.

mod proofs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use bitpro_config as config;
use bitpro_merchant as merchant;

const PAGE: &str = include_str!("../../../docs/limits.md");

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every source file without its tests.
fn program() -> String {
    fn collect(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if ["tests", "page"].contains(&name.as_str()) {
                    continue;
                }
                collect(&path, text);
            } else if name.ends_with(".rs") && !["tests.rs", "testing.rs", "page.rs"].contains(&name.as_str()) {
                let source = fs::read_to_string(&path).unwrap();
                text.push_str(source.split("#[cfg(test)]\nmod tests {").next().unwrap());
            }
        }
    }
    let mut text = String::new();
    collect(&sources(), &mut text);
    text
}

/// Every test of the server, of the charges and of the integration tests, by its name.
fn tests() -> BTreeSet<String> {
    fn collect(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(&path).unwrap();
                for attribute in ["#[test]\n", "#[tokio::test]\n"] {
                    let tests = source.split(attribute).skip(1);
                    found.extend(tests.filter_map(|test| {
                        let (_, name) = test.split_once("fn ")?;
                        Some(name.split('(').next()?.to_owned())
                    }));
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(&sources(), &mut found);
    collect(&sources().join("../charge/src"), &mut found);
    collect(&sources().join("../tests/it"), &mut found);
    found
}

/// The cells of every row of the page's tables.
fn rows() -> Vec<Vec<&'static str>> {
    let lines = PAGE
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---") && !line.starts_with("| what |"));
    lines
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// What stands in backticks in a cell, each with the text before it.
fn names(cell: &'static str) -> Vec<(&'static str, &'static str)> {
    let parts: Vec<&str> = cell.split('`').collect();
    assert!(parts.len() % 2 == 1, "backticks do not match in: {cell}");
    parts
        .chunks(2)
        .filter_map(|pair| Some((pair[0], *pair.get(1)?)))
        .collect()
}

/// The last number of a text, in the unit that stands behind it.
fn number(text: &str) -> Option<u64> {
    let mut found = None;
    let words: Vec<&str> = text.split_whitespace().collect();
    for (nth, word) in words.iter().enumerate() {
        let digits = word.trim_matches(|c: char| !c.is_ascii_digit()).replace(',', "");
        if let Ok(number) = digits.parse::<u64>() {
            let unit = match words
                .get(nth + 1)
                .map(|unit| unit.trim_matches(|c: char| !c.is_alphabetic()))
            {
                Some("KiB") => 1024,
                Some("MiB") => 1024 * 1024,
                _ => 1,
            };
            found = Some(number * unit);
        }
    }
    found
}

/// Where a module may stand: in the crate that its first part names, or in one of several subjects.
fn files_of(module: &str) -> Vec<PathBuf> {
    let path = module.replace("::", "/");
    let (first, rest) = path.split_once('/').unwrap_or((&path, "lib"));
    let crates = ["base", "merchant", "operator", "service", "web", "."];
    let in_one = crates.map(|name| sources().join(name).join("src").join(&path));
    let own = sources().join(first).join("src").join(rest);
    [own]
        .into_iter()
        .chain(in_one)
        .flat_map(|file| [file.with_extension("rs"), file.join("mod.rs")])
        .collect()
}

/// The value of a constant, named by its path as in `limits::press::SPENT_TOKENS`.
fn constant(path: &str) -> u64 {
    let (module, name) = path.rsplit_once("::").unwrap();
    let source = files_of(module)
        .iter()
        .find_map(|file| fs::read_to_string(file).ok())
        .unwrap_or_else(|| panic!("{module} is no module"));
    let defined = source.lines().find_map(|line| {
        let (before, rest) = line.split_once(&format!("{name}: "))?;
        let is_definition = before.trim_end().ends_with("const") || before.trim_end().ends_with("static");
        rest.split_once(" = ").map(|(_, value)| value).filter(|_| is_definition)
    });
    let value = defined
        .unwrap_or_else(|| panic!("{path} is not defined"))
        .trim_end_matches(';');
    let value = value.rsplit('(').next().unwrap().trim_end_matches(')');
    let factors = value.split('*').map(|factor| factor.trim().replace('_', ""));
    let factors = factors.map(|factor| factor.parse::<u64>().unwrap_or_else(|_| panic!("{path} is {value}")));
    factors.product()
}

/// The default of a setting of the operator or of merchants.
fn default(name: &str) -> Option<u64> {
    let operators = config::SETTINGS.iter().find(|setting| setting.name == name);
    if let Some(setting) = operators {
        return setting.default.and_then(|default| default.parse().ok());
    }
    let merchants = merchant::SETTINGS.iter().find(|setting| setting.name == name);
    let setting = merchants.unwrap_or_else(|| panic!("{name} is no setting"));
    setting.default.parse().ok()
}

#[test]
fn every_number_of_the_page_is_the_programs() {
    let mut checked = 0;
    for row in rows() {
        for cell in &row[..row.len() - 1] {
            // Fields and addresses of HTTP are no names of ours.
            let ours = names(cell).into_iter().filter(|(_, name)| !name.contains(['-', '/']));
            for (before, name) in ours {
                let wanted = if name.contains("::") {
                    Some(constant(name))
                } else {
                    default(name)
                };
                // A setting without a number, such as trusted_proxies, is only named.
                let Some(wanted) = wanted else { continue };
                assert_eq!(number(before), Some(wanted), "{name} in: {cell}");
                checked += 1;
            }
        }
    }
    assert!(checked > 40, "{checked}");
}

#[test]
fn every_row_has_a_test_that_goes_past_its_bound() {
    let known = tests();
    let mut proofs: BTreeMap<&str, &[&str]> = proofs::PROOFS.iter().copied().collect();
    let exempt: BTreeMap<&str, &str> = proofs::NOTHING_TO_PASS.iter().copied().collect();
    for row in rows() {
        let what = row[0];
        let tests = proofs.remove(what);
        assert!(
            tests.is_some() != exempt.contains_key(what),
            "{what}: a row has tests, or a reason why there is nothing to go past"
        );
        for name in tests.unwrap_or_default() {
            assert!(known.contains(*name), "{what}: there is no test {name}");
        }
    }
    assert!(proofs.is_empty(), "no rows: {:?}", proofs.keys());
}

#[test]
fn every_name_on_the_page_is_counted_by_the_program() {
    let program = program();
    for row in rows() {
        for (_, name) in names(row.last().unwrap()) {
            let emitted = match name.starts_with("bitpro_") {
                true => first_words(&program, &["counter!(", "gauge!(", "histogram!("]).contains(name),
                false => limits_of(&program).contains(name),
            };
            assert!(emitted, "nothing counts {name}");
        }
    }
}

#[test]
fn every_limit_of_the_program_stands_on_the_page() {
    let counted: BTreeSet<&str> = rows()
        .iter()
        .flat_map(|row| names(row.last().unwrap()))
        .map(|(_, name)| name)
        .collect();
    let missing: Vec<String> = limits_of(&program())
        .into_iter()
        .filter(|limit| !counted.contains(limit.as_str()))
        .collect();
    assert!(missing.is_empty(), "docs/limits.md has no row for {missing:?}");
}

#[test]
fn every_counter_of_the_program_is_there_before_its_first_count() {
    let program = program();
    let limits: BTreeSet<String> = super::NAMES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(limits, limits_of(&program));
    let telemetry = fs::read_to_string(sources().join("src/telemetry.rs")).unwrap();
    let (_, rest) = telemetry.split_once("const COUNTERS").unwrap();
    let (begun, _) = rest.split_once("];").unwrap();
    for name in first_words(&program, &["counter!("]) {
        // Those of limits are begun where their names are.
        let is_begun = name.starts_with("bitpro_limits_") || begun.contains(&format!("\"{name}\""));
        assert!(is_begun, "{name} comes out of nothing");
    }
}

/// The names under which the program counts whoever comes up against a limit.
fn limits_of(program: &str) -> BTreeSet<String> {
    let calls = [
        "refused(",
        "Buckets::new(",
        "Buckets::per_hour(",
        "hourly(",
        "Streaks::new(",
        "Desk::new(",
    ];
    let mut names = first_words(program, &calls);
    // A setting that is refused is no limit that somebody came up against.
    names.retain(|name| merchant::SETTINGS.iter().all(|setting| setting.name != name));
    names
}

/// The names that stand first in calls like these. What is only described is not counted.
fn first_words(program: &str, calls: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for call in calls {
        let mut pieces = program.split(call);
        let mut before = pieces.next().unwrap_or_default();
        for rest in pieces {
            if let Some(text) = rest.trim_start().strip_prefix('"')
                && !before.ends_with("describe_")
            {
                let word = text.split('"').next().unwrap_or_default();
                // Refusals of other kinds have names with hyphens, or are sentences.
                if word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
                {
                    found.insert(word.to_owned());
                }
            }
            before = rest;
        }
    }
    found
}
