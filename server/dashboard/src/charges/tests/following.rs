//! The list's news.

use std::time::Duration;

use futures::StreamExt as _;

use super::*;

async fn next(stream: &mut (impl futures::Stream<Item = Result<bytes::Bytes, axum::Error>> + Unpin)) -> String {
    let waited = tokio::time::timeout(Duration::from_secs(10), stream.next()).await;
    String::from_utf8(waited.unwrap().unwrap().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn the_list_hears_of_its_own_merchants_charges_only() {
    let desk = Desk::new().await;
    desk.log_in().await;
    let other = desk.app.another_merchant().await;
    let reply = desk.respond(Verb::Get, "charges/live", "").await.unwrap();
    assert_eq!(reply.response.headers()["content-type"], "text/event-stream");
    let mut stream = reply.response.into_body().into_data_stream();
    assert_eq!(next(&mut stream).await, "retry: 1000\n\ndata: changed\n\n");
    desk.make_for(other, "A-1", "").await;
    let quiet = tokio::time::timeout(Duration::from_millis(50), stream.next()).await;
    assert!(quiet.is_err(), "another merchant's charge is no news");
    let id = desk.make("A-1", "").await;
    desk.pay(id).await;
    assert_eq!(next(&mut stream).await, "data: changed\n\n");
    desk.app.closing.cancel();
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn one_account_has_only_so_many_streams() {
    let desk = Desk::new().await;
    let mut open = Vec::new();
    let refused = loop {
        match desk.respond(Verb::Get, "charges/live", "").await {
            Ok(stream) => open.push(stream),
            Err(refusal) => break refusal,
        }
        assert!(open.len() < 100);
    };
    assert_eq!(refused.status().as_u16(), 429);
    open.clear();
    assert!(desk.respond(Verb::Get, "charges/live", "").await.is_ok());
}
