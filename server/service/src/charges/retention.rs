//! Erasing the personal data of charges that ended longer ago than their merchant wants to keep it (R31).

use bitpro_charge::{ChargeId, MerchantId, Timestamp};
use bitpro_store::StoreError;

use super::{Charges, Role};

/// Charges erased in one commit.
const ERASED: u32 = 200;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// Erases what is too old, of all merchants.
pub(super) async fn erase_old(charges: &Charges) -> Result<(), StoreError> {
    if charges.inner.role != Role::Server {
        return Ok(());
    }
    // What is erased does not come back, so a time that ran ahead does not count.
    let now = charges.inner.clock.moment().outside;
    let merchants = charges.inner.shared.merchants();
    for merchant in merchants.values() {
        let days = i64::from(merchant.settings.retention_days);
        if days > 0 {
            erase_before(charges, merchant.id, Timestamp(now.0 - days * DAY_MILLIS)).await?;
        }
    }
    Ok(())
}

async fn erase_before(charges: &Charges, merchant: MerchantId, until: Timestamp) -> Result<(), StoreError> {
    let mut after = 0;
    loop {
        let outdated = charges
            .inner
            .store
            .outdated_personal(merchant, until, after, ERASED)
            .await?;
        let Some(&(last, _)) = outdated.last() else {
            return Ok(());
        };
        after = last;
        let erased = charges
            .inner
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let mut erased: Vec<ChargeId> = Vec::new();
                    for (num, id) in outdated {
                        // One that can still move has not ended, however long ago it last did.
                        if tx.memory().charge(num).is_none() && tx.erase_personal_of(num).await? {
                            erased.push(id);
                        }
                    }
                    Ok::<_, StoreError>(erased)
                })
            })
            .await?;
        for id in &erased {
            // They are read again without what is erased.
            charges.inner.shared.cache.remove(id);
        }
        if !erased.is_empty() {
            tracing::info!(%merchant, charges = erased.len(), "erased personal data older than retention_days");
        }
    }
}
