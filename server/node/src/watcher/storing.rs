//! Handing views to the charges, and taking them over once they are stored.

use bitpro_charge::{BlockRef, Timestamp};

use super::super::api::NodeApi;
use super::super::diff::{ChainReading, PoolReading};
use super::super::port::ChargesPort;
use super::super::view::{UNTIL_LAG_MILLIS, View};
use super::chain::Stretch;
use super::{Stand, Trouble, Watcher, store_trouble};

impl<P: ChargesPort, N: NodeApi> Watcher<P, N> {
    /// Hands a view to the charges when it says anything, and takes it over once they have stored it.
    pub(super) fn store(&mut self, view: View, stretch: &Stretch, started: Timestamp) -> Result<(), Trouble> {
        let mut stand = self.stand()?;
        let says_something =
            view.tip.block != stand.tip.block || !view.transactions.is_empty() || !view.gone.is_empty();
        let observed_until = Some(view.observed_until).filter(|until| until.0 > 0);
        if view.tip.block != stand.tip.block {
            self.tip_given = Some((view.tip.block, started));
        }
        if says_something || self.is_tick_due(stand, observed_until) {
            self.tell(&view);
            self.runtime
                .block_on(self.port.observe(view.clone()))
                .map_err(store_trouble)?;
            stand.stored_until = observed_until;
        }
        self.known.apply(&view);
        for txid in stretch
            .txids
            .iter()
            .copied()
            .chain(view.gone.iter().map(|lost| lost.txid))
        {
            self.mirror.forget(txid);
        }
        self.missing
            .retain(|txid, missing| missing.is_absent && self.known.is_unconfirmed(*txid));
        self.ancestors.retain(|txid, _| self.known.is_unconfirmed(*txid));
        if view.tip.block != stand.tip.block {
            stand.tip_received = started;
            self.held = None;
        }
        stand.tip = view.tip;
        stand.observed_until = observed_until;
        self.stand = Some(stand);
        Ok(())
    }

    /// Whether the passing of time alone is worth a transaction: a deadline waits for it (R4), or a restart would know too little.
    fn is_tick_due(&self, stand: Stand, observed_until: Option<Timestamp>) -> bool {
        let Some(until) = observed_until else {
            return false;
        };
        if stand.stored_until >= Some(until) {
            return false;
        }
        let is_old = stand
            .stored_until
            .is_none_or(|stored| until.0 - stored.0 >= UNTIL_LAG_MILLIS);
        is_old || self.port.next_deadline().is_some_and(|deadline| deadline <= until)
    }

    fn tell(&self, view: &View) {
        for tx in &view.transactions {
            tracing::info!(txid = %tx.txid, place = ?tx.place, outputs = tx.outputs.len(), "payment transaction seen");
        }
        for lost in &view.gone {
            tracing::info!(txid = %lost.txid, loss = lost.loss.as_str(), "payment transaction lost");
        }
        if view.fork_height < self.stand.map_or(0, |stand| stand.tip.block.height) {
            let BlockRef { height, hash } = view.tip.block;
            tracing::warn!(fork = view.fork_height, height, %hash, "reorg");
        }
    }

    /// A restart's blind gap starts where this one stopped, so it is stored.
    pub(super) fn farewell(&mut self) {
        let Some(stand) = self.stand else {
            return;
        };
        let (Some(until), true) = (stand.observed_until, stand.observed_until > stand.stored_until) else {
            return;
        };
        let view = self.view(ChainReading::unchanged(stand.tip), PoolReading::default(), Some(until));
        if let Err(error) = self.runtime.block_on(self.port.observe(view)) {
            tracing::warn!(%error, "the end of what was observed could not be stored");
        }
    }
}
