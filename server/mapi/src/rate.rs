//! The rate that a charge created now would use.

use bitpro_base::instants::instant;
use bitpro_service::charges::CreateError;
use futures::future::BoxFuture;
use serde::Serialize;

use super::call::{Call, Reply};
use super::problem::Problem;

#[derive(Serialize)]
struct RateDocument {
    fiat_currency: &'static str,
    cents_per_btc: u64,
    source: String,
    at: String,
    /// How much more than the rate gives a charge asks for (R29).
    spread_bps: u32,
}

/// `GET /mapi/rate`
pub(super) fn show(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        call.query(&[])?;
        let quote = call
            .app
            .rates
            .fresh(call.app.charges.now())
            .ok_or(CreateError::NoRate)?;
        Ok(Reply::ok(&RateDocument {
            fiat_currency: "eur",
            cents_per_btc: quote.rate.cents_per_btc(),
            source: quote.source,
            at: instant(quote.at),
            spread_bps: call.caller.merchant.settings.rate_spread_bps,
        }))
    })
}
