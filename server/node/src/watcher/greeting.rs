//! Meeting the node: is it the right one, can it do what is needed, and where do its notifications come from?

use super::super::api::NodeApi;
use super::super::checks::{check_identity, check_version};
use super::super::endpoint::endpoints;
use super::super::first_seen::clock_offset;
use super::super::known::Known;
use super::super::matching::paying_outputs;
use super::super::port::{ChargesPort, KnownTx};
use super::super::view::PayingTx;
use super::{Stand, Trouble, Watcher, store_trouble};

impl<P: ChargesPort, N: NodeApi> Watcher<P, N> {
    /// After this the node is known to be the right one, and the charges' own position is loaded.
    pub(super) fn greet(&mut self) -> Result<(), Trouble> {
        check_identity(self.node.hash_at(0)?, self.config.network)?;
        check_version(&self.node.network_state()?)?;
        let (chain, mempool) = self.node.state()?;
        self.check_ready(&chain, mempool.loaded)?;
        self.offset_millis = self.clock_offset()?;
        let has_rest = self.node.find_rest();
        tracing::debug!(has_rest, offset_millis = self.offset_millis, "connected to the node");
        let endpoints = endpoints(&self.config.zmq, self.config.rpc_url.host_str(), || {
            self.node.notifications()
        })?;
        if self.stand.is_none() {
            if self.port.stored_tip().is_none() {
                let tip = self.first_tip(&chain)?;
                self.runtime
                    .block_on(self.port.set_first_tip(tip))
                    .map_err(store_trouble)?;
            }
            self.load()?;
        }
        self.listen_to(endpoints);
        self.close_hole_if_accepted()
    }

    /// Takes over what the charges have stored.
    pub(super) fn load(&mut self) -> Result<(), Trouble> {
        let tip = self
            .port
            .stored_tip()
            .ok_or_else(|| Trouble::Store("the first tip was not stored".to_owned()))?;
        self.told_by_others = self.port.told_by_others();
        self.known = Known::default();
        let known = self.runtime.block_on(self.port.known_txs()).map_err(store_trouble)?;
        for tx in known {
            let tx = self.with_outputs(tx)?;
            self.known.insert(tx);
        }
        let observed_until = self.port.observed_until();
        // When it is loaded anew, the tip was received when it was.
        let received = self
            .tip_given
            .filter(|(given, _)| *given == tip.block)
            .map(|(_, at)| at);
        let tip_received = received.or(observed_until).unwrap_or_else(|| self.clock.now());
        self.tip_given = Some((tip.block, tip_received));
        self.stand = Some(Stand {
            tip,
            tip_received,
            observed_until,
            stored_until: observed_until,
        });
        Ok(())
    }

    fn with_outputs(&self, known: KnownTx) -> Result<PayingTx, Trouble> {
        let outputs = if known.raw.is_empty() {
            known.outputs
        } else {
            let tx: bitcoin::Transaction = bitcoin::consensus::encode::deserialize(&known.raw)
                .map_err(|error| Trouble::Store(format!("transaction {} is damaged: {error}", known.txid)))?;
            paying_outputs(&tx, |script| self.port.script(script))
        };
        Ok(PayingTx {
            txid: known.txid,
            raw: known.raw,
            inputs: known.inputs,
            ancestor_inputs: known.ancestor_inputs,
            outputs,
            place: known.place,
            first_seen: known.first_seen,
            coinbase: known.coinbase,
        })
    }

    /// What must be added to the node's clock to get our time. It is asked for before each reading that goes by the node's records:
    /// either clock may have been set meanwhile.
    pub(super) fn clock_offset(&self) -> Result<i64, Trouble> {
        let node = || self.node.clock_millis();
        Ok(clock_offset(self.config.network, node, || self.clock.moment())?)
    }
}
