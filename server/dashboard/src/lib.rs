//! What merchants see: server-rendered pages behind a login, which work without a script.
//!
//! One table of routes says of each path who may come there; `guard` is the only way to a handler.

#![warn(missing_docs)]

mod audit;
mod audit_words;
pub mod charges;
mod cookie;
mod failures;
pub mod field;
pub mod form;
mod form_redirects;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod guard;
pub mod layout;
pub mod money;
pub mod multipart;
mod not_found;
mod onboarding;
mod people;
mod redirect;
mod refusals;
pub mod route;
mod script;
pub mod settings;
pub mod shop;
pub mod snippet;
#[cfg(test)]
mod tests;

pub use field::{Errors, Field};
pub use guard::router;
pub use not_found::not_found_page;
pub use route::{Access, Route, Verb};

/// Every page, with who may come there: the router is built from this table, and so is the test of who may do what.
pub fn routes() -> impl Iterator<Item = &'static Route> + Clone {
    people::ROUTES
        .iter()
        .chain(script::ROUTES)
        .chain(shop::ROUTES)
        .chain(charges::ROUTES)
        .chain(settings::ROUTES)
        .chain(snippet::ROUTES)
}
