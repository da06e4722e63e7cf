//! The units that people think in, and the whole numbers that settings are kept in. No float is near: money is.

/// What a number on the page counts; what is kept is given in brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Plain text, or a number as it is kept.
    Plain,
    /// Minutes (seconds).
    Minutes,
    /// Hours (seconds).
    Hours,
    /// Euros (cents).
    Euros,
    /// Percent (hundredths of a percent).
    Percent,
}

impl Unit {
    /// What is kept for one of it.
    const fn parts(self) -> u64 {
        match self {
            Self::Plain => 1,
            Self::Minutes => 60,
            Self::Hours => 3_600,
            Self::Euros | Self::Percent => 100,
        }
    }

    /// `kept`, as it is shown. A time that is no hundredth of its unit is shown as a clock would.
    pub(crate) fn shown(self, kept: &str) -> String {
        let parts = self.parts();
        let Ok(number) = kept.parse::<u64>() else {
            return kept.to_owned();
        };
        if parts == 1 {
            return kept.to_owned();
        }
        let (whole, rest) = (number / parts, number % parts);
        if rest == 0 {
            return whole.to_string();
        }
        if (rest * 100).is_multiple_of(parts) {
            let hundredths = rest * 100 / parts;
            // Money has two places, or none; everything else as few as it needs.
            return if self != Self::Euros && hundredths.is_multiple_of(10) {
                format!("{whole}.{}", hundredths / 10)
            } else {
                format!("{whole}.{hundredths:02}")
            };
        }
        match self {
            Self::Hours => format!("{whole}:{:02}:{:02}", rest / 60, rest % 60),
            _ => format!("{whole}:{rest:02}"),
        }
    }

    /// What is to be kept for what was typed; `None` when it is no number, or finer than what can be kept. A point and a comma
    /// both stand before the hundredths, and spaces may stand between thousands.
    pub(crate) fn kept(self, typed: &str) -> Option<String> {
        let parts = self.parts();
        if self == Self::Plain {
            return Some(typed.to_owned());
        }
        if matches!(self, Self::Minutes | Self::Hours) && typed.contains(':') {
            return clock(typed, self);
        }
        let plain: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        let (whole, places) = plain.split_once(['.', ',']).unwrap_or((&plain, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(places) || places.len() > 2 {
            return None;
        }
        let hundredths: u64 = format!("{places:0<2}").parse().ok()?;
        let fine = hundredths * parts;
        let number = whole.parse::<u64>().ok()?.checked_mul(parts)?.checked_add(fine / 100)?;
        fine.is_multiple_of(100).then(|| number.to_string())
    }
}

/// The seconds in `5:10`, or in `1:01:01`: places of sixty, as many as `unit` has, the first without a bound.
fn clock(typed: &str, unit: Unit) -> Option<String> {
    let places: Vec<&str> = typed.split(':').map(str::trim).collect();
    let wanted = if unit == Unit::Hours { 3 } else { 2 };
    if places.len() != wanted {
        return None;
    }
    let mut seconds: u64 = 0;
    for (at, place) in places.iter().enumerate() {
        let number: u64 = place.parse().ok()?;
        let is_digits = place.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits || at > 0 && (number > 59 || place.len() != 2) {
            return None;
        }
        seconds = seconds.checked_mul(60)?.checked_add(number)?;
    }
    Some(seconds.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_shown_in_the_unit_and_read_back() {
        for (unit, kept, shown) in [
            (Unit::Minutes, "1200", "20"),
            (Unit::Minutes, "90", "1.5"),
            (Unit::Minutes, "310", "5:10"),
            (Unit::Hours, "3661", "1:01:01"),
            (Unit::Hours, "172800", "48"),
            (Unit::Hours, "5400", "1.5"),
            (Unit::Euros, "100000", "1000"),
            (Unit::Euros, "4250", "42.50"),
            (Unit::Euros, "5", "0.05"),
            (Unit::Percent, "200", "2"),
            (Unit::Percent, "75", "0.75"),
            (Unit::Percent, "50", "0.5"),
            (Unit::Percent, "0", "0"),
            (Unit::Plain, "20", "20"),
            (Unit::Plain, "Café", "Café"),
        ] {
            assert_eq!(unit.shown(kept), shown);
            assert_eq!(unit.kept(shown).as_deref(), Some(kept), "{shown}");
        }
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(Unit::Euros.kept("1 000,50").as_deref(), Some("100050"));
        assert_eq!(Unit::Euros.kept("1\u{202f}000").as_deref(), Some("100000"));
        assert_eq!(Unit::Percent.kept("1,5").as_deref(), Some("150"));
        assert_eq!(Unit::Minutes.kept("20.").as_deref(), Some("1200"));
    }

    #[test]
    fn what_is_no_number_or_too_fine_is_not_guessed_at() {
        for typed in [
            "",
            "x",
            "-1",
            "1.234",
            "1,000.50",
            ".5",
            "1e3",
            "99999999999999999999",
            "+1",
            "0x10",
        ] {
            assert_eq!(Unit::Euros.kept(typed), None, "{typed}");
        }
        // A hundredth of a minute is no whole number of seconds.
        assert_eq!(Unit::Minutes.kept("0.01"), None);
        for typed in ["5:1", "5:60", ":10", "1:00:00", "5:-1", "+5:10", "5:+1"] {
            assert_eq!(Unit::Minutes.kept(typed), None, "{typed}");
        }
    }
}
