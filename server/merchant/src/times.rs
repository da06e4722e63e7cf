//! Times as merchants read them: in their own zone and language.

use bitpro_charge::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan as _, Zoned};

use crate::words::{Words, lang, words};
use crate::{Language, Zone};

const NOW: Words = words("just now", "à l’instant");
const MINUTES: Words = words("{} min ago", "il y a {} min");
const HOURS: Words = words("{} h ago", "il y a {} h");
const YESTERDAY: Words = words("1 day ago", "il y a 1 jour");
const DAYS: Words = words("{} days ago", "il y a {} jours");

/// A merchant's clock: their zone and the reader's language.
#[derive(Debug, Clone, Copy)]
pub struct Times<'a> {
    zone: &'a Zone,
    language: Language,
}

impl<'a> Times<'a> {
    /// The clock of `zone`, in words of `language`.
    #[must_use]
    pub const fn new(zone: &'a Zone, language: Language) -> Self {
        Self { zone, language }
    }

    /// Day and minute with the zone's abbreviation: `14 May 2026, 14:32 CEST`, `14 mai 2026 à 14:32 CEST`.
    #[must_use]
    pub fn minute(&self, at: Timestamp) -> String {
        self.written(at, false)
    }

    /// The same to the second, for what happens in quick succession.
    #[must_use]
    pub fn second(&self, at: Timestamp) -> String {
        self.written(at, true)
    }

    /// The day: `14 May 2026`, `1er mai 2026`.
    #[must_use]
    pub fn day(&self, date: Date) -> String {
        let month = lang(self.language).words().months[usize::from(date.month().unsigned_abs()) - 1];
        let day = match (self.language, date.day()) {
            (Language::Fr, 1) => "1er".to_owned(),
            (_, day) => day.to_string(),
        };
        format!("{day} {month} {}", date.year())
    }

    /// How long `at` was before `now`, in the largest unit that fits.
    #[must_use]
    pub fn age(&self, at: Timestamp, now: Timestamp) -> String {
        let minutes = now.0.saturating_sub(at.0).max(0) / 60_000;
        let (text, count) = match minutes {
            0 => (NOW, 0),
            1..60 => (MINUTES, minutes),
            60..1_440 => (HOURS, minutes / 60),
            1_440..2_880 => (YESTERDAY, 1),
            _ => (DAYS, minutes / 1_440),
        };
        text.of(self.language).replace("{}", &count.to_string())
    }

    fn written(&self, at: Timestamp, seconds: bool) -> String {
        let zoned = zoned(at, self.zone);
        let joint = match self.language {
            Language::En => ", ",
            Language::Fr => " à ",
        };
        let abbreviation = self.zone.rules().to_offset_info(zoned.timestamp());
        let seconds = if seconds {
            format!(":{:02}", zoned.second())
        } else {
            String::new()
        };
        format!(
            "{}{joint}{:02}:{:02}{seconds}\u{a0}{}",
            self.day(zoned.date()),
            zoned.hour(),
            zoned.minute(),
            abbreviation.abbreviation()
        )
    }
}

/// An instant with its offset, as machines and spreadsheets read it (ISO 8601): `2026-05-14T14:32:05+02:00`.
#[must_use]
pub fn local(at: Timestamp, zone: &Zone) -> String {
    zoned(at, zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The same in UTC, for the `datetime` of an element.
#[must_use]
pub fn machine(at: Timestamp) -> String {
    bitpro_base::instants::instant(at)
}

/// The day that `at` falls on in `zone`.
#[must_use]
pub fn day_of(at: Timestamp, zone: &Zone) -> Date {
    zoned(at, zone).date()
}

/// The instant at which `date` begins in `zone`; a day that has no midnight begins later.
#[must_use]
pub fn start_of(date: Date, zone: &Zone) -> Option<Timestamp> {
    let start = date.to_zoned(zone.rules().clone()).ok()?;
    Some(Timestamp(start.timestamp().as_millisecond()))
}

/// The day after.
#[must_use]
pub fn after(date: Date) -> Option<Date> {
    date.checked_add(1.day()).ok()
}

/// So many days before.
#[must_use]
pub fn before(date: Date, days: i32) -> Option<Date> {
    date.checked_sub(days.days()).ok()
}

/// A day as forms send it: `2026-05-14`.
#[must_use]
pub fn date(text: &str) -> Option<Date> {
    // The parser takes more than a form sends.
    (text.len() == 10).then(|| text.parse().ok())?
}

fn zoned(at: Timestamp, zone: &Zone) -> Zoned {
    // Only what no clock shows is out of bounds.
    let instant = Instant::from_millisecond(at.0).unwrap_or(Instant::UNIX_EPOCH);
    let rules: TimeZone = zone.rules().clone();
    instant.to_zoned(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-02-29T23:59:59Z.
    const LEAP: Timestamp = Timestamp(1_709_251_199_000);
    /// 2026-07-01T10:00:00Z.
    const SUMMER: Timestamp = Timestamp(1_782_900_000_000);

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    #[test]
    fn times_are_those_of_the_zone_in_the_words_of_the_reader() {
        let paris = zone("Europe/Paris");
        let (en, fr) = (Times::new(&paris, Language::En), Times::new(&paris, Language::Fr));
        assert_eq!(en.minute(LEAP), "1 March 2024, 00:59\u{a0}CET");
        assert_eq!(fr.minute(LEAP), "1er mars 2024 à 00:59\u{a0}CET");
        assert_eq!(en.second(SUMMER), "1 July 2026, 12:00:00\u{a0}CEST");
        assert_eq!(
            Times::new(&zone("UTC"), Language::En).minute(LEAP),
            "29 February 2024, 23:59\u{a0}UTC"
        );
        assert_eq!(local(SUMMER, &paris), "2026-07-01T12:00:00+02:00");
        assert_eq!(local(LEAP, &zone("UTC")), "2024-02-29T23:59:59+00:00");
        assert_eq!(local(LEAP, &zone("Asia/Kathmandu")), "2024-03-01T05:44:59+05:45");
    }

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        let (utc, start) = (Zone::default(), Timestamp(0));
        let en = |minutes: i64| Times::new(&utc, Language::En).age(start, Timestamp(minutes * 60_000));
        assert_eq!(en(0), "just now");
        assert_eq!(en(59), "59 min ago");
        assert_eq!(en(60), "1 h ago");
        assert_eq!(en(1_439), "23 h ago");
        assert_eq!(en(1_440), "1 day ago");
        assert_eq!(en(14_400), "10 days ago");
        assert_eq!(en(-5), "just now");
        let fr = Times::new(&utc, Language::Fr);
        assert_eq!(fr.age(start, Timestamp(180_000)), "il y a 3 min");
    }

    #[test]
    fn days_begin_by_the_merchants_clock_also_when_it_is_changed() {
        let paris = zone("Europe/Paris");
        let day = date("2026-03-29").unwrap();
        let (start, end) = (
            start_of(day, &paris).unwrap(),
            start_of(after(day).unwrap(), &paris).unwrap(),
        );
        assert_eq!(end.0 - start.0, 23 * 3_600_000);
        assert_eq!(day_of(start, &paris), day);
        assert_eq!(before(day, 29), date("2026-02-28"));
        for bad in ["", "2026-3-29", "2026-02-30", "29/03/2026", "2026-03-29T00:00"] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }
}
