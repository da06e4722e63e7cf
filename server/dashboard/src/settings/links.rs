//! Link signing: whether links must be signed, and the keys that sign them (R21).

use bitpro_base::links::SealedLinkKey;
use bitpro_merchant::SettingsPatch;
use bitpro_merchant::words::{Words, words};
use bitpro_service::charges::{LinkKeyError, MerchantChanges};
use http::StatusCode;
use maud::{Markup, html};

use super::change::{self, change_merchant};
use super::frame::{self, Tab, below, may_change};
use super::secret::{self, Shown};
use super::times::when;
use super::{Answering, overlap};
use crate::field::Field;
use crate::layout::csrf;
use crate::refusals::Refusal;
use crate::route::Request;

/// `GET /dashboard/{merchant}/settings/links`
pub(super) fn show(request: Request) -> Answering {
    Box::pin(async move {
        let member = request.member()?;
        let lang = request.language;
        let path = below(member, Tab::Links.path());
        let is_locked = !may_change(member, Tab::Links);
        let keys = request.app.charges.link_keys(member.merchant.id).map_err(refusal)?;
        let is_required = member.merchant.settings.require_signed_links;
        let has_key = keys.iter().any(|key| key.ends_at.is_none());
        let content = html! {
            p { (EXPLAINED.of(lang)) " " a href=(request.guide("/docs/signed-links")) { (GUIDE.of(lang)) } }
            @if is_required && !has_key { p.note.bad { (REQUIRED_WITHOUT_KEY.of(lang)) } }
            section.panel aria-labelledby="keys" {
                h2 #keys { (KEYS.of(lang)) }
                @if keys.is_empty() { p { (NO_KEYS.of(lang)) } }
                @else {
                    ul.cards {
                        @for key in keys.iter().rev() { li { (card(&request, key, &path, is_locked)) } }
                    }
                }
                @if !is_locked {
                    form method="post" action={ (path) "/rotate" } {
                        (csrf(&request))
                        @if has_key { (overlap::choice("overlap", lang)) }
                        button.main type="submit" { @if has_key { (ROTATE.of(lang)) } @else { (MAKE.of(lang)) } }
                    }
                }
            }
            section.panel aria-labelledby="require" {
                h2 #require { (REQUIRE.of(lang)) }
                form method="post" action=(path) {
                    (csrf(&request))
                    (Field::new("require_signed_links", REQUIRE_LABEL.of(lang))
                        .hint(REQUIRE_HINT.of(lang)).locked(is_locked).checkbox(is_required))
                    @if !is_locked { button type="submit" { (SAVE.of(lang)) } }
                }
            }
        };
        frame::page(&request, StatusCode::OK, Tab::Links, &DONE, &content)
    })
}

/// `POST /dashboard/{merchant}/settings/links`
pub(super) fn save(request: Request) -> Answering {
    Box::pin(async move {
        let member = request.member()?;
        let is_wanted = request.form.has("require_signed_links");
        let (is_required, word) = if is_wanted {
            ("yes", "required")
        } else {
            ("no", "optional")
        };
        if is_wanted == member.merchant.settings.require_signed_links {
            return Ok(frame::unchanged(member, Tab::Links, word));
        }
        let changes = MerchantChanges {
            settings: SettingsPatch {
                require_signed_links: Some(is_wanted),
                ..SettingsPatch::default()
            },
            ..MerchantChanges::default()
        };
        // It contradicts no other setting.
        let _ = change_merchant(&request, changes).await?;
        Ok(frame::done(
            member,
            Tab::Links,
            word,
            format!("require_signed_links = {is_required}"),
        ))
    })
}

/// `POST /dashboard/{merchant}/settings/links/rotate`
pub(super) fn rotate(request: Request) -> Answering {
    Box::pin(async move {
        let made = change::rotate_link_key(&request, overlap::chosen(&request.form)).await;
        let made = made.map_err(refusal)?;
        let mut facts = vec![(KEY_ID, html! { code { (hex::encode(made.id)) } })];
        if let Some(until) = made.previous_until {
            facts.push((FORMER_UNTIL, when(&request, until)));
        }
        let key = made.key.reveal();
        let shown = Shown {
            title: MADE,
            label: SECRET,
            secret: &key,
            facts,
            advice: ADVICE,
            what: hex::encode(made.id),
        };
        secret::show(&request, Tab::Links, shown)
    })
}

/// `POST /dashboard/{merchant}/settings/links/{key}/remove`
pub(super) fn remove(request: Request) -> Answering {
    Box::pin(async move {
        let mut id = [0; 16];
        let text = request.params.first().map_or("", String::as_str);
        hex::decode_to_slice(text, &mut id).map_err(|_| Refusal::UNKNOWN_PAGE)?;
        change::revoke_link_key(&request, id).await.map_err(refusal)?;
        Ok(frame::done(request.member()?, Tab::Links, "removed", text))
    })
}

fn card(request: &Request, key: &SealedLinkKey, path: &str, is_locked: bool) -> Markup {
    let lang = request.language;
    let id = hex::encode(key.id);
    html! {
        p {
            code { (id) } " "
            @match key.ends_at {
                None => { span.chip.good { (SIGNS.of(lang)) } }
                Some(until) => { span.chip { (COUNTS_UNTIL.of(lang)) " " (when(request, until)) } }
            }
        }
        p.hint { (MADE_AT.of(lang)) " " (when(request, key.created_at)) }
        @if !is_locked {
            details.more {
                summary { (REMOVE.of(lang)) span.unseen { " " (id) } }
                form method="post" action={ (path) "/" (id) "/remove" } {
                    (csrf(request))
                    p { (REMOVE_MEANS.of(lang)) }
                    button.grave type="submit" { (REMOVE_NOW.of(lang)) }
                }
            }
        }
    }
}

fn refusal(error: LinkKeyError) -> Refusal {
    match error {
        LinkKeyError::Store(error) => error.into(),
        LinkKeyError::Seal(error) => error.into(),
        LinkKeyError::UnknownMerchant | LinkKeyError::UnknownKey | LinkKeyError::NoKey => Refusal::UNKNOWN_PAGE,
    }
}

const DONE: [(&str, Words); 3] = [
    (
        "required",
        words(
            "Saved. Unsigned links are now refused.",
            "Enregistré. Les liens non signés sont désormais refusés.",
        ),
    ),
    (
        "optional",
        words(
            "Saved. Unsigned links are now accepted too.",
            "Enregistré. Les liens non signés sont désormais aussi acceptés.",
        ),
    ),
    ("removed", words("Key removed.", "Clé supprimée.")),
];
const EXPLAINED: Words = words(
    "Anyone can edit a payment link before following it. With a signed link, your server vouches for the price and the order: an edited link creates no charge.",
    "N’importe qui peut modifier un lien de paiement avant de le suivre. Avec un lien signé, votre serveur garantit le prix et la commande\u{a0}: modifié, le lien ne crée aucun encaissement.",
);
const GUIDE: Words = words("How to sign links", "Comment signer les liens");
const REQUIRED_WITHOUT_KEY: Words = words(
    "Signed links are required, but there is no key: no link can create a charge.",
    "Les liens signés sont exigés, mais il n’y a pas de clé\u{a0}: aucun lien ne peut créer d’encaissement.",
);
const KEYS: Words = words("Link keys", "Clés de signature");
const NO_KEYS: Words = words("No keys yet.", "Aucune clé pour le moment.");
const KEY_ID: Words = words("Key ID", "Identifiant");
const MAKE: Words = words("Create a link key", "Créer une clé de signature");
const ROTATE: Words = words("Create a new key", "Créer une nouvelle clé");
const MADE: Words = words("Link key created", "Clé de signature créée");
const MADE_AT: Words = words("Created", "Créée le");
const SIGNS: Words = words("signs", "signe");
const COUNTS_UNTIL: Words = words("valid until", "valable jusqu’au");
const FORMER_UNTIL: Words = words(
    "The previous key stays valid until",
    "L’ancienne clé reste valable jusqu’au",
);
const SECRET: Words = words("Link key", "Clé de signature");
const ADVICE: Words = words(
    "Keep it on your server only, never in a page. 32 bytes, hex-encoded.",
    "Gardez-la uniquement sur votre serveur, jamais dans une page. 32 octets, en hexadécimal.",
);
const REMOVE: Words = words("Remove", "Supprimer");
const REMOVE_MEANS: Words = words(
    "Links signed with this key will create no more charges.",
    "Les liens signés avec cette clé ne créeront plus d’encaissement.",
);
const REMOVE_NOW: Words = words("Remove the key", "Supprimer la clé");
const REQUIRE: Words = words("Unsigned links", "Liens non signés");
const REQUIRE_LABEL: Words = words(
    "Refuse links that are not signed",
    "Refuser les liens qui ne sont pas signés",
);
const REQUIRE_HINT: Words = words(
    "Turn this on once all your links are signed. Links on which shoppers enter the amount themselves cannot be signed.",
    "Activez-le une fois tous vos liens signés. Les liens où le client saisit lui-même le montant ne peuvent pas l’être.",
);
const SAVE: Words = words("Save", "Enregistrer");
