//! E-mail: what letters say, and how they leave. A letter is posted in the transaction of what it tells of, sealed, and sent
//! after the commit (see `store/tx/mails.rs`), at least once.

mod clean;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
pub mod letters;
mod message;
mod postman;
mod schedule;
mod transport;

pub use postman::Postman;
pub use transport::{MailSetupError, Transport};

/// A letter, ready to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The address it goes to, without a name.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The whole content as plain text.
    pub text: String,
    /// The same for those who see HTML.
    pub html: String,
}
