//! Collecting what was written: from the environment and the file, as text by setting. The environment wins.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::{ConfigError, Origin};
use super::settings::{PREFIX, SETTINGS, Setting};

/// Variables with our prefix that belong to the workspace's own tools (`cargo xtask`, the test harness) or to the choice
/// of the file, and are therefore no settings.
const NOT_SETTINGS: [&str; 5] = [
    "BITPRO_CONFIG",
    "BITPRO_CACHE",
    "BITPRO_BIN",
    "BITPRO_DEMO",
    "BITPRO_PYTHON",
];

/// What was written, by the setting's name.
pub type Written = BTreeMap<&'static str, (String, Origin)>;

/// Reads the file, then the environment over it.
pub fn collect(
    environment: impl IntoIterator<Item = (String, String)>,
    file: Option<&Path>,
    errors: &mut Vec<ConfigError>,
) -> Written {
    let mut written = Written::new();
    if let Some(path) = file {
        from_file(path, &mut written, errors);
    }
    for (variable, value) in environment {
        if !variable.starts_with(PREFIX) || NOT_SETTINGS.contains(&variable.as_str()) {
            continue;
        }
        let name = variable[PREFIX.len()..].to_ascii_lowercase();
        let origin = Origin::Environment(variable.clone());
        put(&variable, &name, value, origin, &mut written, errors);
    }
    // An empty value is no value: that is how a variable is taken back in most service managers.
    written.retain(|_, (value, _)| !value.trim().is_empty());
    written
}

fn from_file(path: &Path, written: &mut Written, errors: &mut Vec<ConfigError>) {
    let shown = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => from_text(&text, &shown, written, errors),
        Err(error) => errors.push(ConfigError::File {
            path: shown,
            cause: error.to_string(),
        }),
    }
}

/// Reads the text of the file that is `shown` so.
pub(super) fn from_text(text: &str, shown: &str, written: &mut Written, errors: &mut Vec<ConfigError>) {
    let failed = |cause: String| ConfigError::File {
        path: shown.to_owned(),
        cause,
    };
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        // The parser's own message quotes the line, which may hold a secret: only the place is told.
        Err(error) => {
            let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
            return errors.push(failed(format!("line {line} is no TOML")));
        }
    };
    for (name, value) in &table {
        let origin = Origin::File(shown.to_owned());
        match as_text(value) {
            Some(text) => put(name, name, text, origin, written, errors),
            None => errors.push(failed(format!(
                "{name} is neither a text, a number, true or false, nor a list of texts"
            ))),
        }
    }
}

fn put(shown: &str, name: &str, value: String, origin: Origin, written: &mut Written, errors: &mut Vec<ConfigError>) {
    match Setting::named(name) {
        Some(setting) => {
            written.insert(setting.name, (value, origin));
        }
        None => errors.push(ConfigError::Unknown {
            name: shown.to_owned(),
            origin,
            nearest: nearest(name),
        }),
    }
}

fn as_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(is_so) => Some(is_so.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            items.map(|items| items.join(", "))
        }
        _ => None,
    }
}

/// The setting most like `name`, if one is like it at all.
fn nearest(name: &str) -> Option<&'static str> {
    SETTINGS
        .iter()
        .map(|setting| (distance(name, setting.name), setting.name))
        .min()
        .filter(|(distance, candidate)| *distance * 2 <= candidate.len().max(name.len()))
        .map(|(_, candidate)| candidate)
}

/// The number of characters to add, remove or change to get from `a` to `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            "listen = \"127.0.0.1:1\"\nreorg_limit = 5\nwebhook_allow_http = true\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n",
        )
        .unwrap();
        let mut errors = Vec::new();
        let written = collect(
            environment(&[("BITPRO_LISTEN", "127.0.0.1:2"), ("PATH", "/bin"), ("BITPRO_BIN", "x")]),
            Some(file.path()),
            &mut errors,
        );
        assert_eq!(errors, []);
        assert_eq!(written["listen"].0, "127.0.0.1:2");
        assert_eq!(written["reorg_limit"].0, "5");
        assert_eq!(written["webhook_allow_http"].0, "true");
        assert_eq!(written["trusted_proxies"].0, "10.0.0.0/8, ::1");
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest_one() {
        let mut errors = Vec::new();
        collect(
            environment(&[("BITPRO_LISTN", "x"), ("BITPRO_ZZZZZZZZZZ", "x")]),
            None,
            &mut errors,
        );
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "BITPRO_LISTN (environment variable BITPRO_LISTN) is not a setting; did you mean listen?",
                "BITPRO_ZZZZZZZZZZ (environment variable BITPRO_ZZZZZZZZZZ) is not a setting",
            ]
        );
    }

    #[test]
    fn a_broken_file_is_named_with_its_line_and_without_its_text() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "network = \"regtest\"\nsecret_key = hunter2\n").unwrap();
        let mut errors = Vec::new();
        collect(Vec::new(), Some(file.path()), &mut errors);
        let text = errors[0].to_string();
        assert!(text.contains("line 2"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
        let mut errors = Vec::new();
        collect(Vec::new(), Some(Path::new("/nowhere/bitpro.toml")), &mut errors);
        assert!(errors[0].to_string().contains("/nowhere/bitpro.toml"));
    }

    #[test]
    fn an_empty_variable_is_no_value() {
        let mut errors = Vec::new();
        let written = collect(environment(&[("BITPRO_LISTEN", "")]), None, &mut errors);
        assert!(written.is_empty());
    }
}
