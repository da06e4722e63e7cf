//! The live stream of one charge: subscribe, then the state as it is, then what happens.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bitpro_charge::ChargeId;
use bitpro_limits::{Maker, StreamPermit};
use bitpro_service::charges::{Frame, Snapshot, Subscription};
use bitpro_store::StoreError;
use bytes::Bytes;
use http::{HeaderMap, Uri};

use super::named;
use super::sse::{self, Cursor};
use crate::app::App;
use crate::refusal::Refusal;
use crate::{Context, event_stream};

/// How long a stream may be silent.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// When a client with too many streams may try again, in seconds.
const RETRY_AFTER: u32 = 10;

/// `GET /app/checkout/{merchant}/{charge}/events`
///
/// `Last-Event-ID`, or `after` for clients that cannot set headers, resumes exactly; a browser that reconnects sends the
/// first beside an `after` that has grown old.
pub async fn open(
    State(app): State<App>,
    Path((merchant, charge)): Path<(String, String)>,
    context: Context,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match opened(app, context, &merchant, &charge, cursor(&headers, &uri)).await {
        Ok(stream) => response(stream),
        Err(refusal) => refusal.into_problem(context.id).into_response(),
    }
}

async fn opened(
    app: App,
    context: Context,
    merchant: &str,
    charge: &str,
    cursor: Option<String>,
) -> Result<ChargeStream, Refusal> {
    let (_, snapshot) = named(&app, merchant, charge).await?;
    let id = snapshot.charge.id;
    let maker = match snapshot.origin.is_price_verified() {
        true => Maker::Merchant,
        false => Maker::Anybody,
    };
    let permit = app.limits.streams.open(context.client.into(), id.0, maker);
    let permit = permit.map_err(|_| Refusal::TooMany(RETRY_AFTER))?;
    // From here on nothing is missed: the state is read after the subscription has begun.
    let subscription = app.charges.subscribe(id);
    let cursor = Cursor::read(cursor.as_deref(), &app.charges.epoch());
    Ok(ChargeStream {
        app,
        charge: id,
        subscription,
        at: At::Opening(cursor),
        _permit: permit,
    })
}

fn cursor(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let from_header = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .filter(|value| !value.is_empty());
    from_header.map(str::to_owned).or_else(|| {
        let query = uri.query()?.as_bytes();
        let mut pairs = url::form_urlencoded::parse(query);
        pairs
            .find(|(name, _)| name == "after")
            .map(|(_, value)| value.into_owned())
    })
}

fn response(stream: ChargeStream) -> Response {
    event_stream(futures::stream::unfold(stream, |mut stream| async move {
        let chunk = stream.next().await?;
        Some((chunk, stream))
    }))
}

/// Where a stream is.
#[derive(Debug, Clone, Copy)]
enum At {
    /// Nothing was sent yet; the client knows this much.
    Opening(Cursor),
    /// Everything up to this event was sent.
    Sent(u64),
}

struct ChargeStream {
    app: App,
    charge: ChargeId,
    subscription: Subscription,
    at: At,
    _permit: StreamPermit,
}

impl ChargeStream {
    /// The next bytes; `None` at the end of the server, or of what can be told.
    async fn next(&mut self) -> Option<Bytes> {
        let sent = match self.at {
            At::Opening(cursor) => return self.first(cursor).await.unwrap_or_else(ended),
            At::Sent(sent) => sent,
        };
        loop {
            let news = tokio::select! {
                news = self.subscription.next() => news?,
                () = tokio::time::sleep(HEARTBEAT) => return Some(sse::HEARTBEAT),
                () = self.app.closing.cancelled() => return None,
            };
            match self.told(sent, news).await {
                Ok(Some(chunk)) if chunk.is_empty() => {}
                Ok(chunk) => return chunk,
                Err(error) => return ended(error),
            }
        }
    }

    /// The first bytes: what the client has missed, or the state as it is.
    async fn first(&mut self, cursor: Cursor) -> Result<Option<Bytes>, StoreError> {
        let missed = match cursor {
            Cursor::After(sequence) => self.app.charges.frames_after(self.charge, sequence).await?,
            Cursor::Unknown => None,
        };
        let mut bytes = sse::opening().to_vec();
        match (missed, cursor) {
            (Some(missed), Cursor::After(sequence)) => {
                self.at = At::Sent(sequence);
                if missed.is_empty() {
                    // Nothing has happened, but blocks may have come: depth, and so without an id.
                    bytes.extend_from_slice(&match self.snapshot().await? {
                        Some(snapshot) => self.frame(&snapshot, None),
                        None => return Ok(None),
                    });
                }
                bytes.extend_from_slice(&self.frames(&missed));
            }
            _ => match self.snapshot().await? {
                Some(snapshot) => bytes.extend_from_slice(&self.frames(std::slice::from_ref(&*snapshot))),
                None => return Ok(None),
            },
        }
        Ok(Some(bytes.into()))
    }

    /// The bytes for `news`; empty when they were sent already.
    async fn told(&mut self, sent: u64, news: Frame) -> Result<Option<Bytes>, StoreError> {
        let Some(snapshot) = self.snapshot().await? else {
            return Ok(None);
        };
        let now = snapshot.charge.sequence;
        if now == sent {
            // News of a batch that the first bytes held already; or of depth, which has no sequence of its own.
            let depth = news.previous == news.sequence;
            return Ok(Some(if depth {
                self.frame(&snapshot, None)
            } else {
                Bytes::new()
            }));
        }
        if news.previous == sent && news.sequence == now {
            self.at = At::Sent(now);
            return Ok(Some(self.frame(&snapshot, Some(now))));
        }
        let missed = self.app.charges.frames_after(self.charge, sent).await?;
        Ok(Some(match missed {
            Some(missed) => self.frames(&missed),
            None => self.frames(std::slice::from_ref(&*snapshot)),
        }))
    }

    async fn snapshot(&self) -> Result<Option<std::sync::Arc<Snapshot>>, StoreError> {
        self.app.charges.snapshot(self.charge).await
    }

    fn frames(&mut self, snapshots: &[Snapshot]) -> Bytes {
        let mut bytes = Vec::new();
        for snapshot in snapshots {
            let sequence = snapshot.charge.sequence;
            bytes.extend_from_slice(&self.frame(snapshot, Some(sequence)));
            self.at = At::Sent(sequence);
        }
        bytes.into()
    }

    fn frame(&self, snapshot: &Snapshot, sequence: Option<u64>) -> Bytes {
        let charges = &self.app.charges;
        sse::frame(&charges.epoch(), sequence, &charges.view_json(snapshot))
    }
}

/// A stream that cannot go on ends: the browser comes back by itself, and then gets what it missed or the reason.
fn ended(error: StoreError) -> Option<Bytes> {
    tracing::error!(%error, "the store failed a stream");
    None
}
