//! How the payment page looks: colour and logo, with a preview.

use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Colour, Logo, SettingsPatch};
use bitpro_service::charges::MerchantChanges;
use http::StatusCode;
use maud::{Markup, html};

use super::Answering;
use super::change::change_merchant;
use super::frame::{self, Tab, below, may_change};
use super::preview::preview;
use crate::field::{Errors, Field};
use crate::layout::csrf;
use crate::refusals::Refusal;
use crate::route::{Reply, Request, see_other};

/// `GET /dashboard/{merchant}/settings/look`: with `?colour=`, another one is tried and nothing is changed.
pub(super) fn show(request: Request) -> Answering {
    Box::pin(async move {
        let present = request.member()?.merchant.settings.colour;
        let tried = request.query.text("colour").parse().unwrap_or(present);
        draw(&request, StatusCode::OK, &tried.to_string(), tried, &Errors::none())
    })
}

/// `POST /dashboard/{merchant}/settings/look`
pub(super) fn save(request: Request) -> Answering {
    Box::pin(async move {
        let typed = request.form.text("colour");
        let member = request.member()?;
        let Ok(colour) = typed.parse::<Colour>() else {
            return wrong_colour(&request, typed);
        };
        if colour == member.merchant.settings.colour {
            return Ok(frame::unchanged(member, Tab::Look, "colour"));
        }
        let changes = MerchantChanges {
            settings: SettingsPatch {
                colour: Some(colour),
                ..SettingsPatch::default()
            },
            ..MerchantChanges::default()
        };
        match change_merchant(&request, changes).await? {
            Ok(()) => Ok(frame::done(member, Tab::Look, "colour", colour.to_string())),
            Err(_) => wrong_colour(&request, typed),
        }
    })
}

fn wrong_colour(request: &Request, typed: &str) -> Result<Reply, Refusal> {
    let errors = Errors::of("colour", COLOUR_WANTED.of(request.language));
    let present = request.member()?.merchant.settings.colour;
    draw(request, StatusCode::UNPROCESSABLE_ENTITY, typed, present, &errors)
}

/// `POST /dashboard/{merchant}/settings/look/try`: changes nothing. It is no `GET`, for the form's token does not belong into an
/// address.
pub(super) fn try_colour(request: Request) -> Answering {
    Box::pin(async move {
        let member = request.member()?;
        let typed = request.form.text("colour").parse::<Colour>();
        let colour = typed.unwrap_or(member.merchant.settings.colour).to_string();
        let path = below(member, Tab::Look.path());
        Ok(see_other(&format!("{path}?colour={}", colour.replace('#', "%23"))).unchanged())
    })
}

/// `POST /dashboard/{merchant}/settings/look/logo`
pub(super) fn save_logo(request: Request) -> Answering {
    Box::pin(async move {
        let mut files = request.files.iter();
        let chosen = files.find(|file| file.field == "logo" && !file.bytes.is_empty());
        let made = match chosen {
            None => Err(LOGO_MISSING),
            Some(file) if file.bytes.len() > Logo::MAX_BYTES => Err(LOGO_TOO_LARGE),
            Some(file) => Logo::from_upload(file.bytes.to_vec())
                .await
                .map_err(|_| LOGO_NO_PICTURE),
        };
        let member = request.member()?;
        let logo = match made {
            Ok(logo) => logo,
            Err(why) => {
                let errors = Errors::of("logo", why.of(request.language));
                let present = member.merchant.settings.colour;
                return draw(
                    &request,
                    StatusCode::UNPROCESSABLE_ENTITY,
                    &present.to_string(),
                    present,
                    &errors,
                );
            }
        };
        change_logo(&request, Some(logo)).await?;
        Ok(frame::done(member, Tab::Look, "logo", ""))
    })
}

/// `POST /dashboard/{merchant}/settings/look/remove-logo`
pub(super) fn remove_logo(request: Request) -> Answering {
    Box::pin(async move {
        let member = request.member()?;
        if member.merchant.logo.is_none() {
            return Ok(frame::unchanged(member, Tab::Look, "no-logo"));
        }
        change_logo(&request, None).await?;
        Ok(frame::done(member, Tab::Look, "no-logo", ""))
    })
}

async fn change_logo(request: &Request, logo: Option<Logo>) -> Result<(), Refusal> {
    let changes = MerchantChanges {
        logo: Some(logo),
        ..MerchantChanges::default()
    };
    // A logo contradicts no setting.
    let _ = change_merchant(request, changes).await?;
    Ok(())
}

fn draw(request: &Request, status: StatusCode, typed: &str, colour: Colour, errors: &Errors) -> Result<Reply, Refusal> {
    let member = request.member()?;
    let lang = request.language;
    let is_locked = !may_change(member, Tab::Look);
    let path = below(member, Tab::Look.path());
    let content = html! {
        (errors.summary(lang))
        div.beside {
            div {
                section.panel aria-labelledby="colour-title" {
                    h2 #colour-title { (COLOUR.of(lang)) }
                    form method="post" action=(path) {
                        (csrf(request))
                        (Field::new("colour", COLOUR_LABEL.of(lang))
                            .kind("color").value(typed).hint(COLOUR_HINT.of(lang)).errors(errors).locked(is_locked).input())
                        @if !is_locked {
                            div.actions {
                                button.main type="submit" { (SAVE_COLOUR.of(lang)) }
                                button type="submit" formaction={ (path) "/try" } { (TRY.of(lang)) }
                            }
                        }
                    }
                }
                (logo_panel(request, errors, is_locked)?)
            }
            (preview(request, &member.merchant, colour))
        }
    };
    frame::page(request, status, Tab::Look, &DONE, &content)
}

fn logo_panel(request: &Request, errors: &Errors, is_locked: bool) -> Result<Markup, Refusal> {
    let member = request.member()?;
    let lang = request.language;
    let path = below(member, Tab::Look.path());
    let accepted = "image/png,image/jpeg,image/webp";
    let described = errors.get("logo").map_or("logo-hint", |_| "logo-error logo-hint");
    Ok(html! {
        section.panel aria-labelledby="logo-title" {
            h2 #logo-title { (LOGO.of(lang)) }
            @if member.merchant.logo.is_none() { p { (NO_LOGO.of(lang)) } }
            @if !is_locked {
                form method="post" action={ (path) "/logo" } enctype="multipart/form-data" {
                    (csrf(request))
                    div.field {
                        label for="logo" { (LOGO_LABEL.of(lang)) }
                        input #logo name="logo" type="file" accept=(accepted) required aria-describedby=(described)
                            aria-invalid=[errors.get("logo").map(|_| "true")];
                        @if let Some(error) = errors.get("logo") { p.wrong #logo-error { (error) } }
                        p.hint #logo-hint { (LOGO_HINT.of(lang)) }
                    }
                    button type="submit" { (SAVE_LOGO.of(lang)) }
                }
                @if member.merchant.logo.is_some() {
                    form.after method="post" action={ (path) "/remove-logo" } {
                        (csrf(request))
                        button.grave type="submit" { (REMOVE_LOGO.of(lang)) }
                    }
                }
            }
        }
    })
}

const DONE: [(&str, Words); 3] = [
    ("colour", words("Colour saved.", "Couleur enregistrée.")),
    ("logo", words("Logo saved.", "Logo enregistré.")),
    ("no-logo", words("Logo removed.", "Logo supprimé.")),
];
const COLOUR: Words = words("Colour", "Couleur");
const COLOUR_LABEL: Words = words("Brand colour", "Couleur de votre marque");
const COLOUR_HINT: Words = words(
    "Any colour works. Where text would be hard to read on it, the page changes the colour of the text or the shade.",
    "Toutes conviennent. Là où un texte serait difficile à lire, la page change la couleur du texte ou la nuance.",
);
const COLOUR_WANTED: Words = words(
    "Enter a colour such as #1f5aa6.",
    "Saisissez une couleur comme #1f5aa6.",
);
const SAVE_COLOUR: Words = words("Save the colour", "Enregistrer la couleur");
const TRY: Words = words("Preview", "Aperçu");
const LOGO: Words = words("Logo", "Logo");
const NO_LOGO: Words = words(
    "No logo: the page shows the first letter of your name.",
    "Pas de logo\u{a0}: la page montre l’initiale de votre nom.",
);
const LOGO_LABEL: Words = words("Picture", "Image");
const LOGO_HINT: Words = words(
    "PNG, JPEG or WebP, up to 1 MiB. Shown 40 pixels high. Square pictures look best.",
    "PNG, JPEG ou WebP, 1 Mio au plus. Affichée sur 40 pixels de haut. Une image carrée convient le mieux.",
);
const SAVE_LOGO: Words = words("Upload", "Envoyer");
const REMOVE_LOGO: Words = words("Remove the logo", "Supprimer le logo");
pub(super) const LOGO_MISSING: Words = words("Choose a picture first.", "Choisissez d’abord une image.");
pub(super) const LOGO_TOO_LARGE: Words = words(
    "The picture is larger than 1 MiB. Reduce its size, then try again.",
    "L’image dépasse 1 Mio. Réduisez-la, puis réessayez.",
);
pub(crate) const LOGO_NO_PICTURE: Words = words(
    "Choose a PNG, JPEG or WebP picture, at most 2048 pixels wide and high.",
    "Choisissez une image PNG, JPEG ou WebP d’au plus 2048 pixels de large et de haut.",
);
