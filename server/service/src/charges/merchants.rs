//! Adding and changing merchants, and what to tell them about their wallet (R26 to R28).

use std::sync::Arc;

use bitpro_base::rng::uuid;
use bitpro_charge::MerchantId;
use bitpro_merchant::wallet::Receive;
use bitpro_merchant::{Merchant, SettingError, Settings};
use bitpro_store::{Issuer, MerchantDraft};

use super::{Charges, IssuanceBlock, MerchantChanges, MerchantError, MerchantReport};

/// Beyond the run of unpaid addresses, for those that are given out before the wallet looks again.
const GAP_MARGIN: u32 = 20;
/// What wallets look for by themselves (BIP-44); a lower limit is never advised.
const USUAL_GAP: u32 = 20;

impl Charges {
    /// Adds a merchant. A descriptor that is new here waits for a scan before addresses are given out.
    ///
    /// # Errors
    /// [`MerchantError`].
    pub async fn add_merchant(&self, changes: MerchantChanges) -> Result<MerchantId, MerchantError> {
        let id = MerchantId(uuid(&*self.inner.rng));
        let settings = Settings::made_of(&changes.settings)?.with_origins(&changes.more_origins)?;
        let draft = MerchantDraft {
            id,
            settings,
            receive: self.receive(&changes)?,
            logo: changes.logo.flatten(),
            created_at: self.now(),
        };
        self.inner
            .store
            .write(move |tx| Box::pin(async move { Ok::<_, MerchantError>(tx.put_merchant(draft).await?) }))
            .await?;
        Ok(id)
    }

    /// Changes what `changes` name, and nothing else. They are put together with the merchant as they are in this unit: what others
    /// changed since the caller looked stays. A new descriptor is for new charges only (R27).
    ///
    /// # Errors
    /// [`MerchantError`]; nothing is changed then.
    pub async fn change_merchant(&self, id: MerchantId, changes: MerchantChanges) -> Result<(), MerchantError> {
        let receive = self.receive(&changes)?;
        self.inner
            .store
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
        let receive = receive
            .map(|wallet| Receive::parse(wallet, self.inner.network))
            .transpose()?;
        Ok(receive.map(Arc::new))
    }

    /// What the merchant, or whoever helps them, needs to see.
    ///
    /// # Errors
    /// [`MerchantError`].
    pub async fn merchant_report(&self, id: MerchantId) -> Result<MerchantReport, MerchantError> {
        self.inner
            .store
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
    settings.patched(&changes.settings)?.with_origins(&changes.more_origins)
}
