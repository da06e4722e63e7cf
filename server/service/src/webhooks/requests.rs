//! What the merchant API does to webhooks: nonce, effect and answer are one unit (R33).

use std::sync::Arc;

use bitpro_charge::MerchantId;
use bitpro_store::webhook::Webhook;
use bitpro_store::{KeptAnswer, Tx};

use super::report::report;
use super::unit::{put_new, redelivered, rotated};
use super::{WebhookError, WebhookId, WebhookReport, Webhooks};
use crate::charges::{Authority, AuthorityError};

impl Webhooks {
    /// Adds a webhook once. `answer` writes down what came of it, without the secret.
    ///
    /// # Errors
    /// Outside, that the request was not carried out; inside, that what it asks for is wrong in itself.
    pub async fn add_once(
        &self,
        authority: Authority,
        merchant: MerchantId,
        state: &str,
        url: &str,
        answer: impl FnOnce(Result<WebhookReport, WebhookError>) -> KeptAnswer + Send + 'static,
    ) -> Result<Result<KeptAnswer, AuthorityError>, WebhookError> {
        let (webhook, _) = self.draft(merchant, state, url).await?;
        let shown = report(&webhook, 0, None);
        Ok(self
            .charges()
            .carry_out(authority, move |tx| {
                Box::pin(async move { stored(put_new(tx, webhook).await.map(|()| shown), answer) })
            })
            .await)
    }

    /// Removes a webhook once; the answer shows it as it was.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub async fn remove_once(
        &self,
        authority: Authority,
        merchant: MerchantId,
        id: WebhookId,
        answer: impl FnOnce(Result<WebhookReport, WebhookError>) -> KeptAnswer + Send + 'static,
    ) -> Result<KeptAnswer, AuthorityError> {
        let now = self.charges().now();
        self.charges()
            .carry_out(authority, move |tx| {
                Box::pin(async move {
                    let removed = match own(tx, merchant, id) {
                        Ok(webhook) => {
                            let removed = tx.remove_webhook(&webhook, now).await;
                            removed.map(|()| report(&webhook, 0, None)).map_err(WebhookError::from)
                        }
                        Err(error) => Err(error),
                    };
                    stored(removed, answer)
                })
            })
            .await
    }

    /// Gives a webhook a new secret once. `answer` writes down what came of it, without the secret.
    ///
    /// # Errors
    /// As [`Webhooks::add_once`].
    pub async fn rotate_once(
        &self,
        authority: Authority,
        merchant: MerchantId,
        id: WebhookId,
        overlap_secs: u32,
        answer: impl FnOnce(Result<WebhookReport, WebhookError>) -> KeptAnswer + Send + 'static,
    ) -> Result<Result<KeptAnswer, AuthorityError>, WebhookError> {
        let (_, sealed, until) = self.new_secret(id, overlap_secs)?;
        Ok(self
            .charges()
            .carry_out(authority, move |tx| {
                Box::pin(async move {
                    let changed = match own(tx, merchant, id) {
                        Ok(webhook) => rotated(tx, &webhook, sealed, until).await,
                        Err(error) => Err(error),
                    };
                    stored(changed.map(|changed| report(&changed, 0, None)), answer)
                })
            })
            .await)
    }

    /// Delivers again once.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub async fn redeliver_once(
        &self,
        authority: Authority,
        merchant: MerchantId,
        id: WebhookId,
        event: Option<WebhookId>,
        answer: impl FnOnce(Result<usize, WebhookError>) -> KeptAnswer + Send + 'static,
    ) -> Result<KeptAnswer, AuthorityError> {
        let now = self.charges().now();
        self.charges()
            .carry_out(authority, move |tx| {
                Box::pin(async move {
                    let due = match own(tx, merchant, id) {
                        Ok(webhook) => redelivered(tx, &webhook, event, now).await,
                        Err(error) => Err(error),
                    };
                    stored(due, answer)
                })
            })
            .await
    }
}

fn own(tx: &Tx, merchant: MerchantId, id: WebhookId) -> Result<Arc<Webhook>, WebhookError> {
    let found = tx.webhook(id.0).filter(|webhook| webhook.merchant == merchant);
    found.ok_or(WebhookError::Unknown)
}

/// A failure of the store takes the unit back; everything else is an answer.
fn stored<T>(
    outcome: Result<T, WebhookError>,
    answer: impl FnOnce(Result<T, WebhookError>) -> KeptAnswer,
) -> Result<KeptAnswer, bitpro_store::StoreError> {
    match outcome {
        Err(WebhookError::Store(error)) => Err(error),
        other => Ok(answer(other)),
    }
}
