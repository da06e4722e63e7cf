//! Link keys and signed links, as they are shown.

use bitpro_config::Config;
use bitpro_operator::admin::LinkCommand;
use serde_json::Value;

use super::{field, list, out, pretty, text};

/// Prints what a command about signed links gave.
pub(super) fn reply(command: &LinkCommand, value: &Value, config: &Config) {
    match command {
        LinkCommand::RotateKey { .. } => {
            for name in ["id", "key", "previous_until"] {
                if !value[name].is_null() {
                    field(name, &value[name]);
                }
            }
            super::error("copy the key now, it is not shown again: keep it on the shop's server, never in a page");
        }
        LinkCommand::ListKeys { .. } => list(
            value,
            "no link keys yet: create one with `bitpro link key rotate`",
            |key| {
                let life = match key["until"].as_str() {
                    Some(until) => format!("valid until {until}"),
                    None => "signs".to_owned(),
                };
                format!("{}  made {}  {life}", text(&key["id"]), text(&key["created_at"]))
            },
        ),
        LinkCommand::RevokeKey { .. } => out(&format!("revoked {}", text(&value["id"]))),
        LinkCommand::Sign(_) => {
            signed(value, &config.public_origin(), false);
        }
    }
}

/// Prints a signed link behind the address of its `server`, alone on its line for scripts.
pub(in crate::cli) fn signed(value: &Value, server: &str, json: bool) {
    if json {
        return pretty(value);
    }
    out(&format!("{server}{}", text(&value["link"])));
}

/// Says so when a merchant takes signed links only and has nothing to sign them with: then all its links are refused.
pub(super) fn warn_without_key(merchant: &Value) {
    if merchant["settings"]["require_signed_links"] == "yes" && merchant["link_keys"] == 0 {
        super::error("all links are refused until they are signed: create a link key with `bitpro link key rotate`");
    }
}
