//! What is wrong with a configuration, said so that it can be put right.

use std::fmt;

use super::settings::Setting;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An environment variable.
    Environment(String),
    /// The configuration file.
    File(String),
    /// Nobody wrote it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::File(path) => write!(f, "{path}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// A value that cannot be taken.
    Wrong {
        /// The setting.
        setting: &'static Setting,
        /// What was written; left out of the message when the setting is secret.
        value: String,
        /// Where.
        origin: Origin,
        /// What would be right, beyond the setting's own words.
        because: Option<String>,
    },
    /// A setting without a default was not set.
    Missing {
        /// The setting.
        setting: &'static Setting,
        /// When it is needed; empty when always.
        when: String,
    },
    /// No setting has this name.
    Unknown {
        /// What was written.
        name: String,
        /// Where.
        origin: Origin,
        /// The setting that is most like it.
        nearest: Option<&'static str>,
    },
    /// Two settings exclude each other.
    Contradiction(String),
    /// The file cannot be read, or is no TOML.
    File {
        /// The file.
        path: String,
        /// What went wrong.
        cause: String,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong {
                setting,
                value,
                origin,
                because,
            } => {
                if setting.secret {
                    write!(f, "{} ({origin}; the value is secret)", setting.name)?;
                } else {
                    write!(f, "{} = {value:?} ({origin})", setting.name)?;
                }
                write!(f, ": wanted {}", setting.wanted)?;
                match because {
                    Some(because) => write!(f, "; {because}"),
                    None => Ok(()),
                }
            }
            Self::Missing { setting, when } => write!(
                f,
                "{} is not set{}{when}: wanted {} (set {} in the environment or {} in the file)",
                setting.name,
                if when.is_empty() { "" } else { ", which is needed " },
                setting.wanted,
                setting.variable(),
                setting.name
            ),
            Self::Unknown { name, origin, nearest } => {
                write!(f, "{name} ({origin}) is not a setting")?;
                match nearest {
                    Some(nearest) => write!(f, "; did you mean {nearest}?"),
                    None => Ok(()),
                }
            }
            Self::Contradiction(text) => f.write_str(text),
            Self::File { path, cause } => write!(f, "the configuration file {path}: {cause}"),
        }
    }
}

/// Everything that is wrong, not only the first: one start tells all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
