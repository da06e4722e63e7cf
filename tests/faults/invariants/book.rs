//! The chain as the suite itself reads it, block by block, from the shopper's node, which deletes nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use anyhow::{Result, ensure};
use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::{Amount, Block, BlockHash, ScriptBuf, Txid};
use bitpro_tests::Node;
use serde::Deserialize;
use serde_json::json;

/// What a transaction in a block pays to a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paid {
    /// Over all of its outputs to that script.
    pub sats: u64,
    /// The block's height.
    pub height: u32,
}

/// The best chain.
#[derive(Debug, Default)]
pub struct Book {
    best: Vec<BlockHash>,
    blocks: HashMap<BlockHash, Vec<(ScriptBuf, Txid, u64)>>,
}

#[derive(Deserialize)]
struct Unspents {
    unspents: Vec<Unspent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unspent {
    script_pub_key: ScriptBuf,
    amount: f64,
}

impl Book {
    /// Follows the node to its tip.
    ///
    /// # Errors
    /// When the node is away, or its chain moves meanwhile.
    pub async fn read(&mut self, node: &Node) -> Result<()> {
        let tip = node.tip().await?;
        self.best.truncate(usize::try_from(tip.height)? + 1);
        while let Some(last) = self.best.last() {
            let hash: BlockHash = node.rpc().call("getblockhash", json!([self.best.len() - 1])).await?;
            if hash == *last {
                break;
            }
            self.best.pop();
        }
        for height in self.best.len()..=usize::try_from(tip.height)? {
            let hash: BlockHash = node.rpc().call("getblockhash", json!([height])).await?;
            if let Entry::Vacant(unread) = self.blocks.entry(hash) {
                let raw: String = node.rpc().call("getblock", json!([hash, 0])).await?;
                unread.insert(payments(&deserialize_hex(&raw)?));
            }
            self.best.push(hash);
        }
        ensure!(self.best.last() == Some(&tip.hash), "the chain has moved");
        Ok(())
    }

    /// The height of its last block.
    pub fn height(&self) -> u32 {
        u32::try_from(self.best.len()).map_or(0, |blocks| blocks.saturating_sub(1))
    }

    /// What was paid to each script in the best chain, by transaction.
    pub fn payments(&self) -> HashMap<&ScriptBuf, HashMap<Txid, Paid>> {
        let mut payments: HashMap<&ScriptBuf, HashMap<Txid, Paid>> = HashMap::new();
        for (hash, height) in self.best.iter().zip(0..) {
            for (script, txid, sats) in self.blocks.get(hash).into_iter().flatten() {
                let of_script = payments.entry(script).or_default();
                of_script.entry(*txid).or_insert(Paid { sats: 0, height }).sats += sats;
            }
        }
        payments
    }
}

/// What the node's set of unspent outputs holds for each of `scripts`. No merchant of the suite spends anything, so that is all that they
/// ever received.
///
/// # Errors
/// When the node refuses.
pub async fn unspent(node: &Node, scripts: impl Iterator<Item = &ScriptBuf>) -> Result<HashMap<ScriptBuf, u64>> {
    let wanted: Vec<String> = scripts
        .map(|script| format!("raw({})", script.to_hex_string()))
        .collect();
    let found: Unspents = node.rpc().call("scantxoutset", json!(["start", wanted])).await?;
    let mut unspent = HashMap::new();
    for output in found.unspents {
        // Eight places of a double are exact up to 90 million bitcoin.
        let sats = Amount::from_btc(output.amount)?.to_sat();
        *unspent.entry(output.script_pub_key).or_insert(0) += sats;
    }
    Ok(unspent)
}

fn payments(block: &Block) -> Vec<(ScriptBuf, Txid, u64)> {
    let mut payments = Vec::new();
    for transaction in &block.txdata {
        let txid = transaction.compute_txid();
        for output in &transaction.output {
            payments.push((output.script_pubkey.clone(), txid, output.value.to_sat()));
        }
    }
    payments
}
