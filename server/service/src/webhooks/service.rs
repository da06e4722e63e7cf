//! What merchants and operators do to webhooks: add, remove, list, test, deliver again, exchange the secret.

use std::sync::Arc;
use std::time::Duration;

use bitpro_base::http_client::system_roots;
use bitpro_base::policy::UrlError;
use bitpro_base::rng::uuid;
use bitpro_base::seal::Purpose;
use bitpro_charge::{Announcement, MerchantId, Timestamp};
use bitpro_store::webhook::Webhook;
use bitpro_store::{Store, Tx};

use super::client::{Client, allowed};
use super::ready::{live_secrets, signed_headers};
use super::report::{delivery_report, report};
use super::sign::SigningSecret;
use super::unit::{put_new, redelivered, rotated};
use super::{DeliveryReport, TestReport, WebhookError, WebhookId, WebhookReport};
use crate::charges::{Charges, LONGEST_OVERLAP_SECS, LONGEST_PAGE};
use crate::wire::test_body;

/// Webhooks that one merchant may have.
pub const MAX_WEBHOOKS: usize = 50;
/// How long a name may take to be resolved before a webhook is added without.
const RESOLVING: Duration = Duration::from_secs(3);

/// Webhooks as they are managed. A cheap handle. Where a merchant is given, only their webhooks are there.
#[derive(Clone)]
pub struct Webhooks {
    charges: Charges,
    store: Arc<Store>,
}

impl Webhooks {
    /// The webhooks in the store of `charges`.
    #[must_use]
    pub fn of(charges: Charges) -> Self {
        let store = Arc::clone(charges.store());
        Self { charges, store }
    }

    pub(super) const fn charges(&self) -> &Charges {
        &self.charges
    }

    /// Whose webhook this is.
    #[must_use]
    pub fn owner(&self, id: WebhookId) -> Option<MerchantId> {
        Some(self.find(None, id).ok()?.merchant)
    }

    /// Adds a webhook. The report has its secret.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn add(&self, merchant: MerchantId, state: &str, url: &str) -> Result<WebhookReport, WebhookError> {
        let (webhook, secret) = self.draft(merchant, state, url).await?;
        let shown = report(&webhook, 0, Some(&secret));
        self.store
            .write(move |tx| Box::pin(async move { put_new(tx, webhook).await }))
            .await?;
        Ok(shown)
    }

    /// A webhook that is not stored yet, with its secret.
    pub(super) async fn draft(
        &self,
        merchant: MerchantId,
        state: &str,
        url: &str,
    ) -> Result<(Webhook, SigningSecret), WebhookError> {
        let charges = &self.charges;
        let known = Announcement::ALL.into_iter().find(|known| known.as_str() == state);
        let announcement = known.ok_or_else(|| WebhookError::State(state.to_owned()))?;
        let target = charges.webhook_policy().target(url)?;
        self.check_name(&target.url).await?;
        if charges.merchant(merchant).is_none() {
            return Err(WebhookError::UnknownMerchant);
        }
        let id = uuid(charges.rng());
        let secret = SigningSecret::new(charges.rng());
        let webhook = Webhook {
            num: 0,
            id,
            merchant,
            announcement,
            url: target.url.into(),
            secret: charges.seal().seal(charges.rng(), Purpose::Webhook, &id, &secret.0),
            former: None,
            paused_at: None,
            created_at: charges.now(),
        };
        Ok((webhook, secret))
    }

    /// A new secret for a webhook, the same sealed, and until when the former one signs beside it.
    pub(super) fn new_secret(
        &self,
        id: WebhookId,
        overlap_secs: u32,
    ) -> Result<(SigningSecret, Vec<u8>, Option<Timestamp>), WebhookError> {
        if overlap_secs > LONGEST_OVERLAP_SECS {
            return Err(WebhookError::Overlap);
        }
        let charges = &self.charges;
        let secret = SigningSecret::new(charges.rng());
        let sealed = charges.seal().seal(charges.rng(), Purpose::Webhook, &id.0, &secret.0);
        let until = (overlap_secs > 0).then(|| charges.now().plus_secs(overlap_secs));
        Ok((secret, sealed, until))
    }

    /// The secret of a webhook as the merchant is shown it; `None` when it is removed.
    pub fn secret(&self, id: WebhookId) -> Result<Option<String>, WebhookError> {
        let Ok(webhook) = self.find(None, id) else {
            return Ok(None);
        };
        let secrets = live_secrets(self.charges.seal(), &webhook, self.charges.now())?;
        Ok(secrets.first().map(SigningSecret::to_text))
    }

    /// Removes a webhook; what it was still to be told is cancelled.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn remove(&self, merchant: Option<MerchantId>, id: WebhookId) -> Result<(), WebhookError> {
        let now = self.charges.now();
        self.change(merchant, id, move |tx, webhook| {
            Box::pin(async move { Ok(tx.remove_webhook(&webhook, now).await?) })
        })
        .await
    }

    /// The webhooks, in the order in which they were added.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn list(&self, merchant: Option<MerchantId>) -> Result<Vec<WebhookReport>, WebhookError> {
        let map = self.charges.webhook_map();
        let mut webhooks: Vec<&Arc<Webhook>> = map
            .values()
            .flatten()
            .filter(|webhook| merchant.is_none_or(|merchant| merchant == webhook.merchant))
            .collect();
        webhooks.sort_by_key(|webhook| webhook.num);
        let mut reports = Vec::with_capacity(webhooks.len());
        for webhook in webhooks {
            let pending = self.store.count_pending(webhook.num).await?;
            reports.push(report(webhook, pending, None));
        }
        Ok(reports)
    }

    /// One webhook.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn show(&self, merchant: Option<MerchantId>, id: WebhookId) -> Result<WebhookReport, WebhookError> {
        let webhook = self.find(merchant, id)?;
        let pending = self.store.count_pending(webhook.num).await?;
        Ok(report(&webhook, pending, None))
    }

    /// Gives a webhook a new secret; the former one signs beside it for `overlap_secs`. The report has the new one.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn rotate(
        &self,
        merchant: Option<MerchantId>,
        id: WebhookId,
        overlap_secs: u32,
    ) -> Result<WebhookReport, WebhookError> {
        let (secret, sealed, until) = self.new_secret(id, overlap_secs)?;
        let changed = self
            .change(merchant, id, move |tx, webhook| {
                Box::pin(async move { rotated(tx, &webhook, sealed, until).await })
            })
            .await?;
        let pending = self.store.count_pending(changed.num).await?;
        Ok(report(&changed, pending, Some(&secret)))
    }

    /// Sends a test delivery now, once, also to a paused webhook. It says that it is a test and names no order.
    ///
    /// # Errors
    /// [`WebhookError`]; a receiver that does not take it is no error.
    pub async fn test(&self, merchant: Option<MerchantId>, id: WebhookId) -> Result<TestReport, WebhookError> {
        let charges = &self.charges;
        let webhook = self.find(merchant, id)?;
        let target = charges.webhook_policy().target(&webhook.url)?;
        let now = charges.now();
        let secrets = live_secrets(charges.seal(), &webhook, now)?;
        let event = uuid(charges.rng());
        let body = test_body(event, webhook.announcement, now);
        let event_id = WebhookId(event).to_string();
        // The receiver compares it with a clock of its own.
        let headers = signed_headers(&secrets, &event_id, charges.moment().outside, &body);
        let client = Client::new(Arc::new(charges.webhook_policy().clone()), system_roots());
        let answered = client.post(&target.url, headers, body).await;
        let (status, failure) = match answered.outcome {
            Ok(status) => (Some(status), None),
            Err(failure) => {
                tracing::info!(webhook = %id, %failure, "a webhook was tried and not delivered");
                (None, Some(failure.kind.as_str().to_owned()))
            }
        };
        Ok(TestReport {
            event_id,
            delivered: status.is_some_and(|status| (200..300).contains(&status)),
            status,
            failure,
            took_ms: u64::try_from(answered.took.as_millis()).unwrap_or(u64::MAX),
            excerpt: answered.excerpt,
        })
    }

    /// Delivers again: one event whatever became of it, or all that did not arrive. A paused webhook goes on by it (R20). How
    /// many deliveries are due.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn redeliver(
        &self,
        merchant: Option<MerchantId>,
        id: WebhookId,
        event: Option<WebhookId>,
    ) -> Result<usize, WebhookError> {
        let now = self.charges.now();
        self.change(merchant, id, move |tx, webhook| {
            Box::pin(async move { redelivered(tx, &webhook, event, now).await })
        })
        .await
    }

    /// Deliveries before the one numbered `before`, newest first, at most 100.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn deliveries(
        &self,
        merchant: Option<MerchantId>,
        id: WebhookId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeliveryReport>, WebhookError> {
        let webhook = self.find(merchant, id)?;
        let limit = limit.clamp(1, LONGEST_PAGE);
        let rows = self
            .store
            .deliveries(webhook.num, before.unwrap_or(i64::MAX), limit)
            .await?;
        Ok(rows.into_iter().map(delivery_report).collect())
    }

    fn find(&self, merchant: Option<MerchantId>, id: WebhookId) -> Result<Arc<Webhook>, WebhookError> {
        let map = self.charges.webhook_map();
        let found = map.values().flatten().find(|webhook| webhook.id == id.0);
        found
            .filter(|webhook| merchant.is_none_or(|merchant| merchant == webhook.merchant))
            .cloned()
            .ok_or(WebhookError::Unknown)
    }

    /// Does `change` to a webhook in one unit.
    async fn change<T, F>(&self, merchant: Option<MerchantId>, id: WebhookId, change: F) -> Result<T, WebhookError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx, Arc<Webhook>) -> futures::future::BoxFuture<'t, Result<T, WebhookError>>
            + Send
            + 'static,
    {
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let found = tx.webhook(id.0);
                    let webhook = found
                        .filter(|webhook| merchant.is_none_or(|merchant| merchant == webhook.merchant))
                        .ok_or(WebhookError::Unknown)?;
                    change(tx, webhook).await
                })
            })
            .await
    }

    /// A name that leads to forbidden addresses only is refused at once. One that leads nowhere may come to lead somewhere; it
    /// is looked at again at every attempt in any case.
    async fn check_name(&self, url: &str) -> Result<(), WebhookError> {
        let parsed = url::Url::parse(url).map_err(|_| UrlError::Malformed)?;
        let Some(url::Host::Domain(name)) = parsed.host() else {
            return Ok(());
        };
        let resolving = allowed(self.charges.webhook_policy(), name);
        match tokio::time::timeout(RESOLVING, resolving).await {
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                Err(WebhookError::Resolved(error.to_string()))
            }
            _ => Ok(()),
        }
    }
}
