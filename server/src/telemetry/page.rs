//! docs/log.md has a row for every message that the sources write at the levels `warn` and `error`.

use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../../docs/log.md");
/// Messages whose words come from elsewhere, and the words by which the page has them.
const FROM_ELSEWHERE: [(&str, &[&str]); 4] = [
    ("{cut}", &["the export was ended: its requester lost access"]),
    ("{hearing}", &["the node has no peers", "(-blocksonly)"]),
    (
        "{zmq}",
        &["no ZMQ notifications", "ZMQ is not connected", "ZMQ is silent"],
    ),
    ("{told}", &["panic:"]),
];
/// What a message has in common with the page: the page leaves out the end of long ones.
const ENOUGH: usize = 60;

/// The sources of the server without their tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" && name != "target" {
                sources(&path, found);
            }
        } else if name.ends_with(".rs")
            && name != "tests.rs"
            && name != "testing.rs"
            && !path.ends_with("telemetry/page.rs")
        {
            found.push(path);
        }
    }
}

/// The messages of a source: of each call, the last text that is no value of a field.
fn messages(text: &str) -> Vec<String> {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut found = Vec::new();
    for call in ["tracing::warn!(", "tracing::error!("] {
        for rest in code.split(call).skip(1) {
            found.extend(last_text(rest));
        }
    }
    found
}

/// The last text literal before the call's closing parenthesis, with its lines joined.
fn last_text(rest: &str) -> Option<String> {
    let (mut depth, mut text, mut last) = (1, None::<String>, None);
    let mut letters = rest.chars().peekable();
    while let Some(letter) = letters.next() {
        match (&mut text, letter) {
            (Some(text), '\\') => match letters.next() {
                Some('\n') => while letters.next_if(|letter| letter.is_whitespace()).is_some() {},
                Some(escaped) => text.push(escaped),
                None => break,
            },
            (Some(_), '"') => last = text.take(),
            (Some(text), letter) => text.push(letter),
            (None, '"') => text = Some(String::new()),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, _) => {}
        }
        if depth == 0 {
            return last;
        }
    }
    None
}

/// The parts of a message between what is filled in.
fn fixed_parts(message: &str) -> Vec<&str> {
    let parts = message
        .split('{')
        .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    parts.map(str::trim).filter(|part| part.len() > 4).collect()
}

fn has(message: &str) -> bool {
    if let Some((_, words)) = FROM_ELSEWHERE.iter().find(|(known, _)| message.ends_with(known)) {
        return words.iter().all(|words| PAGE.contains(words));
    }
    fixed_parts(message).into_iter().take(2).all(|part| {
        let end = part.floor_char_boundary(ENOUGH);
        PAGE.contains(part.get(..end).unwrap_or(part))
    })
}

#[test]
fn every_warning_and_error_is_explained() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("."), &mut files);
    let mut count = 0;
    let mut missing = Vec::new();
    for file in files {
        for message in messages(&fs::read_to_string(&file).unwrap()) {
            count += 1;
            if !has(&message) {
                missing.push(format!("{}: {message}", file.display()));
            }
        }
    }
    assert!(count > 80, "only {count} messages were found");
    assert!(missing.is_empty(), "docs/log.md has no row for {missing:#?}");
}

#[test]
fn messages_are_read_with_their_joined_lines_and_without_fields() {
    let text = "tracing::warn!(\n    from = f(\"x\"),\n    \"one \\\n     two {three}\"\n);\ntracing::error!(%error, \"four\");";
    assert_eq!(messages(text), ["one two {three}", "four"]);
    assert_eq!(
        fixed_parts("max = {a}, but {b} files: many"),
        ["max =", ", but", "files: many"]
    );
}
