//! One charge: everything that its merchant may know of it, and what can be done.

use bitpro_base::name;
use bitpro_charge::{Amount, Charge, State};
use bitpro_merchant::times::{self, Times};
use bitpro_merchant::urls;
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Permission};
use bitpro_service::charges::{FoundCharge, Snapshot};
use futures::future::BoxFuture;
use http::StatusCode;
use maud::{Markup, html};

use super::actions::{self, Typed};
use super::payments::filled;
use super::rows::short;
use super::wording::{email_for, ignored, origin_word, source_word, state_chip};
use super::{charge_path, deliveries, history, list_path, member, own_charge, payments};
use crate::refusals::Refusal;
use crate::route::{Member, Reply, Request};
use crate::{layout, money};

const TITLE: Words = words("Charge {}", "Encaissement {}");
const TITLE_ORDER: Words = words("Order {}", "Commande {}");
const BACK: Words = words("All charges", "Tous les encaissements");
const RECEIPT: Words = words("Receipt", "Reçu");
const PAGE: Words = words("Shopper’s page", "Page du client");
const FACTS: Words = words("At a glance", "En bref");
const STATE: Words = words("State", "État");
const PRICE: Words = words("Price", "Prix");
const ASKED: Words = words("Amount due", "Montant demandé");
const RECEIVED: Words = words("Received", "Reçu");
const UNCONFIRMED: Words = words("Not confirmed yet", "Pas encore confirmé");
const REMAINING: Words = words("Remaining", "Reste à payer");
const CONFIRMATIONS: Words = words("Confirmations", "Confirmations");
const RATE: Words = words("Rate", "Cours");
const RATE_TEXT: Words = words("{} for 1 BTC, {}, {}", "{} pour 1 BTC, {}, {}");
const SPREAD: Words = words("plus {}%", "plus {}\u{a0}%");
const ADDRESS: Words = words("Address", "Adresse");
const ORDER: Words = words("Order ID", "N° de commande");
const BUYER: Words = words("Shopper", "Client");
const MADE: Words = words("Created", "Créé");
const MADE_BY: Words = words("Source", "Origine");
const DEADLINE: Words = words("Deadline", "Échéance");
const ID: Words = words("Charge ID", "Identifiant d’encaissement");
const UNKNOWN: Words = words("not given", "non indiqué");
const CONFLICT: Words = words(
    "Check before you ship: this order ID has charges with different prices, or more than one that received money.",
    "Vérifiez avant d’expédier\u{a0}: ce numéro de commande a des encaissements à des prix différents, ou plusieurs qui ont reçu de l’argent.",
);
const LATE: Words = words(
    "A payment arrived but was not counted: it was too late or too small. Decide below whether to accept it.",
    "Un paiement est arrivé sans être compté\u{a0}: il est trop tardif ou trop faible. Décidez ci-dessous si vous l’acceptez.",
);
const IGNORED: Words = words("Ignored in the link", "Ignoré dans le lien");
const METADATA: Words = words("From your server", "De votre serveur");

/// `GET /dashboard/{merchant}/charges/{charge}`
pub(super) fn show(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let member = member(&request)?;
        let snapshot = own_charge(&request, &member).await?;
        page(&request, &member, &snapshot, &Typed::default(), StatusCode::OK).await
    })
}

/// The page of a charge, with what was `typed` into its forms and is wrong.
pub(super) async fn page(
    request: &Request,
    member: &Member,
    snapshot: &Snapshot,
    typed: &Typed,
    status: StatusCode,
) -> Result<Reply, Refusal> {
    let charges = &request.app.charges;
    let language = request.language;
    let times = Times::new(&member.merchant.settings.time_zone, language);
    let charge = &snapshot.charge;
    let tip = charges.tip_height();
    let found = charges.found(snapshot).await?;
    let note = charges.note(snapshot).await?;
    let events = history::part(request, snapshot).await?;
    let delivered = charges.deliveries_of(snapshot).await?;
    let content = html! {
        (actions::done(request))
        (links(request, charge))
        @if found.order_conflict {
            p.note.bad { (CONFLICT.of(language)) }
        }
        @if actions::can_accept(charge) && charge.state == State::Failed {
            p.note.bad { (LATE.of(language)) }
        }
        (facts(request, member, &found, tip))
        (payments::section(&request.app, charge, tip, times, language))
        @if member.role.may(Permission::Accept) {
            (actions::decisions(request, charge, typed))
        }
        (actions::note_section(request, member, charge, note.as_ref(), typed, times))
        (beside(member, &found, language))
        (deliveries::section(request, member, snapshot, &delivered, times))
        (history::section(snapshot, &events, times, language))
        @if member.role.may(Permission::Settings) {
            (actions::erasure(request, charge, typed))
        }
    };
    Ok(layout::page(request, status, &title(snapshot, language), &content))
}

/// What the page is called: by the order, where there is one. A title has no marks, so what would turn it is written out.
pub(super) fn title(snapshot: &Snapshot, language: Language) -> String {
    match snapshot.order_id.as_deref() {
        Some(order_id) => filled(TITLE_ORDER, language, &[&name::escaped(order_id)]),
        None => filled(TITLE, language, &[short(&snapshot.charge.id.to_string())]),
    }
}

fn links(request: &Request, charge: &Charge) -> Markup {
    let language = request.language;
    html! {
        p.actions {
            a.button href=(list_path(charge.merchant)) { "← " (BACK.of(language)) }
            a.button href={ (charge_path(charge.merchant, charge.id)) "/receipt" } { (RECEIPT.of(language)) }
            a.button href={ (request.app.public_url.origin()) (urls::charge(charge.merchant, charge.id)) }
                target="_blank" rel="noopener noreferrer" { (PAGE.of(language)) }
        }
    }
}

fn facts(request: &Request, member: &Member, found: &FoundCharge, tip: u32) -> Markup {
    let language = request.language;
    let times = Times::new(&member.merchant.settings.time_zone, language);
    let FoundCharge { snapshot, personal, .. } = found;
    let charge = &snapshot.charge;
    let terms = &charge.terms;
    let unconfirmed = charge.unconfirmed(tip);
    let unknown = || html! { span.hint { (UNKNOWN.of(language)) } };
    html! {
        section.panel aria-labelledby="facts" {
            h2 #facts { (FACTS.of(language)) }
            dl.facts {
                dt { (STATE.of(language)) } dd { (state_chip(charge, language)) }
                dt { (PRICE.of(language)) } dd { (money::euros(terms.price, language)) }
                dt { (ASKED.of(language)) } dd { (money::btc(terms.amount, language)) }
                dt { (RECEIVED.of(language)) } dd { (money::btc(charge.received(), language)) }
                @if unconfirmed > Amount::ZERO {
                    dt { (UNCONFIRMED.of(language)) } dd { (money::btc(unconfirmed, language)) }
                }
                @if charge.state == State::Seen && charge.remaining().to_sat() > 0 {
                    dt { (REMAINING.of(language)) } dd { (money::btc(charge.remaining(), language)) }
                }
                @if let Some(progress) = charge.progress(tip) {
                    dt { (CONFIRMATIONS.of(language)) }
                    dd { (progress.have) " / " (progress.required) }
                }
                dt { (RATE.of(language)) } dd { (rate(charge, times, language)) }
                dt { (ADDRESS.of(language)) } dd.mono { (charge.address) }
                dt { (ORDER.of(language)) }
                dd { @match snapshot.order_id.as_deref() { Some(order_id) => (order_id), None => (unknown()) } }
                dt { (BUYER.of(language)) }
                dd {
                    @match personal.buyer_email.as_deref() {
                        Some(email) => (email_for(member.role, email)),
                        None => (unknown()),
                    }
                }
                dt { (MADE.of(language)) } dd { (moment(terms.created_at, times)) }
                dt { (MADE_BY.of(language)) } dd { (origin_word(snapshot.origin).of(language)) }
                dt { (DEADLINE.of(language)) } dd { (moment(charge.deadline, times)) }
                dt { (ID.of(language)) } dd.mono { (charge.id) }
            }
        }
    }
}

fn moment(at: bitpro_charge::Timestamp, times: Times<'_>) -> Markup {
    html! { time datetime=(times::machine(at)) { (times.second(at)) } }
}

/// The rate of the quote, who said it when, and what the merchant adds.
pub(super) fn rate(charge: &Charge, times: Times<'_>, language: Language) -> Markup {
    let quote = &charge.terms.quote;
    let cents = bitpro_charge::Cents(quote.rate.cents_per_btc());
    let text = filled(
        RATE_TEXT,
        language,
        &[
            &money::euros(cents, language),
            source_word(&quote.source, language),
            &times.second(quote.at),
        ],
    );
    html! {
        (text)
        @if charge.terms.spread_bps > 0 {
            ", " (filled(SPREAD, language, &[&percent(charge.terms.spread_bps, language)]))
        }
    }
}

/// Hundredths of a percent as percent: `0.75`.
fn percent(bps: u32, language: Language) -> String {
    let point = match language {
        Language::En => '.',
        Language::Fr => ',',
    };
    format!("{}{point}{:02}", bps / 100, bps % 100)
}

/// What came with the charge beside its money.
fn beside(member: &Member, found: &FoundCharge, language: Language) -> Markup {
    let notes = found.personal.notes.as_deref();
    // A server may write anything into it, a name too.
    let metadata = found
        .personal
        .metadata
        .as_deref()
        .filter(|_| member.role.may(Permission::SeeBuyers));
    html! {
        @if let Some(notes) = notes {
            section.panel aria-labelledby="ignored" {
                h2 #ignored { (IGNORED.of(language)) }
                ul { @for line in notes.lines() { li { (ignored(line, language)) } } }
            }
        }
        @if let Some(metadata) = metadata {
            section.panel aria-labelledby="metadata" {
                h2 #metadata { (METADATA.of(language)) }
                p { code { (metadata) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_shown_in_percent() {
        assert_eq!(percent(75, Language::En), "0.75");
        assert_eq!(percent(205, Language::Fr), "2,05");
    }
}
