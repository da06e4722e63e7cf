//! `bitpro account …`: what may be written, and how its results are shown.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::print::{list, out, text, whereabouts};
use crate::admin::{AccountCommand, Command};

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub(super) enum AccountAction {
    /// List the people who have an account or asked for one.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let somebody in who asked: they get a letter with a link to choose a password, and the merchant that they asked for.
    Approve {
        /// The e-mail address.
        email: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take all second factors and recovery codes from somebody who has lost them: the password alone lets them in then.
    ResetFactor {
        #[command(flatten)]
        account: Named,
    },
    /// Send somebody a new link to choose a password, and print it. Whoever has it gets in: pass it on as you would a password.
    Link {
        #[command(flatten)]
        account: Named,
    },
    /// Block an account: its sessions end, and nobody can log in with it until it is enabled again.
    Disable {
        #[command(flatten)]
        account: Named,
        /// Block it even when a merchant is left without an owner who can log in.
        #[arg(long)]
        force: bool,
    },
    /// Open a blocked account again.
    Enable {
        #[command(flatten)]
        account: Named,
    },
    /// Refuse a request for an account, which is deleted.
    Reject {
        #[command(flatten)]
        account: Named,
    },
    /// Remove an account, and with it its part in every team. Merchants, their charges and their logs stay.
    Remove {
        #[command(flatten)]
        account: Named,
    },
}

/// One account.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// The e-mail address.
    email: String,
    /// Print JSON.
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
            "approved {}: a letter {}; the merchant is {}",
            text(&value["email"]),
            whereabouts(by_server),
            text(&value["merchant"])
        )),
        Command::Account(command) => operated(command, value, by_server),
        _ => list(value, "nobody has asked for an account yet", line),
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
            format!("{email} has no second factor any more and is told by letter; all sessions were ended")
        }
        AccountCommand::Link { .. } => format!("a letter to {email} {}, with this link", whereabouts(by_server)),
        AccountCommand::Disable { .. } => format!("blocked {email}, who is told by letter"),
        AccountCommand::Enable { .. } => format!("opened {email} again, who is told by letter"),
        AccountCommand::Reject { .. } => format!("refused {email}, who is told by letter"),
        AccountCommand::Remove { .. } => format!("removed {email}, who is told by letter"),
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
        for (by_server, how) in [(true, "is on its way"), (false, "goes out when the server is started")] {
            assert_eq!(
                told(&link, &email, by_server),
                format!("a letter to {email} {how}, with this link")
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
