//! The list's news: says that something has changed, and the script fetches the page again.

use std::time::Duration;

use axum::response::Response;
use bitpro_charge::MerchantId;
use bitpro_limits::{RetryAfter, StreamPermit};
use bitpro_merchant::Permission;
use bitpro_service::accounts::Token;
use bitpro_service::charges::Subscription;
use bitpro_web::app::App;
use bitpro_web::checkout::sse;
use bitpro_web::event_stream;
use bytes::Bytes;
use futures::future::BoxFuture;

use super::member;
use crate::refusals::Refusal;
use crate::route::{Reply, Request};

/// How long a stream may be silent.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// News come no faster: each makes the page be fetched again.
const REST: Duration = Duration::from_secs(1);
/// The browser comes back after this. Whoever has logged out, or left the team, is told nothing more before that: each word is said only
/// to a session that would be let in.
const LIFE: Duration = Duration::from_secs(5 * 60);
/// When a client with too many streams may try again, in seconds.
const RETRY_AFTER: u32 = 30;

/// Something has changed.
const NEWS: Bytes = Bytes::from_static(b"data: changed\n\n");

/// `GET /dashboard/{merchant}/charges/live`
pub(super) fn open(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let merchant = member(&request)?.merchant.id;
        let person = request.person()?;
        let (account, token) = (person.account, person.token.clone());
        let permit = request
            .app
            .limits
            .streams
            .open_for_member(request.client.into(), account);
        let permit = permit.map_err(|_| Refusal::from(RetryAfter(RETRY_AFTER)))?;
        let subscription = request.app.charges.subscribe_to_merchant(merchant);
        Ok(response(Live {
            app: request.app,
            token,
            merchant,
            subscription,
            is_open: false,
            ends: Box::pin(tokio::time::sleep(LIFE)),
            _permit: permit,
        })
        .into())
    })
}

fn response(live: Live) -> Response {
    event_stream(futures::stream::unfold(live, |mut live| async move {
        let chunk = live.next().await?;
        Some((chunk, live))
    }))
}

struct Live {
    app: App,
    /// The session that opened it, and ends it.
    token: Token,
    merchant: MerchantId,
    subscription: Subscription<MerchantId, ()>,
    is_open: bool,
    ends: std::pin::Pin<Box<tokio::time::Sleep>>,
    _permit: StreamPermit,
}

impl Live {
    /// The next bytes; `None` at the end of the stream's life, or of the server.
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.is_open, true) {
            // What happened between the page and this stream is not known: the script looks once.
            return Some([sse::opening(), NEWS].concat().into());
        }
        tokio::select! {
            news = self.subscription.next() => news?,
            () = tokio::time::sleep(HEARTBEAT) => return self.is_still_in().await.then_some(sse::HEARTBEAT),
            () = &mut self.ends => return None,
            () = self.app.closing.cancelled() => return None,
        }
        // More that comes meanwhile is told by the same word.
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = self.app.closing.cancelled() => return None,
        }
        self.is_still_in().await.then_some(NEWS)
    }

    /// Whether whoever opened it may still look: the session may have ended since, and the person may have left the team.
    async fn is_still_in(&self) -> bool {
        let accounts = &self.app.accounts;
        let still = accounts.is_still_in(&self.token, self.merchant, Permission::Read).await;
        // Where the database does not answer, the browser comes back and asks again.
        still.unwrap_or(false)
    }
}
