//! The stream of a charge: what it tells, how it is resumed, and how it ends.

use anyhow::{Context as _, Result, ensure};
use bitpro_charge::wire::{ChargeView, NodeView};
use bitpro_tests::Scene;
use bitpro_tests::sse::{Event, Events};

/// The view that an event carries.
pub fn told(event: &Event) -> Result<ChargeView> {
    serde_json::from_str(&event.data).with_context(|| format!("no view in {event:?}"))
}

/// The stream tells `seen`, however often, and then `confirmed`; nothing in between is ever taken back (R2).
pub async fn tells_only_seen_until_confirmed(events: &mut Events) -> Result<()> {
    loop {
        let told = told(&events.next().await?)?;
        ensure!(told.state == "seen" || told.state == "confirmed", "{told:?}");
        if told.state == "confirmed" {
            return Ok(());
        }
    }
}

#[tokio::test]
async fn a_stream_begins_with_the_state_and_goes_on_with_each_change() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let mut events = scene.checkout.events(&charge, None).await?;
    ensure!(told(&events.next().await?)?.state == "pending");
    scene.pay(&charge).await?;
    ensure!(told(&events.next().await?)?.state == "seen");
    scene.pair.mine(1).await?;
    ensure!(told(&events.next().await?)?.state == "confirmed");
    Ok(())
}

#[tokio::test]
async fn r31_a_stream_resumes_where_it_was_left() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let mut events = scene.checkout.events(&charge, None).await?;
    let first = events.next().await?;
    let last_id = first.id.clone().context("the state has no id")?;
    drop(events);
    scene.pay_seen(&charge).await?;
    let mut resumed = scene.checkout.events(&charge, Some(&last_id)).await?;
    let next = resumed.next().await?;
    ensure!(told(&next)?.state == "seen", "{next:?}");
    ensure!(next.id != first.id, "the id did not move on: {next:?}");
    Ok(())
}

#[tokio::test]
async fn r39_a_stream_tells_when_the_node_goes_and_when_it_is_back() -> Result<()> {
    let mut scene = Scene::start().await?;
    let charge = scene.open().await?;
    let mut events = scene.checkout.events(&charge, None).await?;
    ensure!(told(&events.next().await?)?.node == NodeView::Ready);
    scene.pair.server.stop().await?;
    let away = events.next().await?;
    ensure!(told(&away)?.node == NodeView::Away, "{away:?}");
    scene.pair.server.start_again().await?;
    loop {
        // It may be told as starting in between.
        let back = told(&events.next().await?)?;
        ensure!(back.state == "pending", "{back:?}");
        if back.node == NodeView::Ready {
            return Ok(());
        }
    }
}

#[tokio::test]
async fn open_streams_end_when_the_server_stops() -> Result<()> {
    let mut scene = Scene::start().await?;
    let charge = scene.open().await?;
    let mut events = scene.checkout.events(&charge, None).await?;
    events.next().await?;
    scene.app.stop().await?;
    events.ended().await
}
