//! Signed links: from the command line and from the guide's programs to a charge whose price is the merchant's (R21).

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::guide::{self, Language, Program};
use bitpro_tests::{Charge, Scene};
use reqwest::StatusCode;
use serde_json::Value;

const GUIDE: &str = "signed-links.md";

/// Makes the merchant a link key, and gives it.
async fn rotate(scene: &Scene, overlap_secs: &str) -> Result<String> {
    let merchant = &scene.merchant.id;
    let said = scene
        .app
        .run(&[
            "link",
            "key",
            "rotate",
            merchant,
            "--overlap-secs",
            overlap_secs,
            "--json",
        ])
        .await?;
    let made: Value = serde_json::from_str(&said)?;
    Ok(made["key"].as_str().context("no key is shown")?.to_owned())
}

/// A link signed by the running server, without the server's address.
async fn sign(scene: &Scene, more: &[&str]) -> Result<String> {
    let mut arguments = vec!["link", "sign", &scene.merchant.id, "--fiat-price-cents", "4200"];
    arguments.extend(more);
    let said = scene.app.run(&arguments).await?;
    let path = said.trim().strip_prefix(&scene.app.url()).map(str::to_owned);
    path.with_context(|| format!("no link of {}: {said}", scene.app.url()))
}

/// What the command line says of a charge.
async fn shown(scene: &Scene, charge: &Charge) -> Result<Value> {
    let said = scene.app.run(&["charge", "show", &charge.id, "--json"]).await?;
    Ok(serde_json::from_str(&said)?)
}

/// Goes to a link that must be refused with `code`, and checks that no charge came of it.
async fn refused(scene: &Scene, link: &str, code: &str) -> Result<()> {
    let count = async || -> Result<usize> {
        let said = scene.app.run(&["charge", "list", "--json"]).await?;
        let listed: Value = serde_json::from_str(&said)?;
        Ok(listed.as_array().map_or(0, Vec::len))
    };
    let before = count().await?;
    let answer = scene.checkout.navigate(link).await?;
    let status = answer.status();
    let page = answer.text().await?;
    ensure!(status == StatusCode::UNPROCESSABLE_ENTITY, "{link} answers {status}");
    ensure!(page.contains(&format!("data-problem=\"{code}\"")), "{link}: {page}");
    ensure!(count().await? == before, "{link} made a charge");
    Ok(())
}

#[tokio::test]
async fn r21_a_link_signed_by_the_command_line_has_a_verified_price_and_an_edited_one_makes_nothing() -> Result<()> {
    let scene = Scene::start().await?;
    let nobody = scene
        .app
        .run(&["link", "sign", &scene.merchant.id, "--fiat-price-cents", "4200"])
        .await;
    let said = format!("{:#}", nobody.err().context("a link was signed without a key")?);
    ensure!(said.contains("bitpro link key rotate"), "{said}");

    let key = rotate(&scene, "0").await?;
    let link = sign(
        &scene,
        &["--external-order-id", "A-1", "--buyer-email", "Ann@Shop.Example"],
    )
    .await?;
    let charge = scene.checkout.open_link(&link).await?;
    let signed = shown(&scene, &charge).await?;
    ensure!(
        signed["origin"] == "signed_link" && signed["price_verified"] == true,
        "{signed}"
    );
    ensure!(
        signed["fiat_price_cents"] == 4200 && signed["order_id"] == "A-1",
        "{signed}"
    );
    ensure!(
        scene.checkout.open_link(&link).await? == charge,
        "the same link got a second charge"
    );
    let unsigned = link.split("&exp=").next().context("a link without an expiry")?;
    let other = scene.checkout.open_link(unsigned).await?;
    let marked = shown(&scene, &other).await?;
    ensure!(other != charge && marked["price_verified"] == false, "{marked}");

    refused(&scene, &link.replace("=4200", "=1"), "wrong-signature").await?;
    refused(&scene, &link.replace("A-1", "A-2"), "wrong-signature").await?;
    scene
        .merchant
        .set(&scene.app, &[("require_signed_links", "yes")])
        .await?;
    refused(&scene, unsigned, "signature-required").await?;
    refused(&scene, &scene.merchant.path(), "signature-required").await?;
    ensure!(
        scene.checkout.open_link(&link).await? == charge,
        "the signed link does not work any more"
    );

    for told in [
        scene.app.log(),
        scene
            .app
            .run(&["link", "key", "list", &scene.merchant.id, "--json"])
            .await?,
        scene
            .app
            .run(&["merchant", "show", &scene.merchant.id, "--json"])
            .await?,
    ] {
        ensure!(!told.contains(&key), "the key is shown again: {told}");
    }
    Ok(())
}

#[tokio::test]
async fn a_link_key_survives_a_kill_and_counts_for_its_overlap() -> Result<()> {
    let mut scene = Scene::start().await?;
    rotate(&scene, "0").await?;
    let old = sign(&scene, &["--external-order-id", "A-1"]).await?;
    rotate(&scene, "600").await?;
    let new = sign(&scene, &["--external-order-id", "A-2"]).await?;
    scene.app.kill()?;
    scene.app.start().await?;
    for link in [&old, &new] {
        scene.checkout.open_link(link).await?;
    }
    scene.pair.advance_secs(601).await?;
    refused(&scene, &old, "wrong-signature").await?;
    scene.checkout.open_link(&new).await?;
    scene.pair.advance_secs(24 * 60 * 60).await?;
    refused(&scene, &new, "link-expired").await
}

#[tokio::test]
async fn a_link_is_signed_without_a_server_by_who_has_the_key() -> Result<()> {
    let scene = Scene::start().await?;
    let key = rotate(&scene, "0").await?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), format!("{key}\n"))?;
    let path = file.path().display().to_string();
    let link = scene
        .app
        .run(&[
            "link",
            "sign",
            &scene.merchant.id,
            "--fiat-price-cents",
            "4200",
            "--key-file",
            &path,
            "--server",
            "https://pay.example/",
        ])
        .await?;
    let link = link
        .trim()
        .strip_prefix("https://pay.example")
        .context("another server")?;
    let charge = scene.checkout.open_link(link).await?;
    ensure!(shown(&scene, &charge).await?["price_verified"] == true);
    std::fs::write(file.path(), &key[1..])?;
    let wrong = scene
        .app
        .run(&[
            "link",
            "sign",
            &scene.merchant.id,
            "--fiat-price-cents",
            "4200",
            "--key-file",
            &path,
        ])
        .await;
    let said = format!("{:#}", wrong.err().context("half a key was taken")?);
    ensure!(
        said.contains("64 hexadecimal digits") && !said.contains(&key[1..]),
        "{said}"
    );
    Ok(())
}

/// What a program of the guide is to sign.
const VALUES: [&str; 4] = ["fiat_price_cents", "fiat_currency", "external_order_id", "buyer_email"];

#[tokio::test]
async fn the_programs_of_the_guide_sign_as_the_published_vectors_say() -> Result<()> {
    let vectors = std::fs::read_to_string(guide::folder().join("signed-links.json"))?;
    let vectors: Value = serde_json::from_str(&vectors)?;
    let key = vectors["key"].as_str().context("no key")?;
    // The programs leave out what is empty, as the widget does; so they never sign such a link.
    let listed = vectors["vectors"].as_array().context("no vectors")?.iter();
    let listed: Vec<&Value> = listed
        .filter(|one| VALUES.iter().all(|&name| one[name] != ""))
        .collect();
    ensure!(listed.len() >= 8, "only {} vectors", listed.len());
    for language in Language::ALL {
        let program = Program::of(GUIDE, language)?;
        for vector in &listed {
            let text = |name: &str| vector[name].as_str();
            let upper = VALUES.map(str::to_uppercase);
            let mut variables = vec![
                ("LINK_KEY", key),
                ("MERCHANT_ID", text("merchant_id").context("no merchant")?),
                ("EXP", text("exp").context("no expiry")?),
            ];
            let values = VALUES.iter().zip(&upper);
            variables.extend(values.filter_map(|(&name, variable)| Some((variable.as_str(), text(name)?))));
            let said = program.run(&variables).await?;
            let link = url::Url::parse(said.trim())?;
            let found = |name: &str| {
                let mut pairs = link.query_pairs();
                pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
            };
            for name in VALUES.into_iter().chain(["exp", "sig"]) {
                ensure!(
                    found(name).as_deref() == text(name),
                    "{language:?}, {}: {name} is not {} in {link}",
                    vector["says"],
                    vector[name]
                );
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_server_takes_the_links_that_the_guides_programs_make() -> Result<()> {
    let scene = Scene::start_with(&[("require_signed_links", "yes")]).await?;
    let key = rotate(&scene, "0").await?;
    let exp = (scene.pair.clock.now_millis() / 1_000 + 600).to_string();
    for language in Language::ALL {
        let program = Program::of(GUIDE, language)?;
        let order = format!("{} №7 & \"100%\" + <b>", language.fence());
        let said = program
            .run(&[
                ("SERVER", &scene.app.url()),
                ("LINK_KEY", &key),
                ("MERCHANT_ID", &scene.merchant.id),
                ("FIAT_PRICE_CENTS", "4200"),
                ("FIAT_CURRENCY", "EUR"),
                ("EXTERNAL_ORDER_ID", &order),
                ("BUYER_EMAIL", "Ann+x@Shop.Example"),
                ("EXP", &exp),
            ])
            .await?;
        let charge = scene.checkout.open_link(said.trim()).await?;
        let charge = shown(&scene, &charge).await?;
        ensure!(
            charge["price_verified"] == true && charge["order_id"] == order.as_str(),
            "{language:?}: {charge}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_link_key_goes_on_signing_under_another_seal_key() -> Result<()> {
    let mut scene = Scene::start().await?;
    rotate(&scene, "0").await?;
    let link = sign(&scene, &["--external-order-id", "A-1"]).await?;
    let file = scene.app.folder().join("seal.keys");
    let first = std::fs::read_to_string(&file)?;
    let second = format!("2:{}\n", "5ea1".repeat(16));

    // Without the key that it is sealed under, nothing starts and the missing version is named.
    scene.app.stop().await?;
    std::fs::write(&file, &second)?;
    let refused = scene
        .app
        .start()
        .await
        .err()
        .context("it started without its seal key")?;
    ensure!(format!("{refused:#}").contains("seal_keys has no key 1"), "{refused:#}");

    scene.app.kill()?;
    std::fs::write(&file, format!("{first}{second}"))?;
    scene.app.start().await?;
    scene.app.run(&["rekey"]).await?;
    // The running server holds the key as it was sealed before; a rotation must not bring that back.
    rotate(&scene, "600").await?;
    scene.app.stop().await?;
    std::fs::write(&file, &second)?;
    scene.app.start().await?;
    scene.checkout.open_link(&link).await?;
    scene
        .checkout
        .open_link(&sign(&scene, &["--external-order-id", "A-2"]).await?)
        .await?;
    Ok(())
}
