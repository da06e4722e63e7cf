//! What merchants are given, whichever way: by webhooks, by the merchant API, by its log of events.
//!
//! The fields of the API reference come first, in its order and spelling, and their bytes are pinned (R35). What follows
//! them is additive.

mod charge;
mod event;
mod text;

pub use charge::{ChargeObject, ObjectContext};
pub use event::{EventObject, delivery_body, test_body};
pub use text::json;
