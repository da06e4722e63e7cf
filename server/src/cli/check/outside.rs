//! Asking the public address from outside in: does this server answer there, and does a proxy in front hand on what it needs?

mod client;
mod judge;

use std::path::Path;
use std::time::Duration;

use bitpro_config::{Config, PublicUrl};
use bitpro_node::{CheckLine, Level};
use bitpro_operator::admin::{self, Command};
use http::StatusCode;
use serde_json::Value;

use client::{Client, Got, Trouble};
use judge::Judge;

/// How long an event may take. Each is sent at once; what comes later was held back.
const AN_EVENT: Duration = Duration::from_secs(4);
/// Events that are waited for; one more follows, with which the stream ends.
const EVENTS: usize = 2;
/// An address that no request of ours comes from (RFC 5737): whoever counts as that has chosen it freely.
const INVENTED: &str = "192.0.2.77";

/// A token of the running server; `None` when none runs.
pub(super) async fn token(config: &Config) -> Option<String> {
    let asked = admin::ask(&config.admin_socket, &Command::Knock, admin::HEARD_WITHIN).await;
    let reply = asked.ok()?.ok()?;
    reply["token"].as_str().map(str::to_owned)
}

/// The lines about the public addresses, asked with the server's `token`.
pub(super) async fn lines(config: &Config, token: Option<&str>) -> Vec<CheckLine> {
    let Some(token) = token else {
        let text = "no server runs, so nothing was asked through public_url: check again once it runs";
        return vec![CheckLine::new("outside", Level::Fine, text)];
    };
    let local;
    let public_url = match &config.public_url {
        Some(url) => url,
        None => {
            local = config.public_origin().parse::<PublicUrl>();
            match &local {
                Ok(url) => url,
                Err(()) => return Vec::new(),
            }
        }
    };
    let mut lines = asked(config, public_url, "public_url", token).await;
    if let Some(url) = &config.dashboard_url {
        lines.extend(asked(config, url, "dashboard_url", token).await);
    }
    lines
}

async fn asked(config: &Config, url: &PublicUrl, setting: &'static str, token: &str) -> Vec<CheckLine> {
    let judge = Judge { config, url, setting };
    let client = match Client::new(url.origin()) {
        Ok(client) => client,
        Err(why) => return vec![judge.failure(why)],
    };
    let path = format!("/app/check/{token}");
    let got = match client.get(&path, &[("x-forwarded-for", INVENTED)]).await {
        Ok(got) => got,
        Err(trouble) => return vec![judge.unreachable(&trouble)],
    };
    let Some(told) = ours(&got, token) else {
        return vec![judge.stranger(&got)];
    };
    let mut lines = judge.request(&got, &told, INVENTED);
    lines.push(judge.stream(streams(&client, &path).await));
    if url.is_https() {
        lines.push(judge.http2(client.speaks_http2().await));
        lines.extend(judge.plain(client.plain().await));
    }
    lines
}

/// What this server told of the request; `None` when somebody else answered.
fn ours(got: &Got, token: &str) -> Option<Value> {
    if got.status != StatusCode::OK {
        return None;
    }
    let told: Value = serde_json::from_slice(&got.body).ok()?;
    (told["token"] == token).then_some(told)
}

/// How a stream came through.
enum Streamed {
    /// Its events came at once.
    AtOnce,
    /// They came only when the stream had ended.
    AtTheEnd,
    /// They did not come.
    Not(String),
}

/// Each event is said to have arrived, whether it has or not: the server sends the next one then, and ends the stream after the last.
async fn streams(client: &Client, path: &str) -> Streamed {
    let mut stream = match client.stream(&format!("{path}/events")).await {
        Ok(stream) => stream,
        // Everything else was answered: what does not even begin is held back as a whole.
        Err(Trouble::Late(_)) => return Streamed::AtTheEnd,
        Err(trouble) => return Streamed::Not(trouble.to_string()),
    };
    let mut in_time = true;
    // The first may come along with the head of the answer, also where the later ones are held back.
    for _ in 0..EVENTS {
        in_time = in_time && matches!(tokio::time::timeout(AN_EVENT, stream.more()).await, Ok(Ok(())));
        if let Err(trouble) = client.get(&format!("{path}/arrived"), &[]).await {
            return Streamed::Not(trouble.to_string());
        }
    }
    if in_time {
        return Streamed::AtOnce;
    }
    match tokio::time::timeout(AN_EVENT, stream.more()).await {
        Ok(Ok(())) => Streamed::AtTheEnd,
        Ok(Err(why)) => Streamed::Not(why),
        Err(_) => Streamed::Not("nothing came".to_owned()),
    }
}

/// The proxy's ready-made files.
pub(in crate::cli) fn examples() -> &'static str {
    let packaged = "/usr/share/doc/bitpro/examples";
    match Path::new(packaged).is_dir() {
        true => packaged,
        false => "server/packaging/proxy",
    }
}
