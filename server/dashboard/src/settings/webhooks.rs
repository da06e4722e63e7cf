//! The list of webhooks: one event, one address each.

use bitpro_charge::Announcement;
use bitpro_merchant::words::{Words, words};
use bitpro_service::webhooks::{WebhookError, WebhookReport, Webhooks};
use http::StatusCode;
use maud::{Markup, html};

use super::frame::{self, Tab, below, may_change};
use super::secret::{self, Shown};
use super::times::when_written;
use super::webhook_words::{event, fault};
use super::{Answering, change};
use crate::field::{Errors, Field};
use crate::layout::csrf;
use crate::refusals::Refusal;
use crate::route::{Reply, Request};

/// `GET /dashboard/{merchant}/settings/webhooks`
pub(super) fn show(request: Request) -> Answering {
    Box::pin(async move { draw(&request, StatusCode::OK, &Errors::none()).await })
}

/// `POST /dashboard/{merchant}/settings/webhooks`
pub(super) fn add(request: Request) -> Answering {
    Box::pin(async move {
        let added = change::add_webhook(&request, request.form.text("state"), request.form.text("url")).await;
        match added {
            Ok(made) => with_secret(&request, &made, ADDED),
            Err(error) => match fault(&error, request.language) {
                Some((field, said)) => draw(&request, StatusCode::UNPROCESSABLE_ENTITY, &Errors::of(field, said)).await,
                None => Err(refusal(error)),
            },
        }
    })
}

/// The page with the secret of a webhook that was just made or got a new one.
pub(super) fn with_secret(request: &Request, made: &WebhookReport, title: Words) -> Result<Reply, Refusal> {
    let mut facts = vec![
        (EVENT, html! { code { (made.state) } }),
        (ADDRESS, html! { code { (made.url) } }),
    ];
    if let Some(until) = &made.former_secret_until {
        facts.push((FORMER_UNTIL, when_written(request, until)));
    }
    let shown = Shown {
        title,
        label: SECRET,
        secret: made.secret.as_deref().unwrap_or_default(),
        facts,
        advice: ADVICE,
        what: format!("{} {} {}", made.id, made.state, made.url),
    };
    secret::show(request, Tab::Webhooks, shown)
}

/// What a webhook's page answers when it cannot do what it was asked for.
pub(super) fn refusal(error: WebhookError) -> Refusal {
    match error {
        WebhookError::Store(error) => error.into(),
        WebhookError::Seal(error) => error.into(),
        WebhookError::UnknownMerchant | WebhookError::Unknown | WebhookError::UnknownEvent => Refusal::UNKNOWN_PAGE,
        _ => Refusal::malformed_form(StatusCode::UNPROCESSABLE_ENTITY),
    }
}

async fn draw(request: &Request, status: StatusCode, errors: &Errors) -> Result<Reply, Refusal> {
    let member = request.member()?;
    let lang = request.language;
    let path = below(member, Tab::Webhooks.path());
    let is_locked = !may_change(member, Tab::Webhooks);
    let webhooks = Webhooks::of(request.app.charges.clone());
    let webhooks = webhooks.list(Some(member.merchant.id)).await.map_err(refusal)?;
    let choices = Announcement::ALL.map(|known| {
        (
            known.as_str(),
            format!("{} – {}", known.as_str(), event(known).of(lang)),
        )
    });
    let options: Vec<(&str, &str)> = choices.iter().map(|(value, said)| (*value, said.as_str())).collect();
    let content = html! {
        (errors.summary(lang))
        p { (EXPLAINED.of(lang)) " " a href=(request.guide("/docs/webhooks")) { (GUIDE.of(lang)) } }
        section.panel aria-labelledby="webhooks" {
            h2 #webhooks { (WEBHOOKS.of(lang)) }
            @if webhooks.is_empty() { p { (NONE.of(lang)) } }
            @else { (table(request, &webhooks, &path)) }
        }
        @if !is_locked {
            section.panel aria-labelledby="add" {
                h2 #add { (ADD.of(lang)) }
                form method="post" action=(path) {
                    (csrf(request))
                    (Field::new("state", EVENT.of(lang)).value(request.form.text("state")).errors(errors).select(&options))
                    (Field::new("url", ADDRESS.of(lang))
                        .value(request.form.text("url")).hint(ADDRESS_HINT.of(lang)).errors(errors)
                        .inputmode("url").longest(2_000).required().autocomplete("off").input())
                    button.main type="submit" { (ADD.of(lang)) }
                }
            }
        }
    };
    frame::page(request, status, Tab::Webhooks, &[("removed", REMOVED)], &content)
}

fn table(request: &Request, webhooks: &[WebhookReport], path: &str) -> Markup {
    let lang = request.language;
    html! {
        div.scroll tabindex="0" role="group" aria-labelledby="webhooks" {
            table {
                thead { tr {
                    th scope="col" { (ADDRESS.of(lang)) }
                    th scope="col" { (EVENT.of(lang)) }
                    th scope="col" { (CONDITION.of(lang)) }
                    th.number scope="col" { (PENDING.of(lang)) }
                } }
                tbody {
                    @for webhook in webhooks {
                        tr {
                            th.plain scope="row" { a href={ (path) "/" (webhook.id) } { (webhook.url) } }
                            td { code { (webhook.state) } }
                            td { (condition(webhook, request)) }
                            td.number { (webhook.pending) }
                        }
                    }
                }
            }
        }
    }
}

/// Whether a webhook is told anything now.
pub(super) fn condition(webhook: &WebhookReport, request: &Request) -> Markup {
    let lang = request.language;
    html! {
        @match &webhook.paused_at {
            None => { span.chip.good { (ACTIVE.of(lang)) } }
            Some(since) => { span.chip.bad { (PAUSED.of(lang)) } " " (when_written(request, since)) }
        }
    }
}

const EXPLAINED: Words = words(
    "We tell your server what happens to a charge. Before you ship, verify the signature, and compare the amount and order ID with your own order.",
    "Nous informons votre serveur de ce qui arrive à un encaissement. Avant d’expédier, vérifiez la signature, et comparez le montant et le numéro avec votre commande.",
);
const GUIDE: Words = words("Guide to webhooks", "Guide des webhooks");
const WEBHOOKS: Words = words("Webhooks", "Webhooks");
const NONE: Words = words("No webhooks yet.", "Aucun webhook pour le moment.");
const ADD: Words = words("Add a webhook", "Ajouter un webhook");
const ADDED: Words = words("Webhook added", "Webhook ajouté");
const REMOVED: Words = words("Webhook removed.", "Webhook supprimé.");
const EVENT: Words = words("Event", "Événement");
const ADDRESS: Words = words("Address", "Adresse");
const ADDRESS_HINT: Words = words(
    "An https address of your server, such as https://shop.example/webhooks.",
    "Une adresse https de votre serveur, comme https://boutique.example/webhooks.",
);
const CONDITION: Words = words("State", "État");
const PENDING: Words = words("Pending", "En attente");
const ACTIVE: Words = words("active", "actif");
const PAUSED: Words = words("paused since", "en pause depuis");
const SECRET: Words = words("Signing secret", "Secret de signature");
const ADVICE: Words = words(
    "Your server verifies our deliveries with it. Keep it on your server only.",
    "Votre serveur vérifie nos livraisons avec ce secret. Gardez-le uniquement sur votre serveur.",
);
const FORMER_UNTIL: Words = words(
    "The previous secret stays valid until",
    "L’ancien secret reste valable jusqu’au",
);
