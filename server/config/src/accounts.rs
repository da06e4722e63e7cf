//! Who may have an account, and where the dashboard lives.

use std::str::FromStr;

use super::error::{ConfigError, Origin};
use super::reader::Reader;
use super::values::PublicUrl;

/// Who gets an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signup {
    /// Whom the operator approves.
    Approval,
    /// Whoever asks.
    Open,
    /// Nobody who is not invited.
    Closed,
}

impl FromStr for Signup {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "approval" => Ok(Self::Approval),
            "open" => Ok(Self::Open),
            "closed" => Ok(Self::Closed),
            _ => Err(()),
        }
    }
}

/// What people, and strangers who would be some, may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceilings {
    /// Log-ins of all strangers together in a minute, and at once: each costs 20 ms of a core.
    pub logins_per_minute: u32,
    /// Requests for accounts of all strangers together in an hour, and at once: each is a letter to somebody who may not want it.
    pub signups_per_hour: u32,
    /// Invitations of all members of all merchants together in an hour, and at once.
    pub invitations_per_hour: u32,
    /// Lines that each merchant's audit log keeps.
    pub audit_lines: u32,
    /// Merchants that somebody belongs to, at the most, who adds one in the dashboard.
    pub merchants_per_account: u32,
}

impl Default for Ceilings {
    /// As the settings are by default.
    fn default() -> Self {
        Self {
            logins_per_minute: 300,
            signups_per_hour: 30,
            invitations_per_hour: 200,
            audit_lines: 100_000,
            merchants_per_account: 20,
        }
    }
}

pub(super) fn ceilings(reader: &mut Reader) -> Ceilings {
    Ceilings {
        logins_per_minute: reader.number("stranger_logins_per_minute", 1..=100_000),
        signups_per_hour: reader.number("signups_per_hour", 1..=100_000),
        invitations_per_hour: reader.number("invitations_per_hour", 1..=100_000),
        audit_lines: reader.number("audit_lines", 1_000..=10_000_000),
        merchants_per_account: reader.number("merchants_per_account", 1..=10_000),
    }
}

/// Where a merchant's wallet may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalletChanges {
    /// By an owner, in the dashboard, after a time to object.
    Dashboard,
    /// By the operator only.
    CommandLine,
}

impl FromStr for WalletChanges {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "dashboard" => Ok(Self::Dashboard),
            "command-line" => Ok(Self::CommandLine),
            _ => Err(()),
        }
    }
}

/// The dashboard's own origin. Cookies know no ports, so only another host is another place to them.
pub(super) fn dashboard_url(reader: &mut Reader, public_url: Option<&PublicUrl>) -> Option<PublicUrl> {
    let url = reader.parsed("dashboard_url", |text| text.parse::<PublicUrl>().ok())?;
    let host = public_url.map_or("localhost", PublicUrl::host);
    if url.host().eq_ignore_ascii_case(host) {
        let origin = reader
            .text("dashboard_url")
            .map_or(Origin::Default, |(_, origin)| origin);
        let because = Some("it has the host of public_url".to_owned());
        reader.wrong("dashboard_url", url.origin().to_owned(), origin, because);
        return None;
    }
    if public_url.is_some_and(|public| public.is_https() && !url.is_https()) {
        reader.errors.push(ConfigError::Contradiction(
            "public_url is https and dashboard_url is not: passwords would go over the network in the clear".to_owned(),
        ));
        return None;
    }
    Some(url)
}
