//! Rendering on the server: [`render`] makes a page of its input, [`Template::document`] the whole document of a page.
//!
//! The documents keep to this policy, `<nonce>` being the one given to [`Template::document`]: `default-src 'none'; script-src
//! 'nonce-<nonce>' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'nonce-<nonce>'; connect-src 'self'; img-src 'self' data:;
//! base-uri 'none'; form-action 'none'`, with `form-action 'self'` where [`RenderedPage::has_form`] says so.

mod charge;
mod frame;
mod head;
mod html;
mod pages;
mod problem;
mod template;
#[cfg(test)]
mod tests;

use crate::copy::Lang;
use crate::page::{Framing, PageInput};

pub use template::{Template, TemplateError};

/// A rendered page, to be put into a document by [`Template::document`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedPage {
    /// The document's language.
    pub lang: Lang,
    /// Further attributes of the root element, each with a space before it: `data-state` and `data-reason` where there is a
    /// charge, `data-error` with the problem's code on an error page, `data-framed` in a frame.
    pub root_attributes: String,
    /// The title, for tests and logs; it stands in `head` too.
    pub title: String,
    /// Markup of the head that needs no nonce.
    pub head: String,
    /// The style rules made of the merchant's colour.
    pub theme: String,
    /// Small inline scripts.
    pub scripts: Vec<String>,
    /// The inline script that opens the stream for WASM to take over; `None` on pages that stay as they are.
    pub early: Option<String>,
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
    match input {
        PageInput::Charge(page) => charge::render(page, framing),
        PageInput::AmountForm(page) => pages::amount_form(page, framing),
        PageInput::Confirm(page) => pages::confirm(page, framing),
        PageInput::PaidOutcome(page) => pages::paid_outcome(page, framing),
        PageInput::FrameNotice(page) => pages::frame_notice(page),
        PageInput::Error(page) => pages::error(page, framing),
    }
}
