//! Passkeys: made, taken away, and used in the place of a code.

use axum::response::IntoResponse as _;
use bitpro_merchant::Zone;
use bitpro_merchant::times::Times;
use bitpro_merchant::words::{Words, words};
use bitpro_service::accounts::{AccountError, PasskeyRow};
use http::{HeaderValue, StatusCode, header};
use maud::{Markup, html};

use super::{Answer, NAME_ERROR, code, factor, is_name, reason};
use crate::field::{Errors, Field};
use crate::guard::with_entered;
use crate::redirect::next_page;
use crate::refusals::Refusal;
use crate::route::{Reply, Request, see_other};
use crate::{layout, script};

const TITLE: Words = words("Passkeys", "Clés d’accès");
const WHAT: Words = words(
    "Your phone, computer or security key keeps the passkey. You cannot enter it on a fake page by mistake.",
    "Votre téléphone, votre ordinateur ou votre clé de sécurité garde la clé d’accès. Vous ne pouvez pas la saisir par erreur sur une fausse page.",
);
const NONE: Words = words("No passkeys yet.", "Aucune clé d’accès pour le moment.");
const NAME: Words = words("Name", "Nom");
const NAME_HINT: Words = words(
    "Helps you recognise it, for example “Phone”.",
    "Pour la reconnaître, par exemple «\u{a0}Téléphone\u{a0}».",
);
const ADDED: Words = words("Added", "Ajoutée");
const LAST_USED: Words = words("last used", "dernier usage");
const NEVER: Words = words("never", "jamais");
const REMOVE: Words = words("Remove", "Retirer");
const ADD: Words = words("Add a passkey", "Ajouter une clé d’accès");
pub(crate) const USE: Words = words("Use a passkey", "Utiliser une clé d’accès");
const NOT_MADE: Words = words(
    "No passkey was created. Try again.",
    "Aucune clé d’accès n’a été créée. Réessayez.",
);
const NOT_USED: Words = words(
    "No passkey was used. Try again.",
    "Aucune clé d’accès n’a été utilisée. Réessayez.",
);
const NO_SCRIPT: Words = words(
    "To add a passkey, you need JavaScript and a browser that supports passkeys.",
    "Pour ajouter une clé d’accès, il faut JavaScript et un navigateur compatible.",
);

/// The field with the answer of a passkey that is used. One that is made has a field of another name: such a form may be kept in
/// a page that asks for this one.
pub(super) const OWN_CREDENTIAL: &str = "own_credential";

/// `POST /account/factor/passkeys/begin`
pub(super) fn begin_new(request: Request) -> Answer {
    Box::pin(async move {
        let begun = request.app.accounts.begin_passkey(&request.person()?.login).await;
        options(begun)
    })
}

/// `POST /account/factor/passkeys`
pub(super) fn add(request: Request) -> Answer {
    Box::pin(async move {
        let name = request.form.text("name");
        if !is_name(name) {
            let errors = Errors::of("name", NAME_ERROR.of(request.language));
            return factor::page(&request, StatusCode::UNPROCESSABLE_ENTITY, &errors).await;
        }
        let login = &request.person()?.login;
        let answer = request.form.raw("credential");
        match request
            .app
            .accounts
            .add_passkey(login, name, answer, request.client)
            .await
        {
            Ok(codes) => Ok(factor::added(&request, &codes)),
            Err(error @ (AccountError::WrongPasskey | AccountError::ManyPasskeys)) => {
                let errors = Errors::of("name", reason(&error, request.language));
                factor::page(&request, StatusCode::UNPROCESSABLE_ENTITY, &errors).await
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// `POST /account/factor/passkeys/{passkey}/remove`
pub(super) fn remove(request: Request) -> Answer {
    Box::pin(async move {
        let named = request.params.first().map(String::as_str).unwrap_or_default();
        let mut id = [0; 16];
        hex::decode_to_slice(named, &mut id).map_err(|_| Refusal::UNKNOWN_PAGE)?;
        let login = &request.person()?.login;
        if !request.app.accounts.remove_passkey(login, id, request.client).await? {
            return Err(Refusal::UNKNOWN_PAGE);
        }
        Ok(see_other("/account/factor"))
    })
}

/// `POST /login/passkey/begin`
pub(super) fn begin(request: Request) -> Answer {
    Box::pin(async move {
        let begun = request.app.accounts.ask_passkey(&request.person()?.login).await;
        options(begun)
    })
}

/// `POST /login/passkey`
pub(super) fn enter(request: Request) -> Answer {
    Box::pin(async move {
        let (app, then) = (&request.app, request.form.text("then"));
        let (login, answer) = (&request.person()?.login, request.form.raw(OWN_CREDENTIAL));
        match app.accounts.enter_passkey(login, answer, request.visitor()).await {
            Ok(entered) => Ok(with_entered(app, see_other(&next_page(then)), &entered)),
            Err(error @ (AccountError::WrongPasskey | AccountError::TooMany(_))) => {
                code::refused(&request, then, &error)
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// What the script asks for; it shows a sentence of the page when there is nothing.
fn options(begun: Result<String, AccountError>) -> Result<Reply, Refusal> {
    let json = match begun {
        Ok(json) => json,
        Err(AccountError::WrongPasskey | AccountError::ManyPasskeys) => {
            return Ok(StatusCode::UNPROCESSABLE_ENTITY.into_response().into());
        }
        Err(error) => return Err(error.into()),
    };
    let json_type = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, json_type)], json).into_response().into())
}

/// The button that stands for a code, for those who have a passkey; `fields` are sent along. The script shows it, where the
/// browser knows passkeys.
pub(super) fn button(request: &Request, action: &str, fields: &[(&str, &str)]) -> Result<Markup, Refusal> {
    let lang = request.language;
    let has_one = request.person()?.login.account.has_passkey && request.app.accounts.has_passkeys();
    Ok(html! {
        @if has_one {
            form.panel method="post" action=(action) data-passkey="get" data-begin="/login/passkey/begin" hidden {
                (layout::csrf(request))
                (layout::kept(fields))
                input type="hidden" name=(OWN_CREDENTIAL) data-credential;
                button.main type="submit" { (USE.of(lang)) }
                p.wrong role="alert" data-problem hidden { (NOT_USED.of(lang)) }
            }
            (script::element(request, script::PASSKEYS))
        }
    })
}

/// The account's passkeys, and the form to add one.
pub(super) fn list(request: &Request, passkeys: &[PasskeyRow], zone: &Zone, errors: &Errors) -> Markup {
    let lang = request.language;
    let times = Times::new(zone, lang);
    html! {
        h2 { (TITLE.of(lang)) }
        div.panel {
            p { (WHAT.of(lang)) }
            @if passkeys.is_empty() { p { (NONE.of(lang)) } }
            ul.cards {
                @for passkey in passkeys { (card(request, passkey, &times)) }
            }
            @if request.app.accounts.has_passkeys() {
                form method="post" action="/account/factor/passkeys" data-passkey="create"
                    data-begin="/account/factor/passkeys/begin" hidden {
                    (layout::csrf(request))
                    input type="hidden" name="credential" data-credential;
                    (Field::new("name", NAME.of(lang)).hint(NAME_HINT.of(lang)).value(request.form.text("name")).longest(60)
                        .autocomplete("off").required().errors(errors).input())
                    button.main type="submit" { (ADD.of(lang)) }
                    p.wrong role="alert" data-problem hidden { (NOT_MADE.of(lang)) }
                }
                noscript { p.hint { (NO_SCRIPT.of(lang)) } }
                (script::element(request, script::PASSKEYS))
            }
        }
    }
}

fn card(request: &Request, passkey: &PasskeyRow, times: &Times<'_>) -> Markup {
    let lang = request.language;
    let used = passkey.last_used_at.map(|at| times.minute(at));
    html! {
        li {
            p { strong { (passkey.name) } }
            p.hint {
                (ADDED.of(lang)) " " (times.minute(passkey.created_at)) " · "
                (LAST_USED.of(lang)) " " (used.as_deref().unwrap_or(NEVER.of(lang)))
            }
            form.after method="post" action={ "/account/factor/passkeys/" (hex::encode(passkey.id)) "/remove" } {
                (layout::csrf(request))
                button.grave type="submit" aria-label={ (REMOVE.of(lang)) " " (passkey.name) } { (REMOVE.of(lang)) }
            }
        }
    }
}
