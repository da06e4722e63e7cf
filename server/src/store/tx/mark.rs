//! The issuance mark beside the counters (R28): whoever takes up a counter, at whatever moment, asks the mark first.

use std::collections::HashSet;

use super::Tx;
use crate::store::{DescriptorId, Issuer, StoreError};

/// How far an index jumps when it is not known any more which were given out (R28).
pub(in crate::store) const JUMP_WITHOUT_MARK: u32 = 1_000;

/// The fact that the database had a mark beside it.
const MADE: &str = "mark";
/// The fact that the mark was missed once: it does not know then of every descriptor that addresses were given out of.
const LOST: &str = "mark_lost";
/// The descriptors that the mark named and the database did not have when that was last noticed.
const STRANGERS: &str = "mark_strangers";

impl Tx {
    /// Brings the counters as they were just read from the file and the mark together. Whether the database turned out to be
    /// older than the mark, or the mark to be missing.
    pub(in crate::store) async fn meet_mark_at_start(&mut self) -> Result<bool, StoreError> {
        let was_lost_before = self.session.meta(LOST).await?.is_some();
        self.is_mark_lost = was_lost_before;
        let Some(mark) = self.mark.clone() else {
            return Ok(false);
        };
        let is_missed = mark.is_missing() && self.session.meta(MADE).await?.is_some();
        let met = self.meet_mark(&HashSet::new(), is_missed);
        if self.is_mark_lost && !was_lost_before {
            self.session.set_meta(LOST, "yes").await?;
        }
        Ok(self.meet_strangers(&mark.keys()).await? || met)
    }

    /// Notes that the mark is there from now on: should it be missing at a later start, that is a loss and no beginning.
    pub(in crate::store) async fn note_mark_made(&mut self) -> Result<(), StoreError> {
        if self.session.meta(MADE).await?.is_some() {
            return Ok(());
        }
        self.session.begin().await?;
        self.session.set_meta(MADE, "made").await?;
        self.session.commit().await
    }

    /// Compares each counter, but those that are `met` already, with the mark: one that is behind jumps past it, one that the mark
    /// should know and does not waits for a scan. `is_missed` says that the whole mark is gone. Whether any counter was moved.
    pub(in crate::store) fn meet_mark(&mut self, met: &HashSet<DescriptorId>, is_missed: bool) -> bool {
        let Some(mark) = self.mark.clone() else {
            return false;
        };
        self.is_mark_lost |= is_missed;
        let mut was_moved = false;
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
                    issuer.restart_at(highest.saturating_add(1));
                }
                Some(_) => continue,
                // Nothing was given out of it yet.
                None if row.next_index == 0 && !is_missed => continue,
                None => {
                    tracing::warn!(
                        descriptor,
                        "the issuance mark is missing: no address is given out until the chain is scanned"
                    );
                    issuer.row.scanned = false;
                    issuer.row.jump = JUMP_WITHOUT_MARK;
                    self.is_mark_lost = true;
                }
            }
            self.put_issuer(issuer);
            was_moved = true;
        }
        was_moved
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
                "addresses of this descriptor were given out before: the index starts above the issuance mark"
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
