//! `bitpro account …`: what may be written, and how its results are shown.

use clap::Subcommand;
use serde_json::Value;

use super::print::{list, out, text};
use crate::admin::Command;

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub(super) enum AccountAction {
    /// List the people who have an account or asked for one.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let somebody in who asked: he gets a letter with a link to choose a password, and the merchant he asked for.
    Approve {
        /// The e-mail address.
        email: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

impl AccountAction {
    /// The command, and whether JSON is wanted.
    pub(super) fn into_command(self) -> (Command, bool) {
        match self {
            Self::List { json } => (Command::ListAccounts, json),
            Self::Approve { email, json } => (Command::ApproveAccount { email }, json),
        }
    }
}

/// Prints what a command about accounts gave.
pub(super) fn print(command: &Command, value: &Value) {
    match command {
        Command::ApproveAccount { .. } => out(&format!(
            "approved {}: a letter is on its way; the merchant is {}",
            text(&value["email"]),
            text(&value["merchant"])
        )),
        _ => list(value, "nobody has asked for an account yet", |account| {
            let merchants = account["merchants"].as_array().map_or(0, Vec::len);
            format!(
                "{}  {}  {}, {}, {merchants} merchants, since {}",
                text(&account["state"]),
                text(&account["email"]),
                text(&account["name"]),
                text(&account["company"]),
                text(&account["created_at"])
            )
        }),
    }
}
