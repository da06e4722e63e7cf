//! A node that Debian has built: Bitcoin Knots, out of the archive's testing or unstable suite, beside the system and without touching it.
//!
//! Debian's own signatures vouch for every byte: apt checks them with the keys that the machine has. The packages are unpacked, not
//! installed, and run by their own loader, since their libraries are newer than a stable system's.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::proc::{self, say};
use crate::workspace::Workspace;

use super::{bitcoind, folder};

const PACKAGE: &str = "bitcoin-knots";
/// The stable suites have no node. The package may leave testing before a release, so the second is asked when the first has none.
const SUITES: [&str; 2] = ["forky", "sid"];
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where its wrapper is, once it is there.
pub fn program(workspace: &Workspace) -> PathBuf {
    place(workspace).join("bin/bitcoind")
}

/// Fetches the node unless there is one that runs.
///
/// # Errors
/// When this is no Debian, its archive cannot be reached or has no such package, or what it has does not run here.
pub fn ensure(workspace: &Workspace) -> Result<()> {
    if bitcoind::runs(workspace, &program(workspace)) {
        return Ok(());
    }
    say("fetching a Bitcoin node that Debian has built (about 30 MB; the system is not touched)");
    let mut last = Failure::new("there is no suite to ask");
    for suite in SUITES {
        match fetch(workspace, suite) {
            Ok(()) => return Ok(()),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

fn place(workspace: &Workspace) -> PathBuf {
    workspace.cache.join("bitcoin-knots")
}

fn fetch(workspace: &Workspace, suite: &str) -> Result<()> {
    let place = place(workspace);
    let partial = folder::partial(&place);
    folder::fresh(&partial)?;
    let apt = Apt::new(workspace, &partial, suite)?;
    proc::run_long(workspace, apt.get().arg("update"), "debian-node-update")?;
    let planned = proc::read(apt.get().args(["--simulate", "install", PACKAGE]))?;
    let packages: Vec<&str> = planned.lines().filter_map(planned_package).collect();
    let archives = partial.join("archives");
    folder::fresh(&archives)?;
    let mut download = apt.get();
    download.arg("download").args(&packages).current_dir(&archives);
    proc::run_long(workspace, &mut download, "debian-node-download")?;

    let root = partial.join("root");
    for archive in files(&archives)? {
        proc::run(
            proc::command(workspace, "dpkg-deb")
                .arg("--extract")
                .arg(archive)
                .arg(&root),
        )?;
    }
    for done in [&archives, &apt.state] {
        folder::remove(done)?;
    }
    // The wrapper says where it lies, so it is written for the final place and tried there.
    write_wrapper(&partial, &place)?;
    folder::put_in_place(&partial, &place)?;
    let version = proc::read(proc::command(workspace, program(workspace)).arg("--version"))?;
    say(&format!("the node is {}", version.lines().next().unwrap_or_default()));
    Ok(())
}

/// `Inst libc6 (2.43-7 …)` is a line of a plan.
fn planned_package(line: &str) -> Option<&str> {
    line.strip_prefix("Inst ")?.split_whitespace().next()
}

/// The node with the loader and the libraries that it was built for. What Core relays is what merchants' nodes relay.
fn write_wrapper(partial: &Path, place: &Path) -> Result<()> {
    let libraries = files(&partial.join("root/usr/lib"))?
        .into_iter()
        .filter(|folder| folder.is_dir())
        .find_map(|folder| Some((loader(&folder)?, folder)));
    let Some((loader, libraries)) = libraries else {
        return Err(Failure::new(format!(
            "{PACKAGE} came without a loader for this machine"
        )));
    };
    let moved = |path: &Path| -> String {
        let below = path.strip_prefix(partial).unwrap_or(path);
        place.join(below).display().to_string()
    };
    let script = format!(
        "#!/bin/sh\nexec '{loader}' --library-path '{libraries}' '{node}' -corepolicy=1 \"$@\"\n",
        loader = moved(&loader),
        libraries = moved(&libraries),
        node = place.join("root/usr/bin/bitcoind").display(),
    );
    let bin = partial.join("bin");
    folder::fresh(&bin)?;
    let wrapper = bin.join("bitcoind");
    fs::write(&wrapper, script).map_err(|error| Failure::file("write", &wrapper, &error))?;
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&wrapper, executable).map_err(|error| Failure::file("change", &wrapper, &error))
}

fn loader(libraries: &Path) -> Option<PathBuf> {
    files(libraries).ok()?.into_iter().find(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("ld-linux")
    })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| Failure::file("read", folder, &error))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    Ok(files)
}

/// An apt with lists, cache and state of its own.
struct Apt<'w> {
    workspace: &'w Workspace,
    state: PathBuf,
}

impl<'w> Apt<'w> {
    fn new(workspace: &'w Workspace, partial: &Path, suite: &str) -> Result<Self> {
        let state = partial.join("apt");
        for needed in ["lists/partial", "cache/archives/partial"] {
            folder::fresh(&state.join(needed))?;
        }
        let mirror = mirror(workspace)?;
        let write = |name: &str, text: &str| {
            let file = state.join(name);
            fs::write(&file, text).map_err(|error| Failure::file("write", &file, &error))
        };
        // Nothing counts as installed, so that every library comes along.
        write("status", "")?;
        write(
            "sources.list",
            &format!("deb [signed-by={KEYRING}] {mirror} {suite} main\n"),
        )?;
        Ok(Self { workspace, state })
    }

    fn get(&self) -> Command {
        let mut command = proc::command(self.workspace, "apt-get");
        let of_ours = |name: &str| self.state.join(name).display().to_string();
        for option in [
            format!("Dir::Etc::sourcelist={}", of_ours("sources.list")),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            format!("Dir::State::lists={}", of_ours("lists")),
            format!("Dir::State::status={}", of_ours("status")),
            format!("Dir::Cache={}", of_ours("cache")),
            "APT::Install-Recommends=false".to_owned(),
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
        ] {
            command.arg("-o").arg(option);
        }
        command
    }
}

/// The mirror that this machine uses, as its own apt names it.
///
/// # Errors
/// When it names none.
pub fn mirror(workspace: &Workspace) -> Result<String> {
    let mut query = proc::command(workspace, "apt-get");
    query.args([
        "indextargets",
        "--format",
        "$(SUITE) $(REPO_URI)",
        "Created-By: Packages",
    ]);
    let targets = proc::read(&mut query)?;
    targets
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(suite, _)| !suite.contains('-'))
        .map(|(_, uri)| uri.to_owned())
        .ok_or_else(|| Failure::new("this machine's apt names no archive of Debian"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_what_it_would_install() {
        let plan = [
            "Inst libc6 (2.43-7 Debian:testing [amd64]) []",
            "Conf libc6 (2.43-7 Debian:testing [amd64])",
        ];
        let packages: Vec<&str> = plan.iter().copied().filter_map(planned_package).collect();
        assert_eq!(packages, ["libc6"]);
    }
}
