//! Requests as they are signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{KEY_ID, NONCE, SECRET, TIMESTAMP, hold, secret};
use crate::hmac::{Credentials, SignedRequest, body_hash, sign};

struct Case {
    says: &'static str,
    method: &'static str,
    /// Where the SDK is told that the server is.
    url: &'static str,
    /// The host as it is signed.
    host: &'static str,
    path: &'static str,
    /// Parameters as the SDK is given them, in their order.
    parameters: &'static [(&'static str, &'static str)],
    /// The query as it is signed and sent.
    query: &'static str,
    body: Option<&'static str>,
    realm: &'static str,
}

const USUAL: Case = Case {
    says: "a list without parameters",
    method: "GET",
    url: "https://pay.example",
    host: "pay.example",
    path: "/mapi/charges",
    parameters: &[],
    query: "",
    body: None,
    realm: crate::REALM,
};

const CASES: &[Case] = &[
    Case {
        says: "the worked example of the specification, with its realm",
        url: "https://example.acquiapipet.net",
        host: "example.acquiapipet.net",
        path: "/v1.0/task-status/133",
        parameters: &[("limit", "10")],
        query: "limit=10",
        realm: "Pipet service",
        ..USUAL
    },
    USUAL,
    Case {
        says: "the port of another address than the usual one is signed",
        url: "http://localhost:8080",
        host: "localhost:8080",
        ..USUAL
    },
    Case {
        says: "the scheme's own port is not signed, and the host is in lower case",
        url: "https://Pay.Example:443/",
        ..USUAL
    },
    Case {
        says: "every byte of a parameter but the unreserved characters is escaped, a space as %20",
        parameters: &[
            ("state", "confirmed"),
            ("external_order_id", "Café №7 & 'b'=(1+1)*/?#~!"),
        ],
        query: "state=confirmed&external_order_id=Caf%C3%A9%20%E2%84%967%20%26%20%27b%27%3D%281%2B1%29%2A%2F%3F%23~%21",
        ..USUAL
    },
    Case {
        says: "a body is covered by its hash",
        method: "POST",
        body: Some(r#"{"fiat_price_cents":4200,"external_order_id":"A-1001","lang":"en"}"#),
        ..USUAL
    },
    Case {
        says: "the hash is of bytes, not of characters",
        method: "POST",
        body: Some("{\"fiat_price_cents\":4200,\"external_order_id\":\"Café №7\"}"),
        ..USUAL
    },
    Case {
        says: "an empty object is a body",
        method: "POST",
        path: "/mapi/webhooks/67c0e853-bb77-46ce-ae20-09011299cb22/test",
        body: Some("{}"),
        ..USUAL
    },
    Case {
        says: "a removal has no body",
        method: "DELETE",
        path: "/mapi/webhooks/67c0e853-bb77-46ce-ae20-09011299cb22",
        ..USUAL
    },
];

/// The request with its signature, which the server's own reader of such headers takes.
fn vector(case: &Case) -> Value {
    let hash = case.body.map(|body| body_hash(body.as_bytes()));
    let request = SignedRequest {
        method: case.method,
        host: case.host,
        path: case.path,
        query: case.query,
        headers: &[],
        timestamp: TIMESTAMP,
        body: hash.as_deref().map(|hash| ("application/json", hash)),
    };
    let header = |signature: &[u8]| {
        let escaped = |text: &str| {
            text.replace(' ', "%20")
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace('=', "%3D")
        };
        format!(
            "acquia-http-hmac realm=\"{}\",id=\"{KEY_ID}\",nonce=\"{NONCE}\",version=\"2.0\",headers=\"\",signature=\"{}\"",
            escaped(case.realm),
            escaped(&STANDARD.encode(signature))
        )
    };
    let unsigned = Credentials::parse(&header(&[0; 32])).unwrap();
    let text = request.string_to_sign(&unsigned);
    let signature = sign(&secret(), &text);
    let authorization = header(&signature);
    let credentials = Credentials::parse(&authorization).unwrap();
    assert!(request.is_signed_by(&secret(), &credentials), "{}", case.says);
    let parameters: Vec<Value> = case
        .parameters
        .iter()
        .map(|(name, value)| json!([name, value]))
        .collect();
    json!({
        "says": case.says,
        "method": case.method,
        "url": case.url,
        "host": case.host,
        "path": case.path,
        "parameters": parameters,
        "query": case.query,
        "body": case.body,
        "realm": case.realm,
        "content_sha256": hash,
        "string_to_sign": text,
        "signature": STANDARD.encode(signature),
        "authorization": authorization,
    })
}

#[test]
fn requests_are_signed_as_the_vectors_say() {
    let vectors: Vec<Value> = CASES.iter().map(vector).collect();
    assert_eq!(vectors[0]["signature"], "MRlPr/Z1WQY2sMthcaEqETRMw4gPYXlPcTpaLWS2gcc=");
    hold(
        "requests.json",
        &json!({"id": KEY_ID, "secret": SECRET, "nonce": NONCE, "timestamp": TIMESTAMP, "vectors": vectors}),
    );
}
