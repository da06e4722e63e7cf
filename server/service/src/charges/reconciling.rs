//! What the comparison of everything with everything needs of the charges.

use bitpro_charge::{ChargeId, MerchantId};
use bitpro_merchant::wallet::Receive;
use bitpro_node::IssuedRange;
use bitpro_node::survey::transaction_in;
use bitpro_node::view::{Connected, ScriptId, View};
use bitpro_store::StoreError;

use super::{Charges, ObserveError};

impl Charges {
    /// Whether this server wrote the descriptor `text`.
    pub(crate) fn is_own_descriptor(&self, text: &str, mac: &[u8]) -> bool {
        self.inner.secret.of_descriptor(text) == mac
    }

    /// Whether this server gave `merchant` the descriptor `text`.
    pub(crate) fn is_own_wallet(&self, merchant: MerchantId, text: &str, mac: &[u8]) -> bool {
        self.inner.secret.of_merchant(merchant, text) == mac
    }

    /// The addresses of the descriptor `text`; `None` for what is no descriptor.
    pub(crate) fn receive_of(&self, text: &str) -> Option<Receive> {
        Receive::from_descriptor(text, self.inner.network).ok()
    }

    /// Whether a script is watched, as a look-up in memory for threads that read blocks.
    pub fn watch(&self) -> impl Fn(&[u8]) -> Option<ScriptId> + Send + use<> {
        let watched = self.inner.shared.watch_map.clone();
        move |script| watched.lookup(script)
    }

    /// Applies a view that the watcher did not make, and that adds no block. It is told, for it has to follow what is now known.
    /// When those of the blocks that the charges stand on were found at the earliest which made something in it deep is said along, as
    /// the watcher says it of blocks that it adds (R12).
    ///
    /// # Errors
    /// [`ObserveError`].
    pub(crate) async fn observe_beside_watcher(&self, view: View, standing: &[Connected]) -> Result<(), ObserveError> {
        self.observe_on(view, standing).await?;
        self.inner.shared.note_told_by_others();
        Ok(())
    }

    /// Counts anew how many charges there are in each state.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recount(&self) -> Result<(), StoreError> {
        self.inner
            .store
            .write(|tx| Box::pin(async move { tx.recount().await }))
            .await
    }

    /// Follows a transaction of a charge anew, from its own bytes. The watcher is told, for it has to follow it as it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn follow_anew(&self, id: ChargeId, raw: Vec<u8>) -> Result<(), StoreError> {
        let Some((txid, spent, coinbase)) = transaction_in(&raw) else {
            return Ok(());
        };
        self.inner
            .store
            .write(move |tx| Box::pin(async move { tx.follow_anew(id, txid, raw, (spent, coinbase)).await }))
            .await?;
        self.inner.shared.note_told_by_others();
        Ok(())
    }

    /// Looks at a charge again that is marked as ended and is not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_up(&self, id: ChargeId) -> Result<(), StoreError> {
        self.inner
            .store
            .write(move |tx| Box::pin(async move { tx.take_up(id).await }))
            .await?;
        self.inner.shared.asks.notify_one();
        Ok(())
    }

    /// Every descriptor with the highest index that is watched.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn watched_ranges(&self) -> Result<Vec<IssuedRange>, StoreError> {
        let mut highest = std::collections::BTreeMap::new();
        let mut after = ScriptId(0);
        loop {
            let page = self.inner.store.scripts_after(after, 1_000).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for script in page {
                let index = highest.entry(script.descriptor).or_insert(script.index);
                *index = script.index.max(*index);
            }
        }
        let (descriptors, _) = self.inner.store.wallets().await?;
        let ranges = descriptors.into_iter().filter_map(|descriptor| {
            Some(IssuedRange {
                highest: *highest.get(&descriptor.id)?,
                descriptor: descriptor.text,
            })
        });
        Ok(ranges.collect())
    }
}
