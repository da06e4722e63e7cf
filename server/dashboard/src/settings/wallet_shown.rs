//! The wallet as it is now, the one that waits, and the addresses that are compared.

use bitpro_charge::Network;
use bitpro_merchant::Language;
use bitpro_merchant::wallet::Receive;
use bitpro_merchant::words::{Words, words};
use bitpro_service::accounts::PendingWallet;
use bitpro_service::charges::{IssuanceBlock, MerchantReport};
use maud::{Markup, html};

use super::frame::{Tab, below};
use super::times::when;
use crate::layout::csrf;
use crate::route::Request;

/// How many addresses are compared.
const COMPARED: u32 = 3;

/// The wallet that waits, and the way to stop it.
pub(super) fn waiting(request: &Request, waits: &PendingWallet, may_stop: bool) -> Markup {
    let lang = request.language;
    let parsed = Receive::from_descriptor(&waits.receive, request.app.charges.network()).ok();
    html! {
        section.panel aria-labelledby="waiting" {
            h2 #waiting { (WAITING.of(lang)) }
            p.note { (WAITING_MEANS.of(lang)) }
            dl.facts {
                dt { (TAKES_EFFECT.of(lang)) } dd { (when(request, waits.due_at)) }
                dt { (ASKED_BY.of(lang)) } dd { (waits.asked_by) ", " (when(request, waits.asked_at)) ", " (waits.client) }
                dt { (DESCRIPTOR.of(lang)) } dd { code { (waits.receive) } }
                @if let Some(parsed) = &parsed { dt { (FIRST.of(lang)) } dd { (addresses(parsed)) } }
            }
            @if may_stop {
                form.after method="post" action={ (request.member.as_ref().map_or_else(String::new, |member| below(member, Tab::Wallet.path()))) "/stop" } {
                    (csrf(request))
                    button.grave type="submit" { (STOP.of(lang)) }
                }
            }
        }
    }
}

/// The wallet as it is now.
pub(super) fn present(report: &MerchantReport, receive: &str, network: Network, lang: Language) -> Markup {
    let parsed = Receive::from_descriptor(receive, network).ok();
    html! {
        section.panel aria-labelledby="present" {
            h2 #present { (PRESENT.of(lang)) }
            @if report.blocked == Some(IssuanceBlock::AwaitsScan) {
                p.note #scan role="status" { (AWAITS_SCAN.of(lang)) " " a href="" { (LOOK_AGAIN.of(lang)) } }
            } @else {
                p.note.good #scan { (scanned(report, lang)) }
            }
            dl.facts {
                dt { (DESCRIPTOR.of(lang)) } dd { code { (receive) } }
                @if let Some(parsed) = &parsed { dt { (FIRST.of(lang)) } dd { (addresses(parsed)) } }
                dt { (NEXT.of(lang)) } dd { (report.next_index.map_or_else(String::new, |index| index.to_string())) }
                dt { (UNPAID.of(lang)) } dd { (report.unpaid_run) }
                dt { (GAP.of(lang)) } dd { strong { (report.gap_limit) } p.hint { (GAP_HINT.of(lang)) } }
            }
        }
    }
}

/// What the search for earlier use found, and what it could not see.
fn scanned(report: &MerchantReport, lang: Language) -> String {
    let found = match report.next_index {
        None | Some(0) => SCANNED_FRESH.of(lang).to_owned(),
        Some(next) => SCANNED_USED.of(lang).replace("{next}", &next.to_string()),
    };
    format!("{found} {}", SCAN_LIMITS.of(lang))
}

/// The first addresses, as a wallet lists them.
pub(super) fn addresses(receive: &Receive) -> Markup {
    html! {
        ol.addresses {
            @for derived in (0..COMPARED).filter_map(|index| receive.derive(index)) {
                li { code { (derived.address) } }
            }
        }
    }
}

const WAITING: Words = words("Pending wallet change", "Changement de portefeuille en attente");
const WAITING_MEANS: Words = words(
    "New payments will go to another wallet. If you did not request this, cancel it, change your password, and check the team.",
    "Les nouveaux paiements iront à un autre portefeuille. Si vous n’avez rien demandé, annulez ce changement, changez votre mot de passe et vérifiez l’équipe.",
);
const TAKES_EFFECT: Words = words("Takes effect", "Prend effet");
const ASKED_BY: Words = words("Requested by", "Demandé par");
const STOP: Words = words("Cancel the change", "Annuler le changement");
const PRESENT: Words = words("Current wallet", "Portefeuille actuel");
const AWAITS_SCAN: Words = words(
    "The node is checking whether these addresses were used before. Payments start once it is done: seconds on a test network, minutes on the main network.",
    "Le nœud vérifie si ces adresses ont déjà servi. Les paiements commencent ensuite\u{a0}: après quelques secondes sur un réseau de test, quelques minutes sur le réseau principal.",
);
const LOOK_AGAIN: Words = words("Refresh", "Actualiser");
const SCANNED_FRESH: Words = words(
    "Ready: this wallet’s addresses were not used before.",
    "Prêt\u{a0}: les adresses de ce portefeuille n’ont pas encore servi.",
);
const SCANNED_USED: Words = words(
    "Ready: new charges start at address number {next}. Earlier addresses were already used or issued.",
    "Prêt\u{a0}: les nouveaux encaissements commencent à l’adresse numéro {next}. Les précédentes ont déjà été utilisées ou attribuées.",
);
const SCAN_LIMITS: Words = words(
    "The check finds addresses that hold coins, but not those that were emptied again. Use a separate account for the shop.",
    "La vérification trouve les adresses qui contiennent des bitcoins, pas celles qui ont été vidées. Utilisez un compte réservé à la boutique.",
);
const FIRST: Words = words("First addresses", "Premières adresses");
const NEXT: Words = words("Next address number", "Numéro de la prochaine adresse");
const UNPAID: Words = words("Unpaid addresses in a row", "Adresses impayées de suite");
const GAP: Words = words("Gap limit to set in your wallet", "Limite d’écart (gap limit) à régler");
const GAP_HINT: Words = words(
    "Wallets stop looking after a run of unused addresses, often 20. With this limit or a higher one, yours finds every payment.",
    "Un portefeuille cesse de chercher après une suite d’adresses inutilisées, souvent 20. Avec cette limite ou une limite supérieure, le vôtre trouve chaque paiement.",
);
/// What the wallet is, in one line of text.
pub(super) const DESCRIPTOR: Words = words("Descriptor", "Descripteur");
