//! Reading the mempool: all of it, or only what came by or is missed.

use std::collections::HashSet;

use bitpro_charge::{Interval, Outpoint, Place, Txid};

use super::super::api::NodeApi;
use super::super::convert;
use super::super::diff::{Absence, ChainReading, PoolReading};
use super::super::first_seen::Sight;
use super::super::matching::{paying_outputs, paying_tx};
use super::super::mirror::Receipt;
use super::super::port::ChargesPort;
use super::super::rpc::PoolTx;
use super::super::view::{Fingerprint, PayingTx};
use super::{Trouble, Watcher};

/// How many transactions are held in memory at once while a mempool is looked through.
const PAGE: usize = 500;

impl<P: ChargesPort, N: NodeApi> Watcher<P, N> {
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
            .filter(|&txid| self.is_unreported(txid) && !mined.contains(&txid) && !self.missing.contains_key(&txid));
        let wanted: Vec<Txid> = new.chain(self.missing.keys().copied()).collect();
        if wanted.is_empty() {
            return Ok(PoolReading::default());
        }
        let mut pool = PoolReading::default();
        let mut absent = Vec::new();
        for (&txid, found) in wanted.iter().zip(self.node.pool_txs(&wanted)?) {
            if let Some(missing) = self.missing.get_mut(&txid) {
                missing.is_absent = found.is_none();
            }
            match found {
                Some(found) => match self.report(txid, &found, full)? {
                    Some(report) => pool.paying.push(report),
                    None => self.mirror.pays_nothing(txid),
                },
                None if self.known.get(txid).is_some() => absent.push(txid),
                // Somebody else's node may have it, or ours may get it in a moment.
                None => self.mirror.unhear(txid),
            }
        }
        pool.absent = self.explain(&absent)?;
        self.look_at_spenders(&mut pool, full)?;
        Ok(pool)
    }

    /// Whether a transaction that pays us is not followed yet, or pays a script that was not watched when it was reported.
    pub(super) fn is_unreported(&self, txid: Txid) -> bool {
        match self.known.get(txid) {
            None => true,
            Some(known) => known.place == Place::Mempool && self.mirror.is_overlooked(txid),
        }
    }

    /// What took a payment's place may pay us too, and may not have been announced yet: both belong into one view (R2).
    fn look_at_spenders(&mut self, pool: &mut PoolReading, full: bool) -> Result<(), Trouble> {
        let mut spenders: Vec<Txid> = pool
            .absent
            .values()
            .filter_map(|absence| match absence {
                Absence::Replaced(spender) => Some(*spender),
                Absence::Refused(_) | Absence::Unexplained => None,
            })
            .filter(|&spender| self.known.get(spender).is_none())
            .filter(|&spender| pool.paying.iter().all(|tx| tx.txid != spender))
            .collect();
        spenders.sort_unstable();
        spenders.dedup();
        for (&txid, found) in spenders.iter().zip(self.node.pool_txs(&spenders)?) {
            let found = found.ok_or(Trouble::Moved)?;
            pool.paying.extend(self.report(txid, &found, full)?);
        }
        Ok(())
    }

    fn read_whole_mempool(&mut self) -> Result<(), Trouble> {
        self.offset_millis = self.clock_offset()?;
        let snapshot = self.node.mempool()?;
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
            for (&txid, tx) in page.iter().zip(self.node.transactions(page)?) {
                match tx {
                    Some(tx) => {
                        let scripts = tx.output.iter().map(|output| output.script_pubkey.as_bytes());
                        let outputs: Box<[Fingerprint]> = scripts.map(|script| self.port.fingerprint(script)).collect();
                        let pays = outputs.iter().any(|&script| self.port.is_watched(script));
                        self.mirror.examined(txid, outputs, pays);
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
        let receipt = self.mirror.receipt(txid);
        let outputs = match self.known.get(txid) {
            Some(known) if receipt != Receipt::Overlooked => known.outputs.clone(),
            _ => paying_outputs(&found.tx, |script| self.port.script(script)),
        };
        if outputs.is_empty() {
            return Ok(None);
        }
        let stand = self.stand()?;
        let sight = self.sight_of_mempool(stand);
        let record = is_catching_up.then(|| sight.in_mempool(found.entry.time));
        let first_seen = match (receipt, record) {
            // What came by late, or a second time, was there when the node had it.
            (Receipt::CameBy(receipt), Some(record)) if record.latest < receipt => self.as_heard(stand, record),
            (Receipt::CameBy(receipt), _) => self.as_heard(stand, Interval::at(receipt)),
            // Nobody looked for it before, so that it was not known proves nothing.
            (Receipt::Overlooked, _) => Sight { since: None, ..sight }.in_mempool(found.entry.time),
            (Receipt::Found, Some(record)) => self.as_heard(stand, record),
            (Receipt::Found, None) => self.as_heard(stand, Interval::at(self.clock.now())),
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
        let ancestors = self.node.ancestors(txid)?;
        let mut inputs = Vec::new();
        let mut raws = Vec::new();
        for tx in self.node.transactions(&ancestors)?.into_iter().flatten() {
            inputs.extend(convert::inputs(&tx));
            raws.push(bitcoin::consensus::encode::serialize(&tx));
        }
        self.ancestors.insert(txid, raws);
        Ok(inputs)
    }
}
