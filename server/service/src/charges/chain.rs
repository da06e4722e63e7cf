//! What the watcher needs of the charges: where they stand, what to look for, and the way to tell them.

use std::sync::Arc;

use bitpro_charge::wire::NodeView;
use bitpro_charge::{BlockHash, Timestamp, Whereabouts};
use bitpro_merchant::wallet::DescriptorId;
use bitpro_node::survey::transaction_in;
use bitpro_node::view::{Fingerprint, Hole, PayingOutput, ScriptId, Tip, View};
use bitpro_node::{ChargesPort, Condition, IssuedRange, KnownTx, ScanRequest};
use bitpro_store::{StoreError, StoredTx, Tx};
use tokio::sync::Notify;

use super::{Charges, ObserveError, Unread};

impl Charges {
    /// The node's condition.
    #[must_use]
    pub fn node_condition(&self) -> NodeView {
        self.inner.shared.node()
    }

    /// Whether the node's chain is not followed, or was not when it was last looked at (R6): then nothing is accepted or cancelled.
    #[must_use]
    pub fn is_chain_held(&self) -> bool {
        self.inner.shared.is_chain_held()
    }

    /// The tip that the charges stand on; `None` in a fresh database.
    #[must_use]
    pub fn stored_tip(&self) -> Option<Tip> {
        self.inner.shared.tip().map(|(tip, _)| tip)
    }

    /// Blocks that could not be read and that nobody has vouched for, with the charges that were open while they came: nothing
    /// is concluded about these until somebody does (R6). Whoever vouches has to see them first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unread(&self) -> Result<Option<Unread>, StoreError> {
        self.inner
            .store
            .write(|tx| Box::pin(async move { Ok(unread(tx)) }))
            .await
    }

    /// How many scripts are watched.
    #[must_use]
    pub fn watched_scripts(&self) -> usize {
        self.inner.shared.watch_map.len()
    }
}

impl ChargesPort for Charges {
    type Error = ObserveError;

    fn script(&self, script_pubkey: &[u8]) -> Option<ScriptId> {
        self.inner.shared.watch_map.lookup(script_pubkey)
    }

    fn fingerprint(&self, script_pubkey: &[u8]) -> Fingerprint {
        self.inner.shared.watch_map.fingerprint(script_pubkey)
    }

    fn is_watched(&self, fingerprint: Fingerprint) -> bool {
        self.inner.shared.watch_map.has(fingerprint)
    }

    fn newly_watched(&self) -> Vec<Fingerprint> {
        self.inner.shared.watch_map.take_added()
    }

    fn asks(&self) -> Arc<Notify> {
        Arc::clone(&self.inner.shared.asks)
    }

    fn stored_tip(&self) -> Option<Tip> {
        Self::stored_tip(self)
    }

    fn observed_until(&self) -> Option<Timestamp> {
        self.inner.shared.tip().map(|(_, observed_until)| observed_until)
    }

    fn first_issued(&self) -> Option<Timestamp> {
        self.inner.shared.agenda().first_made
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        self.inner.shared.agenda().next_due
    }

    fn hole(&self) -> Option<Hole> {
        self.inner.shared.agenda().hole
    }

    fn set_node_condition(&self, condition: &Condition) {
        let shared = &self.inner.shared;
        match condition {
            // Before the first look at the node nobody knows whether its chain is still the one that the charges stand on.
            Condition::Held(_) | Condition::Starting => shared.set_chain_held(true),
            Condition::Ready | Condition::Isolated => shared.set_chain_held(false),
            // A node that went away, or that is read anew, has not come back to the chain that the charges stand on.
            Condition::Syncing { .. }
            | Condition::LoadingMempool
            | Condition::CatchingUp { .. }
            | Condition::Failing(_)
            | Condition::StoreFailing(_)
            | Condition::Stalled => {}
        }
        let shown = condition.for_shoppers();
        // Open pages tell the shopper at once that paying is still safe, and when all is well again.
        if shared.set_node(shown) != shown {
            shared.hub.publish_surroundings();
        }
    }

    async fn stored_hash(&self, height: u32) -> Result<Option<BlockHash>, ObserveError> {
        Ok(self.inner.store.block_at(height).await?)
    }

    async fn known_txs(&self) -> Result<Vec<KnownTx>, ObserveError> {
        let followed = self.inner.store.followed_txs().await?;
        let mut outputs = self.inner.store.outputs_without_bytes().await?;
        let known = |stored: StoredTx| {
            let outputs = outputs.remove(&stored.place.txid).unwrap_or_default();
            live(stored, outputs)
        };
        Ok(followed.into_iter().filter_map(known).collect())
    }

    fn told_by_others(&self) -> u64 {
        self.inner.shared.told_by_others()
    }

    async fn set_first_tip(&self, tip: Tip) -> Result<(), ObserveError> {
        self.inner
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if tx.memory().tip().is_some() {
                        return Err(ObserveError::NotContinuing);
                    }
                    let before = tip.block.height.saturating_sub(1);
                    tx.move_chain(before, &[tip.block], tip, Timestamp(0)).await?;
                    Ok(())
                })
            })
            .await
    }

    async fn observe(&self, view: View) -> Result<(), ObserveError> {
        self.observe_on(view, &[]).await
    }

    async fn set_hole(&self, hole: Option<Hole>) -> Result<(), ObserveError> {
        let (before, after) = self
            .inner
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let before = unread(tx);
                    tx.set_hole(hole).await?;
                    Ok::<_, ObserveError>((before, unread(tx)))
                })
            })
            .await?;
        match (before, after) {
            (before, Some(unread)) if before.as_ref().is_none_or(|before| before.hole != unread.hole) => {
                tracing::error!(
                    charges = unread.charges.len(),
                    ids = unread.ids(MOST_LOGGED),
                    "these charges stay undecided, because blocks that came while they were open could not be read"
                )
            }
            (Some(unread), None) => tracing::warn!(
                charges = unread.charges.len(),
                ids = unread.ids(MOST_LOGGED),
                "the operator vouches for the blocks that were not read: these charges are now decided by what is known"
            ),
            (_, Some(_)) | (None, None) => {}
        }
        Ok(())
    }

    async fn issued(&self) -> Result<Vec<IssuedRange>, ObserveError> {
        self.inner
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let issuers = tx.memory().issuers();
                    // The look-ahead counts: money to it is to be found too.
                    let ranges = issuers.filter_map(|(_, issuer)| {
                        Some(IssuedRange {
                            descriptor: issuer.text().to_owned(),
                            highest: issuer.watched_end().checked_sub(1)?,
                        })
                    });
                    Ok(ranges.collect())
                })
            })
            .await
    }

    fn scans_wanted(&self) -> Vec<ScanRequest> {
        self.inner.shared.scans().to_vec()
    }

    async fn watch_ahead(&self, descriptor: i64, highest_used: Option<u32>) -> Result<(), ObserveError> {
        self.inner
            .store
            .write(move |tx| Box::pin(async move { Ok(tx.watch_ahead(DescriptorId(descriptor), highest_used).await?) }))
            .await
    }

    async fn finish_scan(&self, descriptor: i64) -> Result<(), ObserveError> {
        self.inner
            .store
            .write(move |tx| {
                Box::pin(async move {
                    tx.finish_scan(DescriptorId(descriptor));
                    Ok(())
                })
            })
            .await
    }
}

/// So many ids stand in one line of the log; the command line lists all of them.
const MOST_LOGGED: usize = 100;

fn unread(tx: &Tx) -> Option<Unread> {
    let hole = tx.memory().hole()?;
    let charges = tx.memory().held_by_hole();
    Some(Unread { hole, charges })
}

fn live(stored: StoredTx, outputs: Vec<PayingOutput>) -> Option<KnownTx> {
    let StoredTx { place: kept, raw } = stored;
    let Whereabouts::Live(place) = kept.whereabouts else {
        return None;
    };
    // What its bytes say, which prove themselves, rather than what stands beside them.
    let inputs = match transaction_in(&raw) {
        Some((txid, spent, _)) if txid == kept.txid => spent,
        _ => kept.inputs,
    };
    Some(KnownTx {
        txid: kept.txid,
        raw,
        outputs,
        inputs,
        ancestor_inputs: kept.ancestor_inputs,
        place,
        first_seen: kept.first_seen,
        coinbase: kept.coinbase,
    })
}
