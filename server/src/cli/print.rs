//! What the command line shows: for people in lines, for scripts in JSON.

pub(super) mod link;
mod webhook;

use std::io::{self, Write as _};

use bitpro_base::name::written_out;
use bitpro_config::Config;
use bitpro_merchant::SETTINGS;
use bitpro_node::{CheckLine, Level};
use bitpro_operator::admin::Command;
use serde_json::{Value, json};

use super::rate::Report;
use super::{account, clock, keys, reconcile};

/// Prints a line on standard output. Whoever closed it early has seen what they wanted.
pub(super) fn out(line: &str) {
    let _ = writeln!(io::stdout(), "{}", shown(line));
}

/// What can be written to a terminal: names of files, of shops, order ids and whatever else came from outside may hold commands to it,
/// or marks that turn the rest of a line.
fn shown(line: &str) -> String {
    written_out(line, |c| match c {
        '\n' | '\t' => c.to_string(),
        _ => c.escape_default().to_string(),
    })
}

/// A document of JSON that can be written to a terminal and says the same: only its line ends and what stands in its texts is no ASCII, and
/// texts have escapes of their own.
fn shown_json(document: &str) -> String {
    written_out(document, |c| match c {
        '\n' => c.to_string(),
        _ => {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units);
            units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
        }
    })
}

/// Prints a line on standard error.
pub(super) fn error(line: &str) {
    let _ = writeln!(io::stderr(), "bitpro: {}", shown(line));
}

/// Prints the settings of merchants.
pub(super) fn settings() {
    for setting in SETTINGS {
        let default = if setting.default.is_empty() {
            "none"
        } else {
            setting.default
        };
        out(&format!(
            "{}\n    {}\n    {}; default {default}",
            setting.name, setting.meaning, setting.wanted
        ));
    }
}

/// Prints the lines of a check, and says whether nothing is wrong.
pub(super) fn check(lines: &[CheckLine], json: bool) -> bool {
    if json {
        let lines: Vec<Value> = lines
            .iter()
            .map(|line| {
                json!({"subject": line.subject, "level": word(line.level), "says": line.text, "setting": line.setting})
            })
            .collect();
        pretty(&Value::Array(lines));
    } else {
        for line in lines {
            let setting = line
                .setting
                .map(|name| format!(" (setting: {name})"))
                .unwrap_or_default();
            out(&format!(
                "{:<8} {:<14} {}{setting}",
                word(line.level),
                line.subject,
                line.text
            ));
        }
    }
    lines.iter().all(|line| line.level < Level::Failure)
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::Fine => "ok",
        Level::Warning => "warning",
        Level::Failure => "failure",
    }
}

/// Prints the exchange rate: all that was found after a probe, else only what counts.
pub(super) fn rate(report: &Report, probe: bool, json: bool) {
    if json {
        return pretty(&report.to_json());
    }
    let text = report.to_text();
    let shown = if probe { 0 } else { text.len().saturating_sub(1) };
    for line in text.iter().skip(shown) {
        out(line);
    }
}

/// Where a letter is: without a server nobody posts it.
pub(super) const fn whereabouts(by_server: bool) -> &'static str {
    if by_server {
        "is on its way"
    } else {
        "will be sent when the server starts"
    }
}

/// Prints what a command gave, by a server or here.
pub(super) fn reply(command: &Command, value: &Value, config: &Config, by_server: bool, json: bool) {
    if json {
        return pretty(value);
    }
    match command {
        Command::AddMerchant(_) => {
            out(&format!("added {}", text(&value["id"])));
            out(&format!("link  {}{}", config.public_origin(), text(&value["link"])));
            wallet(value);
            link::warn_without_key(value);
        }
        Command::SetMerchant { .. } => {
            let is_changed = value["changed"].as_array().is_some_and(|names| !names.is_empty());
            let what = if is_changed { "changed" } else { "nothing to change:" };
            out(&format!("{what} {}", text(&value["id"])));
            link::warn_without_key(value);
        }
        Command::ShowMerchant { .. } => merchant(value),
        Command::ListMerchants => list(
            value,
            "no merchants yet: add one with `bitpro merchant add`",
            |merchant| format!("{}  {}", text(&merchant["id"]), text(&merchant["settings"]["name"])),
        ),
        Command::ListAccounts | Command::ApproveAccount { .. } | Command::Account(_) => {
            account::print(command, value, by_server)
        }
        Command::Link(command) => link::reply(command, value, config),
        Command::Webhook(command) => webhook::reply(command, value),
        Command::ListCharges(_) => list(value, "no charges", charge_line),
        Command::ShowUnread => unread(value),
        Command::ShowCharge { .. } => charge(value),
        Command::AddKey { .. }
        | Command::ListKeys { .. }
        | Command::RotateKey { .. }
        | Command::RevokeKey { .. }
        | Command::Rekey => keys::print(command, value),
        Command::Reconcile { .. } => reconcile::print(value),
        Command::Knock => out("the server answers"),
        Command::ShowClock | Command::AcceptClock => clock::print(value),
        Command::CopyDatabase => field("copy", &value["path"]),
        Command::TestMail { to } => out(&format!(
            "the e-mail to {to} {}; if it cannot be sent, the server's log says so",
            whereabouts(by_server)
        )),
        Command::AcceptCharge { .. } | Command::CancelCharge { .. } => out(&charge_line(value)),
    }
}

fn pretty(value: &Value) {
    let document = serde_json::to_string_pretty(value).expect("a JSON value always serializes");
    out(&shown_json(&document));
}

pub(super) fn list(value: &Value, when_empty: &str, line: impl Fn(&Value) -> String) {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    if items.is_empty() {
        error(when_empty);
    }
    for item in items {
        out(&line(item));
    }
}

fn merchant(value: &Value) {
    field("id", &value["id"]);
    field("created_at", &value["created_at"]);
    field("link", &value["link"]);
    for setting in SETTINGS {
        field(setting.name, &value["settings"][setting.name]);
    }
    field("link_keys", &value["link_keys"]);
    let logo = &value["logo"];
    if !logo.is_null() {
        field(
            "logo",
            &json!(format!("{}, {} bytes", text(&logo["mime"]), logo["bytes"])),
        );
    }
    wallet(value);
}

fn wallet(value: &Value) {
    for name in [
        "descriptor",
        "next_index",
        "unpaid_run",
        "longest_run",
        "gap_limit",
        "blocked",
    ] {
        if !value[name].is_null() {
            field(name, &value[name]);
        }
    }
}

fn unread(value: &Value) {
    if value.is_null() {
        return out(
            "no block is missing: the node deleted none before it was read, except those that the operator has vouched for",
        );
    }
    out(&format!(
        "blocks {} to {} were deleted by the node before they were read; the chain is known up to {} and again from {}",
        value["from"],
        value["to"],
        text(&value["known_until"]),
        text(&value["known_again_from"])
    ));
    list(&value["charges"], "no charge was open meanwhile", charge_line);
}

fn charge(value: &Value) {
    let fields = value.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(_, value)| !value.is_array() && !value.is_null()) {
        field(name, value);
    }
    for payment in value["payments"].as_array().into_iter().flatten() {
        let whereabouts = match (&payment["live"], payment["block_height"].as_u64()) {
            (Value::Bool(false), _) => "gone".to_owned(),
            (_, Some(height)) => format!("block {height}"),
            (_, None) => "mempool".to_owned(),
        };
        let line = format!(
            "{}  {} sat  {whereabouts}",
            text(&payment["outpoint"]),
            payment["value_sat"]
        );
        field("payment", &json!(line));
    }
    for event in value["history"].as_array().into_iter().flatten() {
        let line = format!(
            "{}  {:>3}  {}  {}",
            text(&event["at"]),
            event["sequence"],
            text(&event["kind"]),
            text(&event["says"])
        );
        field("event", &json!(line));
    }
}

fn charge_line(charge: &Value) -> String {
    let cents = charge["fiat_price_cents"].as_u64().unwrap_or_default();
    let state = match charge["reason"].as_str() {
        Some(reason) => format!("{} ({reason})", text(&charge["state"])),
        None => text(&charge["state"]),
    };
    // What is called confirmed is not all of it, as long as more is under way.
    let confirmed = match (charge["state"].as_str(), charge["confirmed_sat"].as_u64()) {
        (Some("confirmed"), Some(confirmed)) if Some(confirmed) != charge["received_sat"].as_u64() => {
            format!(" ({confirmed} confirmed)")
        }
        _ => String::new(),
    };
    format!(
        "{}  {}  {state:<20} EUR {}.{:02}  {} of {} sat{confirmed}  {}",
        text(&charge["id"]),
        text(&charge["created_at"]),
        cents / 100,
        cents % 100,
        charge["received_sat"],
        charge["amount_sat"],
        text(&charge["order_id"]),
    )
}

pub(super) fn field(name: &str, value: &Value) {
    out(&format!("{name:<22} {}", text(value)));
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_neither_commands_a_terminal_nor_turns_a_line() {
        assert_eq!(
            shown("order_id x\u{202e}y\u{200b}\u{1b}[2J\n\tz"),
            "order_id x\\u{202e}y\\u{200b}\\u{1b}[2J\n\tz"
        );
        assert_eq!(shown("Thé 日本 👩\u{200d}🔬"), "Thé 日本 👩\u{200d}🔬");
    }

    #[test]
    fn json_says_the_same_when_it_is_shown() {
        let value = json!({"order_id": "x\u{202e}y\u{7f}\u{85}\u{200b}\u{e0068}\u{1b}\n", "name": "Thé 👩\u{200d}🔬"});
        let document = shown_json(&serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(serde_json::from_str::<Value>(&document).unwrap(), value);
        assert_eq!(shown(&document), document);
        assert!(
            document.contains("x\\u202ey\\u007f\\u0085\\u200b\\udb40\\udc68"),
            "{document}"
        );
    }
}
