//! The machine's clock is wrong, and right again (R32).

use std::slice::from_ref;

use anyhow::{Context as _, Result, ensure};
use bitpro_charge::wire::ChargeView;
use bitpro_tests::scene::WINDOW_SECS;
use rand::Rng as _;
use reqwest::Method;

use crate::world::World;

const HOUR: i64 = 3_600;
const AHEAD: i64 = 2 * HOUR;

/// The clock goes back by an hour and comes right again: nothing expires early, nothing is promised for longer, and right clocks are
/// still let in.
pub async fn goes_back(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let before = world.open(4200).await?;
    let true_time = world.pair.clock.now_millis() / 1000;
    world.clock.jump_secs(-HOUR)?;
    let during = world.open(4200).await?;
    let view = world.checkout.view(&during.charge).await?;
    let promised = view.expires_at - view.created_at;
    ensure!(
        promised == i64::try_from(WINDOW_SECS)? * 1000,
        "it is promised for {promised} ms"
    );
    ensure!(view.created_at / 1000 >= true_time, "it was made in the past: {view:?}");
    let signed = world.api.sign(Method::GET, "/mapi/charges", "", true_time)?;
    world
        .api
        .send(&signed, &[])
        .await?
        .is(200)
        .context("a right clock is refused")?;
    world.clock.jump_secs(HOUR)?;
    let both = [before, during];
    let payment = world.payment_of(&both, 3)?;
    world.pair.server.send(&payment).await?;
    world.become_all(&both, "seen", None).await?;
    world.settle().await?;
    world.become_all(&both, "confirmed", Some("exact")).await
}

/// The clock is two hours ahead for a moment. That may expire what was open; it must not stop time afterwards, nor keep right clocks out,
/// and it ends by waiting or by the operator's word.
pub async fn ahead_for_a_moment(world: &mut World) -> Result<()> {
    world.coins.provide(&world.pair, 10).await?;
    let expired = world.open(4200).await?;
    world.clock.jump_secs(AHEAD)?;
    world.checkout.becomes(&expired.charge, "timedout", None).await?;
    world.clock.jump_secs(-AHEAD)?;
    world
        .app
        .degrades("the lead to be said", |part, _| part == "clock")
        .await?;
    let (paid, unpaid) = (world.open(4200).await?, world.open(4200).await?);
    let payment = world.payment_of(from_ref(&paid), 3)?;
    world.pair.server.send(&payment).await?;
    world.checkout.becomes(&paid.charge, "seen", None).await?;
    let then = world.checkout.view(&unpaid.charge).await?.now;
    let goes_on = |view: &ChargeView| view.now > then;
    world
        .checkout
        .shows(&unpaid.charge, "time that goes on", goes_on)
        .await?;
    let by_a_right_clock = world.api.get(&world.app, "/mapi/charges").await?;
    by_a_right_clock.is(200).context("a right clock is refused")?;
    if world.rng.random_bool(0.5) {
        world.app.run(&["clock", "accept"]).await?;
        world.app.is_well().await?;
        world
            .checkout
            .becomes(&unpaid.charge, "failed", Some("cancelled"))
            .await?;
    } else {
        world.advance_secs(u64::try_from(AHEAD)? + WINDOW_SECS + 60).await?;
        world.settle().await?;
        world.checkout.becomes(&unpaid.charge, "timedout", None).await?;
    }
    world.settle().await?;
    world.checkout.becomes(&paid.charge, "confirmed", Some("exact")).await?;
    let view = world.open(4200).await?;
    let view = world.checkout.view(&view.charge).await?;
    let lead = (view.now - world.clock.now_millis()).abs();
    ensure!(lead < 60_000, "the time is still {lead} ms ahead");
    Ok(())
}
