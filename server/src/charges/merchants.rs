//! Adding and changing merchants, and what to tell them about their wallet (R26 to R28).

use std::sync::Arc;

use bitpro_charge::{MerchantId, Timestamp};

use super::{Inner, IssuanceBlock, MerchantChanges, MerchantError, MerchantReport};
use crate::merchant::{Merchant, Settings};
use crate::rng::uuid;
use crate::store::{Issuer, MerchantDraft};
use crate::wallet::Receive;

/// Beyond the run of unpaid addresses, for those that are given out before the wallet looks again.
const GAP_MARGIN: u32 = 20;
/// What wallets look for by themselves (BIP-44); a lower limit is never advised.
const USUAL_GAP: u32 = 20;

impl Inner {
    pub(super) async fn add_merchant(&self, changes: MerchantChanges) -> Result<MerchantId, MerchantError> {
        let id = MerchantId(uuid(&*self.rng));
        let settings = Settings::default().with(&pairs(&changes))?;
        // The name is the one thing without a default.
        let settings = settings.with(&[("name", &settings.name)])?;
        self.put_merchant(id, settings, changes, None).await?;
        Ok(id)
    }

    pub(super) async fn change_merchant(&self, id: MerchantId, changes: MerchantChanges) -> Result<(), MerchantError> {
        let merchant = self.shared.merchant(id).ok_or(MerchantError::Unknown)?;
        let settings = merchant.settings.with(&pairs(&changes))?;
        self.put_merchant(id, settings, changes, Some(merchant)).await
    }

    async fn put_merchant(
        &self,
        id: MerchantId,
        settings: Settings,
        changes: MerchantChanges,
        known: Option<Arc<Merchant>>,
    ) -> Result<(), MerchantError> {
        let receive = match &changes.wallet {
            Some(wallet) => Some(Arc::new(Receive::parse(wallet, self.network)?)),
            None => None,
        };
        let kept_logo = known.as_ref().and_then(|merchant| merchant.logo.clone());
        let now: Timestamp = self.now();
        let draft = MerchantDraft {
            id,
            settings,
            logo: changes.logo.unwrap_or(kept_logo),
            receive,
            created_at: known.map_or(now, |merchant| merchant.created_at),
        };
        self.store
            .write(move |tx| Box::pin(async move { tx.put_merchant(draft).await }))
            .await
            .map_err(MerchantError::Store)
    }

    pub(super) async fn merchant_report(&self, id: MerchantId) -> Result<MerchantReport, MerchantError> {
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let merchant = tx
                        .memory()
                        .merchants()
                        .get(&id)
                        .cloned()
                        .ok_or(MerchantError::Unknown)?;
                    let issuer = merchant
                        .descriptor
                        .and_then(|descriptor| tx.memory().issuer(descriptor));
                    Ok(report(merchant, issuer))
                })
            })
            .await
    }
}

fn report(merchant: Arc<Merchant>, issuer: Option<&Issuer>) -> MerchantReport {
    let unpaid_run = issuer.map_or(0, Issuer::unpaid_run);
    let is_unscanned = issuer.is_some_and(|issuer| !issuer.is_scanned());
    MerchantReport {
        receive: issuer.map(|issuer| issuer.text().to_owned()),
        next_index: issuer.map(Issuer::next_index),
        unpaid_run,
        gap_limit: (unpaid_run + GAP_MARGIN).max(USUAL_GAP),
        blocked: is_unscanned.then_some(IssuanceBlock::AwaitsScan),
        merchant,
    }
}

fn pairs(changes: &MerchantChanges) -> Vec<(&str, &str)> {
    changes
        .settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}
