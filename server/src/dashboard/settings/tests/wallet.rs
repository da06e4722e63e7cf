//! Where the money goes.

use super::*;

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
    assert!(hasty.text_of("compared-error").contains("Compare them first"));
    assert_eq!(desk.merchant().descriptor, before);

    let saved = desk
        .post("settings/wallet/confirm", &format!("{form}&compared=yes"))
        .await;
    assert!(saved.location.ends_with("/settings/wallet?done=saved"));
    assert!(saved.changed.unwrap().starts_with("tr(tpub"));
    assert_ne!(desk.merchant().descriptor, before);
    let page = desk.get("settings/wallet").await;
    assert!(page.has("searching the chain") && page.has("<li><code>bcrt1p"));
    assert!(desk.get("").await.has("No payment can be made before the search"));
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
        assert!(page.text_of("wallet-error").contains("PRIVATE") && !page.has(secret) && page.changed.is_none());
    }
}

#[tokio::test]
async fn the_wallet_page_says_the_gap_limit_and_what_was_found() {
    let desk = Desk::new().await;
    let page = desk.get("settings/wallet").await;
    assert!(
        page.has("no earlier use") && page.has("Gap limit to set in your wallet") && page.has("<strong>20</strong>")
    );
}
