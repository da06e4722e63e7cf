//! Finding bitcoind and starting it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use bitpro_charge::Network;
use serde_json::json;

use super::Role;
use crate::process::Process;
use crate::rpc::Rpc;
use crate::wait::eventually;
use crate::{Clock, ports};

/// The build of `cargo xtask setup`, below the cache folder.
const BUILT_BITCOIND: &str = "bitcoind-31.99-py0.1.0a5/bin/bitcoind";

#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) p2p: u16,
    pub(super) rpc: u16,
    pub(super) rawtx: u16,
    pub(super) sequence: u16,
}

impl Ports {
    pub(super) fn free() -> Result<Self> {
        let [p2p, rpc, rawtx, sequence] = ports::lasting()?;
        Ok(Self {
            p2p,
            rpc,
            rawtx,
            sequence,
        })
    }
}

/// The bitcoind to use: the one that `BITCOIND` names, else the one on PATH, else the one that the set-up built.
///
/// # Errors
/// When there is none, saying what to do.
pub fn bitcoind() -> Result<PathBuf> {
    if let Some(named) = env::var_os("BITCOIND") {
        return Ok(named.into());
    }
    let on_path = env::var_os("PATH").and_then(|path| {
        env::split_paths(&path)
            .map(|folder| folder.join("bitcoind"))
            .find(|file| file.is_file())
    });
    if let Some(found) = on_path {
        return Ok(found);
    }
    let cache = match env::var_os("BITPRO_CACHE") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cache/bitpro"),
    };
    let built = cache.join(BUILT_BITCOIND);
    ensure!(
        built.is_file(),
        "there is no bitcoind: name one by BITCOIND, put one on PATH, or run `cargo xtask setup`"
    );
    Ok(built)
}

pub(super) fn launch(
    network: Network,
    role: Role,
    (folder, ports): (&Path, Ports),
    clock: &Clock,
    options: &[&str],
) -> Result<Process> {
    let mut command = Command::new(bitcoind()?);
    command
        // Its name for the real one is its own, and no test goes there.
        .arg(format!("-chain={network}"))
        .arg(format!("-datadir={}", folder.display()))
        .arg(format!("-bind=127.0.0.1:{}", ports.p2p))
        .arg(format!("-rpcport={}", ports.rpc))
        .args(["-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1", "-rpcworkqueue=256"])
        .args([
            "-listen=1",
            "-listenonion=0",
            "-dnsseed=0",
            "-fixedseeds=0",
            "-discover=0",
        ])
        // Nodes are connected by hand, so that they can be parted.
        .arg("-connect=0")
        // A test may move the time by hours; to the nodes that looks as if nothing had come for hours.
        .arg("-peertimeout=1000000000")
        // Without `in,out`, relay waits for seconds on purpose, as on the real network.
        .arg("-whitelist=in,out,noban@127.0.0.1")
        .args(["-fallbackfee=0.0001", "-txindex=0", "-dbcache=16", "-printtoconsole=0"]);
    if let Some(now) = clock.mocked_secs() {
        // A node that checks its blocks at the start refuses those from more than two hours ahead of its clock.
        command.arg(format!("-mocktime={now}"));
    }
    match role {
        Role::Server | Role::ServerWithoutZmq => command.args(["-disablewallet", "-rest"]),
        Role::BlocksOnlyServer => command.args(["-disablewallet", "-rest", "-blocksonly=1"]),
        // Small block files, of which a regtest chain fills enough to delete some.
        Role::PrunedServer => command.args(["-disablewallet", "-rest", "-prune=1", "-fastprune"]),
        Role::Shopper => command.arg("-walletrbf=1"),
    };
    if matches!(role, Role::Server | Role::PrunedServer | Role::BlocksOnlyServer) {
        command
            .arg(format!("-zmqpubrawtx=tcp://127.0.0.1:{}", ports.rawtx))
            .arg(format!("-zmqpubsequence=tcp://127.0.0.1:{}", ports.sequence));
    }
    command.args(options);
    Process::start("bitcoind", &command, &folder.join("output.log"))
}

pub(super) async fn answers(rpc: &Rpc, process: &mut Process, folder: &Path) -> Result<()> {
    let answer = eventually("the node's first answer", || {
        let ended = process.exit_status();
        async {
            if let Some(status) = ended? {
                return Ok(Err(status));
            }
            rpc.value("getblockchaininfo", json!([])).await?;
            Ok(Ok(()))
        }
    })
    .await
    .with_context(|| read_log(folder))?;
    if let Err(status) = answer {
        bail!("bitcoind ended with {status}:\n{}", read_log(folder));
    }
    Ok(())
}

pub(super) fn read_log(folder: &Path) -> String {
    ["output.log", "regtest/debug.log"]
        .iter()
        .filter_map(|name| std::fs::read_to_string(folder.join(name)).ok())
        .map(|log| {
            let lines: Vec<&str> = log.lines().collect();
            lines[lines.len().saturating_sub(40)..].join("\n")
        })
        .collect::<Vec<_>>()
        .join("\n")
}
