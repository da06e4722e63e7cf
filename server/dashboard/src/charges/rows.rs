//! The table of charges.

use bitpro_merchant::times::{self, Times};
use bitpro_merchant::words::{Words, words};
use bitpro_service::charges::FoundCharge;
use maud::{Markup, html};

use super::charge_path;
use super::wording::{email_for, state_chip};
use crate::money;
use crate::route::{Member, Request};

const CAPTION: Words = words("Charges, newest first", "Encaissements, les plus récents d’abord");
const STATE: Words = words("State", "État");
const AMOUNT: Words = words("Amount", "Montant");
const ORDER: Words = words("Order", "Commande");
const BUYER: Words = words("Shopper", "Client");
const AGE: Words = words("Created", "Créé");
const NO_ORDER: Words = words("no order ID", "sans n° de commande");
const CONFLICT: Words = words("check the order", "à vérifier");
const CONFLICT_HELP: Words = words(
    "This order ID has charges with different prices, or more than one that received money.",
    "Ce numéro de commande a des encaissements à des prix différents, ou plusieurs qui ont reçu de l’argent.",
);

/// The table of `charges` for `member`.
pub(super) fn table(request: &Request, member: &Member, charges: &[FoundCharge]) -> Markup {
    let language = request.language;
    // The roles are said, for on phones the rows are no table to the browser's eye.
    html! {
        div.scroll tabindex="0" role="group" aria-label=(CAPTION.of(language)) {
            table.charges role="table" {
                caption.unseen { (CAPTION.of(language)) }
                thead role="rowgroup" {
                    tr role="row" {
                        th role="columnheader" scope="col" { (ORDER.of(language)) }
                        th role="columnheader" scope="col" { (STATE.of(language)) }
                        th.number role="columnheader" scope="col" { (AMOUNT.of(language)) }
                        th role="columnheader" scope="col" { (BUYER.of(language)) }
                        th role="columnheader" scope="col" { (AGE.of(language)) }
                    }
                }
                tbody role="rowgroup" {
                    @for found in charges {
                        (row(request, member, found))
                    }
                }
            }
        }
    }
}

fn row(request: &Request, member: &Member, found: &FoundCharge) -> Markup {
    let language = request.language;
    let charge = &found.snapshot.charge;
    let times = Times::new(&member.merchant.settings.time_zone, language);
    let made = charge.terms.created_at;
    html! {
        tr role="row" {
            th role="rowheader" scope="row" {
                a href=(charge_path(charge.merchant, charge.id)) {
                    @match found.snapshot.order_id.as_deref() {
                        Some(order_id) => bdi { (order_id) },
                        None => { (NO_ORDER.of(language)) " · " (short(&charge.id.to_string())) },
                    }
                }
                @if found.order_conflict {
                    " " span.state.failed title=(CONFLICT_HELP.of(language)) { (CONFLICT.of(language)) }
                }
            }
            td.what role="cell" { (state_chip(charge, language)) }
            td.number role="cell" {
                (money::euros(charge.terms.price, language)) br;
                span.hint { (money::btc(charge.terms.amount, language)) }
            }
            td.buyer role="cell" {
                @match found.personal.buyer_email.as_deref() {
                    Some(email) => (email_for(member.role, email)),
                    None => span.hint { "–" },
                }
            }
            td.made role="cell" {
                time datetime=(times::machine(made)) title=(times.minute(made)) {
                    (times.age(made, request.app.charges.now()))
                }
            }
        }
    }
}

/// Enough of an id to tell two rows apart.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
