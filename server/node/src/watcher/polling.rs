//! The question a second: has something been missed, and how far is everything known?

use std::time::Duration;

use bitpro_charge::Timestamp;

use super::super::api::NodeApi;
use super::super::checks::is_syncing;
use super::super::convert;
use super::super::poll::{Poll, Verdict};
use super::super::port::ChargesPort;
use super::super::rpc::answers::ChainState;
use super::super::status::Condition;
use super::absence::Missing;
use super::agenda::Agenda;
use super::chain::Stretch;
use super::{PoolReading, Trouble, Watcher};

/// Even when nothing seems to be missed, the whole mempool is read this often.
const FULL_READING_EVERY: Duration = Duration::from_secs(60);

impl<P: ChargesPort, N: NodeApi> Watcher<P, N> {
    pub(super) fn poll(&mut self, agenda: &mut Agenda) -> Result<(), Trouble> {
        let started = self.clock.now();
        let (chain, mempool) = self.node.state()?;
        self.check_ready(&chain, mempool.loaded)?;
        self.judge_hearing(&chain)?;
        let stand = self.stand()?;
        agenda.chain = agenda.chain || self.owes_reading || convert::block_hash(chain.best) != stand.tip.block.hash;
        let verdict = Poll {
            before: self.mempool_before.as_ref(),
            now: &mempool,
            mirrored: self.mirror.len(),
            is_fed: self.feed.is_trusted(),
            heard: self.feed.take_heard(),
        }
        .verdict();
        self.mempool_before = Some(mempool);
        match verdict {
            Verdict::Current => agenda.known_until = Some(started).filter(|_| self.knows_up_to_now()),
            Verdict::Reread => agenda.full = true,
            Verdict::Silence => {
                agenda.full = true;
                agenda.chain = true;
                // One poll may fall between a change and its notice.
                if self.feed.doubt() {
                    self.reconnect();
                }
            }
        }
        if self.owes_reading || self.clock.monotonic().saturating_sub(self.last_full_reading) >= FULL_READING_EVERY {
            agenda.full = true;
        }
        agenda.pool = agenda.pool || self.has_unfinished_business() || self.is_replaced_unnoticed()?;
        Ok(())
    }

    /// The node is able to say what is there and what is not (R3).
    pub(super) fn check_ready(&mut self, chain: &ChainState, is_mempool_loaded: bool) -> Result<(), Trouble> {
        self.teller.node_height(chain.blocks);
        self.is_node_behind = chain.headers > i64::from(chain.blocks);
        if is_syncing(&self.config, chain) {
            return Err(Trouble::NotReady(Condition::Syncing {
                blocks: chain.blocks,
                headers: chain.headers,
            }));
        }
        if !is_mempool_loaded {
            return Err(Trouble::NotReady(Condition::LoadingMempool));
        }
        Ok(())
    }

    /// Nothing has happened up to `instant`.
    pub(super) fn know_until(&mut self, instant: Timestamp) -> Result<(), Trouble> {
        let stand = self.stand()?;
        let until = stand.observed_until.max(Some(instant));
        let stretch = Stretch::unchanged(stand.tip);
        let view = self.view(stretch.reading.clone(), PoolReading::default(), until);
        self.store(view, &stretch, instant)
    }

    fn may_be_dropped(&self, missing: &Missing) -> bool {
        missing.is_refused() && missing.since.plus_secs(self.config.dropped_after_secs) <= self.clock.now()
    }

    /// Whether something was left over that no notification will bring up again.
    fn has_unfinished_business(&self) -> bool {
        let now = self.clock.monotonic();
        !self.mirror.is_complete()
            || self
                .missing
                .values()
                .any(|missing| missing.is_due(now) || self.may_be_dropped(missing))
            || self.mirror.paying().any(|txid| self.is_unreported(txid))
    }
}
