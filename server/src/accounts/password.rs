//! Passwords: which are taken, and how they are kept.
//!
//! Argon2id with OWASP's parameters (Password Storage Cheat Sheet: 19 MiB, two passes, one lane). A hash costs some 20 ms of
//! a core and 19 MiB, so few are made at a time.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::AccountError;

/// The fewest characters of a password (NIST SP 800-63B-4, 3.1.1.2, asks for eight beside a second factor).
pub const FEWEST_CHARS: usize = 10;
/// The most: longer ones cost the server more than they give.
pub const MOST_CHARS: usize = 256;
/// How many are hashed at a time: the memory that logging in may take is twice 19 MiB.
const AT_A_TIME: usize = 2;
/// Guesses that a password must stand, as a power of ten. zxcvbn's lists of the 40,000 passwords found most often in
/// breaches stay far below it.
const LEAST_GUESSES_LOG10: f64 = 8.0;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Under ten characters.
    #[error("a password has at least {FEWEST_CHARS} characters")]
    Short,
    /// Over 256 characters.
    #[error("a password has at most {MOST_CHARS} characters")]
    Long,
    /// It is known from breaches, a pattern, or made of the person's own name.
    #[error("this password would be guessed: it is known from breaches, follows a pattern, or holds your name")]
    Guessable,
}

/// Hashes and checks passwords. A cheap handle.
#[derive(Clone)]
pub struct Passwords {
    hasher: Argon2<'static>,
    turns: Arc<Semaphore>,
}

/// What a password is compared with when there is no account: it takes as long, and no password gives these zeros.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl Default for Passwords {
    fn default() -> Self {
        let params = Params::new(19 * 1_024, 2, 1, None).expect("OWASP's parameters are within argon2's bounds");
        Self {
            hasher: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }
}

impl Passwords {
    /// The hash of `password` in PHC form.
    ///
    /// # Errors
    /// [`AccountError::Busy`].
    pub async fn hash(&self, password: String, salt: [u8; 16]) -> Result<String, AccountError> {
        let hasher = self.hasher.clone();
        self.taking_a_turn(move || hashed(&hasher, &password, salt))
            .await?
            .ok_or(AccountError::Busy)
    }

    /// Whether `password` belongs to `stored`. Without one it takes as long, and does not.
    ///
    /// # Errors
    /// [`AccountError::Busy`].
    pub async fn is_right(&self, password: String, stored: Option<String>) -> Result<bool, AccountError> {
        let hasher = self.hasher.clone();
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| NOBODY.to_owned());
        self.taking_a_turn(move || {
            // Nobody chose a longer one; hashing it would be work for nothing.
            let password = if password.len() > MOST_CHARS * 4 { "" } else { &password };
            let parsed = PasswordHash::new(&stored);
            let right = parsed.is_ok_and(|stored| hasher.verify_password(password.as_bytes(), &stored).is_ok());
            right && known
        })
        .await
    }

    async fn taking_a_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccountError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| AccountError::Busy)?;
        let worked = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, also when whoever asked has gone away.
            let _turn = turn;
            work()
        });
        worked.await.map_err(|_| AccountError::Busy)
    }
}

/// Whether `password` may be chosen by a person with this address, name and company.
///
/// # Errors
/// [`Weakness`].
pub fn check(password: &str, own: &[&str]) -> Result<(), Weakness> {
    let chars = password.chars().count();
    if chars < FEWEST_CHARS {
        return Err(Weakness::Short);
    }
    if chars > MOST_CHARS {
        return Err(Weakness::Long);
    }
    let words: Vec<&str> = own
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()).chain([*text]))
        .filter(|word| word.chars().count() > 2)
        .chain(["bitpro", "bitcoin", "checkout"])
        .collect();
    let estimate = zxcvbn::zxcvbn(password, &words);
    if estimate.guesses_log10() < LEAST_GUESSES_LOG10 {
        return Err(Weakness::Guessable);
    }
    Ok(())
}

fn hashed(hasher: &Argon2<'_>, password: &str, salt: [u8; 16]) -> Option<String> {
    let salt = SaltString::encode_b64(&salt).ok()?;
    let hash = hasher.hash_password(password.as_bytes(), &salt).ok()?;
    Some(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_kept_as_argon2id_and_only_the_same_one_is_right() {
        let passwords = Passwords::default();
        let kept = passwords
            .hash("correct horse battery".to_owned(), [2; 16])
            .await
            .unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        let right = |text: &str, kept: Option<&String>| passwords.is_right(text.to_owned(), kept.cloned());
        assert!(right("correct horse battery", Some(&kept)).await.unwrap());
        assert!(!right("correct horse battery ", Some(&kept)).await.unwrap());
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(!right("nobody's password", None).await.unwrap());
    }

    #[test]
    fn what_would_be_guessed_is_not_taken() {
        let own = ["ada.lovelace@shop.example", "Ada Lovelace", "Analytical Teas"];
        for (password, outcome) in [
            ("short", Err(Weakness::Short)),
            ("password123", Err(Weakness::Guessable)),
            ("qwertyuiop", Err(Weakness::Guessable)),
            ("aaaaaaaaaaaaaaaa", Err(Weakness::Guessable)),
            ("lovelace2026", Err(Weakness::Guessable)),
            ("AnalyticalTeas", Err(Weakness::Guessable)),
            ("bitcoinbitpro", Err(Weakness::Guessable)),
            ("correct horse battery", Ok(())),
            ("xK7#mQ2vLp", Ok(())),
        ] {
            assert_eq!(check(password, &own), outcome, "{password}");
        }
        assert_eq!(check(&"ab3!".repeat(65), &own), Err(Weakness::Long));
    }
}
