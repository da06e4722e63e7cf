//! Where randomness comes from: a parameter, so that a test can repeat a run.

use std::sync::atomic::{AtomicU64, Ordering};

use bitpro_charge::ChargeId;
use rand::TryRngCore as _;

/// A source of unguessable bytes.
pub trait Rng: Send + Sync + 'static {
    /// Sixteen fresh bytes.
    fn bytes(&self) -> [u8; 16];
}

/// A fresh key of 256 bits from `rng`.
#[must_use]
pub fn key(rng: &dyn Rng) -> [u8; 32] {
    let mut key = [0; 32];
    key[..16].copy_from_slice(&rng.bytes());
    key[16..].copy_from_slice(&rng.bytes());
    key
}

/// A UUIDv4 (RFC 9562, section 5.4) from `rng`.
#[must_use]
pub fn uuid(rng: &dyn Rng) -> [u8; 16] {
    let mut bytes = rng.bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}

/// A fresh charge id: a capability, and so never guessable (R23).
#[must_use]
pub fn charge_id(rng: &dyn Rng) -> ChargeId {
    ChargeId(uuid(rng))
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        rand::rngs::OsRng
            .try_fill_bytes(&mut bytes)
            .expect("without the system's randomness no id would be safe to hand out");
        bytes
    }
}

/// A generator that counts, for tests: ids are distinct and the same in every run.
#[derive(Debug, Default)]
pub struct CountingRng {
    next: AtomicU64,
}

impl Rng for CountingRng {
    fn bytes(&self) -> [u8; 16] {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&n.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_carries_its_version_and_variant() {
        let text = charge_id(&SystemRng).to_string();
        assert_eq!(text.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&text.as_bytes()[19]));
        assert_ne!(text, charge_id(&SystemRng).to_string());
    }
}
