//! The owner: an account with browsers that are known.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::{App, Letters};
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};

/// Where the owner's letters go.
pub const EMAIL: &str = "owner@shop.example";
const PASSWORD: &str = "seven green kettles sing";

/// A way to the server: a connection of its own for each request, from one address.
pub fn client(from: [u8; 4], port: u16) -> Result<Client> {
    let builder = Client::builder()
        .local_address(std::net::IpAddr::from(from))
        .pool_max_idle_per_host(0)
        .redirect(Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .resolve("localhost", SocketAddr::from(([127, 0, 0, 1], port)));
    Ok(builder.build()?)
}

/// A browser with its two cookies: who is logged in, and to whom it is known.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    session: String,
    known: String,
}

impl Browser {
    /// The same request, by this browser.
    pub fn asks(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(COOKIE, format!("{}; {}", self.session, self.known))
    }

    /// The request of a log-in by a browser that is known and where nobody is logged in any more.
    pub fn log_in(&self, http: &Client, url: &str) -> RequestBuilder {
        let known = Self {
            session: String::new(),
            known: self.known.clone(),
        };
        known.post(http, url, "/login", &[("email", EMAIL), ("password", PASSWORD)])
    }

    /// Keeps what an answer gives it.
    ///
    /// # Errors
    /// When somebody was not let in.
    pub fn keep(&mut self, answer: &Response) -> Result<()> {
        ensure!(
            answer.status() == StatusCode::SEE_OTHER,
            "{} at the log-in",
            answer.status()
        );
        for given in answer.headers().get_all(SET_COOKIE) {
            let cookie = given.to_str()?.split(';').next().unwrap_or_default().to_owned();
            match cookie.split_once('=').context("a cookie without a name")?.0 {
                "bitpro" => self.session = cookie,
                _ => self.known = cookie,
            }
        }
        ensure!(
            !self.session.is_empty() && !self.known.is_empty(),
            "no cookies were given"
        );
        Ok(())
    }

    fn post(&self, http: &Client, url: &str, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(form).finish();
        let request = http.post(format!("{url}{path}")).header(ORIGIN, url);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.asks(request.body(body))
    }
}

/// Makes the merchant an owner, and gives `count` browsers that are known to the account.
///
/// # Errors
/// When the owner does not get in.
pub async fn owner(app: &App, merchant: &str, http: &Client, count: usize) -> Result<Vec<Browser>> {
    app.run(&["merchant", "set", merchant, "--owner", EMAIL]).await?;
    let link = Letters::of(app.folder()).link_to(EMAIL).await?;
    let token = link.split("token=").nth(1).context("a link without a token")?;
    let token = token.split('&').next().unwrap_or_default();
    let mut first = Browser::default();
    let chosen = first.post(
        http,
        &app.url(),
        "/password",
        &[("token", token), ("password", PASSWORD)],
    );
    first.keep(&chosen.send().await?)?;
    let mut browsers = vec![first];
    while browsers.len() < count {
        let mut browser = Browser::default();
        browser.keep(&browser.log_in(http, &app.url()).send().await?)?;
        browsers.push(browser);
    }
    Ok(browsers)
}
