//! The amount that a shopper types, read as cents.

/// Reads an amount in euros as people write it: `42`, `42.5`, `42,50`, `1 234,56`, `1,234.56`, `€ 42`. `None` when it is not
/// clearly one amount: with a single separator and three digits after it (`1,234`) it could be two, and is refused.
#[must_use]
pub fn cents(typed: &str) -> Option<u64> {
    let text: String = typed
        .trim()
        .trim_start_matches('€')
        .trim_end_matches('€')
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\'')
        .collect();
    let (whole, fraction) = match text.rfind(['.', ',']) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text.as_str(), ""),
    };
    let separator = text[whole.len()..].chars().next();
    let cents = match fraction.as_bytes() {
        [] if separator.is_none() => 0,
        [tenths] => digit(*tenths)? * 10,
        [tenths, hundredths] => digit(*tenths)? * 10 + digit(*hundredths)?,
        _ => return None,
    };
    let whole = without_groups(whole, separator)?;
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(cents)
}

/// Takes out the separators of thousands, if they are all the same, not the decimal one, and stand where they belong.
fn without_groups(whole: &str, decimal: Option<char>) -> Option<String> {
    let Some(separator) = whole.chars().find(|c| matches!(c, '.' | ',')) else {
        let plain = !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit());
        return plain.then(|| whole.to_owned());
    };
    let groups: Vec<&str> = whole.split(separator).collect();
    let well_placed = groups.iter().enumerate().all(|(i, group)| {
        let length = group.len();
        group.bytes().all(|b| b.is_ascii_digit()) && (length == 3 || (i == 0 && (1..3).contains(&length)))
    });
    (well_placed && decimal != Some(separator)).then(|| groups.concat())
}

fn digit(byte: u8) -> Option<u64> {
    byte.is_ascii_digit().then(|| u64::from(byte - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (typed, expected) in [
            ("42", 4_200),
            (" 42.5 ", 4_250),
            ("42,50", 4_250),
            ("€42.00", 4_200),
            ("42,00\u{a0}€", 4_200),
            ("1\u{202f}234,56", 123_456),
            ("1 234,56", 123_456),
            ("1,234.56", 123_456),
            ("1.234.567,89", 123_456_789),
            ("0,01", 1),
            ("0", 0),
            ("1'000", 100_000),
        ] {
            assert_eq!(cents(typed), Some(expected), "{typed}");
        }
    }

    #[test]
    fn what_could_be_two_amounts_or_none_is_refused() {
        for typed in [
            "",
            "€",
            "-5",
            "+5",
            "1,234",
            "1.234",
            "42.",
            ".5",
            "42.000",
            "4 2 a",
            "1,2,3",
            "12,34.56",
            "1.234.56",
            "1e3",
            "٤٢",
            "99999999999999999999",
            "184467440737095516.16",
        ] {
            assert_eq!(cents(typed), None, "{typed}");
        }
    }
}
