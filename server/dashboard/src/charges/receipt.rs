//! A receipt to print: what was sold for how much, and how it was paid.

use bitpro_charge::{Amount, Charge, State};
use bitpro_merchant::times::{self, Times};
use bitpro_merchant::words::{Words, words};
use bitpro_service::charges::FoundCharge;
use futures::future::BoxFuture;
use http::StatusCode;
use maud::{Markup, html};

use super::wording::{confirmations, email_for, state_chip};
use super::{charge_path, member, own_charge, show};
use crate::refusals::Refusal;
use crate::route::{Member, Reply, Request};
use crate::{layout, money, script};

const TITLE: Words = words("Receipt", "Reçu");
const NOT_PAID: Words = words(
    "This is not proof of payment: the charge is not confirmed.",
    "Ceci n’est pas une preuve de paiement\u{a0}: l’encaissement n’est pas confirmé.",
);
const BACK: Words = words("Back to the charge", "Retour à l’encaissement");
const PRINT: Words = words("Print", "Imprimer");
const SELLER: Words = words("Seller", "Vendeur");
const ORDER: Words = words("Order ID", "N° de commande");
const BUYER: Words = words("Shopper", "Client");
const NUMBER: Words = words("Charge ID", "Identifiant d’encaissement");
const DATE: Words = words("Date", "Date");
const PRICE: Words = words("Price", "Prix");
const ASKED: Words = words("Amount due", "Montant demandé");
const RECEIVED: Words = words("Received and confirmed", "Reçu et confirmé");
const UNCONFIRMED: Words = words("Not confirmed yet", "Pas encore confirmé");
const RATE: Words = words("Rate", "Cours");
const STATE: Words = words("State", "État");
const ADDRESS: Words = words("Address", "Adresse");
const PAID_WITH: Words = words("Paid with", "Payé par");

/// `GET /dashboard/{merchant}/charges/{charge}/receipt`
pub(super) fn show(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let member = member(&request)?;
        let snapshot = own_charge(&request, &member).await?;
        let found = request.app.charges.found(&snapshot).await?;
        let content = content(&request, &member, &found);
        let title = TITLE.of(request.language);
        Ok(layout::page(&request, StatusCode::OK, title, &content))
    })
}

fn content(request: &Request, member: &Member, found: &FoundCharge) -> Markup {
    let language = request.language;
    let charge = &found.snapshot.charge;
    html! {
        p.actions {
            a.button href=(charge_path(charge.merchant, charge.id)) { "← " (BACK.of(language)) }
            // Shown by the script, which can print.
            button type="button" data-print hidden { (PRINT.of(language)) }
        }
        @if charge.state != State::Confirmed {
            p.note.bad { (NOT_PAID.of(language)) }
        }
        div.panel { (facts(request, member, found)) }
        (script::element(request, script::LISTS))
    }
}

fn facts(request: &Request, member: &Member, found: &FoundCharge) -> Markup {
    let language = request.language;
    let times = Times::new(&member.merchant.settings.time_zone, language);
    let FoundCharge { snapshot, personal, .. } = found;
    let charge = &snapshot.charge;
    let terms = &charge.terms;
    let tip = request.app.charges.tip_height();
    let unconfirmed = charge.unconfirmed(tip);
    let settings = &member.merchant.settings;
    html! {
        dl.facts {
            dt { (SELLER.of(language)) }
            dd {
                (settings.name)
                @if let Some(site) = &settings.site { br; (site) }
            }
            @if let Some(order_id) = &snapshot.order_id {
                dt { (ORDER.of(language)) } dd { (order_id) }
            }
            @if let Some(email) = &personal.buyer_email {
                dt { (BUYER.of(language)) } dd { (email_for(member.role, email)) }
            }
            dt { (NUMBER.of(language)) } dd.mono { (charge.id) }
            dt { (DATE.of(language)) }
            dd { time datetime=(times::machine(terms.created_at)) { (times.minute(terms.created_at)) } }
            dt { (PRICE.of(language)) } dd { (money::euros(terms.price, language)) }
            dt { (RATE.of(language)) } dd { (show::rate(charge, times, language)) }
            dt { (ASKED.of(language)) } dd { (money::btc(terms.amount, language)) }
            dt { (RECEIVED.of(language)) } dd { (money::btc(charge.confirmed(tip), language)) }
            @if unconfirmed > Amount::ZERO {
                dt { (UNCONFIRMED.of(language)) } dd { (money::btc(unconfirmed, language)) }
            }
            dt { (STATE.of(language)) } dd { (state_chip(charge, language)) }
            dt { (ADDRESS.of(language)) } dd.mono { (charge.address) }
            @if charge.payments.iter().any(|payment| payment.is_live() && charge.is_own(payment)) {
                dt { (PAID_WITH.of(language)) }
                dd { (paid_with(request, charge, times)) }
            }
        }
    }
}

fn paid_with(request: &Request, charge: &Charge, times: Times<'_>) -> Markup {
    let language = request.language;
    let tip = request.app.charges.tip_height();
    html! {
        ul.plain {
            @for payment in charge.payments.iter().filter(|payment| payment.is_live() && charge.is_own(payment)) {
                @let seen = payment.first_seen.latest;
                li {
                    span.mono { (payment.outpoint) } br;
                    (money::btc(payment.value, language)) " · "
                    time datetime=(times::machine(seen)) { (times.minute(seen)) } " · "
                    (confirmations(payment.confirmations(tip), charge.required_of(payment), language))
                }
            }
        }
    }
}
