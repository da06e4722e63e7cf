//! E-mail: how letters leave. A letter is posted in the transaction of what it tells of, sealed, and sent
//! after the commit (see `store/tx/mails.rs`), at least once.

mod bounded;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod message;
mod postman;
mod schedule;
mod smtp;
mod transport;

pub use postman::Postman;
pub use transport::{MailSetupError, Transport};
