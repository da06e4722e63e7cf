//! Giving out addresses, and the charges that are made at them.

use std::collections::HashSet;
use std::sync::Arc;

use bitpro_base::client::Client;
use bitpro_charge::{Charge, ChargeId, MerchantId, State, Terms};
use bitpro_merchant::Language;
use bitpro_merchant::wallet::{Derived, DescriptorId};
use bitpro_node::view::ScriptId;

use super::Tx;
use crate::issuer::{Ahead, LEAST_AHEAD};
use crate::memory::next;
use crate::news::Touched;
use crate::rows::{NewRow, ScriptRow};
use crate::{ChargeOrigin, Issuer, Rendered, Snapshot, StoreError};

/// A charge to be made, but for what only the writer knows.
pub struct Draft {
    /// Its id.
    pub id: ChargeId,
    /// Whose charge.
    pub merchant: MerchantId,
    /// The merchant's row.
    pub merchant_row: i64,
    /// Price, amount, deadlines: frozen (R1).
    pub terms: Terms,
    /// The merchant's own order id.
    pub order_id: Option<String>,
    /// Who asks for it.
    pub origin: ChargeOrigin,
    /// The language that the link asks for (R40).
    pub language: Option<Language>,
    /// A keyed hash of the shopper's e-mail (R22).
    pub email_key: Option<[u8; 8]>,
    /// Whose request makes it, for an unsigned link (R22, R25).
    pub maker: Option<Client>,
    /// E-mail, metadata, notes.
    pub personal: [Option<String>; 3],
}

impl Tx {
    /// Takes the next address of a descriptor, deriving more when none is ready; `None` at the end of the descriptor.
    pub async fn take_address(&mut self, descriptor: DescriptorId) -> Result<Option<Arc<Ahead>>, StoreError> {
        loop {
            if let Some(ahead) = self.memory.take_ahead(descriptor) {
                self.moved_counters.insert(descriptor);
                return Ok(Some(ahead));
            }
            self.learn(descriptor);
            if !self.derive_ahead(descriptor, LEAST_AHEAD).await? {
                return Ok(None);
            }
        }
    }

    /// Keeps more addresses ahead from now on, if they went faster than they were prepared.
    pub fn learn(&mut self, descriptor: DescriptorId) {
        if let Some(issuer) = self.memory.issuer(descriptor)
            && let Some(target) = issuer.better_target()
        {
            let issuer = Issuer {
                target,
                ..issuer.clone()
            };
            self.memory.put_issuer(descriptor, issuer);
        }
    }

    /// Derives and watches further addresses here and now; whether there were any.
    pub(super) async fn derive_ahead(&mut self, descriptor: DescriptorId, count: u32) -> Result<bool, StoreError> {
        let Some(issuer) = self.memory.issuer(descriptor) else {
            return Ok(false);
        };
        let (receive, from) = (Arc::clone(&issuer.receive), issuer.end);
        let derived: Vec<Derived> = (from..from.saturating_add(count))
            .map_while(|index| receive.derive(index))
            .collect();
        let has_any = !derived.is_empty();
        self.extend(descriptor, from, derived).await?;
        Ok(has_any)
    }

    /// Makes a charge at `address`, which belongs to `descriptor`.
    pub fn make(&mut self, draft: Draft, descriptor: DescriptorId, address: &Ahead) -> Arc<Snapshot> {
        let Derived {
            index,
            script,
            address: text,
        } = &address.derived;
        let snapshot = Arc::new(Snapshot {
            charge: Charge::new(draft.id, draft.merchant, text.clone(), draft.terms),
            order_id: draft.order_id,
            origin: draft.origin,
            language: draft.language,
            num: next(&mut self.memory.rows.charge),
            script: address.script,
            script_pubkey: script.as_slice().into(),
            descriptor,
            index: *index,
            email_key: draft.email_key,
            maker: draft.maker,
            has_payments_apart: true,
            is_genuine: true,
            verified: true.into(),
            rendered: Rendered::default(),
        });
        self.note_time(snapshot.charge.terms.created_at);
        self.memory.note_made(snapshot.charge.terms.created_at);
        self.memory.put_charge(&snapshot);
        self.memory.count(None, State::Pending);
        self.news.touched.push(Touched {
            previous: 0,
            snapshot: Arc::clone(&snapshot),
        });
        self.made.push(NewRow {
            snapshot: Arc::clone(&snapshot),
            merchant: draft.merchant_row,
            personal: draft.personal,
        });
        snapshot
    }

    /// Watches further addresses of a descriptor, derived from index `from` on. Nothing happens when others were faster.
    pub async fn extend(
        &mut self,
        descriptor: DescriptorId,
        from: u32,
        derived: Vec<Derived>,
    ) -> Result<(), StoreError> {
        let Some(mut issuer) = self.memory.issuer(descriptor).cloned() else {
            return Ok(());
        };
        if issuer.end != from || derived.is_empty() {
            return Ok(());
        }
        let rows: Vec<ScriptRow> = derived
            .iter()
            .map(|derived| ScriptRow {
                id: ScriptId(next(&mut self.memory.rows.script)),
                descriptor,
                index: derived.index,
                script: derived.script.clone(),
            })
            .collect();
        let session = self.writing().await?;
        let is_stored: Option<HashSet<i64>> = if session.insert_scripts(&rows).await? {
            None
        } else {
            let stored = session.look_ahead(descriptor, from).await?;
            Some(stored.iter().map(|row| row.id.0).collect())
        };
        issuer.end = from.saturating_add(u32::try_from(derived.len()).unwrap_or(u32::MAX));
        for (row, derived) in rows.iter().zip(derived) {
            // An index whose script another descriptor has already got no row: it is never given out (R27).
            if is_stored.as_ref().is_none_or(|stored| stored.contains(&row.id.0)) {
                let ahead = Arc::new(Ahead {
                    script: row.id,
                    derived,
                });
                self.news.watched.push(Arc::clone(&ahead));
                issuer.ahead.push_back(ahead);
            }
        }
        self.memory.put_issuer(descriptor, issuer);
        Ok(())
    }

    /// Never gives out these addresses of a look-ahead, for they received money before they were given out (R27).
    pub async fn skip(&mut self, descriptor: DescriptorId, scripts: &[ScriptId]) -> Result<(), StoreError> {
        self.writing().await?.skip_scripts(scripts).await?;
        if let Some(mut issuer) = self.memory.issuer(descriptor).cloned() {
            issuer.ahead.retain(|ahead| !scripts.contains(&ahead.script));
            self.memory.put_issuer(descriptor, issuer);
        }
        Ok(())
    }

    /// Notes that an address of a descriptor received money.
    pub fn note_used(&mut self, descriptor: DescriptorId, index: u32) {
        if self.memory.note_used(descriptor, index) {
            self.moved_counters.insert(descriptor);
        }
    }

    /// Notes addresses that a block paid which is not in the chain any more: their runs of unpaid ones are counted again, from what is
    /// stored now.
    pub async fn note_unpaid(&mut self, mut places: Vec<(DescriptorId, u32)>) -> Result<(), StoreError> {
        places.sort_unstable();
        places.dedup();
        // The highest first: what lies below it is the run's end only then.
        for (descriptor, index) in places.into_iter().rev() {
            if let Some(between) = self.writing().await?.paid_around(descriptor, index).await? {
                self.memory.note_unpaid(descriptor, index, between);
                self.moved_counters.insert(descriptor);
            }
        }
        Ok(())
    }

    /// Stores a counter that was set anew.
    pub(crate) fn put_issuer(&mut self, issuer: Issuer) {
        let descriptor = issuer.row.id;
        self.news.receives.push((descriptor, Arc::clone(&issuer.receive)));
        self.memory.put_issuer(descriptor, issuer);
        self.moved_counters.insert(descriptor);
    }
}
