//! What a merchant may choose, each with its default and its bounds (rules.md, "Defaults").

mod table;
#[cfg(test)]
mod tests;
mod values;

use bitpro_charge::{Cents, LatePolicy, Tiers, Tolerance};

use super::{AllowedOrigin, Colour, Language, Zone};
use crate::name::is_name;
use table::refused;
pub use table::{SETTINGS, Setting, SettingError};
use values::{is_yes, joined, list, number, optional, site, words, yes_or_no};

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
    /// The longest window that the merchant's server may ask for, in seconds.
    pub api_window_limit_secs: u32,
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
    /// Whether a link makes charges only with the merchant's signature (R21).
    pub require_signed_links: bool,
    /// Whether buyers who gave an address get a receipt.
    pub email_receipts: bool,
    /// How many days after its end a charge's personal data is erased (R31); zero: never.
    pub retention_days: u32,
    /// Where the merchant's clock stands: what they are shown, and what they send, has its times.
    pub time_zone: Zone,
}

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

    /// These settings with `more` origins listed, behind those that are; one that is listed stays where it is.
    ///
    /// # Errors
    /// [`SettingError`] when there are too many together.
    pub fn with_origins(mut self, more: &[AllowedOrigin]) -> Result<Self, SettingError> {
        for origin in more {
            if !self.allowed_origins.contains(origin) {
                self.allowed_origins.push(origin.clone());
            }
        }
        if self.allowed_origins.len() > MOST_ORIGINS {
            return Err(refused("allowed_origins", &joined(&self.allowed_origins)));
        }
        Ok(self)
    }

    /// The longest window that the merchant's server may ask for, in seconds: never less than the usual one.
    #[must_use]
    pub const fn longest_window_secs(&self) -> u32 {
        if self.window_secs > self.api_window_limit_secs {
            self.window_secs
        } else {
            self.api_window_limit_secs
        }
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
            "api_window_limit_secs" => self.api_window_limit_secs.to_string(),
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
            "require_signed_links" => yes_or_no(self.require_signed_links).to_owned(),
            "email_receipts" => yes_or_no(self.email_receipts).to_owned(),
            "retention_days" => self.retention_days.to_string(),
            "time_zone" => self.time_zone.to_string(),
            _ => String::new(),
        }
    }

    /// Sets one value within its own bounds; `None` when it is not right.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "name" => self.name = is_name(value).then(|| value.to_owned())?,
            "site" => self.site = optional(value, site)?,
            "allowed_origins" => self.allowed_origins = list(value, 0..=MOST_ORIGINS)?,
            "colour" => self.colour = value.parse().ok()?,
            "languages" => self.languages = list(value, 1..=Language::ALL.len())?,
            "default_language" => {
                self.default_language = optional(value, |value| value.parse().ok())?;
            }
            "window_secs" => self.window_secs = number(value, 300, 86_400)?,
            "api_window_limit_secs" => self.api_window_limit_secs = number(value, 300, 86_400)?,
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
            "require_signed_links" => self.require_signed_links = is_yes(value)?,
            "email_receipts" => self.email_receipts = is_yes(value)?,
            "retention_days" => self.retention_days = number(value, 0, 3_650)?,
            "time_zone" => self.time_zone = value.parse().ok()?,
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
            api_window_limit_secs: 60 * 60,
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
            require_signed_links: false,
            email_receipts: false,
            retention_days: 0,
            time_zone: Zone::default(),
        }
    }
}

/// As many origins as a merchant may list: all are in a header of each page.
pub const MOST_ORIGINS: usize = 50;

/// EUR 1,000 million: beyond any price, and far from the end of 64 bits.
const HIGHEST_CENTS: u64 = 100_000_000_000;

pub(super) const fn policy_word(policy: LatePolicy) -> &'static str {
    match policy {
        LatePolicy::Ask => "ask",
        LatePolicy::Accept => "accept",
    }
}
