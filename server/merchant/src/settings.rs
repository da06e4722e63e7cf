//! What a merchant may choose, each with its default and its bounds (rules.md, "Defaults").

mod patch;
mod table;
#[cfg(test)]
mod tests;
mod values;

use bitpro_charge::{Cents, LatePolicy, Tiers, Tolerance};

use super::{AllowedOrigin, Colour, Language, Zone};
pub use patch::SettingsPatch;
use table::refused;
pub use table::{SETTINGS, Setting, SettingError, SettingName};
use values::{joined, yes_or_no};

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

    /// The settings of a new merchant. The name is the one thing without a default.
    ///
    /// # Errors
    /// [`SettingError`] when there is no name, or when settings contradict each other.
    pub fn made_of(patch: &SettingsPatch) -> Result<Self, SettingError> {
        if patch.name.is_none() {
            return Err(refused(SettingName::Name.as_str(), ""));
        }
        Self::default().patched(patch)
    }

    /// These settings with `changes`, given as name and text; all are checked before any is taken.
    ///
    /// # Errors
    /// [`SettingError`], naming the setting, the value and what would be right.
    pub fn with(&self, changes: &[(&str, &str)]) -> Result<Self, SettingError> {
        self.patched(&SettingsPatch::read(changes)?)
    }

    /// These settings after `patch`. Bounds between settings are checked when all are there, so that no order decides anything.
    ///
    /// # Errors
    /// [`SettingError`], when settings contradict each other.
    pub fn patched(&self, patch: &SettingsPatch) -> Result<Self, SettingError> {
        let mut settings = self.clone();
        patch.apply(&mut settings);
        let fault = settings.contradictions().next();
        match fault {
            Some(name) => Err(refused(name.as_str(), &settings.text_of(name))),
            None => Ok(settings),
        }
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
            return Err(refused(
                SettingName::AllowedOrigins.as_str(),
                &joined(&self.allowed_origins),
            ));
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

    /// The value of a setting, as it would be written.
    #[must_use]
    pub fn text_of(&self, setting: SettingName) -> String {
        let Tiers {
            small_limit,
            medium_limit,
            small,
            medium,
            large,
        } = self.tiers;
        match setting {
            SettingName::Name => self.name.clone(),
            SettingName::Site => self.site.clone().unwrap_or_default(),
            SettingName::AllowedOrigins => joined(&self.allowed_origins),
            SettingName::Colour => self.colour.to_string(),
            SettingName::Languages => joined(&self.languages),
            SettingName::DefaultLanguage => self
                .default_language
                .map(|language| language.to_string())
                .unwrap_or_default(),
            SettingName::WindowSecs => self.window_secs.to_string(),
            SettingName::ApiWindowLimitSecs => self.api_window_limit_secs.to_string(),
            SettingName::GraceSecs => self.grace_secs.to_string(),
            SettingName::SettleWithinSecs => self.settle_within_secs.to_string(),
            SettingName::ExtensionSecs => self.extension_secs.to_string(),
            SettingName::SmallLimitCents => small_limit.0.to_string(),
            SettingName::MediumLimitCents => medium_limit.0.to_string(),
            SettingName::Confirmations => joined(&[small, medium, large]),
            SettingName::ToleranceBps => self.tolerance.bps.to_string(),
            SettingName::ToleranceCapCents => self.tolerance.cap.0.to_string(),
            SettingName::LatePolicy => policy_word(self.late_policy).to_owned(),
            SettingName::RateMoveLimitBps => self.rate_move_limit_bps.to_string(),
            SettingName::RateSpreadBps => self.rate_spread_bps.to_string(),
            SettingName::PriceLimitCents => self.price_limit.0.to_string(),
            SettingName::GapWarning => self.gap_warning.to_string(),
            SettingName::GapButton => self.gap_button.to_string(),
            SettingName::RequireSignedLinks => yes_or_no(self.require_signed_links).to_owned(),
            SettingName::EmailReceipts => yes_or_no(self.email_receipts).to_owned(),
            SettingName::RetentionDays => self.retention_days.to_string(),
            SettingName::TimeZone => self.time_zone.to_string(),
        }
    }

    /// The settings that contradict others.
    pub(crate) fn contradictions(&self) -> impl Iterator<Item = SettingName> {
        let speaks_default = self
            .default_language
            .is_none_or(|language| self.languages.contains(&language));
        let faults = [
            (
                self.tiers.small_limit > self.tiers.medium_limit,
                SettingName::SmallLimitCents,
            ),
            (self.gap_warning > self.gap_button, SettingName::GapWarning),
            (!speaks_default, SettingName::DefaultLanguage),
        ];
        faults
            .into_iter()
            .filter_map(|(is_fault, name)| is_fault.then_some(name))
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
