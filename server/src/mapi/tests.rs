//! The API through its whole router, on a real database, with a client that signs as the specification says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitpro_charge::Timestamp;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::hmac::{Credentials, SignedRequest, body_hash, response_signature, sign};
use super::{MAX_BODY, MEDIA_TYPE};
use crate::charges::IssuedKey;
use crate::keys::{KeyId, Scopes};
use crate::rng::{Rng as _, SystemRng, uuid};
use crate::testing::{Answer, START, TestApp};

const HOST: &str = "localhost:8080";

struct Shop {
    app: TestApp,
    id: KeyId,
    secret: Vec<u8>,
}

/// A request before it is signed; what is wrong with it is said by changing it.
#[derive(Clone)]
struct Ask {
    method: Method,
    target: String,
    signed_target: Option<String>,
    body: String,
    host: String,
    timestamp: i64,
    nonce: String,
    id: String,
    secret: Vec<u8>,
    realm: String,
    hash: Option<String>,
    content_type: Option<String>,
    signed: Vec<(String, String)>,
    more: Vec<(String, String)>,
}

impl Ask {
    fn header(mut self, name: &str, value: &str) -> Self {
        self.more.push((name.to_owned(), value.to_owned()));
        self
    }

    fn headers(&self) -> Vec<(String, String)> {
        let target = self.signed_target.as_ref().unwrap_or(&self.target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let names: Vec<&str> = self.signed.iter().map(|(name, _)| name.as_str()).collect();
        let timestamp = self.timestamp.to_string();
        let authorization = |signature: &str| {
            format!(
                "acquia-http-hmac realm=\"{}\",id=\"{}\",nonce=\"{}\",version=\"2.0\",headers=\"{}\",signature=\"{signature}\"",
                self.realm,
                self.id,
                self.nonce,
                names.join(";")
            )
        };
        let unsigned = Credentials::parse(&authorization(&STANDARD.encode([0; 32])));
        let values: Vec<String> = self.signed.iter().map(|(_, value)| value.clone()).collect();
        let content_type = self.content_type.clone().unwrap_or_default();
        let request = SignedRequest {
            method: self.method.as_str(),
            host: &self.host,
            path,
            query,
            headers: &values,
            timestamp: &timestamp,
            body: self.hash.as_deref().map(|hash| (content_type.as_str(), hash)),
        };
        let signature = unsigned.map_or([0; 32], |credentials| {
            sign(&self.secret, &request.string_to_sign(&credentials))
        });
        let mut headers = vec![
            ("host".to_owned(), self.host.clone()),
            ("authorization".to_owned(), authorization(&STANDARD.encode(signature))),
            ("x-authorization-timestamp".to_owned(), timestamp.clone()),
        ];
        headers.extend(
            self.hash
                .clone()
                .map(|hash| ("x-authorization-content-sha256".to_owned(), hash)),
        );
        headers.extend(self.content_type.clone().map(|kind| ("content-type".to_owned(), kind)));
        headers.extend(self.signed.clone());
        headers.extend(self.more.clone());
        headers
    }
}

impl Shop {
    async fn open(settings: &[(&str, &str)], scopes: &str) -> Self {
        Self::with(TestApp::with_merchant(settings).await, scopes).await
    }

    async fn with(app: TestApp, scopes: &str) -> Self {
        let scopes: Scopes = scopes.parse().unwrap();
        let IssuedKey { key, secret, .. } = app.charges.add_key(app.merchant, "test", scopes).await.unwrap();
        assert_eq!(key.id.0, app.merchant.0);
        Self {
            id: key.id,
            secret: secret.to_vec(),
            app,
        }
    }

    async fn usual() -> Self {
        Self::open(
            &[("allowed_origins", "shop.example")],
            "charges:read,charges:write,charges:accept",
        )
        .await
    }

    fn ask(&self, method: Method, target: &str, body: &str) -> Ask {
        Ask {
            method,
            target: target.to_owned(),
            signed_target: None,
            body: body.to_owned(),
            host: HOST.to_owned(),
            timestamp: self.app.charges.now().as_secs(),
            nonce: KeyId(uuid(&SystemRng)).to_string(),
            id: self.id.to_string(),
            secret: self.secret.clone(),
            realm: "Bitpro".to_owned(),
            hash: (!body.is_empty()).then(|| body_hash(body.as_bytes())),
            content_type: (!body.is_empty()).then(|| "application/json".to_owned()),
            signed: Vec::new(),
            more: Vec::new(),
        }
    }

    fn get(&self, target: &str) -> Ask {
        self.ask(Method::GET, target, "")
    }

    async fn send(&self, ask: &Ask) -> Answer {
        let headers = ask.headers();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        self.app.ask(ask.method.clone(), &ask.target, &headers, &ask.body).await
    }

    /// Sends, and checks the answer's signature.
    async fn told(&self, ask: &Ask) -> (u16, Value) {
        let answer = self.send(ask).await;
        let signature = response_signature(
            &ask.secret,
            &ask.nonce,
            &ask.timestamp.to_string(),
            answer.body.as_bytes(),
        );
        assert_eq!(
            answer.header("x-server-authorization-hmac-sha256"),
            signature,
            "{}",
            answer.body
        );
        (answer.status.as_u16(), serde_json::from_str(&answer.body).unwrap())
    }

    async fn post(&self, target: &str, body: &Value) -> (u16, Value) {
        self.told(&self.ask(Method::POST, target, &body.to_string())).await
    }

    async fn code(&self, ask: &Ask) -> String {
        let answer = self.send(ask).await;
        let document: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(document["status"], answer.status.as_u16());
        format!("{} {}", answer.status.as_u16(), document["code"].as_str().unwrap())
    }

    async fn make(&self, order_id: &str) -> Value {
        let body = json!({"fiat_price_cents": 4200, "external_order_id": order_id});
        let (status, charge) = self.post("/mapi/charges", &body).await;
        assert_eq!(status, 201, "{charge}");
        charge
    }
}

#[tokio::test]
async fn a_signed_request_is_answered_and_the_answer_is_signed() {
    let shop = Shop::usual().await;
    let (status, list) = shop.told(&shop.get("/mapi/charges?page=1")).await;
    assert_eq!(
        (status, list),
        (200, json!({"charges": [], "page": 1, "next_cursor": null}))
    );
    let head = shop.send(&shop.ask(Method::HEAD, "/mapi/charges", "")).await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    assert_eq!(head.header("x-server-authorization-hmac-sha256"), "");
}

#[tokio::test]
async fn a_timestamp_may_be_900_seconds_off() {
    let shop = Shop::usual().await;
    for (off, status) in [(-900, 200), (900, 200), (-901, 401), (901, 401)] {
        let mut ask = shop.get("/mapi/charges");
        ask.timestamp += off;
        let answer = shop.send(&ask).await;
        assert_eq!(answer.status.as_u16(), status, "{off}");
        assert!(status == 200 || answer.body.contains("timestamp-skew"));
    }
}

#[tokio::test]
async fn r32_a_clock_set_back_opens_no_door() {
    let shop = Shop::usual().await;
    let old = shop.get("/mapi/charges");
    assert_eq!(shop.told(&old).await.0, 200);
    shop.app.clock.advance_secs(4_000);
    assert_eq!(shop.told(&shop.get("/mapi/charges")).await.0, 200);
    shop.app.clock.set(START);
    assert_eq!(shop.code(&old).await, "401 timestamp-skew");
}

#[tokio::test]
async fn r33_a_nonce_is_used_once() {
    let shop = Shop::usual().await;
    let ask = shop.get("/mapi/charges");
    assert_eq!(shop.told(&ask).await.0, 200);
    assert_eq!(shop.code(&ask).await, "401 nonce-replayed");
    let mut again = shop.get("/mapi/rate");
    again.nonce.clone_from(&ask.nonce);
    assert_eq!(shop.code(&again).await, "401 nonce-replayed");
}

#[tokio::test]
async fn what_is_not_signed_as_it_is_sent_is_refused_alike() {
    let shop = Shop::usual().await;
    let charge = shop.make("A").await;
    let url = format!("/mapi/charges/{}", charge["id"].as_str().unwrap());
    let body = r#"{"fiat_price_cents":100}"#;
    let get = || shop.get("/mapi/charges?page=1");
    let post = || shop.ask(Method::POST, "/mapi/charges", body);
    let mut cases: Vec<(&str, Ask, &str)> = Vec::new();
    let mut case = |name, ask: Ask, code| cases.push((name, ask, code));
    const WRONG: &str = "401 signature-invalid";
    const MALFORMED: &str = "401 authorization-malformed";
    let with = |mut ask: Ask, change: &dyn Fn(&mut Ask)| {
        change(&mut ask);
        ask
    };
    case("wrong secret", with(get(), &|ask| ask.secret[0] ^= 1), WRONG);
    case(
        "unknown key",
        with(get(), &|ask| ask.id = KeyId([1; 16]).to_string()),
        WRONG,
    );
    case("no key", with(get(), &|ask| ask.id = "admin".to_owned()), WRONG);
    case(
        "other query",
        with(get(), &|ask| ask.signed_target = Some("/mapi/charges?page=2".into())),
        WRONG,
    );
    case(
        "trailing slash",
        with(get(), &|ask| ask.signed_target = Some("/mapi/charges/?page=1".into())),
        WRONG,
    );
    case(
        "other host",
        with(get(), &|ask| ask.host = "localhost:8080".to_uppercase()),
        "200",
    );
    case(
        "unknown host",
        with(get(), &|ask| ask.host = "evil.example".into()),
        "421 unknown-host",
    );
    case(
        "port left out",
        with(get(), &|ask| ask.host = "localhost".into()),
        "421 unknown-host",
    );
    case("wrong realm", with(get(), &|ask| ask.realm = "Other".into()), MALFORMED);
    case(
        "upper-case nonce",
        with(get(), &|ask| ask.nonce = ask.nonce.to_uppercase()),
        MALFORMED,
    );
    case(
        "two timestamps",
        get().header("x-authorization-timestamp", "1"),
        MALFORMED,
    );
    case(
        "two authorizations",
        get().header("authorization", "acquia-http-hmac"),
        MALFORMED,
    );
    case("a proxy's header", get().header("x-authenticated-id", "x"), MALFORMED);
    case("no hash", with(post(), &|ask| ask.hash = None), MALFORMED);
    case(
        "wrong hash",
        with(post(), &|ask| ask.hash = Some(body_hash(b"other"))),
        WRONG,
    );
    case(
        "other body",
        with(post(), &|ask| ask.body = r#"{"fiat_price_cents":1}"#.into()),
        WRONG,
    );
    case(
        "hash of nothing",
        with(get(), &|ask| ask.hash = Some(body_hash(b""))),
        WRONG,
    );
    case(
        "a coded body",
        post().header("content-encoding", "gzip"),
        "415 unsupported-encoding",
    );
    case(
        "a large body",
        shop.ask(Method::POST, "/mapi/charges", &" ".repeat(1 << 20)),
        "413 body-too-large",
    );
    case(
        "a signed header",
        with(get(), &|ask| ask.signed = vec![("x-shop".into(), "a b".into())]),
        "200",
    );
    case("nothing there", shop.get("/mapi/charge"), "404 unknown-path");
    case("nothing below", shop.get("/mapi/charges/"), "404 unknown-path");
    case(
        "wrong method",
        shop.ask(Method::DELETE, "/mapi/charges", ""),
        "405 method-not-allowed",
    );
    case("no id", shop.get("/mapi/charges/1"), "400 malformed-charge-id");
    case(
        "no charge",
        shop.get(&format!("/mapi/charges/{}", KeyId([9; 16]))),
        "404 unknown-charge",
    );
    case("a charge", shop.get(&url), "200");
    for (name, ask, code) in cases {
        if code == "200" {
            assert_eq!(shop.told_or_signed_otherwise(&ask).await, 200, "{name}");
        } else {
            assert_eq!(shop.code(&ask).await, code, "{name}");
        }
    }
}

impl Shop {
    /// The status; for requests whose signature covers more than a usual client's.
    async fn told_or_signed_otherwise(&self, ask: &Ask) -> u16 {
        let answer = self.send(ask).await;
        assert_ne!(
            answer.header("x-server-authorization-hmac-sha256"),
            "",
            "{}",
            answer.body
        );
        answer.status.as_u16()
    }
}

#[tokio::test]
async fn problems_of_a_known_caller_are_signed_too() {
    let shop = Shop::open(&[], "charges:read").await;
    let (status, problem) = shop.told(&shop.get("/mapi/nothing")).await;
    assert_eq!((status, &problem["code"]), (404, &json!("unknown-path")));
    let (status, problem) = shop.post("/mapi/charges", &json!({"fiat_price_cents": 1})).await;
    assert_eq!((status, &problem["scope"]), (403, &json!("charges:write")));
    let (status, problem) = shop
        .told(&shop.get("/mapi/charges").header("accept", "text/html;q=1"))
        .await;
    assert_eq!((status, &problem["code"]), (406, &json!("unknown-version")));
    assert_eq!(problem["supported"][0], MEDIA_TYPE);
}

#[tokio::test]
async fn the_version_is_answered_with_its_content_type() {
    let shop = Shop::usual().await;
    let answer = shop.send(&shop.get("/mapi/charges").header("accept", MEDIA_TYPE)).await;
    assert_eq!(answer.header("content-type"), MEDIA_TYPE);
    let answer = shop.send(&shop.get("/mapi/charges")).await;
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_rotated_key_has_two_secrets_for_a_while_and_a_revoked_one_none() {
    let shop = Shop::usual().await;
    let rotated = shop.app.charges.rotate_key(shop.id, 60).await.unwrap();
    let mut new = shop.get("/mapi/charges");
    new.secret = rotated.secret.to_vec();
    assert_eq!(shop.told(&new).await.0, 200);
    // The answer is signed with the secret that the request was signed with.
    assert_eq!(shop.told(&shop.get("/mapi/charges")).await.0, 200);
    shop.app.clock.advance_secs(60);
    assert_eq!(shop.code(&shop.get("/mapi/charges")).await, "401 signature-invalid");
    let mut new = shop.get("/mapi/charges");
    new.secret = rotated.secret.to_vec();
    assert_eq!(shop.told(&new).await.0, 200);
    shop.app.charges.revoke_key(shop.id).await.unwrap();
    new.nonce = KeyId(SystemRng.bytes()).to_string();
    assert_eq!(shop.code(&new).await, "401 signature-invalid");
    assert!(shop.app.charges.rotate_key(shop.id, 60).await.is_err());
}

#[tokio::test]
async fn a_charge_is_made_with_all_that_was_asked_for() {
    let shop = Shop::usual().await;
    let body = json!({
        "fiat_price_cents": 4205,
        "fiat_currency": "EUR",
        "external_order_id": "A/1 é",
        "buyer_email": "Ann@Shop.Example",
        "lang": "fr",
        "success_url": "https://shop.example/thanks?order=1",
        "metadata": {"cart": [1, 2]},
        "window_secs": 600,
        "confirmations": 2,
    });
    let answer = shop
        .send(&shop.ask(Method::POST, "/mapi/charges", &body.to_string()))
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let charge: Value = serde_json::from_str(&answer.body).unwrap();
    let path = format!("/mapi/charges/{}", charge["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), path);
    for (name, value) in [
        ("fiat_price", json!(42.05)),
        ("fiat_price_cents", json!(4205)),
        ("external_order_id", json!("A/1 é")),
        ("buyer_email", json!("ann@shop.example")),
        ("state", json!("pending")),
        ("price_verified", json!(true)),
        ("order_conflict", json!(false)),
        ("origin", json!("api")),
        ("metadata", json!({"cart": [1, 2]})),
        ("confirmations_required", json!(2)),
        ("sequence", json!(0)),
    ] {
        assert_eq!(charge[name], value, "{name}");
    }
    assert_eq!(charge["created_at"], "2027-01-15T08:00:00Z");
    assert_eq!(charge["expires_at"], "2027-01-15T08:10:00Z");
    assert_eq!(shop.told(&shop.get(&path)).await, (200, charge.clone()));
    let page = charge["url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://localhost:8080")
        .unwrap()
        .to_owned();
    shop.app.pay(&page).await;
    let (_, paid) = shop.told(&shop.get(&path)).await;
    assert_eq!(
        (&paid["state"], &paid["payments"][0]["value_sat"]),
        (&json!("seen"), &charge["amount_sat"])
    );
    // The order id now stands for two prices.
    let (_, other) = shop
        .post(
            "/mapi/charges",
            &json!({"fiat_price_cents": 1000, "external_order_id": "A/1 é"}),
        )
        .await;
    assert_eq!(other["order_conflict"], true);
    let shown = shop.app.navigate(&page).await;
    assert!(
        shown.body.contains("https://shop.example/thanks?order=1"),
        "{}",
        shown.body
    );
}

#[tokio::test]
async fn what_cannot_be_made_is_refused_by_a_code_and_the_field() {
    let shop = Shop::usual().await;
    let cases = [
        (json!({}), "400 missing-field", "fiat_price_cents"),
        (
            json!({"fiat_price_cents": "100"}),
            "400 malformed-field",
            "fiat_price_cents",
        ),
        (
            json!({"fiat_price_cents": 1.5}),
            "400 malformed-price",
            "fiat_price_cents",
        ),
        (
            json!({"fiat_price_cents": -1}),
            "400 negative-price",
            "fiat_price_cents",
        ),
        (json!({"fiat_price_cents": 0}), "422 zero-price", "fiat_price_cents"),
        (
            json!({"fiat_price_cents": 10_000_001}),
            "422 price-above-limit",
            "fiat_price_cents",
        ),
        (json!({"fiat_price_cents": 1}), "422 price-too-small", ""),
        (
            json!({"fiat_price_cents": 100, "fiat_currency": "usd"}),
            "422 unsupported-currency",
            "fiat_currency",
        ),
        (
            json!({"fiat_price_cents": 100, "external_order_id": "é".repeat(201)}),
            "400 order-id-too-long",
            "external_order_id",
        ),
        (
            json!({"fiat_price_cents": 100, "success_url": "https://evil.example/"}),
            "422 unlisted-domain",
            "success_url",
        ),
        (
            json!({"fiat_price_cents": 100, "success_url": "https://shop.example@evil.example/"}),
            "400 malformed-field",
            "success_url",
        ),
        (
            json!({"fiat_price_cents": 100, "success_url": "javascript:alert(1)"}),
            "400 malformed-field",
            "success_url",
        ),
        (
            json!({"fiat_price_cents": 100, "metadata": []}),
            "400 malformed-field",
            "metadata",
        ),
        (
            json!({"fiat_price_cents": 100, "metadata": {"a": "x".repeat(4096)}}),
            "422 metadata-too-large",
            "metadata",
        ),
        (
            json!({"fiat_price_cents": 100, "window_secs": 299}),
            "422 out-of-bounds",
            "window_secs",
        ),
        (
            json!({"fiat_price_cents": 100, "window_secs": 3601}),
            "422 out-of-bounds",
            "window_secs",
        ),
        (
            json!({"fiat_price_cents": 100, "confirmations": 0}),
            "422 out-of-bounds",
            "confirmations",
        ),
        (
            json!({"fiat_price_cents": 200_000, "confirmations": 2}),
            "422 out-of-bounds",
            "confirmations",
        ),
        (
            json!({"fiat_price_cents": 100, "descriptor": "wpkh(x)"}),
            "400 unknown-field",
            "descriptor",
        ),
    ];
    for (body, code, field) in cases {
        let ask = shop.ask(Method::POST, "/mapi/charges", &body.to_string());
        let answer = shop.send(&ask).await;
        let problem: Value = serde_json::from_str(&answer.body).unwrap();
        let told = format!("{} {}", answer.status.as_u16(), problem["code"].as_str().unwrap());
        assert_eq!(
            (told.as_str(), problem["field"].as_str().unwrap_or_default()),
            (code, field),
            "{body}"
        );
    }
    for (body, code) in [
        ("{", "400 malformed-body"),
        ("[]", "400 malformed-body"),
        (r#"{"fiat_price_cents":1,"fiat_price_cents":2}"#, "400 malformed-body"),
    ] {
        assert_eq!(shop.code(&shop.ask(Method::POST, "/mapi/charges", body)).await, code);
    }
    let mut form = shop.ask(Method::POST, "/mapi/charges", "fiat_price_cents=100");
    form.content_type = Some("application/x-www-form-urlencoded".to_owned());
    assert_eq!(shop.code(&form).await, "415 unsupported-media-type");
    let (_, list) = shop.told(&shop.get("/mapi/charges")).await;
    assert_eq!(list["charges"], json!([]));
}

#[tokio::test]
async fn r38_optional_fields_never_lose_a_sale() {
    let shop = Shop::usual().await;
    let body = json!({"fiat_price_cents": 100, "buyer_email": "nonsense", "lang": "de", "external_order_id": "", "success_url": null});
    let (status, charge) = shop.post("/mapi/charges", &body).await;
    assert_eq!(status, 201, "{charge}");
    assert_eq!(charge["buyer_email"], Value::Null);
    let id = charge["id"].as_str().unwrap().parse().unwrap();
    let notes = shop.app.charges.personal(id).await.unwrap().unwrap().notes.unwrap();
    assert_eq!(notes.lines().count(), 2, "{notes}");
}

#[tokio::test]
async fn the_same_idempotency_key_gets_the_same_answer_for_a_day() {
    let shop = Shop::usual().await;
    let body = json!({"fiat_price_cents": 4200}).to_string();
    let post = |body: &str, name: &str| {
        shop.ask(Method::POST, "/mapi/charges", body)
            .header("idempotency-key", name)
    };
    let (first, second) = (post(&body, "one"), post(&body, "\"one\""));
    let (one, same) = tokio::join!(shop.send(&first), shop.send(&second));
    assert_eq!((one.status, same.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(one.body, same.body);
    assert_eq!(one.header("location"), same.header("location"));
    let other = json!({"fiat_price_cents": 4201}).to_string();
    assert_eq!(shop.code(&post(&other, "one")).await, "409 idempotency-key-reused");
    // A refusal is an answer too.
    let dust = json!({"fiat_price_cents": 1}).to_string();
    let (refused, again) = (
        shop.send(&post(&dust, "dust")).await,
        shop.send(&post(&dust, "dust")).await,
    );
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body, again.body);
    for bad in ["", "é", &"x".repeat(256)] {
        assert_eq!(
            shop.code(&post(&body, bad)).await,
            "400 malformed-idempotency-key",
            "{bad}"
        );
    }
    shop.app.clock.advance_secs(24 * 60 * 60 + 1);
    let later = shop.send(&post(&body, "one")).await;
    assert_eq!(later.status, StatusCode::CREATED);
    assert_ne!(later.body, one.body);
}

#[tokio::test]
async fn r15_a_charge_is_cancelled_by_its_sequence() {
    let shop = Shop::usual().await;
    let charge = shop.make("A").await;
    let url = format!("/mapi/charges/{}/cancel", charge["id"].as_str().unwrap());
    let (status, problem) = shop.post(&url, &json!({"sequence": 7})).await;
    assert_eq!(
        (status, &problem["code"], &problem["sequence"]),
        (409, &json!("stale-sequence"), &json!(0))
    );
    let (status, problem) = shop.post(&url, &json!({})).await;
    assert_eq!((status, &problem["code"]), (400, &json!("missing-field")));
    let (status, cancelled) = shop.post(&url, &json!({"sequence": 0})).await;
    assert_eq!(
        (status, &cancelled["state"], &cancelled["reason"]),
        (200, &json!("failed"), &json!("cancelled"))
    );
    let sequence = cancelled["sequence"].as_u64().unwrap();
    let (status, problem) = shop.post(&url, &json!({"sequence": sequence})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("not-pending")));
}

#[tokio::test]
async fn r14_accepting_names_live_payments() {
    let shop = Shop::usual().await;
    let charge = shop.make("A").await;
    let url = format!("/mapi/charges/{}/accept", charge["id"].as_str().unwrap());
    let outpoint = format!("{}:0", "ab".repeat(32));
    let (status, problem) = shop.post(&url, &json!({"sequence": 0, "payments": [outpoint]})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("no-live-payment")));
    for payments in [json!([]), json!(["x"]), json!("x"), json!([1])] {
        let (status, problem) = shop.post(&url, &json!({"sequence": 0, "payments": payments})).await;
        assert_eq!((status, &problem["code"]), (400, &json!("malformed-field")));
    }
}

#[tokio::test]
async fn another_merchants_charge_is_as_unknown_as_one_that_never_was() {
    let shop = Shop::usual().await;
    let other = shop
        .app
        .charges
        .add_merchant(crate::charges::MerchantChanges {
            settings: vec![("name".to_owned(), "Other".to_owned())],
            ..Default::default()
        })
        .await
        .unwrap();
    let charge = shop.make("A").await;
    let id = charge["id"].as_str().unwrap();
    let issued = shop
        .app
        .charges
        .add_key(other, "x", "charges:read charges:write".parse().unwrap())
        .await
        .unwrap();
    for (method, target, body) in [
        (Method::GET, format!("/mapi/charges/{id}"), ""),
        (Method::POST, format!("/mapi/charges/{id}/cancel"), r#"{"sequence":0}"#),
    ] {
        let mut ask = shop.ask(method, &target, body);
        ask.id = issued.key.id.to_string();
        ask.secret = issued.secret.to_vec();
        assert_eq!(shop.told(&ask).await.1["code"], "unknown-charge");
    }
    let mut ask = shop.get("/mapi/charges");
    ask.id = issued.key.id.to_string();
    ask.secret = issued.secret.to_vec();
    assert_eq!(shop.told(&ask).await.1["charges"], json!([]));
}

#[tokio::test]
async fn r36_the_list_is_stable_by_its_cursor_and_filtered() {
    let shop = Shop::usual().await;
    for order in ["A", "B", "C", "D", "E"] {
        shop.make(order).await;
        shop.app.clock.advance_secs(1);
    }
    let orders = |list: &Value| -> Vec<String> {
        let charges = list["charges"].as_array().unwrap().iter();
        charges
            .map(|charge| charge["external_order_id"].as_str().unwrap().to_owned())
            .collect()
    };
    let answer = shop.send(&shop.get("/mapi/charges?per_page=2")).await;
    let first: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(orders(&first), ["E", "D"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    assert!(
        answer
            .header("link")
            .contains(&format!("per_page=2&cursor={cursor}>; rel=\"next\""))
    );
    shop.make("F").await;
    let (_, second) = shop
        .told(&shop.get(&format!("/mapi/charges?per_page=2&cursor={cursor}")))
        .await;
    assert_eq!(
        (orders(&second), &second["page"]),
        (vec!["C".to_owned(), "B".to_owned()], &json!(2))
    );
    let (_, second) = shop.told(&shop.get("/mapi/charges?per_page=2&page=2")).await;
    assert_eq!(orders(&second), ["D", "C"]);
    let (status, past) = shop.told(&shop.get("/mapi/charges?page=4294967295")).await;
    assert_eq!(
        (status, past["charges"].clone(), past["next_cursor"].clone()),
        (200, json!([]), Value::Null)
    );
    for (query, found) in [
        ("external_order_id=C", vec!["C"]),
        ("external_order_id=%43&", vec!["C"]),
        ("state=seen", vec![]),
        ("state=pending&created_to=2027-01-15T08:00:02Z", vec!["B", "A"]),
        ("created_from=2027-01-15T08:00:04Z", vec!["F", "E"]),
        ("", vec!["F", "E", "D", "C", "B", "A"]),
    ] {
        let (status, list) = shop.told(&shop.get(&format!("/mapi/charges?{query}"))).await;
        assert_eq!(
            (status, orders(&list)),
            (200, found.into_iter().map(str::to_owned).collect()),
            "{query}"
        );
    }
    for (query, code) in [
        ("page=1&page=1", "400 repeated-parameter"),
        ("page=0", "400 malformed-parameter"),
        ("page=+1", "400 malformed-parameter"),
        ("per_page=101", "400 malformed-parameter"),
        ("state=paid", "400 malformed-parameter"),
        ("created_from=yesterday", "400 malformed-parameter"),
        ("external_order_id=%FF", "400 malformed-parameter"),
        ("stat=seen", "400 unknown-parameter"),
        ("cursor=x", "400 malformed-cursor"),
        (&format!("page=7&cursor={cursor}"), "400 contradicting-page"),
    ] {
        assert_eq!(
            shop.code(&shop.get(&format!("/mapi/charges?{query}"))).await,
            code,
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_log_of_events_goes_on_where_it_was_left() {
    let shop = Shop::usual().await;
    let (_, none) = shop.told(&shop.get("/mapi/events")).await;
    assert_eq!((&none["events"], &none["has_more"]), (&json!([]), &json!(false)));
    let charge = shop.make("A").await;
    let page = charge["url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://localhost:8080")
        .unwrap()
        .to_owned();
    shop.app.pay(&page).await;
    let after = none["next_cursor"].as_str().unwrap();
    let (_, one) = shop.told(&shop.get(&format!("/mapi/events?after={after}"))).await;
    assert_eq!(
        (&one["events"][0]["type"], &one["events"][0]["data"]["id"]),
        (&json!("charge:seen"), &charge["id"])
    );
    let after = one["next_cursor"].as_str().unwrap();
    let (_, rest) = shop
        .told(&shop.get(&format!("/mapi/events?after={after}&per_page=1")))
        .await;
    assert_eq!(
        (&rest["events"], rest["next_cursor"].as_str()),
        (&json!([]), Some(after))
    );
    assert_eq!(
        shop.code(&shop.get("/mapi/events?after=zz")).await,
        "400 malformed-cursor"
    );
}

#[tokio::test]
async fn the_rate_is_shown_with_its_source() {
    let shop = Shop::open(&[("rate_spread_bps", "50")], "charges:read").await;
    let (status, rate) = shop.told(&shop.get("/mapi/rate")).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&rate["cents_per_btc"], &rate["source"], &rate["spread_bps"]),
        (&json!(5_000_000), &json!("fixed"), &json!(50))
    );
}

#[tokio::test]
async fn r25_only_right_signatures_count_against_a_keys_limit() {
    let app = TestApp::with(&[], |limits| {
        limits.api_per_minute = 60;
        limits.api_burst = 2;
    });
    let shop = Shop::with(app.await, "charges:read").await;
    for _ in 0..5 {
        let mut wrong = shop.get("/mapi/charges");
        wrong.secret[0] ^= 1;
        assert_eq!(shop.code(&wrong).await, "401 signature-invalid");
    }
    let first = shop.get("/mapi/charges");
    let answer = shop.send(&first).await;
    assert_eq!(answer.header("ratelimit-policy"), "\"key\";q=2;w=2");
    assert_eq!(answer.header("ratelimit"), "\"key\";r=1;t=1");
    assert_eq!(shop.code(&first).await, "401 nonce-replayed");
    assert_eq!(shop.told(&shop.get("/mapi/charges")).await.0, 200);
    let spent = shop.send(&shop.get("/mapi/charges")).await;
    assert_eq!((spent.status.as_u16(), spent.header("retry-after")), (429, "1"));
}

#[tokio::test]
async fn a_body_of_the_largest_size_is_read() {
    let shop = Shop::usual().await;
    let start = r#"{"fiat_price_cents":100}"#;
    let whole = format!("{start}{}", " ".repeat(MAX_BODY - start.len()));
    let (status, _) = shop.told(&shop.ask(Method::POST, "/mapi/charges", &whole)).await;
    assert_eq!(status, 201);
    assert_eq!(
        shop.code(&shop.ask(Method::POST, "/mapi/charges", &(whole + " ")))
            .await,
        "413 body-too-large"
    );
}

#[tokio::test]
async fn what_is_answered_is_what_the_document_says() {
    let shop = Shop::usual().await;
    let document: Value = serde_json::from_str(&shop.app.get("/mapi/openapi.json").await.body).unwrap();
    let schemas = &document["components"]["schemas"];
    let charge = shop.make("A").await;
    let page = charge["url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://localhost:8080")
        .unwrap()
        .to_owned();
    shop.app.pay(&page).await;
    let (_, list) = shop.told(&shop.get("/mapi/charges")).await;
    let (_, events) = shop.told(&shop.get("/mapi/events")).await;
    let (_, rate) = shop.told(&shop.get("/mapi/rate")).await;
    for (name, answered) in [
        ("ChargeList", &list),
        ("Charge", &list["charges"][0]),
        ("Payment", &list["charges"][0]["payments"][0]),
        ("QuotedRate", &list["charges"][0]["rate"]),
        ("EventList", &events),
        ("Event", &events["events"][0]),
        ("Rate", &rate),
    ] {
        let names = |value: &Value| -> Vec<String> {
            let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(&schemas[name]["properties"]), names(answered), "{name}");
    }
}

#[tokio::test]
async fn keys_survive_a_restart_and_their_secrets_are_sealed() {
    let shop = Shop::usual().await;
    let listed = shop.app.charges.keys(Some(shop.app.merchant));
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].last_used_at(), None);
    assert_eq!(shop.told(&shop.get("/mapi/rate")).await.0, 200);
    assert_eq!(shop.app.charges.key(shop.id).unwrap().last_used_at(), Some(START));
    shop.app.charges.tidy_requests().await.unwrap();
    assert_eq!(shop.app.charges.reseal().await.unwrap(), (1, 0));
    let second = shop
        .app
        .charges
        .add_key(shop.app.merchant, "second", Scopes::default())
        .await
        .unwrap();
    assert_ne!(second.key.id, shop.id);
    assert!(
        shop.app
            .charges
            .add_key(shop.app.merchant, " ", Scopes::default())
            .await
            .is_err()
    );
    let unknown = bitpro_charge::MerchantId([3; 16]);
    assert!(shop.app.charges.add_key(unknown, "x", Scopes::default()).await.is_err());
    assert!(shop.app.charges.stored_nonces().await.unwrap().is_empty());
    shop.make("A").await;
    let stored = shop.app.charges.stored_nonces().await.unwrap();
    assert_eq!((stored.len(), stored[0].2), (1, START));
    shop.app.clock.set(Timestamp(START.0 + 2 * 900 * 1_000));
    shop.app.charges.tidy_requests().await.unwrap();
    assert!(shop.app.charges.stored_nonces().await.unwrap().is_empty());
}
