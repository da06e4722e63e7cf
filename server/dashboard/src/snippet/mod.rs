//! The snippet builder: the widget, the direct link or a signed link, filled in from a form that changes nothing.

mod code;
mod reading;

use bitpro_base::links::Expiry;
use bitpro_checkout_app::qr;
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Permission};
use bitpro_service::charges::LinkKeyError;
use futures::future::BoxFuture;
use http::StatusCode;
use maud::{Markup, PreEscaped, html};

use self::code::{Signed, Wanted, anchor, link, widget};
use self::reading::{Kind, PAY, days, read};
use super::field::{Errors, Field};
use super::layout;
use super::route::{Access, Member, Reply, Request, Route, get};
use crate::refusals::Refusal;

/// The path of the snippet builder.
pub const ROUTES: &[Route] = &[get(
    "/dashboard/{merchant}/snippet",
    Access::Member(Permission::Read),
    show,
)];

const SECS_A_DAY: u32 = 86_400;

fn show(request: Request) -> BoxFuture<'static, Result<Reply, Refusal>> {
    Box::pin(async move {
        let member = request.member()?;
        let lang = request.language;
        let (wanted, mut errors) = read(&request.query, &member.merchant.settings, lang);
        let kind = Kind::of(&request.query);
        let signed = match kind {
            Kind::Signed if errors.is_empty() => match sign(&request, member, &wanted)? {
                Ok(signed) => Some(signed),
                Err(why) => {
                    errors.add("kind", why.of(lang));
                    None
                }
            },
            _ => None,
        };
        let status = if errors.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        let content = html! {
            p { (EXPLAINED.of(lang)) " " a href=(request.guide("/docs/widget")) { (GUIDE.of(lang)) } }
            div.beside {
                (form(&request, member, kind, &errors))
                @if errors.is_empty() { (made(&request, member, kind, &wanted, signed.as_ref())) }
            }
        };
        Ok(layout::page(&request, status, TITLE.of(lang), &content))
    })
}

/// A signature, or why there is none.
fn sign(request: &Request, member: &Member, wanted: &Wanted) -> Result<Result<Signed, Words>, Refusal> {
    if !member.role.may(Permission::Keys) {
        return Ok(Err(NOT_YOURS));
    }
    let charges = &request.app.charges;
    let ends_at = charges.now().plus_secs(days(&request.query) * SECS_A_DAY);
    let expires = u64::try_from(ends_at.as_secs()).ok().and_then(Expiry::from_secs);
    let Some(expires) = expires else {
        return Ok(Err(NO_KEY));
    };
    match charges.sign_link(member.merchant.id, &wanted.covered(), expires) {
        Ok(signature) => Ok(Ok((expires, signature))),
        Err(LinkKeyError::NoKey | LinkKeyError::UnknownKey) => Ok(Err(NO_KEY)),
        Err(LinkKeyError::UnknownMerchant) => Err(Refusal::UNKNOWN_MERCHANT),
        Err(LinkKeyError::Seal(error)) => Err(error.into()),
        Err(LinkKeyError::Store(error)) => Err(error.into()),
    }
}

fn form(request: &Request, member: &Member, kind: Kind, errors: &Errors) -> Markup {
    let lang = request.language;
    let typed = |name| request.query.text(name);
    let may_sign = member.role.may(Permission::Keys);
    let kinds: Vec<(&str, &str)> = Kind::ALL
        .into_iter()
        .filter(|other| *other != Kind::Signed || may_sign || kind == Kind::Signed)
        .map(|kind| (kind.as_str(), kind_words(kind).of(lang)))
        .collect();
    let languages = [("", BROWSER.of(lang)), ("en", "English"), ("fr", "Français")];
    let days = days(&request.query).to_string();
    html! {
        section.panel aria-labelledby="fill" {
            h2 #fill { (FILL.of(lang)) }
            form method="get" action=(request.path) {
                (Field::new("kind", KIND.of(lang)).value(kind.as_str()).errors(errors).select(&kinds))
                (Field::new("price", PRICE.of(lang)).unit("€").value(typed("price"))
                    .hint(PRICE_HINT.of(lang)).errors(errors).inputmode("decimal").input())
                (Field::new("order_id", ORDER.of(lang)).value(typed("order_id"))
                    .hint(ORDER_HINT.of(lang)).errors(errors).longest(200).input())
                (Field::new("email", EMAIL.of(lang)).kind("email").value(typed("email")).errors(errors).autocomplete("off").input())
                (Field::new("page_lang", LANGUAGE.of(lang)).value(typed("page_lang")).select(&languages))
                (Field::new("label", LABEL.of(lang)).value(if typed("label").is_empty() { PAY.of(lang) } else { typed("label") })
                    .errors(errors).longest(100).input())
                @if may_sign {
                    (Field::new("days", DAYS.of(lang)).value(&days).unit(DAYS_UNIT.of(lang)).inputmode("numeric").input())
                }
                button.main type="submit" { (BUILD.of(lang)) }
            }
        }
    }
}

fn made(request: &Request, member: &Member, kind: Kind, wanted: &Wanted, signed: Option<&Signed>) -> Markup {
    let lang = request.language;
    let merchant = &member.merchant;
    let origin = request.app.public_url.origin();
    let address = link(origin, merchant.id, wanted, signed);
    let unsigned_refused = merchant.settings.require_signed_links && signed.is_none();
    html! {
        section.panel aria-labelledby="paste" {
            h2 #paste { (PASTE.of(lang)) }
            @if unsigned_refused { p.note.bad { (REFUSED.of(lang)) } }
            @if kind == Kind::Widget {
                @if merchant.settings.allowed_origins.is_empty() {
                    p.note { (NO_DOMAIN.of(lang)) " " a href={ "/dashboard/" (merchant.id) "/settings/domains" } { (ADD_DOMAIN.of(lang)) } }
                }
                (copied("widget", WIDGET_CODE, &widget(origin, merchant.id, wanted, signed), 12, lang))
            } @else {
                (copied("anchor", ANCHOR_CODE, &anchor(&address, &wanted.label), 5, lang))
            }
            (copied("link", ADDRESS, &address, 3, lang))
            @if let Some((expires, _)) = signed {
                p.hint { (GOOD_UNTIL.of(lang)) " " (super::settings::times::when(request, instant(*expires))) }
            }
            (sample(kind, &wanted.label, lang))
            h3 { (TRY.of(lang)) }
            p { a.button href=(address) target="_blank" rel="noopener" { (OPEN.of(lang)) } }
            @let code = qr::svg(&address);
            @if !code.is_empty() {
                // The drawing is made of numbers alone.
                div.qr role="img" aria-label=(QR.of(lang)) { (PreEscaped(code)) }
            }
        }
    }
}

/// What a shopper sees of it. Nothing happens when it is pressed.
fn sample(kind: Kind, label: &str, lang: Language) -> Markup {
    html! {
        h3 { (SEEN.of(lang)) }
        figure.sample {
            div inert {
                @if kind == Kind::Widget { button type="button" { (label) } } @else { a href="#paste" { (label) } }
            }
            figcaption { (SEEN_HINT.of(lang)) }
        }
    }
}

fn copied(id: &str, label: Words, text: &str, rows: u32, lang: Language) -> Markup {
    Field::new(id, label.of(lang)).value(text).shown(rows)
}

fn instant(expires: Expiry) -> bitpro_charge::Timestamp {
    let secs = expires.to_string().parse().unwrap_or_default();
    bitpro_charge::Timestamp::from_secs(secs)
}

const fn kind_words(kind: Kind) -> Words {
    match kind {
        Kind::Widget => words(
            "Button that opens the checkout on your page",
            "Bouton qui ouvre le paiement dans votre page",
        ),
        Kind::Link => words("Direct link to the checkout", "Lien direct vers le paiement"),
        Kind::Signed => words(
            "Signed link (nobody can edit the price)",
            "Lien signé (personne ne peut modifier le prix)",
        ),
    }
}

const TITLE: Words = words("Snippet", "Intégration");
const EXPLAINED: Words = words(
    "Fill in an example, paste the code into your page, and have your shop fill in the real price and order.",
    "Remplissez un exemple, collez le code dans votre page, et faites compléter par votre boutique le prix et la commande réels.",
);
const GUIDE: Words = words("Guide to the widget", "Guide du widget");
const FILL: Words = words("What to pay", "Ce qu’il faut payer");
const KIND: Words = words("Kind", "Type");
const PRICE: Words = words("Price", "Prix");
const PRICE_HINT: Words = words(
    "Leave it empty to let shoppers enter the amount.",
    "Laissez vide pour que le client saisisse lui-même le montant.",
);
const ORDER: Words = words("Order ID", "Numéro de commande");
const ORDER_HINT: Words = words(
    "Your own. With it, the same link opens the same charge again.",
    "Le vôtre. Grâce à lui, le même lien rouvre le même encaissement.",
);
const EMAIL: Words = words("Shopper’s e-mail", "E-mail du client");
const LANGUAGE: Words = words("Language of the page", "Langue de la page");
const BROWSER: Words = words("As in your settings", "Selon vos réglages");
const LABEL: Words = words("Button text", "Texte du bouton");
const DAYS: Words = words("A signed link is valid for", "Un lien signé est valable");
const DAYS_UNIT: Words = words("days", "jours");
const BUILD: Words = words("Create the snippet", "Créer le code");
const PASTE: Words = words("Copy this", "Copiez ceci");
const WIDGET_CODE: Words = words("For your page", "Pour votre page");
const ANCHOR_CODE: Words = words("For your page", "Pour votre page");
const ADDRESS: Words = words("The address alone", "L’adresse seule");
const GOOD_UNTIL: Words = words("Valid until", "Valable jusqu’au");
const SEEN: Words = words("What your shoppers see", "Ce que voient vos clients");
const SEEN_HINT: Words = words(
    "Colours and fonts are those of your own page.",
    "Les couleurs et les polices sont celles de votre propre page.",
);
const TRY: Words = words("Try it", "Essayez");
const OPEN: Words = words("Open the checkout", "Ouvrir le paiement");
const QR: Words = words("QR code of the address", "Code QR de l’adresse");
const REFUSED: Words = words(
    "Your settings refuse links that are not signed: this one creates no charge.",
    "Vos réglages refusent les liens non signés\u{a0}: celui-ci ne crée aucun encaissement.",
);
const NO_DOMAIN: Words = words(
    "The button shows the checkout only on domains that you allow. You have not allowed any yet.",
    "Le bouton n’affiche le paiement que sur les domaines autorisés. Vous n’en avez encore autorisé aucun.",
);
const ADD_DOMAIN: Words = words("Add your domain", "Ajouter votre domaine");
pub(crate) const NOT_YOURS: Words = words(
    "Only owners and developers can sign links.",
    "Seuls les propriétaires et les développeurs peuvent signer des liens.",
);
const NO_KEY: Words = words(
    "There is no link key yet. Create one under Settings, Link signing.",
    "Il n’y a pas encore de clé de signature. Créez-en une dans Réglages, Signature des liens.",
);
