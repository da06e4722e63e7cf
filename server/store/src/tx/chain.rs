//! The chain that the charges stand on, and the transactions that are followed on it.

use std::collections::BTreeSet;
use std::sync::Arc;

use bitpro_charge::{BlockRef, Outpoint, Timestamp, Txid};
use bitpro_node::view::{Hole, Tip};

use super::Tx;
use crate::documents::hole_to;
use crate::{StoreError, StoredTx, TxPlace};

impl Tx {
    /// Moves the chain, its tip, and how far chain and mempool were read.
    pub async fn move_chain(
        &mut self,
        fork_height: u32,
        connected: &[BlockRef],
        tip: Tip,
        observed_until: Timestamp,
    ) -> Result<(), StoreError> {
        let session = self.writing().await?;
        session.move_chain(fork_height, connected).await?;
        session.set_tip(&tip, observed_until).await?;
        self.move_tip(tip, observed_until, true);
        Ok(())
    }

    /// Moves how far chain and mempool were read, in the database too when `store` is set.
    pub async fn observe_until(&mut self, tip: Tip, observed_until: Timestamp, store: bool) -> Result<(), StoreError> {
        if store {
            self.writing().await?.set_tip(&tip, observed_until).await?;
        }
        self.move_tip(tip, observed_until, store);
        Ok(())
    }

    /// Stores how far chain and mempool were read, if what is stored lags behind: a restart's blind gap starts there (R5).
    pub async fn store_until(&mut self) -> Result<(), StoreError> {
        let until = self.memory.observed_until();
        match self.memory.tip() {
            Some(tip) if until > self.memory.stored_until() => self.observe_until(tip, until, true).await,
            _ => Ok(()),
        }
    }

    fn move_tip(&mut self, tip: Tip, observed_until: Timestamp, stored: bool) {
        self.memory.move_tip(tip, observed_until, stored);
        self.news.tip = Some((tip, observed_until));
    }

    /// Follows new transactions.
    pub async fn insert_txs(&mut self, txs: Vec<StoredTx>) -> Result<(), StoreError> {
        self.writing().await?.insert_txs(&txs).await?;
        for tx in txs {
            self.memory.follow(Arc::new(tx.place));
        }
        Ok(())
    }

    /// Notes where known transactions are now.
    pub async fn move_txs(&mut self, txs: Vec<Arc<TxPlace>>) -> Result<(), StoreError> {
        self.writing().await?.move_txs(&txs).await?;
        for tx in txs {
            self.memory.follow(tx);
        }
        Ok(())
    }

    /// Ends the following of transactions (R34).
    pub async fn leave_txs(&mut self, txids: &[Txid]) -> Result<(), StoreError> {
        self.writing().await?.leave_txs(txids).await?;
        for &txid in txids {
            self.memory.leave(txid);
        }
        Ok(())
    }

    /// The followed transactions that spend what `inputs` spend, `txid` itself aside.
    pub fn conflicts(&self, txid: Txid, inputs: &[Outpoint]) -> Arc<[Txid]> {
        let spenders = inputs.iter().flat_map(|&input| self.memory.spenders(input));
        let conflicts: BTreeSet<Txid> = spenders.copied().filter(|&spender| spender != txid).collect();
        conflicts.into_iter().collect()
    }

    /// Remembers blocks that could not be read, or that somebody has vouched for them (R6).
    pub async fn set_hole(&mut self, hole: Option<Hole>) -> Result<(), StoreError> {
        self.writing().await?.set_meta("hole", &hole_to(hole)).await?;
        self.memory.set_hole(hole);
        Ok(())
    }
}
