//! Signatures by the Standard Webhooks specification: over id, timestamp and body, under each live secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitpro_base::rng::{self, Rng};
use bitpro_charge::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What stands in front of a secret, so that it is known for one where it should not be.
const PREFIX: &str = "whsec_";

/// A secret of 256 bits.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SigningSecret(pub(super) Vec<u8>);

impl SigningSecret {
    /// A fresh one.
    pub(super) fn new(rng: &dyn Rng) -> Self {
        Self(rng::key(rng).to_vec())
    }

    /// As it is shown to the merchant, once.
    pub(super) fn to_text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }
}

/// The value of `webhook-signature`: one signature for each of `secrets`, with spaces between.
pub(super) fn signatures(secrets: &[SigningSecret], id: &str, at: Timestamp, body: &[u8]) -> String {
    let timestamp = at.as_secs().to_string();
    let mut text = String::new();
    for secret in secrets {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str("v1,");
        STANDARD.encode_string(mac(&secret.0, id, &timestamp, body).finalize().into_bytes(), &mut text);
    }
    text
}

/// Whether `signature`, the value of `webhook-signature`, has one that `secret` (as it is shown) makes of a delivery: what a
/// receiver does. Its timestamp must be looked at beside it.
#[must_use]
pub fn is_genuine(secret: &str, id: &str, timestamp: &str, body: &[u8], signature: &str) -> bool {
    let bytes = secret.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
    let Some(bytes) = bytes else { return false };
    let mac = mac(&bytes, id, timestamp, body);
    let given = signature.split(' ').filter_map(|one| one.strip_prefix("v1,"));
    let mut given = given.filter_map(|one| STANDARD.decode(one).ok());
    given.any(|given| mac.clone().verify_slice(&given).is_ok())
}

/// What is signed: id, timestamp and body, with points between.
fn mac(secret: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use bitpro_base::rng::CountingRng;

    use super::*;

    #[test]
    fn the_specifications_own_example_is_signed_as_it_says() {
        // The test vector of the specification's reference libraries.
        let secret = SigningSecret(STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        let signed = signatures(
            std::slice::from_ref(&secret),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            Timestamp::from_secs(1_614_265_330),
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(secret.to_text(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }

    #[test]
    fn two_live_secrets_sign_both() {
        let rng = CountingRng::default();
        let secrets = [SigningSecret::new(&rng), SigningSecret::new(&rng)];
        assert!(secrets[0] != secrets[1]);
        let both = signatures(&secrets, "id", Timestamp(0), b"{}");
        let each: Vec<String> = secrets
            .iter()
            .map(|secret| signatures(std::slice::from_ref(secret), "id", Timestamp(0), b"{}"))
            .collect();
        assert_eq!(both, each.join(" "));
        for secret in &secrets {
            assert!(is_genuine(&secret.to_text(), "id", "0", b"{}", &both));
            assert!(!is_genuine(&secret.to_text(), "id", "1", b"{}", &both));
            assert!(!is_genuine(&secret.to_text(), "id", "0", b"{} ", &both));
        }
        assert!(!is_genuine(&secrets[0].to_text(), "id", "0", b"{}", &each[1]));
        assert!(!is_genuine("whsec_?", "id", "0", b"{}", &both));
    }
}
