//! Marks and sums that follow from the charges, written anew for a repair. No log is touched: they follow from it.

use bitpro_charge::{ChargeId, State};

use super::Tx;
use crate::store::StoreError;

impl Tx {
    /// Counts anew how many charges there are in each state.
    pub(crate) async fn recount(&mut self) -> Result<(), StoreError> {
        let session = self.writing().await?;
        let there = session.charges_by_state().await?;
        let count = |state| {
            let counted = there.iter().find(|(counted, _)| *counted == state);
            counted.map_or(0, |&(_, number)| number)
        };
        let counts = State::ALL.map(|state| (state, count(state)));
        session.set_state_counts(&counts).await?;
        self.memory.counts = counts.map(|(_, number)| number);
        Ok(())
    }

    /// Marks a charge as open that chain or clock can still move, so that it is looked at from now on.
    pub(crate) async fn take_up(&mut self, id: ChargeId) -> Result<(), StoreError> {
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
