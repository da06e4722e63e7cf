//! Turning written texts into values, noting all that is wrong instead of stopping at the first.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use super::error::{ConfigError, Origin};
use super::settings::Setting;
use super::source::Written;

/// Reads settings one by one. A wrong one is noted and gives `None` or a value that nobody will use.
pub(super) struct Reader {
    written: Written,
    /// Whether the files of keys may be missing, because they are to be made.
    pub(super) may_lack_keys: bool,
    pub(super) errors: Vec<ConfigError>,
}

impl Reader {
    pub(super) const fn new(written: Written, errors: Vec<ConfigError>) -> Self {
        Self {
            written,
            may_lack_keys: false,
            errors,
        }
    }

    /// What was written, or the default.
    pub(super) fn text(&self, name: &str) -> Option<(String, Origin)> {
        let setting = setting(name);
        self.written
            .get(setting.name)
            .cloned()
            .or_else(|| setting.default.map(|default| (default.to_owned(), Origin::Default)))
    }

    /// Whether somebody wrote the setting.
    pub(super) fn is_written(&self, name: &str) -> bool {
        self.written.contains_key(name)
    }

    /// The setting's value, if it was written or has a default.
    pub(super) fn parsed<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let (text, origin) = self.text(name)?;
        let value = parse(text.trim());
        if value.is_none() {
            self.wrong(name, text, origin, None);
        }
        value
    }

    /// A whole number within bounds; the lower bound when it is wrong.
    pub(super) fn number<T: FromStr + PartialOrd + Copy>(&mut self, name: &str, bounds: RangeInclusive<T>) -> T {
        let read = self.parsed(name, |text| text.parse().ok().filter(|number| bounds.contains(number)));
        read.unwrap_or(*bounds.start())
    }

    pub(super) fn path(&mut self, name: &str) -> Option<PathBuf> {
        self.parsed(name, |text| Some(PathBuf::from(text)))
    }

    /// The file that `<name>_file` names, where it is to be made: it is not there, and it may be missing.
    pub(super) fn file_to_make(&mut self, name: &str) -> Option<PathBuf> {
        let path = self.path(&format!("{name}_file")).filter(|_| self.may_lack_keys)?;
        let found = std::fs::symlink_metadata(&path);
        let is_missing = found.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        (is_missing && self.text(name).is_none()).then_some(path)
    }

    /// A secret that may stand in the setting itself or in the file that `<name>_file` names.
    pub(super) fn secret_text(&mut self, name: &str) -> Option<(String, Origin)> {
        let file_setting = format!("{name}_file");
        let inline = self.text(name);
        let Some(path) = self.path(&file_setting) else {
            return inline;
        };
        if inline.is_some() {
            self.errors.push(ConfigError::Contradiction(format!(
                "{name} and {file_setting} are both set: only one can be right"
            )));
            return None;
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => Some((text.trim().to_owned(), Origin::File(path.display().to_string()))),
            Err(error) => {
                let origin = self.text(&file_setting).map_or(Origin::Default, |(_, origin)| origin);
                self.wrong(
                    &file_setting,
                    path.display().to_string(),
                    origin,
                    Some(format!("it cannot be read: {error}")),
                );
                None
            }
        }
    }

    pub(super) fn wrong(&mut self, name: &str, value: String, origin: Origin, because: Option<String>) {
        self.errors.push(ConfigError::Wrong {
            setting: setting(name),
            value,
            origin,
            because,
        });
    }

    pub(super) fn missing(&mut self, name: &str, when: &str) {
        self.errors.push(ConfigError::Missing {
            setting: setting(name),
            when: when.to_owned(),
        });
    }
}

fn setting(name: &str) -> &'static Setting {
    Setting::named(name).expect("the names in this module are those of the table, which a test reads in full")
}
