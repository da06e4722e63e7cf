//! A merchant's settings as the database holds them: a JSON document with a version, so that a later release can still
//! read it.

use bitpro_charge::{Cents, LatePolicy, Tiers, Tolerance};
use serde::{Deserialize, Serialize};

use super::settings::policy_word;
use super::{Colour, Language, Settings};

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    name: String,
    site: Option<String>,
    allowed_origins: Vec<String>,
    colour: String,
    languages: Vec<String>,
    default_language: Option<String>,
    window_secs: u32,
    /// Younger than the rest.
    #[serde(default = "usual_api_window_limit")]
    api_window_limit_secs: u32,
    grace_secs: u32,
    settle_within_secs: u32,
    extension_secs: u32,
    small_limit_cents: u64,
    medium_limit_cents: u64,
    confirmations: [u32; 3],
    tolerance_bps: u32,
    tolerance_cap_cents: u64,
    late_policy: String,
    rate_move_limit_bps: u32,
    /// Younger than the rest: a document without it is from before there was a spread.
    #[serde(default)]
    rate_spread_bps: u32,
    price_limit_cents: u64,
    gap_warning: u32,
    gap_button: u32,
    /// Younger than the rest: a document without it is from before links could be signed.
    #[serde(default)]
    require_signed_links: bool,
    /// Younger than the rest: a document without it is from before there was e-mail.
    #[serde(default)]
    email_receipts: bool,
    /// As old as `email_receipts`.
    #[serde(default)]
    retention_days: u32,
    /// Younger than the rest: a document without it is from before times were shown in a zone.
    time_zone: Option<String>,
}

fn usual_api_window_limit() -> u32 {
    Settings::default().api_window_limit_secs
}

/// The document for `settings`.
pub fn to_document(settings: &Settings) -> String {
    let tiers = settings.tiers;
    let stored = Stored {
        version: 1,
        name: settings.name.clone(),
        site: settings.site.clone(),
        allowed_origins: settings.allowed_origins.iter().map(ToString::to_string).collect(),
        colour: settings.colour.to_string(),
        languages: settings.languages.iter().map(ToString::to_string).collect(),
        default_language: settings.default_language.map(|language| language.to_string()),
        window_secs: settings.window_secs,
        api_window_limit_secs: settings.api_window_limit_secs,
        grace_secs: settings.grace_secs,
        settle_within_secs: settings.settle_within_secs,
        extension_secs: settings.extension_secs,
        small_limit_cents: tiers.small_limit.0,
        medium_limit_cents: tiers.medium_limit.0,
        confirmations: [tiers.small, tiers.medium, tiers.large],
        tolerance_bps: settings.tolerance.bps,
        tolerance_cap_cents: settings.tolerance.cap.0,
        late_policy: policy_word(settings.late_policy).to_owned(),
        rate_move_limit_bps: settings.rate_move_limit_bps,
        rate_spread_bps: settings.rate_spread_bps,
        price_limit_cents: settings.price_limit.0,
        gap_warning: settings.gap_warning,
        gap_button: settings.gap_button,
        require_signed_links: settings.require_signed_links,
        email_receipts: settings.email_receipts,
        retention_days: settings.retention_days,
        time_zone: Some(settings.time_zone.to_string()),
    };
    serde_json::to_string(&stored).expect("plain texts and numbers always serialize")
}

/// The settings in `document`; `None` when it is not one of ours.
pub fn from_document(document: &str) -> Option<Settings> {
    let stored: Stored = serde_json::from_str(document).ok()?;
    if stored.version != 1 {
        return None;
    }
    let [small, medium, large] = stored.confirmations;
    Some(Settings {
        name: stored.name,
        site: stored.site,
        allowed_origins: parsed(&stored.allowed_origins)?,
        colour: stored.colour.parse::<Colour>().ok()?,
        languages: parsed(&stored.languages)?,
        default_language: match stored.default_language {
            Some(text) => Some(text.parse::<Language>().ok()?),
            None => None,
        },
        window_secs: stored.window_secs,
        api_window_limit_secs: stored.api_window_limit_secs,
        grace_secs: stored.grace_secs,
        settle_within_secs: stored.settle_within_secs,
        extension_secs: stored.extension_secs,
        tiers: Tiers {
            small_limit: Cents(stored.small_limit_cents),
            medium_limit: Cents(stored.medium_limit_cents),
            small,
            medium,
            large,
        },
        tolerance: Tolerance {
            bps: stored.tolerance_bps,
            cap: Cents(stored.tolerance_cap_cents),
        },
        late_policy: match stored.late_policy.as_str() {
            "ask" => LatePolicy::Ask,
            "accept" => LatePolicy::Accept,
            _ => return None,
        },
        rate_move_limit_bps: stored.rate_move_limit_bps,
        rate_spread_bps: stored.rate_spread_bps,
        price_limit: Cents(stored.price_limit_cents),
        gap_warning: stored.gap_warning,
        gap_button: stored.gap_button,
        require_signed_links: stored.require_signed_links,
        email_receipts: stored.email_receipts,
        retention_days: stored.retention_days,
        // A zone that a later release knew, and this one does not, must not stop the merchant's payments.
        time_zone: stored.time_zone.and_then(|name| name.parse().ok()).unwrap_or_default(),
    })
}

fn parsed<T: std::str::FromStr>(texts: &[String]) -> Option<Vec<T>> {
    texts.iter().map(|text| text.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_the_database() {
        let settings = Settings::named("Café")
            .unwrap()
            .with(&[
                ("site", "https://shop.example/"),
                ("allowed_origins", "*.shop.example"),
                ("default_language", "fr"),
                ("late_policy", "accept"),
                ("rate_spread_bps", "75"),
                ("require_signed_links", "yes"),
                ("email_receipts", "yes"),
                ("retention_days", "30"),
                ("time_zone", "America/Montreal"),
            ])
            .unwrap();
        assert_eq!(from_document(&to_document(&settings)), Some(settings));
        assert_eq!(from_document("{}"), None);
    }

    #[test]
    fn a_document_of_a_later_version_is_refused_rather_than_misread() {
        let document = to_document(&Settings::named("Shop").unwrap());
        let later = document.replace("\"version\":1", "\"version\":2");
        assert_eq!(from_document(&later), None);
    }
}
