//! What a release is called, and when it was made: by the sources alone, so that two builds agree.

use std::env;
use std::fs;

use crate::failure::{Failure, Result};
use crate::proc::{self, say};
use crate::workspace::Workspace;

/// Its name and its time.
#[derive(Debug, Clone)]
pub struct Release {
    /// As Cargo.toml has it.
    pub version: String,
    /// Who answers for it, as the first of Cargo.toml's authors.
    pub maintainer: String,
    /// What `bitpro --version` says behind the version; empty outside git.
    pub commit: String,
    /// The time that files of the package get, in seconds since 1970.
    pub epoch: String,
}

/// The time of a build outside git, when the caller names none: the first that archives of every kind can hold.
const EPOCH_OUTSIDE_GIT: &str = "315532800";

impl Release {
    /// Reads it from the workspace. The caller's `BITPRO_COMMIT` and `SOURCE_DATE_EPOCH` win: outside git, nobody else knows.
    ///
    /// # Errors
    /// When Cargo.toml has no version.
    pub fn of(workspace: &Workspace) -> Result<Self> {
        let git = |arguments: &[&str]| proc::read(proc::command(workspace, "git").args(arguments)).ok();
        let written = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let told = |name: &str| env::var(name).ok().and_then(written);
        let commit = told("BITPRO_COMMIT").or_else(|| {
            let commit = git(&["rev-parse", "--short=12", "HEAD"]).and_then(written)?;
            if git(&["status", "--porcelain"]).and_then(written).is_none() {
                return Some(commit);
            }
            say("there are changes that are in no commit: the version says so");
            Some(format!("{commit}-modified"))
        });
        let epoch = told("SOURCE_DATE_EPOCH").or_else(|| git(&["log", "-1", "--format=%ct"]).and_then(written));
        Ok(Self {
            version: of_manifest(workspace, "version")?,
            maintainer: of_manifest(workspace, "authors")?,
            commit: commit.unwrap_or_default(),
            epoch: epoch.unwrap_or_else(|| EPOCH_OUTSIDE_GIT.to_owned()),
        })
    }
}

fn of_manifest(workspace: &Workspace, name: &str) -> Result<String> {
    let manifest = workspace.root.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|error| Failure::file("read", &manifest, &error))?;
    written_in(&text, name).ok_or_else(|| Failure::new(format!("Cargo.toml has no {name} under [workspace.package]")))
}

/// The text, or the only text of a list, that `name` is.
fn written_in(manifest: &str, name: &str) -> Option<String> {
    let (_, package) = manifest.split_once("[workspace.package]")?;
    let line = package
        .lines()
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))?;
    Some(line.trim().trim_matches(['[', ']', '"']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_maintainer_are_those_of_the_workspace() {
        let manifest =
            "[workspace]\nresolver = \"3\"\n[workspace.package]\nversion = \"0.1.0\"\nauthors = [\"A <a@b.c>\"]\n";
        assert_eq!(written_in(manifest, "version").as_deref(), Some("0.1.0"));
        assert_eq!(written_in(manifest, "authors").as_deref(), Some("A <a@b.c>"));
        assert_eq!(written_in("[package]\nversion = \"1\"\n", "version"), None);
    }
}
