//! Reading the mempool: all of it, or only what came by or is missed.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bitpro_charge::{Interval, Outpoint, Place, Timestamp, Txid};
use tokio::time::Instant;

use super::super::convert;
use super::super::diff::{Absence, ChainReading, PoolReading};
use super::super::error::NodeError;
use super::super::known::is_conflict;
use super::super::matching::{paying_outputs, paying_tx};
use super::super::port::ChargesPort;
use super::super::rpc::PoolTx;
use super::super::view::PayingTx;
use super::{Trouble, Watcher};

/// How many transactions are held in memory at once while a mempool is looked through.
const PAGE: usize = 500;
/// Pause between attempts to send a missing transaction again.
const RESEND_EVERY: Duration = Duration::from_secs(60);

/// A known unconfirmed transaction that may not be in the mempool any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missing {
    /// When it was missed first.
    pub since: Timestamp,
    /// Whether it is really not there; before the node was asked, it may be.
    pub is_absent: bool,
    /// When it was last sent again, and whether the node refused it.
    resent: Option<(Instant, bool)>,
}

impl Missing {
    pub(super) const fn is_refused(&self) -> bool {
        matches!(self.resent, Some((_, true)))
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.resent
            .is_none_or(|(last, _)| now.duration_since(last) >= RESEND_EVERY)
    }
}

impl<P: ChargesPort> Watcher<P> {
    /// A known transaction is to be looked for.
    pub(super) fn miss(&mut self, txid: Txid) {
        let since = self.clock.now();
        self.missing.entry(txid).or_insert(Missing {
            since,
            is_absent: true,
            resent: None,
        });
    }

    /// Reads the mempool under `chain`. The caller checks afterwards that the tip is still the same.
    pub(super) fn read_pool(&mut self, full: bool, chain: &ChainReading) -> Result<PoolReading, Trouble> {
        if full {
            self.read_whole_mempool()?;
        } else {
            self.look_at(&self.mirror.unexamined())?;
        }
        let mined: HashSet<Txid> = chain.mined.iter().map(|tx| tx.txid).collect();
        for tx in self
            .known
            .in_blocks_above(chain.fork_height)
            .map(|tx| tx.txid)
            .collect::<Vec<_>>()
        {
            self.miss(tx);
        }
        self.missing.retain(|txid, _| !mined.contains(txid));
        let new = self
            .mirror
            .paying()
            .filter(|&txid| self.known.get(txid).is_none() && !mined.contains(&txid));
        let wanted: Vec<Txid> = new.chain(self.missing.keys().copied()).collect();
        if wanted.is_empty() {
            return Ok(PoolReading::default());
        }
        let mut pool = PoolReading::default();
        let mut absent = Vec::new();
        for (&txid, found) in wanted.iter().zip(self.rpc.pool_txs(&wanted)?) {
            if let Some(missing) = self.missing.get_mut(&txid) {
                missing.is_absent = found.is_none();
            }
            match found {
                Some(found) => match self.report(txid, &found, full)? {
                    Some(report) => pool.paying.push(report),
                    None => self.mirror.pays_nothing(txid),
                },
                None if self.known.get(txid).is_some() => absent.push(txid),
                None => self.mirror.forget(txid),
            }
        }
        pool.absent = self.explain(&absent)?;
        Ok(pool)
    }

    fn read_whole_mempool(&mut self) -> Result<(), Trouble> {
        let snapshot = self.rpc.mempool()?;
        let txids: Vec<Txid> = snapshot.txids.into_iter().map(convert::txid).collect();
        let unseen: Vec<Txid> = self.mirror.unseen(&txids).collect();
        let unread = self.look_at(&unseen)?;
        self.mirror.replace(txids, &unread, snapshot.sequence);
        let vanished: Vec<Txid> = self
            .known
            .unconfirmed()
            .map(|tx| tx.txid)
            .filter(|&txid| !self.mirror.contains(txid))
            .collect();
        for txid in vanished {
            self.miss(txid);
        }
        Ok(())
    }

    /// Looks at transactions of the mempool; gives back those that are not there any more.
    fn look_at(&mut self, txids: &[Txid]) -> Result<HashSet<Txid>, Trouble> {
        let mut unread = HashSet::new();
        for page in txids.chunks(PAGE) {
            for (&txid, tx) in page.iter().zip(self.rpc.transactions(page)?) {
                match tx {
                    Some(tx) => {
                        let pays = !paying_outputs(&tx, |script| self.port.script(script)).is_empty();
                        self.mirror.examined(txid, pays);
                    }
                    None => {
                        unread.insert(txid);
                        self.mirror.forget(txid);
                    }
                }
            }
        }
        Ok(unread)
    }

    /// The report of a transaction in the mempool; `None` when it does not pay us after all.
    fn report(&mut self, txid: Txid, found: &PoolTx, is_catching_up: bool) -> Result<Option<PayingTx>, Trouble> {
        let outputs = match self.known.get(txid) {
            Some(known) => known.outputs.clone(),
            None => paying_outputs(&found.tx, |script| self.port.script(script)),
        };
        if outputs.is_empty() {
            return Ok(None);
        }
        let stand = self.stand()?;
        let first_seen = match self.mirror.receipt(txid) {
            Some(receipt) => Interval::at(receipt),
            None if is_catching_up => self.sight_of_mempool(stand).in_mempool(found.entry.time),
            None => Interval::at(self.clock.now()),
        };
        let ancestor_inputs = self.ancestor_inputs(txid, found)?;
        Ok(Some(paying_tx(
            &found.tx,
            txid,
            outputs,
            Place::Mempool,
            first_seen,
            ancestor_inputs,
        )))
    }

    /// What the unconfirmed ancestors spend; the ancestors themselves are kept, to be sent again with their descendant.
    fn ancestor_inputs(&mut self, txid: Txid, found: &PoolTx) -> Result<Vec<Outpoint>, Trouble> {
        if found.entry.depends.is_empty() {
            return Ok(Vec::new());
        }
        let ancestors = self.rpc.ancestors(txid)?;
        let mut inputs = Vec::new();
        let mut raws = Vec::new();
        for tx in self.rpc.transactions(&ancestors)?.into_iter().flatten() {
            inputs.extend(convert::inputs(&tx));
            raws.push(bitcoin::consensus::encode::serialize(&tx));
        }
        self.ancestors.insert(txid, raws);
        Ok(inputs)
    }

    /// Why known transactions are not in the mempool (R3): a conflict in it, or, when they are sent again, a refusal.
    fn explain(&mut self, absent: &[Txid]) -> Result<HashMap<Txid, Absence>, Trouble> {
        let mut explained: HashMap<Txid, Absence> = HashMap::new();
        let spending: Vec<PayingTx> = absent
            .iter()
            .filter_map(|&txid| self.known.get(txid))
            .filter(|tx| !tx.inputs.is_empty())
            .cloned()
            .collect();
        let spent: Vec<Vec<Outpoint>> = spending
            .iter()
            .map(|tx| tx.inputs.iter().chain(&tx.ancestor_inputs).copied().collect())
            .collect();
        let mut to_resend = Vec::new();
        for (tx, spenders) in spending.into_iter().zip(self.rpc.spenders(&spent)?) {
            match spenders.into_iter().find(|&spender| is_conflict(&tx, spender)) {
                Some(spender) => {
                    explained.insert(tx.txid, Absence::Replaced(spender));
                }
                None => to_resend.push(tx),
            }
        }
        self.resend(&to_resend)?;
        for tx in to_resend {
            if let Some(missing) = self.missing.get(&tx.txid) {
                let absence = match missing.resent {
                    Some((_, true)) => Absence::Refused(missing.since),
                    _ => Absence::Unexplained,
                };
                explained.insert(tx.txid, absence);
            }
        }
        Ok(explained)
    }

    /// Sends transactions again that the node has forgotten, as long as one of them goes through: one may be another's parent.
    fn resend(&mut self, txs: &[PayingTx]) -> Result<(), Trouble> {
        let now = Instant::now();
        let mut due: Vec<&PayingTx> = txs
            .iter()
            .filter(|tx| self.missing.get(&tx.txid).is_some_and(|missing| missing.is_due(now)))
            .collect();
        loop {
            let before = due.len();
            let mut refused = Vec::new();
            for tx in due {
                let is_taken = self.resend_one(tx)?;
                if let Some(missing) = self.missing.get_mut(&tx.txid) {
                    missing.resent = Some((now, !is_taken));
                    missing.is_absent = !is_taken;
                }
                if is_taken {
                    tracing::info!(txid = %tx.txid, "sent a payment again that the node had forgotten");
                } else {
                    refused.push(tx);
                }
            }
            if refused.is_empty() || refused.len() == before {
                return Ok(());
            }
            due = refused;
        }
    }

    fn resend_one(&self, tx: &PayingTx) -> Result<bool, Trouble> {
        for ancestor in self.ancestors.get(&tx.txid).into_iter().flatten() {
            // An ancestor that is there or mined already is refused, and that is as good.
            accepted(self.rpc.send(ancestor))?;
        }
        Ok(accepted(self.rpc.send(&tx.raw))?)
    }
}

fn accepted<T>(answer: Result<T, NodeError>) -> Result<bool, NodeError> {
    match answer {
        Ok(_) => Ok(true),
        Err(NodeError::Refused { code, message }) => {
            tracing::debug!(code, message, "the node refuses a transaction that was sent again");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
