//! Whom the server runs as. Root writes the configuration; what belongs to the server is made by its own user, or it could not open it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use bitpro_base::private;
use serde_json::Value;

use super::Trouble;

/// The user that the Debian package makes.
const SERVICE: &str = "bitpro";

/// The user of the server.
pub(super) struct Owner {
    /// Another user than the one who runs this: name, user id, group id.
    other: Option<(String, u32, u32)>,
}

impl Owner {
    /// Whoever the data folder belongs to; where there is none yet and root asks, the service's user, if there is one.
    ///
    /// # Errors
    /// When the folder belongs to somebody else and this is not root.
    pub(super) fn of(data_dir: &Path) -> Result<Self, Trouble> {
        let ours = rustix::process::geteuid();
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let found = match fs::metadata(data_dir) {
            Ok(found) if found.uid() == ours.as_raw() => None,
            Ok(found) if !ours.is_root() => {
                return Err(Trouble::failed(format!(
                    "data-dir-unwritable: {} belongs to the user with number {}: run this as that user, or as root; nothing was changed",
                    data_dir.display(),
                    found.uid()
                )));
            }
            Ok(found) => {
                let name = named(&users, |_, uid| uid == found.uid());
                let name = name.map_or_else(|| format!("#{}", found.uid()), |(name, ..)| name);
                Some((name, found.uid(), found.gid()))
            }
            Err(_) if ours.is_root() => named(&users, |name, _| name == SERVICE),
            Err(_) => None,
        };
        Ok(Self { other: found })
    }

    /// The user's name, if it is another than the caller's.
    pub(super) fn name(&self) -> Option<&str> {
        self.other.as_ref().map(|(name, ..)| name.as_str())
    }

    /// The group that has to read the configuration.
    pub(super) fn group(&self) -> Option<u32> {
        self.other.as_ref().map(|(_, _, group)| *group)
    }

    /// Makes the data folder for the user alone.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn make_folder(&self, data_dir: &Path) -> Result<(), Trouble> {
        if data_dir.is_dir() {
            return Ok(());
        }
        let made = private::make_folder(data_dir).and_then(|()| match &self.other {
            Some((_, user, group)) => chown(data_dir, Some(*user), Some(*group)),
            None => Ok(()),
        });
        made.map_err(|error| Trouble::failed(format!("data-dir-unwritable: {}: {error}", data_dir.display())))
    }

    /// What `bitpro check` says of the configuration in `file` and of its node, as the user sees them.
    ///
    /// # Errors
    /// When it cannot be run.
    pub(super) fn check(&self, file: &Path) -> Result<Vec<Value>, String> {
        let output = self.command(file)?.args(["check", "--only", "node", "--json"]).output();
        let output = output.map_err(|error| format!("check-failed: {error}"))?;
        let lines = serde_json::from_slice(&output.stdout);
        lines.map_err(|_| format!("check-failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }

    /// How many merchants there are. Makes the database and the keys where they are missing.
    ///
    /// # Errors
    /// What the command says.
    pub(super) fn merchants(&self, file: &Path) -> Result<usize, Trouble> {
        let listed = self.run(file, &["merchant", "list", "--json"])?;
        Ok(listed.as_array().map_or(0, Vec::len))
    }

    /// What a command of `bitpro` gives as JSON.
    ///
    /// # Errors
    /// What it says.
    pub(super) fn run(&self, file: &Path, arguments: &[&str]) -> Result<Value, Trouble> {
        let output = self.command(file).map_err(Trouble::failed)?.args(arguments).output();
        let output = output.map_err(|error| Trouble::failed(error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said: Vec<&str> = said.lines().map(|line| line.trim_start_matches("bitpro: ")).collect();
            return Err(Trouble::failed(said.join("\n")));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| Trouble::failed(error.to_string()))
    }

    fn command(&self, file: &Path) -> Result<Command, String> {
        let this = std::env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
        let mut command = Command::new(this);
        command.arg("--config").arg(file);
        if let Some((_, user, group)) = &self.other {
            // The caller's folder may be closed to that user.
            command.uid(*user).gid(*group).current_dir("/");
        }
        Ok(command)
    }
}

/// The user of an `/etc/passwd` that is wanted: name, user id, group id.
fn named(users: &str, is_wanted: impl Fn(&str, u32) -> bool) -> Option<(String, u32, u32)> {
    users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let (name, user, group) = (fields.first()?, fields.get(2)?, fields.get(3)?);
        let (user, group) = (user.parse().ok()?, group.parse().ok()?);
        is_wanted(name, user).then(|| ((*name).to_owned(), user, group))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbitpro:x:101:103::/var/lib/bitpro:/usr/sbin/nologin\n";
        let service = Some(("bitpro".to_owned(), 101, 103));
        assert_eq!(named(users, |name, _| name == SERVICE), service);
        assert_eq!(named(users, |_, user| user == 101), service);
        assert_eq!(named(users, |_, user| user == 7), None);
    }
}
