//! What a merchant may choose, each with its default and its bounds (rules.md, "Defaults").

use std::str::FromStr;

use bitpro_charge::{Cents, LatePolicy, Tiers, Tolerance};
use url::Url;

use super::{AllowedOrigin, Colour, Language};

/// A value that cannot be taken, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} = {value:?}: {wanted}")]
pub struct SettingError {
    /// The setting's name.
    pub setting: String,
    /// The value that was given.
    pub value: String,
    /// What would be right.
    pub wanted: String,
}

/// All choices of one merchant. Charges freeze what concerns them when they are made (R1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The name that shoppers see.
    pub name: String,
    /// Where the shopper goes back to.
    pub site: Option<String>,
    /// The origins that may frame the checkout (R41); none: nobody may.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// The colour of the page.
    pub colour: Colour,
    /// The languages offered.
    pub languages: Vec<Language>,
    /// The language when the link names none (R40); `None` leaves it to the browser.
    pub default_language: Option<Language>,
    /// How long an amount is promised, in seconds.
    pub window_secs: u32,
    /// How long after the deadline the chain must be known before it counts as passed (R4), in seconds.
    pub grace_secs: u32,
    /// How long a payment may take to become deep (R12), in seconds.
    pub settle_within_secs: u32,
    /// By how much a partial payment extends the deadline, once (R16), in seconds.
    pub extension_secs: u32,
    /// Confirmations by amount (R9).
    pub tiers: Tiers,
    /// What is forgiven when too little arrives (R10).
    pub tolerance: Tolerance,
    /// What becomes of late money (R13).
    pub late_policy: LatePolicy,
    /// The fall of the rate from which nothing late is taken without asking, in basis points.
    pub rate_move_limit_bps: u32,
    /// How much more bitcoin than the market's rate gives is asked for, in basis points (R29).
    pub rate_spread_bps: u32,
    /// The highest price of one charge.
    pub price_limit: Cents,
    /// From this run of unpaid addresses on, the merchant is warned (R26).
    pub gap_warning: u32,
    /// From this run of unpaid addresses on, an unsigned link needs the button (R26).
    pub gap_button: u32,
}

/// One setting as the command line, the dashboard and the guide describe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its default, as it would be written.
    pub default: &'static str,
    /// What may be written.
    pub wanted: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

const fn setting(name: &'static str, default: &'static str, wanted: &'static str, meaning: &'static str) -> Setting {
    Setting {
        name,
        default,
        wanted,
        meaning,
    }
}

/// Every setting but descriptor and logo, which are not plain text.
pub const SETTINGS: [Setting; 21] = [
    setting(
        "name",
        "",
        "a text of 1 to 60 characters",
        "The name that shoppers see.",
    ),
    setting(
        "site",
        "",
        "an https address, or nothing",
        "Where \"back to the shop\" leads.",
    ),
    setting(
        "allowed_origins",
        "",
        "origins separated by spaces or commas, as in shop.example *.shop.example:8443; at most 50",
        "Who may show the checkout in a frame. https is implied; shop.example does not cover www.shop.example.",
    ),
    setting(
        "colour",
        "#1f5aa6",
        "a colour as #rrggbb",
        "The colour of the checkout page.",
    ),
    setting(
        "languages",
        "en fr",
        "one or more of en, fr, separated by spaces or commas",
        "The languages that the page offers.",
    ),
    setting(
        "default_language",
        "",
        "one of the offered languages, or nothing",
        "The language when the link names none; nothing leaves it to the shopper's browser.",
    ),
    setting(
        "window_secs",
        "1200",
        "seconds from 300 to 86400",
        "How long the amount is promised.",
    ),
    setting(
        "grace_secs",
        "90",
        "seconds from 0 to 3600",
        "How long after the end of the window a charge waits for news from the network before it times out.",
    ),
    setting(
        "settle_within_secs",
        "172800",
        "seconds from 3600 to 1209600",
        "How long a payment in time may take to confirm before it counts as late.",
    ),
    setting(
        "extension_secs",
        "600",
        "seconds from 0 to 3600",
        "By how much a partial payment extends the window, once; 0 never.",
    ),
    setting(
        "small_limit_cents",
        "100000",
        "cents from 0 to medium_limit_cents",
        "Up to this worth, small_confirmations suffice.",
    ),
    setting(
        "medium_limit_cents",
        "1000000",
        "cents from small_limit_cents to 100000000000",
        "Up to this worth, medium_confirmations suffice; above, large_confirmations.",
    ),
    setting(
        "confirmations",
        "1 3 6",
        "three rising numbers from 1 to 100, as in 1 3 6",
        "Confirmations needed: small, medium and large amounts.",
    ),
    setting(
        "tolerance_bps",
        "0",
        "hundredths of a percent from 0 to 1000",
        "How much of an amount may be missing.",
    ),
    setting(
        "tolerance_cap_cents",
        "500",
        "cents from 0 to 10000",
        "The most that is ever forgiven, whatever tolerance_bps comes to.",
    ),
    setting(
        "late_policy",
        "ask",
        "ask or accept",
        "What becomes of money that comes too late: the merchant is asked, or it is taken while the rate has not moved against him.",
    ),
    setting(
        "rate_move_limit_bps",
        "200",
        "hundredths of a percent from 1 to 1000",
        "The fall of the rate from which nothing late is taken without asking.",
    ),
    setting(
        "rate_spread_bps",
        "0",
        "hundredths of a percent from 0 to 1000",
        "How much more bitcoin is asked for than the market's rate gives: for the fee when you sell it, and because the shopper may wait until the end of the window and pay only if the rate has moved his way.",
    ),
    setting(
        "price_limit_cents",
        "10000000",
        "cents from 1 to 100000000000",
        "The highest price of one charge.",
    ),
    setting(
        "gap_warning",
        "20",
        "addresses from 1 to gap_button",
        "From this run of unpaid addresses on, the merchant is warned that his wallet may not look further.",
    ),
    setting(
        "gap_button",
        "100",
        "addresses from gap_warning to 10000",
        "From this run of unpaid addresses on, an unsigned link asks for a press of a button.",
    ),
];

impl Settings {
    /// The defaults, for a merchant called `name`.
    ///
    /// # Errors
    /// [`SettingError`] when the name is empty or too long.
    pub fn named(name: &str) -> Result<Self, SettingError> {
        Self::default().with(&[("name", name)])
    }

    /// These settings with `changes`, given as name and text; all are checked before any is taken.
    ///
    /// # Errors
    /// [`SettingError`], naming the setting, the value and what would be right.
    pub fn with(&self, changes: &[(&str, &str)]) -> Result<Self, SettingError> {
        let mut settings = self.clone();
        for &(name, value) in changes {
            if settings.set(name, value.trim()).is_none() {
                return Err(refused(name, value));
            }
        }
        // Bounds between settings are checked last, so that the order of the changes decides nothing.
        if let Some(name) = settings.contradiction() {
            return Err(refused(name, &settings.text_of(name)));
        }
        Ok(settings)
    }

    /// The value of the setting called `name`, as it would be written; empty for an unknown name.
    #[must_use]
    pub fn text_of(&self, name: &str) -> String {
        let Tiers {
            small_limit,
            medium_limit,
            small,
            medium,
            large,
        } = self.tiers;
        match name {
            "name" => self.name.clone(),
            "site" => self.site.clone().unwrap_or_default(),
            "allowed_origins" => joined(&self.allowed_origins),
            "colour" => self.colour.to_string(),
            "languages" => joined(&self.languages),
            "default_language" => self
                .default_language
                .map(|language| language.to_string())
                .unwrap_or_default(),
            "window_secs" => self.window_secs.to_string(),
            "grace_secs" => self.grace_secs.to_string(),
            "settle_within_secs" => self.settle_within_secs.to_string(),
            "extension_secs" => self.extension_secs.to_string(),
            "small_limit_cents" => small_limit.0.to_string(),
            "medium_limit_cents" => medium_limit.0.to_string(),
            "confirmations" => joined(&[small, medium, large]),
            "tolerance_bps" => self.tolerance.bps.to_string(),
            "tolerance_cap_cents" => self.tolerance.cap.0.to_string(),
            "late_policy" => policy_word(self.late_policy).to_owned(),
            "rate_move_limit_bps" => self.rate_move_limit_bps.to_string(),
            "rate_spread_bps" => self.rate_spread_bps.to_string(),
            "price_limit_cents" => self.price_limit.0.to_string(),
            "gap_warning" => self.gap_warning.to_string(),
            "gap_button" => self.gap_button.to_string(),
            _ => String::new(),
        }
    }

    /// Sets one value within its own bounds; `None` when it is not right.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "name" => {
                let fits = (1..=60).contains(&value.chars().count());
                self.name = (fits && !value.chars().any(char::is_control)).then(|| value.to_owned())?;
            }
            "site" => self.site = optional(value, site)?,
            "allowed_origins" => self.allowed_origins = list(value, 0..=50)?,
            "colour" => self.colour = value.parse().ok()?,
            "languages" => self.languages = list(value, 1..=Language::ALL.len())?,
            "default_language" => {
                self.default_language = optional(value, |value| value.parse().ok())?;
            }
            "window_secs" => self.window_secs = number(value, 300, 86_400)?,
            "grace_secs" => self.grace_secs = number(value, 0, 3_600)?,
            "settle_within_secs" => self.settle_within_secs = number(value, 3_600, 1_209_600)?,
            "extension_secs" => self.extension_secs = number(value, 0, 3_600)?,
            "small_limit_cents" => {
                self.tiers.small_limit = Cents(number(value, 0, HIGHEST_CENTS)?);
            }
            "medium_limit_cents" => {
                self.tiers.medium_limit = Cents(number(value, 0, HIGHEST_CENTS)?);
            }
            "confirmations" => self.confirmations(value)?,
            "tolerance_bps" => self.tolerance.bps = number(value, 0, 1_000)?,
            "tolerance_cap_cents" => self.tolerance.cap = Cents(number(value, 0, 10_000)?),
            "late_policy" => {
                self.late_policy = [LatePolicy::Ask, LatePolicy::Accept]
                    .into_iter()
                    .find(|&policy| policy_word(policy) == value)?;
            }
            "rate_move_limit_bps" => self.rate_move_limit_bps = number(value, 1, 1_000)?,
            "rate_spread_bps" => self.rate_spread_bps = number(value, 0, 1_000)?,
            "price_limit_cents" => self.price_limit = Cents(number(value, 1, HIGHEST_CENTS)?),
            "gap_warning" => self.gap_warning = number(value, 1, 10_000)?,
            "gap_button" => self.gap_button = number(value, 1, 10_000)?,
            _ => return None,
        }
        Some(())
    }

    fn confirmations(&mut self, value: &str) -> Option<()> {
        let numbers: Vec<&str> = words(value).collect();
        let [small, medium, large] = numbers[..] else {
            return None;
        };
        let [small, medium, large] = [number(small, 1, 100)?, number(medium, 1, 100)?, number(large, 1, 100)?];
        if small > medium || medium > large {
            return None;
        }
        self.tiers = Tiers {
            small,
            medium,
            large,
            ..self.tiers
        };
        Some(())
    }

    /// The first setting that contradicts another.
    fn contradiction(&self) -> Option<&'static str> {
        let speaks_default = self
            .default_language
            .is_none_or(|language| self.languages.contains(&language));
        if self.tiers.small_limit > self.tiers.medium_limit {
            Some("small_limit_cents")
        } else if self.gap_warning > self.gap_button {
            Some("gap_warning")
        } else if !speaks_default {
            Some("default_language")
        } else {
            None
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: String::new(),
            site: None,
            allowed_origins: Vec::new(),
            colour: Colour::default(),
            languages: Language::ALL.to_vec(),
            default_language: None,
            window_secs: 20 * 60,
            grace_secs: 90,
            settle_within_secs: 48 * 60 * 60,
            extension_secs: 10 * 60,
            tiers: Tiers::default(),
            tolerance: Tolerance {
                bps: 0,
                cap: Cents(500),
            },
            late_policy: LatePolicy::Ask,
            rate_move_limit_bps: 200,
            rate_spread_bps: 0,
            price_limit: Cents(10_000_000),
            gap_warning: 20,
            gap_button: 100,
        }
    }
}

/// EUR 1,000 million: beyond any price, and far from the end of 64 bits.
const HIGHEST_CENTS: u64 = 100_000_000_000;

fn refused(name: &str, value: &str) -> SettingError {
    let known = SETTINGS.iter().find(|setting| setting.name == name);
    let wanted = match known {
        Some(setting) if setting.default.is_empty() => format!("wanted {}", setting.wanted),
        Some(setting) => format!("wanted {} (default {})", setting.wanted, setting.default),
        None => {
            let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
            format!("there is no such setting; there are {}", names.join(", "))
        }
    };
    SettingError {
        setting: name.to_owned(),
        value: value.to_owned(),
        wanted,
    }
}

pub(super) const fn policy_word(policy: LatePolicy) -> &'static str {
    match policy {
        LatePolicy::Ask => "ask",
        LatePolicy::Accept => "accept",
    }
}

fn site(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "https" | "http") && url.host().is_some();
    (is_web && text.len() <= 2_000).then(|| url.to_string())
}

/// Nothing for an empty text, else what `parse` makes of it.
fn optional<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() {
        return Some(None);
    }
    parse(text).map(Some)
}

fn number<N: FromStr + PartialOrd>(text: &str, least: N, most: N) -> Option<N> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|n| (least..=most).contains(n))
}

fn list<T: FromStr + PartialEq>(text: &str, sizes: std::ops::RangeInclusive<usize>) -> Option<Vec<T>> {
    let mut list: Vec<T> = Vec::new();
    for word in words(text) {
        let item = word.parse().ok()?;
        if !list.contains(&item) {
            list.push(item);
        }
    }
    sizes.contains(&list.len()).then_some(list)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '\n', '\t', '\r']).filter(|word| !word.is_empty())
}

fn joined<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let settings = Settings::named("Shop").unwrap();
        for setting in SETTINGS.iter().filter(|setting| setting.name != "name") {
            assert_eq!(settings.text_of(setting.name), setting.default, "{}", setting.name);
        }
    }

    #[test]
    fn every_setting_can_be_written_as_it_is_shown() {
        let settings = Settings::named("Shop")
            .unwrap()
            .with(&[
                ("site", "https://shop.example/"),
                ("allowed_origins", "shop.example, *.shop.example:8443"),
                ("default_language", "fr"),
                ("confirmations", "2,3,4"),
                ("late_policy", "accept"),
            ])
            .unwrap();
        let changes: Vec<(&str, String)> = SETTINGS
            .iter()
            .map(|setting| (setting.name, settings.text_of(setting.name)))
            .collect();
        let changes: Vec<(&str, &str)> = changes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(Settings::default().with(&changes), Ok(settings));
    }

    #[test]
    fn a_wrong_value_names_the_setting_the_value_and_what_would_be_right() {
        let refused = Settings::named("Shop")
            .unwrap()
            .with(&[("window_secs", "5")])
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "window_secs = \"5\": wanted seconds from 300 to 86400 (default 1200)"
        );
        for (name, value) in [
            ("name", ""),
            ("name", "a\nb"),
            ("site", "javascript:alert(1)"),
            ("allowed_origins", "http://shop.example"),
            ("colour", "red"),
            ("languages", ""),
            ("languages", "de"),
            ("grace_secs", "-1"),
            ("settle_within_secs", "+3600"),
            ("confirmations", "0 1 2"),
            ("confirmations", "3 2 1"),
            ("confirmations", "1 2"),
            ("tolerance_bps", "1001"),
            ("late_policy", "maybe"),
            ("price_limit_cents", "0"),
            ("windows", "1"),
        ] {
            let error = Settings::named("Shop").unwrap().with(&[(name, value)]).unwrap_err();
            assert_eq!((error.setting.as_str(), error.value.as_str()), (name, value));
        }
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused_whatever_their_order() {
        let settings = Settings::named("Shop").unwrap();
        assert!(settings.with(&[("gap_warning", "200")]).is_err());
        assert!(settings.with(&[("gap_warning", "200"), ("gap_button", "300")]).is_ok());
        assert!(settings.with(&[("small_limit_cents", "1000001")]).is_err());
        assert!(
            settings
                .with(&[("languages", "en"), ("default_language", "fr")])
                .is_err()
        );
    }
}
