//! A real bitcoind: the one the user names, the one on PATH, one that Debian has built, or one built from source and kept in the cache.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::proc::{self, say};
use crate::workspace::Workspace;

use super::{apt, debian_node, folder};

/// A package that carries the whole source tree of Bitcoin Core 31.99; no registry has a bitcoind itself.
const PACKAGE: &str = "py-bitcoinkernel";
const VERSION: &str = "0.1.0a5";
const ARCHIVE: &str = "py_bitcoinkernel-0.1.0a5.tar.gz";
/// Of the archive: it becomes a program that handles keys in tests, so it is pinned by content, not by name.
const SHA256: &str = "71b91eecac7a8b07248be04471c3bf98016b38bf823aefd28f7b31179940520d";

/// Only what tests and the demo use: the node and its command line client, with wallet and ZMQ.
const CONFIGURATION: [&str; 13] = [
    "-DCMAKE_BUILD_TYPE=None",
    "-DAPPEND_CXXFLAGS=-O1",
    "-DENABLE_HARDENING=OFF",
    "-DBUILD_TESTS=OFF",
    "-DBUILD_TX=OFF",
    "-DBUILD_UTIL=OFF",
    "-DBUILD_WALLET_TOOL=OFF",
    "-DBUILD_BITCOIN_BIN=OFF",
    "-DENABLE_WALLET=ON",
    "-DWITH_ZMQ=ON",
    "-DENABLE_IPC=OFF",
    "-DENABLE_EXTERNAL_SIGNER=OFF",
    "-DINSTALL_MAN=OFF",
];

/// Where the node comes from.
#[derive(Debug)]
pub enum Source {
    /// The machine's own, by `BITCOIND` or PATH.
    Machine(PathBuf),
    /// Bitcoin Core, built here or still to be built.
    Cache(PathBuf),
}

impl Source {
    /// Decides by `BITCOIND`, then PATH, then the cache.
    ///
    /// # Errors
    /// When `BITCOIND` names something that is not a file.
    pub fn find(workspace: &Workspace) -> Result<Self> {
        if let Some(named) = env::var_os("BITCOIND").filter(|path| !path.is_empty()) {
            let named = PathBuf::from(named);
            return if named.is_file() {
                Ok(Self::Machine(named))
            } else {
                Err(Failure::new(format!(
                    "BITCOIND names {}, which is not a file",
                    named.display()
                )))
            };
        }
        Ok(match proc::on_path("bitcoind") {
            Some(found) => Self::Machine(found),
            None => Self::Cache(place(workspace).join("bin/bitcoind")),
        })
    }

    /// Whether it is the one built here, with the Debian packages that this takes.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Cache(_))
    }

    /// Whether it is there: the machine's own always is.
    ///
    /// # Errors
    /// When the machine's own does not run.
    pub fn is_ready(&self, workspace: &Workspace) -> Result<bool> {
        match self {
            Self::Machine(path) => proc::read(proc::command(workspace, path).arg("--version")).map(|_| true),
            Self::Cache(path) => Ok(runs(workspace, path)),
        }
    }
}

/// The node that tests use, once the set-up has been asked for it: Bitcoin Core, unless the machine has its own.
///
/// # Errors
/// As [`Source::find`].
pub fn locate(workspace: &Workspace) -> Result<PathBuf> {
    let (Source::Machine(path) | Source::Cache(path)) = Source::find(workspace)?;
    Ok(path)
}

/// The node that the demo uses, which takes what is there: one of the machine, the one built here, Debian's.
///
/// # Errors
/// As [`Source::find`].
pub fn locate_quickest(workspace: &Workspace) -> Result<PathBuf> {
    Ok(match Source::find(workspace)? {
        Source::Cache(built) if !runs(workspace, &built) => debian_node::program(workspace),
        Source::Machine(path) | Source::Cache(path) => path,
    })
}

/// Whether the demo has its node.
///
/// # Errors
/// As [`Source::find`] and [`Source::is_ready`].
pub fn any_is_ready(workspace: &Workspace) -> Result<bool> {
    Ok(Source::find(workspace)?.is_ready(workspace)? || runs(workspace, &debian_node::program(workspace)))
}

/// Gets Debian's node, or builds one where that cannot be had.
///
/// # Errors
/// When a build is needed and fails, or its Debian packages are missing and this is not root.
pub fn get_quickly(workspace: &Workspace) -> Result<()> {
    let Err(failure) = debian_node::ensure(workspace) else {
        return Ok(());
    };
    say(&format!("Debian's node cannot be had, so one is built: {failure}"));
    apt::ensure(workspace, &apt::BITCOIND)?;
    build(workspace)
}

/// Whether `program` is there and runs on this machine.
pub fn runs(workspace: &Workspace, program: &Path) -> bool {
    program.is_file() && proc::read(proc::command(workspace, program).arg("--version")).is_ok()
}

fn place(workspace: &Workspace) -> PathBuf {
    workspace.cache.join(format!("bitcoind-31.99-py{VERSION}"))
}

/// Builds it, unless it runs now that its libraries are there.
///
/// # Errors
/// When download, check or build fail.
pub fn build(workspace: &Workspace) -> Result<()> {
    if runs(workspace, &place(workspace).join("bin/bitcoind")) {
        return Ok(());
    }
    let source = workspace.cache.join("src");
    folder::fresh(&source)?;
    say("fetching the source of Bitcoin Core");
    let mut pip = proc::command(workspace, "python3");
    pip.args(["-m", "pip", "download", "--no-deps", "--no-binary", PACKAGE])
        .arg(format!("{PACKAGE}=={VERSION}"))
        .current_dir(&source);
    proc::run_long(workspace, &mut pip, "bitcoind-download")?;
    check_hash(workspace, &source.join(ARCHIVE))?;
    proc::run(
        proc::command(workspace, "tar")
            .current_dir(&source)
            .args(["xzf", ARCHIVE]),
    )?;

    let tree = source.join("py_bitcoinkernel-0.1.0a5/depend/bitcoin");
    say("configuring Bitcoin Core");
    let mut cmake = proc::command(workspace, "cmake");
    cmake
        .current_dir(&tree)
        .args(["-B", "build", "-G", "Ninja"])
        .args(CONFIGURATION);
    proc::run_long(workspace, &mut cmake, "bitcoind-configure")?;
    say("building bitcoind (about 8 minutes on two idle cores; once)");
    let mut ninja = proc::command(workspace, "ninja");
    ninja
        .current_dir(&tree)
        .args(["-C", "build", "bitcoind", "bitcoin-cli"]);
    proc::run_long(workspace, &mut ninja, "bitcoind-build")?;

    let place = place(workspace);
    let partial = folder::partial(&place);
    folder::fresh(&partial.join("bin"))?;
    for program in ["bitcoind", "bitcoin-cli"] {
        let built = tree.join("build/bin").join(program);
        fs::copy(&built, partial.join("bin").join(program)).map_err(|error| Failure::file("copy", &built, &error))?;
    }
    folder::put_in_place(&partial, &place)?;
    folder::remove(&source)
}

fn check_hash(workspace: &Workspace, archive: &Path) -> Result<()> {
    let answer = proc::read(proc::command(workspace, "sha256sum").arg(archive))?;
    match answer.split_whitespace().next() {
        Some(SHA256) => Ok(()),
        found => Err(Failure::new(format!(
            "{} has the SHA-256 {}, but {SHA256} is pinned: it is not used",
            archive.display(),
            found.unwrap_or("(none)")
        ))),
    }
}
