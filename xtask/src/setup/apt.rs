//! Debian packages: asked of dpkg, installed only when missing.

use crate::failure::{Failure, Result};
use crate::proc::{self, say};
use crate::workspace::Workspace;

/// What Rust's linker and the C parts of our dependencies need.
pub const COMPILER: [&str; 1] = ["g++"];
/// What the build of bitcoind needs; its shared libraries are needed at run time too.
pub const BITCOIND: [&str; 10] = [
    "cmake",
    "ninja-build",
    "ccache",
    "pkg-config",
    "python3-pip",
    "python3-venv",
    "libboost-dev",
    "libevent-dev",
    "libzmq3-dev",
    "libsqlite3-dev",
];
/// A real browser, and fonts so that screenshots look alike everywhere.
pub const BROWSER: [&str; 3] = ["chromium", "fonts-inter", "fonts-dejavu-core"];
/// Moves the wall clock of the server under test, so that it needs no door for tests.
pub const MOVABLE_CLOCK: [&str; 1] = ["libfaketime"];
/// Load for the figures.
pub const LOAD_GENERATOR: [&str; 1] = ["wrk"];
/// A reverse proxy, to stand before the server under test as it does before a real one.
pub const PROXY: [&str; 1] = ["nginx"];
/// What the shell client of the API reference calls: `uuidgen`, `hexdump`, `openssl`, `curl`.
pub const SHELL_CLIENT: [&str; 4] = ["uuid-runtime", "bsdextrautils", "openssl", "curl"];
/// What runs the programs of the guides, beside the shell and Node.js.
pub const GUIDE_LANGUAGES: [&str; 3] = ["ruby", "php-cli", "python3"];
/// What runs the SDKs, beside Node.js.
pub const SDK: [&str; 2] = ["python3", "php-cli"];

/// Makes a Debian of its own in a folder, for trying the package.
pub const CLEAN_ROOT: [&str; 1] = ["mmdebstrap"];
/// Builds images of containers without a daemon, and reads compose files.
pub const CONTAINERS: [&str; 2] = ["buildah", "docker-compose"];

/// Installs those of `packages` that are missing.
///
/// # Errors
/// When packages are missing and this is not root, or the installation fails.
pub fn ensure(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let missing = missing(workspace, packages)?;
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if proc::read(proc::command(workspace, "id").arg("-u"))?.trim() != "0" {
        return Err(Failure::new(format!(
            "these Debian packages are missing: {list}\nInstalling them needs root: run `apt-get install {list}` as root, then this command again"
        )));
    }
    say(&format!("installing Debian packages: {list}"));
    proc::run_long(workspace, apt_get(workspace).arg("update"), "apt-update")?;
    let mut install = apt_get(workspace);
    install
        .args(["install", "-y", "--no-install-recommends"])
        .args(&missing);
    proc::run_long(workspace, &mut install, "apt-install")
}

fn apt_get(workspace: &Workspace) -> std::process::Command {
    let mut command = proc::command(workspace, "apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Those of `packages` that are not installed.
///
/// # Errors
/// When dpkg cannot be asked.
pub fn missing<'p>(workspace: &Workspace, packages: &[&'p str]) -> Result<Vec<&'p str>> {
    if packages.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = proc::command(workspace, "dpkg-query");
    query
        .args(["-W", "-f", "${Package} ${db:Status-Status}\n"])
        .args(packages);
    // dpkg-query ends with 1 as soon as one package is unknown, so the exit code says nothing here.
    let output = query.output().map_err(|error| {
        Failure::new(format!("cannot ask dpkg for installed packages: {error}\nThis set-up works on Debian; elsewhere install the counterparts of: {}", packages.join(" ")))
    })?;
    Ok(not_installed(packages, &String::from_utf8_lossy(&output.stdout)))
}

fn not_installed<'p>(packages: &[&'p str], answer: &str) -> Vec<&'p str> {
    let installed: Vec<&str> = answer
        .lines()
        .filter_map(|line| line.strip_suffix(" installed"))
        .collect();
    packages
        .iter()
        .copied()
        .filter(|package| !installed.contains(package))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_and_unknown_packages_count_as_missing() {
        let answer = "wrk installed\ncurl config-files\n";
        assert_eq!(
            not_installed(&["wrk", "curl", "chromium"], answer),
            ["curl", "chromium"]
        );
    }
}
