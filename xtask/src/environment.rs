//! What tests, demo and figures are told by environment variables: which programs to use.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::Result;
use crate::setup;
use crate::workspace::Workspace;

/// How the programs of this repository are compiled.
#[derive(Clone, Copy, Debug)]
pub enum Profile {
    /// For tests and demo: quick to build, with the hot dependencies optimised.
    Dev,
    Release,
    /// For the simulation: fast, with every check of a debug build.
    Simulation,
}

impl Profile {
    /// Where cargo puts a program of this repository.
    pub fn program(self, workspace: &Workspace, name: &str) -> PathBuf {
        let folder = match self {
            Self::Dev => "debug",
            Self::Release => "release",
            Self::Simulation => "simulation",
        };
        workspace.target.join(folder).join(name)
    }
}

/// Tells `command` the programs to use: `BITCOIND`, `CHROMIUM`, `NGINX`, `CADDY`, `PROMTOOL`, `BITPRO_BIN` (the server), `BITPRO_DEMO` (the demo) and
/// `BITPRO_PYTHON` (an interpreter with the published clients).
///
/// # Errors
/// When `BITCOIND` of the caller names no file.
pub fn tell(command: &mut Command, workspace: &Workspace, profile: Profile) -> Result<()> {
    let chromium = env::var_os("CHROMIUM").unwrap_or_else(|| OsString::from("/usr/bin/chromium"));
    let nginx = env::var_os("NGINX").unwrap_or_else(|| OsString::from("/usr/sbin/nginx"));
    let caddy = env::var_os("CADDY").unwrap_or_else(|| setup::CADDY.program(workspace).into_os_string());
    let promtool = env::var_os("PROMTOOL").unwrap_or_else(|| setup::PROMTOOL.program(workspace).into_os_string());
    command
        .env("PROMTOOL", promtool)
        .env("NGINX", nginx)
        .env("CADDY", caddy)
        .env("BITCOIND", setup::bitcoind(workspace)?)
        .env("CHROMIUM", chromium)
        .env("BITPRO_BIN", profile.program(workspace, "bitpro"))
        .env("BITPRO_PYTHON", setup::python(workspace))
        .env("BITPRO_DEMO", profile.program(workspace, "demo"));
    Ok(())
}
