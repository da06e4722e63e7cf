//! Webhooks: a real receiver, good and bad, and a server that dies.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitpro_charge::Announcement;
use bitpro_tests::mapi::Api;
use bitpro_tests::receiver::{Conduct, Received, Receiver};
use bitpro_tests::{Charge, Pair, Scene, Setup, eventually};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};

fn every_state() -> [&'static str; 6] {
    Announcement::ALL.map(Announcement::as_str)
}

pub(crate) async fn scene() -> Result<Scene> {
    let pair = Pair::start().await?;
    let setup = Setup::beside(&pair.server, &pair.clock)
        .with("BITPRO_WEBHOOK_ALLOW_HTTP", "true")
        .with("BITPRO_WEBHOOK_ALLOW_PRIVATE", "127.0.0.1")
        .with("BITPRO_CREATE_PER_MINUTE", "100000")
        .with("BITPRO_CREATE_BURST", "100000")
        .with("BITPRO_MERCHANT_CREATE_PER_MINUTE", "60000")
        .with("BITPRO_INSTANCE_CREATE_PER_MINUTE", "60000");
    // An address counts as used once its payment is in a block (R26): until then a load is a run of unpaid ones.
    Scene::on(pair, setup, &[("gap_button", "10000")]).await
}

/// Adds a webhook for each of `states` to `path`.
async fn listen(scene: &Scene, receiver: &Receiver, states: &[&str], path: &str) -> Result<Vec<(String, String)>> {
    let mut made = Vec::new();
    for state in states {
        made.push(receiver.add(&scene.app, &scene.merchant.id, state, path).await?);
    }
    Ok(made)
}

async fn deliveries(scene: &Scene, webhook: &str) -> Result<Vec<Value>> {
    let said = scene.app.run(&["webhook", "deliveries", webhook, "--json"]).await?;
    Ok(serde_json::from_str(&said)?)
}

fn kinds(received: &[Received]) -> Vec<&str> {
    received.iter().map(Received::kind).collect()
}

#[tokio::test]
async fn a_paid_charge_is_told_as_seen_and_confirmed_and_every_attempt_is_kept() -> Result<()> {
    let scene = scene().await?;
    let receiver = Receiver::start().await?;
    let made = listen(&scene, &receiver, &every_state(), "/hook").await?;
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;
    scene.pair.mine(1).await?;
    let received = receiver.gets("both events", |received| received.len() >= 2).await?;
    ensure!(kinds(&received) == ["charge:seen", "charge:confirmed"]);
    for (one, attempt) in received.iter().zip([1, 1]) {
        ensure!(
            one.json["delivery_attempt"] == attempt && one.charge() == charge.id,
            "{}",
            one.json
        );
        ensure!(
            String::from_utf8_lossy(&one.body).contains("\"fiat_price\":42.0,"),
            "{}",
            one.json
        );
        ensure!(
            one.headers[0] == one.event() && one.headers[2].starts_with("v1,"),
            "{:?}",
            one.headers
        );
    }
    let (seen, secret) = &made[0];
    let told = eventually("the attempt to be stored", async || {
        let told = deliveries(&scene, seen).await?;
        ensure!(told.first().is_some_and(|one| one["state"] == "delivered"), "{told:?}");
        Ok(told)
    })
    .await?;
    ensure!(told[0]["attempts"][0]["status"] == 200 && told[0]["event_id"] == received[0].event());
    for shown in [scene.app.run(&["webhook", "list", "--json"]).await?, scene.app.log()] {
        ensure!(!shown.contains(secret.as_str()), "the secret is shown again: {shown}");
    }
    Ok(())
}

#[tokio::test]
async fn r17_a_reorg_is_told_as_reverted_and_a_partial_payment_as_updated() -> Result<()> {
    let scene = scene().await?;
    let receiver = Receiver::start().await?;
    listen(&scene, &receiver, &every_state(), "/hook").await?;
    let charge = scene.open().await?;
    let view = scene.checkout.view(&charge).await?;
    scene.pair.wallet.pay(&view.address, view.amount_sat / 2).await?;
    scene.becomes(&charge, "seen", Some("underpaid")).await?;
    scene.pay(&charge).await?;
    scene
        .checkout
        .shows(&charge, "the whole sum", |view| view.received_sat >= view.amount_sat)
        .await?;
    scene.pair.part().await?;
    scene.pair.server.mine(1).await?;
    scene.becomes(&charge, "confirmed", None).await?;
    let received = receiver
        .gets("the confirmation", |received| {
            kinds(received).contains(&"charge:confirmed")
        })
        .await?;
    ensure!(kinds(&received).contains(&"charge:updated"), "{:?}", kinds(&received));
    let sequences: Vec<Option<u64>> = received
        .iter()
        .map(|one| one.json["event"]["data"]["sequence"].as_u64())
        .collect();
    ensure!(sequences.is_sorted(), "out of order: {sequences:?}");

    scene.pair.shopper.mine_empty(2).await?;
    scene.pair.join().await?;
    let received = receiver
        .gets("the reversal", |received| kinds(received).contains(&"charge:reverted"))
        .await?;
    let reverted = received.last().context("nothing came")?;
    ensure!(reverted.json["event"]["data"]["round"] == 1, "{}", reverted.json);
    Ok(())
}

#[tokio::test]
async fn r19_a_handler_that_always_fails_for_seen_does_not_keep_confirmed_away() -> Result<()> {
    let scene = scene().await?;
    let receiver = Receiver::start().await?;
    // One URL for both, so that order is kept; it refuses until three attempts have failed.
    let made = listen(&scene, &receiver, &["charge:seen", "charge:confirmed"], "/hook").await?;
    receiver.set("/hook", Conduct::StatusFirst(500, 3));
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;
    receiver
        .gets("the first attempt", |received| received.len() == 1)
        .await?;
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", None).await?;
    for (attempt, secs) in [(2, 40), (3, 300)] {
        scene.pair.advance_secs(secs).await?;
        let received = receiver
            .gets("another attempt", |received| received.len() >= attempt)
            .await?;
        ensure!(received[attempt - 1].kind() == "charge:seen", "{:?}", kinds(&received));
    }
    // The newer one overtakes now, and the older one says so.
    let received = receiver.gets("the newer event", |received| received.len() >= 4).await?;
    ensure!(received[3].kind() == "charge:confirmed", "{:?}", kinds(&received));
    scene.pair.advance_secs(700).await?;
    let received = receiver.gets("the older event", |received| received.len() >= 5).await?;
    let late = &received[4].json;
    ensure!(
        late["delivery_attempt"] == 4 && late["event"]["type"] == "charge:seen",
        "{late}"
    );
    ensure!(late["superseded_by"] == received[3].event(), "{late}");
    ensure!(
        late["event"] == received[0].json["event"],
        "a retry tells something else"
    );
    let told = eventually("four attempts", async || {
        let told = deliveries(&scene, &made[0].0).await?;
        ensure!(told[0]["state"] == "delivered", "{told:?}");
        Ok(told)
    })
    .await?;
    let statuses: Vec<Option<u64>> = told[0]["attempts"]
        .as_array()
        .context("no attempts")?
        .iter()
        .map(|attempt| attempt["status"].as_u64())
        .collect();
    ensure!(statuses == [500, 500, 500, 200].map(Some), "{statuses:?}");
    Ok(())
}

#[tokio::test]
async fn bad_receivers_delay_nobody_else() -> Result<()> {
    let scene = scene().await?;
    let receiver = Receiver::start().await?;
    for (path, conduct) in [
        ("/hangs", Conduct::Hang),
        ("/redirects", Conduct::Redirect),
        ("/endless", Conduct::Endless),
        ("/trickles", Conduct::Trickle),
        ("/resets", Conduct::Reset),
        ("/fails", Conduct::Status(500)),
    ] {
        receiver.set(path, conduct);
        listen(&scene, &receiver, &["charge:seen"], path).await?;
    }
    let refused = receiver.url("/closed").replace("127.0.0.1", "127.0.0.2");
    let forbidden = scene
        .app
        .run(&["webhook", "add", &scene.merchant.id, "charge:seen", &refused])
        .await;
    let said = format!("{:#}", forbidden.err().context("a private address was taken")?);
    ensure!(said.contains("not a public address"), "{said}");
    listen(&scene, &receiver, &["charge:seen"], "/good").await?;
    for _ in 0..5 {
        let charge = scene.open().await?;
        scene.pay_seen(&charge).await?;
    }
    let events = |received: &[Received], path: &str| -> usize {
        let told = received.iter().filter(|one| one.path == path);
        told.map(|one| one.event().to_owned()).collect::<HashSet<_>>().len()
    };
    // A status that has come is an answer, whatever follows it.
    for path in ["/good", "/endless", "/trickles", "/resets"] {
        let received = receiver
            .gets("five events", |received| events(received, path) == 5)
            .await?;
        ensure!(
            !received.iter().any(|one| one.path == "/elsewhere"),
            "a redirect was followed"
        );
    }
    Ok(())
}

#[tokio::test]
async fn r20_gone_pauses_a_webhook_and_redelivery_goes_on_with_it() -> Result<()> {
    let scene = scene().await?;
    let receiver = Receiver::start().await?;
    let (id, _) = listen(&scene, &receiver, &["charge:seen"], "/hook").await?.remove(0);
    receiver.set("/hook", Conduct::Status(410));
    let first = scene.open().await?;
    scene.pay_seen(&first).await?;
    let listed = eventually("the webhook to be paused", async || {
        let said = scene.app.run(&["webhook", "list", "--json"]).await?;
        let listed: Value = serde_json::from_str(&said)?;
        ensure!(listed[0]["paused_at"].is_string(), "{said}");
        Ok(listed)
    })
    .await?;
    ensure!(listed[0]["pending"] == 1, "{listed}");
    ensure!(scene.app.log().contains("410 Gone"), "no alarm");
    let second = scene.open().await?;
    scene.pay_seen(&second).await?;

    receiver.set("/hook", Conduct::Status(200));
    let tested: Value = serde_json::from_str(&scene.app.run(&["webhook", "test", &id, "--json"]).await?)?;
    ensure!(tested["delivered"] == true, "{tested}");
    let received = receiver.received();
    let test = &received.last().context("no test came")?.json;
    ensure!(
        test["test"] == true && test["event"]["data"]["external_order_id"].is_null(),
        "{test}"
    );
    ensure!(
        received.len() == 2,
        "a paused webhook was told something: {:?}",
        kinds(&received)
    );

    scene.app.run(&["webhook", "redeliver", &id]).await?;
    let received = receiver.gets("both charges", |received| received.len() == 4).await?;
    let told: HashSet<&str> = received[2..].iter().map(Received::charge).collect();
    ensure!(told == HashSet::from([first.id.as_str(), second.id.as_str()]));

    // One event again, although it arrived.
    let event = received[3].event().to_owned();
    scene.app.run(&["webhook", "redeliver", &id, "--event", &event]).await?;
    let received = receiver.gets("it once more", |received| received.len() == 5).await?;
    ensure!(received[4].event() == event);

    scene.app.run(&["webhook", "remove", &id]).await?;
    let third = scene.open().await?;
    scene.pay_seen(&third).await?;
    let gone = scene.app.run(&["webhook", "test", &id]).await;
    ensure!(
        gone.is_err() && receiver.received().len() == 5,
        "a removed webhook was told something"
    );
    Ok(())
}

#[tokio::test]
async fn r19_what_comes_again_after_a_pause_says_what_its_url_heard_meanwhile() -> Result<()> {
    let scene = scene().await?;
    let receiver = Receiver::start().await?;
    let (id, _) = listen(&scene, &receiver, &["charge:seen"], "/hook").await?.remove(0);
    receiver.set("/hook", Conduct::Status(410));
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;
    eventually("the webhook to be paused", async || {
        let said = scene.app.run(&["webhook", "list", "--json"]).await?;
        let listed: Value = serde_json::from_str(&said)?;
        ensure!(listed[0]["paused_at"].is_string(), "{said}");
        Ok(())
    })
    .await?;

    // Another webhook of the same URL hears how it went on.
    receiver.set("/hook", Conduct::Status(200));
    listen(&scene, &receiver, &["charge:confirmed"], "/hook").await?;
    scene.pair.mine(1).await?;
    let received = receiver
        .gets("the confirmation", |received| received.len() == 2)
        .await?;
    let newer = received[1].event().to_owned();
    eventually("its delivery to be stored", async || {
        let said = scene.app.run(&["webhook", "list", "--json"]).await?;
        let listed: Value = serde_json::from_str(&said)?;
        ensure!(listed[1]["pending"] == 0, "{said}");
        Ok(())
    })
    .await?;
    scene.app.run(&["webhook", "redeliver", &id]).await?;
    let received = receiver.gets("the first sight", |received| received.len() == 3).await?;
    ensure!(received[2].event() == received[0].event(), "{:?}", kinds(&received));
    ensure!(received[2].json["superseded_by"] == newer, "{}", received[2].json);
    Ok(())
}

#[tokio::test]
async fn the_api_manages_webhooks_once_per_request_and_only_the_merchants_own() -> Result<()> {
    let scene = scene().await?;
    let receiver = Receiver::start().await?;
    let app = &scene.app;
    let api = Api::add(app, &scene.merchant.id, "charges:read webhooks:write").await?;
    let wanted = json!({"state": "charge:seen", "url": receiver.url("/hook")});
    let idempotent = [("idempotency-key", "first")];
    let create = |wanted: &Value| api.sign(Method::POST, "/mapi/webhooks", &wanted.to_string(), app.now_secs());
    let made = api.send(&create(&wanted)?, &idempotent).await?.is(201)?;
    let again = api.send(&create(&wanted)?, &idempotent).await?.is(201)?;
    ensure!(made.body == again.body, "{} and {}", made.body, again.body);
    let (id, secret) = (made.text("id")?, made.text("secret")?);
    ensure!(secret.starts_with("whsec_"), "{}", made.body);
    let database = std::fs::read(app.folder().join("bitpro.db"))?;
    let journal = std::fs::read(app.folder().join("bitpro.db-wal")).unwrap_or_default();
    for bytes in [database, journal] {
        let shown = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        ensure!(!shown, "the secret is stored in the clear");
    }
    for (wrong, status, code) in [
        (wanted.clone(), 409, "webhook-exists"),
        (
            json!({"state": "charge:paid", "url": receiver.url("/x")}),
            422,
            "unknown-state",
        ),
        (
            json!({"state": "charge:seen", "url": "http://10.0.0.1/"}),
            422,
            "url-not-public",
        ),
        (
            json!({"state": "charge:seen", "url": "ftp://127.0.0.1/"}),
            422,
            "url-not-https",
        ),
        (json!({"state": "charge:seen"}), 400, "missing-field"),
        (
            json!({"state": "charge:seen", "uri": "http://127.0.0.1/"}),
            400,
            "unknown-field",
        ),
    ] {
        let answer = api.send(&create(&wrong)?, &[]).await?.is(status)?;
        // The words for missing and unknown fields are the whole API's.
        ensure!(
            status == 400 || answer.text("code")? == code,
            "{wrong}: {}",
            answer.body
        );
    }
    let listed = api.get(app, "/mapi/webhooks").await?.is(200)?;
    ensure!(listed.body["webhooks"][0]["id"] == id && listed.body["webhooks"][0]["secret"].is_null());

    let path = format!("/mapi/webhooks/{id}");
    let tested = api.post(app, &format!("{path}/test"), &json!({})).await?.is(200)?;
    ensure!(tested.body["delivered"] == true, "{}", tested.body);
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;
    let received = receiver.gets("the event", |received| received.len() == 2).await?;
    let due = api
        .post(
            app,
            &format!("{path}/redeliver"),
            &json!({"event_id": received[1].event()}),
        )
        .await?
        .is(200)?;
    ensure!(due.body["due"] == 1, "{}", due.body);
    receiver.gets("it again", |received| received.len() == 3).await?;
    let listed = api.get(app, &format!("{path}/deliveries")).await?.is(200)?;
    ensure!(
        listed.body["deliveries"][0]["event_id"] == received[1].event(),
        "{}",
        listed.body
    );
    // What a webhook carries, the log of events has too.
    let events = api.get(app, "/mapi/events").await?.is(200)?;
    ensure!(events.body["events"][0] == received[1].json["event"], "{}", events.body);
    let rotated = api
        .post(app, &format!("{path}/rotate"), &json!({"overlap_secs": 60}))
        .await?
        .is(200)?;
    ensure!(rotated.text("secret")? != secret, "the secret is the old one");

    let descriptor = scene.merchant.wallet.descriptor("tr(").await?;
    let other = bitpro_tests::merchant::register(app, "other", &descriptor, &[]).await?;
    let stranger = Api::add(app, &other, "webhooks:write").await?;
    let weak = Api::add(app, &scene.merchant.id, "charges:read charges:write").await?;
    for method in [Method::DELETE, Method::POST] {
        let target = if method == Method::POST {
            format!("{path}/test")
        } else {
            path.clone()
        };
        let foreign = stranger.sign(method.clone(), &target, "", app.now_secs())?;
        stranger.send(&foreign, &[]).await?.is(404)?;
        let refused = weak.sign(method, &target, "", app.now_secs())?;
        weak.send(&refused, &[]).await?.is(403)?;
    }
    let remove = api.sign(Method::DELETE, &path, "", app.now_secs())?;
    api.send(&remove, &[]).await?.is(200)?;
    let listed = api.get(app, "/mapi/webhooks").await?.is(200)?;
    ensure!(listed.body["webhooks"] == json!([]), "{}", listed.body);
    Ok(())
}

/// Kills, by the environment's `KILLS` or this.
const KILLS: usize = 6;
const SEED: u64 = 0x0eb0_0c5e;

#[tokio::test]
async fn kill_nine_under_load_loses_no_event_breaks_no_order_and_invents_none() -> Result<()> {
    let mut scene = scene().await?;
    let receiver = Receiver::start().await?;
    listen(&scene, &receiver, &every_state(), "/hook").await?;
    let mut rng = StdRng::seed_from_u64(SEED);
    let kills = match std::env::var("KILLS") {
        Ok(kills) => kills.parse()?,
        Err(_) => KILLS,
    };
    let mut charges: Vec<Charge> = Vec::new();
    for _ in 0..kills {
        let opened: Vec<Charge> = stream::iter(0..20)
            .map(|_| scene.checkout.open(&scene.merchant, 500))
            .buffer_unordered(8)
            .try_collect()
            .await?;
        let mut payments = Vec::new();
        for charge in &opened {
            let view = scene.checkout.view(charge).await?;
            payments.push((view.address, view.amount_sat));
        }
        scene.pair.wallet.pay_many(&payments).await?;
        if rng.random_bool(0.5) {
            scene.pair.shopper.mine(1).await?;
        }
        charges.extend(opened);
        // The instant of death is what is random here; nothing is waited for.
        tokio::time::sleep(Duration::from_millis(rng.random_range(5..300))).await;
        scene.app.kill()?;
        scene.app.start().await?;
        scene.app.is_well().await?;
    }
    scene.pair.mine(1).await?;
    for charge in &charges {
        scene.becomes(charge, "confirmed", None).await?;
    }
    let wanted = logs(&scene, &charges).await?;
    let all: usize = wanted.values().map(Vec::len).sum();
    let received = receiver
        .gets("every event", |received| {
            received.iter().map(Received::event).collect::<HashSet<_>>().len() >= all
        })
        .await?;
    let mut told: HashMap<&str, Vec<(u64, &str, &str)>> = HashMap::new();
    for one in &received {
        let sequence = one.json["event"]["data"]["sequence"].as_u64().context("no sequence")?;
        let entry = (sequence, one.event(), one.kind());
        let of_charge = told.entry(one.charge()).or_default();
        // A repetition after a death is the same event; what is new comes in order.
        if !of_charge.iter().any(|known| known.1 == entry.1) {
            ensure!(
                of_charge.last().is_none_or(|last| last.0 < sequence),
                "out of order: {of_charge:?}, {entry:?}"
            );
            of_charge.push(entry);
        }
    }
    for (charge, announced) in &wanted {
        let told: Vec<(u64, String)> = told
            .get(charge.as_str())
            .map(|told| {
                told.iter()
                    .map(|(sequence, _, kind)| (*sequence, (*kind).to_owned()))
                    .collect()
            })
            .unwrap_or_default();
        ensure!(
            &told == announced,
            "charge {charge}: told {told:?}, decided {announced:?}"
        );
    }
    ensure!(told.len() == wanted.len(), "events of charges that were never made");
    Ok(())
}

/// What was decided to be told, by charge: the log's own words.
async fn logs(scene: &Scene, charges: &[Charge]) -> Result<BTreeMap<String, Vec<(u64, String)>>> {
    let mut logs = BTreeMap::new();
    for charge in charges {
        let said = scene.app.run(&["charge", "show", &charge.id, "--json"]).await?;
        let shown: Value = serde_json::from_str(&said)?;
        let history = shown["history"].as_array().context("no history")?;
        let announced = history
            .iter()
            .filter(|event| event["kind"] == "announced")
            .filter_map(|event| Some((event["sequence"].as_u64()?, event["says"].as_str()?.to_owned())));
        logs.insert(charge.id.clone(), announced.collect());
    }
    Ok(logs)
}
