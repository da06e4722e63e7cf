//! What letters say, in both languages. Pure: who calls gives the texts of others as they are; they are cleaned here.

mod account;
pub mod clean;
mod frame;
mod notice;
mod receipt;
#[cfg(test)]
mod tests;
mod withdrawal;

pub use account::{
    Asking, CHOOSE_PASSWORD, LINK_OF_OPERATOR, REJECTED, RESET_PASSWORD, already_here, asked, choose_password,
    confirm_email, invitation, link_of_operator, operator_asked, rejected, reset_password, test,
};
pub use notice::{Notice, Occasion, notice};
pub use receipt::{Receipt, receipt};
pub use withdrawal::Withdrawal;

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
