//! Webhooks, as they are shown.

use bitpro_operator::admin::WebhookCommand;
use serde_json::Value;

use super::{field, list, out, text};

/// Prints what a command about webhooks gave.
pub(super) fn reply(command: &WebhookCommand, value: &Value) {
    match command {
        WebhookCommand::Add { .. } | WebhookCommand::Rotate { .. } => {
            for name in ["id", "state", "url", "secret", "former_secret_until"] {
                if !value[name].is_null() {
                    field(name, &value[name]);
                }
            }
            super::error(
                "copy the secret now, it is not shown again: keep it on the shop's server, to verify deliveries",
            );
        }
        WebhookCommand::Remove { .. } => out(&format!("removed {}", text(&value["id"]))),
        WebhookCommand::List { .. } => list(value, "no webhooks yet: add one with `bitpro webhook add`", |webhook| {
            let condition = match webhook["paused_at"].as_str() {
                Some(since) => format!("PAUSED since {since}"),
                None => format!("{} pending", webhook["pending"]),
            };
            format!(
                "{}  {:<16}  {}  {condition}",
                text(&webhook["id"]),
                text(&webhook["state"]),
                text(&webhook["url"])
            )
        }),
        WebhookCommand::Test { .. } => out(&attempt(value)),
        WebhookCommand::Redeliver { .. } => out(&format!("{} pending", value["due"])),
        WebhookCommand::Deliveries { .. } => list(value, "no deliveries", |delivery| {
            let mut lines = format!(
                "{}  {}  {}  {}",
                text(&delivery["event_id"]),
                text(&delivery["occured_at"]),
                text(&delivery["type"]),
                text(&delivery["state"])
            );
            for past in delivery["attempts"].as_array().into_iter().flatten() {
                lines.push_str(&format!(
                    "\n    {}  {}  {}",
                    past["attempt"],
                    text(&past["at"]),
                    attempt(past)
                ));
            }
            lines
        }),
    }
}

/// Status or failure, time, and the beginning of the answer on one line.
fn attempt(value: &Value) -> String {
    let outcome = match value["status"].as_u64() {
        Some(status) => format!("answered {status}"),
        None => format!("no response: {}", text(&value["failure"])),
    };
    let excerpt = text(&value["excerpt"]).lines().next().unwrap_or_default().to_owned();
    format!("{outcome} in {} ms  {excerpt}", value["took_ms"])
}
