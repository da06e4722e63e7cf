//! Recording what was decided: log, rows, outbox, memory and news, all in one transaction.

use std::sync::Arc;

use bitpro_base::rng::uuid;
use bitpro_charge::{Announcement, Charge, Event, Timestamp};

use super::Tx;
use crate::documents::{events_from, events_to, payment_to, snapshot_from, snapshot_to};
use crate::memory::next;
use crate::news::Touched;
use crate::rows::{Decided, OutboxRow};
use crate::{Fresh, Note, Snapshot, StoreError, Told};

/// After so many charges others get their turn on the thread.
pub const CHARGES_A_TURN: usize = 32;

/// What one batch made of one charge.
pub struct Batch {
    /// The charge before.
    pub before: Arc<Snapshot>,
    /// What was decided; an empty one leaves no trace.
    pub events: Vec<Event>,
}

impl Tx {
    /// Appends batches, and brings everything that follows from them along: rows, outbox, memory, news.
    pub async fn record(&mut self, batches: Vec<Batch>, at: Timestamp) -> Result<Vec<Arc<Snapshot>>, StoreError> {
        let tip = self.memory.tip_height();
        let mut decided = Vec::with_capacity(batches.len());
        let mut outbox = Vec::new();
        let mut due = Vec::new();
        let mut receipts = Vec::new();
        let mut standing = self.standing_of(&batches).await?;
        for (i, Batch { before, mut events }) in batches.into_iter().enumerate() {
            if i % CHARGES_A_TURN == CHARGES_A_TURN - 1 {
                tokio::task::yield_now().await;
            }
            if events.is_empty() {
                continue;
            }
            if let Some(restored) = self.numbering.and_then(|numbering| numbering.event_before(&before)) {
                events.insert(0, restored);
            }
            let mut charge = before.charge.clone();
            for event in &events {
                charge.apply(event);
                if let Event::Announced {
                    announcement,
                    tip: told_under,
                } = event
                {
                    let row = self.outbox_row(&before, charge.sequence, *announcement);
                    let told = Told {
                        num: row.num,
                        id: row.id,
                        charge: row.charge,
                        sequence: row.sequence,
                        announcement: *announcement,
                        at,
                        order_conflict: false,
                    };
                    outbox.push(row);
                    if *announcement == Announcement::Confirmed && self.wants_receipt(&before) {
                        receipts.push(before.num);
                    }
                    // The charge as it stands here is copied only for webhooks that are told.
                    let fresh = |told| Fresh {
                        told,
                        snapshot: before.with_charge(charge.clone()),
                        tip: *told_under,
                    };
                    self.deliveries_of(charge.merchant, told, fresh, &mut standing, &mut due);
                }
            }
            debug_assert!(
                survives_storage(&before.charge, &charge, &events),
                "what is stored of a charge, or of its events, is not what they are"
            );
            let mut after = before.with_charge(charge);
            after.has_payments_apart = true;
            let after = Arc::new(after);
            decided.push(Decided {
                num: next(&mut self.memory.rows.batch),
                is_open: after.is_open(tip),
                is_paid: after.charge.is_paid_into(),
                before,
                after,
                events,
            });
        }
        if decided.is_empty() {
            return Ok(Vec::new());
        }
        self.note_time(at);
        let session = self.writing().await?;
        session.append(&decided, at).await?;
        session.announce(&outbox, at).await?;
        session.insert_deliveries(&due).await?;
        self.news.due.append(&mut due);
        let mut recorded = Vec::with_capacity(decided.len());
        for Decided {
            before, after, is_paid, ..
        } in decided
        {
            if is_paid
                && !before.charge.is_paid_into()
                && let Some(order_id) = &after.order_id
                && let Some(merchant) = self.memory.merchant_row(after.charge.merchant)
            {
                self.memory.note_paid(merchant, order_id);
            }
            self.memory.put_charge(&after);
            self.memory.count(Some(before.charge.state), after.charge.state);
            self.news.touched.push(Touched {
                previous: before.charge.sequence,
                snapshot: Arc::clone(&after),
            });
            recorded.push(after);
        }
        for confirmed in recorded.iter().filter(|after| receipts.contains(&after.num)) {
            self.post_receipt(confirmed, at).await?;
        }
        Ok(recorded)
    }

    /// Looks anew at a charge that nothing was decided about: it may have become settled, or only deeper.
    pub fn deepen(&mut self, snapshot: &Arc<Snapshot>) {
        self.memory.put_charge(snapshot);
        self.news.deeper.push(Arc::clone(snapshot));
    }

    /// Erases what stands apart from the log about a charge (R31): the log and the money are untouched.
    pub async fn erase_personal(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.writing().await?.erase_personal(snapshot.num).await?;
        let mut erased = snapshot.clone();
        erased.email_key = None;
        erased.maker = None;
        self.memory.put_charge(&Arc::new(erased));
        Ok(())
    }

    /// The same for the settled charge in row `num`; whether it is there.
    pub async fn erase_personal_of(&mut self, num: i64) -> Result<bool, StoreError> {
        let Some(snapshot) = self.charges(&[num]).await?.pop() else {
            return Ok(false);
        };
        self.erase_personal(&snapshot).await?;
        Ok(true)
    }

    /// Puts the merchant's own words beside a charge, or takes them away.
    pub async fn put_note(&mut self, snapshot: &Snapshot, note: Option<&Note>) -> Result<(), StoreError> {
        self.writing().await?.put_note(snapshot.num, note).await
    }

    fn outbox_row(&mut self, snapshot: &Snapshot, sequence: u64, announcement: Announcement) -> OutboxRow {
        OutboxRow {
            num: next(&mut self.memory.rows.outbox),
            id: uuid(&*self.rng),
            merchant: self
                .memory
                .merchant_row(snapshot.charge.merchant)
                .expect("every charge has a merchant, and merchants are never removed"),
            charge: snapshot.num,
            sequence,
            announcement,
        }
    }
}

/// Whether the stored shapes lose nothing: replaying the log gives the live state only if they do not. What was not changed was
/// looked at when it was.
fn survives_storage(before: &Charge, charge: &Charge, events: &[Event]) -> bool {
    let made = Charge::new(charge.id, charge.merchant, charge.address.clone(), charge.terms.clone());
    let changed: Vec<_> = charge.payments_changed_since(before).map(Arc::clone).collect();
    let rows: Vec<String> = changed.iter().map(|payment| payment_to(payment)).collect();
    let read = snapshot_from(&snapshot_to(charge), Some(&format!("[{}]", rows.join(","))), made);
    let with_those = Charge {
        payments: changed,
        ..charge.clone()
    };
    read == Ok((with_those, true)) && events_from(&events_to(events)).as_deref() == Ok(events)
}
