//! Webhooks by the API: the same as on the command line, for the merchant's own.

use bitpro_service::webhooks::{DeliveryReport, WebhookError, WebhookId, WebhookReport, Webhooks};
use bitpro_service::wire;
use bitpro_store::KeptAnswer;
use bitpro_web::refusal::Refusal;
use futures::future::BoxFuture;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

use super::call::{Call, Reply};
use super::fields::{malformed, missing};
use super::problem::Problem;

#[derive(Serialize)]
struct List {
    webhooks: Vec<WebhookReport>,
}

#[derive(Serialize)]
struct Deliveries {
    deliveries: Vec<DeliveryReport>,
    /// Where older ones go on; nothing at the end.
    next_before: Option<i64>,
}

/// `GET /mapi/webhooks`
pub(super) fn list(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        call.query(&[])?;
        let webhooks = of(&call).list(Some(call.caller.merchant.id)).await?;
        Ok(Reply::ok(&List { webhooks }))
    })
}

/// `POST /mapi/webhooks`
pub(super) fn create(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        let mut fields = call.fields()?;
        let state = fields.text("state")?.ok_or_else(|| missing("state"))?;
        let url = fields.text("url")?.ok_or_else(|| missing("url"))?;
        fields.end()?;
        let (authority, request) = (call.authority()?, call.request);
        let merchant = call.caller.merchant.id;
        let answer = of(&call)
            .add_once(authority, merchant, &state, &url, move |made| kept(made, 201, request))
            .await??;
        with_secret(&call, answer)
    })
}

/// `DELETE /mapi/webhooks/{id}`
pub(super) fn remove(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        call.fields()?.end()?;
        let (id, authority, request) = (id(&call)?, call.authority()?, call.request);
        let merchant = call.caller.merchant.id;
        let webhooks = of(&call);
        let answer = webhooks.remove_once(authority, merchant, id, move |removed| kept(removed, 200, request));
        Ok(Reply::of(answer.await?))
    })
}

/// `POST /mapi/webhooks/{id}/rotate`
pub(super) fn rotate(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        let mut fields = call.fields()?;
        let overlap = fields.number("overlap_secs")?.ok_or_else(|| missing("overlap_secs"))?;
        fields.end()?;
        let overlap = u32::try_from(overlap).map_err(|_| WebhookError::Overlap)?;
        let (id, authority, request) = (id(&call)?, call.authority()?, call.request);
        let merchant = call.caller.merchant.id;
        let answer = of(&call)
            .rotate_once(authority, merchant, id, overlap, move |made| kept(made, 200, request))
            .await??;
        with_secret(&call, answer)
    })
}

/// `POST /mapi/webhooks/{id}/test`
pub(super) fn test(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        call.fields()?.end()?;
        let id = id(&call)?;
        let merchant = call.caller.merchant.id;
        // Whoever has a key sends no more of them to a host of their choice than a member of the team.
        call.app.accounts.test_of(merchant).map_err(Refusal::from)?;
        // Only the nonce is taken in the store: a test is made anew whenever it is asked for.
        let authority = bitpro_service::charges::Authority {
            idempotency: None,
            ..call.authority()?
        };
        let nothing = KeptAnswer {
            status: 200,
            body: bytes::Bytes::new(),
        };
        let taken = call
            .app
            .charges
            .carry_out(authority, move |_| Box::pin(async move { Ok(nothing) }));
        taken.await?;
        Ok(Reply::ok(&of(&call).test(Some(merchant), id).await?))
    })
}

/// `POST /mapi/webhooks/{id}/redeliver`
pub(super) fn redeliver(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        let mut fields = call.fields()?;
        let event = fields.text("event_id")?;
        fields.end()?;
        let event = event
            .map(|text| text.parse::<WebhookId>().map_err(|_| malformed("event_id", "a UUID")))
            .transpose()?;
        let (id, authority, request) = (id(&call)?, call.authority()?, call.request);
        let merchant = call.caller.merchant.id;
        let webhooks = of(&call);
        let answer = webhooks.redeliver_once(authority, merchant, id, event, move |due| {
            kept(due.map(|due| json!({"id": id.to_string(), "due": due})), 200, request)
        });
        Ok(Reply::of(answer.await?))
    })
}

/// `GET /mapi/webhooks/{id}/deliveries`
pub(super) fn deliveries(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        let query = call.query(&["before", "per_page"])?;
        let per_page = query.per_page()?;
        let before = query.number("before", 1, u32::MAX)?;
        let deliveries = of(&call)
            .deliveries(
                Some(call.caller.merchant.id),
                id(&call)?,
                before.map(i64::from),
                per_page,
            )
            .await?;
        let is_full = u32::try_from(deliveries.len()).is_ok_and(|count| count == per_page);
        Ok(Reply::ok(&Deliveries {
            next_before: deliveries.last().filter(|_| is_full).map(|last| last.number),
            deliveries,
        }))
    })
}

fn of(call: &Call) -> Webhooks {
    Webhooks::of(call.app.charges.clone())
}

fn id(call: &Call) -> Result<WebhookId, Problem> {
    let text = call.id.as_deref().unwrap_or_default();
    text.parse()
        .map_err(|_| Problem::malformed("malformed-webhook-id", "The webhook's id is not a UUID."))
}

fn kept<T: Serialize>(outcome: Result<T, WebhookError>, status: u16, request: bitpro_web::RequestId) -> KeptAnswer {
    match outcome {
        Ok(document) => KeptAnswer {
            status,
            body: wire::json(&document),
        },
        Err(error) => Problem::from(error).kept(request),
    }
}

/// The answer with the webhook's secret. It is not kept with the answer, for that is not sealed; it is opened anew for whoever
/// asks the same again.
fn with_secret(call: &Call, answer: KeptAnswer) -> Result<Reply, Problem> {
    let status = answer.status;
    if !(200..300).contains(&status) {
        return Ok(Reply::of(answer));
    }
    let mut document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let id = document["id"].as_str().unwrap_or_default().to_owned();
    let Ok(webhook) = id.parse::<WebhookId>() else {
        return Ok(Reply::of(answer));
    };
    document["secret"] = match of(call).secret(webhook)? {
        Some(secret) => json!(secret),
        None => Value::Null,
    };
    let reply = Reply::of(KeptAnswer {
        status,
        body: wire::json(&document),
    });
    Ok(match HeaderValue::try_from(format!("/mapi/webhooks/{id}")) {
        Ok(path) if status == 201 => reply.header(header::LOCATION, path),
        _ => reply,
    })
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        let text = error.to_string();
        match error {
            WebhookError::Unknown | WebhookError::UnknownMerchant => {
                Self::new(StatusCode::NOT_FOUND, "unknown-webhook", text)
            }
            WebhookError::UnknownEvent => Self::new(StatusCode::NOT_FOUND, "unknown-event", text),
            WebhookError::State(_) => Self::refused("unknown-state", text).about("state"),
            WebhookError::Url(error) => Self::refused(error.code(), text).about("url"),
            WebhookError::Resolved(_) => Self::refused("url-not-public", text).about("url"),
            WebhookError::Duplicate(_) => Self::new(StatusCode::CONFLICT, "webhook-exists", text),
            WebhookError::TooMany => Self::refused("too-many-webhooks", text),
            WebhookError::Overlap => Self::refused("out-of-bounds", text).about("overlap_secs"),
            WebhookError::Seal(error) => {
                tracing::error!(%error, "a webhook's secret does not open");
                super::problem::unavailable("storage-unavailable", "The webhook's secret cannot be read now.")
            }
            WebhookError::Store(error) => error.into(),
        }
    }
}
