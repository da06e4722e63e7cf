//! The shell around the domain: HTTP, storage, the node, the clock. `main.rs` builds the binary `bitpro` from it.

pub mod accounts;
pub mod admin;
pub mod app;
mod backup;
pub mod charges;
pub mod checkout;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dashboard;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
pub mod health;
mod http_client;
pub mod instance;
mod instants;
pub mod keys;
mod letters;
pub mod lifecycle;
pub mod limits;
pub mod links;
pub mod mail;
pub mod mapi;
pub mod merchant;
pub mod name;
pub mod node;
pub mod policy;
mod private;
pub mod rates;
pub mod reconcile;
pub mod rng;
pub mod router;
pub mod seal;
pub mod store;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod times;
pub mod wallet;
pub mod web;
pub mod webhooks;
pub mod wire;
pub mod words;
