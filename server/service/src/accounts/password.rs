//! Passwords: which are taken, and how they are kept.
//!
//! Argon2id with OWASP's parameters (Password Storage Cheat Sheet: 19 MiB, two passes, one lane). A hash costs some 20 ms of
//! a core and 19 MiB. So there are two desks at which they are made, one at a time and in the same memory each: one for strangers,
//! and one for people who are known, whom strangers therefore do not keep waiting. So many wait at a desk; the next one is told
//! at once that there is no room.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::{Output, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use bitpro_limits::refused;
use parking_lot::Mutex;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use super::AccountError;
use super::budgets::Lane;

/// The fewest characters of a password (NIST SP 800-63B-4, 3.1.1.2, asks for eight beside a second factor).
pub const FEWEST_CHARS: usize = 10;
/// The most: longer ones cost the server more than they give.
pub const MOST_CHARS: usize = 256;
/// How many strangers' passwords wait to be checked, the one that is being checked included: half a second of a core.
pub(crate) const STRANGERS_WAITING: usize = 16;
/// How many of people who are known.
pub(crate) const KNOWN_WAITING: usize = 32;
/// Guesses that a password must stand, as a power of ten. zxcvbn's lists of the 40,000 passwords found most often in
/// breaches stay far below it.
const LEAST_GUESSES_LOG10: f64 = 8.0;
/// OWASP's parameters: KiB of memory, passes, lanes.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

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
    #[error("this password is easy to guess: it appears in data breaches, follows a pattern, or contains the name")]
    Guessable,
}

/// Hashes and checks passwords. A cheap handle.
#[derive(Clone)]
pub struct Passwords {
    strangers: Arc<Desk>,
    known: Arc<Desk>,
}

/// A place where one password at a time is hashed.
struct Desk {
    name: &'static str,
    turn: Arc<Semaphore>,
    /// Those who wait, and the one whose turn it is.
    present: AtomicUsize,
    most: usize,
    /// What argon2 works in. It is filled anew each time, and never given back: allocated for each hash, it would be torn from
    /// the heap of another thread each time.
    memory: Mutex<Vec<Block>>,
}

/// Somebody at a desk, who goes away with this.
struct Place(Arc<Desk>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.present.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What a password is compared with when there is no account: it takes as long, and no password gives these zeros.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl Default for Passwords {
    fn default() -> Self {
        Self {
            strangers: Desk::new("password_strangers", STRANGERS_WAITING),
            known: Desk::new("password_known", KNOWN_WAITING),
        }
    }
}

impl Desk {
    fn new(name: &'static str, most: usize) -> Arc<Self> {
        Arc::new(Self {
            name,
            turn: Arc::new(Semaphore::new(1)),
            present: AtomicUsize::new(0),
            most,
            memory: Mutex::default(),
        })
    }

    /// Takes a place, if there is one.
    fn enter(self: &Arc<Self>) -> Result<Place, AccountError> {
        let before = self.present.fetch_add(1, Ordering::AcqRel);
        let place = Place(Arc::clone(self));
        if before < self.most {
            return Ok(place);
        }
        refused(self.name);
        Err(AccountError::Busy)
    }

    /// Does `work` in this desk's memory when its turn has come.
    async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, AccountError> {
        let place = self.enter()?;
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        let turn = turn.map_err(|_| AccountError::Busy)?;
        let worked = tokio::task::spawn_blocking(move || {
            // Turn and place end with the work, also when whoever asked has gone away.
            let (_turn, place) = (turn, place);
            let mut memory = place.0.memory.lock();
            work(&mut memory)
        });
        worked.await.map_err(|_| AccountError::Busy)
    }
}

impl Passwords {
    const fn desk(&self, lane: Lane) -> &Arc<Desk> {
        match lane {
            Lane::Stranger(_) => &self.strangers,
            Lane::Device(_) | Lane::Session(_) => &self.known,
        }
    }

    /// The hash of `password` in PHC form, for somebody who is logged in or has the link of a letter.
    ///
    /// # Errors
    /// [`AccountError::Busy`], at once when there is no room.
    pub async fn hash(&self, password: String, salt: [u8; 16]) -> Result<String, AccountError> {
        let hashed = self.known.work(move |memory| hashed(&password, salt, memory));
        hashed.await?.ok_or(AccountError::Busy)
    }

    /// Whether `password` belongs to `stored`. Without one it takes as long, and does not.
    ///
    /// # Errors
    /// [`AccountError::Busy`], at once when there is no room.
    pub async fn is_right(&self, lane: Lane, password: String, stored: Option<String>) -> Result<bool, AccountError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| NOBODY.to_owned());
        let right = self.desk(lane).work(move |memory| {
            // Nobody chose a longer one; hashing it would be work for nothing.
            let password = if password.len() > MOST_CHARS * 4 { "" } else { &password };
            verified(password, &stored, memory).unwrap_or(false)
        });
        Ok(right.await? && known)
    }

    /// Keeps strangers' passwords from being checked until what is returned is dropped.
    #[cfg(any(test, feature = "testing"))]
    pub async fn keep_strangers_waiting(&self) -> tokio::sync::OwnedSemaphorePermit {
        Arc::clone(&self.strangers.turn)
            .acquire_owned()
            .await
            .expect("nobody closes it")
    }

    /// How many strangers are at their desk.
    #[cfg(any(test, feature = "testing"))]
    pub fn strangers_present(&self) -> usize {
        self.strangers.present.load(Ordering::Acquire)
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

fn hashed(password: &str, salt: [u8; 16], memory: &mut Vec<Block>) -> Option<String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    fill(
        Algorithm::Argon2id,
        Version::V0x13,
        params,
        password,
        &salt,
        &mut output,
        memory,
    )?;
    let salt = SaltString::encode_b64(&salt).ok()?;
    let output = Output::new(&output).ok()?;
    Some(format!(
        "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}"
    ))
}

/// Whether `password` gives the hash in `stored`, under the parameters that stand there.
fn verified(password: &str, stored: &str, memory: &mut Vec<Block>) -> Option<bool> {
    let stored = PasswordHash::new(stored).ok()?;
    let algorithm = Algorithm::try_from(stored.algorithm).ok()?;
    let version = Version::try_from(stored.version?).ok()?;
    let params = Params::try_from(&stored).ok()?;
    let wanted = stored.hash?;
    let mut salt = [0; Salt::RECOMMENDED_LENGTH * 4];
    let salt = stored.salt?.decode_b64(&mut salt).ok()?;
    let mut output = vec![0; wanted.len()];
    fill(algorithm, version, params, password, salt, &mut output, memory)?;
    Some(wanted.as_bytes().ct_eq(&output).into())
}

fn fill(
    algorithm: Algorithm,
    version: Version,
    params: Params,
    password: &str,
    salt: &[u8],
    output: &mut [u8],
    memory: &mut Vec<Block>,
) -> Option<()> {
    if memory.len() < params.block_count() {
        memory.resize(params.block_count(), Block::default());
    }
    let hasher = Argon2::new(algorithm, version, params);
    hasher
        .hash_password_into_with_memory(password.as_bytes(), salt, output, memory)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    use futures::future::join_all;

    fn stranger() -> Lane {
        Lane::Stranger(std::net::IpAddr::from([192, 0, 2, 1]).into())
    }

    #[tokio::test]
    async fn a_password_is_kept_as_argon2id_and_only_the_same_one_is_right() {
        let passwords = Passwords::default();
        let kept = passwords
            .hash("correct horse battery".to_owned(), [2; 16])
            .await
            .unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        let right = |text: &str, kept: Option<&String>| passwords.is_right(stranger(), text.to_owned(), kept.cloned());
        assert!(right("correct horse battery", Some(&kept)).await.unwrap());
        assert!(!right("correct horse battery ", Some(&kept)).await.unwrap());
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(!right("nobody's password", None).await.unwrap());
        for damaged in ["", "$argon2id$", "$2b$12$abc", &kept[..kept.len() - 2]] {
            assert!(
                !right("correct horse battery", Some(&damaged.to_owned())).await.unwrap(),
                "{damaged}"
            );
        }
    }

    #[tokio::test]
    async fn hashes_are_those_that_argon2_makes_by_itself() {
        use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap();
        let other = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let (text, salt) = ("correct horse battery", SaltString::encode_b64(&[2; 16]).unwrap());
        let theirs = other.hash_password(text.as_bytes(), &salt).unwrap().to_string();
        let passwords = Passwords::default();
        let ours = passwords.hash(text.to_owned(), [2; 16]).await.unwrap();
        assert_eq!(ours, theirs);
        // The memory holds what was left of the one before.
        assert_eq!(passwords.hash(text.to_owned(), [2; 16]).await.unwrap(), theirs);
        let parsed = PasswordHash::new(&ours).unwrap();
        assert!(other.verify_password(text.as_bytes(), &parsed).is_ok());
    }

    #[tokio::test]
    async fn passwords_without_number_are_checked_in_the_same_memory() {
        let passwords = Passwords::default();
        let check = || passwords.is_right(stranger(), "x".to_owned(), None);
        check().await.unwrap();
        let place = || {
            let memory = passwords.strangers.memory.lock();
            (memory.as_ptr() as usize, memory.capacity())
        };
        let first = place();
        join_all((0..STRANGERS_WAITING).map(|_| check())).await;
        assert_eq!(place(), first);
        assert!(passwords.known.memory.lock().is_empty());
    }

    #[tokio::test]
    async fn who_finds_no_room_is_told_at_once_and_who_is_known_has_a_place() {
        let passwords = Passwords::default();
        let held = passwords.keep_strangers_waiting().await;
        let check = |lane| passwords.is_right(lane, "x".to_owned(), None);
        let mut waiting: Vec<_> = (0..STRANGERS_WAITING).map(|_| Box::pin(check(stranger()))).collect();
        for one in &mut waiting {
            assert!(futures::poll!(one).is_pending());
        }
        let next = futures::poll!(Box::pin(check(stranger())));
        assert!(matches!(next, std::task::Poll::Ready(Err(AccountError::Busy))));
        assert!(check(Lane::Device([1; 16])).await.is_ok());
        assert!(check(Lane::Session([1; 32])).await.is_ok());
        // Who goes away leaves their place to another.
        waiting.pop();
        assert!(futures::poll!(Box::pin(check(stranger()))).is_pending());
        drop(held);
        for answer in join_all(waiting).await {
            assert!(answer.is_ok());
        }
        assert_eq!(passwords.strangers_present(), 0);
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
