//! What is still to be sent, by URL and charge.

use std::collections::{BTreeSet, HashMap};

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_store::webhook::Due;

#[derive(Debug)]
pub(super) struct Pending {
    pub(super) due: Due,
    pub(super) url: usize,
    /// Where it stands in the URL's `ready`.
    pub(super) ready_at: Option<Timestamp>,
}

/// A URL of a merchant.
#[derive(Debug)]
pub(super) struct Url {
    pub(super) merchant: MerchantId,
    pub(super) host: usize,
    /// By charge.
    pub(super) lanes: HashMap<i64, Lane>,
    /// Those that only wait for their time.
    pub(super) ready: BTreeSet<(Timestamp, i64)>,
    /// In a row, without an answer.
    pub(super) failures: u32,
    pub(super) rests_until: Option<Timestamp>,
    pub(super) under_way: usize,
    /// When an attempt was last started, and its ordinal among all attempts.
    pub(super) served: Option<(Timestamp, u64)>,
    pub(super) wake: Option<(Timestamp, u64)>,
    pub(super) waits_for: Option<Room>,
}

/// What there is no room in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Host(usize),
    All,
}

impl Url {
    pub(super) fn of(merchant: MerchantId, host: usize) -> Self {
        Self {
            merchant,
            host,
            lanes: HashMap::new(),
            ready: BTreeSet::new(),
            failures: 0,
            rests_until: None,
            under_way: 0,
            served: None,
            wake: None,
            waits_for: None,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Lane {
    /// In the order of the events.
    pub(super) waiting: BTreeSet<i64>,
    pub(super) under_way: Option<i64>,
}
