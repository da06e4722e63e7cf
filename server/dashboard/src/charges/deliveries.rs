//! What webhooks were told of a charge, and telling them again.

use bitpro_merchant::times::{self, Times};
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Permission};
use bitpro_service::charges::Snapshot;
use bitpro_service::webhooks::{WebhookError, WebhookId, Webhooks};
use bitpro_store::webhook::{ChargeDelivery, PastAttempt};
use futures::future::BoxFuture;
use maud::{Markup, html};

use super::actions::named;
use super::{charge_path, member, own_charge};
use crate::failures::{NO_ANSWER, failure};
use crate::layout;
use crate::refusals::Refusal;
use crate::route::{Member, Reply, Request, changed, see_other};

const DELIVERIES: Words = words("Webhook deliveries", "Livraisons aux webhooks");
const NONE: Words = words(
    "No event of this charge was sent to a webhook.",
    "Aucun événement de cet encaissement n’a été envoyé à un webhook.",
);
const EVENT: Words = words("Event", "Événement");
const URL: Words = words("To", "À");
const STATE: Words = words("Delivery", "Livraison");
const ATTEMPTS: Words = words("Attempts", "Tentatives");
const AGAIN: Words = words("Deliver again", "Livrer de nouveau");
const REMOVED: Words = words("webhook removed", "webhook supprimé");
const NEXT: Words = words("next attempt", "prochaine tentative");
const ACTION: Words = words("Action", "Action");

/// `POST /dashboard/{merchant}/charges/{charge}/redeliver`
pub(super) fn redeliver(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let member = member(&request)?;
        let snapshot = own_charge(&request, &member).await?;
        let id = |name| request.form.text(name).parse::<WebhookId>().ok();
        let (Some(webhook), Some(event)) = (id("webhook"), id("event")) else {
            return Err(Refusal::UNKNOWN_PAGE);
        };
        // The path says which charge is meant: an event of another one is not there.
        let deliveries = request.app.charges.deliveries_of(&snapshot).await?;
        let is_its_own = |known: &ChargeDelivery| known.webhook == webhook.0 && known.delivery.event == event.0;
        if !deliveries.iter().any(is_its_own) {
            return Err(Refusal::UNKNOWN_PAGE);
        }
        let path = charge_path(member.merchant.id, snapshot.charge.id);
        match again(&request, &member, webhook, event).await {
            Ok(()) => {
                let what = format!("{}: {event}", named(&snapshot));
                Ok(changed(&format!("{path}?done=redelivered#deliveries"), what))
            }
            Err(WebhookError::Store(error)) => Err(error.into()),
            // Removed since the page was shown.
            Err(_) => Ok(see_other(&format!("{path}?done=not-redelivered#deliveries")).unchanged()),
        }
    })
}

/// The change itself.
async fn again(request: &Request, member: &Member, webhook: WebhookId, event: WebhookId) -> Result<(), WebhookError> {
    let webhooks = Webhooks::of(request.app.charges.clone());
    webhooks
        .redeliver(Some(member.merchant.id), webhook, Some(event))
        .await?;
    Ok(())
}

/// The section of deliveries.
pub(super) fn section(
    request: &Request,
    member: &Member,
    snapshot: &Snapshot,
    deliveries: &[ChargeDelivery],
    times: Times<'_>,
) -> Markup {
    let language = request.language;
    let may_redeliver = member.role.may(Permission::Keys);
    html! {
        section.panel #deliveries aria-labelledby="deliveries-title" {
            h2 #deliveries-title { (DELIVERIES.of(language)) }
            @if deliveries.is_empty() {
                p { (NONE.of(language)) }
            } @else {
                div.scroll tabindex="0" role="group" aria-labelledby="deliveries-title" {
                    table {
                        thead {
                            tr {
                                th scope="col" { (EVENT.of(language)) }
                                th scope="col" { (URL.of(language)) }
                                th scope="col" { (STATE.of(language)) }
                                th scope="col" { (ATTEMPTS.of(language)) }
                                @if may_redeliver {
                                    th scope="col" { (ACTION.of(language)) }
                                }
                            }
                        }
                        tbody {
                            @for delivery in deliveries {
                                tr {
                                    (cells(delivery, times, language))
                                    @if may_redeliver {
                                        td { (button(request, snapshot, delivery)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cells(told: &ChargeDelivery, times: Times<'_>, language: Language) -> Markup {
    let delivery = &told.delivery;
    html! {
        td {
            code { (delivery.announcement.as_str()) } br;
            time.hint datetime=(times::machine(delivery.at)) { (times.second(delivery.at)) }
        }
        td.url {
            (told.url)
            @if told.is_removed {
                br; span.hint { (REMOVED.of(language)) }
            }
        }
        td {
            (state_word(&delivery.state).of(language))
            @if delivery.state == "pending" && !told.is_removed {
                br; span.hint { (NEXT.of(language)) " " (times.second(delivery.due_at)) }
            }
        }
        td {
            ol.attempts {
                @for attempt in &delivery.attempts {
                    li value=(attempt.attempt) { (made(attempt, times, language)) }
                }
            }
        }
    }
}

fn made(attempt: &PastAttempt, times: Times<'_>, language: Language) -> Markup {
    html! {
        @match (attempt.status, &attempt.failure) {
            (Some(status), _) => { "HTTP " (status) },
            (None, Some(text)) => (failure(text, language)),
            (None, None) => (NO_ANSWER.of(language)),
        }
        span.hint { " · " (times.second(attempt.at)) " · " (attempt.took_ms) " ms" }
        @if let Some(excerpt) = attempt.excerpt.as_deref().filter(|excerpt| !excerpt.is_empty()) {
            br; code.hint { (excerpt) }
        }
    }
}

fn button(request: &Request, snapshot: &Snapshot, told: &ChargeDelivery) -> Markup {
    let charge = &snapshot.charge;
    html! {
        @if !told.is_removed {
            form method="post" action={ (charge_path(charge.merchant, charge.id)) "/redeliver" } {
                (layout::csrf(request))
                input type="hidden" name="webhook" value=(WebhookId(told.webhook));
                input type="hidden" name="event" value=(WebhookId(told.delivery.event));
                button type="submit" {
                    (AGAIN.of(request.language))
                    span.unseen { " " (told.delivery.announcement.as_str()) ", " (told.url) }
                }
            }
        }
    }
}

fn state_word(state: &str) -> Words {
    match state {
        "delivered" => words("delivered", "livrée"),
        "given_up" => words("given up", "abandonnée"),
        "cancelled" => words("cancelled", "annulée"),
        _ => words("pending", "en attente"),
    }
}
