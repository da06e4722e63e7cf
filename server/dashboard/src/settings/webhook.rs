//! One webhook: test it, give it a new secret, deliver again, remove it; and what became of its deliveries.

use bitpro_merchant::Language;
use bitpro_merchant::words::{Words, words};
use bitpro_service::webhooks::{DeliveryReport, PastAttemptReport, TestReport, WebhookId, WebhookReport, Webhooks};
use http::StatusCode;
use maud::{Markup, html};

use super::frame::{self, Tab, below, may_change};
use super::times::when_written;
use super::webhook_words::{class, delivery};
use super::webhooks::{condition, refusal, with_secret};
use super::{Answering, change, overlap};
use crate::failures::{NO_ANSWER, failure};
use crate::layout::csrf;
use crate::refusals::Refusal;
use crate::route::{Reply, Request, changed};

/// Deliveries on a page.
const PAGE: u32 = 25;

/// `GET /dashboard/{merchant}/settings/webhooks/{webhook}`: with `?before=`, older deliveries.
pub(super) fn show(request: Request) -> Answering {
    Box::pin(async move { draw(&request, None).await })
}

/// `POST /dashboard/{merchant}/settings/webhooks/{webhook}/test`: the answer says what came of it, which is kept nowhere.
pub(super) fn test(request: Request) -> Answering {
    Box::pin(async move {
        let merchant = request.member()?.merchant.id;
        request.app.accounts.test_of(merchant)?;
        let webhooks = Webhooks::of(request.app.charges.clone());
        let tested = webhooks.test(Some(merchant), id(&request)?).await.map_err(refusal)?;
        draw(&request, Some(&tested)).await
    })
}

/// `POST /dashboard/{merchant}/settings/webhooks/{webhook}/rotate`
pub(super) fn rotate(request: Request) -> Answering {
    Box::pin(async move {
        let made = change::rotate_webhook(&request, id(&request)?, overlap::chosen(&request.form)).await;
        with_secret(&request, &made.map_err(refusal)?, ROTATED)
    })
}

/// `POST /dashboard/{merchant}/settings/webhooks/{webhook}/redeliver`: one event, or all that did not arrive.
pub(super) fn redeliver(request: Request) -> Answering {
    Box::pin(async move {
        let id = id(&request)?;
        let event = match request.form.text("event") {
            "" => None,
            text => Some(text.parse::<WebhookId>().map_err(|_| Refusal::UNKNOWN_PAGE)?),
        };
        change::redeliver(&request, id, event).await.map_err(refusal)?;
        let path = below(request.member()?, Tab::Webhooks.path());
        Ok(changed(&format!("{path}/{id}?done=due"), id.to_string()))
    })
}

/// `POST /dashboard/{merchant}/settings/webhooks/{webhook}/remove`
pub(super) fn remove(request: Request) -> Answering {
    Box::pin(async move {
        let id = id(&request)?;
        change::remove_webhook(&request, id).await.map_err(refusal)?;
        Ok(frame::done(request.member()?, Tab::Webhooks, "removed", id.to_string()))
    })
}

fn id(request: &Request) -> Result<WebhookId, Refusal> {
    let id = request.params.first().and_then(|text| text.parse().ok());
    id.ok_or(Refusal::UNKNOWN_PAGE)
}

async fn draw(request: &Request, tested: Option<&TestReport>) -> Result<Reply, Refusal> {
    let member = request.member()?;
    let lang = request.language;
    let (merchant, id) = (Some(member.merchant.id), id(request)?);
    let webhooks = Webhooks::of(request.app.charges.clone());
    let webhook = webhooks.show(merchant, id).await.map_err(refusal)?;
    let before: Option<i64> = request.query.text("before").parse().ok();
    let mut deliveries = webhooks
        .deliveries(merchant, id, before, PAGE + 1)
        .await
        .map_err(refusal)?;
    let has_more = deliveries.len() > PAGE as usize;
    deliveries.truncate(PAGE as usize);
    let list = below(member, Tab::Webhooks.path());
    let path = format!("{list}/{id}");
    let is_locked = !may_change(member, Tab::Webhooks);
    let content = html! {
        p { a href=(list) { (ALL.of(lang)) } }
        @if let Some(tested) = tested { (test_result(tested, request)) }
        (facts(&webhook, request))
        @if !is_locked { (actions(&webhook, request, &path)) }
        section.panel aria-labelledby="deliveries" {
            h2 #deliveries { (DELIVERIES.of(lang)) }
            @if deliveries.is_empty() { p { (NO_DELIVERIES.of(lang)) } }
            @else { (table(&deliveries, request, &path, is_locked)) }
            @if let Some(last) = deliveries.last().filter(|_| has_more) {
                p { a href={ (path) "?before=" (last.number) } { (OLDER.of(lang)) } }
            }
        }
    };
    frame::page(request, StatusCode::OK, Tab::Webhooks, &[("due", DUE)], &content)
}

fn facts(webhook: &WebhookReport, request: &Request) -> Markup {
    let lang = request.language;
    html! {
        section.panel aria-labelledby="webhook" {
            h2 #webhook { code { (webhook.state) } }
            dl.facts {
                dt { (ADDRESS.of(lang)) } dd { code { (webhook.url) } }
                dt { (CONDITION.of(lang)) } dd { (condition(webhook, request)) }
                dt { (ADDED.of(lang)) } dd { (when_written(request, &webhook.created_at)) }
                dt { (PENDING.of(lang)) } dd { (webhook.pending) }
                @if let Some(until) = &webhook.former_secret_until {
                    dt { (FORMER_UNTIL.of(lang)) } dd { (when_written(request, until)) }
                }
            }
            @if webhook.paused_at.is_some() { p.note.bad { (PAUSED_MEANS.of(lang)) } }
        }
    }
}

fn actions(webhook: &WebhookReport, request: &Request, path: &str) -> Markup {
    let lang = request.language;
    html! {
        section.panel aria-labelledby="actions" {
            h2 #actions { (ACTIONS.of(lang)) }
            div.actions {
                form method="post" action={ (path) "/test" } {
                    (csrf(request))
                    button type="submit" { (TEST.of(lang)) }
                }
                form method="post" action={ (path) "/redeliver" } {
                    (csrf(request))
                    button type="submit" {
                        @if webhook.paused_at.is_some() { (GO_ON.of(lang)) } @else { (REDELIVER_ALL.of(lang)) }
                    }
                }
            }
            p.hint { (TEST_MEANS.of(lang)) }
            details.more {
                summary { (ROTATE.of(lang)) }
                form method="post" action={ (path) "/rotate" } {
                    (csrf(request))
                    (overlap::choice("overlap", lang))
                    button type="submit" { (ROTATE_NOW.of(lang)) }
                }
            }
            details.more {
                summary { (REMOVE.of(lang)) }
                form method="post" action={ (path) "/remove" } {
                    (csrf(request))
                    p { (REMOVE_MEANS.of(lang)) }
                    button.grave type="submit" { (REMOVE_NOW.of(lang)) }
                }
            }
        }
    }
}

fn test_result(tested: &TestReport, request: &Request) -> Markup {
    let lang = request.language;
    html! {
        div #tested role="status" class=(if tested.delivered { "note good" } else { "note bad" }) {
            p {
                @if tested.delivered { (TEST_ARRIVED.of(lang)) } @else { (TEST_FAILED.of(lang)) } " "
                (outcome(tested.status, tested.failure.as_deref(), tested.took_ms, lang))
            }
            @if let Some(excerpt) = &tested.excerpt { pre { (excerpt) } }
        }
    }
}

/// What an attempt came to: `204, 35 ms`.
fn outcome(status: Option<u16>, text: Option<&str>, took_ms: u64, lang: Language) -> Markup {
    html! {
        @match (status, text) {
            (Some(status), _) => (status),
            (None, Some(text)) => (failure(text, lang)),
            (None, None) => (NO_ANSWER.of(lang)),
        }
        ", " (took_ms) "\u{a0}ms"
    }
}

fn table(deliveries: &[DeliveryReport], request: &Request, path: &str, is_locked: bool) -> Markup {
    let lang = request.language;
    html! {
        div.scroll tabindex="0" role="group" aria-labelledby="deliveries" {
            table {
                thead { tr {
                    th scope="col" { (HAPPENED.of(lang)) }
                    th scope="col" { (CONDITION.of(lang)) }
                    th scope="col" { (ATTEMPTS.of(lang)) }
                    @if !is_locked { th scope="col" { (ACTIONS.of(lang)) } }
                } }
                tbody {
                    @for delivered in deliveries {
                        tr {
                            th.plain scope="row" { (when_written(request, &delivered.occured_at)) br; code { (delivered.event_id) } }
                            td {
                                span class=(class(&delivered.state)) { (delivery(&delivered.state).of(lang)) }
                                @if let Some(next) = &delivered.next_attempt_at {
                                    br; (NEXT.of(lang)) " " (when_written(request, next))
                                }
                                @if delivered.superseded_by.is_some() { br; (SUPERSEDED.of(lang)) }
                            }
                            td { (attempts(&delivered.attempts, request)) }
                            @if !is_locked {
                                td {
                                    form method="post" action={ (path) "/redeliver" } {
                                        (csrf(request))
                                        input type="hidden" name="event" value=(delivered.event_id);
                                        button type="submit" {
                                            (REDELIVER.of(lang)) span.unseen { " " (delivered.event_id) }
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
}

fn attempts(attempts: &[PastAttemptReport], request: &Request) -> Markup {
    let lang = request.language;
    let Some(last) = attempts.iter().max_by_key(|past| past.attempt) else {
        return html! { (NONE_YET.of(lang)) };
    };
    html! {
        details.more {
            summary { (last.attempt) " · " (outcome(last.status, last.failure.as_deref(), last.took_ms, lang)) }
            ol.attempts {
                @for past in attempts {
                    li value=(past.attempt) {
                        (when_written(request, &past.at)) " · " (outcome(past.status, past.failure.as_deref(), past.took_ms, lang))
                        @if let Some(excerpt) = &past.excerpt { pre { (excerpt) } }
                    }
                }
            }
        }
    }
}

const ALL: Words = words("← All webhooks", "← Tous les webhooks");
const ADDRESS: Words = words("Address", "Adresse");
const CONDITION: Words = words("State", "État");
const ADDED: Words = words("Added", "Ajouté");
const PENDING: Words = words("Pending", "En attente");
const FORMER_UNTIL: Words = words(
    "The previous secret stays valid until",
    "L’ancien secret reste valable jusqu’au",
);
const PAUSED_MEANS: Words = words(
    "Your server answered 410 (gone), so we stopped sending. Missed events are kept and delivered when you resume.",
    "Votre serveur a répondu 410 (disparu)\u{a0}: nous n’envoyons plus rien. Les événements manqués sont conservés, et livrés à la reprise.",
);
const ACTIONS: Words = words("Actions", "Actions");
const TEST: Words = words("Send a test", "Envoyer un test");
const TEST_MEANS: Words = words(
    "Sends one test event now. It is marked as a test, and names no order.",
    "Envoie maintenant un événement de test. Il est marqué comme un test, et ne cite aucune commande.",
);
const TEST_ARRIVED: Words = words("The test arrived:", "Le test est arrivé\u{a0}:");
const TEST_FAILED: Words = words("The test failed:", "Le test a échoué\u{a0}:");
const REDELIVER_ALL: Words = words("Redeliver failed events", "Livrer de nouveau les échecs");
const GO_ON: Words = words(
    "Resume and deliver missed events",
    "Reprendre et livrer les événements manqués",
);
const DUE: Words = words("Delivery started.", "Livraison lancée.");
const REDELIVER: Words = words("Deliver again", "Livrer de nouveau");
const ROTATE: Words = words("New secret", "Nouveau secret");
const ROTATE_NOW: Words = words("Create a new secret", "Créer un nouveau secret");
const ROTATED: Words = words("The webhook has a new secret", "Le webhook a un nouveau secret");
const REMOVE: Words = words("Remove", "Supprimer");
const REMOVE_MEANS: Words = words(
    "Pending deliveries are cancelled.",
    "Les livraisons en attente sont annulées.",
);
const REMOVE_NOW: Words = words("Remove the webhook", "Supprimer le webhook");
const DELIVERIES: Words = words("Latest deliveries", "Dernières livraisons");
const NO_DELIVERIES: Words = words("No deliveries yet.", "Aucune livraison pour le moment.");
const OLDER: Words = words("Older", "Plus anciennes");
const HAPPENED: Words = words("Event", "Événement");
const ATTEMPTS: Words = words("Attempts", "Tentatives");
const NEXT: Words = words("next attempt", "prochaine tentative");
const SUPERSEDED: Words = words(
    "A newer event arrived before it.",
    "Un événement plus récent est arrivé avant.",
);
const NONE_YET: Words = words("none yet", "aucune");
