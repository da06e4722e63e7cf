//! The settings by name, as the command line, the dashboard and the guide describe them.

use std::fmt;

/// A value that cannot be taken, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} = {value:?}: {wanted}")]
pub struct SettingError {
    /// The setting's name.
    pub setting: String,
    /// Which of the table it is; `None` for the logo, and for a name that no setting has.
    pub known: Option<SettingName>,
    /// The value that was given.
    pub value: String,
    /// What would be right.
    pub wanted: String,
}

/// One setting as the command line, the dashboard and the guide describe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Which it is.
    pub id: SettingName,
    /// Its name.
    pub name: &'static str,
    /// Its default, as it would be written.
    pub default: &'static str,
    /// What may be written.
    pub wanted: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

macro_rules! settings {
    ($($variant:ident => $name:literal, default $default:literal: $wanted:literal, $meaning:literal;)*) => {
        /// A setting, by its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum SettingName {
            $(#[doc = $meaning] $variant,)*
        }

        impl SettingName {
            /// The name, as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        /// Every setting but descriptor and logo, which are not plain text.
        pub const SETTINGS: [Setting; 26] = [$(Setting {
            id: SettingName::$variant,
            name: $name,
            default: $default,
            wanted: $wanted,
            meaning: $meaning,
        }),*];
    };
}

settings! {
    Name => "name", default "":
        "a text of 1 to 60 visible characters",
        "The name that shoppers see.";
    Site => "site", default "":
        "an https address, or nothing",
        "The address that \"back to the shop\" links to.";
    AllowedOrigins => "allowed_origins", default "":
        "origins separated by spaces or commas, such as shop.example *.shop.example:8443; at most 50",
        "Who may show the checkout in a frame. https is implied; shop.example does not cover www.shop.example.";
    Colour => "colour", default "#1f5aa6":
        "a colour as #rrggbb",
        "The colour of the checkout page.";
    Languages => "languages", default "en fr":
        "one or more of en, fr, separated by spaces or commas",
        "The languages that the page offers.";
    DefaultLanguage => "default_language", default "":
        "one of the offered languages, or nothing",
        "The language when the link names none; nothing leaves it to the shopper's browser.";
    WindowSecs => "window_secs", default "1200":
        "seconds from 300 to 86400",
        "How long the amount is held.";
    ApiWindowLimitSecs => "api_window_limit_secs", default "3600":
        "seconds from 300 to 86400",
        "The longest window that the API accepts; window_secs, if that is longer.";
    GraceSecs => "grace_secs", default "90":
        "seconds from 0 to 3600",
        "How long after the end of the window a charge waits for news from the network before it times out.";
    SettleWithinSecs => "settle_within_secs", default "172800":
        "seconds from 3600 to 1209600",
        "How long a payment that was sent in time may take to confirm before it counts as late.";
    ExtensionSecs => "extension_secs", default "600":
        "seconds from 0 to 3600",
        "By how much a partial payment extends the window, once; 0 for never.";
    SmallLimitCents => "small_limit_cents", default "100000":
        "cents from 0 to medium_limit_cents",
        "Amounts up to this need small_confirmations.";
    MediumLimitCents => "medium_limit_cents", default "1000000":
        "cents from small_limit_cents to 100000000000",
        "Amounts up to this need medium_confirmations; larger ones need large_confirmations.";
    Confirmations => "confirmations", default "1 3 6":
        "three rising numbers from 1 to 100, such as 1 3 6",
        "Confirmations needed: small, medium and large amounts.";
    ToleranceBps => "tolerance_bps", default "0":
        "hundredths of a percent from 0 to 1000",
        "How much of an amount may be missing.";
    ToleranceCapCents => "tolerance_cap_cents", default "500":
        "cents from 0 to 10000",
        "The most that may be missing, whatever tolerance_bps allows.";
    LatePolicy => "late_policy", default "ask":
        "ask or accept",
        "What happens to money that arrives too late: ask the merchant, or accept it unless the rate has moved against them.";
    RateMoveLimitBps => "rate_move_limit_bps", default "200":
        "hundredths of a percent from 1 to 1000",
        "If the rate has dropped by this much, no late payment is accepted without asking.";
    RateSpreadBps => "rate_spread_bps", default "0":
        "hundredths of a percent from 0 to 1000",
        "How much more bitcoin to ask for than the market rate gives: for the fee when you sell, and for the risk that shoppers wait and pay only if the rate has moved in their favour.";
    PriceLimitCents => "price_limit_cents", default "10000000":
        "cents from 1 to 100000000000",
        "The highest price of one charge.";
    GapWarning => "gap_warning", default "20":
        "addresses from 1 to gap_button",
        "After this many unpaid addresses in a row, warn the merchant that the wallet may stop looking.";
    GapButton => "gap_button", default "100":
        "addresses from gap_warning to 10000",
        "After this many unpaid addresses in a row, unsigned links ask shoppers to press a button.";
    RequireSignedLinks => "require_signed_links", default "no":
        "yes or no",
        "Whether links must be signed with a link key to create charges, so that nobody can edit the price.";
    EmailReceipts => "email_receipts", default "no":
        "yes or no",
        "Whether shoppers whose e-mail address is known get a receipt once their payment is confirmed.";
    RetentionDays => "retention_days", default "0":
        "days from 0 to 3650",
        "How long after its end a charge keeps the shopper's e-mail address, metadata and notes; 0 keeps them.";
    TimeZone => "time_zone", default "UTC":
        "an IANA time zone, such as Europe/Paris",
        "The time zone of the dashboard, receipts and exports.";
}

impl SettingName {
    /// The setting that is called `name`, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        entry(name).map(|setting| setting.id)
    }
}

impl fmt::Display for SettingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn entry(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// Why `value` cannot be taken for the setting called `name`.
pub(super) fn refused(name: &str, value: &str) -> SettingError {
    let known = entry(name);
    let wanted = match known {
        Some(setting) if setting.default.is_empty() => format!("wanted {}", setting.wanted),
        Some(setting) => format!("wanted {} (default {})", setting.wanted, setting.default),
        None => {
            let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
            format!("there is no such setting; the settings are {}", names.join(", "))
        }
    };
    SettingError {
        setting: name.to_owned(),
        known: known.map(|setting| setting.id),
        value: value.to_owned(),
        wanted,
    }
}
