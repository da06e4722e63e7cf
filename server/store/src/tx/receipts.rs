//! Buyers' receipts: posted with the first confirmation, and once a charge.

use bitpro_charge::Timestamp;
use bitpro_merchant::Language;
use bitpro_merchant::letters::{self, Receipt};

use super::Tx;
use crate::{Snapshot, StoreError};

impl Tx {
    /// Whether the merchant wants the buyer of this charge to have a receipt, and an address may be known.
    pub(super) fn wants_receipt(&self, snapshot: &Snapshot) -> bool {
        let merchant = self.memory.merchants().get(&snapshot.charge.merchant);
        snapshot.email_key.is_some() && merchant.is_some_and(|merchant| merchant.settings.email_receipts)
    }

    /// Posts the receipt of a charge that is confirmed now, unless its buyer had it before.
    pub(super) async fn post_receipt(&mut self, snapshot: &Snapshot, at: Timestamp) -> Result<(), StoreError> {
        let charge = &snapshot.charge;
        let Some(merchant) = self.memory.merchants().get(&charge.merchant).cloned() else {
            return Ok(());
        };
        let Some(email) = self.writing().await?.take_receipt(snapshot.num, at).await? else {
            return Ok(());
        };
        // What is no address to a mail server is not worth an error later.
        if email.parse::<lettre::Address>().is_err() {
            return Ok(());
        }
        let settings = &merchant.settings;
        let language = snapshot.language.or(settings.default_language);
        let receipt = Receipt {
            merchant: &settings.name,
            site: settings.site.as_deref(),
            order_id: snapshot.order_id.as_deref(),
            charge: charge.id,
            price: charge.terms.price,
            received: charge.confirmed(self.memory.tip_height()),
            zone: &settings.time_zone,
            confirmed_at: at,
            is_sandbox: self.network.is_sandbox(),
        };
        let letter = letters::receipt(language.unwrap_or(Language::En), &email, &receipt);
        self.post(&letter).await
    }
}
