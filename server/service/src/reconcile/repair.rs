//! Repairs: what was not observed, or was forgotten, is handed to the charges as a view, like the watcher's (R2). They decide.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bitpro_charge::{ChargeId, Loss, Place, Timestamp, Txid, Whereabouts};
use bitpro_node::ChargesPort as _;
use bitpro_node::survey::{FoundOutput, outputs_in};
use bitpro_node::view::{Connected, LostTx, PayingTx, View};

use super::against_chain::{Finding, Remedy};
use super::inward;
use super::run::{Break, Run};
use crate::charges::ObserveError;

/// So often a view is made anew because the chain moved meanwhile.
const ATTEMPTS: u32 = 5;

/// What must not be, or could not be, repaired, and why.
#[derive(Debug, Default)]
pub(super) struct HeldBack {
    charges: HashMap<ChargeId, String>,
    txs: HashMap<Txid, String>,
    all: Option<String>,
}

impl HeldBack {
    /// Why a difference was not repaired.
    pub(super) fn why(&self, finding: &Finding) -> Option<&str> {
        let of_charge = finding.difference.charge.and_then(|charge| self.charges.get(&charge));
        let txid = finding.remedy.as_ref().map(Remedy::txid);
        let of_tx = txid.and_then(|txid| self.txs.get(&txid));
        of_charge.or(of_tx).or(self.all.as_ref()).map(String::as_str)
    }
}

impl Remedy {
    fn txid(&self) -> Txid {
        match self {
            Self::Sight { found, .. } => found.outpoint.txid,
            Self::Unplace(txid) | Self::Lose { txid, .. } => *txid,
        }
    }
}

impl Run<'_> {
    /// Hands what the findings ask for to the charges. Whether it helped is seen by comparing again.
    pub(super) async fn repair(&self, findings: &[Finding]) -> Result<HeldBack, Break> {
        let mut held_back = self.undecidable(findings).await?;
        let mut sights: BTreeMap<Txid, (Vec<FoundOutput>, Timestamp)> = BTreeMap::new();
        let mut transactions = Vec::new();
        let mut gone: BTreeMap<Txid, LostTx> = BTreeMap::new();
        for finding in findings {
            let Some(remedy) = &finding.remedy else { continue };
            if held_back.why(finding).is_some() {
                // The other charges of the same transaction would be told of it, and this one too.
                held_back
                    .txs
                    .entry(remedy.txid())
                    .or_insert_with(|| "another charge of the same transaction cannot be decided".to_owned());
                continue;
            }
            match remedy {
                Remedy::Sight { found, since } => {
                    let sight = sights
                        .entry(found.outpoint.txid)
                        .or_insert_with(|| (Vec::new(), *since));
                    sight.0.push(found.clone());
                    // Known before the first charge that it pays was made, it cannot have been: nobody had the address.
                    sight.1 = sight.1.min(*since);
                }
                Remedy::Lose { txid, loss, by } => {
                    gone.insert(*txid, lost(*txid, *loss, *by));
                }
                Remedy::Unplace(txid) => match self.unplaced(*txid).await? {
                    Unplaced::Unconfirmed(tx) => transactions.push(*tx),
                    Unplaced::Lost(tx) => {
                        gone.insert(*txid, tx);
                    }
                    Unplaced::Unknown => {
                        let why =
                            "its bytes are not stored, and it cannot be found anywhere: nothing proves how it was lost";
                        held_back.txs.insert(*txid, why.to_owned());
                    }
                },
            }
        }
        sights.retain(|txid, _| !held_back.txs.contains_key(txid));
        for (txid, (found, since)) in sights {
            match self.reported(found, since).await? {
                Some(tx) => transactions.push(tx),
                None => {
                    held_back.txs.insert(txid, "it was no longer there".to_owned());
                }
            }
        }
        if let Err(why) = self.observe(transactions, gone.into_values().collect()).await {
            held_back.all = Some(why);
        }
        Ok(held_back)
    }

    /// The charges that must not be decided about, because what is stored of them is not what was decided.
    async fn undecidable(&self, findings: &[Finding]) -> Result<HeldBack, Break> {
        let concerned: HashSet<ChargeId> = findings
            .iter()
            .filter_map(|finding| finding.difference.charge)
            .collect();
        let mut nums = Vec::new();
        let store = &self.inner.store;
        let mut held_back = HeldBack::default();
        for id in concerned {
            match store.charge(id).await {
                Ok(Some(charge)) => nums.push(charge.num),
                Ok(None) | Err(_) => {
                    held_back.charges.insert(id, "its row cannot be read".to_owned());
                }
            }
        }
        let page = store.audited(&nums).await?;
        for charge in &page.charges {
            let differences = inward::compare(charge, None);
            if let Some(forbidding) = differences
                .iter()
                .find(|difference| difference.code.forbids_decisions())
            {
                let why = format!("the stored data of the charge is not reliable ({})", forbidding.code);
                held_back.charges.insert(charge.id, why);
            }
        }
        Ok(held_back)
    }

    /// The report of a transaction that was found, as the watcher would have made it. First sights that are recorded stay.
    async fn reported(&self, found: Vec<FoundOutput>, since: Timestamp) -> Result<Option<PayingTx>, Break> {
        let Some(txid) = found.first().map(|output| output.outpoint.txid) else {
            return Ok(None);
        };
        let (now, script) = (self.inner.charges.now(), self.inner.charges.watch());
        let report = self
            .ask(move |survey| survey.report(&found, since, now, &script))
            .await?;
        let stored = self.inner.store.paying_tx(txid).await?;
        Ok(report.map(|report| match stored {
            Some(stored) => PayingTx {
                first_seen: stored.place.first_seen,
                ancestor_inputs: stored.place.ancestor_inputs,
                ..report
            },
            None => report,
        }))
    }

    /// A transaction that is in no block: unconfirmed again, whether or not the node keeps it, or lost with its block.
    async fn unplaced(&self, txid: Txid) -> Result<Unplaced, Break> {
        let Some(stored) = self.inner.store.paying_tx(txid).await? else {
            return Ok(Unplaced::Unknown);
        };
        let place = stored.place;
        if place.coinbase {
            return Ok(Unplaced::Lost(lost(txid, Loss::Reorged, None)));
        }
        if let Whereabouts::Gone(loss) = place.whereabouts {
            return Ok(Unplaced::Lost(lost(txid, loss, place.replaced_by)));
        }
        let outputs = outputs_in(&stored.raw, self.inner.charges.watch());
        if outputs.is_empty() {
            return Ok(Unplaced::Unknown);
        }
        Ok(Unplaced::Unconfirmed(Box::new(PayingTx {
            txid,
            raw: stored.raw,
            inputs: place.inputs,
            ancestor_inputs: place.ancestor_inputs,
            outputs,
            place: Place::Mempool,
            first_seen: place.first_seen,
            coinbase: false,
        })))
    }

    /// Hands a view to the charges that moves neither the chain nor the time; or says why they did not take it.
    pub(super) async fn observe(&self, transactions: Vec<PayingTx>, gone: Vec<LostTx>) -> Result<(), String> {
        if transactions.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let charges = &self.inner.charges;
        let mut outcome = Ok(());
        for _ in 0..ATTEMPTS {
            let (Some(tip), Some(observed_until)) = (charges.stored_tip(), charges.observed_until()) else {
                return Err("no node was observed yet".to_owned());
            };
            let standing = self.deepening(&transactions, tip.block.height).await?;
            let view = View {
                tip,
                fork_height: tip.block.height,
                connected: Vec::new(),
                transactions: transactions.clone(),
                gone: gone.clone(),
                observed_until,
            };
            for tx in &view.transactions {
                tracing::warn!(txid = %tx.txid, place = ?tx.place, "a payment transaction is observed for a repair");
            }
            outcome = charges.observe_beside_watcher(view, &standing).await;
            // The watcher has moved the tip meanwhile.
            if !matches!(outcome, Err(ObserveError::NotContinuing)) {
                break;
            }
        }
        outcome.map_err(|error| error.to_string())
    }

    /// The blocks that made these transactions deep, with their times: what was deep too late is stuck, however late it is noticed (R12).
    async fn deepening(&self, transactions: &[PayingTx], tip: u32) -> Result<Vec<Connected>, String> {
        let heights = transactions.iter().filter_map(|tx| match tx.place {
            Place::Block(block) => Some(block.height),
            Place::Mempool => None,
        });
        let heights: BTreeSet<u32> = heights.collect();
        if heights.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.inner.charges.now();
        let blocks = self.ask(move |survey| survey.deepening(&heights, tip, now)).await;
        blocks.map_err(|trouble| match trouble {
            Break::Node(error) => error,
            Break::Failed(error) => error.to_string(),
        })
    }
}

/// What can be said of a transaction that is not in the block in which it is stored.
enum Unplaced {
    Unconfirmed(Box<PayingTx>),
    Lost(LostTx),
    Unknown,
}

const fn lost(txid: Txid, loss: Loss, replaced_by: Option<Txid>) -> LostTx {
    LostTx {
        txid,
        loss,
        replaced_by,
    }
}
