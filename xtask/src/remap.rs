//! What is built names its sources, in messages of panics. These names must be the same wherever it is built, or no two builds are equal, and
//! nobody needs to know how a machine's folders are called.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::workspace::Workspace;

/// For the environment variable `CARGO_ENCODED_RUSTFLAGS`.
///
/// # Errors
/// When the sources of the dependencies cannot be found.
pub fn rustflags(workspace: &Workspace) -> Result<String> {
    let flags = names(workspace)?
        .into_iter()
        .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()));
    Ok(flags.collect::<Vec<_>>().join("\x1f"))
}

/// For the environment variable `CFLAGS`.
///
/// # Errors
/// As [`rustflags`].
pub fn cflags(workspace: &Workspace) -> Result<String> {
    let flags = names(workspace)?
        .into_iter()
        .map(|(folder, name)| format!("-ffile-prefix-map={}={name}", folder.display()));
    Ok(flags.collect::<Vec<_>>().join(" "))
}

/// The folders that must not be named. Of two that hold a file, the last one counts.
fn names(workspace: &Workspace) -> Result<Vec<(PathBuf, &'static str)>> {
    let mut names = vec![
        (workspace.root.clone(), "/build/bitpro"),
        (workspace.target.clone(), "/build/target"),
    ];
    names.extend(crates()?.into_iter().map(|folder| (folder, "/build/crates")));
    Ok(names)
}

/// Where cargo unpacks the sources of dependencies: a folder for each registry.
///
/// # Errors
/// When there is none.
pub fn crates() -> Result<Vec<PathBuf>> {
    let home = match env::var_os("CARGO_HOME").filter(|path| !path.is_empty()) {
        Some(home) => PathBuf::from(home),
        None => {
            let home = env::var_os("HOME").ok_or_else(|| Failure::new("neither CARGO_HOME nor HOME is set"))?;
            Path::new(&home).join(".cargo")
        }
    };
    let sources = home.join("registry/src");
    let entries = fs::read_dir(&sources).map_err(|error| Failure::file("list", &sources, &error))?;
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    Ok(folders)
}
