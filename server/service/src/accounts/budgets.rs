//! How often somebody may try. What is counted is what was typed, not whether it exists, so that a limit tells nothing.
//!
//! Strangers share budgets: by client, by account, and all of them together. Whoever is known has one of their own, which no
//! stranger can spend: a browser that the account was logged in with before, or a session.

use bitpro_base::client::Client;
use bitpro_charge::{MerchantId, Timestamp};
use bitpro_config::Ceilings;
use bitpro_limits::{Buckets, RetryAfter};

use super::Email;
use super::streaks::Streaks;

/// Letters to others that one account has sent, an hour and at once: invitations, and links to a new address of its own.
pub(crate) const LETTERS_PER_ACCOUNT: u32 = 20;
/// Letters to one address, an hour and at once, that strangers have sent or that one account has sent.
pub(crate) const LETTERS_PER_MAILBOX: u32 = 4;
/// Invitations to one address, an hour and at once, whoever sends them: who is invited may know none of them.
pub(crate) const INVITATIONS_PER_MAILBOX: u32 = 12;
/// Passwords that one account chooses while it is logged in, an hour and at once.
pub(crate) const PASSWORDS_PER_HOUR: u32 = 10;
/// Letters about log-ins from new browsers to one account, an hour and at once.
pub(crate) const NEW_DEVICES_PER_HOUR: u32 = 6;
/// Changes of merchants, and exports, by one account in a minute: each is a line of a log.
pub(crate) const CHANGES_PER_MINUTE: u32 = 60;
/// The same at once.
pub(crate) const CHANGES_AT_ONCE: u32 = 240;

/// What is shown to be the person with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trial {
    /// The password.
    Password,
    /// A code or a passkey, by somebody who knows the password already.
    Factor,
}

/// Who tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Anybody, at this client.
    Stranger(Client),
    /// A browser that was logged in to this account before, by the id in its cookie.
    Device([u8; 16]),
    /// Somebody who is logged in, by the hash of their session.
    Session([u8; 32]),
}

/// What is tried, at which address.
type Tried = (Trial, String);

/// The budgets.
#[derive(Debug)]
pub struct Budgets {
    /// Log-ins of all strangers.
    strangers: Buckets<()>,
    /// Attempts of one client on any account.
    clients: Buckets<Client>,
    /// Attempts of one client on one account: a stranger far away cannot lock its owner out.
    pairs: Buckets<(Client, Tried)>,
    /// Attempts of all strangers on one account.
    accounts: Buckets<Tried>,
    /// Wrong attempts in a row of one client on one account.
    streaks: Streaks<(Client, Tried)>,
    /// Wrong second factors in a row at one account, by strangers from wherever: whoever gets so far has the password.
    factors: Streaks<String>,
    /// Attempts of one known browser, or of one session.
    known: Buckets<(Lane, Trial)>,
    /// Attempts of all of them at one account: a member who collects browsers and sessions does not fill the desk of the others.
    known_accounts: Buckets<String>,
    /// Passwords that one account chooses while it is logged in.
    passwords: Buckets<i64>,
    /// Changes of merchants by one account.
    changes: Buckets<i64>,
    /// The wrong ones of them in a row.
    known_streaks: Streaks<(Lane, Trial)>,
    /// Letters that one client asks for without being logged in.
    askers: Buckets<Client>,
    /// Letters to one address that strangers ask for.
    mailboxes: Buckets<String>,
    /// Letters that one known browser asks for.
    known_askers: Buckets<Lane>,
    /// Requests for accounts.
    signups: Buckets<()>,
    /// Letters that one account has sent.
    senders: Buckets<i64>,
    /// The same to one address.
    sent_to: Buckets<(i64, String)>,
    /// Invitations of everybody.
    invitations: Buckets<()>,
    /// The same to one address.
    invited: Buckets<String>,
    /// Letters about new browsers, by account.
    new_devices: Buckets<i64>,
    /// Requests that one merchant's team has us send to a server of its choice.
    tests: Buckets<MerchantId>,
}

impl Default for Budgets {
    fn default() -> Self {
        Self::within(&Ceilings::default())
    }
}

impl Budgets {
    /// Budgets with these ceilings, all untouched.
    pub fn within(ceilings: &Ceilings) -> Self {
        let logins = ceilings.logins_per_minute;
        Self {
            strangers: Buckets::new("login_instance", logins, logins),
            clients: Buckets::new("login_client", 20, 40),
            pairs: Buckets::new("login_pair", 3, 10),
            accounts: Buckets::new("login_account", 20, 60),
            streaks: Streaks::new("login_streak"),
            factors: Streaks::new("factor_streak"),
            known: Buckets::new("login_known", 3, 10),
            known_accounts: Buckets::new("login_known_account", 30, 60),
            passwords: hourly("password_change", PASSWORDS_PER_HOUR),
            changes: Buckets::new("member_change", CHANGES_PER_MINUTE, CHANGES_AT_ONCE),
            known_streaks: Streaks::new("known_streak"),
            askers: Buckets::new("letter_client", 4, 10),
            mailboxes: hourly("letter_mailbox", LETTERS_PER_MAILBOX),
            known_askers: hourly("letter_known", LETTERS_PER_MAILBOX),
            signups: hourly("signup_instance", ceilings.signups_per_hour),
            senders: hourly("letter_account", LETTERS_PER_ACCOUNT),
            sent_to: hourly("letter_sent_to", LETTERS_PER_MAILBOX),
            invitations: hourly("invitation_instance", ceilings.invitations_per_hour),
            invited: hourly("invitation_mailbox", INVITATIONS_PER_MAILBOX),
            new_devices: hourly("letter_new_device", NEW_DEVICES_PER_HOUR),
            tests: Buckets::new("webhook_test", 6, 10),
        }
    }

    /// Takes an attempt to show that one is the person with this address. How many there were in a row: of strangers on second
    /// factors from everywhere, on passwords from this client; of somebody known, their own.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn attempt(&self, lane: Lane, trial: Trial, email: &str, now: Timestamp) -> Result<u32, RetryAfter> {
        let Lane::Stranger(client) = lane else {
            self.known.take((lane, trial), now)?;
            self.known_accounts.take(email.to_owned(), now)?;
            return self.known_streaks.attempt(&(lane, trial), now);
        };
        let tried = (trial, email.to_owned());
        self.clients.take(client, now)?;
        self.pairs.take((client, tried.clone()), now)?;
        self.accounts.take(tried.clone(), now)?;
        match trial {
            Trial::Password => {
                self.strangers.take((), now)?;
                self.streaks.attempt(&(client, tried), now)
            }
            Trial::Factor => self.factors.attempt(&tried.1, now),
        }
    }

    /// The attempt was right: the next one is the first again.
    pub(crate) fn was_right(&self, lane: Lane, trial: Trial, email: &str) {
        match (lane, trial) {
            (Lane::Stranger(client), Trial::Password) => self.streaks.ended(&(client, (trial, email.to_owned()))),
            (Lane::Stranger(_), Trial::Factor) => self.factors.ended(&email.to_owned()),
            (lane, trial) => self.known_streaks.ended(&(lane, trial)),
        }
    }

    /// Takes a new password, which somebody who is logged in chooses.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn password(&self, account: i64, now: Timestamp) -> Result<(), RetryAfter> {
        self.passwords.take(account, now)
    }

    /// Takes a change of a merchant, or an export: a line of the log.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn change(&self, account: i64, now: Timestamp) -> Result<(), RetryAfter> {
        self.changes.take(account, now)
    }

    /// Takes a test of a webhook.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn test(&self, merchant: MerchantId, now: Timestamp) -> Result<(), RetryAfter> {
        self.tests.take(merchant, now)
    }

    /// Takes a letter with a link to choose a password.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn forgot(&self, lane: Lane, email: &Email, now: Timestamp) -> Result<(), RetryAfter> {
        match lane {
            Lane::Stranger(client) => {
                self.askers.take(client, now)?;
                self.mailboxes.take(email.as_str().to_owned(), now)
            }
            known => self.known_askers.take(known, now),
        }
    }

    /// Takes a request for an account.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn signup(&self, client: Client, email: &Email, now: Timestamp) -> Result<(), RetryAfter> {
        self.askers.take(client, now)?;
        self.mailboxes.take(email.as_str().to_owned(), now)?;
        self.signups.take((), now)
    }

    /// Takes a letter that somebody who is logged in has sent to an address.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn sent(&self, account: i64, email: &Email, now: Timestamp) -> Result<(), RetryAfter> {
        self.senders.take(account, now)?;
        self.sent_to.take((account, email.as_str().to_owned()), now)
    }

    /// Takes an invitation, which is such a letter to somebody who may not want it.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn invitation(&self, account: i64, email: &Email, now: Timestamp) -> Result<(), RetryAfter> {
        self.sent(account, email, now)?;
        self.invited.take(email.as_str().to_owned(), now)?;
        self.invitations.take((), now)
    }

    /// Whether the mailbox of an account is to be told of another new browser.
    pub(crate) fn new_device(&self, account: i64, now: Timestamp) -> bool {
        self.new_devices.take(account, now).is_ok()
    }
}

/// As many an hour as at once.
fn hourly<K: std::hash::Hash>(name: &'static str, per_hour: u32) -> Buckets<K> {
    Buckets::per_hour(name, per_hour.into(), per_hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const ADA: &str = "ada@shop.example";

    fn client(n: u32) -> Client {
        std::net::IpAddr::from(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n)).into()
    }

    fn stranger(n: u32) -> Lane {
        Lane::Stranger(client(n))
    }

    #[test]
    fn a_guesser_is_stopped_and_the_owner_is_not() {
        let budgets = Budgets::default();
        let password = |n, email: &str| budgets.attempt(stranger(n), Trial::Password, email, NOW).is_ok();
        assert_eq!((0..100).filter(|_| password(1, ADA)).count(), 6);
        assert!(password(2, ADA));
        let others = (0..100).filter(|n| password(1, &format!("{n}@shop.example"))).count();
        assert!(others < 40, "{others}");
    }

    #[test]
    fn strangers_spend_nothing_that_a_known_browser_or_a_session_has() {
        let budgets = Budgets::default();
        let refused = (0..1_000).filter(|n| budgets.attempt(stranger(*n), Trial::Password, ADA, NOW).is_err());
        assert_eq!(refused.count(), 940, "the account's budget is spent");
        for known in [Lane::Device([1; 16]), Lane::Session([1; 32])] {
            let attempt = |trial| budgets.attempt(known, trial, ADA, NOW);
            assert_eq!(attempt(Trial::Password), Ok(1), "{known:?}");
            assert_eq!(attempt(Trial::Factor), Ok(1), "{known:?}");
            // Whoever has stolen one of them guesses no faster than a stranger.
            assert_eq!((0..100).filter(|_| attempt(Trial::Password).is_ok()).count(), 5);
            budgets.was_right(known, Trial::Password, ADA);
            let later = NOW.plus_secs(60);
            assert_eq!(budgets.attempt(known, Trial::Password, ADA, later), Ok(1));
        }
        assert_eq!(budgets.attempt(Lane::Device([2; 16]), Trial::Password, ADA, NOW), Ok(1));
    }

    #[test]
    fn a_member_with_browsers_without_number_has_one_accounts_budget() {
        let budgets = Budgets::default();
        let attempt = |n: u8, email: &str| {
            budgets
                .attempt(Lane::Device([n; 16]), Trial::Password, email, NOW)
                .is_ok()
        };
        assert_eq!((0..200).filter(|n| attempt(*n, "eve@shop.example")).count(), 60);
        assert!(attempt(201, ADA), "another account has its own");
        assert_eq!((0..100).filter(|_| budgets.password(1, NOW).is_ok()).count(), 10);
        assert_eq!((0..1_000).filter(|_| budgets.change(1, NOW).is_ok()).count(), 240);
        assert!(budgets.change(2, NOW).is_ok(), "another member goes on");
    }

    #[test]
    fn all_strangers_together_have_a_ceiling_whatever_they_type() {
        let budgets = Budgets::default();
        let attempt = |n| budgets.attempt(stranger(n), Trial::Password, &format!("{n}@shop.example"), NOW);
        let tried = (0..10_000).filter(|n| attempt(*n).is_ok()).count();
        assert_eq!(tried, 300);
    }

    #[test]
    fn the_operator_sets_the_ceilings() {
        let budgets = Budgets::within(&Ceilings {
            logins_per_minute: 7,
            signups_per_hour: 5,
            invitations_per_hour: 3,
            ..Ceilings::default()
        });
        let email = |n: u32| Email::read(&format!("{n}@shop.example")).unwrap();
        let logins = (0..100).filter(|n| {
            let tried = budgets.attempt(stranger(*n), Trial::Password, email(*n).as_str(), NOW);
            tried.is_ok()
        });
        assert_eq!(logins.count(), 7);
        assert_eq!(
            (0..100)
                .filter(|n| budgets.signup(client(*n), &email(*n), NOW).is_ok())
                .count(),
            5
        );
        let invited = (0..100).filter(|n| budgets.invitation((*n).into(), &email(*n), NOW).is_ok());
        assert_eq!(invited.count(), 3);
    }

    #[test]
    fn codes_are_guessed_no_faster_from_many_places() {
        let budgets = Budgets::default();
        let attempt = |n| budgets.attempt(stranger(n), Trial::Factor, ADA, NOW);
        assert_eq!((0..10).filter(|n| attempt(*n).is_ok()).count(), 6);
        budgets.was_right(stranger(9), Trial::Factor, ADA);
        assert!(attempt(9).is_ok());
    }

    #[test]
    fn a_mailbox_is_not_flooded() {
        let budgets = Budgets::default();
        let email = Email::read(ADA).unwrap();
        let letters = (0..100).filter(|n| budgets.forgot(stranger(*n), &email, NOW).is_ok());
        assert_eq!(letters.count(), 4);
        let known = (0..100).filter(|_| budgets.forgot(Lane::Device([1; 16]), &email, NOW).is_ok());
        assert_eq!(known.count(), 4, "a known browser asks for itself");
        let members = (0..100).filter(|_| budgets.sent(1, &email, NOW).is_ok());
        assert_eq!(members.count(), 4, "a member, too");
    }

    #[test]
    fn letters_to_strangers_have_a_ceiling_for_the_instance() {
        let budgets = Budgets::default();
        let email = |n: u32| Email::read(&format!("{n}@shop.example")).unwrap();
        let asked = (0..1_000).filter(|n| budgets.signup(client(*n), &email(*n), NOW).is_ok());
        assert_eq!(asked.count(), 30);
        let invited = (0..1_000_u32).filter(|n| budgets.invitation((*n).into(), &email(*n), NOW).is_ok());
        assert_eq!(invited.count(), 200);
        let victim = Budgets::default();
        let invited = (0..100).filter(|n| victim.invitation(*n, &email(0), NOW).is_ok());
        assert_eq!(invited.count(), 12, "from whomever they come");
        let one = Budgets::default();
        let invited = (0..1_000).filter(|n| one.invitation(1, &email(*n), NOW).is_ok());
        assert_eq!(invited.count(), usize::try_from(LETTERS_PER_ACCOUNT).unwrap());
    }

    #[test]
    fn a_receiver_is_not_flooded_with_tests() {
        let budgets = Budgets::default();
        let tests = (0..100).filter(|_| budgets.test(MerchantId([1; 16]), NOW).is_ok());
        assert_eq!(tests.count(), 10);
        assert!(budgets.test(MerchantId([2; 16]), NOW).is_ok());
    }
}
