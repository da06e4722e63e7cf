//! What browsers answer to the challenges of passkeys: JSON, CBOR and bits of whoever has a password.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bitpro_base::fuzzing::{Memory, Target, text};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;
use webauthn_rs_core::proto::{AuthenticationState, Credential, RegistrationState, UserVerificationPolicy};

use super::Passkeys;
use super::answers::Signed;

/// What is fuzzed here.
pub const TARGETS: &[Target] = &[
    Target::new(
        "passkey-json",
        4_000,
        &[
            "{\"id\":\"",
            "\"rawId\":\"",
            "\"type\":\"public-key\"",
            "\"response\":{",
            "\"attestationObject\":\"",
            "\"clientDataJSON\":\"",
            "\"authenticatorData\":\"",
            "\"signature\":\"",
            "\"userHandle\":null",
            "\"transports\":[\"",
            "\"extensions\":{\"",
            "appid",
            "credProps",
            "[[[[[[[[",
            "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVi",
        ],
        answer_in_json,
    )
    .within(MEMORY),
    Target::new(
        "passkey-made",
        2_000,
        &[
            "cfmt",
            "dnone",
            "fpacked",
            "hfido-u2f",
            "ctpm",
            "eapple",
            "kandroid-key",
            "qandroid-safetynet",
            "gattStmt",
            "hauthData",
            "calg",
            "csig",
            "cx5c",
            "cver",
            "c2.0",
            "hcertInfo",
            "gpubArea",
            "hresponse",
            "kcredProtect",
            "\u{1}\u{2}\u{3}&",
        ],
        attestation,
    )
    .within(MEMORY),
    Target::new(
        "passkey-signed",
        1_000,
        &[
            "{\"type\":\"webauthn.get\",",
            "\"challenge\":\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\"",
            "\"origin\":\"http://localhost:8080\"",
            "\"crossOrigin\":false",
            "\"tokenBinding\":{\"status\":\"",
            "\"topOrigin\":\"",
            "webauthn.create",
            "kcredProtect",
            "khmac-secret",
        ],
        signature,
    )
    .within(MEMORY),
];

/// What an answer is read into is several times as long as its base64; a chain of certificates is read one by one.
const MEMORY: Memory = Memory {
    base: 512 * 1024,
    per_byte: 256,
    times: 16,
};

const ORIGIN: &str = "http://localhost:8080";
const CHALLENGE: [u8; 32] = [7; 32];
const ACCOUNT: [u8; 16] = [5; 16];
const ID: &[u8] = b"phone-of-ada-0001";
/// The count that the passkey is known to have reached.
const FORMER: u32 = 3;
/// A person is there; was recognised; a passkey is in the answer (WebAuthn, section 6.1).
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;
/// A key of nobody's.
const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2zLVEz_Fxq5waUx7_6f6LTv_iaA1__jQb-dzP2Al9c-hRANCAASLUJj80xLQQJzVe85K15Sh8ictxDK4M89rOXjBwoWFcS4v__qmTZbqFeZvmK_4OnUERdM2xcJauy6PwbM3wJ38";

/// A session that asked for a passkey, and one that asked for a signature of the passkey that it has.
struct Asked {
    passkeys: Passkeys,
    register: RegistrationState,
    authenticate: AuthenticationState,
    key: EcdsaKeyPair,
    known: Credential,
}

/// A challenge is the same in every run, and so are all answers that are kept.
fn challenged<T: Serialize + DeserializeOwned>(state: &T) -> T {
    let mut state = serde_json::to_value(state).expect("a state is written");
    state["challenge"] = json!(BASE64.encode(CHALLENGE));
    serde_json::from_value(state).expect("a state is read")
}

impl Asked {
    fn new() -> Self {
        let passkeys = Passkeys::at(ORIGIN).expect("an origin with a name");
        let builder = passkeys
            .core
            .new_challenge_register_builder(&ACCOUNT, "ada@shop.example", "Ada")
            .expect("a person")
            .user_verification_policy(UserVerificationPolicy::Required);
        let (_, register) = passkeys.core.generate_challenge_register(builder).expect("a challenge");
        let register = challenged(&register);
        let pkcs8 = BASE64.decode(KEY).expect("base64");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8, &SystemRandom::new());
        let key = key.expect("a key");
        let mut known = passkeys
            .made(&answer_with(&attestation_of(&key)), &register)
            .expect("a passkey");
        known.counter = FORMER;
        let builder = passkeys
            .core
            .new_challenge_authenticate_builder(vec![known.clone()], Some(UserVerificationPolicy::Required))
            .expect("a passkey");
        let (_, authenticate) = passkeys
            .core
            .generate_challenge_authenticate(builder)
            .expect("a challenge");
        Self {
            authenticate: challenged(&authenticate),
            passkeys,
            register,
            key,
            known,
        }
    }

    fn signed(&self, answer: &str) -> Option<Signed> {
        let (state, known) = (self.authenticate.clone(), vec![self.known.clone()]);
        self.passkeys.signed(answer, state, ACCOUNT, known).ok()
    }
}

fn asked() -> &'static Asked {
    static ASKED: OnceLock<Asked> = OnceLock::new();
    ASKED.get_or_init(Asked::new)
}

/// What is signed by an authenticator: the hash of the address, flags and the count.
fn authenticator_data(flags: u8, count: u32) -> Vec<u8> {
    let mut data = Sha256::digest(b"localhost").to_vec();
    data.push(flags);
    data.extend(count.to_be_bytes());
    data
}

fn attestation_of(key: &EcdsaKeyPair) -> Vec<u8> {
    let mut data = authenticator_data(PRESENT | VERIFIED | ATTESTED, 1);
    data.extend([0; 16]);
    data.extend([0, 17]);
    data.extend(ID);
    let point = key.public_key().as_ref();
    data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
    data.extend(&point[1..33]);
    data.extend([0x22, 0x58, 0x20]);
    data.extend(&point[33..]);
    let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
    object.push(u8::try_from(data.len()).expect("fewer than 256 bytes"));
    object.extend(data);
    object
}

fn client_data(kind: &str) -> Vec<u8> {
    let data = json!({"type": kind, "challenge": BASE64.encode(CHALLENGE), "origin": ORIGIN, "crossOrigin": false});
    data.to_string().into_bytes()
}

fn answer_with(attestation: &[u8]) -> String {
    let id = BASE64.encode(ID);
    let response = json!({
        "attestationObject": BASE64.encode(attestation),
        "clientDataJSON": BASE64.encode(client_data("webauthn.create")),
    });
    json!({"id": id, "rawId": id, "type": "public-key", "response": response}).to_string()
}

/// Whether a client said that it is asked by our page, over our challenge, for an answer of this kind.
fn is_ours(client_data: &[u8], kind: &str) -> bool {
    let Ok(said) = serde_json::from_slice::<Value>(client_data) else {
        return false;
    };
    let origin = said["origin"].as_str().and_then(|origin| Url::parse(origin).ok());
    said["type"] == kind
        && said["challenge"] == BASE64.encode(CHALLENGE)
        && origin.is_some_and(|origin| origin.origin().ascii_serialization() == ORIGIN)
}

/// Asserts what must be true of a passkey that was taken; `data` is what its authenticator gave, with anything around it.
fn assert_made(made: &Credential, data: &[u8]) {
    assert!(made.user_verified, "whoever holds it was recognised");
    assert!(
        (1..=1_023).contains(&made.cred_id.len()),
        "{} bytes",
        made.cred_id.len()
    );
    let begins = authenticator_data(0, made.counter);
    let is_given = |part: &[u8]| {
        let flags = part[32];
        part[..32] == begins[..32]
            && part[33..37] == begins[33..]
            && flags & (PRESENT | VERIFIED | ATTESTED) == PRESENT | VERIFIED | ATTESTED
            && part[55..].starts_with(&made.cred_id)
    };
    let shortest = 55 + made.cred_id.len();
    assert!(
        data.windows(shortest).any(is_given),
        "for us, of somebody who was recognised"
    );
    // The database holds it as JSON.
    let written = serde_json::to_value(made).expect("a passkey is written");
    let read: Credential = serde_json::from_value(written.clone()).expect("a passkey is read");
    assert_eq!(serde_json::to_value(&read).ok(), Some(written));
}

/// An answer as the form brings it is taken only when what it holds was made for us.
fn answer_in_json(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let asked = asked();
    let read: Value = serde_json::from_str(text).unwrap_or_default();
    let response = |name: &str| {
        let encoded = read["response"][name].as_str().unwrap_or_default();
        let engine = base64::engine::GeneralPurpose::new(
            &base64::alphabet::URL_SAFE,
            base64::engine::GeneralPurposeConfig::new()
                .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
                .with_decode_allow_trailing_bits(true),
        );
        engine
            .decode(encoded.replace('+', "-").replace('/', "_"))
            .unwrap_or_default()
    };
    if let Ok(made) = asked.passkeys.made(text, &asked.register) {
        assert!(is_ours(&response("clientDataJSON"), "webauthn.create"), "{text}");
        assert_made(&made, &response("attestationObject"));
    }
    assert!(asked.signed(text).is_none(), "nobody can sign: {text}");
}

/// A passkey is taken only when the authenticator says that it is for us, and of somebody whom it has recognised.
fn attestation(input: &[u8]) {
    let asked = asked();
    if let Ok(made) = asked.passkeys.made(&answer_with(input), &asked.register) {
        assert_made(&made, input);
    }
}

/// A signature counts only when it is for us, of somebody who was recognised, and when its count goes on; and a plain one that is all
/// that does count. The first byte says how much of the input the authenticator gives; the rest is what the browser says, if anything.
fn signature(input: &[u8]) {
    let Some((length, rest)) = input.split_first() else {
        return;
    };
    let (data, said) = rest.split_at(usize::from(*length).min(rest.len()));
    let said = if said.is_empty() {
        client_data("webauthn.get")
    } else {
        said.to_vec()
    };
    let asked = asked();
    let mut message = data.to_vec();
    message.extend(Sha256::digest(&said));
    let signature = asked.key.sign(&SystemRandom::new(), &message).expect("a signature");
    let id = BASE64.encode(ID);
    let response = json!({
        "authenticatorData": BASE64.encode(data),
        "clientDataJSON": BASE64.encode(&said),
        "signature": BASE64.encode(signature),
        "userHandle": null,
    });
    let answer = json!({"id": id, "rawId": id, "type": "public-key", "response": response});
    let is_ours = is_ours(&said, "webauthn.get");
    let begins = data.first_chunk::<37>().map(|begins| {
        let count = begins.last_chunk::<4>().copied().unwrap_or_default();
        (&begins[..32], begins[32], u32::from_be_bytes(count))
    });
    let Some(signed) = asked.signed(&answer.to_string()) else {
        let plain = begins.is_some_and(|(hash, flags, count)| {
            data.len() == 37
                && *hash == Sha256::digest(b"localhost")[..]
                && flags == PRESENT | VERIFIED
                && count > FORMER
        });
        assert!(
            !plain || said != client_data("webauthn.get"),
            "a right signature is refused"
        );
        return;
    };
    let (hash, flags, count) = begins.expect("what is shorter is nothing that is signed");
    assert!(is_ours, "{}", String::from_utf8_lossy(&said));
    assert_eq!(*hash, Sha256::digest(b"localhost")[..], "for us");
    assert_eq!(
        flags & (PRESENT | VERIFIED),
        PRESENT | VERIFIED,
        "of somebody who was recognised"
    );
    assert!(signed.is_verified && signed.credential_id == ID);
    assert_eq!((signed.former, signed.sign_count), (FORMER, count));
    assert!(count > FORMER, "a copy of the passkey would have signed");
}
