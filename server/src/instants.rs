//! How instants are written for machines (R35): in UTC, with a `Z` (RFC 3339).

use bitpro_charge::Timestamp;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const SECONDS: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// An instant in UTC, to the second, as in `2018-05-10T12:12:35Z`.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    written(at, SECONDS)
}

/// An instant in UTC, to the millisecond, as in `2018-05-10T12:22:35.550Z`.
#[must_use]
pub fn instant_millis(at: Timestamp) -> String {
    written(at, MILLIS)
}

fn written(at: Timestamp, format: &[BorrowedFormatItem<'_>]) -> String {
    let nanos = i128::from(at.0) * 1_000_000;
    let written = OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|time| time.format(&format).ok());
    // Only years beyond 9999 have no such form; no clock shows them.
    written.unwrap_or_else(|| at.0.to_string())
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
}
