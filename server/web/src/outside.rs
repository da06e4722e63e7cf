//! What `bitpro check` asks through the public address: whether this server answers there, and how its requests and streams arrive.
//!
//! Only whoever may use the command socket gets a token, and only with one is anything told: to strangers these paths lead nowhere.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, header};
use serde_json::json;

use crate::app::App;
use crate::edge::authority;
use crate::refusal::Refusal;
use crate::{Context, Peer, event_stream};

/// What a stream says; each event waits for word that the one before has arrived, or is not waited for any more.
const EVENTS: [&[u8]; 3] = [
    b"event: first\ndata: 1\n\n",
    b"event: second\ndata: 2\n\n",
    b"event: last\ndata: 3\n\n",
];
/// How long a stream waits for that word.
const WAITS: Duration = Duration::from_secs(15);

/// `GET /app/check/{token}`: how the request arrived.
pub async fn request(
    State(app): State<App>,
    Path(token): Path<String>,
    context: Context,
    request: Request,
) -> Response {
    if app.knocks.arrived(&token).is_none() {
        return unknown(context);
    }
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.to_string());
    let headers = request.headers().get_all("x-forwarded-for").iter();
    let forwarded: Vec<String> = headers
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    let told = json!({
        "token": token,
        "host": authority(&request),
        "client": context.client.to_string(),
        "peer": peer,
        "forwarded_for": (!forwarded.is_empty()).then(|| forwarded.join(", ")),
    });
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], told.to_string()).into_response()
}

/// `GET /app/check/{token}/events`: an event at once, and the next ones as the ones before are said to have arrived, or after a while.
pub async fn events(State(app): State<App>, Path(token): Path<String>, context: Context) -> Response {
    let Some(arrived) = app.knocks.arrived(&token) else {
        return unknown(context);
    };
    let closing = app.closing.clone();
    event_stream(stream::unfold(0, move |sent| {
        let (arrived, closing) = (Arc::clone(&arrived), closing.clone());
        async move {
            let event = *EVENTS.get(sent)?;
            if sent > 0 {
                tokio::select! {
                    () = arrived.notified() => {}
                    () = tokio::time::sleep(WAITS) => {}
                    () = closing.cancelled() => return None,
                }
            }
            Some((Bytes::from_static(event), sent + 1))
        }
    }))
}

/// `GET /app/check/{token}/arrived`: an event has arrived, or is not waited for any more.
pub async fn arrived(State(app): State<App>, Path(token): Path<String>, context: Context) -> Response {
    match app.knocks.arrived(&token) {
        Some(arrived) => {
            arrived.notify_one();
            "ok\n".into_response()
        }
        None => unknown(context),
    }
}

fn unknown(context: Context) -> Response {
    Refusal::UnknownPage.into_problem(context.id).into_response()
}

#[cfg(test)]
mod tests {
    use crate::knocks::MOST;
    use crate::testing::TestApp;

    #[tokio::test]
    async fn strangers_learn_nothing_and_a_token_is_good_for_a_minute() {
        let app = TestApp::with_merchant(&[]).await;
        for path in ["", "/events", "/arrived"] {
            let stranger = app.get(&format!("/app/check/{}{path}", "0".repeat(32))).await;
            assert_eq!(stranger.status, 404, "{path}");
        }
        let token = app.app.knocks.give();
        let told = app.get(&format!("/app/check/{token}")).await;
        assert_eq!(told.status, 200);
        let told: serde_json::Value = serde_json::from_str(&told.body).unwrap();
        assert_eq!(told["token"], token);
        assert_eq!(told["forwarded_for"], serde_json::Value::Null);
        app.clock.advance_secs(60);
        assert_eq!(app.get(&format!("/app/check/{token}")).await.status, 404);
    }

    #[tokio::test]
    async fn of_many_tokens_the_oldest_goes() {
        let app = TestApp::with_merchant(&[]).await;
        let first = app.app.knocks.give();
        let others: Vec<String> = (0..MOST).map(|_| app.app.knocks.give()).collect();
        assert!(app.app.knocks.arrived(&first).is_none());
        assert!(others.iter().all(|token| app.app.knocks.arrived(token).is_some()));
    }

    #[tokio::test]
    async fn a_stream_goes_on_as_its_events_arrive() {
        let app = TestApp::with_merchant(&[]).await;
        let path = format!("/app/check/{}", app.app.knocks.give());
        let events = format!("{path}/events");
        let mut stream = app
            .send(http::Method::GET, &events, &[], "")
            .await
            .into_body()
            .into_data_stream();
        for wanted in ["event: first", "event: second", "event: last"] {
            let event = futures::StreamExt::next(&mut stream).await.unwrap().unwrap();
            assert!(event.starts_with(wanted.as_bytes()), "{event:?}");
            app.get(&format!("{path}/arrived")).await;
        }
        assert!(futures::StreamExt::next(&mut stream).await.is_none());
    }
}
