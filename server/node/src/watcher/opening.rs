//! Scripts that are watched from now on: what came before them is looked at again, before an address of theirs is given out (R27).

use std::collections::HashSet;

use bitpro_charge::BlockRef;

use super::super::api::NodeApi;
use super::super::convert;
use super::super::matching::match_block;
use super::super::port::{ChargesPort, ScanRequest};
use super::super::scan::Scanned;
use super::super::view::{Fingerprint, PayingTx};
use super::agenda::Agenda;
use super::{Stand, Trouble, Watcher, store_trouble};

/// A descriptor that was looked for in the UTXO set, on its way to giving out addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    scanned: Scanned,
    /// Height of the charges' tip when its scripts began to be watched. Blocks above it are read with them.
    watched_at: Option<u32>,
}

impl<P: ChargesPort, N: NodeApi> Watcher<P, N> {
    /// Takes over finished scans, and looks for all scripts that are watched since the last turn in what was looked at before.
    ///
    /// All of this is done by the one loop that also looks at blocks and transactions: so each of them was looked at either
    /// before, and is looked through here or in the full reading that follows, or with the scripts watched.
    pub(super) fn meet_new_scripts(&mut self, agenda: &mut Agenda) -> Result<(), Trouble> {
        let height = self.stand()?.tip.block.height;
        let scanned = self.scanner.finished().map(|scanned| Opening {
            scanned,
            watched_at: None,
        });
        self.openings.extend(scanned);
        for opening in &mut self.openings {
            if opening.watched_at.is_none() {
                let Scanned { id, highest_used, .. } = opening.scanned;
                self.runtime
                    .block_on(self.port.watch_ahead(id, highest_used))
                    .map_err(store_trouble)?;
                opening.watched_at = Some(height);
            }
        }
        let scripts: HashSet<Fingerprint> = self.port.newly_watched().into_iter().collect();
        if !scripts.is_empty() && self.mirror.look_for(&scripts) {
            agenda.pool = true;
        }
        if !self.openings.is_empty() {
            agenda.full = true;
            agenda.chain = true;
        }
        Ok(())
    }

    /// What pays watched scripts in the blocks that came between a scan and the watching of what it found, up to `fork`.
    pub(super) fn read_overlooked(&mut self, stand: Stand, fork: u32) -> Result<Vec<PayingTx>, Trouble> {
        let mut missed: Option<(u32, u32)> = None;
        let mut openings = std::mem::take(&mut self.openings);
        let mut outcome = Ok(());
        openings.retain(|opening| {
            let BlockRef { height, hash } = opening.scanned.block;
            match self.stored_hash(height) {
                // A scan of a chain that is none any more proves nothing: it is wanted still, and made again.
                Ok(stored) if height <= fork && stored != Some(hash) => false,
                Ok(_) => {
                    let last = opening.watched_at.unwrap_or_default().min(fork);
                    if height < last {
                        let (from, to) = missed.unwrap_or((height + 1, last));
                        missed = Some((from.min(height + 1), to.max(last)));
                    }
                    true
                }
                Err(trouble) => {
                    outcome = Err(trouble);
                    true
                }
            }
        });
        self.openings = openings;
        outcome?;
        match missed {
            Some((first, last)) => self.payments_between(stand, first, last),
            None => Ok(Vec::new()),
        }
    }

    /// Everything that may pay the scanned descriptors was looked at: their addresses are given out.
    pub(super) fn give_out(&mut self) -> Result<(), Trouble> {
        while let Some(opening) = self.openings.last() {
            self.runtime
                .block_on(self.port.finish_scan(opening.scanned.id))
                .map_err(store_trouble)?;
            self.openings.pop();
        }
        Ok(())
    }

    /// Starts the scans that are wanted, those aside whose outcome is taken over already.
    pub(super) fn scan_if_wanted(&self) {
        let is_open = |request: &ScanRequest| self.openings.iter().any(|opening| opening.scanned.id == request.id);
        let mut wanted = self.port.scans_wanted();
        wanted.retain(|request| !is_open(request));
        self.scanner.scan(wanted);
    }

    fn payments_between(&self, stand: Stand, first: u32, last: u32) -> Result<Vec<PayingTx>, Trouble> {
        let hashes = self.hashes(first, last)?;
        let sight = self.sight_of_blocks(stand);
        let mut heights = first..;
        let mut paying = Vec::new();
        self.node.each_block::<Trouble>(&hashes, |checked| {
            let block = BlockRef {
                height: heights.next().unwrap_or(last),
                hash: convert::block_hash(checked.hash),
            };
            let first_seen = sight.in_block(i64::from(checked.block.header.time));
            let found = match_block(&checked, block, first_seen, &self.known, |script| {
                self.port.script(script)
            });
            paying.extend(found.paying);
            Ok(())
        })?;
        Ok(paying)
    }

    fn stored_hash(&self, height: u32) -> Result<Option<bitpro_charge::BlockHash>, Trouble> {
        self.runtime
            .block_on(self.port.stored_hash(height))
            .map_err(store_trouble)
    }
}
