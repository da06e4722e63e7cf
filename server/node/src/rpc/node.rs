//! The calls that the watcher makes, by name.

use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::{BlockHash, Transaction};
use bitpro_charge::{Outpoint, Txid};
use serde_json::{Value, json};

use super::answers::{
    ChainState, Header, MempoolEntry, MempoolSnapshot, MempoolState, NetworkState, Notification, Peer, Spender,
    UtxoScan,
};
use super::{Answer, Call, Rpc};
use crate::convert;
use crate::error::NodeError;

/// What the node knows of a transaction in its mempool.
pub struct PoolTx {
    /// When it came, and what it depends on.
    pub entry: MempoolEntry,
    /// The transaction, whose id was checked.
    pub tx: Transaction,
}

impl Rpc {
    /// Where chain and mempool stand, in one round trip.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(crate) fn state(&self) -> Result<(ChainState, MempoolState), NodeError> {
        let answers = self.batch(&[
            Call::new("getblockchaininfo", json!([])),
            Call::new("getmempoolinfo", json!([])),
        ])?;
        Ok((nth(&answers, 0)?.get()?, nth(&answers, 1)?.get()?))
    }

    /// # Errors
    /// [`NodeError`].
    pub(crate) fn chain_state(&self) -> Result<ChainState, NodeError> {
        self.call("getblockchaininfo", &json!([]))
    }

    /// # Errors
    /// [`NodeError`].
    pub(crate) fn network_state(&self) -> Result<NetworkState, NodeError> {
        self.call("getnetworkinfo", &json!([]))
    }

    /// Who is connected with the node.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(crate) fn peers(&self) -> Result<Vec<Peer>, NodeError> {
        self.call("getpeerinfo", &json!([]))
    }

    /// The best block.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(crate) fn best(&self) -> Result<BlockHash, NodeError> {
        self.call("getbestblockhash", &json!([]))
    }

    /// The block of the best chain at `height`.
    ///
    /// # Errors
    /// [`NodeError`]; a height above the tip is refused.
    pub(crate) fn hash_at(&self, height: u32) -> Result<BlockHash, NodeError> {
        self.call("getblockhash", &json!([height]))
    }

    /// The blocks of the best chain at these heights.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(crate) fn hashes_at(&self, heights: impl Iterator<Item = u32>) -> Result<Vec<BlockHash>, NodeError> {
        let calls: Vec<_> = heights
            .map(|height| Call::new("getblockhash", json!([height])))
            .collect();
        self.batch(&calls)?.iter().map(Answer::get).collect()
    }

    /// A header; `None` when the node has never seen that block.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(crate) fn header(&self, hash: BlockHash) -> Result<Option<Header>, NodeError> {
        known(self.call("getblockheader", &json!([hash])))
    }

    /// What is in the mempool, and the number of its next change.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(crate) fn mempool(&self) -> Result<MempoolSnapshot, NodeError> {
        self.call("getrawmempool", &json!([false, true]))
    }

    /// Transactions of the mempool; `None` for what is not there.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(crate) fn transactions(&self, txids: &[Txid]) -> Result<Vec<Option<Transaction>>, NodeError> {
        let calls: Vec<_> = txids
            .iter()
            .map(|txid| Call::new("getrawtransaction", json!([txid.to_string()])))
            .collect();
        let answers = self.batch(&calls)?;
        txids
            .iter()
            .zip(&answers)
            .map(|(&txid, answer)| transaction(txid, answer))
            .collect()
    }

    /// Transactions of the mempool with what the mempool knows of them; `None` for what is not there.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(crate) fn pool_txs(&self, txids: &[Txid]) -> Result<Vec<Option<PoolTx>>, NodeError> {
        let calls: Vec<_> = txids
            .iter()
            .flat_map(|txid| {
                [
                    Call::new("getmempoolentry", json!([txid.to_string()])),
                    Call::new("getrawtransaction", json!([txid.to_string()])),
                ]
            })
            .collect();
        let answers = self.batch(&calls)?;
        txids
            .iter()
            .zip(answers.chunks_exact(2))
            .map(|(&txid, pair)| {
                let entry: Option<MempoolEntry> = known(pair[0].get())?;
                let tx = transaction(txid, &pair[1])?;
                Ok(entry.zip(tx).map(|(entry, tx)| PoolTx { entry, tx }))
            })
            .collect()
    }

    /// The unconfirmed ancestors of a transaction of the mempool; empty when it is not there.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(crate) fn ancestors(&self, txid: Txid) -> Result<Vec<Txid>, NodeError> {
        let ancestors: Option<Vec<bitcoin::Txid>> =
            known(self.call("getmempoolancestors", &json!([txid.to_string()])))?;
        Ok(ancestors.into_iter().flatten().map(convert::txid).collect())
    }

    /// For each list of outpoints, who spends them in the mempool.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(crate) fn spenders(&self, outpoints: &[Vec<Outpoint>]) -> Result<Vec<Vec<Txid>>, NodeError> {
        let calls: Vec<_> = outpoints
            .iter()
            .map(|outpoints| {
                let outpoints: Vec<Value> = outpoints
                    .iter()
                    .map(|outpoint| json!({ "txid": outpoint.txid.to_string(), "vout": outpoint.vout }))
                    .collect();
                Call::new("gettxspendingprevout", json!([outpoints]))
            })
            .collect();
        self.batch(&calls)?
            .iter()
            .map(|answer| {
                let spenders: Vec<Spender> = answer.get()?;
                Ok(spenders
                    .into_iter()
                    .filter_map(|spender| spender.txid)
                    .map(convert::txid)
                    .collect())
            })
            .collect()
    }

    /// Sends a transaction (again), whatever its fee: it is not ours to judge.
    ///
    /// # Errors
    /// [`NodeError::Refused`] when the node does not want it.
    pub(crate) fn send(&self, raw: &[u8]) -> Result<bitcoin::Txid, NodeError> {
        self.call("sendrawtransaction", &json!([hex::encode(raw), 0]))
    }

    /// Where the node publishes its notifications.
    ///
    /// # Errors
    /// [`NodeError`]; a node that was built without ZMQ does not know the call.
    pub(crate) fn notifications(&self) -> Result<Vec<Notification>, NodeError> {
        self.call("getzmqnotifications", &json!([]))
    }

    /// The node's clock, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`NodeError`].
    pub(crate) fn clock_millis(&self) -> Result<i64, NodeError> {
        #[derive(serde::Deserialize)]
        struct Totals {
            timemillis: i64,
        }
        let totals: Totals = self.call("getnettotals", &json!([]))?;
        Ok(totals.timemillis)
    }

    /// Looks through the whole UTXO set for what descriptors describe: `(descriptor, highest index)`. Takes minutes.
    ///
    /// # Errors
    /// [`NodeError`]; a second scan at the same time is refused.
    pub(crate) fn scan(&self, ranges: &[(String, u32)]) -> Result<UtxoScan, NodeError> {
        let objects: Vec<Value> = ranges
            .iter()
            .map(|(descriptor, range)| json!({ "desc": descriptor, "range": range }))
            .collect();
        self.call("scantxoutset", &json!(["start", objects]))
    }
}

/// The bytes commit to the id, so that no answer can pass off another transaction.
fn transaction(txid: Txid, answer: &Answer) -> Result<Option<Transaction>, NodeError> {
    let Some(hex) = known(answer.get::<String>())? else {
        return Ok(None);
    };
    let tx: Transaction =
        deserialize_hex(&hex).map_err(|error| NodeError::Malformed(format!("transaction {txid}: {error}")))?;
    if tx.compute_txid() != convert::to_node_tx(txid) {
        return Err(NodeError::Malformed(format!(
            "asked for {txid}, got {}",
            tx.compute_txid()
        )));
    }
    Ok(Some(tx))
}

fn known<T>(answer: Result<T, NodeError>) -> Result<Option<T>, NodeError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn nth(answers: &[Answer], index: usize) -> Result<&Answer, NodeError> {
    answers
        .get(index)
        .ok_or_else(|| NodeError::Malformed("an answer is missing from a batch".to_owned()))
}
