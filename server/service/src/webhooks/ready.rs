//! A webhook ready to be told: its secrets opened, and the headers that they sign.

use std::sync::Arc;

use bitpro_base::seal::{Purpose, Seal};
use bitpro_charge::Timestamp;
use bitpro_store::webhook::Webhook;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::sign::{SigningSecret, signatures};

/// Where and how a webhook is told.
pub(super) struct Ready {
    pub(super) id: [u8; 16],
    pub(super) url: Arc<str>,
    secrets: Vec<SigningSecret>,
    former: Option<(SigningSecret, Timestamp)>,
}

impl Ready {
    /// The headers of a delivery.
    pub(super) fn headers(&self, id: &str, at: Timestamp, body: &Bytes) -> HeaderMap {
        let mut secrets = self.secrets.clone();
        secrets.extend(
            self.former
                .iter()
                .filter(|(_, until)| at < *until)
                .map(|(secret, _)| secret.clone()),
        );
        signed_headers(&secrets, id, at, body)
    }
}

/// The headers of the Standard Webhooks specification.
pub(super) fn signed_headers(secrets: &[SigningSecret], id: &str, at: Timestamp, body: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(5);
    let mut put = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value).expect("ids, digits and base64 are visible ASCII");
        headers.insert(HeaderName::from_static(name), value);
    };
    put("webhook-id", id);
    put("webhook-timestamp", &at.as_secs().to_string());
    put("webhook-signature", &signatures(secrets, id, at, body));
    headers
}

/// Opens the secrets of `webhook`.
///
/// # Errors
/// When one does not open.
pub(super) fn ready(seal: &Seal, webhook: &Webhook) -> Result<Ready, bitpro_base::seal::SealError> {
    let open = |sealed: &[u8]| seal.open(Purpose::Webhook, &webhook.id, sealed).map(SigningSecret);
    let former = webhook.former.as_ref();
    Ok(Ready {
        id: webhook.id,
        url: Arc::clone(&webhook.url),
        secrets: vec![open(&webhook.secret)?],
        former: former
            .map(|(sealed, until)| open(sealed).map(|secret| (secret, *until)))
            .transpose()?,
    })
}

/// The live secrets of `webhook`, the newest first.
pub(super) fn live_secrets(
    seal: &Seal,
    webhook: &Webhook,
    now: Timestamp,
) -> Result<Vec<SigningSecret>, bitpro_base::seal::SealError> {
    let Ready {
        mut secrets, former, ..
    } = ready(seal, webhook)?;
    secrets.extend(former.filter(|(_, until)| now < *until).map(|(secret, _)| secret));
    Ok(secrets)
}
