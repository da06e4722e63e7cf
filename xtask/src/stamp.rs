//! Has anything changed since the last time? A stamp file remembers the hash of what went in and of what came out.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// Folders that are results, never inputs.
const RESULTS: [&str; 4] = ["node_modules", "dist", "target", "test-results"];

/// A hash of names and contents below a list of files and folders.
///
/// Good against accident, not against malice: what is pinned for safety is pinned by SHA-256 elsewhere.
#[derive(Debug)]
pub struct Fingerprint(DefaultHasher);

impl Fingerprint {
    /// Starts with the words that matter besides files, such as versions of tools.
    pub fn new(words: &[String]) -> Self {
        let mut hasher = DefaultHasher::new();
        words.hash(&mut hasher);
        Self(hasher)
    }

    /// Adds a file, or all files below a folder that are no results; a path that does not exist counts as absent.
    ///
    /// # Errors
    /// When something there cannot be read.
    pub fn add(&mut self, path: &Path) -> Result<()> {
        if path.is_dir() {
            for file in files_below(path)? {
                self.add_named(&file.to_string_lossy(), &file)?;
            }
            Ok(())
        } else {
            self.add_named(&path.to_string_lossy(), path)
        }
    }

    /// Adds a file's content under a name that does not depend on where it lies; a file that does not exist counts as absent.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn add_named(&mut self, name: &str, path: &Path) -> Result<()> {
        if path.is_file() {
            let content = fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
            name.hash(&mut self.0);
            content.hash(&mut self.0);
        }
        Ok(())
    }

    /// The hash as 16 hexadecimal digits.
    pub fn hex(&self) -> String {
        format!("{:016x}", self.0.finish())
    }
}

/// What is remembered between two runs about one piece of work.
#[derive(Debug)]
pub struct Stamp {
    file: PathBuf,
    inputs: String,
    outputs: PathBuf,
}

impl Stamp {
    /// A stamp in `file` for work that turns `inputs` into the folder `outputs`.
    pub fn new(file: PathBuf, inputs: &Fingerprint, outputs: PathBuf) -> Self {
        Self {
            file,
            inputs: inputs.hex(),
            outputs,
        }
    }

    /// Whether the work was done with just these inputs and its results still lie there untouched.
    ///
    /// # Errors
    /// When the results cannot be read.
    pub fn is_fresh(&self) -> Result<bool> {
        if !self.outputs.is_dir() {
            return Ok(false);
        }
        match fs::read_to_string(&self.file) {
            Ok(remembered) => Ok(remembered == self.content()?),
            Err(_) => Ok(false),
        }
    }

    /// Remembers that the work is done.
    ///
    /// # Errors
    /// When the results cannot be read or the stamp cannot be written.
    pub fn write(&self) -> Result<()> {
        let content = self.content()?;
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
        }
        fs::write(&self.file, content).map_err(|error| Failure::file("write", &self.file, &error))
    }

    fn content(&self) -> Result<String> {
        let mut results = Fingerprint::new(&[]);
        results.add(&self.outputs)?;
        Ok(format!("inputs {}\noutputs {}\n", self.inputs, results.hex()))
    }
}

/// All files below a folder in a fixed order, without those in folders of results.
///
/// # Errors
/// When a folder cannot be listed.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error: std::io::Error| Failure::file("list", folder, &error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        let result = entry
            .file_name()
            .is_some_and(|name| RESULTS.iter().any(|folder| name == *folder));
        if entry.is_dir() && !result {
            files.extend(files_below(&entry)?);
        } else if !result {
            files.push(entry);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_stale_when_inputs_or_results_change() {
        let folder = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        let (source, results) = (folder.join("source"), folder.join("results"));
        fs::create_dir_all(&source).expect("a temporary folder can be made");
        fs::create_dir_all(&results).expect("a temporary folder can be made");
        let write = |path: PathBuf, text: &str| fs::write(path, text).expect("a temporary file can be written");
        let stamp = || {
            let mut inputs = Fingerprint::new(&["tool 1".to_owned()]);
            inputs.add(&source).expect("the source can be read");
            Stamp::new(folder.join("stamp"), &inputs, results.clone())
        };
        let fresh = || stamp().is_fresh().expect("the results can be read");

        write(source.join("a"), "one");
        write(results.join("b"), "built");
        assert!(!fresh(), "never stamped");
        stamp().write().expect("the stamp can be written");
        assert!(fresh(), "nothing changed");
        write(results.join("b"), "touched");
        assert!(!fresh(), "a result changed");
        write(results.join("b"), "built");
        assert!(fresh(), "the result is back");
        write(source.join("a"), "two");
        assert!(!fresh(), "an input changed");
        fs::remove_dir_all(&folder).expect("the temporary folder can be removed");
    }
}
