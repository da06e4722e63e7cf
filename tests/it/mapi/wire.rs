//! The API byte by byte: what no usual client sends.

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::mapi::Signed;
use bitpro_tests::{Api, App, Pair, Scene, Setup, merchant};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Sends `text` as it is, and gives the status and the code of the problem, if it is one.
async fn raw(api: &Api, text: &[u8]) -> Result<(u16, String)> {
    let port = api.host().rsplit(':').next().context("no port")?;
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).await?;
    stream.write_all(text).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).context("no status")?.parse()?;
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    let document: Value = serde_json::from_str(body).unwrap_or_default();
    Ok((status, document["code"].as_str().unwrap_or_default().to_owned()))
}

/// The head of a signed request, without the empty line at its end.
fn head(api: &Api, signed: &Signed) -> String {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
        signed.method,
        signed.target,
        api.host()
    );
    for (name, value) in &signed.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

#[tokio::test]
async fn r33_a_body_needs_its_hash_chunked_too() -> Result<()> {
    let scene = Scene::start().await?;
    let api = Api::add(&scene.app, &scene.merchant.id, "charges:read charges:write").await?;
    let body = json!({"fiat_price_cents": 4200}).to_string();
    let chunked = format!(
        "transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let now = scene.app.now_secs();
    let good = api.sign(Method::POST, "/mapi/charges", &body, now)?;
    let (status, code) = raw(&api, format!("{}{chunked}", head(&api, &good)).as_bytes()).await?;
    ensure!(status == 201, "{status} {code}");
    // Signed as if it had no body.
    let bare = api.sign(Method::POST, "/mapi/charges", "", now)?;
    let (status, code) = raw(&api, format!("{}{chunked}", head(&api, &bare)).as_bytes()).await?;
    ensure!(
        (status, code.as_str()) == (401, "authorization-malformed"),
        "{status} {code}"
    );
    let again = api.sign(Method::POST, "/mapi/charges", &body, now)?;
    let twice = format!(
        "{}authorization: {}\r\n{chunked}",
        head(&api, &again),
        again.headers[0].1
    );
    let (status, code) = raw(&api, twice.as_bytes()).await?;
    ensure!(
        (status, code.as_str()) == (401, "authorization-malformed"),
        "{status} {code}"
    );
    let large = api.sign(Method::POST, "/mapi/charges", &" ".repeat(1 << 20), now)?;
    let head = format!("{}content-length: {}\r\n\r\n", head(&api, &large), 1 << 20);
    // The server does not wait for what it will not read.
    let (status, code) = raw(&api, format!("{head}{}", " ".repeat(64 * 1024 + 1)).as_bytes()).await?;
    ensure!((status, code.as_str()) == (413, "body-too-large"), "{status} {code}");
    let listed = api.get(&scene.app, "/mapi/charges").await?.is(200)?;
    ensure!(
        listed.body["charges"].as_array().map(Vec::len) == Some(1),
        "{}",
        listed.body
    );
    Ok(())
}

#[tokio::test]
async fn a_query_is_signed_as_it_is_sent_however_odd() -> Result<()> {
    let pair = Pair::start().await?;
    let mut app = App::prepare(Setup::beside(&pair.server, &pair.clock))?;
    let descriptor = bitpro_tests::Wallet::create(pair.shopper.rpc(), "odd")
        .await?
        .descriptor("wpkh(")
        .await?;
    let merchant = merchant::register(&app, "odd", &descriptor, &[]).await?;
    app.start().await?;
    let api = Api::add(&app, &merchant, "charges:read").await?;
    for (target, status, code) in [
        ("/mapi/charges?", 200, ""),
        ("/mapi/charges?&&", 200, ""),
        ("/mapi/charges?page=1&", 200, ""),
        ("/mapi/charges?%70age=1", 200, ""),
        ("/mapi/charges?page=%31", 200, ""),
        ("/mapi/charges?external_order_id=%C3%A9%26+b", 200, ""),
        ("/mapi/charges?external_order_id=a=b=c", 200, ""),
        ("/mapi/charges?external_order_id=é", 200, ""),
        ("/mapi/charges?page=1&page=1", 400, "repeated-parameter"),
        ("/mapi/charges?external_order_id=%ff", 400, "malformed-parameter"),
        ("/mapi/charges/", 404, "unknown-path"),
        ("/mapi//charges", 404, "unknown-path"),
        ("/mapi/%63harges", 404, "unknown-path"),
        ("/mapi/charges/%2e%2e", 400, "malformed-charge-id"),
    ] {
        let signed = api.sign(Method::GET, target, "", app.now_secs())?;
        let (status_got, code_got) = raw(&api, format!("{}\r\n", head(&api, &signed)).as_bytes()).await?;
        ensure!(
            (status_got, code_got.as_str()) == (status, code),
            "{target}: {status_got} {code_got}"
        );
    }
    Ok(())
}
