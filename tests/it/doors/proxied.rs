//! The same through a real nginx and a real Caddy.

use std::net::IpAddr;

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::{Pair, Proxy, ProxyKind, Scene, Setup};
use reqwest::{Client, Response, StatusCode};

use super::{ask_and_never_read, from, port_of};

/// A scene whose shoppers come through a real proxy.
async fn behind(kind: ProxyKind, settings: &[(&str, &str)]) -> Result<(Scene, Proxy)> {
    let port = Proxy::free_port()?;
    let pair = Pair::start().await?;
    let mut setup = Setup::beside(&pair.server, &pair.clock)
        .with("BITPRO_PUBLIC_URL", &format!("http://localhost:{port}"))
        .with("BITPRO_TRUSTED_PROXIES", "127.0.0.1");
    for (name, value) in settings {
        setup = setup.with(name, value);
    }
    let scene = Scene::on(pair, setup, &[]).await?;
    let proxy = Proxy::start(kind, port, &format!("127.0.0.1:{}", port_of(&scene.app)?)).await?;
    Ok((scene, proxy))
}

/// The stream of the charge to which a link led, through the proxy.
fn stream_of(proxy: &Proxy, made: &Response) -> Result<String> {
    let location = made.headers().get("location").context("no charge was made")?.to_str()?;
    let path = location.split('?').next().unwrap_or_default();
    Ok(format!("{}{path}/events", proxy.url()))
}

#[tokio::test]
async fn through_nginx_neither_readers_who_never_read_nor_streams_keep_shoppers_out() -> Result<()> {
    nobody_keeps_shoppers_out(ProxyKind::Nginx).await
}

#[tokio::test]
async fn through_caddy_neither_readers_who_never_read_nor_streams_keep_shoppers_out() -> Result<()> {
    nobody_keeps_shoppers_out(ProxyKind::Caddy).await
}

async fn nobody_keeps_shoppers_out(kind: ProxyKind) -> Result<()> {
    let (scene, proxy) = behind(
        kind,
        &[
            ("BITPRO_MAX_CONNECTIONS", "50"),
            ("BITPRO_WRITE_TIMEOUT_SECS", "1"),
            ("BITPRO_STREAMS_PER_CHARGE", "1000"),
        ],
    )
    .await?;
    let mut held = Vec::new();
    for _ in 0..120 {
        held.push(ask_and_never_read("127.0.0.2", proxy.port()).await?);
    }
    // A stream holds a connection between proxy and server for as long as it lasts: more than there are, from many addresses.
    let link = format!("{}{}?fiat_price_cents=4200", proxy.url(), scene.merchant.path());
    let redirect = reqwest::redirect::Policy::none();
    let http = Client::builder()
        .local_address(IpAddr::from([127, 0, 0, 3]))
        .redirect(redirect)
        .build()?;
    let made = http
        .get(&link)
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
        .send()
        .await?;
    let events = stream_of(&proxy, &made)?;
    let mut streams = Vec::new();
    for last in 10..20 {
        let http = from([127, 0, 0, last].into())?;
        for _ in 0..10 {
            streams.push(http.get(&events).send().await?);
        }
    }
    let open = streams
        .iter()
        .filter(|stream| stream.status() == StatusCode::OK)
        .count();
    ensure!(open == 33, "{open} streams are open");
    let refused = StatusCode::TOO_MANY_REQUESTS;
    ensure!(streams.iter().filter(|stream| stream.status() == refused).count() == 67);
    for _ in 0..20 {
        let page = http.get(&link).send().await?;
        ensure!(page.status() == StatusCode::OK, "a shopper gets {}", page.status());
        ensure!(page.text().await?.contains("<form"), "no page");
    }
    drop((held, streams));
    Ok(())
}

#[tokio::test]
async fn r25_through_nginx_a_shopper_is_who_the_proxy_says_and_a_press_is_good_for_one_charge() -> Result<()> {
    a_shopper_is_who_the_proxy_says(ProxyKind::Nginx).await
}

#[tokio::test]
async fn r25_through_caddy_a_shopper_is_who_the_proxy_says_and_a_press_is_good_for_one_charge() -> Result<()> {
    a_shopper_is_who_the_proxy_says(ProxyKind::Caddy).await
}

async fn a_shopper_is_who_the_proxy_says(kind: ProxyKind) -> Result<()> {
    let (scene, proxy) = behind(
        kind,
        &[
            ("BITPRO_MERCHANT_CREATE_PER_MINUTE", "1"),
            ("BITPRO_STREAMS_PER_ADDRESS", "3"),
        ],
    )
    .await?;
    let link = format!("{}{}", proxy.url(), scene.merchant.path());
    let browser = |last: u8| -> Result<Client> {
        let redirect = reqwest::redirect::Policy::none();
        Ok(Client::builder()
            .local_address(IpAddr::from([127, 0, 0, last]))
            .redirect(redirect)
            .build()?)
    };
    let navigate = |request: reqwest::RequestBuilder| {
        // Whoever writes this is not believed: the proxy says behind it who it was.
        let request = request.header("x-forwarded-for", "203.0.113.77");
        request
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .send()
    };
    let (one, other) = (browser(2)?, browser(3)?);
    let first = navigate(one.get(format!("{link}?fiat_price_cents=4200"))).await?;
    ensure!(first.status() == StatusCode::SEE_OTHER, "{}", first.status());
    let page = navigate(one.get(format!("{link}?fiat_price_cents=4200")))
        .await?
        .text()
        .await?;
    let token = page
        .split("name=\"press\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .with_context(|| format!("no button: {page}"))?
        .to_owned();
    scene.pair.clock.advance_secs(3)?;
    let press = |browser: &Client| {
        let form = format!("fiat_price_cents=4200&press={token}");
        let kind = "application/x-www-form-urlencoded";
        navigate(browser.post(&link).header("content-type", kind).body(form))
    };
    ensure!(
        press(&other).await?.status() == StatusCode::OK,
        "another network pressed this button"
    );
    let made = press(&one).await?;
    ensure!(made.status() == StatusCode::SEE_OTHER, "{}", made.status());
    let again = press(&one).await?;
    ensure!(
        again.headers().get("location") == made.headers().get("location"),
        "a second charge"
    );

    // Streams pass through unbuffered, and are counted by the shopper that the proxy tells.
    let events = stream_of(&proxy, &made)?;
    let mut open = Vec::new();
    for nth in 0..4 {
        let mut stream = one.get(&events).send().await?;
        let wanted = if nth < 3 {
            StatusCode::OK
        } else {
            StatusCode::TOO_MANY_REQUESTS
        };
        ensure!(stream.status() == wanted, "stream {nth} answers {}", stream.status());
        if nth < 3 {
            ensure!(stream.chunk().await?.is_some(), "nothing comes through");
        }
        open.push(stream);
    }
    ensure!(other.get(&events).send().await?.status() == StatusCode::OK);

    // Nothing of the inside is there.
    ensure!(one.get(format!("{}/metrics", proxy.url())).send().await?.status() == StatusCode::NOT_FOUND);
    let told = one.get(format!("{}/readyz", proxy.url())).send().await?.text().await?;
    ensure!(!told.contains("parts"), "{told}");
    Ok(())
}
