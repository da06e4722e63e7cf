//! The shapes of the node's answers, as far as they are used. `bitcoincore-rpc` has its own, which no longer fit newer nodes.

use bitcoin::{BlockHash, ScriptBuf, Txid};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// `getblockchaininfo`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChainState {
    /// Height of the best block.
    pub blocks: u32,
    /// Height of the best header; -1 when there is none.
    pub headers: i64,
    /// The best block.
    #[serde(rename = "bestblockhash")]
    pub best: BlockHash,
    /// Total work, 64 hexadecimal digits.
    pub chainwork: String,
    /// The miner's time of the best block, in Unix seconds.
    pub time: i64,
    /// Whether the node believes that it is far behind.
    #[serde(rename = "initialblockdownload")]
    pub initial_download: bool,
    /// Whether it deletes old blocks.
    pub pruned: bool,
    /// The lowest block that a pruned node still has.
    #[serde(default, rename = "pruneheight")]
    pub prune_height: Option<u32>,
}

/// `getnetworkinfo`
#[derive(Debug, Clone, Deserialize)]
pub struct NetworkState {
    /// 310000 is 31.0.
    pub version: u64,
    /// As in `/Satoshi:31.0.0/`.
    pub subversion: String,
    /// Number of peers.
    pub connections: u32,
    /// Whether it takes transactions from its peers: not with `-blocksonly`.
    #[serde(rename = "localrelay")]
    pub relays: bool,
}

/// One of `getpeerinfo`.
#[derive(Debug, Clone, Deserialize)]
pub struct Peer {
    /// Since when it is connected, in Unix seconds by the node's clock.
    #[serde(rename = "conntime")]
    pub since: i64,
    /// As in `outbound-full-relay`.
    #[serde(rename = "connection_type")]
    pub kind: String,
}

impl Peer {
    /// Whether it tells of transactions.
    #[must_use]
    pub fn tells_transactions(&self) -> bool {
        let is_for_else = ["block-relay-only", "feeler", "addr-fetch", "private-broadcast"];
        !is_for_else.contains(&self.kind.as_str())
    }
}

/// `getblockheader`
#[derive(Debug, Clone, Deserialize)]
pub struct Header {
    /// The block.
    pub hash: BlockHash,
    /// Its height.
    pub height: u32,
    /// -1 when it is not in the best chain.
    pub confirmations: i64,
    /// Total work up to it, 64 hexadecimal digits.
    pub chainwork: String,
    /// The miner's time, in Unix seconds.
    pub time: i64,
    /// Median time of the last eleven blocks, in Unix seconds.
    #[serde(rename = "mediantime")]
    pub median_time: i64,
    /// The block before; none at the genesis block.
    #[serde(default, rename = "previousblockhash")]
    pub previous: Option<BlockHash>,
}

/// `getmempoolinfo`, as a fingerprint: as long as it is the same, the mempool is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MempoolState {
    /// Whether the mempool that was saved at the last stop has been read.
    pub loaded: bool,
    /// Number of transactions.
    pub size: usize,
    /// Their virtual size.
    pub bytes: u64,
    /// Their fees; a number that is only compared, so it stays text.
    pub total_fee: serde_json::Number,
}

/// `getmempoolentry`
#[derive(Debug, Clone, Deserialize)]
pub struct MempoolEntry {
    /// When it came, in Unix seconds by the node's clock.
    pub time: i64,
    /// Its unconfirmed parents.
    pub depends: Vec<Txid>,
}

/// `getrawmempool` with its sequence.
#[derive(Debug, Clone, Deserialize)]
pub struct MempoolSnapshot {
    /// What is in it.
    pub txids: Vec<Txid>,
    /// The number of the next change.
    #[serde(rename = "mempool_sequence")]
    pub sequence: u64,
}

/// One of `gettxspendingprevout`.
#[derive(Debug, Clone, Deserialize)]
pub struct Spender {
    /// Who spends the output; none when nobody does.
    #[serde(default, rename = "spendingtxid")]
    pub txid: Option<Txid>,
}

/// One of `getzmqnotifications`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Notification {
    /// As in `pubrawtx`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is published, as the node was configured.
    pub address: String,
}

/// `scantxoutset`
#[derive(Debug, Clone, Deserialize)]
pub struct UtxoScan {
    /// Whether the scan was finished.
    pub success: bool,
    /// Height of the block up to which the set reaches that was looked through.
    #[serde(default)]
    pub height: u32,
    /// That block; a scan that was broken off names none.
    #[serde(default, rename = "bestblock")]
    pub best: Option<BlockHash>,
    /// What was found.
    #[serde(default)]
    pub unspents: Vec<Unspent>,
}

/// One of the outputs that `scantxoutset` found.
#[derive(Debug, Clone, Deserialize)]
pub struct Unspent {
    /// The transaction.
    pub txid: Txid,
    /// The output's index.
    pub vout: u32,
    /// The script.
    #[serde(rename = "scriptPubKey")]
    pub script: ScriptBuf,
    /// The value, in bitcoin with eight places.
    #[serde(deserialize_with = "existing")]
    pub amount: bitcoin::Amount,
    /// The block's height.
    pub height: u32,
    /// Whether it is a coinbase output; older nodes do not say.
    #[serde(default)]
    pub coinbase: bool,
}

/// An amount in bitcoin, of those that can exist: sums of others would leave the numbers that they are kept in.
fn existing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bitcoin::Amount, D::Error> {
    let amount: bitcoin::Amount = bitcoin::amount::serde::as_btc::deserialize(deserializer)?;
    if amount > bitcoin::Amount::MAX_MONEY {
        return Err(D::Error::custom("more bitcoin than there is"));
    }
    Ok(amount)
}
