//! How many signed reads of the merchant API a second, beside the emptiest answer that the same HTTP library gives.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use bitpro_tests::Api;
use reqwest::Method;

use super::status::load;
use crate::peer::{Kind, Peer};
use crate::row::{Row, at_least};
use crate::samples::Samples;
use crate::stage::{CENTS, Stage};

/// The rows.
pub const ROWS: [&str; 1] = ["api-reads"];

const ROUNDS: usize = 9;
/// Signed ahead for each round: more than a round can use, for a nonce counts once.
const SIGNED: usize = 200_000;

/// Takes the next signature for each request. The file's name is the script's argument.
const SCRIPT: &str = r#"
local signed, at = {}, 0
function init(arguments)
  for line in io.lines(arguments[1]) do
    local timestamp, authorization = line:match("^(%d+) (.*)$")
    signed[#signed + 1] = { ["Authorization"] = authorization, ["X-Authorization-Timestamp"] = timestamp }
  end
end
function request()
  at = at + 1
  return wrk.format("GET", nil, signed[at])
end
"#;

/// Measures it.
pub async fn measure() -> Result<Vec<Row>> {
    let stage = Stage::start(10, 1).await?;
    let api = Api::add(&stage.app, &stage.merchants[0], "charges:read").await?;
    let charge = stage.charge(CENTS).await?;
    let id = charge.path.rsplit('/').next().context("a charge without an id")?;
    let target = format!("/mapi/charges/{id}");
    let peer = Peer::start(Kind::Axum).await?;
    let script = stage.app.folder().join("signed.lua");
    std::fs::write(&script, SCRIPT)?;
    let script = script.display().to_string();
    let signed = stage.app.folder().join("signed.txt");
    let signed_name = signed.display().to_string();
    let (mut reads, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        empty.push(load(peer.port, "/", &[], &[]).await?);
        sign(&api, &target, stage.app.now_secs(), &signed)?;
        let more = ["--script", script.as_str()];
        reads.push(load(stage.port(), &target, &more, &["--", &signed_name]).await?);
    }
    let reads = Samples::of(reads).context("nothing was measured")?;
    let empty = Samples::of(empty).context("nothing was measured")?;
    let row = Row::new("api-reads", "signed reads of a charge per second", "1/s")
        .rates(&reads)
        .beside("axum's empty GET /", empty.median())
        .bars(
            [at_least("p50", 0.2 * empty.median())],
            [at_least("p50", 0.5 * empty.median())],
        )
        .note("wrk, 1 thread, 32 connections, 2 s a round, in turns; signed ahead, answers signed by the server");
    Ok(vec![row])
}

/// Writes signed requests to a file, one a line.
fn sign(api: &Api, target: &str, now: i64, file: &Path) -> Result<()> {
    let mut lines = String::new();
    for _ in 0..SIGNED {
        let signed = api.sign(Method::GET, target, "", now)?;
        writeln!(lines, "{} {}", signed.headers[1].1, signed.headers[0].1)?;
    }
    Ok(std::fs::write(file, lines)?)
}
