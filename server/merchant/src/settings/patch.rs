//! What is to be changed of settings: read once, from a form, the command line or the merchant's server, each value within its own
//! bounds; what they are together is checked where they are put together ([`Settings::patched`]).

use bitpro_base::name::is_name;
use bitpro_charge::{Cents, LatePolicy, Tiers};

use super::table::{SettingError, SettingName, refused};
use super::values::{is_yes, list, number, optional, site, words};
use super::{AllowedOrigin, Colour, HIGHEST_CENTS, Language, MOST_ORIGINS, SETTINGS, Settings, Zone, policy_word};

/// For each setting its field with its type, how it is read, and where it is put.
macro_rules! fields {
    ($($variant:ident $field:ident: $kind:ty = $read:expr, $put:expr;)*) => {
        /// Settings as they are to become; what is `None` stays as it is.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct SettingsPatch {
            $(
                #[doc = concat!("The new `", stringify!($field), "`.")]
                pub $field: Option<$kind>,
            )*
        }

        impl SettingsPatch {
            /// Whether it changes the setting.
            const fn has(&self, setting: SettingName) -> bool {
                match setting {
                    $(SettingName::$variant => self.$field.is_some(),)*
                }
            }

            /// Takes in one value; `None` when it is not right.
            fn take(&mut self, setting: SettingName, text: &str) -> Option<()> {
                match setting {
                    $(SettingName::$variant => {
                        let read: fn(&str) -> Option<$kind> = $read;
                        self.$field = Some(read(text)?);
                    })*
                }
                Some(())
            }

            /// Puts what is to be changed in its place.
            pub(super) fn apply(&self, settings: &mut Settings) {
                $(if let Some(value) = self.$field.clone() {
                    let put: fn(&mut Settings, $kind) = $put;
                    put(settings, value);
                })*
            }
        }
    };
}

fields! {
    Name name: String = |text| is_name(text).then(|| text.to_owned()), |settings, value| settings.name = value;
    Site site: Option<String> = |text| optional(text, site), |settings, value| settings.site = value;
    AllowedOrigins allowed_origins: Vec<AllowedOrigin> = |text| list(text, 0..=MOST_ORIGINS), |settings, value| settings.allowed_origins = value;
    Colour colour: Colour = |text| text.parse().ok(), |settings, value| settings.colour = value;
    Languages languages: Vec<Language> = |text| list(text, 1..=Language::ALL.len()), |settings, value| settings.languages = value;
    DefaultLanguage default_language: Option<Language> = |text| optional(text, |text| text.parse().ok()), |settings, value| settings.default_language = value;
    WindowSecs window_secs: u32 = |text| number(text, 300, 86_400), |settings, value| settings.window_secs = value;
    ApiWindowLimitSecs api_window_limit_secs: u32 = |text| number(text, 300, 86_400), |settings, value| settings.api_window_limit_secs = value;
    GraceSecs grace_secs: u32 = |text| number(text, 0, 3_600), |settings, value| settings.grace_secs = value;
    SettleWithinSecs settle_within_secs: u32 = |text| number(text, 3_600, 1_209_600), |settings, value| settings.settle_within_secs = value;
    ExtensionSecs extension_secs: u32 = |text| number(text, 0, 3_600), |settings, value| settings.extension_secs = value;
    SmallLimitCents small_limit: Cents = |text| cents(text, 0, HIGHEST_CENTS), |settings, value| settings.tiers.small_limit = value;
    MediumLimitCents medium_limit: Cents = |text| cents(text, 0, HIGHEST_CENTS), |settings, value| settings.tiers.medium_limit = value;
    Confirmations confirmations: [u32; 3] = rising, |settings, [small, medium, large]| settings.tiers = Tiers { small, medium, large, ..settings.tiers };
    ToleranceBps tolerance_bps: u32 = |text| number(text, 0, 1_000), |settings, value| settings.tolerance.bps = value;
    ToleranceCapCents tolerance_cap: Cents = |text| cents(text, 0, 10_000), |settings, value| settings.tolerance.cap = value;
    LatePolicy late_policy: LatePolicy = policy, |settings, value| settings.late_policy = value;
    RateMoveLimitBps rate_move_limit_bps: u32 = |text| number(text, 1, 1_000), |settings, value| settings.rate_move_limit_bps = value;
    RateSpreadBps rate_spread_bps: u32 = |text| number(text, 0, 1_000), |settings, value| settings.rate_spread_bps = value;
    PriceLimitCents price_limit: Cents = |text| cents(text, 1, HIGHEST_CENTS), |settings, value| settings.price_limit = value;
    GapWarning gap_warning: u32 = |text| number(text, 1, 10_000), |settings, value| settings.gap_warning = value;
    GapButton gap_button: u32 = |text| number(text, 1, 10_000), |settings, value| settings.gap_button = value;
    RequireSignedLinks require_signed_links: bool = is_yes, |settings, value| settings.require_signed_links = value;
    EmailReceipts email_receipts: bool = is_yes, |settings, value| settings.email_receipts = value;
    RetentionDays retention_days: u32 = |text| number(text, 0, 3_650), |settings, value| settings.retention_days = value;
    TimeZone time_zone: Zone = |text| text.parse().ok(), |settings, value| settings.time_zone = value;
}

impl SettingsPatch {
    /// What `pairs` say, by name and text; of two values for one setting the last counts.
    ///
    /// # Errors
    /// [`SettingError`], naming the setting, the value and what would be right.
    pub fn read<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> Result<Self, SettingError> {
        let mut patch = Self::default();
        for (name, value) in pairs {
            let (name, value) = (name.as_ref(), value.as_ref());
            let setting = SettingName::named(name).ok_or_else(|| refused(name, value))?;
            patch.set(setting, value)?;
        }
        Ok(patch)
    }

    /// Takes in what `text` says of one setting.
    ///
    /// # Errors
    /// [`SettingError`], when the text is not right.
    pub fn set(&mut self, setting: SettingName, text: &str) -> Result<(), SettingError> {
        self.take(setting, text.trim())
            .ok_or_else(|| refused(setting.as_str(), text))
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The settings that it changes, in the order of the table, with their new values as they would be written.
    #[must_use]
    pub fn texts(&self) -> Vec<(SettingName, String)> {
        let mut settings = Settings::default();
        self.apply(&mut settings);
        let names = SETTINGS.iter().map(|setting| setting.id);
        names
            .filter(|&name| self.has(name))
            .map(|name| (name, settings.text_of(name)))
            .collect()
    }

    /// The settings that would contradict others if `settings` were changed so.
    #[must_use]
    pub fn contradictions(&self, settings: &Settings) -> Vec<SettingName> {
        let mut after = settings.clone();
        self.apply(&mut after);
        after.contradictions().collect()
    }
}

fn cents(text: &str, least: u64, most: u64) -> Option<Cents> {
    number(text, least, most).map(Cents)
}

fn policy(text: &str) -> Option<LatePolicy> {
    let mut policies = [LatePolicy::Ask, LatePolicy::Accept].into_iter();
    policies.find(|&policy| policy_word(policy) == text)
}

/// Three numbers of confirmations, none less than the one before.
fn rising(text: &str) -> Option<[u32; 3]> {
    let numbers: Vec<&str> = words(text).collect();
    let [small, medium, large] = numbers[..] else {
        return None;
    };
    let numbers = [number(small, 1, 100)?, number(medium, 1, 100)?, number(large, 1, 100)?];
    numbers.is_sorted().then_some(numbers)
}
