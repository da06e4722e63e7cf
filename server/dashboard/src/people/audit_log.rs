//! The page of the audit log: who, what, when, from where.

use bitpro_merchant::Language;
use bitpro_merchant::times::Times;
use bitpro_merchant::words::{Words, words};
use http::StatusCode;
use maud::{Markup, html};

use super::Answer;
use crate::audit_words::action_words;
use crate::layout;
use crate::route::Request;

const TITLE: Words = words("Audit log", "Journal d’audit");
const WHEN: Words = words("When", "Quand");
const WHO: Words = words("Who", "Qui");
const WHAT: Words = words("What", "Quoi");
const FROM: Words = words("From", "Depuis");
const NONE: Words = words("No changes yet.", "Aucune modification pour le moment.");
const OLDER: Words = words("Older", "Plus anciens");
const BROKEN_OFF: Words = words(
    "started; outcome unknown (server stopped)",
    "commencé\u{202f}; issue inconnue (serveur arrêté)",
);

/// Lines on a page.
const LINES: u32 = 50;

/// `GET /dashboard/{merchant}/log`
pub(super) fn show(request: Request) -> Answer {
    Box::pin(async move {
        let lang = request.language;
        let merchant = &request.member()?.merchant;
        let times = Times::new(&merchant.settings.time_zone, lang);
        let before = request.query.text("before").parse().ok();
        let lines = request.app.accounts.changes(merchant.id, before, LINES + 1).await?;
        let (shown, rest) = lines.split_at(lines.len().min(LINES as usize));
        let content = html! {
            @if shown.is_empty() { p { (NONE.of(lang)) } } @else {
                div.panel { div.scroll tabindex="0" role="group" aria-label=(TITLE.of(lang)) { table.stack role="table" {
                    thead role="rowgroup" { tr role="row" {
                        th scope="col" role="columnheader" { (WHEN.of(lang)) }
                        th scope="col" role="columnheader" { (WHO.of(lang)) }
                        th scope="col" role="columnheader" { (WHAT.of(lang)) }
                        th scope="col" role="columnheader" { (FROM.of(lang)) }
                    } }
                    tbody role="rowgroup" { @for line in shown {
                        tr role="row" {
                            td role="cell" { (times.second(line.at)) }
                            td role="cell" { (line.who) }
                            td role="cell" {
                                (what(&line.action, lang))
                                @if !line.detail.is_empty() { div { (line.detail) } }
                                @if line.outcome.is_none() { div.hint { (BROKEN_OFF.of(lang)) } }
                            }
                            td role="cell" { (line.client) }
                        }
                    } }
                } } }
            }
            @if let (Some(last), false) = (shown.last(), rest.is_empty()) {
                p { a.button href={ "?before=" (last.num) } { (OLDER.of(lang)) } }
            }
        };
        Ok(layout::page(&request, StatusCode::OK, TITLE.of(lang), &content))
    })
}

/// What was done, in words, with the name that the log keeps of it.
fn what(action: &str, lang: Language) -> Markup {
    html! {
        @match action_words(action) {
            Some(words) => { div { (words.of(lang)) } code.hint { (action) } },
            None => code { (action) },
        }
    }
}
