//! Whether two folders hold the same.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// The files of a folder, in a fixed order.
///
/// # Errors
/// When it cannot be listed.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| Failure::file("list", folder, &error))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    Ok(files)
}

/// Compares every file of two folders.
///
/// # Errors
/// When one is missing or another: the failure names each, and the first byte that differs.
pub fn folders(one: &Path, other: &Path) -> Result<()> {
    let mut names: Vec<OsString> = Vec::new();
    for folder in [one, other] {
        names.extend(
            files(folder)?
                .iter()
                .filter_map(|file| Some(file.file_name()?.to_owned())),
        );
    }
    names.sort();
    names.dedup();
    let differences: Vec<String> = names
        .iter()
        .filter_map(|name| {
            let why = difference(&one.join(name), &other.join(name))?;
            Some(format!("{}: {why}", name.to_string_lossy()))
        })
        .collect();
    if differences.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "two builds of the same sources differ:\n  {}\nThey are in {} and {}",
        differences.join("\n  "),
        one.display(),
        other.display()
    )))
}

fn difference(one: &Path, other: &Path) -> Option<String> {
    let (Ok(one), Ok(other)) = (fs::read(one), fs::read(other)) else {
        return Some("only one build has it".to_owned());
    };
    if one == other {
        return None;
    }
    let first = one.iter().zip(&other).position(|(a, b)| a != b);
    Some(match first {
        Some(at) => format!("they differ from byte {at} on"),
        None => format!("one has {} bytes, the other {}", one.len(), other.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_differs_or_is_missing_is_named() {
        let folder = std::env::temp_dir().join(format!("xtask-compare-{}", std::process::id()));
        let (one, other) = (folder.join("one"), folder.join("other"));
        let write = |folder: &Path, name: &str, text: &str| {
            fs::create_dir_all(folder).expect("a temporary folder can be made");
            fs::write(folder.join(name), text).expect("a temporary file can be written");
        };
        write(&one, "same", "x");
        write(&other, "same", "x");
        assert!(folders(&one, &other).is_ok());
        write(&one, "changed", "abc");
        write(&other, "changed", "abd");
        write(&one, "alone", "");
        let told = folders(&one, &other).expect_err("they differ").to_string();
        assert!(told.contains("changed: they differ from byte 2 on"), "{told}");
        assert!(told.contains("alone: only one build has it"), "{told}");
        fs::remove_dir_all(&folder).expect("the temporary folder can be removed");
    }
}
