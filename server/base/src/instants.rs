//! How instants are written and read for machines (R35): in UTC, with a `Z` (RFC 3339).

use bitpro_charge::Timestamp;

/// An instant in UTC, to the second, as in `2018-05-10T12:12:35Z`.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    written(at, "%Y-%m-%dT%H:%M:%SZ")
}

/// An instant in UTC, to the millisecond, as in `2018-05-10T12:22:35.550Z`.
#[must_use]
pub fn instant_millis(at: Timestamp) -> String {
    written(at, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// An instant of RFC 3339, to the millisecond. jiff reads more than that: days without a time, spaces, names of zones.
#[must_use]
pub fn read_instant(text: &str) -> Option<Timestamp> {
    let is_rfc3339 = text
        .as_bytes()
        .get(10)
        .is_some_and(|byte| byte.eq_ignore_ascii_case(&b'T'))
        && text.bytes().filter(|byte| *byte == b':').count() >= 2
        && !text.contains('[');
    let instant: jiff::Timestamp = text.parse().ok().filter(|_| is_rfc3339)?;
    Some(Timestamp(instant.as_millisecond()))
}

fn written(at: Timestamp, format: &str) -> String {
    let written = jiff::Timestamp::from_millisecond(at.0).map(|instant| instant.strftime(format).to_string());
    // Only years beyond 9999 have no such form; no clock shows them.
    written.unwrap_or_else(|_| at.0.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r35_instants_are_in_utc_with_a_z() {
        let at = Timestamp(1_525_954_955_550);
        assert_eq!(instant(at), "2018-05-10T12:22:35Z");
        assert_eq!(instant_millis(at), "2018-05-10T12:22:35.550Z");
        assert_eq!(instant_millis(Timestamp(0)), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn r35_what_is_written_is_read_and_nothing_but_rfc_3339() {
        for at in [0, 1_525_954_955_550, 1_800_000_000_001] {
            assert_eq!(read_instant(&instant_millis(Timestamp(at))), Some(Timestamp(at)));
        }
        let at = Some(Timestamp(1_525_954_955_550));
        assert_eq!(read_instant("2018-05-10T14:22:35.550999+02:00"), at);
        for text in [
            "",
            "2018-05-10",
            "2018-05-10 12:22:35Z",
            "2018-05-10T12:22Z",
            "2018-05-10T12:22:35",
            "2018-05-10T12:22:35+02[Europe/Paris]",
            "2018-05-10T12:22:35+02:00[Europe/Paris]",
            "2018-13-10T12:22:35Z",
            "1525954955",
        ] {
            assert_eq!(read_instant(text), None, "{text}");
        }
        assert_eq!(instant(Timestamp(i64::MAX)), i64::MAX.to_string());
    }
}
