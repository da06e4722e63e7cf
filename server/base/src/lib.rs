//! What everybody may use: time, chance, names, secrets, and the one HTTP client. It knows no database, no web and no merchant.

#![warn(missing_docs)]

pub mod client;
pub mod clock;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod http_client;
pub mod instants;
pub mod links;
pub mod name;
pub mod policy;
pub mod private;
pub mod rng;
pub mod seal;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
