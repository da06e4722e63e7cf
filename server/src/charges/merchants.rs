//! Adding and changing merchants, and what to tell them about their wallet (R26 to R28).

use std::sync::Arc;

use bitpro_charge::MerchantId;

use super::{Inner, IssuanceBlock, MerchantChanges, MerchantError, MerchantReport};
use crate::merchant::{Merchant, SettingError, Settings};
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
        let settings = changed(&Settings::default(), &changes)?;
        // The name is the one thing without a default.
        let settings = settings.with(&[("name", &settings.name)])?;
        let draft = MerchantDraft {
            id,
            settings,
            receive: self.receive(&changes)?,
            logo: changes.logo.flatten(),
            created_at: self.now(),
        };
        self.store
            .write(move |tx| Box::pin(async move { Ok::<_, MerchantError>(tx.put_merchant(draft).await?) }))
            .await?;
        Ok(id)
    }

    /// Changes what `changes` name, and nothing else. They are put together with the merchant as they are in this unit: what others
    /// changed since the caller looked stays.
    pub(super) async fn change_merchant(&self, id: MerchantId, changes: MerchantChanges) -> Result<(), MerchantError> {
        let receive = self.receive(&changes)?;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let known = tx.memory().merchants().get(&id).cloned();
                    let known = known.ok_or(MerchantError::Unknown)?;
                    let draft = MerchantDraft {
                        id,
                        settings: changed(&known.settings, &changes)?,
                        logo: changes.logo.unwrap_or_else(|| known.logo.clone()),
                        receive,
                        created_at: known.created_at,
                    };
                    Ok(tx.put_merchant(draft).await?)
                })
            })
            .await
    }

    /// The wallet that is to be given, if any. It is read before the unit, which others wait for.
    fn receive(&self, changes: &MerchantChanges) -> Result<Option<Arc<Receive>>, MerchantError> {
        let receive = changes.wallet.as_ref();
        let receive = receive.map(|wallet| Receive::parse(wallet, self.network)).transpose()?;
        Ok(receive.map(Arc::new))
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
    let longest_run = issuer.map_or(0, Issuer::longest_run);
    let is_unscanned = issuer.is_some_and(|issuer| !issuer.is_scanned());
    MerchantReport {
        receive: issuer.map(|issuer| issuer.text().to_owned()),
        next_index: issuer.map(Issuer::next_index),
        unpaid_run: issuer.map_or(0, Issuer::unpaid_run),
        longest_run,
        gap_limit: longest_run.saturating_add(GAP_MARGIN).max(USUAL_GAP),
        blocked: is_unscanned.then_some(IssuanceBlock::AwaitsScan),
        merchant,
    }
}

/// The settings after `changes`.
fn changed(settings: &Settings, changes: &MerchantChanges) -> Result<Settings, SettingError> {
    let pairs = changes.settings.iter();
    let pairs: Vec<(&str, &str)> = pairs.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    settings.with(&pairs)?.with_origins(&changes.more_origins)
}
