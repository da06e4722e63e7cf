//! Reading charges: one, its page's view, its stream, lists, and its log.

use std::sync::Arc;

use bitpro_charge::wire::{ChargeView, Surroundings};
use bitpro_charge::{Charge, ChargeId, Recorded, Timestamp};
use bitpro_store::{Listing, Personal, RenderKey, StoreError};
use bytes::Bytes;

use super::{Charges, Cursor, Filter, LONGEST_PAGE, Page, Snapshot, Subscription};

impl Charges {
    /// The charge as it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn snapshot(&self, id: ChargeId) -> Result<Option<Arc<Snapshot>>, StoreError> {
        let place = match self.inner.shared.cache.get_value_or_guard_async(&id).await {
            Ok(kept) => return Ok(Some(kept)),
            Err(place) => place,
        };
        let Some(read) = self.inner.store.charge(id).await?.map(Arc::new) else {
            return Ok(None);
        };
        self.inner.shared.verify(&read)?;
        if place.insert(Arc::clone(&read)).is_ok() {
            return Ok(Some(read));
        }
        // A commit was faster: what it left is newer than what was read.
        Ok(Some(self.inner.shared.cache.get(&id).unwrap_or(read)))
    }

    /// The public view of the charge as JSON, mostly made ahead: the answer to a status read, and a frame of the stream.
    #[must_use]
    pub fn view_json(&self, snapshot: &Snapshot) -> Bytes {
        let now = self.now();
        let shared = &self.inner.shared;
        let key = RenderKey {
            tip: shared.tip_height(),
            node: shared.node(),
            payable: snapshot.charge.is_payable(now),
            merchants: shared.merchants_version(),
        };
        snapshot.rendered.json(key, now, || self.view_at(snapshot, now))
    }

    /// The public view of the charge, for the first response. `None` only when its merchant is not known.
    #[must_use]
    pub fn view(&self, snapshot: &Snapshot) -> Option<ChargeView> {
        let _known = self.inner.shared.merchant(snapshot.charge.merchant)?;
        Some(self.view_at(snapshot, self.now()))
    }

    /// Listens to a charge. Subscribe first, then take the snapshot: nothing falls between.
    #[must_use]
    pub fn subscribe(&self, id: ChargeId) -> Subscription {
        self.inner.shared.hub.subscribe(id)
    }

    /// How many listeners there are, over all charges.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.inner.shared.hub.listeners()
    }

    /// The charge as it stood after each batch later than `sequence`, oldest first: exact resume. Empty when there is
    /// nothing later; `None` when there is no such charge, or no batch ended at `sequence`: then a snapshot is due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn frames_after(&self, id: ChargeId, sequence: u64) -> Result<Option<Vec<Snapshot>>, StoreError> {
        let Some(snapshot) = self.snapshot(id).await? else {
            return Ok(None);
        };
        // Nearly every reconnection has missed nothing.
        if snapshot.charge.sequence == sequence {
            return Ok(Some(Vec::new()));
        }
        let Some(batches) = self.inner.store.history(id).await? else {
            return Ok(None);
        };
        let Charge {
            merchant,
            terms,
            address,
            ..
        } = snapshot.charge.clone();
        let mut charge = Charge::new(id, merchant, address, terms);
        let mut is_known = sequence == 0;
        let mut frames = Vec::new();
        for batch in batches {
            for recorded in &batch {
                charge.apply(&recorded.event);
            }
            is_known |= charge.sequence == sequence;
            if charge.sequence > sequence {
                frames.push(snapshot.with_charge(charge.clone()));
            }
        }
        Ok(is_known.then_some(frames))
    }

    /// Lists charges, newest first, at most `limit` and never more than 100.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, filter: Filter, after: Option<Cursor>, limit: u32) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let mut found = self
            .inner
            .store
            .list(&Listing {
                merchant: filter.merchant,
                state: filter.state,
                order_id: filter.order_id.as_deref(),
                created_from: filter.created_from,
                created_to: filter.created_to,
                before: after.map(|cursor| cursor.0),
                skip: filter.skip,
                limit: limit + 1,
            })
            .await?;
        let fits = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = found.len() > fits;
        found.truncate(fits);
        let last = found.last().map(|last| match last {
            Ok(snapshot) => snapshot.num,
            Err(unreadable) => unreadable.num,
        });
        let (charges, unreadable) = self.inner.shared.shown(found);
        Ok(Page {
            charges,
            unreadable,
            next: last.filter(|_| has_more).map(Cursor),
        })
    }

    /// What a merchant knows of a charge beside its money; `None` when there is no such charge.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn personal(&self, id: ChargeId) -> Result<Option<Personal>, StoreError> {
        let Some(snapshot) = self.snapshot(id).await? else {
            return Ok(None);
        };
        let [buyer_email, metadata, notes] = self.inner.store.personal(snapshot.num).await?;
        Ok(Some(Personal {
            buyer_email,
            metadata,
            notes,
        }))
    }

    /// The last events of a charge before the one numbered `before`, at most `limit`, oldest first; `None` when there is no such charge.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_before(
        &self,
        id: ChargeId,
        before: u64,
        limit: u32,
    ) -> Result<Option<Vec<Recorded>>, StoreError> {
        self.inner.store.events_before(id, before, limit).await
    }

    /// Every event of a charge, oldest first; `None` when there is no such charge.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn history(&self, id: ChargeId) -> Result<Option<Vec<Recorded>>, StoreError> {
        let batches = self.inner.store.history(id).await?;
        Ok(batches.map(|batches| batches.into_iter().flatten().collect()))
    }

    /// The public view of the charge at `now`.
    fn view_at(&self, snapshot: &Snapshot, now: Timestamp) -> ChargeView {
        let merchant = self.inner.shared.merchant(snapshot.charge.merchant);
        let surroundings = Surroundings {
            now,
            tip: self.inner.shared.tip_height(),
            network: self.inner.network,
            node: self.inner.shared.node(),
            merchant_name: merchant.as_ref().map_or("", |merchant| merchant.settings.name.as_str()),
            order_id: snapshot.order_id.as_deref(),
        };
        ChargeView::of(&snapshot.charge, &surroundings)
    }
}
