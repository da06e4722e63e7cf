//! What the OpenAPI document promises, tried by schemathesis: valid, borderline and invalid requests from a fixed seed.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::{Api, Pair, Scene, Setup};
use tokio::process::Command;

/// The same requests in every run.
const SEED: &str = "20180503";
/// What cannot be asked of it: a document cannot say which cursors were given out, which price is dust today, or which charge
/// has which sequence, so that what fits the document may still be refused; and the hook signs whatever is sent.
const NOT_CHECKED: &str = "positive_data_acceptance,ignored_auth";

#[tokio::test]
async fn the_openapi_document_promises_what_is_kept() -> Result<()> {
    let pair = Pair::start().await?;
    let mut setup = Setup::beside(&pair.server, &pair.clock).with("BITPRO_API_BURST", "1000000");
    setup.clock = None;
    let scene = Scene::on(pair, setup, &[("allowed_origins", "example.com")]).await?;
    let scopes = "charges:read charges:write charges:accept webhooks:write";
    let api = Api::add(&scene.app, &scene.merchant.id, scopes).await?;
    let python = std::env::var("BITPRO_PYTHON")
        .context("BITPRO_PYTHON names no interpreter: run the tests by `cargo xtask test integration`")?;
    let folder = tempfile::Builder::new().prefix("bitpro-fuzz-").tempdir()?;
    let document = format!("{}/mapi/openapi.json", scene.app.url());
    let output = Command::new(Path::new(&python).with_file_name("schemathesis"))
        .args(["run", &document, "--seed", SEED, "--max-examples", "10", "--no-color"])
        .args(["--phases", "examples,coverage,fuzzing", "--exclude-checks", NOT_CHECKED])
        .current_dir(folder.path())
        .env("SCHEMATHESIS_HOOKS", "signing_hook")
        .env("PYTHONPATH", Path::new(env!("CARGO_MANIFEST_DIR")).join("it/mapi"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("BITPRO_ID", &api.id)
        .env("BITPRO_SECRET", &api.secret)
        .output()
        .await
        .context("schemathesis cannot be run")?;
    ensure!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(said.contains("generated"), "nothing was tried: {said}");
    Ok(())
}
