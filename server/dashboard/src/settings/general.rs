//! The general settings: who the merchant is, and how payments go.

use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, SettingName, SettingsPatch};
use bitpro_service::charges::MerchantChanges;
use http::StatusCode;
use maud::{Markup, html};

use super::Answering;
use super::change::change_merchant;
use super::frame::{self, Tab, may_change};
use super::general_fields::{BUYERS, GAPS, Group, LATE, Line, PRICES, SHOP, TIERS, TIMES};
use super::general_form::{CONFIRMATIONS, changes, drawn, late, shown};
use super::units::Unit;
use crate::field::{Errors, Field};
use crate::form::Form;
use crate::layout::csrf;
use crate::refusals::Refusal;
use crate::route::{Reply, Request};

/// `GET /dashboard/{merchant}/settings`
pub(super) fn show(request: Request) -> Answering {
    Box::pin(async move {
        let typed = shown(&request.member()?.merchant.settings);
        draw(&request, StatusCode::OK, &typed, &Errors::none())
    })
}

/// `POST /dashboard/{merchant}/settings`
pub(super) fn save(request: Request) -> Answering {
    Box::pin(async move {
        let member = request.member()?;
        let settings = match changes(&request.form, &member.merchant.settings, request.language) {
            Ok(settings) => settings,
            Err(errors) => return draw(&request, StatusCode::UNPROCESSABLE_ENTITY, &request.form, &errors),
        };
        if settings.is_empty() {
            return Ok(frame::unchanged(member, Tab::General, "saved"));
        }
        let what = said(&settings);
        let changed = MerchantChanges {
            settings,
            ..MerchantChanges::default()
        };
        match change_merchant(&request, changed).await? {
            Ok(()) => Ok(frame::done(member, Tab::General, "saved", what)),
            // Somebody else changed the settings meanwhile, and both changes do not fit together.
            Err(error) => {
                let errors = late(&error, request.language);
                draw(&request, StatusCode::UNPROCESSABLE_ENTITY, &request.form, &errors)
            }
        }
    })
}

/// What is changed, for the audit log.
fn said(settings: &SettingsPatch) -> String {
    let texts = settings.texts().into_iter();
    let said: Vec<String> = texts.map(|(name, value)| format!("{name} = {value}")).collect();
    said.join(", ")
}

fn draw(request: &Request, status: StatusCode, typed: &Form, errors: &Errors) -> Result<Reply, Refusal> {
    let member = request.member()?;
    let form = Drawn {
        typed,
        errors,
        lang: request.language,
        is_locked: !may_change(member, Tab::General),
    };
    let lang = request.language;
    let content = html! {
        section.panel aria-labelledby="identity" {
            h2 #identity { (MERCHANT_ID.of(lang)) }
            p { code #merchant-id { (member.merchant.id) } }
            p.hint { (MERCHANT_ID_HINT.of(lang)) }
        }
        (errors.summary(lang))
        form method="post" {
            (csrf(request))
            @for (name, value) in drawn(typed, &member.merchant.settings) {
                input type="hidden" name=(name) value=(value);
            }
            (form.group(&SHOP, &form.languages()))
            (form.group(&PRICES, &html! {}))
            (form.group(&TIMES, &html! {}))
            (form.group(&TIERS, &form.confirmations()))
            (form.group(&LATE, &form.late_policy()))
            (form.group(&BUYERS, &form.receipts()))
            (form.group(&GAPS, &html! {}))
            @if !form.is_locked { button.main type="submit" { (SAVE.of(lang)) } }
        }
    };
    frame::page(request, status, Tab::General, &[("saved", SAVED)], &content)
}

/// The form as it is drawn.
struct Drawn<'a> {
    typed: &'a Form,
    errors: &'a Errors,
    lang: Language,
    is_locked: bool,
}

impl Drawn<'_> {
    fn group(&self, group: &Group, more: &Markup) -> Markup {
        html! {
            fieldset.panel {
                legend { (group.title.of(self.lang)) }
                div.columns {
                    @for line in group.lines { (self.line(line)) }
                }
                (more)
            }
        }
    }

    fn line(&self, line: &Line) -> Markup {
        let mut field = Field::new(line.setting.as_str(), line.label.of(self.lang))
            .value(self.typed.text(line.setting.as_str()))
            .errors(self.errors)
            .locked(self.is_locked);
        if let Some(unit) = unit(line.unit) {
            field = field.unit(unit.of(self.lang)).inputmode("decimal");
        }
        let hint = line.hint.of(self.lang);
        if !hint.is_empty() {
            field = field.hint(hint);
        }
        match line.setting {
            SettingName::Name => field.longest(60).required().input(),
            // Not `url`: a browser would refuse an address without https before we can say what is missing.
            SettingName::Site => field.inputmode("url").autocomplete("url").input(),
            SettingName::RetentionDays => field.unit(DAYS.of(self.lang)).inputmode("numeric").input(),
            _ => field.input(),
        }
    }

    fn languages(&self) -> Markup {
        let lang = self.lang;
        let default = self.typed.text("default_language");
        let error = self.errors.get("languages");
        let options = [
            ("", FROM_BROWSER.of(lang)),
            (Language::En.as_str(), name_of(Language::En)),
            (Language::Fr.as_str(), name_of(Language::Fr)),
        ];
        html! {
            div.columns {
                div.field role="group" aria-labelledby="languages-label" aria-describedby=[error.map(|_| "languages-error")] {
                    span.label #languages-label { (LANGUAGES.of(lang)) }
                    @for language in Language::ALL {
                        @let is_ticked = self.typed.all("languages").any(|offered| offered == language.as_str());
                        (Field::new("languages", name_of(language))
                            .id(if language == Language::En { "language-en" } else { "language-fr" })
                            .value(language.as_str())
                            .locked(self.is_locked)
                            .checkbox(is_ticked))
                    }
                    @if let Some(error) = error { p.wrong #languages-error { (error) } }
                }
                (Field::new("default_language", DEFAULT_LANGUAGE.of(lang))
                    .value(default)
                    .hint(DEFAULT_LANGUAGE_HINT.of(lang))
                    .errors(self.errors)
                    .locked(self.is_locked)
                    .select(&options))
            }
        }
    }

    fn confirmations(&self) -> Markup {
        let labels = [SMALL, MEDIUM, LARGE];
        html! {
            div.columns {
                @for (name, label) in CONFIRMATIONS.into_iter().zip(labels) {
                    (Field::new(name, label.of(self.lang))
                        .value(self.typed.text(name))
                        .inputmode("numeric")
                        .errors(self.errors)
                        .locked(self.is_locked)
                        .required()
                        .input())
                }
            }
            p.hint { (CONFIRMATIONS_HINT.of(self.lang)) }
        }
    }

    fn receipts(&self) -> Markup {
        Field::new("email_receipts", RECEIPTS.of(self.lang))
            .hint(RECEIPTS_HINT.of(self.lang))
            .locked(self.is_locked)
            .checkbox(self.typed.text("email_receipts") == "yes")
    }

    fn late_policy(&self) -> Markup {
        let options = [("ask", ASK.of(self.lang)), ("accept", ACCEPT.of(self.lang))];
        let field = Field::new("late_policy", LATE_POLICY.of(self.lang))
            .value(self.typed.text("late_policy"))
            .errors(self.errors)
            .locked(self.is_locked);
        html! { div.columns { (field.select(&options)) } }
    }
}

/// The language's own name, which is the same in all of them.
const fn name_of(language: Language) -> &'static str {
    match language {
        Language::En => "English",
        Language::Fr => "Français",
    }
}

const fn unit(unit: Unit) -> Option<Words> {
    match unit {
        Unit::Plain => None,
        Unit::Minutes => Some(words("minutes", "minutes")),
        Unit::Hours => Some(words("hours", "heures")),
        Unit::Euros => Some(words("euros", "euros")),
        Unit::Percent => Some(words("%", "%")),
    }
}

const MERCHANT_ID: Words = words("Merchant ID", "Identifiant de marchand (Merchant ID)");
const MERCHANT_ID_HINT: Words = words(
    "Payment links and the API need it. It is not secret.",
    "Les liens de paiement et l’API en ont besoin. Il n’est pas secret.",
);
const SAVE: Words = words("Save", "Enregistrer");
const SAVED: Words = words(
    "Saved. New charges follow these settings. Existing charges keep theirs.",
    "Enregistré. Les nouveaux encaissements suivent ces réglages. Les encaissements existants gardent les leurs.",
);
const LANGUAGES: Words = words("Languages of the payment page", "Langues de la page de paiement");
const DEFAULT_LANGUAGE: Words = words(
    "Language when the link names none",
    "Langue quand le lien n’en précise pas",
);
const DEFAULT_LANGUAGE_HINT: Words = words(
    "A link can ask for a language with its lang parameter.",
    "Un lien peut demander une langue avec son paramètre lang.",
);
const FROM_BROWSER: Words = words("The shopper’s browser decides", "Le navigateur du client décide");
const SMALL: Words = words("For a small amount", "Pour un petit montant");
const MEDIUM: Words = words("For a medium amount", "Pour un montant moyen");
const LARGE: Words = words("For anything above", "Au-delà");
const CONFIRMATIONS_HINT: Words = words(
    "One confirmation takes ten minutes on average. The more confirmations you require, the harder a payment is to reverse.",
    "Une confirmation prend dix minutes en moyenne. Plus vous en exigez, plus un paiement est difficile à annuler.",
);
const DAYS: Words = words("days", "jours");
const RECEIPTS: Words = words(
    "E-mail shoppers a receipt once their payment is confirmed",
    "Envoyer un reçu par e-mail au client une fois son paiement confirmé",
);
const RECEIPTS_HINT: Words = words(
    "Only if the link or your server gave the shopper’s address.",
    "Seulement si le lien ou votre serveur a fourni l’adresse du client.",
);
const LATE_POLICY: Words = words(
    "When money arrives after the window",
    "Quand l’argent arrive après le délai",
);
const ASK: Words = words("Ask me each time", "Me demander à chaque fois");
const ACCEPT: Words = words(
    "Accept it, unless the rate has moved against me",
    "L’accepter, sauf si le cours m’est devenu défavorable",
);
