//! Repairs of what follows from the logs and is kept beside them: which charges are open, how many there are in each state, the
//! transactions of their payments. What it follows from is not touched.

use std::collections::BTreeMap;

use bitpro_charge::{Outpoint, Txid, Whereabouts};
use bitpro_node::survey::{FoundOutput, transaction_in};
use bitpro_node::view::PayingTx;
use bitpro_store::Snapshot;
use bitpro_store::audit::{StoredCharge, StoredTransaction};

use super::difference::{Code, Difference};
use super::inward;
use super::run::{Break, Run};

impl Run<'_> {
    /// Tells what is stored of a charge and contradicts itself; repaired, where that is asked for and can be.
    pub(super) async fn conclude_inward(&mut self, stored: &StoredCharge, tip: Option<u32>) -> Result<(), Break> {
        let found = inward::compare(stored, tip);
        let can_be_mended = |difference: &Difference| {
            matches!(
                difference.code,
                Code::OpenUnmarked | Code::TransactionMissing | Code::TransactionChanged
            )
        };
        if !self.request.fix || !found.iter().any(can_be_mended) {
            for difference in found {
                self.report.add(difference);
            }
            return Ok(());
        }
        let why = self.mend(stored, &found).await?;
        let page = self.inner.store.audited(&[stored.num]).await?;
        let tip = page.tip.map(|tip| tip.block.height);
        let left: Vec<Difference> = page
            .charges
            .iter()
            .flat_map(|charge| inward::compare(charge, tip))
            .collect();
        for mut difference in found {
            let is_left = left.iter().any(|other| other.is_same(&difference));
            difference.repaired = !is_left;
            if let (true, true, Some(why)) = (is_left, can_be_mended(&difference), &why) {
                difference.reason = format!("{}; not repaired: {why}", difference.reason);
            }
            self.report.add(difference);
        }
        Ok(())
    }

    /// Whether it helped is seen by comparing again. What it did not help with, and why.
    async fn mend(&self, stored: &StoredCharge, found: &[Difference]) -> Result<Option<String>, Break> {
        let forbidding = found.iter().find(|difference| difference.code.forbids_decisions());
        if let Some(forbidding) = forbidding {
            let why = format!("the stored data of the charge is not reliable ({})", forbidding.code);
            return Ok(Some(why));
        }
        let Ok(row) = &stored.row else { return Ok(None) };
        if found.iter().any(|difference| difference.code == Code::OpenUnmarked) {
            tracing::warn!(charge = %stored.id, "a charge that was marked as ended is checked again");
            self.inner.charges.take_up(stored.id).await?;
        }
        // What is stored of a transaction follows from its bytes, where these are its own.
        let mut without_bytes = Vec::new();
        for (txid, kept) in changed(found, stored) {
            if is_of(txid, &kept.raw) {
                self.inner.charges.follow_anew(stored.id, kept.raw.clone()).await?;
            } else {
                without_bytes.extend(row.charge.payments_of(txid).first().map(|payment| payment.outpoint));
            }
        }
        let without = inward::without_transaction(stored);
        if without.is_empty() && without_bytes.is_empty() {
            return Ok(None);
        }
        if self.survey.is_none() {
            return Ok(Some("chain and mempool could not be read".to_owned()));
        }
        let (anew, nowhere) = self.transactions_of(row, &without_bytes).await?;
        for tx in anew {
            self.inner.charges.follow_anew(stored.id, tx.raw).await?;
        }
        let (transactions, missing) = self.transactions_of(row, &without).await?;
        let trouble = self.observe(transactions, Vec::new()).await.err();
        let missing = (missing + nowhere > 0).then(|| "it cannot be found anywhere".to_owned());
        Ok(trouble.or(missing))
    }

    /// The transactions of these payments as they are observed again, and how many are not there. What is known of the payments stays.
    async fn transactions_of(&self, row: &Snapshot, payments: &[Outpoint]) -> Result<(Vec<PayingTx>, usize), Break> {
        let payments = payments.iter().filter_map(|&outpoint| row.charge.payment(outpoint));
        // One of each transaction: its others come with it.
        let of_each: BTreeMap<Txid, _> = payments.map(|payment| (payment.outpoint.txid, payment)).collect();
        let mut there = Vec::new();
        let mut missing = 0;
        for payment in of_each.into_values() {
            let Whereabouts::Live(place) = payment.whereabouts else {
                missing += 1;
                continue;
            };
            let found = FoundOutput {
                outpoint: payment.outpoint,
                value: payment.value,
                script_pubkey: row.script_pubkey.to_vec(),
                place,
                at: payment.first_seen.latest,
                coinbase: payment.coinbase,
            };
            let since = payment.first_seen.earliest;
            let (now, script) = (self.inner.charges.now(), self.inner.charges.watch());
            let report = self
                .ask(move |survey| survey.report(&[found], since, now, script))
                .await?;
            // Of a block that the node has deleted, it only repeats what it was asked.
            match report.filter(|report| !report.raw.is_empty()) {
                Some(report) => there.push(PayingTx {
                    first_seen: payment.first_seen,
                    ..report
                }),
                None => missing += 1,
            }
        }
        Ok((there, missing))
    }
}

/// The transactions of which something else is stored than what they are.
fn changed<'s>(found: &[Difference], stored: &'s StoredCharge) -> Vec<(Txid, &'s StoredTransaction)> {
    let is_changed = |txid: &Txid| {
        let subject = txid.to_string();
        let mut changed = found
            .iter()
            .filter(|difference| difference.code == Code::TransactionChanged);
        changed.any(|difference| difference.subject.as_ref() == Some(&subject))
    };
    let transactions = stored.transactions.iter().map(|(&txid, kept)| (txid, kept));
    transactions.filter(|(txid, _)| is_changed(txid)).collect()
}

/// Whether these bytes are that transaction.
fn is_of(txid: Txid, raw: &[u8]) -> bool {
    transaction_in(raw).is_some_and(|(its, ..)| its == txid)
}
