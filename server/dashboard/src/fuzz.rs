//! What people type and upload in the dashboard, and what spreadsheets make of what shoppers wrote.

use bitpro_base::fuzzing::{Memory, Target, first_line, text};
use bitpro_charge::Network;
use bitpro_merchant::times;
use bitpro_merchant::{Language, Settings, SettingsPatch};
use bytes::Bytes;
use http::HeaderValue;

use super::charges::export::lines;
use super::charges::needle;
use super::form::Form;
use super::multipart;
use super::settings::{general_form, units::Unit};

/// What is fuzzed here.
pub const TARGETS: &[Target] = &[
    Target::new(
        "spreadsheet",
        1_000,
        &[
            "=1+1", "+", "-", "@SUM", ";", "\"", "\n", "\r", "\t", ",", "＝", "\u{a0}", " ",
        ],
        spreadsheet,
    )
    .within(Memory {
        base: 128 * 1024,
        per_byte: 128,
        times: 16,
    }),
    Target::new(
        "settings-form",
        2_000,
        &[
            "name=",
            "window_secs=",
            "5%3A10",
            "price_limit_cents=",
            "1+000%2C50",
            "tolerance_bps=0%2C5",
            "confirmations_small=1&",
            "confirmations_medium=3&",
            "confirmations_large=6&",
            "languages=en&",
            "late_policy=ask&",
            "default_language=",
            "was_name=",
            "site=",
        ],
        settings_form,
    )
    .within(Memory {
        base: 512 * 1024,
        per_byte: 512,
        times: 16,
    }),
    Target::new(
        "upload",
        8 * 1024,
        &[
            "multipart/form-data; boundary=edge\n",
            "--edge\r\n",
            "--edge--\r\n",
            "Content-Disposition: form-data; name=\"a\"",
            "; filename=\"",
            "\r\n\r\n",
            "../",
            "\u{202e}",
            "\\",
        ],
        upload,
    )
    .within(Memory {
        base: 512 * 1024,
        per_byte: 64,
        times: 16,
    }),
    Target::new(
        "search",
        400,
        &[
            "bitcoin:",
            "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
            "?amount=",
            ":1",
            "@",
            "é",
            "2026-05-14",
        ],
        search,
    ),
];

/// Read by any spreadsheet, with commas or with semicolons, no cell is a formula; read as CSV, every text is what it was.
fn spreadsheet(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let cells: Vec<&str> = text.split('\u{1}').collect();
    let record = std::array::from_fn(|at| cells.get(at).copied().unwrap_or_default().to_owned());
    let written = lines([record]);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&written[..]);
    let mut records = reader.records();
    let read = records.next().expect("one line").expect("CSV");
    assert!(records.next().is_none(), "one charge is one record");
    for (at, cell) in read.iter().enumerate() {
        let plain = |text: &str| text.replace('\'', "");
        assert_eq!(plain(cell), plain(cells.get(at).copied().unwrap_or_default()));
        assert!(!is_formula(cell), "{cell:?}");
    }
    // A program to whom a comma is a decimal sign parts the line at semicolons, and knows no quote in the middle of a cell.
    let whole = String::from_utf8_lossy(&written);
    for line in whole.split(['\r', '\n']) {
        for cell in line.split(';') {
            assert!(!is_formula(cell), "{cell:?} in {line:?}");
        }
    }
}

fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches(|c: char| c.is_whitespace() || c == '"')
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// What the form changes can be saved, and a form that shows what was saved changes nothing.
fn settings_form(input: &[u8]) {
    let form = Form::read(input);
    let settings = Settings::named("Shop").expect("a test's own settings");
    if let Ok(changes) = general_form::changes(&form, &settings, Language::En) {
        let saved = settings.patched(&changes).expect("what the form takes can be saved");
        let shown = general_form::shown(&saved);
        let mut again: Vec<(String, String)> = shown
            .pairs()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        // Boxes that are not ticked are not sent.
        again.retain(|(name, value)| name != "email_receipts" || value == "yes");
        let again: Form = again.into_iter().collect();
        assert_eq!(
            general_form::changes(&again, &saved, Language::En),
            Ok(SettingsPatch::default())
        );
    }
    for unit in [Unit::Minutes, Unit::Hours, Unit::Euros, Unit::Percent] {
        let typed = form.text("window_secs");
        if let Some(kept) = unit.kept(typed) {
            assert!(kept.parse::<u64>().is_ok(), "{kept}");
            assert_eq!(
                unit.kept(&unit.shown(&kept)).as_deref(),
                Some(kept.as_str()),
                "{typed:?}"
            );
            let is_written = |c: char| c.is_ascii_digit() || c.is_whitespace() || ".,:".contains(c);
            assert!(typed.chars().all(is_written), "{typed:?} was guessed at");
        }
    }
}

/// An upload has few parts, and its files have names that are no paths.
fn upload(input: &[u8]) {
    let (content_type, body) = first_line(input);
    let content_type = HeaderValue::from_bytes(content_type).ok();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let read = runtime.block_on(multipart::read(content_type.as_ref(), Bytes::copy_from_slice(body)));
    let Ok((form, files)) = read else { return };
    assert!(form.pairs().count() + files.len() <= 10);
    for file in files {
        assert!(file.name.chars().count() <= 100);
        assert!(
            !file.name.contains(['/', '\\']) && !file.name.starts_with('.'),
            "{:?}",
            file.name
        );
        assert!(!file.name.chars().any(char::is_control));
        assert!(file.bytes.len() <= body.len());
    }
}

/// What is searched for is what was typed; a day is one of the calendar.
fn search(input: &[u8]) {
    let Some(text) = text(input) else { return };
    if let Some(needle) = needle::read(text, Network::Regtest, false) {
        assert!(needle.email.is_none(), "not every role may look for shoppers");
        assert!(text.trim().starts_with(needle.order_id.as_str()));
    }
    if let Some(day) = times::date(text) {
        assert_eq!(day.to_string(), text);
        let _ = times::after(day).and_then(|day| times::start_of(day, &bitpro_merchant::Zone::default()));
    }
}
