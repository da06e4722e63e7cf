//! Nothing was done to a charge, mostly because it is not what the person thought: why, and what has changed since they looked.

use bitpro_charge::{ChargeId, Refusal as Refused};
use bitpro_merchant::times::Times;
use bitpro_merchant::words::{Words, words};
use http::StatusCode;
use maud::html;

use super::wording::state_chip;
use super::{charge_path, history};
use crate::layout;
use crate::refusals::Refusal;
use crate::route::{Member, Reply, Request};

const TITLE: Words = words("Nothing was changed", "Rien n’a été modifié");
const STALE: Words = words(
    "This charge changed after you opened its page. Check what happened, then decide again.",
    "Cet encaissement a changé depuis l’ouverture de la page. Vérifiez ce qui s’est passé, puis décidez de nouveau.",
);
const NOT_PENDING: Words = words(
    "You can cancel a charge only while it waits for money.",
    "Vous ne pouvez annuler un encaissement que tant qu’il attend de l’argent.",
);
const NO_MONEY: Words = words(
    "The payment that you chose is gone.",
    "Le paiement choisi n’existe plus.",
);
const NOTHING: Words = words(
    "The charge is confirmed, and the payment that you chose already counts. There is nothing to accept.",
    "L’encaissement est confirmé et le paiement choisi est déjà compté. Il n’y a rien à accepter.",
);
/// The node's chain is not followed (R6).
pub(super) const CHAIN_HELD: Words = words(
    "The Bitcoin node follows a chain that contradicts what this server has recorded, so payments that look confirmed may not last. Nothing is accepted or cancelled until the operator of this server has looked into it. Try again later.",
    "Le nœud Bitcoin suit une chaîne qui contredit ce que ce serveur a enregistré\u{a0}: des paiements qui semblent confirmés pourraient ne pas le rester. Rien n’est accepté ni annulé tant que l’exploitant du serveur n’a pas examiné la situation. Réessayez plus tard.",
);
const NOW: Words = words("Current state", "État actuel");
const SINCE: Words = words("What happened since", "Ce qui s’est passé depuis");
const BACK: Words = words("Back to the charge", "Retour à l’encaissement");

/// Why the charge refuses.
pub(super) const fn reason(refused: Refused) -> Words {
    match refused {
        Refused::Stale(_) => STALE,
        Refused::NotPending => NOT_PENDING,
        Refused::NoLiveMoney => NO_MONEY,
        Refused::NothingToAccept => NOTHING,
    }
}

/// The page that says so (409), and `why`. `seen` is the sequence that the person decided by.
pub(super) async fn page(
    request: &Request,
    member: &Member,
    id: ChargeId,
    why: Words,
    seen: u64,
) -> Result<Reply, Refusal> {
    let language = request.language;
    let charges = &request.app.charges;
    let snapshot = charges.snapshot(id).await?.ok_or(Refusal::UNKNOWN_CHARGE)?;
    let end = snapshot.charge.sequence.saturating_add(1);
    let mut events = charges
        .events_before(id, end, history::PER_PART)
        .await?
        .unwrap_or_default();
    events.retain(|recorded| recorded.sequence > seen);
    let times = Times::new(&member.merchant.settings.time_zone, language);
    let content = html! {
        p.note.bad role="alert" { (why.of(language)) }
        section.panel {
            h2 { (NOW.of(language)) }
            p { (state_chip(&snapshot.charge, language)) }
            @if !events.is_empty() {
                h2 { (SINCE.of(language)) }
                ol.history { (history::items(&events, times, language)) }
            }
            p.actions {
                a.button.main href=(charge_path(member.merchant.id, id)) { (BACK.of(language)) }
            }
        }
    };
    Ok(layout::page(
        request,
        StatusCode::CONFLICT,
        TITLE.of(language),
        &content,
    ))
}
