//! The tokens that were spent, and the charge that each has made.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

use bitpro_charge::ChargeId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// A token's name: a part of its authenticator, which nobody can choose.
pub(super) type TokenKey = [u8; 8];

/// What was spent, and how far back it is remembered.
#[derive(Debug)]
pub(super) struct SpentTokens {
    most: usize,
    hasher: RandomState,
    remembered: Mutex<Remembered>,
    /// Somebody who had spent a token knows what has become of it.
    settled: Notify,
}

#[derive(Debug, Default)]
struct Remembered {
    tokens: HashMap<TokenKey, Entry>,
    /// Tokens made at this time or before are void.
    horizon: i64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    made_at: i64,
    /// A hash of what was asked for.
    terms: u64,
    became: Became,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    /// The charge is being made.
    Pending,
    Made(ChargeId),
    None,
}

/// What has become of the wish to spend a token.
#[derive(Debug)]
pub enum Spent<'a> {
    /// It is spent now.
    Now(Spending<'a>),
    /// It was spent for the same before, and made this charge.
    Before(ChargeId),
    /// It was spent for something else, made nothing, or is older than what is remembered.
    Void,
}

/// A token that is being spent. Dropped without a charge, it has made none.
#[derive(Debug)]
pub struct Spending<'a> {
    tokens: &'a SpentTokens,
    key: TokenKey,
}

impl SpentTokens {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            hasher: RandomState::new(),
            remembered: Mutex::default(),
            settled: Notify::new(),
        }
    }

    pub(super) async fn spend(&self, key: TokenKey, made_at: i64, terms: &impl Hash) -> Spent<'_> {
        let terms = self.hasher.hash_one(terms);
        loop {
            // Before the look: what is settled in between is not missed.
            let settled = self.settled.notified();
            match self.try_spend(key, made_at, terms) {
                None => return Spent::Now(Spending { tokens: self, key }),
                Some(entry) if entry.terms != terms => return Spent::Void,
                Some(Entry {
                    became: Became::Made(id),
                    ..
                }) => return Spent::Before(id),
                Some(Entry {
                    became: Became::None, ..
                }) => return Spent::Void,
                Some(Entry {
                    became: Became::Pending,
                    ..
                }) => settled.await,
            }
        }
    }

    /// Spends a token; or says how it was spent before.
    fn try_spend(&self, key: TokenKey, made_at: i64, terms: u64) -> Option<Entry> {
        let mut remembered = self.remembered.lock();
        if let Some(entry) = remembered.tokens.get(&key) {
            return Some(*entry);
        }
        let entry = Entry {
            made_at,
            terms,
            became: Became::Pending,
        };
        if made_at <= remembered.horizon {
            return Some(Entry {
                became: Became::None,
                ..entry
            });
        }
        if remembered.tokens.len() >= self.most {
            remembered.forget_half();
            if made_at <= remembered.horizon {
                return Some(Entry {
                    became: Became::None,
                    ..entry
                });
            }
        }
        remembered.tokens.insert(key, entry);
        None
    }

    fn settle(&self, key: TokenKey, became: Became) {
        if let Some(entry) = self.remembered.lock().tokens.get_mut(&key)
            && entry.became == Became::Pending
        {
            entry.became = became;
        }
        self.settled.notify_waiters();
    }

    fn forget(&self, key: TokenKey) {
        self.remembered.lock().tokens.remove(&key);
        self.settled.notify_waiters();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.remembered.lock().tokens.len()
    }
}

impl Remembered {
    /// Forgets the older half, and says so by the horizon. Also what is being made right now: it is made all the same.
    fn forget_half(&mut self) {
        let mut ages: Vec<i64> = self.tokens.values().map(|entry| entry.made_at).collect();
        let middle = ages.len() / 2;
        let (_, horizon, _) = ages.select_nth_unstable(middle);
        self.horizon = self.horizon.max(*horizon);
        let horizon = self.horizon;
        self.tokens.retain(|_, entry| entry.made_at > horizon);
        super::super::refused("press_tokens");
    }
}

impl Spending<'_> {
    /// The token has led to this charge.
    pub fn made(self, id: ChargeId) {
        self.tokens.settle(self.key, Became::Made(id));
    }

    /// Nothing was made after all, and the token can be spent later.
    pub fn give_back(self) {
        self.tokens.forget(self.key);
    }
}

impl Drop for Spending<'_> {
    fn drop(&mut self) {
        self.tokens.settle(self.key, Became::None);
    }
}
