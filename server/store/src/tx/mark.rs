//! The issuance mark beside the counters (R28): whoever takes up a counter, at whatever moment, asks the mark first.

use std::collections::HashSet;

use bitpro_charge::Timestamp;
use bitpro_merchant::wallet::DescriptorId;

use super::Tx;
use crate::mark::IssuanceMark;
use crate::numbering::Numbering;
use crate::{Issuer, StoreError};

/// How far an index jumps when it is not known any more which were given out (R28).
pub(crate) const JUMP_WITHOUT_MARK: u32 = 1_000;

/// So many addresses that were given out to charges which are lost are watched on: more would hold up the start.
const MOST_WATCHED: u32 = 20_000;

/// The fact that the database had a mark beside it.
const MADE: &str = "mark";
/// The fact that the mark was missed once: it does not know then of every descriptor that addresses were given out of.
const LOST: &str = "mark_lost";
/// The descriptors that the mark named and the database did not have when that was last noticed.
const STRANGERS: &str = "mark_strangers";

/// The last event that the mark knew of and the database did not have.
pub(crate) const TOLD: &str = "told_before";

impl Tx {
    /// Brings the counters as they were just read from the file and the mark together. Whether it turned out that the database is from an
    /// earlier time, or that nobody knows. What a death in the middle of a commit leaves is no earlier time: nobody was told of it.
    pub(crate) async fn meet_mark_at_start(&mut self) -> Result<bool, StoreError> {
        let was_lost_before = self.session.meta(LOST).await?.is_some();
        self.is_mark_lost = was_lost_before;
        let Some(mark) = self.mark.clone() else {
            return Ok(false);
        };
        let is_missed = mark.is_missing() && self.session.meta(MADE).await?.is_some();
        let is_older = is_missed || self.is_far_behind(&mark);
        self.meet_mark(&HashSet::new(), is_missed).await?;
        if self.is_mark_lost && !was_lost_before {
            self.session.set_meta(LOST, "yes").await?;
        }
        let lacks_events = self.meet_told(&mark).await?;
        let has_strangers = self.meet_strangers(&mark.keys()).await?;
        Ok(is_older || lacks_events || has_strangers)
    }

    /// Whether the database lacks more than the one commit that a death can take from it while the mark is raised.
    fn is_far_behind(&self, mark: &IssuanceMark) -> bool {
        let mut issuers = self.memory.issuers();
        issuers.any(|(_, issuer)| {
            let former = mark.former(issuer.receive.key());
            former.is_some_and(|former| former >= issuer.row.next_index)
        })
    }

    /// Whether the mark knows of events that the database does not have, and that were not missed before. They were told: their numbers
    /// are not given again, so that a later look at the same mark finds the same.
    async fn meet_told(&mut self, mark: &IssuanceMark) -> Result<bool, StoreError> {
        let last = self.memory.rows.outbox;
        let Some(told) = mark.told().filter(|told| *told > last) else {
            return Ok(false);
        };
        tracing::warn!(
            database = last,
            mark = told,
            "the database is older and lacks events that were delivered: earlier cursors are no longer valid"
        );
        self.session.set_meta(TOLD, &told.to_string()).await?;
        self.memory.rows.outbox = told;
        Ok(true)
    }

    /// Notes that numbers of events go on above the time `now` (R17): what was told after the state of this database is not known.
    pub(crate) async fn move_numbers(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let [last_charge, ..] = self.session.last_rows().await?;
        let numbering = Numbering::after_restore(now, last_charge);
        self.session.set_meta(Numbering::FACT, &numbering.text()).await
    }

    /// Takes up what was noted of the numbers of events, here or by a restore.
    pub(crate) async fn take_up_numbers(&mut self) -> Result<(), StoreError> {
        let fact = self.session.meta(Numbering::FACT).await?;
        self.numbering = fact.as_deref().and_then(Numbering::read);
        Ok(())
    }

    /// Notes that the mark is there from now on: should it be missing at a later start, that is a loss and no beginning.
    pub(crate) async fn note_mark_made(&mut self) -> Result<(), StoreError> {
        if self.session.meta(MADE).await?.is_some() {
            return Ok(());
        }
        self.session.begin().await?;
        self.session.set_meta(MADE, "made").await?;
        self.session.commit().await
    }

    /// Compares each counter, but those that are `met` already, with the mark: one that is behind jumps past it, one that the mark
    /// should know and does not waits for a scan. `is_missed` says that the whole mark is gone.
    pub(crate) async fn meet_mark(&mut self, met: &HashSet<DescriptorId>, is_missed: bool) -> Result<(), StoreError> {
        let Some(mark) = self.mark.clone() else {
            return Ok(());
        };
        self.is_mark_lost |= is_missed;
        let issuers = self.memory.issuers().filter(|(id, _)| !met.contains(id));
        let issuers: Vec<Issuer> = issuers.map(|(_, issuer)| issuer.clone()).collect();
        for mut issuer in issuers {
            let row = &issuer.row;
            let descriptor = row.id.0;
            match mark.highest(issuer.receive.key()) {
                Some(highest) if highest >= row.next_index => {
                    tracing::warn!(
                        descriptor,
                        database = row.next_index,
                        mark = highest,
                        "the database is older than the issuance mark: the index jumps past it"
                    );
                    // They are with shoppers, whose charges are lost: what they pay is to be noticed.
                    issuer = self.watched_up_to(issuer, highest).await?;
                    issuer.restart_at(highest.saturating_add(1));
                }
                Some(_) => continue,
                // Nothing was given out of it yet.
                None if row.next_index == 0 && !is_missed => continue,
                None => {
                    tracing::warn!(
                        descriptor,
                        "the issuance mark is missing: no address is issued until the chain is scanned"
                    );
                    issuer.row.scanned = false;
                    issuer.row.jump = JUMP_WITHOUT_MARK;
                    self.is_mark_lost = true;
                }
            }
            self.put_issuer(issuer);
        }
        Ok(())
    }

    /// The counter with everything watched up to `highest`, or as far as a start should take to derive.
    async fn watched_up_to(&mut self, issuer: Issuer, highest: u32) -> Result<Issuer, StoreError> {
        let count = highest.saturating_add(1).saturating_sub(issuer.watched_end());
        let id = issuer.row.id;
        if count == 0 {
            return Ok(issuer);
        }
        self.derive_ahead(id, count.min(MOST_WATCHED)).await?;
        self.end_unit().await?;
        Ok(self.memory.issuer(id).cloned().unwrap_or(issuer))
    }

    /// A counter that the database does not have starts above what the mark says of its descriptor: a database that was restored
    /// from before the descriptor was given does not know that its addresses are with shoppers. Where the mark itself was lost
    /// once, it may not know either, and the index jumps.
    pub(super) fn above_mark(&self, mut issuer: Issuer) -> Issuer {
        let highest = self.mark.as_ref().and_then(|mark| mark.highest(issuer.receive.key()));
        if let Some(highest) = highest {
            tracing::warn!(
                descriptor = issuer.row.id.0,
                mark = highest,
                "addresses of this descriptor were already issued: the index starts above the issuance mark"
            );
            issuer.restart_at(highest.saturating_add(1));
        } else if self.is_mark_lost {
            issuer.row.jump = JUMP_WITHOUT_MARK;
        }
        issuer
    }

    /// Whether the mark names a descriptor that the database does not have, and that was not noticed before: descriptors are never
    /// removed, so the database is from before it.
    async fn meet_strangers(&mut self, named: &[[u8; 16]]) -> Result<bool, StoreError> {
        let has = |key: &[u8; 16]| self.memory.issuers().any(|(_, issuer)| issuer.receive.key() == *key);
        let mut strangers: Vec<String> = named.iter().filter(|key| !has(key)).map(hex::encode).collect();
        strangers.sort_unstable();
        let noticed = self.session.meta(STRANGERS).await?.unwrap_or_default();
        let is_news = strangers
            .iter()
            .any(|name| !noticed.split(' ').any(|known| known == name));
        if is_news {
            tracing::warn!(
                "the issuance mark names a descriptor that the database does not have: the database is older"
            );
            self.session.set_meta(STRANGERS, &strangers.join(" ")).await?;
        }
        Ok(is_news)
    }
}
