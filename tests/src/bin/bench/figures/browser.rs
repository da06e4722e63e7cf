//! What the shopper gets to see, and when: measured by a script in the real Chromium.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use bitcoin::consensus::encode::serialize_hex;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::peer::{Kind, Peer};
use crate::row::{Row, at_most};
use crate::samples::Samples;
use crate::stage::{CENTS, Charge, Stage};

/// The rows.
pub const ROWS: [&str; 7] = ["fcp", "lcp", "live", "cls", "inp", "foreign", "browser"];

/// Page loads of each kind.
const LOADS: usize = 9;
/// Payments that are timed from the node to the screen.
const PAYMENTS: usize = 120;

/// What the script has to do.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    origin: String,
    /// A page with nothing on it, from a server with nothing else to do.
    blank: String,
    link: String,
    loads: usize,
    /// Pages of charges that nobody pays: two for each load.
    unpaid: Vec<String>,
    /// Pages that are used from the first look to the end, and what pays them.
    lived: Vec<Paid>,
    /// Pages to be paid while somebody looks, and what pays them.
    timed: Vec<Paid>,
    node: NodeAccess,
}

#[derive(Serialize)]
struct Paid {
    page: String,
    transaction: String,
}

#[derive(Serialize)]
struct NodeAccess {
    url: String,
    cookie: PathBuf,
}

/// What the script measured; times in milliseconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    chromium: String,
    fcp: Vec<f64>,
    lcp: Vec<f64>,
    live: Vec<f64>,
    hydrated: Vec<f64>,
    blank: Vec<f64>,
    redirect: Vec<f64>,
    /// Layout shift over a whole life: opened, used, paid, confirmed.
    cls: Vec<f64>,
    /// The longest interaction of such a life.
    inp: Vec<f64>,
    /// The same with the processor four times slower.
    slow_inp: Vec<f64>,
    interactions: usize,
    foreign_requests: Vec<String>,
    cookies: usize,
    stored: Vec<String>,
    latency: Vec<f64>,
}

/// Measures them.
pub async fn measure() -> Result<Vec<Row>> {
    let mut stage = Stage::start(PAYMENTS + 2 * LOADS + 10, 1).await?;
    let peer = Peer::start(Kind::Axum).await?;
    let job = job(&mut stage, &peer).await?;
    rows(&run(&job).await?)
}

async fn job(stage: &mut Stage, peer: &Peer) -> Result<Job> {
    let origin = stage.app.url();
    let mut paths = stage.create_many(2 * LOADS, 1).await?;
    paths.iter_mut().for_each(|path| path.insert_str(0, &origin));
    let lived = stage.create_many(2 * LOADS, 1).await?;
    let timed = stage.create_many(PAYMENTS, 1).await?;
    let lived = stage.read_many(lived).await?;
    let timed = stage.read_many(timed).await?;
    Ok(Job {
        blank: format!("http://localhost:{}/page", peer.port),
        link: format!("{origin}{}", stage.link(0, CENTS)),
        loads: LOADS,
        unpaid: paths,
        lived: paid(stage, &origin, lived)?,
        timed: paid(stage, &origin, timed)?,
        node: NodeAccess {
            url: stage.chain.node.rpc().url().to_owned(),
            cookie: stage.chain.node.rpc().cookie().to_owned(),
        },
        origin,
    })
}

fn paid(stage: &mut Stage, origin: &str, charges: Vec<Charge>) -> Result<Vec<Paid>> {
    let mut paid = Vec::with_capacity(charges.len());
    for charge in charges {
        let transaction = stage.chain.payment(&charge.script, charge.sats)?;
        paid.push(Paid {
            page: format!("{origin}{}", charge.path),
            transaction: serialize_hex(&transaction),
        });
    }
    Ok(paid)
}

/// Runs the script; its standard error is the progress.
async fn run(job: &Job) -> Result<Measured> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let place = tempfile::Builder::new().prefix("bitpro-browser-").tempdir()?;
    let order = place.path().join("job.json");
    std::fs::write(&order, serde_json::to_vec(job)?)?;
    let output = Command::new("node")
        .args(["--experimental-strip-types", "--disable-warning=ExperimentalWarning"])
        .arg("bench/page.ts")
        .arg(&order)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot run node: `cargo xtask bench` puts Node.js 22 on PATH")?
        .wait_with_output()
        .await?;
    ensure!(
        output.status.success(),
        "the browser's script ended with {}",
        output.status
    );
    serde_json::from_slice(&output.stdout).context("the browser's script told no figures")
}

fn rows(measured: &Measured) -> Result<Vec<Row>> {
    let samples = |values: &[f64]| Samples::of(values.to_vec()).context("the browser's script measured nothing");
    let blank = samples(&measured.blank)?.median();
    let paint = |name, what, values: &[f64], floor, goal| -> Result<Row> {
        Ok(Row::new(name, what, "ms")
            .rounds(&samples(values)?)
            .beside("first paint of a page with one line", blank)
            .bars([at_most("p50", floor)], [at_most("p50", goal)]))
    };
    let profile = "1.6 Mbit/s, 150 ms, processor 4 times slower";
    let interactions = samples(&measured.inp)?;
    let count = |count: usize| -> Result<f64> { Ok(f64::from(u32::try_from(count)?)) };
    let foreign = measured.foreign_requests.len() + measured.cookies + measured.stored.len();
    Ok(vec![
        paint("fcp", "first contentful paint", &measured.fcp, 600.0, 400.0)?.note(format!(
            "{profile}; {}; the link's redirect before it takes {:.0} ms",
            measured.chromium,
            samples(&measured.redirect)?.median()
        )),
        paint("lcp", "largest contentful paint", &measured.lcp, 600.0, 400.0)?.note(profile),
        paint("live", "first event of the stream shown", &measured.live, 900.0, 600.0)?.note(format!(
            "{profile}; taken over by WASM at {:.0} ms",
            samples(&measured.hydrated)?.median()
        )),
        Row::new("cls", "layout shift, from opened to confirmed", "")
            .rounds(&samples(&measured.cls)?)
            .bars([at_most("max", 0.0)], [at_most("max", 0.0)]),
        Row::new("inp", "longest interaction", "ms")
            .rounds(&interactions)
            .bars([at_most("p50", 50.0)], [at_most("p50", 16.0)])
            .note(format!(
                "{} interactions a round, of which Chromium tells none below 16 ms; processor 4 times slower: p50 {:.0} ms",
                measured.interactions,
                samples(&measured.slow_inp)?.median()
            )),
        Row::new("foreign", "requests elsewhere, cookies, stored items", "")
            .number("count", count(foreign)?)
            .bars([at_most("count", 0.0)], [at_most("count", 0.0)])
            .note(if foreign == 0 {
                "over all page loads of this run".to_owned()
            } else {
                format!(
                    "{:?}; {} cookies; {:?}",
                    measured.foreign_requests, measured.cookies, measured.stored
                )
            }),
        Row::new("browser", "sendrawtransaction called to visible in Chromium", "ms")
            .latency(&samples(&measured.latency)?)
            .bars([at_most("p99", 150.0)], [at_most("p99", 50.0)]),
    ])
}
