//! A charge in every state that a checkout shows, each made by real payments, for people to look at.
//!
//! What depends on nobody's patience is there seconds after the start. What ends by its deadline ends by its deadline: five minutes, the
//! shortest window that there is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bitpro_charge::wire::ChargeView;
use bitpro_tests::Charge;
use serde::Serialize;
use serde_json::{Value, json};

use crate::say;
use crate::stage::Stage;

/// The shortest window that the API takes.
const SHORT_SECS: u32 = 300;
/// For what shall wait while people look at it.
const LONG_SECS: u32 = 3_600;
/// How often a charge is looked at whose deadline is awaited: minutes, for which nobody holds a stream open.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// One of them, as the wallet's page shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Example {
    /// What it is an example of.
    what: &'static str,
    /// The state that it is made for.
    wanted: String,
    /// The state that it is in.
    state: String,
    /// Whether that is the same.
    is_there: bool,
    /// Its page.
    url: String,
    #[serde(skip)]
    id: String,
}

/// All of them. A cheap handle.
#[derive(Debug, Clone, Default)]
pub struct Examples(Arc<Mutex<Vec<Example>>>);

/// What a kind of example is made of.
struct Plot {
    what: &'static str,
    wanted: &'static str,
    order: &'static str,
    cents: u64,
    window_secs: u32,
}

const fn plot(what: &'static str, wanted: &'static str, order: &'static str, window_secs: u32) -> Plot {
    Plot {
        what,
        wanted,
        order,
        cents: 4_200,
        window_secs,
    }
}

const TIMED_OUT: Plot = plot("Nobody paid in time", "timedout", "EX-TIMEDOUT", SHORT_SECS);
const UNDERPAID: Plot = plot(
    "Half was paid in time",
    "failed · underpaid",
    "EX-UNDERPAID",
    SHORT_SECS,
);
const LATE: Plot = plot("Paid after the end", "failed · late", "EX-LATE", SHORT_SECS);
const REPLACED: Plot = plot("Paid, and taken back", "failed · replaced", "EX-REPLACED", SHORT_SECS);
const CANCELLED: Plot = plot(
    "Cancelled by the merchant",
    "failed · cancelled",
    "EX-CANCELLED",
    LONG_SECS,
);
const PENDING: Plot = plot("Waits for money", "pending", "EX-PENDING", LONG_SECS);
const EXACT: Plot = plot("Paid exactly", "confirmed · exact", "EX-EXACT", LONG_SECS);
const OVERPAID: Plot = plot("Paid too much", "confirmed · overpaid", "EX-OVERPAID", LONG_SECS);
const ACCEPTED: Plot = plot(
    "Half was paid, and the merchant took it",
    "confirmed · manual",
    "EX-MANUAL",
    LONG_SECS,
);
/// Above EUR 1,000.00 three confirmations are asked for.
const SEEN: Plot = Plot {
    cents: 125_000,
    ..plot("Paid, one confirmation of three", "seen", "EX-SEEN", LONG_SECS)
};

const ALL: [&Plot; 10] = [
    &TIMED_OUT, &UNDERPAID, &LATE, &REPLACED, &CANCELLED, &PENDING, &EXACT, &OVERPAID, &ACCEPTED, &SEEN,
];

/// What the order of an example costs, in cents.
pub fn price_of(order: &str) -> Option<u64> {
    ALL.iter().find(|plot| plot.order == order).map(|plot| plot.cents)
}

impl Examples {
    /// Whether this is a charge of ours that goes its way by itself.
    pub fn plays(&self, id: &str) -> bool {
        let examples = self.locked();
        examples
            .iter()
            .any(|example| example.id == id && example.wanted != PENDING.wanted)
    }

    /// All of them, with the states that `charges` tells.
    pub fn shown(&self, charges: &[Value]) -> Vec<Example> {
        let mut examples = self.locked().clone();
        for example in &mut examples {
            let Some(charge) = charges.iter().find(|charge| charge["id"] == example.id.as_str()) else {
                continue;
            };
            let reason = charge["reason"].as_str().filter(|_| example.wanted.contains('·'));
            example.state = match (charge["state"].as_str().unwrap_or_default(), reason) {
                (state, None) => state.to_owned(),
                (state, Some(reason)) => format!("{state} · {reason}"),
            };
            example.is_there = example.state == example.wanted;
        }
        examples
    }

    fn add(&self, plot: &Plot, url: String, charge: &Charge) {
        self.locked().push(Example {
            what: plot.what,
            wanted: plot.wanted.to_owned(),
            state: "pending".to_owned(),
            is_there: plot.wanted == "pending",
            url,
            id: charge.id.clone(),
        });
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Example>> {
        // Nothing that holds the lock can leave the list half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes all of them, and returns once the last is in its state. `usual` are the merchant's grace and extension in seconds.
///
/// # Errors
/// When the server, a node or the wallet refuses.
pub async fn play(stage: &Stage, usual: [&str; 2]) -> Result<()> {
    // What ends by its deadline shall end there, with no extension by a part and no grace.
    set(stage, ["0", "0"]).await?;
    let timed_out = ask(stage, &TIMED_OUT).await?;
    let underpaid = ask(stage, &UNDERPAID).await?;
    let late = ask(stage, &LATE).await?;
    let replaced = ask(stage, &REPLACED).await?;
    set(stage, usual).await?;
    quick(stage, &underpaid, &replaced).await?;
    say("examples of what ends at once are on the wallet's page; what ends by a deadline follows in five minutes");

    until(stage, &timed_out, "timedout", None).await?;
    until(stage, &late, "timedout", None).await?;
    let view = look(stage, &late).await?;
    stage.pay(&view.address, view.amount_sat).await?;
    until(stage, &late, "failed", Some("late")).await?;
    until(stage, &underpaid, "failed", Some("underpaid")).await?;
    until(stage, &replaced, "failed", Some("replaced")).await?;
    say("the wallet's page has an example of every end");
    Ok(())
}

/// Those that wait for no deadline, and the payments of those that do.
async fn quick(stage: &Stage, underpaid: &Charge, replaced: &Charge) -> Result<()> {
    ask(stage, &PENDING).await?;
    let cancelled = ask(stage, &CANCELLED).await?;
    let exact = ask(stage, &EXACT).await?;
    let overpaid = ask(stage, &OVERPAID).await?;
    let accepted = ask(stage, &ACCEPTED).await?;
    let seen = ask(stage, &SEEN).await?;
    command(stage, "cancel", &cancelled).await?;

    let asked = look(stage, replaced).await?;
    let away = stage.pay(&asked.address, asked.amount_sat).await?;
    until(stage, replaced, "seen", None).await?;
    stage.take_back(away).await?;
    for (charge, tenths) in [
        (underpaid, 5),
        (&exact, 10),
        (&overpaid, 15),
        (&accepted, 5),
        (&seen, 10),
    ] {
        let asked = look(stage, charge).await?;
        stage.pay(&asked.address, asked.amount_sat * tenths / 10).await?;
    }
    let has_money = |view: &ChargeView| view.received_sat > 0;
    for charge in [underpaid, &exact, &overpaid, &accepted, &seen] {
        stage.checkout.shows(charge, "the payment", has_money).await?;
    }
    stage.pair.read().await.mine(1).await?;
    until(stage, &exact, "confirmed", Some("exact")).await?;
    until(stage, &overpaid, "confirmed", Some("overpaid")).await?;
    command(stage, "accept", &accepted).await?;
    until(stage, &accepted, "confirmed", Some("manual")).await
}

async fn set(stage: &Stage, [grace, extension]: [&str; 2]) -> Result<()> {
    let settings = [("grace_secs", grace), ("extension_secs", extension)];
    let app = stage.app.read().await;
    stage.merchant.set(&app, &settings).await
}

/// Makes a charge as the shop's server does, and lists it.
async fn ask(stage: &Stage, plot: &Plot) -> Result<Charge> {
    let wanted = json!({
        "fiat_price_cents": plot.cents,
        "external_order_id": plot.order,
        "buyer_email": "shopper@example.com",
        "window_secs": plot.window_secs,
    });
    let app = stage.app.read().await;
    let made = stage.api.post(&app, "/mapi/charges", &wanted).await?.is(201)?;
    let charge = Charge::at(&format!("{}/{}", stage.merchant.path(), made.text("id")?))?;
    stage
        .examples
        .add(plot, format!("{}{}", stage.server, charge.path), &charge);
    Ok(charge)
}

async fn command(stage: &Stage, what: &str, charge: &Charge) -> Result<()> {
    let arguments = ["charge", what, charge.id.as_str()];
    let said = stage.app.read().await.run(&arguments).await;
    said.with_context(|| format!("the merchant cannot {what} an example"))?;
    Ok(())
}

/// What a shopper sees of `charge`; a server that is just being started anew is waited for.
async fn look(stage: &Stage, charge: &Charge) -> Result<ChargeView> {
    stage.checkout.shows(charge, "an answer", |_| true).await
}

/// Waits until `charge` is in `state`, however long its window is.
async fn until(stage: &Stage, charge: &Charge, state: &str, reason: Option<&str>) -> Result<()> {
    loop {
        let view = look(stage, charge).await?;
        if view.state == state && (reason.is_none() || view.reason.as_deref() == reason) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
