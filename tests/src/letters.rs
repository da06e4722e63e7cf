//! The letters that a server without a mail server leaves in its folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::wait::eventually;

/// Where a server that was given no mail server puts its letters.
#[derive(Debug, Clone)]
pub struct Letters(PathBuf);

impl Letters {
    /// The letters of the server with this folder of data.
    #[must_use]
    pub fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("mail"))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The link with a token in the newest letter to `email`, once there is one.
    ///
    /// # Errors
    /// When none comes.
    pub async fn link_to(&self, email: &str) -> Result<String> {
        eventually(&format!("a letter to {email}"), || async { self.newest_link(email) }).await
    }

    fn newest_link(&self, email: &str) -> Result<String> {
        let entries = fs::read_dir(&self.0)?;
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
        let letters = files.iter().rev().filter_map(|file| fs::read_to_string(file).ok());
        letters
            .filter(|letter| letter.contains(email))
            .find_map(|letter| link(&letter).ok())
            .context("no letter has a link")
    }
}

/// The first address with a token in a letter, whose lines may be broken by `=` (RFC 2045, section 6.7).
fn link(letter: &str) -> Result<String> {
    let plain = letter.replace("=\r\n", "").replace("=3D", "=");
    let at = plain.find("?token=").context("the letter has no link")?;
    let start = plain[..at]
        .rfind("http")
        .context("the letter's link has no beginning")?;
    let rest = &plain[start..];
    let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
    Ok(rest[..end].to_owned())
}
