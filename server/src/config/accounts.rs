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

/// Where it can be changed to where a merchant's money goes.
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
