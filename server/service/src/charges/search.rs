//! What a merchant's team looks at: their charges as they search for them, their figures, and what stands beside each.

use bitpro_charge::{ChargeId, MerchantId, Timestamp};
use bitpro_store::webhook::ChargeDelivery;
use bitpro_store::{Personal, StoreError};

use super::hub::Subscription;
use super::objects::personal;
use super::{Charges, Note, Place, Search, Snapshot, Tally};

/// At most so many charges at a time; an export asks for them group by group.
const LONGEST_GROUP: u32 = 500;
/// At most so many deliveries of one charge: those of a dozen webhooks for every event that a charge usually has.
const DELIVERIES: u32 = 100;

/// A charge as its merchant finds it.
#[derive(Debug)]
pub struct FoundCharge {
    /// The charge.
    pub snapshot: Snapshot,
    /// What can be erased.
    pub personal: Personal,
    /// Whether the order id has charges of other prices, or more than one with money (R21).
    pub order_conflict: bool,
}

/// A part of a list, newest first.
#[derive(Debug)]
pub struct Found {
    /// The charges.
    pub charges: Vec<FoundCharge>,
    /// Those among them that another hand has changed, so that they cannot be shown.
    pub unreadable: Vec<ChargeId>,
    /// Where the list goes on; `None` at the end.
    pub next: Option<Place>,
}

impl Charges {
    /// A merchant's charges, newest first, after `after`; at most `limit`, and never more than 500.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn search(&self, search: &Search, after: Option<Place>, limit: u32) -> Result<Found, StoreError> {
        let limit = limit.clamp(1, LONGEST_GROUP);
        let store = &self.inner.store;
        let mut listed = store.search(search, after, limit + 1).await?;
        let fits = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = listed.len() > fits;
        listed.truncate(fits);
        let last = listed.last().filter(|_| has_more).map(|last| match last {
            Ok(snapshot) => Place {
                created_at: snapshot.charge.terms.created_at,
                num: snapshot.num,
            },
            Err(unreadable) => Place {
                created_at: unreadable.created_at,
                num: unreadable.num,
            },
        });
        let (snapshots, unreadable) = self.inner.shared.shown(listed);
        let nums: Vec<i64> = snapshots.iter().map(|snapshot| snapshot.num).collect();
        let mut beside = store.beside(&nums).await?;
        let mut charges = Vec::with_capacity(snapshots.len());
        for snapshot in snapshots {
            let row = beside.remove(&snapshot.num).unwrap_or_default();
            charges.push(FoundCharge {
                order_conflict: row.order_conflict,
                personal: personal(row),
                snapshot,
            });
        }
        Ok(Found {
            charges,
            unreadable,
            next: last,
        })
    }

    /// What stands beside one charge.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn found(&self, snapshot: &Snapshot) -> Result<FoundCharge, StoreError> {
        let mut beside = self.inner.store.beside(&[snapshot.num]).await?;
        let row = beside.remove(&snapshot.num).unwrap_or_default();
        Ok(FoundCharge {
            snapshot: snapshot.clone(),
            order_conflict: row.order_conflict,
            personal: personal(row),
        })
    }

    /// How many of a merchant's charges made in each of `spans` are in which state now, and what they cost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tallies(
        &self,
        merchant: MerchantId,
        spans: &[(Timestamp, Timestamp)],
    ) -> Result<Vec<Tally>, StoreError> {
        self.inner.store.tallies(merchant, spans).await
    }

    /// The merchant's own words about a charge.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note(&self, snapshot: &Snapshot) -> Result<Option<Note>, StoreError> {
        self.inner.store.note(snapshot.num).await
    }

    /// The height of the tip, under which confirmations count.
    #[must_use]
    pub fn tip_height(&self) -> u32 {
        self.inner.shared.tip_height()
    }

    /// Hears that something of a merchant's charges has changed; not what.
    #[must_use]
    pub fn subscribe_to_merchant(&self, merchant: MerchantId) -> Subscription<MerchantId, ()> {
        self.inner.shared.merchant_hub.subscribe(merchant)
    }

    /// The deliveries of what was told about a charge, newest first.
    pub async fn deliveries_of(&self, snapshot: &Snapshot) -> Result<Vec<ChargeDelivery>, StoreError> {
        self.inner.store.deliveries_of_charge(snapshot.num, DELIVERIES).await
    }
}
