//! Authenticators under the configuration's key: a row that was changed in the database is an error, not a payment to a
//! stranger.

use bitpro_charge::MerchantId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::people::PendingWallet;

/// The configuration's key.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The key made of the configuration's bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Tells whether a database was made under the same key, without revealing it.
    pub fn check(&self) -> String {
        hex::encode(self.mac("check", &[]))
    }

    /// Proves that this server took in the descriptor `text`.
    pub fn of_descriptor(&self, text: &str) -> Vec<u8> {
        self.mac("descriptor", &[text.as_bytes()])
    }

    /// Proves that this server gave `merchant` the descriptor `text`.
    pub fn of_merchant(&self, merchant: MerchantId, text: &str) -> Vec<u8> {
        self.mac("merchant", &[&merchant.0, text.as_bytes()])
    }

    /// Proves that this server wrote all that decides about a wallet that waits: for whom, which, who asked for it, from where,
    /// when, and from when on it takes the money.
    pub(crate) fn of_pending_wallet(&self, wallet: &PendingWallet) -> Vec<u8> {
        self.mac(
            "pending wallet, whole",
            &[
                &wallet.merchant.0,
                wallet.receive.as_bytes(),
                wallet.asked_by.as_bytes(),
                wallet.client.as_bytes(),
                &wallet.asked_at.0.to_be_bytes(),
                &wallet.due_at.0.to_be_bytes(),
            ],
        )
    }

    /// What versions before 2026-11-30 proved of one: nothing about its time.
    pub(crate) fn of_former_pending_wallet(&self, merchant: MerchantId, text: &str) -> Vec<u8> {
        self.mac("pending wallet", &[&merchant.0, text.as_bytes()])
    }

    /// Proves that this server gave a browser its mark.
    pub fn of_device(&self, mark: &[u8]) -> [u8; 16] {
        let mac = self.mac("device", &[mark]);
        let mut tag = [0; 16];
        tag.copy_from_slice(&mac[..16]);
        tag
    }

    /// A short name of an e-mail address for comparison only; the same for its ways of being written.
    pub fn of_email(&self, email: &str) -> [u8; 8] {
        let mac = self.mac("email", &[email.trim().to_lowercase().as_bytes()]);
        let mut key = [0; 8];
        key.copy_from_slice(&mac[..8]);
        key
    }

    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in [purpose.as_bytes()].iter().chain(parts) {
            // The length first, so that no two lists of parts run into the same bytes.
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r22_an_email_has_one_key_however_it_is_written() {
        let secret = Secret::new([7; 32]);
        assert_eq!(
            secret.of_email(" Anna@Shop.Example"),
            secret.of_email("anna@shop.example")
        );
        assert_ne!(
            secret.of_email("anna@shop.example"),
            secret.of_email("bert@shop.example")
        );
        assert_ne!(
            secret.of_email("anna@shop.example"),
            Secret::new([8; 32]).of_email("anna@shop.example")
        );
    }
}
