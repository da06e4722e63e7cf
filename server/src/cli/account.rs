//! `bitpro account …`: what may be written, and how its results are shown.

use bitpro_operator::admin::{AccountCommand, Command};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::print::{list, out, text, whereabouts};

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub(super) enum AccountAction {
    /// List accounts and requests for accounts.
    List {
        #[arg(long)]
        json: bool,
    },
    /// Approve a request: sends an e-mail with a link to choose a password, and creates the merchant that was requested.
    Approve {
        /// The e-mail address.
        email: String,
        #[arg(long)]
        json: bool,
    },
    /// Remove all second factors and recovery codes from an account, for someone who has lost them. The password alone is then enough to log in.
    ResetFactor {
        #[command(flatten)]
        account: Named,
    },
    /// E-mail a new link to choose a password, and print it. Anyone with the link can log in: treat it like a password.
    Link {
        #[command(flatten)]
        account: Named,
    },
    /// Block an account. Its sessions end, and nobody can log in to it until you enable it again.
    Disable {
        #[command(flatten)]
        account: Named,
        /// Block it even if this leaves a merchant without an owner who can log in.
        #[arg(long)]
        force: bool,
    },
    /// Unblock an account.
    Enable {
        #[command(flatten)]
        account: Named,
    },
    /// Reject a request for an account, and delete it.
    Reject {
        #[command(flatten)]
        account: Named,
    },
    /// Remove an account, also from every team. Merchants, their charges and their logs stay.
    Remove {
        #[command(flatten)]
        account: Named,
    },
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The e-mail address.
    email: String,
    #[arg(long)]
    json: bool,
}

impl AccountAction {
    /// The command, and whether JSON is wanted.
    pub(super) fn into_command(self) -> (Command, bool) {
        match self {
            Self::List { json } => (Command::ListAccounts, json),
            Self::Approve { email, json } => (Command::ApproveAccount { email }, json),
            Self::ResetFactor { account } => account.command(|email| AccountCommand::ResetFactor { email }),
            Self::Link { account } => account.command(|email| AccountCommand::Link { email }),
            Self::Disable { account, force } => account.command(|email| AccountCommand::Disable { email, force }),
            Self::Enable { account } => account.command(|email| AccountCommand::Enable { email }),
            Self::Reject { account } => account.command(|email| AccountCommand::Reject { email }),
            Self::Remove { account } => account.command(|email| AccountCommand::Remove { email }),
        }
    }
}

impl Named {
    fn command(self, command: impl FnOnce(String) -> AccountCommand) -> (Command, bool) {
        (Command::Account(command(self.email)), self.json)
    }
}

/// Prints what a command about accounts gave.
pub(super) fn print(command: &Command, value: &Value, by_server: bool) {
    match command {
        Command::ApproveAccount { .. } => out(&format!(
            "approved {}: the e-mail {}; the merchant is {}",
            text(&value["email"]),
            whereabouts(by_server),
            text(&value["merchant"])
        )),
        Command::Account(command) => operated(command, value, by_server),
        _ => list(value, "no accounts or requests yet", line),
    }
}

/// What was done to one account.
fn operated(command: &AccountCommand, value: &Value, by_server: bool) {
    out(&told(command, &text(&value["email"]), by_server));
    if let AccountCommand::Link { .. } = command {
        out(&text(&value["link"]));
    }
}

fn told(command: &AccountCommand, email: &str, by_server: bool) -> String {
    match command {
        AccountCommand::ResetFactor { .. } => {
            format!("removed all second factors of {email} and ended all sessions; they are notified by e-mail")
        }
        AccountCommand::Link { .. } => format!("the e-mail to {email} {}, with this link", whereabouts(by_server)),
        AccountCommand::Disable { .. } => format!("blocked {email}; they are notified by e-mail"),
        AccountCommand::Enable { .. } => format!("unblocked {email}; they are notified by e-mail"),
        AccountCommand::Reject { .. } => format!("rejected {email}; they are notified by e-mail"),
        AccountCommand::Remove { .. } => format!("removed {email}; they are notified by e-mail"),
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
    fn a_letter_is_not_on_its_way_while_no_server_runs() {
        let email = "ada@shop.example".to_owned();
        let link = AccountCommand::Link { email: email.clone() };
        for (by_server, how) in [(true, "is on its way"), (false, "will be sent when the server starts")] {
            assert_eq!(
                told(&link, &email, by_server),
                format!("the e-mail to {email} {how}, with this link")
            );
        }
    }

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
