//! What the server answers is what it keeps: its memory has not parted from its file.

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::Api;
use serde_json::Value;

use super::kept::Kept;
use crate::world::World;

/// Compares every charge that the merchant API shows with its rows.
///
/// # Errors
/// What differs.
pub async fn equals_rows(world: &World, kept: &Kept) -> Result<()> {
    let shown = charges(world, &world.api).await?;
    ensure!(
        shown.len() == kept.charges.len(),
        "{} are shown, {} kept",
        shown.len(),
        kept.charges.len()
    );
    for shown in shown {
        let id = shown["id"].as_str().context("a charge without an id")?;
        let row = kept
            .charges
            .get(id)
            .with_context(|| format!("charge {id} is shown and not kept"))?;
        let live = || row.payments.values().filter(|payment| payment.loss.is_none());
        let received: u64 = live().map(|payment| payment.sats).sum();
        let is_same = shown["state"] == row.state.as_str()
            && shown["reason"].as_str() == row.reason.as_deref()
            && shown["sequence"].as_i64() == Some(row.sequence)
            && shown["received_sat"].as_u64() == Some(received)
            && shown["payments_total"].as_u64() == Some(u64::try_from(live().count())?);
        ensure!(is_same, "{shown} is shown, {row:?} is kept");
    }
    Ok(())
}

/// All charges of the merchant, as the API lists them.
async fn charges(world: &World, api: &Api) -> Result<Vec<Value>> {
    let mut charges = Vec::new();
    let mut target = "/mapi/charges?per_page=100".to_owned();
    loop {
        let page = api.get(&world.app, &target).await?.is(200)?;
        let listed = page.body["charges"].as_array().context("no charges")?;
        charges.extend(listed.iter().cloned());
        match page.body["next_cursor"].as_str() {
            Some(cursor) if !listed.is_empty() => target = format!("/mapi/charges?per_page=100&cursor={cursor}"),
            _ => return Ok(charges),
        }
    }
}
