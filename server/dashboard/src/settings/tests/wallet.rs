//! Current wallet.

use bitpro_charge::Network;
use bitpro_merchant::SettingsPatch;
use bitpro_merchant::wallet::{DescriptorError, WalletText};
use bitpro_service::charges::MerchantChanges;

use super::*;
use crate::settings::wallet::{COMPARE_FIRST, needs_factor};
use crate::settings::wallet_words::why;

const TPUB: &str =
    "tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp";

#[tokio::test]
async fn r27_nothing_is_changed_before_the_addresses_were_compared() {
    let desk = Desk::new().await;
    let before = desk.merchant().descriptor;
    let form = format!("wallet={TPUB}&script_type=tr");
    let shown = desk.post("settings/wallet", &form).await;
    assert!(shown.status == 200 && shown.is_unchanged);
    assert_eq!(shown.body.matches("<li><code>bcrt1p").count(), 3, "{}", shown.body);
    assert!(shown.has(&format!("name=\"wallet\" value=\"{TPUB}\"")));
    assert_eq!(desk.merchant().descriptor, before);

    let hasty = desk.post("settings/wallet/confirm", &form).await;
    assert_eq!(hasty.status, 422);
    assert!(hasty.text_of("compared-error").contains(COMPARE_FIRST.en));
    assert_eq!(desk.merchant().descriptor, before);

    let asked = desk
        .post("settings/wallet/confirm", &format!("{form}&compared=yes"))
        .await;
    assert!(asked.location.ends_with("/settings/wallet?done=due"), "{}", asked.body);
    assert!(asked.changed.unwrap().starts_with("tr(tpub"));
    assert_eq!(desk.merchant().descriptor, before);
}

/// Asks for another wallet.
async fn ask(desk: &Desk) -> Answer {
    let form = format!("wallet={TPUB}&script_type=tr&compared=yes");
    desk.post("settings/wallet/confirm", &form).await
}

#[tokio::test]
async fn another_wallet_waits_for_a_day() {
    let desk = Desk::new().await;
    let before = desk.merchant().descriptor;
    let owner = bitpro_service::accounts::Email::read("owner@shop.example").unwrap();
    desk.app.app.accounts.adopt(desk.app.merchant, &owner).await.unwrap();
    ask(&desk).await;
    let page = desk.get("settings/wallet").await;
    assert!(page.has("Pending wallet change") && page.has("owner@shop.example") && page.has("Cancel the change"));
    assert!(desk.get("").await.has("another wallet"));
    let accounts = desk.app.app.accounts.clone();
    desk.app.clock.advance_secs(86_399);
    accounts.take_due_wallets().await.unwrap();
    assert_eq!(desk.merchant().descriptor, before);
    desk.app.clock.advance_secs(1);
    accounts.take_due_wallets().await.unwrap();
    assert_ne!(desk.merchant().descriptor, before);
    let page = desk.get("settings/wallet").await;
    assert!(
        !page.has("Pending wallet change")
            && page.has("checking whether these addresses")
            && page.has("<li><code>bcrt1p")
    );
    assert!(desk.get("").await.has("Payments start once your wallet’s addresses"));
    let log = accounts.changes(desk.app.merchant, None, 10).await.unwrap();
    assert_eq!(
        (log[0].action.as_str(), log[0].who.as_str()),
        ("settings/wallet/due", "owner@shop.example")
    );
}

#[tokio::test]
async fn a_wallet_that_waits_is_stopped_by_any_owner() {
    let mut desk = Desk::new().await;
    let before = desk.merchant().descriptor;
    ask(&desk).await;
    desk.has_factor = false;
    let stopped = desk.post("settings/wallet/stop", "").await;
    assert!(stopped.location.ends_with("?done=stopped"));
    let again = desk.post("settings/wallet/stop", "").await;
    assert!(again.is_unchanged);
    desk.app.clock.advance_secs(90_000);
    desk.app.app.accounts.take_due_wallets().await.unwrap();
    assert_eq!(desk.merchant().descriptor, before);
}

#[tokio::test]
async fn another_wallet_needs_a_second_factor_and_the_first_one_does_not() {
    let mut desk = Desk::new().await;
    desk.has_factor = false;
    let page = desk.get("settings/wallet").await;
    assert!(page.has("needs a second factor") && !page.has("name=\"wallet\""));
    let refused = ask(&desk).await;
    assert_eq!(refused.status, 422);
    let waits = desk.app.app.accounts.pending_wallet(desk.app.merchant).await.unwrap();
    assert!(waits.is_none());

    desk.app.merchant = desk.app.charges.add_merchant(named("New")).await.unwrap();
    let first = ask(&desk).await;
    assert!(first.location.ends_with("?done=saved"), "{}", first.body);
    assert!(desk.merchant().descriptor.is_some());
}

#[test]
fn on_mainnet_the_first_wallet_needs_a_second_factor_too() {
    assert!(needs_factor(true, Network::Mainnet));
    for network in [Network::Testnet4, Network::Signet, Network::Regtest] {
        assert!(!needs_factor(true, network) && needs_factor(false, network));
    }
}

#[tokio::test]
async fn what_the_operator_changes_is_not_overruled_by_what_was_asked_for_before() {
    let desk = Desk::new().await;
    ask(&desk).await;
    let changes = MerchantChanges {
        wallet: Some(WalletText {
            text: TPUB.to_owned(),
            script_type: Some("pkh".to_owned()),
        }),
        ..MerchantChanges::default()
    };
    desk.app
        .charges
        .change_merchant(desk.app.merchant, changes)
        .await
        .unwrap();
    let waits = desk.app.app.accounts.pending_wallet(desk.app.merchant).await.unwrap();
    assert!(waits.is_none());
}

fn named(name: &str) -> MerchantChanges {
    MerchantChanges {
        settings: SettingsPatch::read(&[("name", name)]).unwrap(),
        ..MerchantChanges::default()
    }
}

#[tokio::test]
async fn r27_what_is_no_wallet_is_told_beside_the_field_and_kept() {
    let desk = Desk::new().await;
    let page = desk
        .post("settings/wallet", &format!("wallet={TPUB}&script_type="))
        .await;
    assert_eq!(page.status, 422);
    assert!(
        page.text_of("script_type-error")
            .contains("how your wallet’s addresses begin")
    );
    assert!(page.has(TPUB));
    for wallet in [PROBE_SENT, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "wpkh(x)"] {
        let page = desk
            .post("settings/wallet", &format!("wallet={wallet}&script_type="))
            .await;
        assert_eq!(page.status, 422, "{wallet}");
        assert!(!page.text_of("wallet-error").is_empty() && !page.has(PROBE), "{wallet}");
    }
}

#[tokio::test]
async fn a_private_key_is_refused_and_never_sent_back() {
    let desk = Desk::new().await;
    let secret = "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK";
    for step in ["settings/wallet", "settings/wallet/confirm"] {
        let page = desk
            .post(step, &format!("wallet={secret}&script_type=wpkh&compared=yes"))
            .await;
        assert_eq!(page.status, 422);
        assert!(
            page.text_of("wallet-error")
                .contains(&why(&DescriptorError::PrivateKey, Language::En))
                && !page.has(secret)
                && page.changed.is_none()
        );
    }
}

#[tokio::test]
async fn the_wallet_page_says_the_gap_limit_and_what_was_found() {
    let desk = Desk::new().await;
    let page = desk.get("settings/wallet").await;
    assert!(
        page.has("were not used before")
            && page.has("Gap limit to set in your wallet")
            && page.has("<strong>20</strong>")
    );
}
