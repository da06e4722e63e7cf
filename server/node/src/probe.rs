//! Looking at the node once, for `bitpro check`.

use bitpro_charge::Timestamp;

use super::checks::{check_identity, check_version, is_syncing};
use super::config::NodeConfig;
use super::endpoint::endpoints;
use super::error::NodeError;
use super::rpc::answers::ChainState;
use super::rpc::{Asking, BlockReader, METHODS, Rpc};
use super::status::{Hearing, NodeStatus};

/// A clock that differs by more than this makes "first seen" vague (R5).
const CLOCK_TOLERANCE_MILLIS: u64 = 5_000;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Fine,
    /// It works, and could be better.
    Warning,
    /// It does not work.
    Failure,
}

/// One line of `bitpro check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLine {
    /// What was looked at.
    pub subject: &'static str,
    /// How it came out.
    pub level: Level,
    /// What was found, and what to do about it.
    pub text: String,
    /// The setting of ours to change, where one is to be changed.
    pub setting: Option<&'static str>,
}

impl CheckLine {
    /// A line about `subject`.
    pub fn new(subject: &'static str, level: Level, text: impl Into<String>) -> Self {
        Self {
            subject,
            level,
            text: text.into(),
            setting: None,
        }
    }

    /// The same, with the setting to change.
    #[must_use]
    pub fn with_setting(mut self, setting: &'static str) -> Self {
        self.setting = Some(setting);
        self
    }
}

/// Looks at the node: version, network, sync, clock, notifications, REST, pruning. Blocks; `now` is our own time.
#[must_use]
pub fn probe(config: &NodeConfig, now: impl Fn() -> Timestamp) -> Vec<CheckLine> {
    let rpc = Rpc::new(config, Asking::alone());
    let mut lines = Vec::new();
    if let Err(error) = ask(config, &rpc, now, &mut lines) {
        let line = CheckLine::new("node", Level::Failure, error.to_string());
        lines.push(match setting_for(&error) {
            Some(setting) => line.with_setting(setting),
            None => line,
        });
    }
    lines
}

/// The setting that may be wrong when the node gives this error.
const fn setting_for(error: &NodeError) -> Option<&'static str> {
    match error {
        NodeError::Unreachable(_) | NodeError::Malformed(_) => Some("node_rpc_url"),
        NodeError::Cookie { .. } => Some("node_cookie_file"),
        NodeError::Unauthorized(_) => Some("node_rpc_user"),
        NodeError::WrongNetwork { .. } => Some("network"),
        NodeError::Forbidden { .. }
        | NodeError::TooOld { .. }
        | NodeError::WarmingUp(_)
        | NodeError::Pruned(_)
        | NodeError::Refused { .. } => None,
    }
}

fn ask(
    config: &NodeConfig,
    rpc: &Rpc,
    now: impl Fn() -> Timestamp,
    lines: &mut Vec<CheckLine>,
) -> Result<(), NodeError> {
    let forbidden = rpc.forbidden()?;
    if !forbidden.is_empty() {
        lines.push(methods(&forbidden));
        return Ok(());
    }
    let network = rpc.network_state()?;
    check_version(&network)?;
    lines.push(CheckLine::new(
        "node",
        Level::Fine,
        format!("{} at {} answers", network.subversion.trim_matches('/'), config.rpc_url),
    ));
    check_identity(rpc.hash_at(0)?, config.network)?;
    lines.push(CheckLine::new("network", Level::Fine, config.network.to_string()));
    lines.push(peers(network.connections));
    lines.push(relay(network.relays));
    let (chain, mempool) = rpc.state()?;
    lines.push(sync(config, &chain, mempool.loaded, now()));
    lines.push(clock(now, rpc)?);
    lines.push(notifications(config, rpc)?);
    lines.push(rest(config));
    lines.push(pruning(&chain));
    Ok(())
}

/// Methods that the node forbids, and what it has to allow.
fn methods(forbidden: &[&str]) -> CheckLine {
    let (named, all) = (forbidden.join(", "), METHODS.join(","));
    let text = match forbidden.len() == METHODS.len() {
        true => format!(
            "the node forbids every method (HTTP 403): allow this machine in its -rpcallowip, and the user {all}"
        ),
        false => format!("the node forbids {named}: this user needs rpcwhitelist=USER:{all}"),
    };
    CheckLine::new("node", Level::Failure, text)
}

fn peers(connections: u32) -> CheckLine {
    if connections == 0 {
        CheckLine::new(
            "peers",
            Level::Warning,
            "none: the node receives no payments and no blocks",
        )
    } else {
        CheckLine::new("peers", Level::Fine, connections.to_string())
    }
}

fn relay(relays: bool) -> CheckLine {
    if relays {
        CheckLine::new("relay", Level::Fine, "transactions are accepted from peers")
    } else {
        CheckLine::new("relay", Level::Warning, Hearing::BlocksOnly.to_string())
    }
}

fn sync(config: &NodeConfig, chain: &ChainState, is_mempool_loaded: bool, now: Timestamp) -> CheckLine {
    let at = format!("block {} of {}", chain.blocks, chain.headers);
    let status = NodeStatus {
        tip_time: config.requires_peers.then(|| Timestamp::from_secs(chain.time)),
        ..NodeStatus::starting()
    };
    if is_syncing(config, chain) {
        CheckLine::new(
            "sync",
            Level::Warning,
            format!("{at}: payments are noticed once the node has caught up"),
        )
    } else if !is_mempool_loaded {
        CheckLine::new(
            "sync",
            Level::Warning,
            format!("{at}; the mempool is still being loaded"),
        )
    } else if let Some(age) = status.stale_secs(now) {
        CheckLine::new("sync", Level::Warning, format!("{at}; {}", stale(age)))
    } else {
        CheckLine::new("sync", Level::Fine, at)
    }
}

/// What a tip that is `age` seconds old suggests.
#[must_use]
pub fn stale(age: u32) -> String {
    let hours = age / 3_600;
    format!("the last block is {hours} hours old: the node may be cut off from the network, or its clock may be wrong")
}

fn clock(now: impl Fn() -> Timestamp, rpc: &Rpc) -> Result<CheckLine, NodeError> {
    let before = now().0;
    let node = rpc.clock_millis()?;
    // Half the round trip is the best guess of when the node looked at its clock.
    let ours = before + (now().0 - before) / 2;
    let offset = node.saturating_sub(ours);
    let text = format!("the node's differs from ours by {offset} ms");
    let level = if offset.unsigned_abs() <= CLOCK_TOLERANCE_MILLIS {
        Level::Fine
    } else {
        Level::Warning
    };
    Ok(CheckLine::new("clock", level, text))
}

fn notifications(config: &NodeConfig, rpc: &Rpc) -> Result<CheckLine, NodeError> {
    let found = endpoints(&config.zmq, config.rpc_url.host_str(), || rpc.notifications())?;
    if !found.out_of_reach.is_empty() {
        let text = format!(
            "the node is polled: it publishes at {}, and only tcp:// can be used; start it with -zmqpubrawtx and -zmqpubsequence at \
             tcp://127.0.0.1:PORT",
            found.out_of_reach.join(" and ")
        );
        return Ok(CheckLine::new("zmq", Level::Warning, text));
    }
    Ok(match (found.rawtx, found.sequence) {
        (Some(rawtx), Some(sequence)) => {
            CheckLine::new("zmq", Level::Fine, format!("rawtx at {rawtx}, sequence at {sequence}"))
        }
        (rawtx, sequence) => {
            let missing: Vec<&str> = [
                ("-zmqpubrawtx", rawtx.is_none()),
                ("-zmqpubsequence", sequence.is_none()),
            ]
            .into_iter()
            .filter_map(|(option, is_missing)| is_missing.then_some(option))
            .collect();
            let options = missing.join(" and ");
            CheckLine::new(
                "zmq",
                Level::Warning,
                format!("the node is polled; start it with {options}"),
            )
            .with_setting("node_zmq")
        }
    })
}

fn rest(config: &NodeConfig) -> CheckLine {
    if BlockReader::new(config, &Asking::alone()).find_rest(config) {
        CheckLine::new("rest", Level::Fine, "on")
    } else {
        CheckLine::new(
            "rest",
            Level::Warning,
            "off: blocks are read more slowly; start the node with -rest",
        )
    }
}

fn pruning(chain: &ChainState) -> CheckLine {
    match chain.prune_height {
        Some(lowest) if chain.pruned => CheckLine::new(
            "pruning",
            Level::Warning,
            format!("on, blocks below {lowest} are gone: do not stop the server for longer than the node keeps blocks"),
        ),
        _ => CheckLine::new("pruning", Level::Fine, "off"),
    }
}
