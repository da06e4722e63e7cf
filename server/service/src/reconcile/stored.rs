//! The part of a comparison that reads what is stored of every charge.

use bitpro_charge::{BlockRef, ChargeId, Outpoint, Place, Whereabouts};
use bitpro_store::audit::{StoredCharge, StoredPage};
use tokio::time::Instant;

use super::ReconcileError;
use super::against_chain::{Finding, Seen, not_in_chain};
use super::difference::{Code, Difference};
use super::run::{Break, Run};

/// So many charges are read at a time.
const CHARGES: u32 = 200;

impl Run<'_> {
    /// Compares what is stored of every charge with itself, and with what was read of the chain.
    pub(super) async fn look_at_charges(&mut self) -> Result<(), ReconcileError> {
        let mut after = 0;
        loop {
            let started = Instant::now();
            let page = self.inner.store.audited_after(after, CHARGES).await?;
            let Some(last) = page.last else { break };
            after = last;
            self.look_at_page(page).await?;
            self.pace.after(started).await;
        }
        for charge in self.inner.store.charges_sharing_scripts(CHARGES).await? {
            let reason = "another charge has the same script";
            self.report
                .add(Difference::of_charge(Code::ScriptShared, charge, reason));
        }
        Ok(())
    }

    async fn look_at_page(&mut self, page: StoredPage) -> Result<(), ReconcileError> {
        let tip = page.tip.map(|tip| tip.block.height);
        for charge in &page.charges {
            self.report.charges += 1;
            if let Err(Break::Failed(error)) = self.conclude_inward(charge, tip).await {
                return Err(error);
            }
            let missing = self.look_for_payments(charge, tip).await?;
            if missing.is_empty() {
                continue;
            }
            let is_concluded = self.conclude_missing(charge.num, missing).await;
            if let Err(Break::Failed(error)) = is_concluded.or_else(|trouble| self.endure(trouble)) {
                return Err(error);
            }
        }
        Ok(())
    }

    /// The payments of a charge that are stored in a block and are not there. Of unconfirmed ones that the mempool does not
    /// hold, a note is made: that proves nothing (R3).
    async fn look_for_payments(
        &mut self,
        stored: &StoredCharge,
        tip: Option<u32>,
    ) -> Result<Vec<Finding>, ReconcileError> {
        let Ok(row) = &stored.row else {
            return Ok(Vec::new());
        };
        let mut missing = Vec::new();
        for payment in &row.charge.payments {
            let block = match payment.whereabouts {
                Whereabouts::Live(Place::Block(block)) => block,
                Whereabouts::Live(Place::Mempool) => {
                    self.look_for_unconfirmed(stored.id, payment.outpoint);
                    continue;
                }
                Whereabouts::Gone(_) => continue,
            };
            let Some(scanned) = &self.scanned else { continue };
            let seen = scanned.seen(payment.outpoint, block);
            let is_there = match seen {
                Seen::There => true,
                Seen::NotThere => false,
                // A reorg since it was read, or a block that was never in the chain.
                Seen::OtherBlock => self.is_in_chain(block).await?,
                Seen::NotRead => tip.is_none_or(|tip| block.height <= tip),
            };
            if !is_there && !self.elsewhere.contains(&payment.outpoint) {
                let spender = self.spenders.get(&payment.outpoint.txid).copied();
                missing.push(not_in_chain(stored.id, payment.outpoint, block, seen, spender));
            }
        }
        Ok(missing)
    }

    fn look_for_unconfirmed(&mut self, charge: ChargeId, outpoint: Outpoint) {
        let is_absent = self.pool.as_ref().is_some_and(|pool| !pool.contains(&outpoint.txid));
        if is_absent {
            let says = format!("{outpoint} is stored as unconfirmed, but is not in the node's mempool");
            self.report.note("payment-not-in-mempool", Some(charge), says);
        }
    }

    /// Whether the node, and the charges' own chain, hold a block. When the node cannot be asked any more, nothing is concluded.
    async fn is_in_chain(&mut self, block: BlockRef) -> Result<bool, ReconcileError> {
        let stored = self.inner.store.block_at(block.height).await?;
        // The charges stand on it still: they are about to follow a reorg.
        if stored == Some(block.hash) {
            return Ok(true);
        }
        match self.ask(move |survey| survey.is_in_chain(block)).await {
            Ok(is_in_chain) => Ok(is_in_chain),
            Err(Break::Failed(error)) => Err(error),
            Err(Break::Node(_)) => Ok(true),
        }
    }

    async fn conclude_missing(&mut self, num: i64, findings: Vec<Finding>) -> Result<(), Break> {
        if !self.request.fix {
            for finding in findings {
                self.report.add(finding.difference);
            }
            return Ok(());
        }
        let held_back = self.repair(&findings).await?;
        let page = self.inner.store.audited(&[num]).await?;
        let tip = page.tip.map(|tip| tip.block.height);
        let mut left = Vec::new();
        for charge in &page.charges {
            left.extend(self.look_for_payments(charge, tip).await?);
        }
        self.tell_what_is_left(findings, &left, &held_back);
        Ok(())
    }
}
