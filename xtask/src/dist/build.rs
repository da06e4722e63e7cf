//! The program itself: built from a copy of the sources, so that nothing but them goes in, and looked at before it is packed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::page;
use crate::proc;
use crate::remap;
use crate::setup;
use crate::stamp;
use crate::workspace::Workspace;

use super::compare;
use super::release::Release;

/// What the program runs on, as a file's name says it.
pub const PLATFORM: &str = "x86_64-linux-gnu";
/// The same in Rust's words.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";
/// The C library of Debian 12. What is built against a newer one does not start there.
const NEWEST_GLIBC: [u32; 2] = [2, 36];
/// What every Debian has; anything else would be missing somewhere.
const LIBRARIES: [&str; 4] = ["libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"];
/// What is built from; there is nothing else at the top of the repository that the program needs.
const SOURCES: [&str; 14] = [
    ".cargo",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "Trunk.toml",
    "charge",
    "checkout-app",
    "docs",
    "fuzz",
    "server",
    "static",
    "tests",
    "widget",
    "xtask",
];

/// A folder with a copy of the sources and what is built of them.
#[derive(Debug)]
pub struct Place {
    /// The copy as a workspace of its own, with the tools of the real one.
    pub workspace: Workspace,
    folder: PathBuf,
}

impl Place {
    /// The place in `folder`.
    pub fn new(workspace: &Workspace, folder: PathBuf) -> Self {
        let copy = Workspace {
            root: folder.join("source"),
            cache: workspace.cache.clone(),
            target: folder.join("target"),
        };
        Self {
            workspace: copy,
            folder,
        }
    }

    /// An empty folder for results.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        setup::fresh_folder(&folder)?;
        Ok(folder)
    }

    /// Copies the sources anew. Their times stay, so that cargo builds again only what changed.
    ///
    /// # Errors
    /// When a file cannot be copied.
    pub fn take_sources(&self, workspace: &Workspace) -> Result<()> {
        setup::fresh_folder(&self.workspace.root)?;
        for name in SOURCES {
            let from = workspace.root.join(name);
            let all = if from.is_dir() {
                stamp::files_below(&from)?
            } else {
                vec![from]
            };
            for file in all {
                self.take(workspace, &file)?;
            }
        }
        Ok(())
    }

    /// Takes the page and the loader as they were built there.
    ///
    /// # Errors
    /// When a file cannot be copied.
    pub fn take_page(&self, workspace: &Workspace) -> Result<()> {
        for folder in ["dist", "widget/dist"] {
            for file in compare::files(&workspace.root.join(folder))? {
                self.take(workspace, &file)?;
            }
        }
        Ok(())
    }

    /// Builds the page and the loader here.
    ///
    /// # Errors
    /// When that fails.
    pub fn build_page(&self, workspace: &Workspace) -> Result<()> {
        let packages = self.workspace.root.join("widget/node_modules");
        std::os::unix::fs::symlink(workspace.root.join("widget/node_modules"), &packages)
            .map_err(|error| Failure::file("create", &packages, &error))?;
        page::build(&self.workspace)
    }

    fn take(&self, workspace: &Workspace, file: &Path) -> Result<()> {
        let to = self
            .workspace
            .root
            .join(file.strip_prefix(&workspace.root).unwrap_or(file));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
        }
        let copied = fs::copy(file, &to)
            .and_then(|_| fs::metadata(file)?.modified())
            .and_then(|time| File::options().append(true).open(&to)?.set_modified(time));
        copied.map_err(|error| Failure::file("copy", file, &error))
    }
}

/// Builds the program and looks at it.
///
/// # Errors
/// When the build fails, or the program would not run on Debian 12, or names a folder of this machine.
pub fn program(place: &Place, release: &Release) -> Result<PathBuf> {
    let workspace = &place.workspace;
    let mut fetch = proc::command(workspace, "cargo");
    // What the flags name must be unpacked before they are written down.
    proc::run(fetch.args(["fetch", "--locked", "--quiet", "--target", TARGET]))?;
    let mut build = proc::command(workspace, "cargo");
    build
        .args(["build", "--locked", "--profile", "dist", "--target", TARGET])
        .args(["--package", "bitpro-server", "--bin", "bitpro"])
        .env("CARGO_ENCODED_RUSTFLAGS", remap::rustflags(workspace)?)
        .env("CFLAGS", remap::cflags(workspace)?)
        .env("SOURCE_DATE_EPOCH", &release.epoch)
        .env("BITPRO_COMMIT", &release.commit);
    proc::run_long(workspace, &mut build, "dist-build")?;
    let program = workspace.target.join(TARGET).join("dist/bitpro");
    needs_no_more_than_debian(workspace, &program)?;
    names_no_folder(workspace, &program)?;
    Ok(program)
}

/// The newest version of the C library that the program asks for.
///
/// # Errors
/// When it cannot be read.
pub fn glibc(workspace: &Workspace, program: &Path) -> Result<[u32; 2]> {
    let symbols = proc::read(proc::command(workspace, "objdump").arg("--dynamic-syms").arg(program))?;
    newest_glibc(&symbols).ok_or_else(|| Failure::new("the program asks for no C library"))
}

fn needs_no_more_than_debian(workspace: &Workspace, program: &Path) -> Result<()> {
    let [major, minor] = glibc(workspace, program)?;
    if [major, minor] > NEWEST_GLIBC {
        return Err(Failure::new(format!(
            "the program needs glibc {major}.{minor}, and Debian 12 has {}.{}: build it on Debian 12",
            NEWEST_GLIBC[0], NEWEST_GLIBC[1]
        )));
    }
    let headers = proc::read(
        proc::command(workspace, "objdump")
            .arg("--private-headers")
            .arg(program),
    )?;
    let strange: Vec<&str> = libraries(&headers).filter(|name| !LIBRARIES.contains(name)).collect();
    if strange.is_empty() {
        proc::say(&format!(
            "the program needs glibc {major}.{minor} or newer, and no other library"
        ));
        return Ok(());
    }
    Err(Failure::new(format!(
        "the program needs libraries that not every Debian has: {}",
        strange.join(", ")
    )))
}

fn names_no_folder(workspace: &Workspace, program: &Path) -> Result<()> {
    let bytes = fs::read(program).map_err(|error| Failure::file("read", program, &error))?;
    let mut folders = vec![
        workspace.root.clone(),
        workspace.target.clone(),
        workspace.cache.clone(),
    ];
    folders.extend(remap::crates()?);
    for folder in folders {
        let name = folder.display().to_string();
        if bytes.windows(name.len()).any(|part| part == name.as_bytes()) {
            return Err(Failure::new(format!(
                "the program names a folder of this machine: {name}"
            )));
        }
    }
    Ok(())
}

fn newest_glibc(symbols: &str) -> Option<[u32; 2]> {
    let versions = symbols.split("GLIBC_").skip(1).filter_map(|text| {
        let end = text
            .find(|c: char| c != '.' && !c.is_ascii_digit())
            .unwrap_or(text.len());
        let mut numbers = text[..end].split('.').map(str::parse);
        Some([numbers.next()?.ok()?, numbers.next()?.ok()?])
    });
    versions.max()
}

fn libraries(headers: &str) -> impl Iterator<Item = &str> {
    headers
        .lines()
        .filter_map(|line| line.trim().strip_prefix("NEEDED"))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_counts_as_a_number() {
        let symbols = "\
0000 DF *UND* 0000 (GLIBC_2.2.5) memcpy
0000 DF *UND* 0000 (GLIBC_2.34) dlsym
0000 DF *UND* 0000 (GLIBC_2.4)  __stack_chk_fail
0000 DF *UND* 0000 (GCC_3.0)    _Unwind_Resume
";
        assert_eq!(newest_glibc(symbols), Some([2, 34]));
        assert_eq!(newest_glibc("nothing"), None);
    }

    #[test]
    fn libraries_are_read_from_the_headers() {
        let headers =
            "Dynamic Section:\n  NEEDED               libgcc_s.so.1\n  NEEDED               libc.so.6\n  INIT  0x1\n";
        assert_eq!(libraries(headers).collect::<Vec<_>>(), ["libgcc_s.so.1", "libc.so.6"]);
    }
}
