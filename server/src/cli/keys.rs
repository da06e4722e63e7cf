//! `bitpro key …`: what may be written, and how its results are shown.

use bitpro_operator::admin::Command;
use clap::Subcommand;
use serde_json::Value;

use super::print::{field, list, out, text};

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeyAction {
    /// Create a key, and show its secret once. The first key of a merchant has the merchant's id.
    Add {
        /// The merchant's id.
        merchant: String,
        /// A name for the key.
        #[arg(long, default_value = "shop", value_name = "TEXT")]
        name: String,
        /// A scope, instead of charges:read and charges:write. Repeat for several: charges:read, charges:write, charges:accept, webhooks:write.
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        #[arg(long)]
        json: bool,
    },
    /// List keys, without their secrets.
    List {
        /// Only keys of this merchant.
        #[arg(long, value_name = "ID")]
        merchant: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Create a new secret for a key, under the same id. The current secret stays valid for a while.
    Rotate {
        id: String,
        /// How long the current secret stays valid, in seconds, at most 30 days. 0 ends it at once.
        #[arg(long, default_value_t = 86_400, value_name = "N")]
        overlap_secs: u32,
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key permanently.
    Revoke {
        id: String,
        #[arg(long)]
        json: bool,
    },
}

impl KeyAction {
    /// The command, and whether JSON is wanted.
    pub(super) fn into_command(self) -> (Command, bool) {
        match self {
            Self::Add {
                merchant,
                name,
                scopes,
                json,
            } => {
                let scopes = (!scopes.is_empty()).then(|| scopes.join(" "));
                (Command::AddKey { merchant, name, scopes }, json)
            }
            Self::List { merchant, json } => (Command::ListKeys { merchant }, json),
            Self::Rotate { id, overlap_secs, json } => (Command::RotateKey { id, overlap_secs }, json),
            Self::Revoke { id, json } => (Command::RevokeKey { id }, json),
        }
    }
}

/// Prints what a command about keys gave.
pub(super) fn print(command: &Command, value: &Value) {
    match command {
        Command::ListKeys { .. } => list(value, "no keys yet: create one with `bitpro key add`", |key| {
            let state = match key["revoked_at"].as_str() {
                Some(at) => format!("revoked {at}"),
                None => format!("last used {}", key["last_used_at"].as_str().unwrap_or("never")),
            };
            format!(
                "{}  {}  {}  {state}",
                text(&key["id"]),
                text(&key["scopes"]),
                text(&key["name"])
            )
        }),
        Command::RevokeKey { .. } => out(&format!("revoked {}", text(&value["id"]))),
        Command::Rekey => out(&format!(
            "{} of {} secrets encrypted again; all now use key {}",
            value["encrypted_anew"], value["secrets"], value["version"]
        )),
        _ => {
            for name in ["id", "name", "scopes", "secret", "overlap_until"] {
                if !value[name].is_null() {
                    field(name, &value[name]);
                }
            }
        }
    }
}
