//! The places for attempts, at one host and altogether, shared by merchant: nobody's slow receivers keep another merchant's waiting.

use std::collections::{BTreeSet, HashMap};

use bitpro_charge::MerchantId;

/// Places that merchants share. A fifth is kept for merchants that hold none. Of the others a merchant takes one only while more of them
/// are free than it holds: one alone gets half of them, two a third each, and however many receivers a few merchants have, the next
/// merchant finds a place.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    /// So many of them are kept.
    kept: usize,
    taken: usize,
    shares: HashMap<MerchantId, Share>,
}

/// What one merchant holds and waits for.
#[derive(Debug, Default)]
struct Share {
    taken: usize,
    /// URLs with something to send when there is room: first the one that was served the longest ago.
    waiting: BTreeSet<(u64, usize)>,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            kept: most / 5,
            taken: 0,
            shares: HashMap::new(),
        }
    }

    pub(super) const fn taken(&self) -> usize {
        self.taken
    }

    /// Whether `merchant` may take a place now.
    pub(super) fn is_open_to(&self, merchant: MerchantId) -> bool {
        self.is_open_to_holder_of(self.shares.get(&merchant).map_or(0, |share| share.taken))
    }

    pub(super) fn take(&mut self, merchant: MerchantId) {
        self.taken += 1;
        self.shares.entry(merchant).or_default().taken += 1;
    }

    pub(super) fn give_back(&mut self, merchant: MerchantId) {
        self.taken -= 1;
        if let Some(share) = self.shares.get_mut(&merchant) {
            share.taken -= 1;
            self.forget_if_empty(merchant);
        }
    }

    /// Has `url` wait for room; `served` is the ordinal of its last one among all attempts.
    pub(super) fn wait(&mut self, merchant: MerchantId, served: u64, url: usize) {
        self.shares.entry(merchant).or_default().waiting.insert((served, url));
    }

    /// The URL that is first among those that wait and may go: one of the merchant that holds the fewest places.
    pub(super) fn next(&mut self) -> Option<(MerchantId, usize)> {
        let (_, (served, url), merchant) = self
            .shares
            .iter()
            .filter(|(_, share)| self.is_open_to_holder_of(share.taken))
            .filter_map(|(merchant, share)| Some((share.taken, *share.waiting.first()?, *merchant)))
            .min_by_key(|(taken, first, _)| (*taken, *first))?;
        if let Some(share) = self.shares.get_mut(&merchant) {
            share.waiting.remove(&(served, url));
            self.forget_if_empty(merchant);
        }
        Some((merchant, url))
    }

    const fn is_open_to_holder_of(&self, held: usize) -> bool {
        let free = self.most.saturating_sub(self.taken);
        match held {
            0 => free > 0,
            held => held < free.saturating_sub(self.kept),
        }
    }

    fn forget_if_empty(&mut self, merchant: MerchantId) {
        if let Some(share) = self.shares.get(&merchant)
            && share.taken == 0
            && share.waiting.is_empty()
        {
            self.shares.remove(&merchant);
        }
    }
}
