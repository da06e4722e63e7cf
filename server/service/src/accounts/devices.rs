//! Browsers that an account was logged in with before: they are known by a mark that they keep in a cookie.
//!
//! A mark opens nothing. It gives a browser budgets of its own, which strangers cannot spend, and saves the mailbox a letter
//! about a log-in from a new one. It is authenticated under the configuration's key and names the account's epoch, so that it
//! is checked without the database, and a new password makes all of them worthless. Whoever steals one guesses passwords no
//! faster than a stranger. It outlives the log-out: it is there for those who have to get in again.

use bitpro_base::client::Client;
use bitpro_charge::Timestamp;
use bitpro_store::StoreError;
use bitpro_store::people::AccountRow;
use subtle::ConstantTimeEq as _;

use super::{Accounts, Visitor};

use super::budgets::Lane;

/// How long a mark counts that is not renewed, in days; each log-in renews it. Browsers keep no cookie longer.
const MARK_DAYS: u32 = 400;
/// The same in seconds, for the cookie.
pub const MARK_SECS: u32 = MARK_DAYS * DAY_SECS;
const DAY_SECS: u32 = 24 * 60 * 60;
/// How many accounts a browser is known to: people who have more log in to the others as strangers.
const MOST_MARKS: usize = 4;
/// Account, device, epoch, day, and the authenticator.
const LEN: usize = 16 + 16 + 8 + 4 + 16;

/// That a browser was logged in to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The account's id.
    account: [u8; 16],
    /// The browser's, at this account.
    device: [u8; 16],
    /// The account's epoch then.
    epoch: i64,
    /// When it was made, in days since 1970.
    day: u32,
}

impl Accounts {
    /// The mark that a visitor's browser has of an account and that counts.
    pub(super) fn mark_of(&self, account: &AccountRow, visitor: &Visitor) -> Option<Mark> {
        let marks = self.marks(visitor);
        marks
            .into_iter()
            .find(|mark| mark.account == account.id && mark.epoch == account.device_epoch)
    }

    /// Which budgets count for a visitor who tries to get in to an account.
    pub(super) fn lane_to(&self, account: Option<&AccountRow>, visitor: &Visitor) -> Lane {
        let mark = account.and_then(|account| self.mark_of(account, visitor));
        mark.map_or_else(
            || Lane::Stranger(Client::from(visitor.client)),
            |mark| Lane::Device(mark.device),
        )
    }

    /// The same for what was typed as an address. The database is asked only for browsers that some account knows.
    pub(super) async fn lane_at(&self, email: &str, visitor: &Visitor) -> Result<Lane, StoreError> {
        let account = match self.marks(visitor).is_empty() {
            true => None,
            false => self.account_at(email).await?,
        };
        Ok(self.lane_to(account.as_ref(), visitor))
    }

    /// What the cookie of a browser is to hold that has logged in to an account: a fresh mark of it in front of those of other
    /// accounts.
    pub(super) fn marked(&self, account: &AccountRow, visitor: &Visitor) -> String {
        let former = self.mark_of(account, visitor);
        let mark = Mark {
            account: account.id,
            device: former.map_or_else(|| self.charges.random(), |former| former.device),
            epoch: account.device_epoch,
            day: day(self.charges.now()),
        };
        let others = self.marks(visitor).into_iter();
        let others = others.filter(|other| other.account != account.id);
        let kept: Vec<String> = std::iter::once(mark)
            .chain(others)
            .take(MOST_MARKS)
            .map(|mark| self.written(&mark))
            .collect();
        kept.join(".")
    }

    /// The marks of a browser's cookie that were made here and have not run out.
    fn marks(&self, visitor: &Visitor) -> Vec<Mark> {
        let today = day(self.charges.now());
        let texts = visitor.marks.split('.').take(MOST_MARKS);
        let marks = texts.filter_map(|text| self.read_mark(text));
        marks
            .filter(|mark| mark.day.saturating_add(MARK_DAYS) > today)
            .collect()
    }

    fn written(&self, mark: &Mark) -> String {
        let mut bytes = body(mark);
        bytes.extend(self.charges.device_mac(&bytes));
        hex::encode(bytes)
    }

    fn read_mark(&self, text: &str) -> Option<Mark> {
        let mut bytes = [0; LEN];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        let (account, rest) = bytes.split_first_chunk()?;
        let (device, rest) = rest.split_first_chunk()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (day, tag) = rest.split_first_chunk()?;
        let mark = Mark {
            account: *account,
            device: *device,
            epoch: i64::from_be_bytes(*epoch),
            day: u32::from_be_bytes(*day),
        };
        let wanted = self.charges.device_mac(&body(&mark));
        bool::from(wanted.as_slice().ct_eq(tag)).then_some(mark)
    }
}

/// What is authenticated.
fn body(mark: &Mark) -> Vec<u8> {
    [
        &mark.account[..],
        &mark.device,
        &mark.epoch.to_be_bytes(),
        &mark.day.to_be_bytes(),
    ]
    .concat()
}

fn day(now: Timestamp) -> u32 {
    u32::try_from(now.0 / 1_000 / i64::from(DAY_SECS)).unwrap_or(0)
}
