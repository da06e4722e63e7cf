//! A merchant's transactions: the list, each charge, what people do to them, the export and the figures.

mod actions;
mod chart;
mod conflict;
mod deliveries;
pub(super) mod export;
mod figures;
mod filters;
mod history;
mod list;
mod live;
pub(super) mod needle;
mod payments;
mod receipt;
mod rows;
mod show;
#[cfg(test)]
mod tests;
mod wording;

#[cfg(test)]
pub(crate) use wording::state_word;

use std::sync::Arc;

use bitpro_charge::{ChargeId, MerchantId};
use bitpro_merchant::Permission;
use bitpro_service::charges::{Search, Snapshot};
use maud::Markup;

use super::route::{self, Access, Handler, Member, Request, Route};
use crate::refusals::Refusal;

/// All paths of a merchant's transactions.
pub const ROUTES: &[Route] = &[
    get("/dashboard/{merchant}/charges", Permission::Read, list::show),
    route::export(
        "/dashboard/{merchant}/charges.csv",
        Access::Member(Permission::Export),
        export::download,
    ),
    get("/dashboard/{merchant}/charges/live", Permission::Read, live::open),
    get("/dashboard/{merchant}/figures", Permission::Read, figures::show),
    get("/dashboard/{merchant}/charges/{charge}", Permission::Read, show::show),
    get(
        "/dashboard/{merchant}/charges/{charge}/receipt",
        Permission::Read,
        receipt::show,
    ),
    post(
        "/dashboard/{merchant}/charges/{charge}/accept",
        Permission::Accept,
        actions::accept,
    ),
    post(
        "/dashboard/{merchant}/charges/{charge}/cancel",
        Permission::Accept,
        actions::cancel,
    ),
    post(
        "/dashboard/{merchant}/charges/{charge}/note",
        Permission::Accept,
        actions::note,
    ),
    post(
        "/dashboard/{merchant}/charges/{charge}/erase",
        Permission::Settings,
        actions::erase,
    ),
    post(
        "/dashboard/{merchant}/charges/{charge}/redeliver",
        Permission::Keys,
        deliveries::redeliver,
    ),
];

const fn get(path: &'static str, permission: Permission, handler: Handler) -> Route {
    route::get(path, Access::Member(permission), handler)
}

const fn post(path: &'static str, permission: Permission, handler: Handler) -> Route {
    route::post(path, Access::Member(permission), handler)
}

/// The newest transactions as a table, at most `count`; `None` when there are none.
///
/// # Errors
/// A refusal when the store fails.
pub(super) async fn latest(request: &Request, member: &Member, count: u32) -> Result<Option<Markup>, Refusal> {
    let search = Search {
        merchant: member.merchant.id,
        needle: None,
        state: None,
        from: None,
        to: None,
    };
    let found = request.app.charges.search(&search, None, count).await?;
    Ok((!found.charges.is_empty()).then(|| rows::table(request, member, &found.charges)))
}

/// Where a merchant's transactions are.
fn list_path(merchant: MerchantId) -> String {
    format!("/dashboard/{merchant}/charges")
}

/// Where one of them is.
fn charge_path(merchant: MerchantId, charge: ChargeId) -> String {
    format!("/dashboard/{merchant}/charges/{charge}")
}

/// Whose member asks. Every route here is a member's.
fn member(request: &Request) -> Result<Member, Refusal> {
    request.member.clone().ok_or(Refusal::UNKNOWN_MERCHANT)
}

/// The charge in the path. One of another merchant, and a name that is none, are not there, all in the same way.
async fn own_charge(request: &Request, member: &Member) -> Result<Arc<Snapshot>, Refusal> {
    let name = request.params.first().map_or("", String::as_str);
    let id: ChargeId = name.parse().map_err(|_| Refusal::UNKNOWN_CHARGE)?;
    let found = request.app.charges.snapshot(id).await?;
    found
        .filter(|snapshot| snapshot.charge.merchant == member.merchant.id)
        .ok_or(Refusal::UNKNOWN_CHARGE)
}
