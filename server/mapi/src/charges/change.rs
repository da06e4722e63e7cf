//! The merchant's commands on a charge (R14, R15). Both name the sequence that was looked at: what has moved on since is
//! not changed blindly.

use bitpro_charge::{Observation, Outpoint};
use bitpro_service::wire;
use bitpro_store::KeptAnswer;
use futures::future::BoxFuture;

use crate::call::{Call, Reply};
use crate::fields::{Fields, malformed, missing};
use crate::problem::Problem;

/// As many payments as an object lists.
const MOST_PAYMENTS: usize = 100;

/// `POST /mapi/charges/{id}/cancel`
pub(crate) fn cancel(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        let mut fields = call.fields()?;
        let sequence = sequence(&mut fields)?;
        fields.end()?;
        command(call, Observation::Cancel { sequence }).await
    })
}

/// `POST /mapi/charges/{id}/accept`
pub(crate) fn accept(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        let mut fields = call.fields()?;
        let sequence = sequence(&mut fields)?;
        let payments = fields.texts("payments")?.ok_or_else(|| missing("payments"))?;
        fields.end()?;
        let outpoints: Result<Vec<Outpoint>, _> = payments.iter().map(|text| text.parse()).collect();
        let outpoints = outpoints
            .ok()
            .filter(|outpoints| (1..=MOST_PAYMENTS).contains(&outpoints.len()))
            .ok_or_else(|| malformed("payments", "a list of 1 to 100 payments as txid:vout"))?;
        command(call, Observation::Accept { outpoints, sequence }).await
    })
}

fn sequence(fields: &mut Fields) -> Result<u64, Problem> {
    fields.number("sequence")?.ok_or_else(|| missing("sequence"))
}

async fn command(call: Call, observation: Observation) -> Result<Reply, Problem> {
    let id = call.charge().await?.charge.id;
    let authority = call.authority()?;
    let (url, request) = (call.app.public_url.origin().to_owned(), call.request);
    let answer = call
        .app
        .charges
        .command_once(authority, id, observation, url, move |changed| match changed {
            Ok(object) => KeptAnswer {
                status: 200,
                body: wire::json(&object),
            },
            Err(error) => Problem::from(error).kept(request),
        });
    Ok(Reply::of(answer.await?))
}
