//! `bitpro reconcile`: what it found, in lines and as an exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use bitpro_operator::admin::Command;
use serde_json::Value;

use super::print::{error, out, text};
use super::{FAILED, reply_to};

/// Compares, prints what was found, and tells by the exit code whether anything is left of it.
pub(super) fn run(file: Option<PathBuf>, from: Option<u32>, fix: bool, json: bool) -> ExitCode {
    match reply_to(file, &Command::Reconcile { from, fix }, json) {
        Ok(report) if is_fine(&report) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(FAILED),
        Err(code) => code,
    }
}

/// Prints a report: a line for each difference on standard output, notes and the sum on standard error.
pub(super) fn print(report: &Value) {
    for difference in items(&report["differences"]) {
        let mark = match difference["repaired"].as_bool() {
            Some(true) => "repaired  ",
            _ => "",
        };
        let subject = [&difference["charge_id"], &difference["subject"]]
            .into_iter()
            .filter(|part| !part.is_null())
            .map(text)
            .collect::<Vec<_>>()
            .join("  ");
        out(&format!(
            "{mark}{}  {subject}  {}",
            text(&difference["code"]),
            text(&difference["reason"])
        ));
    }
    let listed = u64::try_from(items(&report["differences"]).len()).unwrap_or(u64::MAX);
    let found = report["found"].as_u64().unwrap_or_default();
    if found > listed {
        out(&format!("... and {} more", found - listed));
    }
    for note in items(&report["notes"]) {
        error(&format!("note: {}  {}", text(&note["code"]), text(&note["says"])));
    }
    let blocks = match (report["from_height"].as_u64(), report["to_height"].as_u64()) {
        (Some(from), Some(to)) if from <= to => format!("blocks {from} to {to}"),
        _ => "no blocks".to_owned(),
    };
    error(&format!(
        "{} charges, {} scripts, {blocks}: {found} differences, {} repaired",
        report["charges"], report["scripts"], report["repaired"]
    ));
}

fn is_fine(report: &Value) -> bool {
    report["complete"] == true && report["found"] == report["repaired"]
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_whole_comparison_without_a_difference_left_is_a_success() {
        let report = |complete: bool, found: u64, repaired: u64| json!({"complete": complete, "found": found, "repaired": repaired});
        assert!(is_fine(&report(true, 0, 0)));
        assert!(is_fine(&report(true, 2, 2)));
        assert!(!is_fine(&report(true, 2, 1)));
        assert!(!is_fine(&report(false, 0, 0)));
    }
}
