//! How often somebody may try. What is counted is what was typed, not whether it exists, so that a limit tells nothing.

use bitpro_charge::{MerchantId, Timestamp};

use super::Email;
use super::streaks::Streaks;
use crate::limits::{Buckets, Client, RetryAfter};

/// What is shown to be the person with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trial {
    /// The password.
    Password,
    /// A code or a passkey, by somebody who knows the password already.
    Factor,
}

/// What is tried, at which address.
type Tried = (Trial, String);

/// The budgets of anonymous attempts.
#[derive(Debug)]
pub struct Budgets {
    /// Attempts of one client on any account.
    clients: Buckets<Client>,
    /// Attempts of one client on one account: a stranger far away cannot lock its owner out.
    pairs: Buckets<(Client, Tried)>,
    /// Attempts of all clients on one account.
    accounts: Buckets<Tried>,
    /// Wrong attempts in a row of one client on one account.
    streaks: Streaks<(Client, Tried)>,
    /// Wrong second factors in a row at one account, from wherever: whoever gets so far has the password.
    factors: Streaks<String>,
    /// Letters that one client asks for.
    askers: Buckets<Client>,
    /// Letters to one address.
    mailboxes: Buckets<String>,
    /// Requests that one merchant's team has us send to a server of its choice.
    tests: Buckets<MerchantId>,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            clients: Buckets::new("login_client", 20, 40),
            pairs: Buckets::new("login_pair", 3, 10),
            accounts: Buckets::new("login_account", 20, 60),
            streaks: Streaks::default(),
            factors: Streaks::default(),
            askers: Buckets::new("letter_client", 4, 10),
            mailboxes: Buckets::new("letter_mailbox", 1, 4),
            tests: Buckets::new("webhook_test", 6, 10),
        }
    }
}

impl Budgets {
    /// Takes an attempt to show that one is the person with this address. How many there were in a row: on second factors from
    /// everywhere, on passwords from this client.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn attempt(&self, client: Client, trial: Trial, email: &str, now: Timestamp) -> Result<u32, RetryAfter> {
        let tried = (trial, email.to_owned());
        self.clients.take(client, now)?;
        self.pairs.take((client, tried.clone()), now)?;
        self.accounts.take(tried.clone(), now)?;
        match trial {
            Trial::Password => self.streaks.attempt((client, tried), now),
            Trial::Factor => self.factors.attempt(tried.1, now),
        }
    }

    /// The attempt was right: the next one is the first again.
    pub fn was_right(&self, client: Client, trial: Trial, email: &str) {
        match trial {
            Trial::Password => self.streaks.ended(&(client, (trial, email.to_owned()))),
            Trial::Factor => self.factors.ended(&email.to_owned()),
        }
    }

    /// Takes a test of a webhook.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn test(&self, merchant: MerchantId, now: Timestamp) -> Result<(), RetryAfter> {
        self.tests.take(merchant, now)
    }

    /// Takes a letter to this address.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn letter(&self, client: Client, email: &Email, now: Timestamp) -> Result<(), RetryAfter> {
        self.askers.take(client, now)?;
        self.mailboxes.take(email.as_str().to_owned(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn client(n: u8) -> Client {
        std::net::IpAddr::from([192, 0, 2, n]).into()
    }

    #[test]
    fn a_guesser_is_stopped_and_the_owner_is_not() {
        let budgets = Budgets::default();
        let tries = (0..100)
            .filter(|_| {
                budgets
                    .attempt(client(1), Trial::Password, "ada@shop.example", NOW)
                    .is_ok()
            })
            .count();
        assert_eq!(tries, 6);
        assert!(
            budgets
                .attempt(client(2), Trial::Password, "ada@shop.example", NOW)
                .is_ok()
        );
        let others = (0..100)
            .filter(|n| {
                budgets
                    .attempt(client(1), Trial::Password, &format!("{n}@shop.example"), NOW)
                    .is_ok()
            })
            .count();
        assert!(others < 40, "{others}");
    }

    #[test]
    fn codes_are_guessed_no_faster_from_many_places() {
        let budgets = Budgets::default();
        let tries = (0..10)
            .filter(|n| {
                budgets
                    .attempt(client(*n), Trial::Factor, "ada@shop.example", NOW)
                    .is_ok()
            })
            .count();
        assert_eq!(tries, 6);
        budgets.was_right(client(9), Trial::Factor, "ada@shop.example");
        assert!(
            budgets
                .attempt(client(9), Trial::Factor, "ada@shop.example", NOW)
                .is_ok()
        );
    }

    #[test]
    fn a_mailbox_is_not_flooded() {
        let budgets = Budgets::default();
        let email = Email::read("ada@shop.example").unwrap();
        let letters = (0..100)
            .filter(|n| budgets.letter(client(*n), &email, NOW).is_ok())
            .count();
        assert_eq!(letters, 4);
    }

    #[test]
    fn a_receiver_is_not_flooded_with_tests() {
        let budgets = Budgets::default();
        let tests = (0..100)
            .filter(|_| budgets.test(MerchantId([1; 16]), NOW).is_ok())
            .count();
        assert_eq!(tests, 10);
        assert!(budgets.test(MerchantId([2; 16]), NOW).is_ok());
    }
}
