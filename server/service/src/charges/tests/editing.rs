//! Several people, and the command line, who change one merchant at once: nothing that was answered with "saved" is lost.

use bitpro_merchant::{AllowedOrigin, Logo};

use super::*;

fn set(name: &str, value: &str) -> MerchantChanges {
    MerchantChanges {
        settings: SettingsPatch::read(&[(name, value)]).unwrap(),
        ..MerchantChanges::default()
    }
}

/// The smallest picture that is stored as it is.
fn logo() -> Logo {
    Logo::from_stored(b"\x89PNG\r\n\x1a\n".to_vec()).unwrap()
}

#[tokio::test]
async fn two_saves_of_different_settings_at_once_are_both_kept() {
    let shop = Shop::new().await;
    let (one, other) = tokio::join!(
        shop.charges.change_merchant(shop.merchant, set("window_secs", "600")),
        shop.charges.change_merchant(shop.merchant, set("colour", "#112233")),
    );
    one.unwrap();
    other.unwrap();
    let shop = shop.restart().await;
    let settings = shop.charges.merchant(shop.merchant).unwrap().settings.clone();
    assert_eq!(settings.text_of(SettingName::WindowSecs), "600");
    assert_eq!(settings.text_of(SettingName::Colour), "#112233");
}

#[tokio::test]
async fn settings_a_logo_a_wallet_and_a_link_key_at_once_are_all_kept() {
    let shop = Shop::new().await;
    let picture = MerchantChanges {
        logo: Some(Some(logo())),
        ..MerchantChanges::default()
    };
    let wallet = MerchantChanges {
        wallet: Some(WalletText {
            text: TPUB.to_owned(),
            script_type: Some("tr".to_owned()),
        }),
        ..MerchantChanges::default()
    };
    let (saved, uploaded, given, made) = tokio::join!(
        shop.charges.change_merchant(shop.merchant, set("name", "Tea")),
        shop.charges.change_merchant(shop.merchant, picture),
        shop.charges.change_merchant(shop.merchant, wallet),
        shop.charges.rotate_link_key(shop.merchant, 0, CommitHook::none()),
    );
    saved.unwrap();
    uploaded.unwrap();
    given.unwrap();
    made.unwrap();
    let shop = shop.restart().await;
    let merchant = shop.charges.merchant(shop.merchant).unwrap();
    assert_eq!(merchant.settings.name, "Tea");
    assert_eq!(merchant.logo, Some(logo()));
    assert_eq!(merchant.link_keys.len(), 1);
    let report = shop.charges.merchant_report(shop.merchant).await.unwrap();
    assert!(report.receive.unwrap().starts_with("tr("));
}

#[tokio::test]
async fn changes_that_contradict_each_other_are_not_both_taken() {
    let shop = Shop::new().await;
    let (one, other) = tokio::join!(
        shop.charges.change_merchant(shop.merchant, set("languages", "en")),
        shop.charges
            .change_merchant(shop.merchant, set("default_language", "fr")),
    );
    assert!(one.is_ok());
    assert!(matches!(other, Err(MerchantError::Setting(_))));
}

#[tokio::test]
async fn r41_two_origins_that_are_added_at_once_are_both_listed() {
    let shop = Shop::with(&[("allowed_origins", "shop.example")]).await;
    let add = |text: &str| MerchantChanges {
        more_origins: vec![text.parse::<AllowedOrigin>().unwrap()],
        ..MerchantChanges::default()
    };
    let (one, other, again) = tokio::join!(
        shop.charges.change_merchant(shop.merchant, add("www.shop.example")),
        shop.charges.change_merchant(shop.merchant, add("tea.example")),
        shop.charges.change_merchant(shop.merchant, add("shop.example")),
    );
    one.unwrap();
    other.unwrap();
    again.unwrap();
    let merchant = shop.charges.merchant(shop.merchant).unwrap();
    assert_eq!(
        merchant.settings.text_of(SettingName::AllowedOrigins),
        "https://shop.example https://www.shop.example https://tea.example"
    );
    let many: Vec<AllowedOrigin> = (0..48).map(|n| format!("s{n}.example").parse().unwrap()).collect();
    let too_many = MerchantChanges {
        more_origins: many,
        ..MerchantChanges::default()
    };
    let refused = shop.charges.change_merchant(shop.merchant, too_many).await;
    assert!(matches!(refused, Err(MerchantError::Setting(error)) if error.setting == "allowed_origins"));
}
