//! The merchant's settings: general, wallet, domains, look, webhooks, keys, link signing.
//!
//! Who may look and who may change stands in the table alone; a page hides what its reader may not do, and that is all.

mod change;
mod domains;
pub(super) mod frame;
mod frame_test;
mod general;
mod general_fields;
pub(super) mod general_form;
mod keys;
mod links;
mod look;
mod overlap;
mod preview;
mod secret;
#[cfg(test)]
mod tests;
pub(super) mod times;
pub(super) mod units;
mod wallet;
mod wallet_shown;
mod wallet_words;
mod webhook;
mod webhook_words;
mod webhooks;

#[cfg(test)]
pub(crate) use look::LOGO_NO_PICTURE;

use bitpro_merchant::Permission;
use futures::future::BoxFuture;

use crate::refusals::Refusal;

pub(super) use self::units::Unit;
use super::route::{Access, Handler, Reply, Route, get, post};

/// An answer on its way.
pub(super) type Answering = BoxFuture<'static, Result<Reply, Refusal>>;

const fn read(path: &'static str, handler: Handler) -> Route {
    get(path, Access::Member(Permission::Read), handler)
}

const fn change(path: &'static str, permission: Permission, handler: Handler) -> Route {
    post(path, Access::Member(permission), handler)
}

/// What lets money or secrets go elsewhere asks for the password again.
const fn fresh(path: &'static str, permission: Permission, handler: Handler) -> Route {
    post(path, Access::FreshMember(permission), handler)
}

/// The routes of the settings.
pub const ROUTES: &[Route] = &[
    read("/dashboard/{merchant}/settings", general::show),
    change("/dashboard/{merchant}/settings", Permission::Settings, general::save),
    read("/dashboard/{merchant}/settings/look", look::show),
    change("/dashboard/{merchant}/settings/look", Permission::Settings, look::save),
    change(
        "/dashboard/{merchant}/settings/look/try",
        Permission::Settings,
        look::try_colour,
    ),
    change(
        "/dashboard/{merchant}/settings/look/logo",
        Permission::Settings,
        look::save_logo,
    ),
    change(
        "/dashboard/{merchant}/settings/look/remove-logo",
        Permission::Settings,
        look::remove_logo,
    ),
    read("/dashboard/{merchant}/settings/domains", domains::show),
    change(
        "/dashboard/{merchant}/settings/domains",
        Permission::Settings,
        domains::save,
    ),
    change(
        "/dashboard/{merchant}/settings/domains/add",
        Permission::Settings,
        domains::add,
    ),
    read("/dashboard/{merchant}/settings/webhooks", webhooks::show),
    fresh(
        "/dashboard/{merchant}/settings/webhooks",
        Permission::Keys,
        webhooks::add,
    ),
    read("/dashboard/{merchant}/settings/webhooks/{webhook}", webhook::show),
    change(
        "/dashboard/{merchant}/settings/webhooks/{webhook}/test",
        Permission::Keys,
        webhook::test,
    ),
    fresh(
        "/dashboard/{merchant}/settings/webhooks/{webhook}/rotate",
        Permission::Keys,
        webhook::rotate,
    ),
    change(
        "/dashboard/{merchant}/settings/webhooks/{webhook}/redeliver",
        Permission::Keys,
        webhook::redeliver,
    ),
    fresh(
        "/dashboard/{merchant}/settings/webhooks/{webhook}/remove",
        Permission::Keys,
        webhook::remove,
    ),
    read("/dashboard/{merchant}/settings/keys", keys::show),
    fresh("/dashboard/{merchant}/settings/keys", Permission::Keys, keys::add),
    fresh(
        "/dashboard/{merchant}/settings/keys/{key}/rotate",
        Permission::Keys,
        keys::rotate,
    ),
    fresh(
        "/dashboard/{merchant}/settings/keys/{key}/revoke",
        Permission::Keys,
        keys::revoke,
    ),
    read("/dashboard/{merchant}/settings/links", links::show),
    fresh("/dashboard/{merchant}/settings/links", Permission::Keys, links::save),
    fresh(
        "/dashboard/{merchant}/settings/links/rotate",
        Permission::Keys,
        links::rotate,
    ),
    fresh(
        "/dashboard/{merchant}/settings/links/{key}/remove",
        Permission::Keys,
        links::remove,
    ),
    read("/dashboard/{merchant}/settings/wallet", wallet::show),
    fresh(
        "/dashboard/{merchant}/settings/wallet",
        Permission::Money,
        wallet::preview,
    ),
    change(
        "/dashboard/{merchant}/settings/wallet/stop",
        Permission::Money,
        wallet::stop,
    ),
    fresh(
        "/dashboard/{merchant}/settings/wallet/confirm",
        Permission::Money,
        wallet::save,
    ),
];
