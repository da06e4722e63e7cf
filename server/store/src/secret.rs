//! Authenticators under the configuration's key: a row that was changed in the database is an error, not a payment to a
//! stranger.

use bitpro_charge::{MerchantId, Network};
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

    /// Proves what a charge was created with: 128 bits of it, half of what the hash gives (RFC 2104, section 5).
    pub(crate) fn of_charge(&self, charge: &CreatedWith<'_>) -> [u8; 16] {
        let CreatedWith {
            num,
            id,
            merchant,
            script_pubkey,
            origin,
            order_id,
            terms,
        } = charge;
        let mac = self.mac(
            "charge",
            &[
                &num.to_be_bytes(),
                id,
                merchant,
                script_pubkey,
                origin.as_bytes(),
                &[u8::from(order_id.is_some())],
                order_id.unwrap_or_default().as_bytes(),
                terms.as_bytes(),
            ],
        );
        let mut tag = [0; 16];
        tag.copy_from_slice(&mac[..16]);
        tag
    }

    /// Proves that every charge was proved by this server, so that a row without a proof is somebody else's.
    pub(crate) fn of_proved_charges(&self) -> String {
        hex::encode(self.mac("charges are proved", &[]))
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

/// Whose database it is: what its rows are written and read by.
#[derive(Clone)]
pub(crate) struct Identity {
    /// The network whose addresses charges have.
    pub network: Network,
    /// The configuration's key.
    pub secret: Secret,
}

/// What a charge is created with, as its row has it. All that is decided about it later stands in its log.
pub(crate) struct CreatedWith<'r> {
    /// Its row: the log is its by that number.
    pub num: i64,
    pub id: &'r [u8],
    pub merchant: &'r [u8],
    pub script_pubkey: &'r [u8],
    pub origin: &'r str,
    pub order_id: Option<&'r str>,
    /// The document, byte by byte.
    pub terms: &'r str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created_with() -> CreatedWith<'static> {
        CreatedWith {
            num: 7,
            id: &[1; 16],
            merchant: &[2; 16],
            script_pubkey: &[3; 22],
            origin: "link",
            order_id: Some("order 1"),
            terms: "{}",
        }
    }

    #[test]
    fn r1_each_fact_that_a_charge_is_created_with_changes_its_proof() {
        let secret = Secret::new([7; 32]);
        let proof = secret.of_charge(&created_with());
        let changed: [(&str, CreatedWith<'_>); 8] = [
            (
                "row",
                CreatedWith {
                    num: 8,
                    ..created_with()
                },
            ),
            (
                "id",
                CreatedWith {
                    id: &[9; 16],
                    ..created_with()
                },
            ),
            (
                "merchant",
                CreatedWith {
                    merchant: &[9; 16],
                    ..created_with()
                },
            ),
            (
                "script",
                CreatedWith {
                    script_pubkey: &[9; 22],
                    ..created_with()
                },
            ),
            (
                "origin",
                CreatedWith {
                    origin: "api",
                    ..created_with()
                },
            ),
            (
                "order id",
                CreatedWith {
                    order_id: Some("order 2"),
                    ..created_with()
                },
            ),
            (
                "no order id",
                CreatedWith {
                    order_id: None,
                    ..created_with()
                },
            ),
            (
                "terms",
                CreatedWith {
                    terms: "{ }",
                    ..created_with()
                },
            ),
        ];
        for (what, changed) in changed {
            assert_ne!(secret.of_charge(&changed), proof, "{what}");
        }
        assert_eq!(secret.of_charge(&created_with()), proof);
        assert_ne!(Secret::new([8; 32]).of_charge(&created_with()), proof);
        let none = CreatedWith {
            order_id: None,
            ..created_with()
        };
        let empty = CreatedWith {
            order_id: Some(""),
            ..created_with()
        };
        assert_ne!(secret.of_charge(&none), secret.of_charge(&empty));
    }

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
