//! Charges: listed, shown, made, cancelled, accepted.

mod change;
pub(super) mod create;
mod list;

pub(super) use change::{accept, cancel};
pub(super) use create::create;
pub(super) use list::list;

use bitpro_store::KeptAnswer;
use futures::future::BoxFuture;

use super::call::{Call, Reply};
use super::problem::Problem;

/// `GET /mapi/charges/{id}`
pub(super) fn show(call: Call) -> BoxFuture<'static, Result<Reply, Problem>> {
    Box::pin(async move {
        let snapshot = call.charge().await?;
        let url = call.app.public_url.origin();
        let body = call.app.charges.charge_json(&snapshot, url).await?;
        Ok(Reply::of(KeptAnswer { status: 200, body }))
    })
}
