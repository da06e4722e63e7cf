//! Settings: their defaults, how they are written, and what is refused.

use super::*;

#[test]
fn a_site_that_is_taken_is_taken_again_as_it_is_kept() {
    let long = format!("https://shop.example/{}", "é".repeat(900));
    let shop = Settings::named("Shop").unwrap();
    assert_eq!(shop.with(&[("site", &long)]).unwrap_err().setting, "site");
    let taken = shop.with(&[("site", "https://bücher.example/é")]).unwrap();
    let kept = taken.text_of(SettingName::Site);
    assert_eq!(shop.with(&[("site", &kept)]), Ok(taken));
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    let settings = Settings::named("Shop").unwrap();
    for setting in SETTINGS.iter().filter(|setting| setting.name != "name") {
        assert_eq!(settings.text_of(setting.id), setting.default, "{}", setting.name);
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
            ("time_zone", "Europe/Paris"),
        ])
        .unwrap();
    let changes: Vec<(&str, String)> = SETTINGS
        .iter()
        .map(|setting| (setting.name, settings.text_of(setting.id)))
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
        ("name", "Sh\u{202e}op"),
        ("site", "javascript:alert(1)"),
        ("site", "https://user:pw@shop.example"),
        ("site", "https://user@shop.example"),
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
        ("require_signed_links", "true"),
        ("email_receipts", "1"),
        ("retention_days", "3651"),
        ("time_zone", "Paris"),
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

#[test]
fn a_patch_says_what_it_changes_as_it_would_be_written() {
    let pairs = [
        ("small_limit_cents", "500"),
        ("name", " Tea "),
        ("site", ""),
        ("confirmations", "2,3,4"),
    ];
    let patch = SettingsPatch::read(&pairs).unwrap();
    let said: Vec<String> = patch
        .texts()
        .iter()
        .map(|(name, text)| format!("{name}={text}"))
        .collect();
    assert_eq!(
        said,
        ["name=Tea", "site=", "small_limit_cents=500", "confirmations=2 3 4"]
    );
    let shop = Settings::named("Shop").unwrap();
    let changed = shop.patched(&patch).unwrap();
    // What it does not name stays.
    assert_eq!(
        (changed.window_secs, changed.tiers.medium_limit),
        (shop.window_secs, shop.tiers.medium_limit)
    );
    assert!(SettingsPatch::default().is_empty() && !patch.is_empty());
    assert_eq!(
        Settings::made_of(&SettingsPatch::default()).unwrap_err().known,
        Some(SettingName::Name)
    );
}
