//! What is done to a webhook inside a unit of the writer, whoever asks for it.

use bitpro_charge::Timestamp;
use bitpro_store::Tx;
use bitpro_store::webhook::Webhook;

use super::service::MAX_WEBHOOKS;
use super::{WebhookError, WebhookId};

pub(super) async fn put_new(tx: &mut Tx, webhook: Webhook) -> Result<(), WebhookError> {
    if let Some(known) = tx.memory().webhooks().get(&webhook.merchant) {
        let same = known
            .iter()
            .find(|known| known.announcement == webhook.announcement && known.url == webhook.url);
        if let Some(same) = same {
            return Err(WebhookError::Duplicate(WebhookId(same.id)));
        }
        if known.len() >= MAX_WEBHOOKS {
            return Err(WebhookError::TooMany);
        }
    }
    Ok(tx.put_webhook(webhook).await?)
}

/// Puts a new secret in the place of the present one, which signs beside it until then.
pub(super) async fn rotated(
    tx: &mut Tx,
    webhook: &Webhook,
    sealed: Vec<u8>,
    until: Option<Timestamp>,
) -> Result<Webhook, WebhookError> {
    let changed = Webhook {
        former: until.map(|until| (webhook.secret.clone(), until)),
        secret: sealed,
        ..webhook.clone()
    };
    tx.put_webhook(changed.clone()).await?;
    Ok(changed)
}

/// Makes deliveries due again. How many.
pub(super) async fn redelivered(
    tx: &mut Tx,
    webhook: &Webhook,
    event: Option<WebhookId>,
    now: Timestamp,
) -> Result<usize, WebhookError> {
    let mut due = 0;
    if let Some(event) = event {
        due = tx.redeliver(webhook, Some(event.0), now).await?;
        if due == 0 {
            return Err(WebhookError::UnknownEvent);
        }
    }
    if webhook.paused_at.is_some() {
        let going_on = Webhook {
            paused_at: None,
            ..webhook.clone()
        };
        tx.put_webhook(going_on).await?;
    } else if event.is_some() {
        return Ok(due);
    }
    // Everything that waited behind a pause goes out, not only what was asked for.
    Ok(tx.redeliver(webhook, None, now).await?.max(due))
}
