//! The zone in which a merchant reads times, by its IANA name.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;

/// A time zone that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// There is no zone of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownZone;

impl Zone {
    /// The zone, to compute with.
    #[must_use]
    pub const fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    /// In any case; it is written as the database of zones writes it.
    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let zone = TimeZone::get(name).map_err(|_| UnknownZone)?;
        // Without a name it could not be stored.
        zone.iana_name().is_some().then_some(Self(zone)).ok_or(UnknownZone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name_and_written_as_the_world_writes_it() {
        for name in ["UTC", "Europe/Paris", "America/Montreal", "Asia/Kathmandu"] {
            assert_eq!(name.parse::<Zone>().unwrap().to_string(), name);
        }
        assert_eq!("europe/paris".parse::<Zone>().unwrap().to_string(), "Europe/Paris");
        assert_eq!(Zone::default(), "UTC".parse().unwrap());
        for bad in ["", "Paris", "+02:00", "../etc/passwd", "local"] {
            assert_eq!(bad.parse::<Zone>(), Err(UnknownZone), "{bad}");
        }
    }
}
