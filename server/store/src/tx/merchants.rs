//! Merchants, and the counters of their descriptors.

use std::sync::Arc;

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::wallet::{DescriptorId, Receive};
use bitpro_merchant::{Logo, Merchant, MerchantMap, Settings, stored};

use super::Tx;
use crate::memory::next;
use crate::rows::MerchantRow;
use crate::{Issuer, StoreError};

/// A merchant to be stored.
pub struct MerchantDraft {
    /// The public id.
    pub id: MerchantId,
    /// All settings.
    pub settings: Settings,
    /// The logo, if there is one.
    pub logo: Option<Logo>,
    /// A new descriptor; `None` keeps the present one.
    pub receive: Option<Arc<Receive>>,
    /// When the merchant was added.
    pub created_at: Timestamp,
}

impl Tx {
    /// Stores a merchant as they are now: what stays of them must come from this unit's memory. A descriptor that was never met gets a
    /// counter, which waits for a scan and starts above the issuance mark (R28); one that was goes on with its own (R27).
    pub async fn put_merchant(&mut self, draft: MerchantDraft) -> Result<(), StoreError> {
        let given = match &draft.receive {
            Some(receive) => Some(self.counter_of(receive).await?),
            None => self
                .memory
                .merchants()
                .get(&draft.id)
                .and_then(|merchant| merchant.descriptor),
        };
        let text = given
            .and_then(|id| self.memory.issuer(id))
            .map(|issuer| issuer.text().to_owned());
        let link_keys = self.memory.merchants().get(&draft.id);
        let link_keys = link_keys.map(|merchant| merchant.link_keys.clone()).unwrap_or_default();
        let num = match self.memory.merchant_row(draft.id) {
            Some(num) => num,
            None => next(&mut self.memory.rows.merchant),
        };
        let row = MerchantRow {
            num,
            id: draft.id,
            settings: stored::to_document(&draft.settings),
            logo: draft.logo.as_ref().map(|logo| logo.bytes.to_vec()),
            descriptor: given.zip(text.map(|text| self.secret.of_merchant(draft.id, &text))),
            created_at: draft.created_at,
        };
        self.writing().await?.put_merchant(&row).await?;
        if draft.receive.is_some() {
            // What was asked for before must not come after it.
            self.people().await?.drop_pending_wallet(num).await?;
        }
        let mut merchants = MerchantMap::clone(self.memory.merchants());
        merchants.insert(
            draft.id,
            Arc::new(Merchant {
                id: draft.id,
                settings: draft.settings,
                logo: draft.logo,
                descriptor: given,
                link_keys,
                created_at: draft.created_at,
            }),
        );
        self.memory.put_merchants(merchants, draft.id, num);
        self.news.merchants = Some(Arc::clone(self.memory.merchants()));
        Ok(())
    }

    async fn counter_of(&mut self, receive: &Arc<Receive>) -> Result<DescriptorId, StoreError> {
        let known = self
            .memory
            .issuers()
            .find(|(_, issuer)| issuer.text() == receive.text());
        if let Some((id, _)) = known {
            return Ok(id);
        }
        let id = DescriptorId(next(&mut self.memory.rows.descriptor));
        let issuer = self.above_mark(Issuer::new(id, Arc::clone(receive), &self.secret));
        self.writing().await?.put_descriptor(&issuer.row).await?;
        self.put_issuer(issuer);
        Ok(id)
    }

    /// Takes over what the scan of a descriptor found: its counter goes on above what was used (R27), and past what may have
    /// been given out when that is not known (R28). The look-ahead is watched from here on; no address is given out yet.
    pub async fn watch_ahead(&mut self, descriptor: DescriptorId, highest_used: Option<u32>) -> Result<(), StoreError> {
        let Some(issuer) = self.memory.issuer(descriptor) else {
            return Ok(());
        };
        let mut issuer = issuer.clone();
        issuer.go_on_above(highest_used);
        let lacking = issuer.lacking();
        self.put_issuer(issuer);
        if let Some(count) = lacking {
            self.derive_ahead(descriptor, count).await?;
        }
        Ok(())
    }

    /// Ends the scan of a descriptor, once everything that may pay its look-ahead was looked at: addresses are given out.
    pub fn finish_scan(&mut self, descriptor: DescriptorId) {
        if let Some(mut issuer) = self.memory.issuer(descriptor).cloned() {
            issuer.row.scanned = true;
            self.put_issuer(issuer);
        }
    }
}
