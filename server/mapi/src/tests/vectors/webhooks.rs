//! Deliveries, genuine and not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitpro_charge::{Announcement, Timestamp};
use bitpro_service::webhooks::is_genuine;
use bitpro_service::wire::test_body;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::hold;

/// The secret of the published example of Standard Webhooks.
const EXAMPLE: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const FORMER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const CURRENT: &str = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
const ID: &str = "67c0e853-bb77-46ce-ae20-09011299cb22";
const AT: i64 = 1_525_954_955;
/// How far a delivery's time may be from the receiver's, in seconds.
const TOLERANCE: i64 = 300;

struct Case {
    says: &'static str,
    secrets: Vec<&'static str>,
    id: Option<String>,
    timestamp: Option<String>,
    signature: Option<String>,
    body: String,
    now: i64,
    outcome: &'static str,
}

fn signed(secret: &str, id: &str, at: i64, body: &str) -> String {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn delivery() -> String {
    let id: bitpro_charge::ChargeId = ID.parse().unwrap();
    let body = test_body(id.0, Announcement::Confirmed, Timestamp::from_secs(AT));
    String::from_utf8(body.to_vec()).unwrap()
}

fn usual() -> Case {
    let body = delivery();
    Case {
        says: "a delivery of this moment",
        secrets: vec![CURRENT],
        id: Some(ID.to_owned()),
        timestamp: Some(AT.to_string()),
        signature: Some(signed(CURRENT, ID, AT, &body)),
        body,
        now: AT,
        outcome: "genuine",
    }
}

/// Signatures that fit, or not.
fn by_signature() -> Vec<Case> {
    let body = delivery();
    let both = format!("{} {}", signed(CURRENT, ID, AT, &body), signed(FORMER, ID, AT, &body));
    let forged = |says, signature: String| Case {
        says,
        signature: Some(signature),
        outcome: "wrong-signature",
        ..usual()
    };
    let right = signed(CURRENT, ID, AT, &body);
    vec![
        usual(),
        Case {
            says: "the sender signs with two secrets, the receiver has the former",
            secrets: vec![FORMER],
            signature: Some(both.clone()),
            ..usual()
        },
        Case {
            says: "the receiver has two secrets, the sender signs with one",
            secrets: vec![FORMER, CURRENT],
            ..usual()
        },
        Case {
            says: "a secret without its prefix",
            secrets: vec![&CURRENT[6..]],
            ..usual()
        },
        Case {
            says: "signatures of other versions are passed over",
            signature: Some(format!("v1a,AAAA {right}")),
            ..usual()
        },
        forged("another secret", signed(FORMER, ID, AT, &body)),
        forged("another id was signed", signed(CURRENT, "another", AT, &body)),
        forged("another time was signed", signed(CURRENT, ID, AT + 1, &body)),
        forged("another body was signed", signed(CURRENT, ID, AT, &format!("{body} "))),
        forged("a part of the signature", right[..20].to_owned()),
        forged("another version", right.replace("v1,", "v2,")),
        forged("no base64", "v1,????".to_owned()),
        forged("no version", right.replace("v1,", "")),
        forged("nothing but a version", "v1,".to_owned()),
    ]
}

/// Times and headers that fit, or not.
fn by_time() -> Vec<Case> {
    let timed = |says, now, outcome| Case {
        says,
        now,
        outcome,
        ..usual()
    };
    let example = r#"{"test": 2432232314}"#;
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    let written = |text: &str| {
        let key = STANDARD.decode(&CURRENT[6..]).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{ID}.{text}.{}", delivery()).as_bytes());
        Case {
            says: "a time that is no number",
            timestamp: Some(text.to_owned()),
            signature: Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))),
            outcome: "stale-timestamp",
            ..usual()
        }
    };
    vec![
        timed("as old as it may be", AT + TOLERANCE, "genuine"),
        timed("as far ahead as it may be", AT - TOLERANCE, "genuine"),
        timed("too old", AT + TOLERANCE + 1, "stale-timestamp"),
        timed("too far ahead", AT - TOLERANCE - 1, "stale-timestamp"),
        written("now"),
        written("0x5af43a4b"),
        written("1525954955.5"),
        Case {
            says: "a forged delivery that is old is called forged",
            signature: Some("v1,AAAA".to_owned()),
            now: AT + 9_999,
            outcome: "wrong-signature",
            ..usual()
        },
        Case {
            says: "no id",
            id: None,
            outcome: "missing-header",
            ..usual()
        },
        Case {
            says: "no timestamp",
            timestamp: None,
            outcome: "missing-header",
            ..usual()
        },
        Case {
            says: "no signature",
            signature: None,
            outcome: "missing-header",
            ..usual()
        },
        Case {
            says: "signed, but not by this server: the published example of Standard Webhooks is no delivery of a charge",
            secrets: vec![EXAMPLE],
            id: Some(id.to_owned()),
            timestamp: Some("1614265330".to_owned()),
            signature: Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned()),
            body: example.to_owned(),
            now: 1_614_265_330,
            outcome: "malformed-body",
        },
        Case {
            says: "signed, but no JSON",
            body: "hello".to_owned(),
            signature: Some(signed(CURRENT, ID, AT, "hello")),
            outcome: "malformed-body",
            ..usual()
        },
        Case {
            says: "signed, but no object",
            body: "[]".to_owned(),
            signature: Some(signed(CURRENT, ID, AT, "[]")),
            outcome: "malformed-body",
            ..usual()
        },
    ]
}

/// What the server's own verifier says of the signature must agree with the outcome.
fn check(case: &Case) {
    let (Some(id), Some(timestamp), Some(signature)) = (&case.id, &case.timestamp, &case.signature) else {
        assert_eq!(case.outcome, "missing-header", "{}", case.says);
        return;
    };
    let with_prefix = |secret: &str| format!("whsec_{}", secret.trim_start_matches("whsec_"));
    let fits = |secret: &&str| is_genuine(&with_prefix(secret), id, timestamp, case.body.as_bytes(), signature);
    let is_signed = case.secrets.iter().any(fits);
    let is_timely = timestamp
        .parse()
        .is_ok_and(|at: i64| (case.now - at).abs() <= TOLERANCE);
    let is_ours = serde_json::from_str::<Value>(&case.body).is_ok_and(|body| body["event"]["data"].is_object());
    let outcome = match (is_signed, is_timely, is_ours) {
        (false, ..) => "wrong-signature",
        (_, false, _) => "stale-timestamp",
        (_, _, false) => "malformed-body",
        _ => "genuine",
    };
    assert_eq!(outcome, case.outcome, "{}", case.says);
}

#[test]
fn deliveries_are_verified_as_the_vectors_say() {
    let vectors: Vec<Value> = by_signature()
        .into_iter()
        .chain(by_time())
        .map(|case| {
            check(&case);
            let mut headers = json!({"content-type": "application/json"});
            let named = [("webhook-id", &case.id), ("webhook-timestamp", &case.timestamp), ("webhook-signature", &case.signature)];
            for (name, value) in named {
                if let Some(value) = value {
                    headers[name] = json!(value);
                }
            }
            json!({"says": case.says, "secrets": case.secrets, "headers": headers, "body": case.body, "now": case.now, "outcome": case.outcome})
        })
        .collect();
    hold(
        "webhooks.json",
        &json!({"tolerance_secs": TOLERANCE, "vectors": vectors}),
    );
}
