//! The table, and the same as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::machine::Machine;
use crate::row::{Bound, Row, Side};

/// A whole run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where it ran.
    pub machine: Machine,
    /// What was measured.
    pub rows: Vec<Row>,
    /// What could not be.
    pub failures: Vec<Failure>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// A station that could not measure.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// Its name.
    pub station: &'static str,
    /// Why.
    pub because: String,
}

const TITLES: [&str; 7] = [
    "figure",
    "measured",
    "beside, in the same run",
    "ratio",
    "floor",
    "goal",
    "verdict",
];

impl Report {
    /// The table with what belongs under it.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for line in self.machine.lines() {
            text.push_str(&line);
            text.push('\n');
        }
        text.push('\n');
        let cells: Vec<[String; TITLES.len()]> = self.rows.iter().map(cells).collect();
        let mut widths = TITLES.map(|title| title.chars().count());
        for line in &cells {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        push_line(&mut text, &TITLES.map(str::to_owned), &widths);
        push_line(&mut text, &widths.map(|width| "-".repeat(width)), &widths);
        for line in &cells {
            push_line(&mut text, line, &widths);
        }
        text.push('\n');
        for row in &self.rows {
            text.push_str(&format!("{}: {}, n = {}", row.name, row.what, row.samples));
            for note in &row.notes {
                text.push_str("; ");
                text.push_str(note);
            }
            text.push('\n');
        }
        for Failure { station, because } in &self.failures {
            text.push_str(&format!("\nNOT MEASURED: {station}: {because}\n"));
        }
        text
    }
}

fn cells(row: &Row) -> [String; TITLES.len()] {
    let measured: Vec<String> = row
        .measured
        .iter()
        .map(|number| format!("{} {}", number.label, shown(number.value)))
        .collect();
    let unit = if row.unit.is_empty() {
        String::new()
    } else {
        format!(" {}", row.unit)
    };
    [
        row.name.to_owned(),
        measured.join(", ") + &unit,
        row.baseline.as_ref().map_or_else(String::new, |baseline| {
            format!("{}: {}{unit}", baseline.what, shown(baseline.value))
        }),
        row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        bounds(&row.floor),
        bounds(&row.goal),
        row.verdict.word().to_owned(),
    ]
}

fn bounds(bounds: &[Bound]) -> String {
    let texts: Vec<String> = bounds
        .iter()
        .map(|bound| {
            let sign = match bound.side {
                Side::AtMost => "≤",
                Side::AtLeast => "≥",
            };
            format!("{} {sign} {}", bound.label, shown(bound.limit))
        })
        .collect();
    texts.join(", ")
}

/// Three figures that mean something, or the whole number.
fn shown(value: f64) -> String {
    let size = value.abs();
    if value.fract() == 0.0 || size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 0.1 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}

fn push_line(text: &mut String, cells: &[String; TITLES.len()], widths: &[usize; TITLES.len()]) {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        // Formatting into a string cannot fail.
        let _ = write!(line, "| {cell:<width$} ");
    }
    line.push_str("|\n");
    text.push_str(&line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::at_most;

    #[test]
    fn numbers_are_shown_with_what_they_mean() {
        for (value, text) in [
            (0.0, "0"),
            (12_000.0, "12000"),
            (1234.5, "1234"),
            (12.34, "12.3"),
            (1.234, "1.23"),
            (0.0123, "0.0123"),
        ] {
            assert_eq!(shown(value), text);
        }
    }

    #[test]
    fn a_row_shows_what_it_is_measured_against() {
        let row = Row::new("live", "", "ms")
            .number("p50", 500.0)
            .beside("nothing", 250.0)
            .bars([at_most("p50", 900.0)], [at_most("p50", 600.0)]);
        assert_eq!(
            cells(&row),
            [
                "live",
                "p50 500 ms",
                "nothing: 250 ms",
                "2.00",
                "p50 ≤ 900",
                "p50 ≤ 600",
                "goal"
            ]
        );
    }
}
