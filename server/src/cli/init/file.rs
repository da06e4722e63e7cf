//! The configuration file: what stands in it, and how more is written into it without losing a line.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use toml::Table;

use crate::cli::generate;

/// The mode of a file that only its owner reads, and of one that its group reads, too.
const PRIVATE: u32 = 0o600;
const FOR_THE_SERVICE: u32 = 0o640;

/// A configuration file, there or not.
pub(super) struct ConfigurationFile {
    pub path: PathBuf,
    text: Option<String>,
    table: Table,
}

/// A file that waits to take the configuration's place. Without that it is removed again, with the folder that was made for it.
pub(super) struct Candidate {
    to: PathBuf,
    pub path: PathBuf,
    made_folder: Option<PathBuf>,
    is_in_place: bool,
}

impl ConfigurationFile {
    /// Reads what is there.
    ///
    /// # Errors
    /// When it cannot be read, or is no TOML.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = match fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("configuration-unreadable: {shown}: {error}")),
        };
        let table = text.as_deref().unwrap_or_default().parse::<Table>();
        // The parser's own words quote the line, which may hold a secret.
        let table = table
            .map_err(|_| format!("configuration-unreadable: {shown} is no TOML; `bitpro check` names the line"))?;
        Ok(Self {
            path: path.to_path_buf(),
            text,
            table,
        })
    }

    /// Whether there is one.
    pub(super) const fn exists(&self) -> bool {
        self.text.is_some()
    }

    /// What is written for a setting, as the configuration reads it; an empty text is nothing.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        let text = match self.table.get(name)? {
            toml::Value::String(text) => text.clone(),
            toml::Value::Array(items) => {
                let items: Vec<&str> = items.iter().filter_map(toml::Value::as_str).collect();
                items.join(", ")
            }
            other => other.to_string(),
        };
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// The text with `set` in it: on the line where the setting stands as a comment, else at the end.
    fn with(&self, set: &[(&'static str, String)]) -> String {
        let Some(text) = &self.text else {
            return generate::configuration(&owned(set));
        };
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (name, value) in set {
            let written = format!("{name} = {}", generate::quoted(value));
            let place = lines.iter().position(|line| is_about(line, name));
            match place {
                Some(place) => lines[place] = written,
                None => lines.push(written),
            }
        }
        lines.join("\n") + "\n"
    }

    /// Writes the text with `set` beside the file. A file that is there keeps its owner and mode; a new one is for its owner, and with a
    /// `group` of the service's user for that, too.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn candidate(&self, set: &[(&'static str, String)], group: Option<u32>) -> Result<Candidate, String> {
        let failed = |error: io::Error| format!("configuration-unwritable: {}: {error}", self.path.display());
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let made_folder = (!folder.exists()).then(|| folder.to_path_buf());
        if made_folder.is_some() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let candidate = Candidate {
            to: self.path.clone(),
            path: folder.join(format!(".{name}.new-{}", std::process::id())),
            made_folder,
            is_in_place: false,
        };
        let write = || -> io::Result<()> {
            let mut file = File::options()
                .write(true)
                .create_new(true)
                .mode(PRIVATE)
                .open(&candidate.path)?;
            file.write_all(self.with(set).as_bytes())?;
            let mode = match fs::metadata(&self.path) {
                Ok(found) => {
                    chown(&candidate.path, Some(found.uid()), Some(found.gid()))?;
                    found.permissions().mode() & 0o7777
                }
                Err(_) if group.is_some() => {
                    chown(&candidate.path, None, group)?;
                    FOR_THE_SERVICE
                }
                Err(_) => PRIVATE,
            };
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            file.sync_all()
        };
        write().map_err(failed)?;
        Ok(candidate)
    }
}

impl Candidate {
    /// Lets it take its place.
    ///
    /// # Errors
    /// When it cannot; the file is as it was then.
    pub(super) fn put_in_place(mut self) -> Result<(), String> {
        fs::rename(&self.path, &self.to)
            .map_err(|error| format!("configuration-unwritable: {}: {error}", self.to.display()))?;
        self.is_in_place = true;
        Ok(())
    }

    /// What was said of it, as said of the file whose place it is to take.
    pub(super) fn named(&self, text: &str) -> String {
        text.replace(&self.path.display().to_string(), &self.to.display().to_string())
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        if self.is_in_place {
            return;
        }
        // Gone already, or nobody can remove it: it names itself as unfinished.
        let _ = fs::remove_file(&self.path);
        if let Some(folder) = &self.made_folder {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Whether a line sets `name`, as a comment or not.
fn is_about(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix('#').unwrap_or(line).trim_start();
    let rest = line.strip_prefix(name).map(str::trim_start);
    rest.is_some_and(|rest| rest.starts_with('='))
}

fn owned(set: &[(&'static str, String)]) -> Vec<(String, String)> {
    set.iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> [(&'static str, String); 2] {
        [
            ("network", "regtest".to_owned()),
            ("public_url", "https://pay.example".to_owned()),
        ]
    }

    #[test]
    fn comments_and_settings_stay_and_a_comment_becomes_its_setting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bitpro.toml");
        fs::write(&path, "# Mine.\n#network = \"\"\ndata_dir = \"/d\" # here\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let file = ConfigurationFile::open(&path).unwrap();
        assert_eq!(file.value("data_dir").as_deref(), Some("/d"));
        assert_eq!(file.value("network"), None);
        file.candidate(&set(), None).unwrap().put_in_place().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "# Mine.\nnetwork = \"regtest\"\ndata_dir = \"/d\" # here\npublic_url = \"https://pay.example\"\n"
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_new_file_has_every_setting_and_is_private_and_one_that_is_not_wanted_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("etc/bitpro.toml");
        let file = ConfigurationFile::open(&path).unwrap();
        drop(file.candidate(&set(), None).unwrap());
        assert!(!path.parent().unwrap().exists());
        file.candidate(&set(), None).unwrap().put_in_place().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("network = \"regtest\"\n") && text.contains("#listen = "),
            "{text}"
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
