//! Answers: how they are signed, and what an SDK makes of problems.

use bitpro_web::RequestId;
use http::StatusCode;
use serde_json::{Value, json};

use super::{KEY_ID, NONCE, SECRET, TIMESTAMP, hold, secret};
use crate::hmac::response_signature;
use crate::problem::{Problem, replayed, unavailable};

const REQUEST: RequestId = RequestId(0xd7e6_3c66_f0b3_a857);
const BODY: &str = r#"{"id": 133, "status": "done"}"#;

#[test]
fn answers_are_signed_as_the_vectors_say() {
    let signed = |body: &str| response_signature(&secret(), NONCE, TIMESTAMP, body.as_bytes());
    let right = signed(BODY);
    assert_eq!(right, "M4wYp1MKvDpQtVOnN7LVt9L8or4pKyVLhfUFVJxHemU=");
    let accented = r#"{"external_order_id":"Café №7"}"#;
    let cases = [
        (
            "the worked example of the specification",
            NONCE,
            TIMESTAMP,
            BODY,
            right.clone(),
            true,
        ),
        (
            "the signature is over bytes, not over characters",
            NONCE,
            TIMESTAMP,
            accented,
            signed(accented),
            true,
        ),
        ("an empty answer is signed, too", NONCE, TIMESTAMP, "", signed(""), true),
        (
            "another body",
            NONCE,
            TIMESTAMP,
            r#"{"id": 134, "status": "done"}"#,
            right.clone(),
            false,
        ),
        (
            "the answer to another request",
            "d1954337-5319-4821-8427-115542e08d11",
            TIMESTAMP,
            BODY,
            right.clone(),
            false,
        ),
        (
            "the answer to another time",
            NONCE,
            "1432075983",
            BODY,
            right.clone(),
            false,
        ),
        (
            "another secret",
            NONCE,
            TIMESTAMP,
            BODY,
            response_signature(&[7; 32], NONCE, TIMESTAMP, BODY.as_bytes()),
            false,
        ),
        (
            "a part of the signature",
            NONCE,
            TIMESTAMP,
            BODY,
            right[..20].to_owned(),
            false,
        ),
        ("an empty signature", NONCE, TIMESTAMP, BODY, String::new(), false),
        ("no base64", NONCE, TIMESTAMP, BODY, "?".repeat(44), false),
    ];
    let vectors: Vec<Value> = cases
        .iter()
        .map(|(says, nonce, timestamp, body, signature, is_genuine)| {
            let fits = response_signature(&secret(), nonce, timestamp, body.as_bytes()) == *signature;
            assert_eq!(fits, *is_genuine, "{says}");
            json!({"says": says, "nonce": nonce, "timestamp": timestamp, "body": body, "signature": signature, "genuine": is_genuine})
        })
        .collect();
    hold(
        "answers.json",
        &json!({"id": KEY_ID, "secret": SECRET, "vectors": vectors}),
    );
}

/// What the server answers with `problem`, and what an SDK has to make of it.
fn refusal(says: &str, problem: &Problem, is_signed: bool, is_repeated: bool) -> Value {
    let body = String::from_utf8(problem.body(REQUEST).to_vec()).unwrap();
    let mut headers = json!({"content-type": "application/problem+json"});
    if let Some(secs) = problem.retry_after {
        headers["retry-after"] = json!(secs.to_string());
    }
    json!({
        "says": says,
        "status": problem.status.as_u16(),
        "headers": headers,
        "body": body,
        "signature": if is_signed { "right" } else { "none" },
        "repeated": is_repeated,
        "error": {
            "kind": "api",
            "status": problem.status.as_u16(),
            "code": problem.code,
            "title": problem.title,
            "request_id": REQUEST.to_string(),
            "field": problem.more.get("field"),
            "retry_after": problem.retry_after,
            "signed": is_signed,
        },
    })
}

/// An answer that the server did not sign, or did not give.
fn stray(says: &str, status: u16, content_type: &str, body: &str, signature: &str, is_repeated: bool) -> Value {
    json!({
        "says": says,
        "status": status,
        "headers": {"content-type": content_type},
        "body": body,
        "signature": signature,
        "repeated": is_repeated,
        "error": {"kind": "unverified", "status": status},
    })
}

#[test]
fn problems_are_what_the_vectors_say() {
    let conflict = Problem::new(
        StatusCode::CONFLICT,
        "stale-sequence",
        "The charge has changed since: its sequence is 4.",
    );
    let busy = Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too-many-requests",
        "Too many requests with this key. See Retry-After.",
    );
    let unknown = Problem::unauthorized(
        "signature-invalid",
        "The key is unknown, or the signature does not match it.",
    );
    let html = "<html><body>Bad Gateway</body></html>";
    let document = r#"{"id":"67c0e853-bb77-46ce-ae20-09011299cb22"}"#;
    let json = "application/vnd.bitpro-mapi-20180503+json";
    let vectors = [
        refusal(
            "a field is named",
            &crate::fields::missing("fiat_price_cents"),
            true,
            false,
        ),
        refusal(
            "further members stay at hand",
            &conflict.with("sequence", json!(4)),
            true,
            false,
        ),
        refusal(
            "a limit says when to come back",
            &busy.clone().retry_after(1),
            true,
            true,
        ),
        refusal("a limit that does not say when is not repeated", &busy, true, false),
        refusal(
            "what is not there for long is not waited for",
            &unavailable("restarted", "Sign it again.").retry_after(120),
            true,
            false,
        ),
        refusal(
            "a moment without storage",
            &unavailable("storage-unavailable", "Not now.").retry_after(1),
            true,
            true,
        ),
        refusal(
            "a failure of the server is not repeated",
            &Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong on the server.",
            ),
            true,
            false,
        ),
        refusal(
            "an unknown key gets an answer that nobody signs",
            &unknown,
            false,
            false,
        ),
        refusal("a nonce that was used", &replayed(), true, false),
        stray("a proxy without its server", 502, "text/html", html, "none", true),
        stray(
            "a proxy without its server, later",
            504,
            "text/html",
            html,
            "none",
            true,
        ),
        stray("a page of somebody else", 404, "text/html", html, "none", false),
        stray("a success that nobody signed", 200, json, document, "none", false),
        stray("a success with another signature", 200, json, document, "wrong", false),
        stray("a redirect is not followed", 302, "text/html", "", "none", false),
        stray(
            "a problem with another signature",
            503,
            "application/problem+json",
            r#"{"code":"timeout"}"#,
            "wrong",
            false,
        ),
    ];
    hold("errors.json", &json!({"longest_wait_secs": 20, "vectors": vectors}));
}
