//! The status and the stream of a charge.

use std::time::Duration;

use bitpro_charge::wire::ChargeView;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;

use crate::testing::TestApp;

#[tokio::test]
async fn the_status_is_json_with_a_tag_that_changes_with_the_charge() {
    let app = TestApp::with_merchant(&[]).await;
    let path = format!("{}/status", app.open("fiat_price_cents=4200").await);
    let first = app.get(&path).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.header("content-type"), "application/json");
    assert_eq!(first.header("cache-control"), "no-store");
    let tag = first.header("etag").to_owned();
    let again = app.ask(Method::GET, &path, &[("if-none-match", &tag)], "").await;
    assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    app.pay(path.strip_suffix("/status").unwrap()).await;
    let paid = app.ask(Method::GET, &path, &[("if-none-match", &tag)], "").await;
    let view: ChargeView = serde_json::from_str(&paid.body).unwrap();
    assert_eq!(view.state, "seen");
    // The window's end changes what is shown without any event.
    let tag = paid.header("etag").to_owned();
    app.clock.advance_secs(3 * 3600);
    let late = app.ask(Method::GET, &path, &[("if-none-match", &tag)], "").await;
    assert!(late.status == StatusCode::NOT_MODIFIED || late.header("etag") != tag);

    let nobody = format!(
        "/app/checkout/{}/00000000-0000-4000-8000-000000000000/status",
        app.merchant
    );
    let missing = app.get(&nobody).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.header("content-type"), "application/problem+json");
}

/// The next bytes of a stream.
async fn next(response: &mut axum::response::Response) -> Option<String> {
    let frame = tokio::time::timeout(Duration::from_secs(5), response.body_mut().frame())
        .await
        .unwrap();
    let bytes = frame?.unwrap().into_data().unwrap();
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

fn told(chunk: &str) -> ChargeView {
    let (_, data) = chunk.split_once("data: ").unwrap();
    serde_json::from_str(data.lines().next().unwrap()).unwrap()
}

fn id(chunk: &str) -> Option<&str> {
    chunk.lines().find_map(|line| line.strip_prefix("id: "))
}

#[tokio::test]
async fn r31_a_stream_begins_with_the_state_and_goes_on_with_what_happens() {
    let app = TestApp::with_merchant(&[]).await;
    let path = app.open("fiat_price_cents=4200").await;
    let events = format!("{path}/events");
    let mut stream = app.send(Method::GET, &events, &[], "").await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert!(!stream.headers().contains_key("content-encoding"));
    let first = next(&mut stream).await.unwrap();
    assert_eq!(told(&first).state, "pending");
    let cursor = id(&first).unwrap().to_owned();
    assert_eq!(cursor, format!("{}.0", app.charges.epoch()));
    app.pay(&path).await;
    let second = next(&mut stream).await.unwrap();
    assert_eq!(told(&second).state, "seen");
    let later = id(&second).unwrap().to_owned();

    // By header or by query, what was missed comes with its own id.
    for (path, headers) in [
        (events.clone(), vec![("last-event-id", cursor.as_str())]),
        (format!("{events}?after={cursor}"), vec![]),
        (
            format!("{events}?after=old.0"),
            vec![("last-event-id", cursor.as_str())],
        ),
    ] {
        let mut resumed = app.send(Method::GET, &path, &headers, "").await;
        let chunk = next(&mut resumed).await.unwrap();
        assert_eq!(
            (told(&chunk).state.as_str(), id(&chunk)),
            ("seen", Some(later.as_str()))
        );
    }
    // Nothing was missed: the state as it is, without an id.
    let mut current = app.send(Method::GET, &format!("{events}?after={later}"), &[], "").await;
    let chunk = next(&mut current).await.unwrap();
    assert_eq!((told(&chunk).state.as_str(), id(&chunk)), ("seen", None));
    // A cursor from before a restore gets the state as it is.
    let mut foreign = app.send(Method::GET, &format!("{events}?after=00ff.7"), &[], "").await;
    let chunk = next(&mut foreign).await.unwrap();
    assert_eq!(id(&chunk), Some(later.as_str()));
}

#[tokio::test]
async fn streams_end_with_the_server() {
    let app = TestApp::with_merchant(&[]).await;
    let path = app.open("fiat_price_cents=4200").await;
    let mut stream = app.send(Method::GET, &format!("{path}/events"), &[], "").await;
    next(&mut stream).await.unwrap();
    app.closing.cancel();
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test]
async fn r25_the_eleventh_stream_of_a_charge_is_refused_and_a_closed_one_makes_room() {
    let app = TestApp::with_merchant(&[]).await;
    let events = format!("{}/events", app.open("fiat_price_cents=4200").await);
    let mut open = Vec::new();
    for _ in 0..10 {
        let stream = app.send(Method::GET, &events, &[], "").await;
        assert_eq!(stream.status(), StatusCode::OK);
        open.push(stream);
    }
    let refused = app.get(&events).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!refused.header("retry-after").is_empty());
    open.pop();
    assert_eq!(app.send(Method::GET, &events, &[], "").await.status(), StatusCode::OK);
}
