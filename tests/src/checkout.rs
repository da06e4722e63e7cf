//! The shopper's side over HTTP: opens links as a browser does, and reads the charge's state.

use anyhow::{Context as _, Result, ensure};
use bitpro_charge::wire::ChargeView;
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use url::Url;

use crate::sse::Events;
use crate::wait::eventually;
use crate::{App, Merchant};

/// A shopper's browser, as far as the server can tell.
#[derive(Debug, Clone)]
pub struct Checkout {
    http: reqwest::Client,
    base: Url,
}

/// A charge by its own address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// `/app/checkout/:merchant/:charge`, without a query.
    pub path: String,
    /// The charge's id.
    pub id: String,
}

impl Checkout {
    /// A browser that looks at `app`. It follows no redirect by itself.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn of(app: &App) -> Result<Self> {
        Self::at(&app.url())
    }

    /// The same for a server at `url`.
    ///
    /// # Errors
    /// When `url` is none, or the client cannot be made.
    pub fn at(url: &str) -> Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder().redirect(Policy::none()).build()?,
            base: url.parse()?,
        })
    }

    /// The HTTP client, for requests of another kind.
    #[must_use]
    pub const fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// The whole address of `path`.
    ///
    /// # Errors
    /// When `path` is none.
    pub fn url(&self, path: &str) -> Result<Url> {
        Ok(self.base.join(path)?)
    }

    /// Goes to `path` as a person does who presses a link.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn navigate(&self, path: &str) -> Result<Response> {
        let request = self
            .http
            .get(self.url(path)?)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-user", "?1")
            .header("accept", "text/html,application/xhtml+xml");
        Ok(request.send().await?)
    }

    /// Opens a charge of `cents` by the direct link, without an order id.
    ///
    /// # Errors
    /// When the link does not lead to a charge.
    pub async fn open(&self, merchant: &Merchant, cents: u64) -> Result<Charge> {
        self.open_link(&format!("{}?fiat_price_cents={cents}", merchant.path()))
            .await
    }

    /// Opens a charge by a whole link.
    ///
    /// # Errors
    /// When the link does not lead to a charge.
    pub async fn open_link(&self, link: &str) -> Result<Charge> {
        let response = self.navigate(link).await?;
        let status = response.status();
        let location = response.headers().get("location").cloned();
        ensure!(
            status == StatusCode::SEE_OTHER,
            "{link} answered {status}: {}",
            response.text().await?
        );
        let location = location.context("a redirect without a location")?;
        Charge::at(self.url(location.to_str()?)?.path())
    }

    /// The state of `charge` now.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn view(&self, charge: &Charge) -> Result<ChargeView> {
        let url = self.url(&format!("{}/status", charge.path))?;
        let response = self.http.get(url).send().await?;
        let status = response.status();
        let body = response.text().await?;
        ensure!(status.is_success(), "the status answers {status}: {body}");
        serde_json::from_str(&body).with_context(|| format!("no view: {body}"))
    }

    /// Waits until `charge` is in `state`, for `reason` if one is given.
    ///
    /// # Errors
    /// When it does not come to it.
    pub async fn becomes(&self, charge: &Charge, state: &str, reason: Option<&str>) -> Result<ChargeView> {
        let what = format!("the charge to be {state} {reason:?}");
        self.shows(charge, &what, |view| {
            view.state == state && (reason.is_none() || view.reason.as_deref() == reason)
        })
        .await
    }

    /// Waits until the view of `charge` is as `wanted`.
    ///
    /// # Errors
    /// When it does not come to it; the error shows the last view.
    pub async fn shows(&self, charge: &Charge, what: &str, wanted: impl Fn(&ChargeView) -> bool) -> Result<ChargeView> {
        eventually(what, async || {
            let view = self.view(charge).await?;
            ensure!(wanted(&view), "it shows {view:?}");
            Ok(view)
        })
        .await
    }

    /// Opens the stream of `charge`; `last_event_id` resumes an earlier one.
    ///
    /// # Errors
    /// When the server does not answer with a stream.
    pub async fn events(&self, charge: &Charge, last_event_id: Option<&str>) -> Result<Events> {
        let url = self.url(&format!("{}/events", charge.path))?;
        Events::open(&self.http, url.as_str(), last_event_id).await
    }
}

impl Charge {
    /// The charge whose page is at `path`.
    ///
    /// # Errors
    /// When the path is not of that form.
    pub fn at(path: &str) -> Result<Self> {
        let id = path.rsplit('/').next().unwrap_or_default();
        ensure!(
            path.starts_with("/app/checkout/") && path.split('/').count() == 5 && id.len() == 36,
            "{path} is no charge's address"
        );
        Ok(Self {
            path: path.to_owned(),
            id: id.to_owned(),
        })
    }
}
