//! What merchants and operators do to webhooks: add, remove, list, test, deliver again, exchange the secret.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bitpro_charge::{Announcement, ChargeId, IdError, MerchantId, Timestamp};
use serde::Serialize;

use super::client::{Client, allowed};
use super::policy::UrlError;
use super::sender::{live_secrets, signed_headers};
use super::sign::SigningSecret;
use crate::charges::Charges;
use crate::rates::system_roots;
use crate::rng::uuid;
use crate::seal::{Purpose, SealError};
use crate::store::webhook::{DeliveryRow, PastAttempt, Webhook};
use crate::store::{StoreError, Tx};
use crate::wire::{instant, instant_millis, test_body};

/// Webhooks that one merchant may have.
pub const MAX_WEBHOOKS: usize = 50;
/// How long the former secret may go on signing, in seconds: 30 days.
const LONGEST_OVERLAP: u32 = 30 * 24 * 60 * 60;
/// How long a name may take to be resolved before a webhook is added without.
const RESOLVING: Duration = Duration::from_secs(3);
/// Deliveries on one page.
const LONGEST_PAGE: u32 = 100;

/// The id of a webhook or of an event: a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(pub [u8; 16]);

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ChargeId(self.0).fmt(f)
    }
}

impl FromStr for WebhookId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(|ChargeId(id)| Self(id))
    }
}

/// Why something is not done to a webhook. Nothing is changed then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WebhookError {
    /// There is no such merchant (404).
    #[error("there is no such merchant")]
    UnknownMerchant,
    /// There is no such webhook, or it is another merchant's (404).
    #[error("there is no such webhook")]
    Unknown,
    /// The webhook was never to be told of such an event (404).
    #[error("there is no such event for this webhook")]
    UnknownEvent,
    /// There is no such state (422).
    #[error("state = {state:?}: wanted one of {known}", state = .0, known = states())]
    State(String),
    /// The URL is not taken (422).
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The name leads to a forbidden address (422).
    #[error("the url is not allowed: {0}")]
    Resolved(String),
    /// The same state and URL are there already (409).
    #[error("this state and url are a webhook already: {0}")]
    Duplicate(WebhookId),
    /// There are too many (422).
    #[error("a merchant may have {MAX_WEBHOOKS} webhooks")]
    TooMany,
    /// The overlap is too long (422).
    #[error("the former secret may go on for at most {LONGEST_OVERLAP} seconds")]
    Overlap,
    /// A secret does not open (503).
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database failed (503).
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn states() -> String {
    Announcement::ALL.map(Announcement::as_str).join(", ")
}

/// A webhook, for who asks. Its secret is shown only when it is made.
#[derive(Debug, Clone, Serialize)]
pub struct WebhookReport {
    /// Its id.
    pub id: String,
    /// The merchant's id.
    pub merchant_id: String,
    /// What it is told of, as `charge:seen`.
    pub state: &'static str,
    /// Where.
    pub url: String,
    /// When it was added.
    pub created_at: String,
    /// Since when nothing is sent, because the receiver answered 410 (R20).
    pub paused_at: Option<String>,
    /// Until when the former secret signs beside the new one.
    pub former_secret_until: Option<String>,
    /// How many deliveries are still to be made.
    pub pending: i64,
    /// What deliveries are signed with; only when it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What came of a test delivery.
#[derive(Debug, Clone, Serialize)]
pub struct TestReport {
    /// The id that it carried.
    pub event_id: String,
    /// Whether the answer was in the two hundreds.
    pub delivered: bool,
    /// The answer's status.
    pub status: Option<u16>,
    /// Why there was none.
    pub failure: Option<String>,
    /// How long it took.
    pub took_ms: u64,
    /// The beginning of the answer.
    pub excerpt: Option<String>,
}

/// A delivery with its attempts.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryReport {
    /// Its place: grows with time.
    pub number: i64,
    /// The event's id, the same at every attempt.
    pub event_id: String,
    /// As `charge:seen`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When the event happened.
    pub occured_at: String,
    /// `pending`, `delivered`, `given_up`, `cancelled`.
    pub state: String,
    /// When the next attempt is due, while it is pending.
    pub next_attempt_at: Option<String>,
    /// The newer event of the charge that arrived before it (R19).
    pub superseded_by: Option<String>,
    /// The attempts of the last 90 days.
    pub attempts: Vec<PastAttemptReport>,
}

/// An attempt that was made.
#[derive(Debug, Clone, Serialize)]
pub struct PastAttemptReport {
    /// From 1.
    pub attempt: u32,
    /// When.
    pub at: String,
    /// How long it took.
    pub took_ms: u64,
    /// The answer's status.
    pub status: Option<u16>,
    /// Why there was none.
    pub failure: Option<String>,
    /// The beginning of the answer.
    pub excerpt: Option<String>,
}

/// Webhooks as they are managed. A cheap handle. Where a merchant is given, only his webhooks are there.
#[derive(Clone)]
pub struct Webhooks(Charges);

impl Webhooks {
    /// The webhooks in the store of `charges`.
    #[must_use]
    pub const fn of(charges: Charges) -> Self {
        Self(charges)
    }

    pub(super) const fn charges(&self) -> &Charges {
        &self.0
    }

    /// Adds a webhook. The report has its secret.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn add(&self, merchant: MerchantId, state: &str, url: &str) -> Result<WebhookReport, WebhookError> {
        let (webhook, secret) = self.draft(merchant, state, url).await?;
        let shown = report(&webhook, 0, Some(&secret));
        self.0
            .store()
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
        let charges = &self.0;
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
        if overlap_secs > LONGEST_OVERLAP {
            return Err(WebhookError::Overlap);
        }
        let charges = &self.0;
        let secret = SigningSecret::new(charges.rng());
        let sealed = charges.seal().seal(charges.rng(), Purpose::Webhook, &id.0, &secret.0);
        let until = (overlap_secs > 0).then(|| charges.now().plus_secs(overlap_secs));
        Ok((secret, sealed, until))
    }

    /// The secret of a webhook as the merchant is shown it; `None` when it is removed.
    pub(crate) fn secret(&self, id: WebhookId) -> Result<Option<String>, WebhookError> {
        let Ok(webhook) = self.find(None, id) else {
            return Ok(None);
        };
        let secrets = live_secrets(self.0.seal(), &webhook, self.0.now())?;
        Ok(secrets.first().map(SigningSecret::to_text))
    }

    /// Removes a webhook; what it was still to be told is cancelled.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn remove(&self, merchant: Option<MerchantId>, id: WebhookId) -> Result<(), WebhookError> {
        let now = self.0.now();
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
        let map = self.0.webhook_map();
        let mut webhooks: Vec<&Arc<Webhook>> = map
            .values()
            .flatten()
            .filter(|webhook| merchant.is_none_or(|merchant| merchant == webhook.merchant))
            .collect();
        webhooks.sort_by_key(|webhook| webhook.num);
        let mut reports = Vec::with_capacity(webhooks.len());
        for webhook in webhooks {
            let pending = self.0.store().count_pending(webhook.num).await?;
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
        let pending = self.0.store().count_pending(webhook.num).await?;
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
        let charges = &self.0;
        let (secret, sealed, until) = self.new_secret(id, overlap_secs)?;
        let changed = self
            .change(merchant, id, move |tx, webhook| {
                Box::pin(async move { rotated(tx, &webhook, sealed, until).await })
            })
            .await?;
        let pending = charges.store().count_pending(changed.num).await?;
        Ok(report(&changed, pending, Some(&secret)))
    }

    /// Sends a test delivery now, once, also to a paused webhook. It says that it is a test and names no order.
    ///
    /// # Errors
    /// [`WebhookError`]; a receiver that does not take it is no error.
    pub async fn test(&self, merchant: Option<MerchantId>, id: WebhookId) -> Result<TestReport, WebhookError> {
        let charges = &self.0;
        let webhook = self.find(merchant, id)?;
        let target = charges.webhook_policy().target(&webhook.url)?;
        let now = charges.now();
        let secrets = live_secrets(charges.seal(), &webhook, now)?;
        let event = uuid(charges.rng());
        let body = test_body(event, webhook.announcement, now);
        let event_id = WebhookId(event).to_string();
        let headers = signed_headers(&secrets, &event_id, now, &body);
        let client = Client::new(Arc::new(charges.webhook_policy().clone()), system_roots());
        let answered = client.post(&target.url, headers, body).await;
        let (status, failure) = match answered.outcome {
            Ok(status) => (Some(status), None),
            Err(failure) => (None, Some(failure)),
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
        let now = self.0.now();
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
            .0
            .store()
            .deliveries(webhook.num, before.unwrap_or(i64::MAX), limit)
            .await?;
        Ok(rows.into_iter().map(delivery_report).collect())
    }

    fn find(&self, merchant: Option<MerchantId>, id: WebhookId) -> Result<Arc<Webhook>, WebhookError> {
        let map = self.0.webhook_map();
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
        self.0
            .store()
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
        let resolving = allowed(self.0.webhook_policy(), name);
        match tokio::time::timeout(RESOLVING, resolving).await {
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                Err(WebhookError::Resolved(error.to_string()))
            }
            _ => Ok(()),
        }
    }
}

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

pub(super) fn report(webhook: &Webhook, pending: i64, secret: Option<&SigningSecret>) -> WebhookReport {
    WebhookReport {
        id: WebhookId(webhook.id).to_string(),
        merchant_id: webhook.merchant.to_string(),
        state: webhook.announcement.as_str(),
        url: webhook.url.to_string(),
        created_at: instant(webhook.created_at),
        paused_at: webhook.paused_at.map(instant),
        former_secret_until: webhook.former.as_ref().map(|(_, until)| instant(*until)),
        pending,
        secret: secret.map(SigningSecret::to_text),
    }
}

fn delivery_report(row: DeliveryRow) -> DeliveryReport {
    DeliveryReport {
        number: row.num,
        event_id: WebhookId(row.event).to_string(),
        kind: row.announcement.as_str(),
        occured_at: instant_millis(row.at),
        next_attempt_at: (row.state == "pending").then(|| instant(row.due_at)),
        state: row.state,
        superseded_by: row.superseded_by.map(|newer| WebhookId(newer).to_string()),
        attempts: row.attempts.into_iter().map(past_attempt_report).collect(),
    }
}

fn past_attempt_report(past: PastAttempt) -> PastAttemptReport {
    let PastAttempt {
        attempt,
        at,
        took_ms,
        status,
        failure,
        excerpt,
    } = past;
    PastAttemptReport {
        attempt,
        at: instant_millis(Timestamp(at.0)),
        took_ms,
        status,
        failure,
        excerpt,
    }
}
