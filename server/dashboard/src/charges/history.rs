//! What happened to a charge, in plain words.

use bitpro_charge::{Event, Judgement, Outpoint, Place, Recorded};
use bitpro_checkout_app::format::shortened;
use bitpro_merchant::Language;
use bitpro_merchant::times::{self, Times};
use bitpro_merchant::words::{Words, words};
use bitpro_service::charges::Snapshot;
use maud::{Markup, html};

use super::charge_path;
use super::payments::filled;
use super::wording::{loss_word, origin_word, reason_word, state_word};
use crate::money;
use crate::refusals::Refusal;
use crate::route::Request;

/// So many events are shown at a time.
pub(super) const PER_PART: u32 = 200;

const HISTORY: Words = words("What happened", "Historique");
const EARLIER: Words = words("Earlier events", "Événements antérieurs");
const NEWEST: Words = words("Latest events", "Derniers événements");
const MADE: Words = words("Created by {}.", "Créé par\u{a0}: {}.");
const FOUND: Words = words("{} arrived with transaction {}.", "{} reçus par la transaction {}.");
const MINED: Words = words(
    "Transaction {} is in block {}.",
    "La transaction {} est dans le bloc {}.",
);
const UNMINED: Words = words(
    "Transaction {} is no longer in a block and waits to be confirmed again.",
    "La transaction {} n’est plus dans un bloc et attend d’être confirmée de nouveau.",
);
const CORRECTED: Words = words(
    "Corrected when transaction {} was first seen: no later than {}.",
    "Première observation de la transaction {} corrigée\u{a0}: au plus tard le {}.",
);
const LOST: Words = words("Transaction {} is gone: {}.", "La transaction {} est perdue\u{a0}: {}.");
const RAISED: Words = words(
    "The amount now requires {} confirmations.",
    "Le montant exige désormais {} confirmations.",
);
const EXTENDED: Words = words(
    "Part of the amount was paid in time: the deadline is now {}.",
    "Une partie du montant a été payée à temps\u{a0}: l’échéance est désormais le {}.",
);
const PASSED: Words = words("The deadline has passed.", "L’échéance est passée.");
const STALLED: Words = words(
    "The payment was not confirmed within the time allowed.",
    "Le paiement n’a pas été confirmé dans le délai accordé.",
);
const TAKEN: Words = words(
    "Transaction {} was late; your policy accepted it.",
    "La transaction {} est arrivée en retard\u{202f}; votre règle l’a acceptée.",
);
const BY_HAND: Words = words(
    "Transaction {} was accepted manually.",
    "La transaction {} a été acceptée manuellement.",
);
const REFUSED: Words = words(
    "Transaction {} was late and was not accepted: you decide.",
    "La transaction {} est arrivée en retard et n’a pas été acceptée\u{a0}: à vous de décider.",
);
const CANCELLED: Words = words("The charge was cancelled.", "L’encaissement a été annulé.");
const MADE_EARLIER: Words = words(
    "The server’s clock was fast when the charge was created: the correct time is {}.",
    "L’horloge du serveur avançait à la création de l’encaissement\u{a0}: l’heure exacte est le {}.",
);
const STATE: Words = words("State: {}.", "État\u{a0}: {}.");
const STATE_WITH: Words = words("State: {} ({}).", "État\u{a0}: {} ({}).");
const RESTORED: Words = words(
    "The server was restored from a backup: events since the backup may be missing above.",
    "Le serveur a été restauré depuis une sauvegarde\u{a0}: les événements survenus depuis peuvent manquer ci-dessus.",
);
const TOLD: Words = words("Event for your server: {}.", "Événement pour votre serveur\u{a0}: {}.");

/// A part of what happened to a charge.
pub(super) struct Part {
    /// The events, oldest first.
    pub(super) events: Vec<Recorded>,
    /// The number of the first of them, where there are events before it. How many those are it does not say: a restore moves
    /// numbers ahead (R17).
    pub(super) first: Option<u64>,
    /// Whether there are newer ones.
    pub(super) has_newer: bool,
}

/// The part of a charge's history that was asked for: what a stranger pays in thousands of pieces makes no endless page.
///
/// # Errors
/// The store's.
pub(super) async fn part(request: &Request, snapshot: &Snapshot) -> Result<Part, Refusal> {
    let asked: Option<u64> = request.query.text("before").parse().ok();
    let end = snapshot.charge.sequence.saturating_add(1);
    let before = asked.map_or(end, |before| before.clamp(1, end));
    let charges = &request.app.charges;
    let events = charges.events_before(snapshot.charge.id, before, PER_PART).await?;
    let events = events.unwrap_or_default();
    Ok(Part {
        first: events.first().map(|first| first.sequence).filter(|&first| first > 1),
        has_newer: before < end,
        events,
    })
}

/// The section of the history.
pub(super) fn section(snapshot: &Snapshot, part: &Part, times: Times<'_>, language: Language) -> Markup {
    let made = snapshot.charge.terms.created_at;
    let path = charge_path(snapshot.charge.merchant, snapshot.charge.id);
    html! {
        section.panel aria-labelledby="history" {
            h2 #history { (HISTORY.of(language)) }
            @if let Some(before) = part.first {
                p { a rel="prev" href={ (path) "?before=" (before) "#history" } { (EARLIER.of(language)) } }
            }
            ol.history {
                @if part.first.is_none() {
                    li {
                        time datetime=(times::machine(made)) { (times.second(made)) }
                        span { (filled(MADE, language, &[origin_word(snapshot.origin).of(language)])) }
                    }
                }
                (items(&part.events, times, language))
            }
            @if part.has_newer {
                p { a rel="next" href={ (path) "#history" } { (NEWEST.of(language)) } }
            }
        }
    }
}

/// The entries of `events`.
pub(super) fn items(events: &[Recorded], times: Times<'_>, language: Language) -> Markup {
    html! {
        @for recorded in events {
            li {
                time datetime=(times::machine(recorded.at)) { (times.second(recorded.at)) }
                span { (said(&recorded.event, times, language)) }
            }
        }
    }
}

/// An event in a sentence.
fn said(event: &Event, times: Times<'_>, language: Language) -> String {
    let named = |outpoint: &Outpoint| shortened(&outpoint.txid.to_string());
    let filled = |text, parts: &[&str]| filled(text, language, parts);
    match event {
        Event::PaymentFound(payment) => filled(
            FOUND,
            &[&money::btc(payment.value, language), &named(&payment.outpoint)],
        ),
        Event::PaymentMoved { outpoint, place } => match place {
            Place::Block(block) => filled(MINED, &[&named(outpoint), &block.height.to_string()]),
            Place::Mempool => filled(UNMINED, &[&named(outpoint)]),
        },
        Event::FirstSeenCorrected {
            outpoint, first_seen, ..
        } => filled(CORRECTED, &[&named(outpoint), &times.second(first_seen.latest)]),
        Event::PaymentLost { outpoint, loss } => filled(LOST, &[&named(outpoint), loss_word(*loss).of(language)]),
        Event::ConfirmationsRaised { required } => filled(RAISED, &[&required.to_string()]),
        Event::DeadlineExtended { deadline, .. } => filled(EXTENDED, &[&times.minute(*deadline)]),
        Event::DeadlineObserved { .. } => PASSED.of(language).to_owned(),
        Event::Stalled { .. } => STALLED.of(language).to_owned(),
        Event::Judged {
            outpoint, judgement, ..
        } => {
            let text = match judgement {
                Judgement::Provisional | Judgement::Taken => TAKEN,
                Judgement::ByHand => BY_HAND,
                Judgement::Refused => REFUSED,
            };
            filled(text, &[&named(outpoint)])
        }
        Event::Accepted { outpoints, .. } => {
            let sentences: Vec<String> = outpoints
                .iter()
                .map(|outpoint| filled(BY_HAND, &[&named(outpoint)]))
                .collect();
            sentences.join(" ")
        }
        Event::Cancelled { .. } => CANCELLED.of(language).to_owned(),
        Event::MadeEarlier { at } => filled(MADE_EARLIER, &[&times.minute(*at)]),
        Event::StateChanged { verdict, .. } => {
            let state = state_word(verdict.state).of(language);
            match verdict.reason.and_then(reason_word) {
                Some(reason) => filled(STATE_WITH, &[state, reason.of(language)]),
                None => filled(STATE, &[state]),
            }
        }
        Event::Restored { .. } => RESTORED.of(language).to_owned(),
        Event::Announced { announcement, .. } => filled(TOLD, &[announcement.as_str()]),
    }
}
