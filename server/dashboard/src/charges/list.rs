//! The list: newest first, searched, narrowed, page by page.

use bitpro_merchant::Permission;
use bitpro_merchant::words::{Words, words};
use bitpro_service::charges::Found;
use futures::future::BoxFuture;
use http::StatusCode;
use maud::{Markup, html};

use super::filters::{Faults, Filters, place_from, place_to};
use super::{list_path, member, rows};
use crate::refusals::Refusal;
use crate::route::{Member, Reply, Request};
use crate::{layout, script};

/// Charges on one page.
const PER_PAGE: u32 = 50;

const TITLE: Words = words("Charges", "Encaissements");
const FIGURES: Words = words("Reports", "Statistiques");
const EXPORT: Words = words("Export as CSV", "Exporter en CSV");
const OLDER: Words = words("Older", "Plus anciens");
const NEWEST: Words = words("Newest", "Plus récents");
const PAGES: Words = words("Pages", "Pages");
const NOTHING_FOUND: Words = words(
    "No charge matches. Try the beginning of an order ID, or more days.",
    "Aucun encaissement ne correspond. Essayez le début d’un numéro de commande, ou une période plus longue.",
);
const NOTHING_YET: Words = words("No charges yet", "Aucun encaissement pour le moment");
const NOTHING_YET_HELP: Words = words(
    "A charge appears here as soon as a shopper opens the checkout. To see one, paste the snippet into your page and make a first payment.",
    "Un encaissement apparaît ici dès qu’un client ouvre la page de paiement. Pour en voir un, collez le code d’intégration dans votre page et faites un premier paiement.",
);
const UNREADABLE: Words = words(
    "These charges cannot be shown, because their stored data was changed outside Bitpro. Do not ship for them. The operator of this server can find the reason with `bitpro reconcile`.",
    "Ces encaissements ne peuvent pas être affichés, car leurs données enregistrées ont été modifiées hors de Bitpro. N’expédiez rien pour eux. L’exploitant de ce serveur peut en trouver la raison avec «\u{a0}bitpro reconcile\u{a0}».",
);
const SNIPPET: Words = words("Get the snippet", "Obtenir le code d’intégration");
const FIRST_PAYMENT: Words = words("Make a first payment", "Faire un premier paiement");

/// `GET /dashboard/{merchant}/charges`
pub(super) fn show(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let member = member(&request)?;
        let filters = Filters::read(&request.query);
        let (status, faults, found) = match filters.search(&request, &member) {
            Ok(search) => {
                let after = place_from(&request.app.charges.epoch(), request.query.text("after"));
                let found = request.app.charges.search(&search, after, PER_PAGE).await?;
                (StatusCode::OK, Faults::default(), Some(found))
            }
            Err(faults) => (StatusCode::UNPROCESSABLE_ENTITY, faults, None),
        };
        let content = content(&request, &member, &filters, faults, found.as_ref());
        Ok(layout::page(&request, status, TITLE.of(request.language), &content))
    })
}

fn content(request: &Request, member: &Member, filters: &Filters, faults: Faults, found: Option<&Found>) -> Markup {
    let language = request.language;
    let path = list_path(member.merchant.id);
    html! {
        div.actions {
            a.button href={ "/dashboard/" (member.merchant.id) "/figures" } { (FIGURES.of(language)) }
            @if member.role.may(Permission::Export) {
                a.button href=(filters.link(&format!("{path}.csv"), None)) download { (EXPORT.of(language)) }
            }
        }
        (filters.form(&path, member, language, faults))
        // The script fetches the page again and exchanges what has this id.
        div #live data-live={ (path) "/live" } {
            @if let Some(found) = found {
                (listed(request, member, filters, found))
            }
        }
        (script::element(request, script::LISTS))
    }
}

fn listed(request: &Request, member: &Member, filters: &Filters, found: &Found) -> Markup {
    let language = request.language;
    let path = list_path(member.merchant.id);
    let is_first = request.query.text("after").is_empty();
    let is_empty = found.charges.is_empty() && found.unreadable.is_empty();
    if is_empty && is_first && filters.is_empty() {
        return nothing_yet(request, member);
    }
    let next = found.next.map(|place| place_to(&request.app.charges.epoch(), place));
    html! {
        @if is_empty {
            p.panel { (NOTHING_FOUND.of(language)) }
        } @else {
            (rows::table(request, member, &found.charges))
        }
        @if !found.unreadable.is_empty() {
            div.note.bad role="alert" {
                p { (UNREADABLE.of(language)) }
                ul { @for id in &found.unreadable { li.mono { (id) } } }
            }
        }
        @if !is_first || next.is_some() {
            nav.actions aria-label=(PAGES.of(language)) {
                @if !is_first {
                    a.button rel="first" href=(filters.link(&path, None)) { (NEWEST.of(language)) }
                }
                @if let Some(next) = next {
                    a.button rel="next" href=(filters.link(&path, Some(&next))) { (OLDER.of(language)) }
                }
            }
        }
    }
}

fn nothing_yet(request: &Request, member: &Member) -> Markup {
    let language = request.language;
    let base = format!("/dashboard/{}", member.merchant.id);
    html! {
        section.panel aria-labelledby="nothing-yet" {
            h2 #nothing-yet { (NOTHING_YET.of(language)) }
            p { (NOTHING_YET_HELP.of(language)) }
            p.actions {
                a.button.main href={ (base) "/snippet" } { (SNIPPET.of(language)) }
                a.button href=(base) { (FIRST_PAYMENT.of(language)) }
            }
        }
    }
}
