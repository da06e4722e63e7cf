//! Rendering on the server: [`render`] makes a page of its input, [`Template::document`] the whole document of a page.
//!
//! The documents keep to this policy, `<nonce>` being the one given to [`Template::document`]: `default-src 'none'; script-src
//! 'nonce-<nonce>' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'nonce-<nonce>'; connect-src 'self'; img-src 'self' data:;
//! base-uri 'none'; form-action 'none'`, with `form-action 'self'` where [`RenderedPage::has_form`] says so.

mod template;

use leptos::prelude::*;

use crate::app::App;
use crate::copy::Lang;
use crate::page::{ChargePage, Framing, PageInput};

pub use template::{Template, TemplateError};

/// A rendered page, to be put into a document by [`Template::document`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedPage {
    /// The document's language.
    pub lang: Lang,
    /// Further attributes of the root element, each with a space before it: `data-state` and `data-reason` on a charge.
    pub root_attributes: String,
    /// The title, for tests and logs; it stands in `head` too.
    pub title: String,
    /// Markup of the head that needs no nonce.
    pub head: String,
    /// The style rules made of the merchant's colour.
    pub theme: String,
    /// Small inline scripts.
    pub scripts: Vec<String>,
    /// Markup of the body.
    pub body: String,
    /// What the browser goes on with, safe inside a script element; `None` on pages that stay as they are.
    pub state_json: Option<String>,
    /// Whether the page posts a form to this server, so that the policy must say `form-action 'self'`.
    pub has_form: bool,
}

/// Renders a page.
#[must_use]
pub fn render(input: &PageInput, framing: &Framing) -> RenderedPage {
    let _ = framing;
    match input {
        PageInput::Charge(page) => charge(page),
        PageInput::AmountForm(page) => plain(page.lang, "Pay", true),
        PageInput::Confirm(page) => plain(page.lang, "Pay", true),
        PageInput::PaidOutcome(page) => plain(page.lang, "Paid", false),
        PageInput::FrameNotice(page) => plain(page.lang, "Checkout", false),
        PageInput::Error(page) => plain(page.lang, "Error", false),
    }
}

fn charge(page: &ChargePage) -> RenderedPage {
    let owner = Owner::new();
    let state = page.clone();
    let body = owner.with(|| view! { <App page=state/> }.to_html());
    let json = serde_json::to_string(page).expect("strings and integers always serialize");
    RenderedPage {
        lang: page.lang,
        root_attributes: format!(" data-state=\"{}\"", page.view.state),
        title: page.merchant.name.clone(),
        head: String::new(),
        theme: String::new(),
        scripts: Vec::new(),
        body,
        // `<` cannot end the script element when it is not there; in JSON it only ever stands inside a string.
        state_json: Some(json.replace('<', "\\u003c")),
        has_form: false,
    }
}

fn plain(lang: Lang, title: &str, has_form: bool) -> RenderedPage {
    RenderedPage {
        lang,
        root_attributes: String::new(),
        title: title.to_owned(),
        head: format!("<title>{title}</title>"),
        theme: String::new(),
        scripts: Vec::new(),
        body: format!("<main><h1>{title}</h1></main>"),
        state_json: None,
        has_form,
    }
}
