//! The second factors of an account: an authenticator app, passkeys, and the recovery codes for when they are lost.

use bitpro_checkout_app::qr;
use bitpro_merchant::words::{Words, words};
use bitpro_service::accounts::{AccountError, AppOffer};
use http::StatusCode;
use maud::{Markup, PreEscaped, html};

use super::{Answer, form_page, passkey, reason};
use crate::field::{Errors, Field};
use crate::layout;
use crate::refusals::Refusal;
use crate::route::{Reply, Request, see_other};

const REQUIRED: Words = words(
    "requires a second factor for everyone in the team. Set one up to continue.",
    "exige un second facteur de toute l’équipe. Configurez-en un pour continuer.",
);
const TITLE: Words = words("Second factor", "Second facteur");
const SCAN: Words = words(
    "Scan this with your authenticator app, then enter the code it shows.",
    "Scannez ce code avec votre application d’authentification, puis saisissez le code affiché.",
);
const TYPE: Words = words("Or enter this key:", "Ou saisissez cette clé\u{a0}:");
const QR_LABEL: Words = words(
    "QR code for the authenticator app",
    "Code QR pour l’application d’authentification",
);
const CODE: Words = words("Code", "Code");
const TURN_ON: Words = words("Turn it on", "Activer");
const CODES_TITLE: Words = words("Your recovery codes", "Vos codes de secours");
const CODES_TEXT: Words = words(
    "Keep them somewhere safe, apart from your phone. Each code replaces the app or passkey once. You won’t see them again.",
    "Gardez-les en lieu sûr, à part de votre téléphone. Chaque code remplace une fois l’application ou la clé d’accès. Ils ne seront plus affichés.",
);
const KEPT: Words = words("I have saved them", "Je les ai gardés");
const ON: Words = words(
    "An authenticator app is set up.",
    "Une application d’authentification est configurée.",
);
const LEFT: Words = words("Recovery codes left:", "Codes de secours restants :");
const RENEW: Words = words("Create new recovery codes", "Créer de nouveaux codes de secours");
const APP: Words = words("Authenticator app", "Application d’authentification");
const REMOVE: Words = words("Remove the app", "Retirer l’application");

/// `GET /account/factor`
pub(super) fn show(request: Request) -> Answer {
    Box::pin(async move { page(&request, StatusCode::OK, &Errors::none()).await })
}

/// The app, the passkeys with what was wrong about a new one, and the recovery codes.
pub(super) async fn page(request: &Request, status: StatusCode, errors: &Errors) -> Result<Reply, Refusal> {
    let lang = request.language;
    let login = &request.person()?.login;
    let factor = request.app.accounts.factor(&login.account).await?;
    let zone = request.app.accounts.account_zone(login.account.num).await?;
    let content = html! {
        @if let Some(name) = required_by(request) {
            p.note { strong { (name) } " " (REQUIRED.of(lang)) }
        }
        @if login.account.has_factor() {
            div.panel {
                p { (LEFT.of(lang)) " " (factor.recovery_codes) }
                form method="post" action="/account/factor/codes" {
                    (layout::csrf(request))
                    button type="submit" { (RENEW.of(lang)) }
                }
            }
        }
        (passkey::list(request, &factor.passkeys, &zone, errors))
        h2 { (APP.of(lang)) }
        @if factor.has_app {
            div.panel {
                p { (ON.of(lang)) }
                form method="post" action="/account/factor/remove" {
                    (layout::csrf(request))
                    button.grave type="submit" { (REMOVE.of(lang)) }
                }
            }
        } @else {
            (set_up(request, &request.app.accounts.offer_app(login), errors)?)
        }
    };
    Ok(layout::narrow(request, status, TITLE.of(lang), &content))
}

/// The merchant whose owners have led the person here, by name: one to whose team the person belongs, or nobody would show it.
fn required_by(request: &Request) -> Option<String> {
    if request.person().ok()?.login.account.has_factor() {
        return None;
    }
    let id = request.query.text("required").parse().ok()?;
    let merchant = request.app.charges.merchant(id)?;
    Some(merchant.settings.name.clone())
}

/// `POST /account/factor`
pub(super) fn add(request: Request) -> Answer {
    Box::pin(async move {
        let lang = request.language;
        let login = &request.person()?.login;
        let accounts = &request.app.accounts;
        let offer = match accounts.offered_app(login, request.form.text("offer")) {
            Ok(offer) => offer,
            Err(error) => {
                let errors = Errors::of("code", reason(&error, lang));
                let content = set_up(&request, &accounts.offer_app(login), &errors)?;
                return Ok(form_page::again(&request, TITLE, &content));
            }
        };
        let code = request.form.text("code");
        let adding = accounts.add_factor(login, offer.secret.clone(), code, request.client);
        match adding.await {
            Ok(codes) => Ok(added(&request, &codes)),
            Err(error @ AccountError::WrongCode) => {
                let errors = Errors::of("code", reason(&error, lang));
                let content = set_up(&request, &offer, &errors)?;
                Ok(form_page::again(&request, TITLE, &content))
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// `POST /account/factor/codes`
pub(super) fn renew(request: Request) -> Answer {
    Box::pin(async move {
        let login = &request.person()?.login;
        if !login.account.has_factor() {
            return Ok(see_other("/account/factor"));
        }
        let codes = request.app.accounts.renew_recovery_codes(login, request.client).await?;
        Ok(shown(&request, &codes))
    })
}

/// `POST /account/factor/remove`
pub(super) fn remove(request: Request) -> Answer {
    Box::pin(async move {
        let login = &request.person()?.login;
        request.app.accounts.remove_factor(login, request.client).await?;
        Ok(see_other("/account/factor"))
    })
}

fn set_up(request: &Request, offer: &AppOffer, errors: &Errors) -> Result<Markup, Refusal> {
    let lang = request.language;
    let picture = qr::svg(&offer.secret.uri(&request.person()?.email));
    Ok(html! {
        form.panel method="post" action="/account/factor" {
            (layout::csrf(request))
            input type="hidden" name="offer" value=(offer.text);
            p { (SCAN.of(lang)) }
            // Drawn by ourselves from a matrix: it holds numbers only.
            div.qr role="img" aria-label=(QR_LABEL.of(lang)) { (PreEscaped(picture)) }
            p { (TYPE.of(lang)) " " code { (offer.secret.text()) } }
            (Field::new("code", CODE.of(lang)).autocomplete("one-time-code").inputmode("numeric").required()
                .errors(errors).input())
            div.actions { button.main type="submit" { (TURN_ON.of(lang)) } }
        }
    })
}

/// After a second factor was added: the recovery codes, if it was the first.
pub(super) fn added(request: &Request, codes: &[String]) -> Reply {
    match codes {
        [] => see_other("/account/factor"),
        codes => shown(request, codes),
    }
}

fn shown(request: &Request, codes: &[String]) -> Reply {
    let lang = request.language;
    let content = html! {
        div.panel {
            p { (CODES_TEXT.of(lang)) }
            ul.codes { @for code in codes { li { code { (code) } } } }
            p { a.button.main href="/account" { (KEPT.of(lang)) } }
        }
    };
    form_page::shown(request, CODES_TITLE, &content)
}
