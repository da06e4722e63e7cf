//! What merchants see: server-rendered pages behind a login, which work without a script.
//!
//! One table of routes says of each path who may come there; `guard` is the only way to a handler.

pub mod charges;
pub mod field;
pub mod form;
pub mod layout;
pub mod money;
pub mod multipart;
pub mod route;
pub mod time;
pub mod words;

pub use field::{Errors, Field};
pub use route::{Access, Route, Verb};
