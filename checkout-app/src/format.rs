//! Amounts and times as each language writes them, made from integers by hand: the browser's own formatting would differ
//! from the server's, and the page must not change when it is taken over.

use bitpro_charge::{Amount, bip21};

use crate::copy::Lang;

const NBSP: char = '\u{a0}';
const NARROW_NBSP: char = '\u{202f}';

/// A price: `€1,234.56` or `1 234,56 €`.
#[must_use]
pub fn euros(cents: u64, lang: Lang) -> String {
    let whole = grouped(cents / 100, lang);
    let rest = two_digits(cents % 100);
    match lang {
        Lang::En => ["€", &whole, ".", &rest].concat(),
        Lang::Fr => [&whole, ",", &rest, "\u{a0}€"].concat(),
    }
}

/// A price as another program reads it: `1234.56`.
#[must_use]
pub fn plain_euros(cents: u64) -> String {
    [(cents / 100).to_string().as_str(), ".", &two_digits(cents % 100)].concat()
}

/// An amount in bitcoin with all its 8 places, without the unit: `0.00042000` or `0,00042000`.
#[must_use]
pub fn btc(sat: u64, lang: Lang) -> String {
    let text = bip21::btc(Amount::from_sat(sat));
    match lang {
        Lang::En => text,
        Lang::Fr => text.replace('.', ","),
    }
}

/// An amount in bitcoin as a wallet reads it: `0.00042`.
#[must_use]
pub fn plain_btc(sat: u64) -> String {
    let text = bip21::btc(Amount::from_sat(sat));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Minutes and seconds: `4:05`.
#[must_use]
pub fn clock(secs: u32) -> String {
    [(secs / 60).to_string().as_str(), ":", &two_digits(u64::from(secs % 60))].concat()
}

/// An instant in UTC, which both sides know: `14 May 2026, 12:32 UTC` or `14 mai 2026 à 12:32 UTC`.
#[must_use]
pub fn date_time(unix_millis: i64, lang: Lang) -> String {
    let minutes = unix_millis.div_euclid(60_000);
    let (year, month, day) = civil(minutes.div_euclid(24 * 60));
    let month = lang.words().months[month];
    let day = match (lang, day) {
        (Lang::Fr, 1) => "1er".to_owned(),
        (_, day) => day.to_string(),
    };
    let at = match lang {
        Lang::En => ", ",
        Lang::Fr => " à ",
    };
    let minute_of_day = minutes.rem_euclid(24 * 60).unsigned_abs();
    let mut text = [&day, " ", month, " ", &year.to_string(), at].concat();
    text.push_str(&two_digits(minute_of_day / 60));
    text.push(':');
    text.push_str(&two_digits(minute_of_day % 60));
    text.push(NBSP);
    text.push_str("UTC");
    text
}

/// A long name with its middle left out: `4a5e1e4b…9c3d21ff`.
#[must_use]
pub fn shortened(hash: &str) -> String {
    match (hash.get(..8), hash.len().checked_sub(8)) {
        (Some(head), Some(at)) if hash.len() > 20 => hash
            .get(at..)
            .map_or_else(|| hash.to_owned(), |tail| [head, "…", tail].concat()),
        _ => hash.to_owned(),
    }
}

fn two_digits(n: u64) -> String {
    let text = n.to_string();
    if n < 10 { ["0", &text].concat() } else { text }
}

fn grouped(n: u64, lang: Lang) -> String {
    let separator = match lang {
        Lang::En => ',',
        Lang::Fr => NARROW_NBSP,
    };
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + 8);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// Year, month (from 0) and day of the month of a day counted from 1970-01-01, in the Gregorian calendar; after Howard
/// Hinnant's `civil_from_days`.
fn civil(days: i64) -> (i64, usize, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    // The shifted year begins in March, so its months 10 and 11 are January and February of the next.
    let month = (shifted_month + 2) % 12;
    let year = year_of_era + era * 400 + i64::from(month < 2);
    (
        year,
        usize::try_from(month).expect("a remainder by 12 is from 0 to 11"),
        u32::try_from(day).expect("a day of the month is from 1 to 31"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_written_as_each_language_does() {
        assert_eq!(euros(4_200, Lang::En), "€42.00");
        assert_eq!(euros(123_456_705, Lang::En), "€1,234,567.05");
        assert_eq!(euros(4_200, Lang::Fr), "42,00\u{a0}€");
        assert_eq!(euros(123_456_705, Lang::Fr), "1\u{202f}234\u{202f}567,05\u{a0}€");
        assert_eq!(plain_euros(123_456_705), "1234567.05");
        assert_eq!(euros(u64::MAX, Lang::En), "€184,467,440,737,095,516.15");
    }

    #[test]
    fn bitcoin_amounts_keep_all_places_to_look_at_and_lose_zeros_to_copy() {
        assert_eq!(btc(42_000, Lang::En), "0.00042000");
        assert_eq!(btc(42_000, Lang::Fr), "0,00042000");
        assert_eq!(plain_btc(42_000), "0.00042");
        assert_eq!(plain_btc(200_000_000), "2");
        assert_eq!(plain_btc(1), "0.00000001");
    }

    #[test]
    fn seconds_have_two_digits() {
        assert_eq!(clock(272), "4:32");
        assert_eq!(clock(5), "0:05");
        assert_eq!(clock(0), "0:00");
    }

    #[test]
    fn instants_are_written_in_utc() {
        assert_eq!(date_time(0, Lang::En), "1 January 1970, 00:00\u{a0}UTC");
        assert_eq!(date_time(0, Lang::Fr), "1er janvier 1970 à 00:00\u{a0}UTC");
        // 2024-02-29T23:59:59Z and 2026-12-31T12:05:00Z.
        assert_eq!(
            date_time(1_709_251_199_999, Lang::En),
            "29 February 2024, 23:59\u{a0}UTC"
        );
        assert_eq!(
            date_time(1_798_718_700_000, Lang::Fr),
            "31 décembre 2026 à 12:05\u{a0}UTC"
        );
        assert_eq!(date_time(-1, Lang::En), "31 December 1969, 23:59\u{a0}UTC");
    }

    #[test]
    fn long_hashes_lose_their_middle_and_odd_ones_stay_whole() {
        assert_eq!(shortened(&"0123456789abcdef".repeat(4)), "01234567…89abcdef");
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"é".repeat(15)), "é".repeat(4) + "…" + &"é".repeat(4));
    }
}
