//! The one error of the automation: a sentence for the person who typed the command.

use std::fmt;
use std::path::Path;

/// Result of anything that may stop a command.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why a command stopped, complete enough to act upon.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure told by `sentence`.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// An operating system error while doing `what` (for example "read") to `path`.
    pub fn file(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self(format!("cannot {what} {}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
