//! What is signed, and how (Acquia HTTP HMAC 2.0; `http-hmac-spec`, "2.0").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::Credentials;

/// The parts of a request that its signature covers, as they were sent.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The Host header: with its port, if it has one.
    pub host: &'a str,
    /// The path, undecoded.
    pub path: &'a str,
    /// The query string, undecoded; empty without one.
    pub query: &'a str,
    /// Values of the headers named as signed, in the order of [`Credentials::signed_headers`].
    pub headers: &'a [String],
    /// `X-Authorization-Timestamp`, as sent.
    pub timestamp: &'a str,
    /// Content-Type and `X-Authorization-Content-SHA256` of a request with a body.
    pub body: Option<(&'a str, &'a str)>,
}

impl SignedRequest<'_> {
    /// The text under the signature.
    #[must_use]
    pub fn string_to_sign(&self, credentials: &Credentials) -> String {
        let mut lines = vec![
            self.method.to_ascii_uppercase(),
            self.host.to_ascii_lowercase(),
            self.path.to_owned(),
            self.query.to_owned(),
            format!(
                "id={}&nonce={}&realm={}&version={}",
                percent_encode(&credentials.id),
                percent_encode(&credentials.nonce),
                percent_encode(&credentials.realm),
                percent_encode(&credentials.version),
            ),
        ];
        lines.extend(
            credentials
                .signed_headers
                .iter()
                .zip(self.headers)
                .map(|(name, value)| format!("{name}:{value}")),
        );
        lines.push(self.timestamp.to_owned());
        if let Some((content_type, hash)) = self.body {
            lines.push(content_type.to_ascii_lowercase());
            lines.push(hash.to_owned());
        }
        lines.join("\n")
    }

    /// Whether `credentials` carry the signature that `secret` makes of this request; compared in constant time.
    #[must_use]
    pub fn is_signed_by(&self, secret: &[u8], credentials: &Credentials) -> bool {
        is_signed(secret, &self.string_to_sign(credentials), &credentials.signature)
    }
}

/// The value of `X-Authorization-Content-SHA256` for `body`.
#[must_use]
pub fn body_hash(body: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(body))
}

/// The value of `X-Server-Authorization-HMAC-SHA256`: the server's answer, signed with the caller's own secret.
#[must_use]
pub fn response_signature(secret: &[u8], nonce: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = new_mac(secret);
    mac.update(nonce.as_bytes());
    mac.update(b"\n");
    mac.update(timestamp.as_bytes());
    mac.update(b"\n");
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Whether `signature` is that of `text` under `secret`; compared in constant time.
fn is_signed(secret: &[u8], text: &str, signature: &[u8]) -> bool {
    let mut mac = new_mac(secret);
    mac.update(text.as_bytes());
    mac.verify_slice(signature).is_ok()
}

/// The signature of `text` under `secret`.
#[must_use]
pub fn sign(secret: &[u8], text: &str) -> [u8; 32] {
    let mut mac = new_mac(secret);
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

fn new_mac(secret: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret).expect("HMAC takes a key of any length")
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, section 2.3; a space becomes `%20`.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "W5PeGMxSItNerkNFqQMfYiJvH14WzVJMy54CPoTAYoI=";

    fn credentials(signature: &str) -> Credentials {
        Credentials::parse(&format!(
            r#"acquia-http-hmac realm="Pipet%20service",id="efdde334-fe7b-11e4-a322-1697f925ec7b",nonce="d1954337-5319-4821-8427-115542e08d10",version="2.0",headers="",signature="{signature}""#
        ))
        .unwrap()
    }

    fn request() -> SignedRequest<'static> {
        SignedRequest {
            method: "GET",
            host: "example.acquiapipet.net",
            path: "/v1.0/task-status/133",
            query: "limit=10",
            headers: &[],
            timestamp: "1432075982",
            body: None,
        }
    }

    #[test]
    fn the_specs_worked_example_is_verified() {
        let secret = STANDARD.decode(SECRET).unwrap();
        let credentials = credentials("MRlPr/Z1WQY2sMthcaEqETRMw4gPYXlPcTpaLWS2gcc=");
        assert!(request().is_signed_by(&secret, &credentials));
        for other in [
            SignedRequest {
                method: "POST",
                ..request()
            },
            SignedRequest {
                host: "example.acquiapipet.net:8080",
                ..request()
            },
            SignedRequest {
                path: "/v1.0/task-status/133/",
                ..request()
            },
            SignedRequest {
                query: "limit=11",
                ..request()
            },
            SignedRequest {
                timestamp: "1432075983",
                ..request()
            },
            SignedRequest {
                body: Some(("", "")),
                ..request()
            },
        ] {
            assert!(!other.is_signed_by(&secret, &credentials));
        }
        assert!(!request().is_signed_by(b"another secret", &credentials));
    }

    #[test]
    fn the_specs_response_is_signed_alike() {
        let secret = STANDARD.decode(SECRET).unwrap();
        let signature = response_signature(
            &secret,
            "d1954337-5319-4821-8427-115542e08d10",
            "1432075982",
            br#"{"id": 133, "status": "done"}"#,
        );
        assert_eq!(signature, "M4wYp1MKvDpQtVOnN7LVt9L8or4pKyVLhfUFVJxHemU=");
    }

    #[test]
    fn a_body_adds_its_type_and_hash_and_signed_headers_their_lines() {
        let credentials = Credentials {
            signed_headers: vec!["x-a".into()],
            ..credentials("MRlPr/Z1WQY2sMthcaEqETRMw4gPYXlPcTpaLWS2gcc=")
        };
        let hash = body_hash(b"{}");
        let request = SignedRequest {
            method: "post",
            headers: &["one".into()],
            body: Some(("Application/JSON", &hash)),
            ..request()
        };
        assert_eq!(
            request.string_to_sign(&credentials).lines().skip(4).collect::<Vec<_>>(),
            [
                "id=efdde334-fe7b-11e4-a322-1697f925ec7b&nonce=d1954337-5319-4821-8427-115542e08d10&realm=Pipet%20service&version=2.0",
                "x-a:one",
                "1432075982",
                "application/json",
                "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=",
            ]
        );
    }
}
