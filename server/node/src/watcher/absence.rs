//! Known payments that are not in the mempool any more: why, and what is done about it (R3).

use std::collections::HashMap;
use std::time::Duration;

use bitpro_charge::{Outpoint, Timestamp, Txid};

use super::super::api::NodeApi;
use super::super::diff::Absence;
use super::super::error::NodeError;
use super::super::known::is_conflict;
use super::super::port::ChargesPort;
use super::super::view::PayingTx;
use super::{Trouble, Watcher};

/// Pause between attempts to send a missing transaction again.
const RESEND_EVERY: Duration = Duration::from_secs(60);

/// A known unconfirmed transaction that may not be in the mempool any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missing {
    /// When it was missed first.
    pub since: Timestamp,
    /// Whether it is really not there; before the node was asked, it may be.
    pub is_absent: bool,
    /// When it was last sent again by the clock that nobody sets, and whether the node refused it.
    resent: Option<(Duration, bool)>,
}

impl Missing {
    pub(super) const fn is_refused(&self) -> bool {
        matches!(self.resent, Some((_, true)))
    }

    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.resent
            .is_none_or(|(last, _)| now.saturating_sub(last) >= RESEND_EVERY)
    }
}

impl<P: ChargesPort, N: NodeApi> Watcher<P, N> {
    /// A known transaction is to be looked for.
    pub(super) fn miss(&mut self, txid: Txid) {
        let since = self.clock.now();
        self.missing.entry(txid).or_insert(Missing {
            since,
            is_absent: true,
            resent: None,
        });
    }

    /// Why known transactions are not in the mempool (R3): a conflict in it, or, when they are sent again, a refusal.
    pub(super) fn explain(&mut self, absent: &[Txid]) -> Result<HashMap<Txid, Absence>, Trouble> {
        let mut explained: HashMap<Txid, Absence> = HashMap::new();
        let spending: Vec<PayingTx> = absent
            .iter()
            .filter_map(|&txid| self.known.get(txid))
            .filter(|tx| !tx.inputs.is_empty())
            .cloned()
            .collect();
        let rivals = self.rivals(&spending.iter().collect::<Vec<_>>())?;
        let mut to_resend = Vec::new();
        for (tx, rival) in spending.into_iter().zip(rivals) {
            match rival {
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

    /// Whether something took the place of what the node had forgotten before: it does not tell of that.
    pub(super) fn is_replaced_unnoticed(&self) -> Result<bool, Trouble> {
        let absent = self.missing.iter().filter(|(_, missing)| missing.is_absent);
        let absent: Vec<&PayingTx> = absent.filter_map(|(&txid, _)| self.known.get(txid)).collect();
        Ok(!absent.is_empty() && self.rivals(&absent)?.iter().any(Option::is_some))
    }

    /// What in the mempool cannot live beside each of `txs`, if anything.
    fn rivals(&self, txs: &[&PayingTx]) -> Result<Vec<Option<Txid>>, Trouble> {
        let spent: Vec<Vec<Outpoint>> = txs
            .iter()
            .map(|tx| tx.inputs.iter().chain(&tx.ancestor_inputs).copied().collect())
            .collect();
        let spenders = self.node.spenders(&spent)?.into_iter();
        let rival =
            |(tx, spenders): (&&PayingTx, Vec<Txid>)| spenders.into_iter().find(|&other| is_conflict(tx, other));
        Ok(txs.iter().zip(spenders).map(rival).collect())
    }

    /// Sends transactions again that the node has forgotten, as long as one of them goes through: one may be another's parent.
    fn resend(&mut self, txs: &[PayingTx]) -> Result<(), Trouble> {
        let now = self.clock.monotonic();
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
                    tracing::info!(txid = %tx.txid, "resent a payment that the node had dropped");
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
            accepted(self.node.send(ancestor))?;
        }
        Ok(accepted(self.node.send(&tx.raw))?)
    }
}

fn accepted<T>(answer: Result<T, NodeError>) -> Result<bool, NodeError> {
    match answer {
        Ok(_) => Ok(true),
        Err(NodeError::Refused { code, message }) => {
            tracing::debug!(code, message, "the node refuses a transaction that was resent");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
