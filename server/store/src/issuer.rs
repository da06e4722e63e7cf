//! The counter of one descriptor, and the addresses that come next (R27, R28).

use std::collections::VecDeque;
use std::sync::Arc;

use bitpro_merchant::wallet::DescriptorId;
use bitpro_merchant::wallet::{Derived, Receive};
use bitpro_node::view::ScriptId;

use super::rows::DescriptorRow;
use super::secret::Secret;

/// How many indices are watched beyond the last one given out, at the least.
pub(super) const LEAST_AHEAD: u32 = 100;
/// And at the most, when addresses go fast.
const MOST_AHEAD: u32 = 3_200;

/// One descriptor's counter.
#[derive(Clone)]
pub struct Issuer {
    pub(super) row: DescriptorRow,
    /// The descriptor, to derive from.
    pub receive: Arc<Receive>,
    /// Not given out yet, ascending.
    pub(super) ahead: VecDeque<Arc<Ahead>>,
    /// The first index that is not watched yet.
    pub(super) end: u32,
    /// How many to keep ahead: more when they go fast, so that nobody waits for a derivation.
    pub(super) target: u32,
}

/// An address that was not given out yet.
#[derive(Debug)]
pub struct Ahead {
    /// Its row.
    pub script: ScriptId,
    /// Its index, script and address.
    pub derived: Derived,
}

impl Issuer {
    /// The counter of a descriptor that was never met: nothing is given out before a scan.
    pub(super) fn new(id: DescriptorId, receive: Arc<Receive>, secret: &Secret) -> Self {
        Self {
            row: DescriptorRow {
                id,
                text: receive.text().to_owned(),
                mac: secret.of_descriptor(receive.text()),
                next_index: 0,
                highest_used: None,
                longest_gap: 0,
                scanned: false,
                jump: 0,
            },
            receive,
            ahead: VecDeque::new(),
            end: 0,
            target: LEAST_AHEAD,
        }
    }

    /// The descriptor's normal form.
    pub fn text(&self) -> &str {
        &self.row.text
    }

    /// The first index that is not watched.
    pub const fn watched_end(&self) -> u32 {
        self.end
    }

    /// The index that the next charge gets, unless it turns out to be used.
    pub fn next_index(&self) -> u32 {
        self.ahead
            .front()
            .map_or(self.row.next_index, |ahead| ahead.derived.index)
    }

    /// Whether the chain was scanned for addresses that were used before.
    pub const fn is_scanned(&self) -> bool {
        self.row.scanned
    }

    /// How many of the latest addresses in a row were never paid (R26).
    pub fn unpaid_run(&self) -> u32 {
        let first_unpaid = self.row.highest_used.map_or(0, |index| index + 1);
        self.row.next_index.saturating_sub(first_unpaid)
    }

    /// How many addresses in a row are unpaid at the most, at the end or below one that was paid: across so many a wallet has to look to
    /// find every payment (R26).
    pub fn longest_run(&self) -> u32 {
        self.unpaid_run().max(self.row.longest_gap)
    }

    /// Notes that an index was paid, above all that were before. A gap that closes later is not taken back: a wallet that was told to
    /// look further finds no less.
    pub(super) fn note_used(&mut self, index: u32) {
        let first_unpaid = self.row.highest_used.map_or(0, |highest| highest.saturating_add(1));
        self.row.longest_gap = self.row.longest_gap.max(index.saturating_sub(first_unpaid));
        self.row.highest_used = Some(index);
    }

    /// Notes that no block pays an index any more, where `below` and `above` are the nearest ones that blocks do pay.
    pub(super) fn note_unpaid(&mut self, index: u32, below: Option<u32>, above: Option<u32>) {
        let first_unpaid = below.map_or(0, |below| below.saturating_add(1));
        match above.or(self.row.highest_used.filter(|&highest| highest > index)) {
            Some(above) => self.row.longest_gap = self.row.longest_gap.max(above.saturating_sub(first_unpaid)),
            None if self.row.highest_used == Some(index) => self.row.highest_used = below,
            None => {}
        }
    }

    /// How many scripts to derive now, if any.
    pub(super) fn wanted(&self) -> Option<u32> {
        self.lacking().filter(|_| self.row.scanned)
    }

    /// How many scripts the look-ahead lacks, once it is worth while to derive them.
    pub(super) fn lacking(&self) -> Option<u32> {
        let left = u32::try_from(self.ahead.len()).unwrap_or(u32::MAX);
        (left < self.target - self.target / 4).then(|| self.target - left)
    }

    /// How many to keep ahead from now on, when most of them were used up before they were filled again.
    pub(super) fn better_target(&self) -> Option<u32> {
        let left = u32::try_from(self.ahead.len()).unwrap_or(u32::MAX);
        (left < self.target / 4 && self.target < MOST_AHEAD).then(|| (self.target * 2).min(MOST_AHEAD))
    }

    /// Goes on at `index`, past what was, or may have been, given out. Prepared addresses before it are dropped; they stay
    /// watched.
    pub(super) fn restart_at(&mut self, index: u32) {
        self.row.next_index = self.row.next_index.max(index);
        self.ahead.retain(|ahead| ahead.derived.index >= index);
        self.end = self.end.max(index);
    }

    /// Goes on above what a scan found used, and past what may have been given out.
    pub(super) fn go_on_above(&mut self, highest_used: Option<u32>) {
        let above = highest_used.map_or(0, |index| index.saturating_add(1));
        let jump = std::mem::take(&mut self.row.jump);
        self.restart_at(self.row.next_index.max(above).saturating_add(jump));
        self.row.highest_used = self.row.highest_used.max(highest_used);
    }

    /// Whether a script belongs to the addresses that were not given out yet.
    pub fn is_ahead(&self, script: ScriptId) -> bool {
        self.ahead.iter().any(|ahead| ahead.script == script)
    }
}
