//! The second factor: one-time codes of an authenticator app (RFC 6238), and recovery codes for when it is lost.

use bitpro_base::rng::{self, Rng};
use bitpro_charge::Timestamp;
use subtle::ConstantTimeEq as _;
use totp_rs::{Algorithm, TOTP};

use super::secret::hash;

/// Seconds that a code stands (RFC 6238, section 5.2).
const STEP_SECS: u64 = 30;
/// Bytes of the secret: as many as SHA-1 gives (RFC 4226, section 4, R6).
const SECRET_BYTES: usize = 20;
/// Recovery codes that are made at a time.
const RECOVERY_CODES: usize = 10;

/// The secret of an authenticator app.
#[derive(Clone)]
pub struct CodeSecret(Vec<u8>);

impl CodeSecret {
    /// A fresh one.
    #[must_use]
    pub fn new(rng: &dyn Rng) -> Self {
        Self(rng::key(rng)[..SECRET_BYTES].to_vec())
    }

    /// One that was stored.
    #[must_use]
    pub const fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// To be sealed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// In base 32, as people type it when they cannot scan.
    #[must_use]
    pub fn text(&self) -> String {
        self.totp().get_secret_base32()
    }

    /// Reads what [`CodeSecret::text`] wrote.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = totp_rs::Secret::Encoded(text.to_owned()).to_bytes().ok()?;
        (bytes.len() == SECRET_BYTES).then_some(Self(bytes))
    }

    /// What an authenticator app scans (Key Uri Format of Google Authenticator).
    #[must_use]
    pub fn uri(&self, email: &str) -> String {
        let label: String = url::form_urlencoded::byte_serialize(email.as_bytes()).collect();
        format!(
            "otpauth://totp/Bitpro:{label}?secret={}&issuer=Bitpro&algorithm=SHA1&digits=6&period={STEP_SECS}",
            self.text()
        )
    }

    /// The step that `code` stands for now, one before or one after included, if it is later than `last`: a code counts
    /// once (RFC 6238, section 5.2).
    #[must_use]
    pub fn step_of(&self, code: &str, now: Timestamp, last: Option<i64>) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let totp = self.totp();
        let present = u64::try_from(now.0 / 1_000).unwrap_or(0) / STEP_SECS;
        let mut found = None;
        // All three are compared, so that the time taken tells nothing.
        for step in [present.saturating_sub(1), present, present + 1] {
            let stands = totp.generate(step * STEP_SECS);
            if bool::from(stands.as_bytes().ct_eq(code.as_bytes())) {
                found = i64::try_from(step).ok();
            }
        }
        found.filter(|step| last.is_none_or(|last| *step > last))
    }

    /// The code that stands at `now`: what the person's own app shows.
    #[must_use]
    pub fn code_at(&self, now: Timestamp) -> String {
        self.totp().generate(u64::try_from(now.0 / 1_000).unwrap_or(0))
    }

    fn totp(&self) -> TOTP {
        TOTP::new_unchecked(Algorithm::SHA1, 6, 1, STEP_SECS, self.0.clone())
    }
}

/// Fresh recovery codes, of 80 random bits each, as `abcd-efgh-ijkl-mnop`.
#[must_use]
pub fn recovery_codes(rng: &dyn Rng) -> Vec<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let code = |_| {
        let bytes = rng.bytes();
        let letters: Vec<char> = bytes
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(byte & 31)]))
            .collect();
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        groups.join("-")
    };
    (0..RECOVERY_CODES).map(code).collect()
}

/// What the database knows a recovery code by, however it was typed.
#[must_use]
pub fn recovery_hash(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    hash(&format!("recovery:{}", plain.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use bitpro_base::rng::SystemRng;

    use super::*;

    #[test]
    fn rfc_6238_appendix_b() {
        let secret = CodeSecret::of(b"12345678901234567890".to_vec());
        for (secs, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(secret.code_at(Timestamp(secs * 1_000)), code, "{secs}");
        }
    }

    #[test]
    fn a_code_counts_once_and_for_a_step_around_its_time() {
        let secret = CodeSecret::new(&SystemRng);
        let now = Timestamp(1_800_000_000_000);
        let code = secret.code_at(now);
        let at = |secs: i64, last| secret.step_of(&code, Timestamp(now.0 + secs * 1_000), last);
        let step = at(0, None).unwrap();
        assert_eq!(step, 60_000_000);
        assert_eq!(at(30, None), Some(step));
        assert_eq!(at(-30, None), Some(step));
        assert_eq!(at(0, Some(step)), None);
        assert_eq!(at(0, Some(step - 1)), Some(step));
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        assert_eq!(secret.step_of(&spaced, now, None), Some(step));
        for bad in ["", "000", "abcdef", "12345678901234567890"] {
            assert_eq!(secret.step_of(bad, now, None), None);
        }
    }

    #[test]
    fn a_secret_is_read_as_it_is_written() {
        let secret = CodeSecret::new(&SystemRng);
        assert_eq!(CodeSecret::read(&secret.text()).unwrap().bytes(), secret.bytes());
        assert!(
            secret
                .uri("a+b@shop.example")
                .starts_with("otpauth://totp/Bitpro:a%2Bb%40shop.example?secret=")
        );
        assert!(CodeSecret::read("nonsense").is_none());
    }

    #[test]
    fn recovery_codes_are_many_and_known_however_they_are_typed() {
        let codes = recovery_codes(&SystemRng);
        assert_eq!(codes.len(), RECOVERY_CODES);
        assert_eq!(codes[0].len(), 19);
        assert_ne!(codes[0], codes[1]);
        assert_eq!(
            recovery_hash(&codes[0]),
            recovery_hash(&codes[0].replace('-', " ").to_uppercase())
        );
    }
}
