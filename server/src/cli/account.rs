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
        _ => list(value, "nobody has asked for an account yet", line),
    }
}

/// An account on one line.
fn line(account: &Value) -> String {
    let merchants = match account["merchants"].as_array().map_or(0, Vec::len) {
        1 => "1 merchant".to_owned(),
        number => format!("{number} merchants"),
    };
    format!(
        "{}  {}  {}, {}, {merchants}, since {}",
        text(&account["state"]),
        text(&account["email"]),
        text(&account["name"]),
        text(&account["company"]),
        text(&account["created_at"])
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_merchant_is_not_called_several() {
        let with = |merchants: Value| {
            line(&json!({
                "state": "active", "email": "ada@shop.example", "name": "Ada", "company": "Tea",
                "created_at": "2026-11-25T08:00:00Z", "merchants": merchants,
            }))
        };
        assert_eq!(
            with(json!([{}])),
            "active  ada@shop.example  Ada, Tea, 1 merchant, since 2026-11-25T08:00:00Z"
        );
        assert!(with(json!([])).contains(" 0 merchants, ") && with(json!([{}, {}])).contains(" 2 merchants, "));
    }
}
