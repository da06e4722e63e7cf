//! The settings by name, as the command line, the dashboard and the guide describe them.

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
pub const SETTINGS: [Setting; 26] = [
    setting(
        "name",
        "",
        "a text of 1 to 60 characters that can be seen",
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
        "api_window_limit_secs",
        "3600",
        "seconds from 300 to 86400",
        "The longest window that your server may ask for by the API; window_secs, if that is longer.",
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
    setting(
        "require_signed_links",
        "no",
        "yes or no",
        "Whether links make charges only when they are signed with a link key, so that nobody can edit the price.",
    ),
    setting(
        "email_receipts",
        "no",
        "yes or no",
        "Whether a buyer whose e-mail address is known gets a receipt once the payment is confirmed.",
    ),
    setting(
        "retention_days",
        "0",
        "days from 0 to 3650",
        "How long after its end a charge keeps the buyer's e-mail address, metadata and notes; 0 keeps them.",
    ),
    setting(
        "time_zone",
        "UTC",
        "a time zone by its IANA name, as in Europe/Paris",
        "The clock by which the dashboard, receipts and exports show times.",
    ),
];

/// Why `value` cannot be taken for the setting called `name`.
pub(super) fn refused(name: &str, value: &str) -> SettingError {
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
