//! Link signing: whether links must be signed, and the keys that sign them (R21).

use http::StatusCode;
use maud::{Markup, html};

use super::change::{self, change_merchant};
use super::frame::{self, Tab, below, may_change};
use super::secret::{self, Shown};
use super::when::when;
use super::{Answering, overlap};
use crate::charges::{LinkKeyError, MerchantChanges};
use crate::checkout::refusal::Refusal;
use crate::dashboard::field::Field;
use crate::dashboard::layout::csrf;
use crate::dashboard::route::Request;
use crate::links::SealedLinkKey;
use crate::words::{Words, words};

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
            settings: vec![("require_signed_links".to_owned(), is_required.to_owned())],
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
        hex::decode_to_slice(text, &mut id).map_err(|_| Refusal::unknown_page())?;
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
        LinkKeyError::UnknownMerchant | LinkKeyError::UnknownKey | LinkKeyError::NoKey => Refusal::unknown_page(),
    }
}

const DONE: [(&str, Words); 3] = [
    (
        "required",
        words(
            "Unsigned links are refused from now on.",
            "Les liens non signés sont désormais refusés.",
        ),
    ),
    (
        "optional",
        words(
            "Unsigned links are taken, too.",
            "Les liens non signés sont aussi acceptés.",
        ),
    ),
    ("removed", words("The key is removed.", "La clé est supprimée.")),
];
const EXPLAINED: Words = words(
    "Anyone can edit a payment link before following it. A signed link carries your server’s word for price and order: an edited one makes no payment.",
    "N’importe qui peut modifier un lien de paiement avant de le suivre. Un lien signé porte la garantie de votre serveur sur le prix et la commande : modifié, il ne crée aucun paiement.",
);
const GUIDE: Words = words("How to sign links", "Comment signer les liens");
const REQUIRED_WITHOUT_KEY: Words = words(
    "Signed links are required, but there is no key: no link can make a payment.",
    "Les liens signés sont exigés, mais il n’y a pas de clé : aucun lien ne peut créer de paiement.",
);
const KEYS: Words = words("Link keys", "Clés de signature");
const NO_KEYS: Words = words("There is none yet.", "Il n’y en a pas encore.");
const KEY_ID: Words = words("Key ID", "Identifiant");
const MAKE: Words = words("Make a link key", "Créer une clé de signature");
const ROTATE: Words = words("Make a new key", "Créer une nouvelle clé");
const MADE: Words = words("The link key is made", "La clé de signature est créée");
const MADE_AT: Words = words("Made", "Créée le");
const SIGNS: Words = words("signs", "signe");
const COUNTS_UNTIL: Words = words("counts until", "vaut jusqu’au");
const FORMER_UNTIL: Words = words("The former key counts until", "L’ancienne clé vaut jusqu’au");
const SECRET: Words = words("Link key", "Clé de signature");
const ADVICE: Words = words(
    "Keep it on your server only, never in a page. It stands for 32 bytes, in hexadecimal.",
    "Gardez-la sur votre serveur seulement, jamais dans une page. Elle représente 32 octets, en hexadécimal.",
);
const REMOVE: Words = words("Remove", "Supprimer");
const REMOVE_MEANS: Words = words(
    "Whatever was signed with it makes no payment from then on.",
    "Tout ce qu’elle a signé ne créera plus de paiement.",
);
const REMOVE_NOW: Words = words("Remove the key", "Supprimer la clé");
const REQUIRE: Words = words("Unsigned links", "Liens non signés");
const REQUIRE_LABEL: Words = words(
    "Refuse links that are not signed",
    "Refuser les liens qui ne sont pas signés",
);
const REQUIRE_HINT: Words = words(
    "Turn it on once every link of yours is signed. Links on which shoppers write the amount themselves cannot be signed.",
    "Activez-le une fois tous vos liens signés. Les liens où le client saisit lui-même le montant ne peuvent pas l’être.",
);
const SAVE: Words = words("Save", "Enregistrer");
