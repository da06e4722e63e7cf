//! A client of the merchant API: signs as the specification says, by the server's own functions, and checks the answer's
//! signature. The published clients are tried beside it.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitpro_mapi::hmac::{Credentials, SignedRequest, body_hash, response_signature, sign};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::App;

/// A key, and the server it is for.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    url: String,
    /// The key's id.
    pub id: String,
    /// Its secret, in base64.
    pub secret: String,
}

/// A request that is signed and can be sent, more than once.
#[derive(Debug, Clone)]
pub struct Signed {
    /// What is asked.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// The headers that make it a signed one.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    nonce: String,
    timestamp: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its document.
    pub body: Value,
}

impl Api {
    /// Makes a key for `merchant` with `scopes`, separated by spaces.
    ///
    /// # Errors
    /// When the command line refuses.
    pub async fn add(app: &App, merchant: &str, scopes: &str) -> Result<Self> {
        Self::add_at(app, merchant, scopes, app.url()).await
    }

    /// The same for a server that is asked at `url`.
    ///
    /// # Errors
    /// As [`Api::add`].
    pub async fn add_at(app: &App, merchant: &str, scopes: &str, url: String) -> Result<Self> {
        let mut arguments = vec!["key", "add", merchant, "--json"];
        for scope in scopes.split(' ') {
            arguments.extend(["--scope", scope]);
        }
        let made: Value = serde_json::from_str(&app.run(&arguments).await?)?;
        let text = |name: &str| made[name].as_str().map(str::to_owned).context("no key is shown");
        Ok(Self {
            http: reqwest::Client::new(),
            url,
            id: text("id")?,
            secret: text("secret")?,
        })
    }

    /// The host as it is signed.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.split("://").last().unwrap_or_default()
    }

    /// Signs a request at `now`, in Unix seconds.
    ///
    /// # Errors
    /// When the secret is no base64.
    pub fn sign(&self, method: Method, target: &str, body: &str, now: i64) -> Result<Signed> {
        let nonce = bitpro_charge::ChargeId(bitpro_base::rng::uuid(&bitpro_base::rng::SystemRng)).to_string();
        let timestamp = now.to_string();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let hash = (!body.is_empty()).then(|| body_hash(body.as_bytes()));
        let header = |signature: &[u8]| {
            format!(
                "acquia-http-hmac realm=\"Bitpro\",id=\"{}\",nonce=\"{nonce}\",version=\"2.0\",headers=\"\",signature=\"{}\"",
                self.id,
                STANDARD.encode(signature)
            )
        };
        let request = SignedRequest {
            method: method.as_str(),
            host: self.host(),
            path,
            query,
            headers: &[],
            timestamp: &timestamp,
            body: hash.as_deref().map(|hash| ("application/json", hash)),
        };
        let unsigned = Credentials::parse(&header(&[0; 32]))?;
        let signature = sign(&STANDARD.decode(&self.secret)?, &request.string_to_sign(&unsigned));
        let mut headers = vec![
            ("authorization", header(&signature)),
            ("x-authorization-timestamp", timestamp.clone()),
        ];
        if let Some(hash) = hash {
            headers.push(("x-authorization-content-sha256", hash));
            headers.push(("content-type", "application/json".to_owned()));
        }
        Ok(Signed {
            method,
            target: target.to_owned(),
            headers,
            body: body.to_owned(),
            nonce,
            timestamp,
        })
    }

    /// Sends a request, and checks that the answer to a known key is signed.
    ///
    /// # Errors
    /// When there is no answer, or its signature is wrong.
    pub async fn send(&self, signed: &Signed, more: &[(&str, &str)]) -> Result<Answer> {
        let mut request = self
            .http
            .request(signed.method.clone(), format!("{}{}", self.url, signed.target))
            .body(signed.body.clone());
        for (name, value) in &signed.headers {
            request = request.header(*name, value);
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let signature = answer.headers().get("x-server-authorization-hmac-sha256").cloned();
        let body = answer.text().await?;
        if let Some(signature) = &signature {
            let secret = STANDARD.decode(&self.secret)?;
            let right = response_signature(&secret, &signed.nonce, &signed.timestamp, body.as_bytes());
            ensure!(
                signature.to_str()? == right,
                "the answer is not signed by the server: {body}"
            );
        }
        ensure!(
            signature.is_some() || status == StatusCode::UNAUTHORIZED,
            "an answer without a signature: {status} {body}"
        );
        Ok(Answer {
            status,
            body: serde_json::from_str(&body)?,
        })
    }

    /// Reads `target`, at the time of `app`.
    ///
    /// # Errors
    /// When there is no answer, or its signature is wrong.
    pub async fn get(&self, app: &App, target: &str) -> Result<Answer> {
        let signed = self.sign(Method::GET, target, "", app.now_secs())?;
        self.send(&signed, &[]).await
    }

    /// Posts `body` to `target`, at the time of `app`.
    ///
    /// # Errors
    /// When there is no answer, or its signature is wrong.
    pub async fn post(&self, app: &App, target: &str, body: &Value) -> Result<Answer> {
        let signed = self.sign(Method::POST, target, &body.to_string(), app.now_secs())?;
        self.send(&signed, &[]).await
    }
}

impl Answer {
    /// The text of a member.
    ///
    /// # Errors
    /// When it is not there.
    pub fn text(&self, name: &str) -> Result<&str> {
        self.body[name]
            .as_str()
            .with_context(|| format!("no {name} in {}", self.body))
    }

    /// Fails unless the status is `status`.
    ///
    /// # Errors
    /// With what was answered instead.
    pub fn is(self, status: u16) -> Result<Self> {
        ensure!(
            self.status.as_u16() == status,
            "{} instead of {status}: {}",
            self.status,
            self.body
        );
        Ok(self)
    }
}
