//! Clients of other makes: the API reference's own, the published one, and those of the page at `/docs`.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use bitpro_tests::{Api, Merchant, Pair, Scene, Setup};
use serde_json::Value;
use tokio::process::Command;

const SCOPES: &str = "charges:read charges:write charges:accept webhooks:write";

/// A scene on the machine's own time, which is what programs of others go by.
async fn scene() -> Result<Scene> {
    let pair = Pair::start().await?;
    // Each example gets a charge of its own.
    let mut setup = Setup::beside(&pair.server, &pair.clock)
        .with("BITPRO_CREATE_BURST", "1000")
        .with("BITPRO_MERCHANT_CREATE_PER_MINUTE", "60000")
        .with("BITPRO_INSTANCE_CREATE_PER_MINUTE", "60000");
    setup.clock = None;
    Scene::on(pair, setup, &[("gap_button", "10000")]).await
}

/// Runs a program with nothing in its environment but `PATH` and these variables, and gives what it prints.
async fn run(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(variables.iter().copied())
        .output()
        .await
        .with_context(|| format!("{program} cannot be run"))?;
    let (said, complaint) = (
        String::from_utf8(output.stdout)?,
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    if !output.status.success() {
        bail!("{program} ended with {}: {said}{complaint}", output.status);
    }
    Ok(said)
}

fn variables<'a>(url: &'a str, api: &'a Api) -> [(&'static str, &'a str); 3] {
    [
        ("BITPRO_URL", url),
        ("BITPRO_ID", &api.id),
        ("BITPRO_SECRET", &api.secret),
    ]
}

#[tokio::test]
async fn the_api_references_own_client_works_unchanged() -> Result<()> {
    let scene = scene().await?;
    let api = Api::add(&scene.app, &scene.merchant.id, "charges:read").await?;
    ensure!(
        api.id == scene.merchant.id,
        "the first key is not called like its merchant"
    );
    let charge = scene.open().await?;
    let script = include_str!("reference.sh").replace("https://", "http://");
    let said = run(
        "bash",
        &["-c", &script],
        &[
            ("YOUR_PRIVATE_KEY", &api.secret),
            ("YOUR_MERCHANT_ID", &scene.merchant.id),
            ("YOUR_HOST", api.host()),
        ],
    )
    .await?;
    let listed: Value = serde_json::from_str(&said)?;
    ensure!(
        listed["charges"][0]["id"] == charge.id.as_str(),
        "it is answered {listed}"
    );
    Ok(())
}

#[tokio::test]
async fn the_published_client_makes_and_lists_charges_and_takes_our_signatures() -> Result<()> {
    let scene = scene().await?;
    let api = Api::add(&scene.app, &scene.merchant.id, SCOPES).await?;
    let python = std::env::var("BITPRO_PYTHON")
        .context("BITPRO_PYTHON names no interpreter: run the tests by `cargo xtask test integration`")?;
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/mapi/published.py");
    let url = scene.app.url();
    let said = run(&python, &[&program.display().to_string()], &variables(&url, &api)).await?;
    let told: Value = serde_json::from_str(&said)?;
    ensure!(told["listed"][0] == told["made"], "it saw {told}");
    Ok(())
}

/// A `pre` of the page, as somebody copies it.
struct Example {
    language: String,
    /// The call, or nothing for a client.
    call: Option<String>,
    code: String,
}

fn examples(page: &str) -> Result<Vec<Example>> {
    let mut examples = Vec::new();
    for part in page.split("<pre ").skip(1) {
        let (attributes, rest) = part.split_once('>').context("a tag without an end")?;
        let (code, _) = rest.split_once("</pre>").context("an example without an end")?;
        let attribute = |name: &str| {
            let (_, rest) = attributes.split_once(&format!("{name}=\""))?;
            Some(rest.split_once('"')?.0.to_owned())
        };
        // The other ones are answers.
        let Some(language) = attribute("data-language") else {
            continue;
        };
        examples.push(Example {
            language,
            call: attribute("data-call"),
            code: code.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
        });
    }
    Ok(examples)
}

/// A charge for `call`: a fresh one; for accepting one that is paid too little, with the example's words made to fit.
async fn subject(scene: &Scene, merchant: &Merchant, api: &Api, call: &str) -> Result<(String, Option<(u64, String)>)> {
    let charge = scene.checkout.open(merchant, 4200).await?;
    if call != "acceptCharge" {
        return Ok((charge.id, None));
    }
    let view = scene.checkout.view(&charge).await?;
    scene.pair.wallet.pay(&view.address, view.remaining_sat / 2).await?;
    scene.becomes(&charge, "seen", Some("underpaid")).await?;
    let shown = api
        .get(&scene.app, &format!("/mapi/charges/{}", charge.id))
        .await?
        .is(200)?;
    let payment = &shown.body["payments"][0];
    let outpoint = format!(
        "{}:{}",
        payment["txid"].as_str().context("no transaction")?,
        payment["vout"]
    );
    let sequence = shown.body["sequence"].as_u64().context("no sequence")?;
    Ok((charge.id, Some((sequence, outpoint))))
}

/// The one webhook that the merchant has then; its URL is not that of the examples.
async fn fresh_webhook(scene: &Scene) -> Result<String> {
    let said = scene.app.run(&["webhook", "list", "--json"]).await?;
    let listed: Value = serde_json::from_str(&said)?;
    for webhook in listed.as_array().context("no list")? {
        let id = webhook["id"].as_str().context("no id")?;
        scene.app.run(&["webhook", "remove", id]).await?;
    }
    let url = "https://shop.example/hooks/other";
    let said = scene
        .app
        .run(&["webhook", "add", &scene.merchant.id, "charge:seen", url, "--json"])
        .await?;
    let made: Value = serde_json::from_str(&said)?;
    Ok(made["id"].as_str().context("no id")?.to_owned())
}

/// Shell, Ruby, Python, PHP, JavaScript.
const LANGUAGES: usize = 5;
/// How the examples write the sequence that a charge may have.
const SEQUENCES: [&str; 5] = [
    "\"sequence\":3",
    "\"sequence\" => 3",
    "sequence=3",
    "sequence: 3",
    "sequence = 3",
];

/// Runs an example behind its client, as a reader would, in a project that has the SDK.
async fn follow(language: &str, client: &str, code: &str, variables: &[(&str, &str)]) -> Result<String> {
    let whole = format!("{client}\n{code}\n");
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk").canonicalize()?;
    match language {
        "shell" => run("bash", &["-c", &whole], variables).await,
        "ruby" => run("ruby", &["-e", &whole], variables).await,
        "python" => {
            let path = sdk.join("python/src").display().to_string();
            let mut all = variables.to_vec();
            all.extend([("PYTHONPATH", path.as_str()), ("PYTHONDONTWRITEBYTECODE", "1")]);
            run("python3", &["-c", &whole], &all).await
        }
        "php" => {
            let loader = sdk.join("php/autoload.php").display().to_string();
            let whole = whole.replace("<?php", "").replace("vendor/autoload.php", &loader);
            run("php", &["-r", &whole], variables).await
        }
        "javascript" => {
            // A program finds a package from where it lies; within the package, that is the package itself.
            let package = sdk.join("typescript/dist/index.js").display().to_string();
            let whole = whole.replace("\"bitpro-checkout\"", &format!("{package:?}"));
            run("node", &["--input-type=module", "-e", &whole], variables).await
        }
        other => bail!("nobody knows how to run {other}"),
    }
}

fn is_right_document(call: &str, id: &str, told: &Value) -> bool {
    told["code"].is_null()
        && match call {
            "cancelCharge" => told["reason"] == "cancelled",
            "acceptCharge" => told["reason"] == "manual",
            "showCharge" => told["id"] == id,
            "createCharge" => told["external_order_id"] == "A-1001",
            _ => true,
        }
}

/// What an example that uses an SDK must print.
fn word<'a>(call: &str, id: &'a str) -> &'a str {
    match call {
        "cancelCharge" => "cancelled",
        "acceptCharge" => "manual",
        "showCharge" | "listCharges" => id,
        "createCharge" => "/app/checkout/",
        "listEvents" => "go on after",
        "showRate" => "5000000",
        "createWebhook" | "rotateWebhookSecret" => "whsec_",
        "listWebhooks" | "removeWebhook" => "https://shop.example/hooks/other",
        "redeliverWebhook" => "0",
        "listDeliveries" => "0 deliveries",
        _ => "-",
    }
}

#[tokio::test]
async fn every_example_of_the_documentation_does_what_it_says() -> Result<()> {
    let scene = scene().await?;
    let api = Api::add(&scene.app, &scene.merchant.id, SCOPES).await?;
    let url = scene.app.url();
    let page = reqwest::get(format!("{url}/docs")).await?.text().await?;
    let examples = examples(&page)?;
    let client = |language: &str| {
        let found = examples
            .iter()
            .find(|one| one.language == language && one.call.is_none());
        found.map(|one| one.code.clone()).context("no client")
    };
    let mut tried = 0;
    for example in &examples {
        let Some(call) = &example.call else { continue };
        let (id, payment) = subject(&scene, &scene.merchant, &api, call).await?;
        let webhook = fresh_webhook(&scene).await?;
        let mut code = example.code.replace("CHARGE_ID", &id).replace("WEBHOOK_ID", &webhook);
        if let Some((sequence, outpoint)) = payment {
            let of_example = "5ec68db848026b167ceb584f8e0b466601663a9de739951f79cb964aea06fe3e:0";
            code = code.replace(of_example, &outpoint);
            for mark in SEQUENCES {
                code = code.replace(mark, &mark.replace('3', &sequence.to_string()));
            }
        }
        let said = follow(
            &example.language,
            &client(&example.language)?,
            &code,
            &variables(&url, &api),
        )
        .await
        .with_context(|| format!("{call} in {}", example.language))?;
        let is_right = match example.language.as_str() {
            "shell" | "ruby" => {
                let told: Value = serde_json::from_str(&said).with_context(|| format!("{call} says {said}"))?;
                is_right_document(call, &id, &told)
            }
            _ => said.contains(word(call, &id)),
        };
        ensure!(is_right, "{call} in {}: {said}", example.language);
        tried += 1;
    }
    let calls = reqwest::get(format!("{url}/mapi/openapi.json")).await?.text().await?;
    let calls = calls.matches("\"operationId\"").count();
    ensure!(tried == LANGUAGES * calls, "{tried} examples of {calls} calls");
    Ok(())
}
