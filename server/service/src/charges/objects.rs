//! Charges and events as merchants are shown them: the objects of API and webhooks.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bitpro_charge::{Charge, Event, MerchantId};
use bitpro_store::{BesideRow, Fresh, Personal, StoreError, Told};
use bytes::Bytes;

use super::shared::KeptObject;
use super::{Charges, Snapshot};
use crate::wire::{ChargeObject, EventObject, ObjectContext, json};

/// An event with its place among what a merchant was told.
#[derive(Debug)]
pub struct ToldEvent {
    /// Grows with time, over all merchants.
    pub num: i64,
    /// The event as the merchant is shown it.
    pub event: EventObject,
}

impl Charges {
    /// The objects of `snapshots`, in their order, as they are now. `public_url` is the server's own address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn charge_objects(
        &self,
        snapshots: &[&Snapshot],
        public_url: &str,
    ) -> Result<Vec<ChargeObject>, StoreError> {
        let inner = &self.inner;
        let nums: Vec<i64> = snapshots.iter().map(|snapshot| snapshot.num).collect();
        let mut beside = inner.store.beside(&nums).await?;
        let tip = inner.shared.tip_height();
        let object = |snapshot: &&Snapshot| {
            let row = beside.remove(&snapshot.num).unwrap_or_default();
            object_of(snapshot, row, tip, public_url)
        };
        Ok(snapshots.iter().map(object).collect())
    }

    /// The object of one charge as JSON, made anew only when anything was committed since: an order's other charges, what was
    /// erased, and the tip all count.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn charge_json(&self, snapshot: &Snapshot, public_url: &str) -> Result<Bytes, StoreError> {
        let shared = &self.inner.shared;
        let (commits, id, sequence) = (shared.commits(), snapshot.charge.id, snapshot.charge.sequence);
        let kept = shared.objects.get(&id);
        if let Some(kept) = kept.filter(|kept| kept.commits == commits && kept.sequence == sequence) {
            return Ok(kept.json);
        }
        let objects = self.charge_objects(&[snapshot], public_url).await?;
        let kept = KeptObject {
            commits,
            sequence,
            json: json(objects.first().expect("one object for each snapshot")),
        };
        shared.objects.insert(id, kept.clone());
        Ok(kept.json)
    }

    /// What a merchant was told after the place `after` (0 for the beginning), oldest first, at most `limit` events: each with
    /// the charge as it stood then (R35, R36).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_after(
        &self,
        merchant: MerchantId,
        after: i64,
        limit: u32,
        public_url: &str,
    ) -> Result<Vec<ToldEvent>, StoreError> {
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut events, mut after) = (Vec::new(), after);
        // Once, unless some are left out: a page that is not full is the end of the list.
        while events.len() < wanted {
            let missing = u32::try_from(wanted - events.len()).unwrap_or(limit);
            let told = self.inner.store.told_after(merchant, after, missing).await?;
            let (count, last) = (told.len(), told.last().map(|told| told.num));
            events.extend(self.event_objects(told, public_url).await?);
            after = last.unwrap_or(after);
            if count < wanted {
                break;
            }
        }
        Ok(events)
    }
}

impl Charges {
    /// The bytes of events by their row of the outbox, to be sent. Those that are fresh need not be folded from their logs.
    pub(crate) async fn events_to_send(
        &self,
        wanted: Vec<(i64, Option<Arc<Fresh>>)>,
        public_url: &str,
    ) -> Result<HashMap<i64, Bytes>, StoreError> {
        let inner = &self.inner;
        let mut events = HashMap::with_capacity(wanted.len());
        let (fresh, stored): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(_, fresh)| fresh.is_some());
        let nums: Vec<i64> = fresh.iter().map(|(num, _)| *num).collect();
        let mut beside = inner.store.sent_beside(&nums).await?;
        for fresh in fresh.into_iter().filter_map(|(_, fresh)| fresh) {
            let Fresh { told, snapshot, tip } = &*fresh;
            // One that is wanted for two webhooks is there already.
            let Some(row) = beside.remove(&told.num) else {
                continue;
            };
            let data = object_of(snapshot, row, *tip, public_url);
            let event = EventObject::new(told.id, told.announcement, told.at, data);
            events.insert(told.num, event.to_json());
        }
        let mut nums: Vec<i64> = stored.iter().map(|(num, _)| *num).collect();
        nums.sort_unstable();
        nums.dedup();
        let told = inner.store.told(&nums).await?;
        for told in self.event_objects(told, public_url).await? {
            events.insert(told.num, told.event.to_json());
        }
        Ok(events)
    }

    /// The events of `told`, in its order; each carries the charge as it stood at its sequence: the fold of the log up to there.
    async fn event_objects(&self, told: Vec<Told>, public_url: &str) -> Result<Vec<ToldEvent>, StoreError> {
        let mut nums: Vec<i64> = told.iter().map(|told| told.charge).collect();
        nums.sort_unstable();
        nums.dedup();
        if nums.is_empty() {
            return Ok(Vec::new());
        }
        let snapshots = self.inner.store.charges(&nums).await?;
        let logs = self.inner.store.logs(&nums).await?;
        let beside = self.inner.store.beside(&nums).await?;
        // A charge that another hand has changed is told by a comparison: its events must not keep back those of others.
        let (mut charges, mut changed) = (HashMap::with_capacity(nums.len()), HashSet::new());
        for snapshot in snapshots {
            if self.inner.shared.verify(&snapshot).is_ok() {
                charges.insert(snapshot.num, snapshot);
            } else {
                changed.insert(snapshot.num);
            }
        }
        let mut events = Vec::with_capacity(told.len());
        for told in told.into_iter().filter(|told| !changed.contains(&told.charge)) {
            let missing = || StoreError::Damaged(format!("event {} has no charge", told.num));
            let snapshot = charges.get(&told.charge).ok_or_else(missing)?;
            let log = logs.get(&told.charge).ok_or_else(missing)?;
            let (charge, tip) = as_it_stood(&snapshot.charge, log, told.sequence).ok_or_else(missing)?;
            let personal = personal(beside.get(&told.charge).cloned().unwrap_or_default());
            let data = object(&charge, snapshot, &personal, told.order_conflict, tip, public_url);
            events.push(ToldEvent {
                num: told.num,
                event: EventObject::new(told.id, told.announcement, told.at, data),
            });
        }
        Ok(events)
    }
}

/// The charge after the event numbered `sequence`, an announcement, and the tip that its confirmations count under. `None`
/// when no announcement stands there.
fn as_it_stood(now: &Charge, log: &[Event], sequence: u64) -> Option<(Charge, u32)> {
    let Charge {
        id,
        merchant,
        address,
        terms,
        ..
    } = now.clone();
    let mut charge = Charge::new(id, merchant, address, terms);
    for event in log {
        charge.apply(event);
        match event {
            Event::Announced { tip, .. } if charge.sequence == sequence => return Some((charge, *tip)),
            _ if charge.sequence >= sequence => return None,
            _ => {}
        }
    }
    None
}

/// The object of a charge as the snapshot has it.
pub(super) fn object_of(snapshot: &Snapshot, row: BesideRow, tip: u32, public_url: &str) -> ChargeObject {
    let conflict = row.order_conflict;
    object(&snapshot.charge, snapshot, &personal(row), conflict, tip, public_url)
}

fn object(
    charge: &Charge,
    snapshot: &Snapshot,
    personal: &Personal,
    order_conflict: bool,
    tip: u32,
    public_url: &str,
) -> ChargeObject {
    let context = ObjectContext {
        order_id: snapshot.order_id.as_deref(),
        origin: snapshot.origin,
        personal,
        order_conflict,
        tip,
        public_url,
    };
    ChargeObject::of(charge, &context)
}

pub(super) fn personal(row: BesideRow) -> Personal {
    let [buyer_email, metadata, notes] = row.personal;
    Personal {
        buyer_email,
        metadata,
        notes,
    }
}
