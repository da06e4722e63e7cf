//! Marks and sums that follow from the charges, written anew for a repair. No log is touched: they follow from it.

use std::sync::Arc;

use bitpro_charge::{ChargeId, Outpoint, State, Txid, Whereabouts};

use super::Tx;
use crate::{StoreError, StoredTx, TxPlace};

impl Tx {
    /// Counts anew how many charges there are in each state.
    pub async fn recount(&mut self) -> Result<(), StoreError> {
        let session = self.writing().await?;
        let there = session.charges_by_state().await?;
        let count = |state| {
            let counted = there.iter().find(|(counted, _)| *counted == state);
            counted.map_or(0, |&(_, number)| number)
        };
        let counts = State::ALL.map(|state| (state, count(state)));
        session.clear_state_counts().await?;
        session.set_state_counts(&counts).await?;
        self.memory.counts = counts.map(|(_, number)| number);
        Ok(())
    }

    /// Follows a transaction of a charge anew, from its own bytes: it is where the charge's payments by it are. `spent` is what it
    /// spends; nothing for a coinbase transaction.
    pub async fn follow_anew(
        &mut self,
        id: ChargeId,
        txid: Txid,
        raw: Vec<u8>,
        (spent, coinbase): (Vec<Outpoint>, bool),
    ) -> Result<(), StoreError> {
        let Some(charge) = self.charge(id).await? else {
            return Ok(());
        };
        let pays = self.pays(txid).await?;
        let known = self.writing().await?.paying_tx(txid).await?;
        let (Some(payment), Some(StoredTx { place: known, .. })) = (charge.charge.payments_of(txid).first(), known)
        else {
            return Ok(());
        };
        let whereabouts = payment.whereabouts;
        let is_gone = matches!(whereabouts, Whereabouts::Gone(_));
        let place = TxPlace {
            inputs: spent,
            coinbase,
            whereabouts,
            // Without it, following would never end.
            lost_at: is_gone.then(|| known.lost_at.unwrap_or(self.memory.tip_height())),
            replaced_by: known.replaced_by.filter(|_| is_gone),
            pays,
            ..known
        };
        let anew = StoredTx {
            place: place.clone(),
            raw,
        };
        self.insert_txs(vec![anew]).await?;
        self.move_txs(vec![Arc::new(place)]).await
    }

    /// Marks a charge as open that chain or clock can still move, so that it is looked at from now on.
    pub async fn take_up(&mut self, id: ChargeId) -> Result<(), StoreError> {
        let tip = self.memory.tip_height();
        if let Some(charge) = self.charge(id).await?
            && charge.is_open(tip)
        {
            self.writing().await?.mark_open(charge.num).await?;
            self.memory.put_charge(&charge);
        }
        Ok(())
    }
}
