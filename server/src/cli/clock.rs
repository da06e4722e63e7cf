//! `bitpro clock …`: what may be written, and how its results are shown.

use bitpro_operator::admin::Command;
use clap::Subcommand;
use serde_json::Value;

use super::print::{out, text};

/// What can be done about the clock.
#[derive(Debug, Subcommand)]
pub(super) enum ClockAction {
    /// Show the time that charges use, which never goes back, and how far it is ahead of the machine's clock.
    Show {
        #[arg(long)]
        json: bool,
    },
    /// Accept the machine's clock as correct, after it was wrong. Time goes back to it, and a running server restarts its work. Charges that wait for money and were created at a wrong time are cancelled.
    Accept {
        #[arg(long)]
        json: bool,
    },
}

impl ClockAction {
    /// The command, and whether JSON is wanted.
    pub(super) const fn into_command(self) -> (Command, bool) {
        match self {
            Self::Show { json } => (Command::ShowClock, json),
            Self::Accept { json } => (Command::AcceptClock, json),
        }
    }
}

/// Prints what a command about the clock gave.
pub(super) fn print(value: &Value) {
    for line in lines(value) {
        out(&line);
    }
}

fn lines(value: &Value) -> Vec<String> {
    let mut lines = vec![format!(
        "time {}, machine's clock {}: {} s ahead",
        text(&value["time"]),
        text(&value["machine"]),
        value["ahead_secs"]
    )];
    match value["accepted"].as_str() {
        None => {}
        Some("nothing") => lines.push("the time is not ahead: there is nothing to accept".to_owned()),
        Some("begins-anew") => lines.push("accepted: the server restarts its work with the machine's clock".to_owned()),
        Some(_) => {
            lines.push("accepted: charges use the machine's clock".to_owned());
            for (name, what) in [
                ("withdrawn", "withdrawn"),
                (
                    "kept",
                    "keeps a deadline in the future, and has money: accept it or refund it",
                ),
            ] {
                let ids = value[name].as_array().into_iter().flatten();
                lines.extend(ids.map(|id| format!("charge {} {what}", text(id))));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_accepted_is_told_charge_by_charge() {
        let mut shown = json!({"time": "2026-11-30T10:00:00Z", "machine": "2026-11-30T08:00:00Z", "ahead_secs": 7200});
        assert_eq!(
            lines(&shown),
            ["time 2026-11-30T10:00:00Z, machine's clock 2026-11-30T08:00:00Z: 7200 s ahead"]
        );
        shown["accepted"] = json!("done");
        shown["withdrawn"] = json!(["a"]);
        shown["kept"] = json!(["b"]);
        let said = lines(&shown);
        assert_eq!(said[2], "charge a withdrawn");
        assert!(said[3].starts_with("charge b keeps a deadline"));
    }
}
