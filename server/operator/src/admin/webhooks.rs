//! Webhooks.

use bitpro_charge::MerchantId;
use bitpro_service::charges::Charges;
use bitpro_service::webhooks::{WebhookError, Webhooks};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::execute::read;
use super::wire::{Failure, Kind, Reply};

/// A command about webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "webhook")]
pub enum WebhookCommand {
    /// Adds one; its secret is shown.
    Add {
        /// Whose.
        merchant: String,
        /// What it is told of, as `charge:seen`.
        state: String,
        /// Where.
        url: String,
    },
    /// Removes one.
    Remove {
        /// Its id.
        id: String,
    },
    /// All, or those of a merchant.
    List {
        /// Whose.
        merchant: Option<String>,
    },
    /// Sends a test delivery.
    Test {
        /// Its id.
        id: String,
    },
    /// Makes a new secret.
    Rotate {
        /// Its id.
        id: String,
        /// How long the former secret goes on signing.
        overlap_secs: u32,
    },
    /// Delivers again, and goes on with a paused one.
    Redeliver {
        /// Its id.
        id: String,
        /// Only this event.
        event: Option<String>,
    },
    /// Its deliveries with their attempts, newest first.
    Deliveries {
        /// Its id.
        id: String,
        /// At most so many.
        limit: u32,
    },
}

/// Carries out `command`.
///
/// # Errors
/// [`Failure`]; nothing is changed then.
pub(super) async fn execute(charges: &Charges, command: WebhookCommand) -> Reply {
    let webhooks = Webhooks::of(charges.clone());
    match command {
        WebhookCommand::Add { merchant, state, url } => {
            let merchant = read::<MerchantId>("merchant id", &merchant)?;
            Ok(json!(webhooks.add(merchant, &state, &url).await?))
        }
        WebhookCommand::Remove { id } => {
            webhooks.remove(None, read("webhook id", &id)?).await?;
            Ok(json!({"id": id}))
        }
        WebhookCommand::List { merchant } => {
            let merchant = merchant
                .map(|merchant| read::<MerchantId>("merchant id", &merchant))
                .transpose()?;
            Ok(json!(webhooks.list(merchant).await?))
        }
        WebhookCommand::Test { id } => Ok(json!(webhooks.test(None, read("webhook id", &id)?).await?)),
        WebhookCommand::Rotate { id, overlap_secs } => {
            let id = read("webhook id", &id)?;
            Ok(json!(webhooks.rotate(None, id, overlap_secs).await?))
        }
        WebhookCommand::Redeliver { id, event } => {
            let event = event.map(|event| read("event id", &event)).transpose()?;
            let count = webhooks.redeliver(None, read("webhook id", &id)?, event).await?;
            Ok(json!({"id": id, "due": count}))
        }
        WebhookCommand::Deliveries { id, limit } => {
            let id = read("webhook id", &id)?;
            Ok(json!(webhooks.deliveries(None, id, None, limit).await?))
        }
    }
}

impl From<WebhookError> for Failure {
    fn from(error: WebhookError) -> Self {
        let kind = match &error {
            WebhookError::UnknownMerchant | WebhookError::Unknown | WebhookError::UnknownEvent => Kind::Unknown,
            WebhookError::State(_)
            | WebhookError::Url(_)
            | WebhookError::Resolved(_)
            | WebhookError::TooMany
            | WebhookError::Overlap => Kind::Invalid,
            WebhookError::Duplicate(_) => Kind::Conflict,
            WebhookError::Seal(_) | WebhookError::Store(_) => Kind::Unavailable,
        };
        Self::new(kind, error)
    }
}
