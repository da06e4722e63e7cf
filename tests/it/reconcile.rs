//! `bitpro reconcile` beside a real node: nothing is found where nothing is wrong, and what another hand did to the database is.

use anyhow::{Context as _, Result, ensure};
use bitcoin::Txid;
use bitpro_tests::{App, Charge, Pair, Role, Scene, Setup, eventually};
use serde_json::{Value, json};

/// What a comparison printed, and its exit code.
struct Compared {
    code: i32,
    report: Value,
}

impl Compared {
    async fn run(app: &App, options: &[&str]) -> Result<Self> {
        let arguments = [&["reconcile", "--json"], options].concat();
        let (code, printed) = app.run_to_code(&arguments).await?;
        let report = serde_json::from_str(&printed).with_context(|| format!("no report: {printed}\n{}", app.log()))?;
        Ok(Self { code, report })
    }

    /// Codes with charges and whether each was repaired.
    fn found(&self) -> Vec<(String, Option<String>, bool)> {
        let differences = self.report["differences"].as_array().into_iter().flatten();
        differences
            .map(|difference| {
                let text = |name: &str| difference[name].as_str().map(str::to_owned);
                (
                    text("code").unwrap_or_default(),
                    text("charge_id"),
                    difference["repaired"] == true,
                )
            })
            .collect()
    }

    fn finds(&self, code: i32, expected: &[(&str, Option<&Charge>, bool)]) -> Result<()> {
        let expected: Vec<_> = expected
            .iter()
            .map(|(code, charge, repaired)| ((*code).to_owned(), charge.map(|charge| charge.id.clone()), *repaired))
            .collect();
        ensure!(
            self.found() == expected && self.code == code,
            "exit code {}, not {code}; wanted {expected:?} in {:#}",
            self.code,
            self.report
        );
        ensure!(self.report["complete"] == true, "{:#}", self.report);
        Ok(())
    }

    fn notes(&self) -> Vec<&str> {
        let notes = self.report["notes"].as_array().into_iter().flatten();
        notes.filter_map(|note| note["code"].as_str()).collect()
    }
}

/// What another hand does to the database.
async fn meddle(app: &App, statements: &str) -> Result<()> {
    another_hand(app, "db.executescript(sys.argv[2])", &[statements]).await
}

/// Another hand writes `new` for `old`, in whatever text it stands.
async fn reword(app: &App, old: &str, new: &str) -> Result<()> {
    let program = "\
tables = [name for (name,) in db.execute(\"SELECT name FROM sqlite_master WHERE type = 'table'\").fetchall()]
for table in tables:
    for column in [row[1] for row in db.execute(f'PRAGMA table_info({table})').fetchall()]:
        db.execute(f\"UPDATE {table} SET {column} = replace({column}, ?2, ?3) WHERE typeof({column}) = 'text' \"
                   f\"AND instr({column}, ?2)\", (None, *sys.argv[2:]))";
    another_hand(app, program, &[old, new]).await
}

async fn another_hand(app: &App, program: &str, arguments: &[&str]) -> Result<()> {
    let python = std::env::var("BITPRO_PYTHON")
        .context("BITPRO_PYTHON names no interpreter: run the tests by `cargo xtask test integration`")?;
    let program = format!(
        "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1], timeout=30)\n{program}\ndb.commit()\ndb.close()"
    );
    let output = tokio::process::Command::new(python)
        .args(["-c", &program])
        .arg(app.folder().join("bitpro.db"))
        .args(arguments)
        .output()
        .await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// As if the server had never heard of any payment, nor told of one, and yet had read the whole chain.
const FORGET: &str = "DELETE FROM attempts; DELETE FROM deliveries; DELETE FROM outbox; DELETE FROM payments; \
                      DELETE FROM payment_txs; DELETE FROM events; UPDATE charges SET snapshot = NULL, state = 'pending', \
                      reason = NULL, sequence = 0, is_open = 1, is_paid = 0; \
                      DELETE FROM state_counts; \
                      INSERT INTO state_counts SELECT state, COUNT(*) FROM charges GROUP BY state;";

/// Hexadecimal digits in the order of the protocol, which is the reverse of what is printed.
fn reversed(shown: &str) -> String {
    let pairs: Vec<&str> = (0..shown.len())
        .step_by(2)
        .filter_map(|at| shown.get(at..at + 2))
        .collect();
    pairs.into_iter().rev().collect()
}

/// As if the server had read the node's newest blocks, and found nothing in them.
async fn skip_blocks(scene: &Scene) -> Result<()> {
    let rpc = scene.pair.server.rpc();
    let best = scene.pair.server.tip().await?;
    let header: Value = rpc.call("getblockheader", json!([best.hash])).await?;
    let work = header["chainwork"].as_str().context("a header has its work")?;
    let mut statements = format!(
        "UPDATE tip SET height = {}, hash = x'{}', work = x'{work}';",
        best.height,
        reversed(&best.hash.to_string())
    );
    for height in best.height - 2..=best.height {
        let hash: String = rpc.call("getblockhash", json!([height])).await?;
        let hash = reversed(&hash);
        statements.push_str(&format!(
            "INSERT OR REPLACE INTO chain (height, hash) VALUES ({height}, x'{hash}');"
        ));
    }
    meddle(&scene.app, &statements).await
}

async fn confirmed(scene: &Scene) -> Result<(Charge, Txid)> {
    let charge = scene.open().await?;
    let txid = scene.pay_seen(&charge).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await?;
    Ok((charge, txid))
}

/// The kinds of the events in the log of a charge.
async fn history(app: &App, charge: &Charge) -> Result<Vec<String>> {
    let shown: Value = serde_json::from_str(&app.run(&["charge", "show", &charge.id, "--json"]).await?)?;
    let events = shown["history"].as_array().into_iter().flatten();
    Ok(events
        .filter_map(|event| event["kind"].as_str().map(str::to_owned))
        .collect())
}

#[tokio::test]
async fn nothing_is_found_where_nothing_is_wrong_with_a_server_or_without_one() -> Result<()> {
    let mut scene = Scene::start().await?;
    confirmed(&scene).await?;
    let replaced = scene.open().await?;
    let first = scene.pay_seen(&replaced).await?;
    scene.pair.wallet.double_spend(first).await?;
    scene.becomes(&replaced, "pending", None).await?;
    let unpaid = scene.open().await?;
    scene.pass_deadline().await?;
    scene.becomes(&unpaid, "timedout", None).await?;
    let address = scene.checkout.view(&unpaid).await?.address;
    scene.pair.wallet.pay(&address, 84_000).await?;
    scene.becomes(&unpaid, "failed", Some("late")).await?;
    scene.pair.mine(1).await?;
    let height = scene.pair.server.tip().await?.height;
    scene.app.sees_height(height).await?;
    let waiting = scene.open().await?;
    scene.pay_seen(&waiting).await?;

    let compared = Compared::run(&scene.app, &[]).await?;
    compared.finds(0, &[])?;
    ensure!(compared.report["charges"] == 4, "{:#}", compared.report);
    ensure!(compared.report["to_height"] == json!(height), "{:#}", compared.report);
    ensure!(compared.notes().is_empty(), "{:#}", compared.report);
    let metrics = format!("{}/metrics", scene.app.inside_url());
    let metrics = scene.checkout.http().get(&metrics).send().await?.text().await?;
    ensure!(metrics.contains("\nbitpro_reconcile_differences 0\n"), "{metrics}");

    // What comes while no server runs is found at its start: it is no difference.
    scene.app.stop().await?;
    scene.pair.mine(1).await?;
    let compared = Compared::run(&scene.app, &["--fix"]).await?;
    compared.finds(0, &[])?;
    ensure!(compared.notes().contains(&"blocks-ahead"), "{:#}", compared.report);
    Ok(())
}

#[tokio::test]
async fn a_payment_that_was_forgotten_is_found_and_a_repair_lets_the_charge_decide_anew() -> Result<()> {
    let mut scene = Scene::start().await?;
    let (charge, _) = confirmed(&scene).await?;
    let told = history(&scene.app, &charge).await?;
    scene.app.stop().await?;
    meddle(&scene.app, FORGET).await?;

    let looked = Compared::run(&scene.app, &[]).await?;
    looked.finds(1, &[("payment-missing", Some(&charge), false)])?;
    ensure!(
        history(&scene.app, &charge).await?.is_empty(),
        "looking has changed something"
    );

    let repaired = Compared::run(&scene.app, &["--fix"]).await?;
    repaired.finds(0, &[("payment-missing", Some(&charge), true)])?;
    let told_again = history(&scene.app, &charge).await?;
    for kind in ["payment_found", "state_changed", "announced"] {
        ensure!(told.iter().any(|told| told == kind), "{told:?}");
        ensure!(told_again.iter().any(|told| told == kind), "{told_again:?}");
    }
    Compared::run(&scene.app, &[]).await?.finds(0, &[])?;
    scene.app.start().await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn what_a_repair_found_beside_a_running_server_is_followed_by_its_watcher() -> Result<()> {
    let mut scene = Scene::start().await?;
    let charge = scene.open().await?;
    let txid = scene.pay_seen(&charge).await?;
    let payment = scene.pair.wallet.transaction(txid).await?;
    let conflict = scene.pair.wallet.conflict_with(&payment).await?;
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await?;
    scene.app.stop().await?;
    meddle(&scene.app, FORGET).await?;
    scene.app.start().await?;
    scene.app.is_well().await?;
    scene.becomes(&charge, "pending", None).await?;
    Compared::run(&scene.app, &["--fix"])
        .await?
        .finds(0, &[("payment-missing", Some(&charge), true)])?;
    scene.becomes(&charge, "confirmed", Some("exact")).await?;
    // Its block leaves the chain, and its coins are mined away from us: only who follows it can notice.
    scene.pair.part().await?;
    let tip = scene.pair.shopper.tip().await?;
    scene
        .pair
        .shopper
        .rpc()
        .value("invalidateblock", json!([tip.hash]))
        .await?;
    scene.pair.shopper.mine_only(&[conflict]).await?;
    scene.pair.shopper.mine_empty(1).await?;
    scene.pair.join().await?;
    scene.becomes(&charge, "pending", None).await?;
    Compared::run(&scene.app, &[]).await?.finds(0, &[])
}

#[tokio::test]
async fn a_payment_in_a_block_that_was_skipped_is_found_where_it_is() -> Result<()> {
    let mut scene = Scene::start().await?;
    let charge = scene.open().await?;
    scene.pay_seen(&charge).await?;
    scene.app.stop().await?;
    scene.pair.mine(1).await?;
    skip_blocks(&scene).await?;
    scene.app.start().await?;
    Compared::run(&scene.app, &[])
        .await?
        .finds(1, &[("payment-elsewhere", Some(&charge), false)])?;
    scene.becomes(&charge, "seen", None).await?;
    Compared::run(&scene.app, &["--fix"])
        .await?
        .finds(0, &[("payment-elsewhere", Some(&charge), true)])?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn r03_what_a_skipped_block_took_the_place_of_is_found_and_lost() -> Result<()> {
    let mut scene = Scene::start().await?;
    let charge = scene.open().await?;
    let first = scene.pay_seen(&charge).await?;
    let payment = scene.pair.wallet.transaction(first).await?;
    let conflict = scene.pair.wallet.conflict_with(&payment).await?;
    scene.app.stop().await?;
    scene.pair.shopper.mine_only(&[conflict]).await?;
    scene.pair.agree().await?;
    skip_blocks(&scene).await?;
    scene.app.start().await?;
    let looked = Compared::run(&scene.app, &[]).await?;
    looked.finds(1, &[("payment-replaced", Some(&charge), false)])?;
    ensure!(
        looked.notes().contains(&"payment-not-in-mempool"),
        "{:#}",
        looked.report
    );
    Compared::run(&scene.app, &["--fix"])
        .await?
        .finds(0, &[("payment-replaced", Some(&charge), true)])?;
    scene.becomes(&charge, "pending", None).await
}

#[tokio::test]
async fn a_payment_whose_block_left_the_chain_unnoticed_is_found_and_unconfirmed_again() -> Result<()> {
    let mut scene = Scene::start().await?;
    let (charge, _) = confirmed(&scene).await?;
    scene.app.stop().await?;
    scene.pair.server.undo(1).await?;
    skip_blocks(&scene).await?;
    scene.app.start().await?;
    scene.becomes(&charge, "confirmed", None).await?;
    Compared::run(&scene.app, &[])
        .await?
        .finds(1, &[("payment-not-in-chain", Some(&charge), false)])?;
    Compared::run(&scene.app, &["--fix"])
        .await?
        .finds(0, &[("payment-not-in-chain", Some(&charge), true)])?;
    scene.becomes(&charge, "seen", None).await?;
    scene.pair.server.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}

#[tokio::test]
async fn a_payment_whose_transaction_was_deleted_is_followed_again_after_a_repair() -> Result<()> {
    let scene = Scene::start().await?;
    let charge = scene.open().await?;
    let first = scene.pay_seen(&charge).await?;
    meddle(&scene.app, "DELETE FROM payment_txs;").await?;
    Compared::run(&scene.app, &[])
        .await?
        .finds(1, &[("transaction-missing", Some(&charge), false)])?;
    Compared::run(&scene.app, &["--fix"])
        .await?
        .finds(0, &[("transaction-missing", Some(&charge), true)])?;
    scene.becomes(&charge, "seen", None).await?;
    // What it spends is known again, and so is its loss.
    let payment = scene.pair.wallet.transaction(first).await?;
    let conflict = scene.pair.wallet.conflict_with(&payment).await?;
    scene.pair.shopper.mine_only(&[conflict]).await?;
    scene.pair.agree().await?;
    scene.becomes(&charge, "pending", None).await
}

#[tokio::test]
async fn r03_a_transaction_that_another_hand_has_changed_is_found_and_written_anew_by_a_repair() -> Result<()> {
    let mut scene = Scene::start().await?;
    let charge = scene.open().await?;
    let first = scene.pay_seen(&charge).await?;
    scene.app.stop().await?;
    for change in ["followed = 0", "inputs = zeroblob(length(inputs))", "raw = x'00'"] {
        meddle(&scene.app, &format!("UPDATE payment_txs SET {change};")).await?;
        Compared::run(&scene.app, &[])
            .await?
            .finds(1, &[("transaction-changed", Some(&charge), false)])?;
        Compared::run(&scene.app, &["--fix"])
            .await?
            .finds(0, &[("transaction-changed", Some(&charge), true)])?;
        Compared::run(&scene.app, &[]).await?.finds(0, &[])?;
    }
    // What it truly spends is looked for, whatever is stored of it: its loss is found, and told once the charge decides.
    let payment = scene.pair.wallet.transaction(first).await?;
    let conflict = scene.pair.wallet.conflict_with(&payment).await?;
    scene.pair.shopper.mine_only(&[conflict]).await?;
    scene.pair.agree().await?;
    meddle(&scene.app, "UPDATE payment_txs SET inputs = zeroblob(length(inputs));").await?;
    scene.app.start().await?;
    scene.becomes(&charge, "pending", None).await?;
    Compared::run(&scene.app, &["--fix"])
        .await?
        .finds(0, &[("transaction-changed", Some(&charge), true)])?;
    Compared::run(&scene.app, &[]).await?.finds(0, &[])
}

#[tokio::test]
async fn an_invented_payment_is_found_and_not_believed() -> Result<()> {
    let mut scene = Scene::start().await?;
    let (charge, txid) = confirmed(&scene).await?;
    scene.app.stop().await?;
    // The whole database agrees on another transaction, which never was.
    let invented = "ab".repeat(32);
    let real = reversed(&txid.to_string());
    reword(&scene.app, &txid.to_string(), &invented).await?;
    let statements =
        format!("UPDATE payments SET txid = x'{invented}' WHERE txid = x'{real}'; DELETE FROM payment_txs;");
    meddle(&scene.app, &statements).await?;
    Compared::run(&scene.app, &[]).await?.finds(
        1,
        &[
            ("payment-missing", Some(&charge), false),
            ("transaction-missing", Some(&charge), false),
            ("payment-not-in-chain", Some(&charge), false),
        ],
    )?;
    // The real one is found; how the other was lost, nothing proves.
    Compared::run(&scene.app, &["--fix"]).await?.finds(
        1,
        &[
            ("payment-missing", Some(&charge), true),
            ("transaction-missing", Some(&charge), false),
            ("payment-not-in-chain", Some(&charge), false),
        ],
    )
}

#[tokio::test]
async fn a_row_or_an_address_that_another_hand_wrote_is_found_and_not_decided_about() -> Result<()> {
    let mut scene = Scene::start().await?;
    let (charge, _) = confirmed(&scene).await?;
    let victim = scene.open().await?;
    scene.app.stop().await?;
    let id = victim.id.replace('-', "");
    let statements = format!(
        "{FORGET} UPDATE charges SET state = 'confirmed' WHERE id <> x'{id}'; \
         UPDATE state_counts SET charges = 1; INSERT INTO state_counts VALUES ('confirmed', 1); \
         UPDATE scripts SET script = x'00140000000000000000000000000000000000000001' \
         WHERE id = (SELECT script FROM charges WHERE id = x'{id}');"
    );
    meddle(&scene.app, &statements).await?;
    for options in [&[][..], &["--fix"]] {
        Compared::run(&scene.app, options).await?.finds(
            1,
            &[
                ("payment-missing", Some(&charge), false),
                ("row-not-log", Some(&charge), false),
                ("charge-changed", Some(&victim), false),
                ("script-not-derived", Some(&victim), false),
            ],
        )?;
        ensure!(history(&scene.app, &charge).await?.is_empty(), "it was decided about");
    }
    Ok(())
}

#[tokio::test]
async fn by_itself_the_server_compares_and_readyz_tells_of_a_difference() -> Result<()> {
    let pair = Pair::start().await?;
    let setup = Setup::beside(&pair.server, &pair.clock).with("BITPRO_RECONCILE_EVERY_SECS", "1");
    let scene = Scene::on(pair, setup, &[]).await?;
    confirmed(&scene).await?;
    meddle(&scene.app, "UPDATE payments SET value = value + 1").await?;
    let ready = format!("{}/readyz", scene.app.inside_url());
    let told = |degraded: bool| {
        let asking = scene.checkout.http().get(&ready).send();
        async move {
            let answer = asking.await?.text().await?;
            ensure!(answer.contains("reconcile") == degraded, "{answer}");
            Ok(())
        }
    };
    eventually("/readyz to tell of the difference", || told(true)).await?;
    ensure!(scene.app.log().contains("payments-not-log"), "{}", scene.app.log());
    meddle(&scene.app, "UPDATE payments SET value = value - 1").await?;
    eventually("/readyz to be content again", || told(false)).await
}

#[tokio::test]
async fn a_node_that_is_away_leaves_the_rest_to_be_compared_and_the_exit_code_says_so() -> Result<()> {
    let mut scene = Scene::start().await?;
    confirmed(&scene).await?;
    scene.pair.server.stop().await?;
    let compared = Compared::run(&scene.app, &[]).await?;
    ensure!(
        compared.code == 1 && compared.found().is_empty(),
        "{:#}",
        compared.report
    );
    ensure!(compared.report["complete"] == false, "{:#}", compared.report);
    ensure!(compared.notes() == ["chain-not-read"], "{:#}", compared.report);
    ensure!(compared.report["charges"] == 1, "{:#}", compared.report);
    Ok(())
}

#[tokio::test]
async fn a_height_above_the_chain_is_refused() -> Result<()> {
    let scene = Scene::start().await?;
    let height = (scene.pair.server.tip().await?.height + 1).to_string();
    let (code, _) = scene.app.run_to_code(&["reconcile", "--from", &height]).await?;
    ensure!(code == 2, "{code}");
    let (code, _) = scene.app.run_to_code(&["reconcile", "--from", "many"]).await?;
    ensure!(code == 2, "{code}");
    Ok(())
}

#[tokio::test]
async fn of_deleted_blocks_the_utxo_set_tells_and_the_report_says_what_was_not_looked_at() -> Result<()> {
    let pair = Pair::start_with(Role::PrunedServer).await?;
    let setup = Setup::beside(&pair.server, &pair.clock);
    let scene = Scene::on(pair, setup, &[]).await?;
    let (charge, _) = confirmed(&scene).await?;
    let paid_at = scene.pair.server.tip().await?.height;
    // A pruned node serves no peer that is far behind, so the shopper's has to keep up.
    for _ in 0..7 {
        scene.pair.server.mine(100).await?;
        scene.pair.agree().await?;
    }
    scene.app.sees_height(paid_at + 700).await?;
    let pruned: u32 = scene
        .pair
        .server
        .rpc()
        .call("pruneblockchain", json!([paid_at + 300]))
        .await?;
    ensure!(pruned > paid_at, "block {paid_at} is still there: pruned to {pruned}");
    let compared = Compared::run(&scene.app, &[]).await?;
    compared.finds(0, &[])?;
    ensure!(compared.notes().contains(&"blocks-pruned"), "{:#}", compared.report);
    meddle(&scene.app, FORGET).await?;
    Compared::run(&scene.app, &[])
        .await?
        .finds(1, &[("payment-missing", Some(&charge), false)])?;
    Compared::run(&scene.app, &["--fix"])
        .await?
        .finds(0, &[("payment-missing", Some(&charge), true)])?;
    scene.becomes(&charge, "confirmed", Some("exact")).await
}
