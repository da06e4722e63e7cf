//! The packaged files for nginx and Caddy in front of the server, and what `bitpro check` says of them from outside in.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::{App, Pair, Proxy, ProxyKind, Scene, Setup};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// A scene whose shoppers come through a proxy that is set up by the packaged file, with `changes`.
async fn behind(kind: ProxyKind, changes: &[(&str, &str)]) -> Result<(Scene, Proxy)> {
    let port = Proxy::free_port()?;
    let pair = Pair::start().await?;
    let setup = Setup::beside(&pair.server, &pair.clock)
        .with("BITPRO_PUBLIC_URL", &format!("https://localhost:{port}"))
        .with("BITPRO_TRUSTED_PROXIES", "127.0.0.1, ::1");
    let scene = Scene::on(pair, setup, &[]).await?;
    let target = scene.app.url().replace("http://localhost", "127.0.0.1");
    let proxy = Proxy::packaged(kind, port, &target, changes).await?;
    Ok((scene, proxy))
}

/// What `bitpro check` says of the public address: whether all is well, and its lines.
async fn checked(app: &App, proxy: &Proxy) -> Result<(bool, Vec<Value>)> {
    let mut command = Command::from(app.command()?);
    command
        .args(["check", "--json"])
        .env("SSL_CERT_FILE", proxy.certificate());
    let output = command.output().await?;
    let lines: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    let told = lines.into_iter().filter(|line| line["subject"] == "outside");
    Ok((output.status.success(), told.collect()))
}

/// What a shopper without a browser gets.
fn curl(proxy: &Proxy, path: &str) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--http2", "--cacert"])
        .arg(proxy.certificate())
        .args([
            "--header",
            "Sec-Fetch-Mode: navigate",
            "--header",
            "Sec-Fetch-Dest: document",
        ])
        .arg(format!("{}{path}", proxy.url()));
    curl
}

async fn serves_and_is_found_well(kind: ProxyKind) -> Result<()> {
    let (scene, proxy) = behind(kind, &[]).await?;
    let (is_well, lines) = checked(&scene.app, &proxy).await?;
    ensure!(is_well, "{lines:#?}");
    ensure!(lines.iter().all(|line| line["level"] == "ok"), "{lines:#?}");
    for part in [
        "this server answers",
        "own address (127.0.0.2)",
        "arrive at once",
        "security headers",
        "HTTP/2",
    ] {
        let told = lines
            .iter()
            .any(|line| line["says"].as_str().is_some_and(|says| says.contains(part)));
        ensure!(told, "{part} is not told: {lines:#?}");
    }

    let link = format!("{}?fiat_price_cents=4200", scene.merchant.path());
    let made = curl(&proxy, &link)
        .args([
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_version} %{redirect_url}",
        ])
        .output()
        .await?;
    let made = String::from_utf8(made.stdout)?;
    let (version, charge) = made.split_once(' ').context("no redirect")?;
    ensure!(version == "2", "HTTP/{version} is spoken");
    let path = charge
        .strip_prefix(&proxy.url())
        .and_then(|path| path.split('?').next())
        .with_context(|| format!("it leads to {charge}"))?;
    let page = curl(&proxy, path).output().await?;
    ensure!(
        String::from_utf8_lossy(&page.stdout).contains("bitcoin:"),
        "no page comes through"
    );

    // The first event comes while the stream stays open.
    let mut stream = curl(&proxy, &format!("{path}/events"));
    let mut stream = stream
        .args(["--no-buffer", "--fail-with-body"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(stream.stdout.take().context("no output")?).lines();
    while let Some(line) = lines.next_line().await? {
        if line.starts_with("data:") {
            ensure!(line.contains("pending"), "{line}");
            return Ok(());
        }
    }
    anyhow::bail!("the stream ended without an event")
}

#[tokio::test]
async fn behind_nginx_as_packaged_pages_and_streams_come_through_and_the_check_is_green() -> Result<()> {
    serves_and_is_found_well(ProxyKind::Nginx).await
}

#[tokio::test]
async fn behind_caddy_as_packaged_pages_and_streams_come_through_and_the_check_is_green() -> Result<()> {
    serves_and_is_found_well(ProxyKind::Caddy).await
}

#[tokio::test]
async fn a_proxy_that_is_set_up_wrongly_is_told_what_is_wrong() -> Result<()> {
    let forwarded = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;";
    let host = "proxy_set_header Host $http_host;";
    let http1 = "proxy_http_version 1.1;";
    let connection = "proxy_set_header Connection \"\";";
    let unbuffered = "proxy_buffering off;";
    let held = "proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;";
    let nothing = "proxy_set_header X-Forwarded-For \"\";";
    let passed_on = "proxy_set_header X-Forwarded-For $http_x_forwarded_for;";
    let (scene, proxy) = behind(ProxyKind::Nginx, &[(host, "")]).await?;
    let target = scene.app.url().replace("http://localhost", "127.0.0.1");
    let port = proxy.port();
    let mut running = Some(proxy);
    for (changes, wrong) in [
        (&[(host, "")][..], "the proxy passes on the Host \"bitpro\""),
        (&[(forwarded, nothing)], "does not say who asks"),
        (&[(forwarded, "")], "as the client wrote it"),
        (&[(forwarded, passed_on)], "as the client wrote it"),
        (
            &[(unbuffered, held), (http1, ""), (connection, "")],
            "holds events back until a stream ends",
        ),
        (
            &[(http1, "proxy_http_version 1.1; proxy_hide_header Referrer-Policy;")],
            "removes referrer-policy",
        ),
        (&[("ssl http2", "ssl")], "speaks no HTTP/2"),
        (
            &[(&*target, "127.0.0.1:1")],
            "the proxy cannot reach the server (HTTP 502)",
        ),
    ] {
        drop(running.take());
        let proxy = Proxy::packaged(ProxyKind::Nginx, port, &target, changes).await?;
        let (is_well, lines) = checked(&scene.app, &proxy).await?;
        let told = lines.iter().filter(|line| line["level"] != "ok");
        let told: Vec<&str> = told.filter_map(|line| line["says"].as_str()).collect();
        ensure!(
            told.len() == 1 && told[0].contains(wrong),
            "{changes:?} is told as {told:#?}"
        );
        ensure!(is_well == (wrong == "speaks no HTTP/2"), "{changes:?}: {lines:#?}");
        running = Some(proxy);
    }

    // Nor is a certificate taken that no browser takes, a proxy that is not trusted, or a name behind which nobody is.
    let (_, lines) = checked_with(&scene.app, &[]).await?;
    ensure!(lines.contains("no browser would trust it"), "{lines}");
    drop(running.take());
    let (_, lines) = checked_with(&scene.app, &[]).await?;
    ensure!(lines.contains("nobody can be reached there"), "{lines}");
    let proxy = Proxy::packaged(ProxyKind::Nginx, port, &target, &[]).await?;
    let certificate = proxy.certificate().display().to_string();
    let distrusted = [
        ("BITPRO_TRUSTED_PROXIES", "10.0.0.0/8"),
        ("SSL_CERT_FILE", &*certificate),
    ];
    let (code, lines) = checked_with(&scene.app, &distrusted).await?;
    ensure!(
        code == 1 && lines.contains("add 127.0.0.1 to trusted_proxies"),
        "{lines}"
    );
    Ok(())
}

/// The exit code and the lines for people, with other variables.
async fn checked_with(app: &App, variables: &[(&str, &str)]) -> Result<(i32, String)> {
    let mut command = Command::from(app.command()?);
    let output = command.arg("check").envs(variables.iter().copied()).output().await?;
    let code = output.status.code().context("it was killed")?;
    Ok((code, String::from_utf8(output.stdout)?))
}
