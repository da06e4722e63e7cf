//! Letters that the operator asks for.

use bitpro_merchant::letters;
use bitpro_service::charges::Charges;
use serde_json::json;

use super::wire::{Failure, Kind, Reply};

/// Posts a letter to `to` by which its reader sees that letters arrive.
pub(super) async fn test(charges: &Charges, to: &str) -> Reply {
    let address = to.trim();
    if address.parse::<lettre::Address>().is_err() {
        return Err(Failure::new(
            Kind::Invalid,
            format!("address = {to:?}: wanted an e-mail address without a name"),
        ));
    }
    let letter = letters::test(address);
    charges
        .store()
        .write(move |tx| Box::pin(async move { tx.post(&letter).await }))
        .await?;
    Ok(json!({ "posted": true, "to": address }))
}
