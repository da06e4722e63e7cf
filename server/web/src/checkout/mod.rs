//! The shopper's side of HTTP: the link, the page, the stream, the poll, the loader and the files they need.

pub mod assets;
pub mod document;
pub mod language;
pub mod link;
pub mod navigation;
pub mod page;
pub mod params;
pub mod signature;
pub mod sse;
pub mod status;
pub mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bitpro_charge::{ChargeId, MerchantId};
use bitpro_merchant::Merchant;
use bitpro_service::charges::Snapshot;

use crate::app::App;
use crate::refusal::Refusal;

/// The merchant and their charge that a path names.
async fn named(app: &App, merchant: &str, charge: &str) -> Result<(Arc<Merchant>, Arc<Snapshot>), Refusal> {
    let merchant_id: MerchantId = merchant.parse().map_err(|_| Refusal::MalformedMerchant)?;
    let charge_id: ChargeId = charge.parse().map_err(|_| Refusal::MalformedCharge)?;
    let merchant = app.charges.merchant(merchant_id).ok_or(Refusal::UnknownMerchant)?;
    let snapshot = app.charges.snapshot(charge_id).await?;
    // A charge of somebody else is as unknown here as one that never was.
    let snapshot = snapshot
        .filter(|snapshot| snapshot.charge.merchant == merchant_id)
        .ok_or(Refusal::UnknownCharge)?;
    Ok((merchant, snapshot))
}
