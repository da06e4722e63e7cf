//! The general settings as a form shows them, and what a form changes of them. Pure.

use super::lines::lines;
use crate::dashboard::field::Errors;
use crate::dashboard::form::Form;
use crate::merchant::{Language, Settings};
use crate::words::{Words, words};

/// The fields of the three numbers of confirmations, in their order.
pub(super) const CONFIRMATIONS: [&str; 3] = ["confirmations_small", "confirmations_medium", "confirmations_large"];

/// What the form shows of `settings`.
pub(in crate::dashboard) fn shown(settings: &Settings) -> Form {
    let plain = lines().map(|line| (line.setting, line.unit.shown(&settings.text_of(line.setting))));
    let confirmations = settings.text_of("confirmations");
    let numbers = confirmations.split(' ').map(str::to_owned);
    let languages = settings
        .languages
        .iter()
        .map(|language| ("languages", language.to_string()));
    let chosen = ["default_language", "late_policy", "email_receipts"].map(|name| (name, settings.text_of(name)));
    plain
        .chain(CONFIRMATIONS.into_iter().zip(numbers))
        .chain(languages)
        .chain(chosen)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What the form showed of each setting when it was drawn, to be sent along with it: only what a person then changed is saved,
/// whatever others have changed since.
pub(super) fn drawn(form: &Form, settings: &Settings) -> Vec<(String, String)> {
    names()
        .map(|name| (was(name), drawn_of(form, settings, name)))
        .collect()
}

/// The settings of the form.
fn names() -> impl Iterator<Item = &'static str> {
    let plain = lines().map(|line| line.setting);
    plain.chain([
        "confirmations",
        "languages",
        "default_language",
        "late_policy",
        "email_receipts",
    ])
}

fn was(name: &str) -> String {
    format!("was_{name}")
}

/// What the form showed of one setting; what is there now, if the form does not say.
fn drawn_of(form: &Form, settings: &Settings, name: &str) -> String {
    let was = was(name);
    if form.has(&was) {
        return form.text(&was).to_owned();
    }
    let now = settings.text_of(name);
    lines()
        .find(|line| line.setting == name)
        .map_or_else(|| now.clone(), |line| line.unit.shown(&now))
}

/// What `form` changes of `settings`, as names and texts of settings. A field that still says what was shown changes nothing.
///
/// # Errors
/// What is wrong, by the names of the fields, in `language`.
pub(in crate::dashboard) fn changes(
    form: &Form,
    settings: &Settings,
    language: Language,
) -> Result<Vec<(String, String)>, Errors> {
    let mut errors = Errors::none();
    let mut changes: Vec<(&str, String)> = Vec::new();
    for line in lines() {
        let typed = form.text(line.setting);
        if typed == drawn_of(form, settings, line.setting) {
            continue;
        }
        match line.unit.kept(typed) {
            Some(kept) => changes.push((line.setting, kept)),
            None => errors.add(line.setting, line.wanted.of(language)),
        }
    }
    let numbers = CONFIRMATIONS.map(|name| form.text(name));
    for (name, number) in CONFIRMATIONS.into_iter().zip(numbers) {
        if !number.parse::<u32>().is_ok_and(|number| (1..=100).contains(&number)) {
            errors.add(name, NUMBER.of(language));
        }
    }
    let receipts = if form.text("email_receipts") == "yes" {
        "yes"
    } else {
        "no"
    };
    let languages: Vec<&str> = form.all("languages").collect();
    changes.extend([
        ("confirmations", numbers.join(" ")),
        ("languages", languages.join(" ")),
        ("default_language", form.text("default_language").to_owned()),
        ("late_policy", form.text("late_policy").to_owned()),
        ("email_receipts", receipts.to_owned()),
    ]);
    let is_chosen = |name: &str| !lines().any(|line| line.setting == name);
    changes.retain(|(name, value)| !is_chosen(name) || drawn_of(form, settings, name) != *value);
    changes.retain(|(name, value)| settings.text_of(name) != *value);
    // The settings name one fault at a time: what is at fault is left out until nothing is.
    loop {
        let pairs: Vec<(&str, &str)> = changes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let Err(fault) = settings.with(&pairs) else { break };
        let name = fault.setting.as_str();
        errors.add(field(name), wanted(name, language));
        let before = changes.len();
        changes.retain(|(known, _)| *known != name);
        // A contradiction may be named at a setting that stays as it is.
        if changes.len() == before {
            break;
        }
    }
    if errors.is_empty() {
        Ok(changes
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect())
    } else {
        Err(errors)
    }
}

/// The field that shows the setting called `name`.
fn field(name: &str) -> &str {
    match name {
        "confirmations" => CONFIRMATIONS[0],
        other => other,
    }
}

fn wanted(name: &str, language: Language) -> &'static str {
    let said = match name {
        "confirmations" => RISING,
        "languages" => LANGUAGES,
        "default_language" => DEFAULT_LANGUAGE,
        "late_policy" => LATE_POLICY,
        _ => lines()
            .find(|line| line.setting == name)
            .map_or(REFUSED, |line| line.wanted),
    };
    said.of(language)
}

const NUMBER: Words = words("Enter a number from 1 to 100.", "Saisissez un nombre de 1 à 100.");
const RISING: Words = words(
    "The three numbers must not decrease: a larger amount needs at least as many confirmations.",
    "Les trois nombres ne doivent pas décroître\u{a0}: un montant plus élevé exige au moins autant de confirmations.",
);
const LANGUAGES: Words = words("Choose at least one language.", "Choisissez au moins une langue.");
const DEFAULT_LANGUAGE: Words = words(
    "Choose a language that the page offers.",
    "Choisissez une langue que la page propose.",
);
const LATE_POLICY: Words = words(
    "Choose one of the two options.",
    "Choisissez l’une des deux possibilités.",
);
const REFUSED: Words = words("This value is not accepted.", "Cette valeur n’est pas acceptée.");

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::named("Shop").unwrap()
    }

    /// The form as it is shown, with `changed` typed into it.
    fn typed(settings: &Settings, changed: &[(&str, &str)]) -> Form {
        let shown = shown(settings);
        let names = lines().map(|line| line.setting).chain(CONFIRMATIONS);
        let mut pairs: Vec<(String, String)> = names
            .chain(["default_language", "late_policy"])
            .map(|name| (name.to_owned(), shown.text(name).to_owned()))
            .collect();
        pairs.extend(
            shown
                .all("languages")
                .map(|value| ("languages".to_owned(), value.to_owned())),
        );
        for (name, _) in changed {
            pairs.retain(|(known, _)| known != name);
        }
        pairs.extend(
            changed
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        pairs.into_iter().collect()
    }

    #[test]
    fn a_form_sent_back_as_it_was_shown_changes_nothing() {
        let odd = settings()
            .with(&[("window_secs", "310"), ("rate_spread_bps", "75")])
            .unwrap();
        for settings in [settings(), odd] {
            assert_eq!(changes(&typed(&settings, &[]), &settings, Language::En), Ok(Vec::new()));
        }
    }

    #[test]
    fn what_somebody_else_changed_since_the_form_was_drawn_is_left_alone() {
        let before = settings();
        let mut pairs: Vec<(String, String)> = drawn(&shown(&before), &before);
        let form = typed(&before, &[("name", "Tea"), ("confirmations_large", "9")]);
        for name in lines().map(|line| line.setting).chain(CONFIRMATIONS) {
            pairs.push((name.to_owned(), form.text(name).to_owned()));
        }
        for name in ["default_language", "late_policy"] {
            pairs.push((name.to_owned(), form.text(name).to_owned()));
        }
        pairs.extend(
            form.all("languages")
                .map(|value| ("languages".to_owned(), value.to_owned())),
        );
        let form: Form = pairs.into_iter().collect();
        let since = before
            .with(&[("window_secs", "900"), ("late_policy", "accept"), ("languages", "fr")])
            .unwrap();
        let changed = changes(&form, &since, Language::En).unwrap();
        let wanted = [("name", "Tea"), ("confirmations", "1 3 9")];
        assert_eq!(changed, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
        // The page that tells what is wrong sends the same along again.
        assert_eq!(drawn(&form, &since), drawn(&shown(&before), &before));
    }

    #[test]
    fn friendly_units_become_what_is_kept() {
        let form = typed(
            &settings(),
            &[
                ("window_secs", "15"),
                ("price_limit_cents", "2 500,50"),
                ("tolerance_bps", "0,5"),
                ("settle_within_secs", "24"),
                ("confirmations_large", "10"),
            ],
        );
        let changed = changes(&form, &settings(), Language::En).unwrap();
        let changed: Vec<(&str, &str)> = changed
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            changed,
            [
                ("price_limit_cents", "250050"),
                ("tolerance_bps", "50"),
                ("window_secs", "900"),
                ("settle_within_secs", "86400"),
                ("confirmations", "1 3 10"),
            ]
        );
    }

    #[test]
    fn every_fault_is_told_at_its_own_field() {
        let form = typed(
            &settings(),
            &[
                ("name", ""),
                ("site", "javascript:alert(1)"),
                ("window_secs", "2"),
                ("tolerance_bps", "ten"),
                ("confirmations_medium", "0"),
                ("late_policy", "never"),
                ("gap_button", "0"),
            ],
        );
        let errors = changes(&form, &settings(), Language::Fr).unwrap_err();
        for name in [
            "name",
            "site",
            "window_secs",
            "tolerance_bps",
            "confirmations_medium",
            "late_policy",
            "gap_button",
        ] {
            assert!(errors.get(name).is_some(), "{name}");
        }
        assert!(errors.get("price_limit_cents").is_none());
    }

    #[test]
    fn settings_that_contradict_each_other_are_told() {
        let wrong =
            |changed: &[(&str, &str)]| changes(&typed(&settings(), changed), &settings(), Language::En).unwrap_err();
        assert!(
            wrong(&[("confirmations_small", "5")])
                .get("confirmations_small")
                .is_some()
        );
        assert!(
            wrong(&[("small_limit_cents", "20000")])
                .get("small_limit_cents")
                .is_some()
        );
        // The setting that is named stays as it is.
        assert!(
            wrong(&[("medium_limit_cents", "10")])
                .get("small_limit_cents")
                .is_some()
        );
        let french_only = [("languages", "fr"), ("default_language", "en")];
        assert!(wrong(&french_only).get("default_language").is_some());
    }

    #[test]
    fn without_any_language_nothing_is_said_to_shoppers() {
        let mut form = typed(&settings(), &[("languages", "fr")]);
        assert_eq!(
            changes(&form, &settings(), Language::En).unwrap(),
            [("languages".to_owned(), "fr".to_owned())]
        );
        form = typed(&settings(), &[("languages", "")]);
        assert!(
            changes(&form, &settings(), Language::En)
                .unwrap_err()
                .get("languages")
                .is_some()
        );
    }
}
