//! The general settings as a form shows them, and what a form changes of them. Pure.

use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, SettingError, SettingName, Settings, SettingsPatch};

use super::general_fields::lines;
use crate::field::Errors;
use crate::form::Form;

/// The fields of the three numbers of confirmations, in their order.
pub(super) const CONFIRMATIONS: [&str; 3] = ["confirmations_small", "confirmations_medium", "confirmations_large"];

/// The settings that are no plain fields.
const CHOSEN: [SettingName; 5] = [
    SettingName::Confirmations,
    SettingName::Languages,
    SettingName::DefaultLanguage,
    SettingName::LatePolicy,
    SettingName::EmailReceipts,
];

/// What the form shows of `settings`.
pub(crate) fn shown(settings: &Settings) -> Form {
    let plain = lines().map(|line| (line.setting.as_str(), line.unit.shown(&settings.text_of(line.setting))));
    let confirmations = settings.text_of(SettingName::Confirmations);
    let numbers = confirmations.split(' ').map(str::to_owned);
    let languages = settings
        .languages
        .iter()
        .map(|language| (SettingName::Languages.as_str(), language.to_string()));
    let chosen = [
        SettingName::DefaultLanguage,
        SettingName::LatePolicy,
        SettingName::EmailReceipts,
    ];
    let chosen = chosen.map(|setting| (setting.as_str(), settings.text_of(setting)));
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
    let plain = lines().map(|line| line.setting);
    plain
        .chain(CHOSEN)
        .map(|setting| (was(setting), drawn_of(form, settings, setting)))
        .collect()
}

fn was(setting: SettingName) -> String {
    format!("was_{setting}")
}

/// What the form showed of one setting; what is there now, if the form does not say.
fn drawn_of(form: &Form, settings: &Settings, setting: SettingName) -> String {
    let was = was(setting);
    if form.has(&was) {
        return form.text(&was).to_owned();
    }
    let now = settings.text_of(setting);
    lines()
        .find(|line| line.setting == setting)
        .map_or_else(|| now.clone(), |line| line.unit.shown(&now))
}

/// What `form` changes of `settings`. A field that still says what was shown changes nothing.
///
/// # Errors
/// What is wrong, by the names of the fields, in `language`.
pub(crate) fn changes(form: &Form, settings: &Settings, language: Language) -> Result<SettingsPatch, Errors> {
    let mut errors = Errors::none();
    let mut patch = SettingsPatch::default();
    // What is so already is no change, however it came to be so.
    let mut take = |setting, text: &str| settings.text_of(setting) == text || patch.set(setting, text).is_ok();
    for line in lines() {
        let typed = form.text(line.setting.as_str());
        if typed == drawn_of(form, settings, line.setting) {
            continue;
        }
        let kept = line.unit.kept(typed);
        if !kept.is_some_and(|kept| take(line.setting, &kept)) {
            errors.add(line.setting.as_str(), line.wanted.of(language));
        }
    }
    let numbers = CONFIRMATIONS.map(|name| form.text(name));
    for (name, number) in CONFIRMATIONS.into_iter().zip(numbers) {
        if !number.parse::<u32>().is_ok_and(|number| (1..=100).contains(&number)) {
            errors.add(name, NUMBER.of(language));
        }
    }
    for setting in CHOSEN {
        let chosen = chosen(form, setting);
        if chosen != drawn_of(form, settings, setting) && !take(setting, &chosen) {
            errors.add(field(setting), wanted(setting).of(language));
        }
    }
    for setting in patch.contradictions(settings) {
        errors.add(field(setting), wanted(setting).of(language));
    }
    if errors.is_empty() { Ok(patch) } else { Err(errors) }
}

/// What is wrong with a change that was right when it was read.
pub(super) fn late(error: &SettingError, language: Language) -> Errors {
    let setting = error.known.unwrap_or(SettingName::Name);
    Errors::of(field(setting), wanted(setting).of(language))
}

/// What the form says of a setting that is no plain field.
fn chosen(form: &Form, setting: SettingName) -> String {
    match setting {
        SettingName::Confirmations => CONFIRMATIONS.map(|name| form.text(name)).join(" "),
        SettingName::Languages => form.all(setting.as_str()).collect::<Vec<_>>().join(" "),
        // A box that is not ticked is not sent.
        SettingName::EmailReceipts if form.text(setting.as_str()) != "yes" => "no".to_owned(),
        _ => form.text(setting.as_str()).to_owned(),
    }
}

/// The field that shows a setting.
const fn field(setting: SettingName) -> &'static str {
    match setting {
        SettingName::Confirmations => CONFIRMATIONS[0],
        other => other.as_str(),
    }
}

/// What would be right for a setting.
fn wanted(setting: SettingName) -> Words {
    match setting {
        SettingName::Confirmations => RISING,
        SettingName::Languages => LANGUAGES,
        SettingName::DefaultLanguage => DEFAULT_LANGUAGE,
        SettingName::LatePolicy => LATE_POLICY,
        _ => lines()
            .find(|line| line.setting == setting)
            .map_or(REFUSED, |line| line.wanted),
    }
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

    fn patch(pairs: &[(&str, &str)]) -> SettingsPatch {
        SettingsPatch::read(pairs).unwrap()
    }

    /// The form as it is shown, with `changed` typed into it.
    fn typed(settings: &Settings, changed: &[(&str, &str)]) -> Form {
        let shown = shown(settings);
        let names = lines().map(|line| line.setting.as_str()).chain(CONFIRMATIONS);
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
            assert_eq!(
                changes(&typed(&settings, &[]), &settings, Language::En),
                Ok(SettingsPatch::default())
            );
        }
    }

    #[test]
    fn what_somebody_else_changed_since_the_form_was_drawn_is_left_alone() {
        let before = settings();
        let mut pairs: Vec<(String, String)> = drawn(&shown(&before), &before);
        let form = typed(&before, &[("name", "Tea"), ("confirmations_large", "9")]);
        for name in lines().map(|line| line.setting.as_str()).chain(CONFIRMATIONS) {
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
        assert_eq!(changed, patch(&[("name", "Tea"), ("confirmations", "1 3 9")]));
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
        assert_eq!(
            changed,
            patch(&[
                ("price_limit_cents", "250050"),
                ("tolerance_bps", "50"),
                ("window_secs", "900"),
                ("settle_within_secs", "86400"),
                ("confirmations", "1 3 10"),
            ])
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
    fn a_change_that_came_too_late_is_told_at_its_field_and_in_the_language_of_the_page() {
        let since = settings().with(&[("gap_button", "25")]).unwrap();
        let error = since.with(&[("gap_warning", "30")]).unwrap_err();
        let line = lines().find(|line| line.setting == SettingName::GapWarning).unwrap();
        let errors = late(&error, Language::Fr);
        assert_eq!(errors.get("gap_warning"), Some(line.wanted.of(Language::Fr)));
        assert_eq!(errors.get("name"), None);
    }

    #[test]
    fn without_any_language_nothing_is_said_to_shoppers() {
        let mut form = typed(&settings(), &[("languages", "fr")]);
        assert_eq!(
            changes(&form, &settings(), Language::En).unwrap(),
            patch(&[("languages", "fr")])
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
