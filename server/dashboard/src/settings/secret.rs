//! A secret that was just made: shown this once, to be copied.

use bitpro_merchant::words::{Words, words};
use http::StatusCode;
use maud::{Markup, html};

use super::frame::{self, Tab, below};
use crate::field::Field;
use crate::refusals::Refusal;
use crate::route::{Reply, Request};

/// What is shown beside the secret.
pub(super) struct Shown<'a> {
    /// What was made.
    pub(super) title: Words,
    /// What the secret is.
    pub(super) label: Words,
    /// The secret.
    pub(super) secret: &'a str,
    /// What else there is to know, as names and values.
    pub(super) facts: Vec<(Words, Markup)>,
    /// What to do with it.
    pub(super) advice: Words,
    /// What was changed, for the audit log.
    pub(super) what: String,
}

/// The answer with the secret. It is the answer to the very request that made it, for it is kept nowhere to be shown later.
pub(super) fn show(request: &Request, tab: Tab, shown: Shown<'_>) -> Result<Reply, Refusal> {
    let lang = request.language;
    let back = below(request.member()?, tab.path());
    let content = html! {
        section.panel aria-labelledby="made" {
            h2 #made { (shown.title.of(lang)) }
            p.note.good role="status" { (ONCE.of(lang)) }
            div.secret { (Field::new("secret", shown.label.of(lang)).value(shown.secret).hint(shown.advice.of(lang)).shown(2)) }
            @if !shown.facts.is_empty() {
                dl.facts {
                    @for (name, value) in &shown.facts { dt { (name.of(lang)) } dd { (value) } }
                }
            }
            p.after { a.button.main href=(back) { (KEPT.of(lang)) } }
        }
    };
    let page = frame::page(request, StatusCode::OK, tab, &[], &content)?;
    Ok(page.changed(shown.what))
}

const ONCE: Words = words(
    "Copy the secret now. You won’t see it again.",
    "Copiez le secret maintenant. Il ne sera plus affiché.",
);
const KEPT: Words = words("I have copied it", "Je l’ai copié");
