//! What is inside, in the format CycloneDX: one list for the program, one for the page that it carries.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::proc;

use super::build::{self, Place};
use super::release::Release;

/// A part of the product that is built for a machine of its own.
struct Part {
    package: &'static str,
    folder: &'static str,
    target: &'static str,
    features: &'static [&'static str],
    file: &'static str,
}

const PARTS: [Part; 2] = [
    Part {
        package: "bitpro-server",
        folder: "server",
        target: build::TARGET,
        features: &[],
        file: "bitpro.cdx.json",
    },
    Part {
        package: "bitpro-checkout-app",
        folder: "checkout-app",
        target: "wasm32-unknown-unknown",
        features: &["--features", "hydrate"],
        file: "bitpro-page.cdx.json",
    },
];

/// Writes the lists into `files`, and gives them.
///
/// # Errors
/// When the tool fails.
pub fn write(place: &Place, release: &Release, files: &Path) -> Result<Vec<PathBuf>> {
    PARTS
        .iter()
        .map(|part| write_one(place, release, part, files))
        .collect()
}

fn write_one(place: &Place, release: &Release, part: &Part, files: &Path) -> Result<PathBuf> {
    let workspace = &place.workspace;
    let mut list = proc::command(workspace, "cargo");
    list.args(["cyclonedx", "--format", "json", "--spec-version", "1.5", "--quiet"])
        .args(["--target", part.target, "--override-filename", "sbom"])
        .args(part.features)
        .arg("--manifest-path")
        .arg(workspace.root.join(part.folder).join("Cargo.toml"))
        // With it, the tool writes neither the time nor a random number.
        .env("SOURCE_DATE_EPOCH", &release.epoch);
    proc::run_long(workspace, &mut list, "dist-sbom")?;
    let written = workspace.root.join(part.folder).join("sbom.json");
    let text = fs::read_to_string(&written).map_err(|error| Failure::file("read", &written, &error))?;
    if !text.contains(part.package) {
        return Err(Failure::new(format!(
            "{} does not name {}",
            written.display(),
            part.package
        )));
    }
    let file = files.join(part.file);
    // The tool names where the sources lie.
    let root = workspace.root.display().to_string();
    fs::write(&file, text.replace(&root, "/build/bitpro")).map_err(|error| Failure::file("write", &file, &error))?;
    Ok(file)
}
