//! The API through its whole router, on a real database, with a client that signs as the specification says.

mod documented;
mod door;
mod making;
mod reading;
mod vectors;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitpro_base::rng::{Rng as _, SystemRng, uuid};
use bitpro_charge::Timestamp;
use bitpro_config::Limits;
use bitpro_config::testing::default_limits;
use bitpro_merchant::keys::{KeyId, Scopes};
use bitpro_service::charges::{CommitHook, IssuedKey};
use bitpro_web::router::Surfaces;
use bitpro_web::testing::{Answer, START, Setup, TestApp};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::hmac::{Credentials, SignedRequest, body_hash, response_signature, sign};
use super::{MAX_BODY, MEDIA_TYPE};

const HOST: &str = "localhost:8080";

/// An application with the API.
async fn app(settings: &[(&str, &str)], limits: Limits) -> TestApp {
    TestApp::set_up(Setup {
        settings,
        limits,
        surfaces: |app| Surfaces {
            api: crate::router(app),
            ..Surfaces::default()
        },
        ..Setup::default()
    })
    .await
}

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
        Self::with(app(settings, default_limits()).await, scopes).await
    }

    async fn with(app: TestApp, scopes: &str) -> Self {
        let scopes: Scopes = scopes.parse().unwrap();
        let IssuedKey { key, secret, .. } = app
            .charges
            .add_key(app.merchant, "test", scopes, CommitHook::none())
            .await
            .unwrap();
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
