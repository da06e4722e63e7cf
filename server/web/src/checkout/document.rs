//! From a page to a response: rendered, put into its document under a nonce of its own, compressed.

use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use bitpro_checkout_app::copy::Lang;
use bitpro_checkout_app::page::{self, ErrorPage, MerchantView, PageInput};
use bitpro_checkout_app::ssr;
use bitpro_merchant::urls;
use bitpro_merchant::words::lang;
use bitpro_merchant::{Language, Merchant};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::assets::logo_name;
use super::{language, navigation};
use crate::app::App;
use crate::encoding::{accepts_brotli, brotli};
use crate::headers::{Framing, Nonce, Running, page_policy};
use crate::refusal::Refusal;
use crate::{Context, RequestId};

/// Who asks for a page, and how they want it.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The request's name.
    pub request: RequestId,
    /// The request's headers.
    pub headers: HeaderMap,
    /// Whose pages are visited, once that is known.
    pub merchant: Option<Arc<Merchant>>,
    /// The language (R40).
    pub language: Language,
    /// The same request again, where that can help after a failure.
    pub retry_url: Option<String>,
    /// The order id, to quote to the merchant.
    pub order_id: Option<String>,
}

impl Visit {
    /// A visit of which nothing is known but its headers.
    #[must_use]
    pub fn new(context: Context, headers: HeaderMap, asked: Option<Language>) -> Self {
        Self {
            request: context.id,
            language: language::of_browser(asked, &headers),
            headers,
            merchant: None,
            retry_url: None,
            order_id: None,
        }
    }

    /// The visit of `merchant`'s pages.
    pub fn enter(&mut self, merchant: &Arc<Merchant>, asked: Option<Language>) {
        self.language = language::choose(asked, &merchant.settings, &self.headers);
        self.merchant = Some(Arc::clone(merchant));
    }

    /// The language, as the page has it.
    #[must_use]
    pub const fn lang(&self) -> Lang {
        lang(self.language)
    }

    fn framing(&self) -> Framing {
        self.merchant.as_ref().map_or_else(Framing::nobody, |merchant| {
            Framing::Ancestors(merchant.frame_ancestors())
        })
    }

    /// The same for the page itself, which talks to nobody but these origins.
    fn page_framing(&self) -> page::Framing {
        page::Framing {
            framed: navigation::is_framed(&self.headers),
            origins: self.merchant.as_ref().map_or_else(Vec::new, |merchant| {
                merchant
                    .settings
                    .allowed_origins
                    .iter()
                    .map(ToString::to_string)
                    .collect()
            }),
        }
    }

    /// Whether the client wants JSON and no page.
    pub fn wants_json(&self) -> bool {
        let accept = self.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        accept.is_some_and(|accept| accept.contains("json") && !accept.contains("html"))
    }
}

/// The merchant, as far as shoppers see them.
#[must_use]
pub fn merchant_view(merchant: &Merchant) -> MerchantView {
    MerchantView {
        id: merchant.id.to_string(),
        name: merchant.settings.name.clone(),
        logo_url: merchant
            .logo
            .as_ref()
            .map(|logo| urls::logo(merchant.id, &logo_name(&logo.bytes))),
        colour: Some(merchant.settings.colour.0),
        site: merchant.settings.site.clone(),
    }
}

impl App {
    /// The response with a page, framed by the merchant's list.
    #[must_use]
    pub fn show(&self, visit: &Visit, status: StatusCode, page: &PageInput) -> Response {
        self.document(visit, status, page, &visit.framing(), None)
    }

    /// The response with a page that anyone may frame, for it says nothing (R24).
    #[must_use]
    pub fn show_to_any_frame(&self, visit: &Visit, status: StatusCode, page: &PageInput) -> Response {
        self.document(visit, status, page, &Framing::Anyone, None)
    }

    /// The response to a request that is refused: a page, or a problem for a client that wants JSON.
    #[must_use]
    pub fn refuse(&self, visit: &Visit, refusal: Refusal) -> Response {
        if visit.wants_json() {
            return refusal.into_problem(visit.request).into_response();
        }
        let (status, retry_after) = (refusal.status(), refusal.retry_after());
        let page = PageInput::Error(ErrorPage {
            problem: refusal.page(),
            lang: visit.lang(),
            merchant: visit.merchant.as_deref().map(merchant_view),
            retry_url: retry_after.and(visit.retry_url.clone()),
            order_id: visit.order_id.clone(),
            request_id: Some(visit.request.to_string()),
        });
        // Without a merchant the page says nothing of anybody; and a mistyped id in a shop's page shall be told there, not end in
        // the browser's own "refused to connect".
        let framing = match visit.merchant {
            Some(_) => visit.framing(),
            None => Framing::Anyone,
        };
        let mut response = self.document(visit, status, &page, &framing, Some(refusal.code()));
        if let Some(secs) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, secs.into());
        }
        response
    }

    fn document(
        &self,
        visit: &Visit,
        status: StatusCode,
        page: &PageInput,
        framing: &Framing,
        code: Option<&'static str>,
    ) -> Response {
        let nonce = Nonce::new(self.rng.bytes());
        let mut rendered = ssr::render(page, &visit.page_framing());
        if let Some(code) = code {
            rendered.root_attributes.push_str(" data-problem=\"");
            rendered.root_attributes.push_str(code);
            rendered.root_attributes.push('"');
        }
        let html = if navigation::is_by_script(&visit.headers) {
            self.template.unstyled_document(&rendered, nonce.as_str())
        } else {
            self.template.document(&rendered, nonce.as_str())
        };
        let compressed = accepts_brotli(&visit.headers);
        let body = if compressed {
            brotli(html.as_bytes())
        } else {
            html.into_bytes()
        };
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(rendered.lang.tag()));
        headers.insert(
            header::VARY,
            HeaderValue::from_static("accept-encoding, accept-language"),
        );
        if compressed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            page_policy(&nonce, framing, Running::Wasm, rendered.has_form),
        );
        response
    }
}
