//! Commands about keys of the merchant API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitpro_base::instants::instant;
use bitpro_charge::MerchantId;
use bitpro_merchant::keys::{ApiKey, KeyId, Scopes};
use bitpro_service::charges::{Charges, CommitHook, IssuedKey, KeyError};
use serde_json::{Value, json};

use super::execute::read;
use super::wire::{Command, Failure, Kind, Reply};

/// Carries out a command about keys.
pub(super) async fn execute(charges: &Charges, command: Command) -> Reply {
    match command {
        Command::AddKey { merchant, name, scopes } => {
            let merchant = read::<MerchantId>("merchant id", &merchant)?;
            let scopes = match scopes {
                Some(text) => text.parse().map_err(|error| Failure::new(Kind::Invalid, error))?,
                None => Scopes::default(),
            };
            Ok(issued(
                &charges.add_key(merchant, &name, scopes, CommitHook::none()).await?,
            ))
        }
        Command::ListKeys { merchant } => {
            let merchant = merchant.map(|id| read::<MerchantId>("merchant id", &id)).transpose()?;
            Ok(charges.keys(merchant).iter().map(|key| document(key)).collect())
        }
        Command::RotateKey { id, overlap_secs } => {
            let id = read::<KeyId>("key id", &id)?;
            Ok(issued(&charges.rotate_key(id, overlap_secs, CommitHook::none()).await?))
        }
        Command::RevokeKey { id } => {
            let id = read::<KeyId>("key id", &id)?;
            Ok(document(&*charges.revoke_key(id, CommitHook::none()).await?))
        }
        Command::Rekey => {
            let (secrets, resealed) = charges.reseal().await?;
            let version = charges.seal().current();
            Ok(json!({"secrets": secrets, "encrypted_anew": resealed, "version": version}))
        }
        _ => Err(Failure::new(Kind::Invalid, "this is not a command about keys")),
    }
}

fn issued(issued: &IssuedKey) -> Value {
    let mut document = document(&issued.key);
    document["secret"] = json!(STANDARD.encode(issued.secret));
    document["overlap_until"] = json!(issued.overlap_until.map(instant));
    document
}

fn document(key: &ApiKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "merchant": key.merchant.to_string(),
        "name": key.name,
        "scopes": key.scopes.to_string(),
        "created_at": instant(key.created_at),
        "last_used_at": key.last_used_at().map(instant),
        "revoked_at": key.revoked_at.map(instant),
    })
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        let kind = match &error {
            KeyError::UnknownMerchant | KeyError::UnknownKey => Kind::Unknown,
            KeyError::Revoked | KeyError::TooMany => Kind::Conflict,
            KeyError::Name(_) | KeyError::Overlap(_) => Kind::Invalid,
            KeyError::Store(_) => Kind::Unavailable,
        };
        Self::new(kind, error)
    }
}
