//! Keys of the merchant API: made, rotated, revoked.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitpro_merchant::keys::{ApiKey, KeyId, Scope, Scopes};
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Permission, Role};
use bitpro_service::charges::{IssuedKey, KeyError, MOST_KEYS};
use http::StatusCode;
use maud::{Markup, html};

use super::frame::{self, Tab, below, may_change};
use super::secret::{self, Shown};
use super::times::when;
use super::{Answering, change, overlap};
use crate::field::{Errors, Field};
use crate::layout::csrf;
use crate::refusals::Refusal;
use crate::route::{Reply, Request};

/// `GET /dashboard/{merchant}/settings/keys`
pub(super) fn show(request: Request) -> Answering {
    Box::pin(async move {
        let usual: Vec<Scope> = Scopes::default().iter().collect();
        draw(&request, StatusCode::OK, "", &usual, &Errors::none())
    })
}

/// `POST /dashboard/{merchant}/settings/keys`
pub(super) fn add(request: Request) -> Answering {
    Box::pin(async move {
        let name = request.form.text("name");
        let ticked: Vec<&str> = request.form.all("scope").collect();
        let chosen: Vec<Scope> = Scope::ALL
            .into_iter()
            .filter(|scope| ticked.contains(&scope.as_str()))
            .collect();
        let lang = request.language;
        let refused = |errors: &Errors| draw(&request, StatusCode::UNPROCESSABLE_ENTITY, name, &chosen, errors);
        let Ok(scopes) = ticked.join(" ").parse::<Scopes>() else {
            return refused(&Errors::of("scope", SCOPE_WANTED.of(lang)));
        };
        let role = request.member()?.role;
        if scopes.iter().any(|scope| !may_give(role, scope)) {
            return refused(&Errors::of("scope", NOT_YOURS.of(lang)));
        }
        match change::add_key(&request, name, scopes).await {
            Ok(issued) => made(&request, &issued, ADDED),
            Err(KeyError::Name(_)) => refused(&Errors::of("name", NAME_WANTED.of(lang))),
            Err(KeyError::TooMany) => {
                let most = MOST_KEYS.to_string();
                refused(&Errors::of("name", TOO_MANY.of(lang).replace("{most}", &most)))
            }
            Err(error) => Err(refusal(error)),
        }
    })
}

/// `POST /dashboard/{merchant}/settings/keys/{key}/rotate`
pub(super) fn rotate(request: Request) -> Answering {
    Box::pin(async move {
        let key = own(&request)?;
        if !may_rotate(request.member()?.role, &key) {
            return Err(Refusal::NotAllowed);
        }
        let issued = change::rotate_key(&request, key.id, overlap::chosen(&request.form)).await;
        made(&request, &issued.map_err(refusal)?, ROTATED)
    })
}

/// `POST /dashboard/{merchant}/settings/keys/{key}/revoke`
pub(super) fn revoke(request: Request) -> Answering {
    Box::pin(async move {
        let key = own(&request)?;
        let revoked = change::revoke_key(&request, key.id).await.map_err(refusal)?;
        Ok(frame::done(request.member()?, Tab::Keys, "revoked", revoked.named()))
    })
}

/// The key in the path, if it is the merchant's own: another merchant's is as unknown as none.
fn own(request: &Request) -> Result<Arc<ApiKey>, Refusal> {
    let merchant = request.member()?.merchant.id;
    let id: Option<KeyId> = request.params.first().and_then(|text| text.parse().ok());
    id.and_then(|id| request.app.charges.key(id))
        .filter(|key| key.merchant == merchant)
        .ok_or(Refusal::UNKNOWN_PAGE)
}

/// Whether somebody may be shown the secret of a key with `scope`: a key lets nobody accept money who may not do so by hand (R14).
const fn may_give(role: Role, scope: Scope) -> bool {
    match scope {
        Scope::ChargesAccept => role.may(Permission::Accept),
        Scope::ChargesRead | Scope::ChargesWrite | Scope::WebhooksWrite => true,
    }
}

fn may_rotate(role: Role, key: &ApiKey) -> bool {
    key.scopes.iter().all(|scope| may_give(role, scope))
}

fn refusal(error: KeyError) -> Refusal {
    match error {
        KeyError::Store(error) => error.into(),
        // A key that was revoked meanwhile is as good as none.
        KeyError::UnknownMerchant | KeyError::UnknownKey | KeyError::Revoked => Refusal::UNKNOWN_PAGE,
        KeyError::Name(_) | KeyError::Overlap(_) | KeyError::TooMany => {
            Refusal::malformed_form(StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

fn made(request: &Request, issued: &IssuedKey, title: Words) -> Result<Reply, Refusal> {
    let mut facts = vec![
        (KEY_ID, html! { code { (issued.key.id) } }),
        (NAME, html! { (issued.key.name) }),
        (SCOPES, html! { (issued.key.scopes) }),
    ];
    if let Some(until) = issued.overlap_until {
        facts.push((FORMER_UNTIL, when(request, until)));
    }
    secret::show(
        request,
        Tab::Keys,
        Shown {
            title,
            label: SECRET,
            secret: &STANDARD.encode(issued.secret),
            facts,
            advice: ADVICE,
            what: issued.key.named(),
        },
    )
}

fn draw(
    request: &Request,
    status: StatusCode,
    name: &str,
    ticked: &[Scope],
    errors: &Errors,
) -> Result<Reply, Refusal> {
    let member = request.member()?;
    let lang = request.language;
    let path = below(member, Tab::Keys.path());
    let is_locked = !may_change(member, Tab::Keys);
    let keys = request.app.charges.keys(Some(member.merchant.id));
    let content = html! {
        (errors.summary(lang))
        p { (EXPLAINED.of(lang)) " " a href=(request.guide("/docs")) { (REFERENCE.of(lang)) } }
        section.panel aria-labelledby="keys" {
            h2 #keys { (KEYS.of(lang)) }
            @if keys.is_empty() { p { (NO_KEYS.of(lang)) } }
            @else {
                ul.cards {
                    @for key in &keys { li { (card(request, key, &path, is_locked, may_rotate(member.role, key))) } }
                }
            }
        }
        @if !is_locked {
            section.panel aria-labelledby="add" {
                h2 #add { (ADD.of(lang)) }
                form method="post" action=(path) {
                    (csrf(request))
                    (Field::new("name", NAME.of(lang))
                        .value(name).hint(NAME_HINT.of(lang)).errors(errors).longest(60).required().autocomplete("off").input())
                    (scope_boxes(member.role, ticked, errors, lang))
                    button.main type="submit" { (ADD.of(lang)) }
                }
            }
        }
    };
    frame::page(request, status, Tab::Keys, &[("revoked", REVOKED_DONE)], &content)
}

fn card(request: &Request, key: &ApiKey, path: &str, is_locked: bool, may_rotate: bool) -> Markup {
    let lang = request.language;
    let overlap = format!("overlap-{}", key.id);
    html! {
        h3 { (key.name) }
        dl.facts {
            dt { (KEY_ID.of(lang)) } dd { code { (key.id) } }
            dt { (SCOPES.of(lang)) } dd { @for scope in key.scopes.iter() { span.chip { (scope.as_str()) } " " } }
            dt { (MADE.of(lang)) } dd { (when(request, key.created_at)) }
            dt { (USED.of(lang)) } dd { @if let Some(at) = key.last_used_at() { (when(request, at)) } @else { (NEVER.of(lang)) } }
            @if let Some(at) = key.revoked_at { dt { span.chip.bad { (REVOKED.of(lang)) } } dd { (when(request, at)) } }
        }
        @if !is_locked && key.revoked_at.is_none() {
            @if may_rotate { details.more {
                summary { (ROTATE.of(lang)) span.unseen { " " (key.name) } }
                form method="post" action={ (path) "/" (key.id) "/rotate" } {
                    (csrf(request))
                    (overlap::choice(&overlap, lang))
                    button type="submit" { (NEW_SECRET.of(lang)) }
                }
            } }
            details.more {
                summary { (REVOKE.of(lang)) span.unseen { " " (key.name) } }
                form method="post" action={ (path) "/" (key.id) "/revoke" } {
                    (csrf(request))
                    p { (REVOKE_MEANS.of(lang)) }
                    button.grave type="submit" { (REVOKE_NOW.of(lang)) }
                }
            }
        }
    }
}

fn scope_boxes(role: Role, ticked: &[Scope], errors: &Errors, lang: Language) -> Markup {
    let error = errors.get("scope");
    html! {
        div.field role="group" aria-labelledby="scopes-label" aria-describedby=[error.map(|_| "scope-error")] {
            span.label #scopes-label { (SCOPES.of(lang)) }
            @if let Some(error) = error { p.wrong #scope-error { (error) } }
            @for scope in Scope::ALL.into_iter().filter(|&scope| may_give(role, scope)) {
                (Field::new("scope", meaning(scope).of(lang))
                    .id(scope.as_str()).value(scope.as_str()).checkbox(ticked.contains(&scope)))
            }
        }
    }
}

fn meaning(scope: Scope) -> Words {
    match scope {
        Scope::ChargesRead => words(
            "View charges (charges:read)",
            "Consulter les encaissements (charges:read)",
        ),
        Scope::ChargesWrite => words(
            "Create and cancel charges (charges:write)",
            "Créer et annuler des encaissements (charges:write)",
        ),
        Scope::ChargesAccept => words(
            "Accept late or wrong amounts (charges:accept)",
            "Accepter des montants tardifs ou inexacts (charges:accept)",
        ),
        Scope::WebhooksWrite => words(
            "Set up webhooks (webhooks:write)",
            "Configurer les webhooks (webhooks:write)",
        ),
    }
}

const EXPLAINED: Words = words(
    "Your server signs its API requests with a key. The ID of the first key is your merchant ID. No key can change your wallet.",
    "Votre serveur signe ses requêtes à l’API avec une clé. La première clé a pour identifiant votre Merchant ID. Aucune clé ne peut changer de portefeuille.",
);
const REFERENCE: Words = words("API reference", "Référence de l’API");
const KEYS: Words = words("Keys", "Clés");
const NO_KEYS: Words = words("No keys yet.", "Aucune clé pour le moment.");
const NAME: Words = words("Name", "Nom");
const NAME_HINT: Words = words(
    "For example “shop server”.",
    "Par exemple «\u{a0}serveur de la boutique\u{a0}».",
);
pub(super) const NAME_WANTED: Words = words(
    "Enter a name of 1 to 60 visible characters.",
    "Saisissez un nom de 1 à 60 caractères visibles.",
);
const TOO_MANY: Words = words(
    "You already have {most} keys, the maximum. First revoke one that you no longer use.",
    "Vous avez déjà {most} clés, le maximum. Révoquez d’abord une clé dont vous ne vous servez plus.",
);
const KEY_ID: Words = words("Key ID", "Identifiant");
const SCOPES: Words = words("What it may do", "Ce qu’elle permet");
pub(super) const SCOPE_WANTED: Words = words("Tick at least one.", "Cochez-en au moins un.");
const NOT_YOURS: Words = words(
    "Your role cannot accept payments, so your keys cannot either. Ask an owner to create this key.",
    "Votre rôle ne permet pas d’accepter des paiements\u{a0}: vos clés non plus. Demandez à un propriétaire de créer celle-ci.",
);
const MADE: Words = words("Created", "Créée");
const USED: Words = words("Last used", "Dernier usage");
const NEVER: Words = words("never", "jamais");
const ADD: Words = words("Add a key", "Ajouter une clé");
const ADDED: Words = words("Key created", "Clé créée");
const ROTATE: Words = words("Rotate", "Renouveler");
const NEW_SECRET: Words = words("Create a new secret", "Créer un nouveau secret");
const ROTATED: Words = words("The key has a new secret", "La clé a un nouveau secret");
const REVOKE: Words = words("Revoke", "Révoquer");
const REVOKE_MEANS: Words = words(
    "Requests signed with this key will be refused. You cannot undo this.",
    "Les requêtes signées avec cette clé seront refusées. Cette action est irréversible.",
);
const REVOKE_NOW: Words = words("Revoke permanently", "Révoquer définitivement");
const REVOKED: Words = words("Revoked", "Révoquée");
const REVOKED_DONE: Words = words("Key revoked.", "Clé révoquée.");
const SECRET: Words = words("Secret", "Secret");
const ADVICE: Words = words(
    "Keep it on your server only, in base64 as shown here. We store it encrypted.",
    "Gardez-le uniquement sur votre serveur, en base64 comme affiché ici. Nous le conservons chiffré.",
);
const FORMER_UNTIL: Words = words(
    "The previous secret stays valid until",
    "L’ancien secret reste valable jusqu’au",
);
