//! The payment link: what makes a charge, what shows one again, and what is refused (R22 to R25, R38).

use anyhow::{Result, ensure};
use bitpro_tests::{Pair, Scene, Setup};
use reqwest::StatusCode;

#[tokio::test]
async fn r22_an_order_has_one_charge_while_nobody_has_paid() -> Result<()> {
    let scene = Scene::start().await?;
    let link = |more: &str| format!("{}?fiat_price_cents=4200{more}", scene.merchant.path());
    let first = scene.checkout.open_link(&link("&external_order_id=A-1")).await?;
    let again = scene.checkout.open_link(&link("&external_order_id=A-1")).await?;
    ensure!(first == again, "the same order got a second charge");
    let other = scene.checkout.open_link(&link("&external_order_id=A-2")).await?;
    ensure!(first != other, "another order got the same charge");
    // Without an order id nothing is reused.
    let nameless = scene.checkout.open_link(&link("")).await?;
    ensure!(
        nameless != scene.checkout.open_link(&link("")).await?,
        "strangers share a charge"
    );

    // Once money is known, the link shows the outcome, without an address.
    let address = scene.checkout.view(&first).await?.address;
    scene.pay_seen(&first).await?;
    let outcome = scene.checkout.navigate(&link("&external_order_id=A-1")).await?;
    ensure!(outcome.status() == StatusCode::OK, "it answers {}", outcome.status());
    ensure!(
        !outcome.text().await?.contains(&address),
        "the outcome shows the address"
    );
    Ok(())
}

#[tokio::test]
async fn r38_what_is_wrong_with_a_link_is_told_by_its_status() -> Result<()> {
    let scene = Scene::start().await?;
    let path = scene.merchant.path();
    let long = "x".repeat(201);
    for (link, status) in [
        ("/app/checkout/nobody?fiat_price_cents=4200".to_owned(), 400),
        (
            "/app/checkout/00000000-0000-4000-8000-000000000000?fiat_price_cents=4200".to_owned(),
            404,
        ),
        (format!("{path}/00000000-0000-4000-8000-000000000000"), 404),
        (format!("{path}?fiat_price_cents=-1"), 400),
        (format!("{path}?fiat_price_cents=42.5"), 400),
        (format!("{path}?fiat_price_cents=0"), 422),
        (format!("{path}?fiat_price_cents=1"), 422),
        (format!("{path}?fiat_price_cents=99999999999999999999"), 422),
        (format!("{path}?fiat_price_cents=100&fiat_currency=usd"), 422),
        (format!("{path}?fiat_price_cents=100&external_order_id={long}"), 400),
        (format!("{path}?fiat_price_cents=100&fiat_price_cents=1"), 400),
    ] {
        let answer = scene.checkout.navigate(&link).await?;
        let told = answer.status();
        let page = answer.text().await?;
        ensure!(told == status, "{link} answers {told}, not {status}");
        ensure!(page.contains("<h1"), "{link} has no page that says what is wrong");
    }
    // What never loses a sale.
    for more in [
        "buyer_email=nonsense",
        "lang=xx",
        "utm_source=x&utm_source=y",
        "external_order_id=",
        "fiat_currency=EUR",
    ] {
        scene
            .checkout
            .open_link(&format!("{path}?fiat_price_cents=4200&{more}"))
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn r24_only_a_person_who_goes_there_makes_a_charge() -> Result<()> {
    let scene = Scene::start().await?;
    let link = scene
        .checkout
        .url(&format!("{}?fiat_price_cents=4200", scene.merchant.path()))?;
    let http = scene.checkout.http();
    let head = http.head(link.clone()).send().await?;
    ensure!(head.status() != StatusCode::SEE_OTHER, "HEAD made a charge");
    let navigation = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let robot: &[(&str, &str)] = &[];
    let ahead = [&navigation[..], &[("sec-purpose", "prefetch")]].concat();
    let image = [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
    for headers in [robot, &ahead, &image] {
        let mut request = http.get(link.clone());
        for &(name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.send().await?;
        ensure!(
            answer.status() == StatusCode::OK,
            "{headers:?} is answered by {}",
            answer.status()
        );
        ensure!(answer.text().await?.contains("<form"), "{headers:?} gets no button");
    }
    Ok(())
}

#[tokio::test]
async fn r25_who_asks_for_too_many_charges_is_told_at_once_and_the_others_are_served() -> Result<()> {
    let pair = Pair::start().await?;
    let setup = Setup::beside(&pair.server, &pair.clock)
        .with("BITPRO_CREATE_PER_MINUTE", "1")
        .with("BITPRO_CREATE_BURST", "2")
        .with("BITPRO_TRUSTED_PROXIES", "127.0.0.1, ::1");
    let scene = Scene::on(pair, setup, &[]).await?;
    let link = scene
        .checkout
        .url(&format!("{}?fiat_price_cents=4200", scene.merchant.path()))?;
    let by = async |client: &str| {
        let request = scene.checkout.http().get(link.clone());
        let request = request
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("x-forwarded-for", client);
        request.send().await
    };
    for _ in 0..2 {
        ensure!(by("198.51.100.1").await?.status() == StatusCode::SEE_OTHER);
    }
    let refused = by("198.51.100.1").await?;
    ensure!(
        refused.status() == StatusCode::TOO_MANY_REQUESTS,
        "it answers {}",
        refused.status()
    );
    ensure!(refused.headers().contains_key("retry-after"));
    ensure!(
        by("198.51.100.2").await?.status() == StatusCode::SEE_OTHER,
        "a neighbour pays for it"
    );
    // One IPv6 network is one shopper.
    for host in ["2001:db8:1:1::1", "2001:db8:1:1::2"] {
        ensure!(by(host).await?.status() == StatusCode::SEE_OTHER);
    }
    ensure!(by("2001:db8:1:1::3").await?.status() == StatusCode::TOO_MANY_REQUESTS);
    Ok(())
}
