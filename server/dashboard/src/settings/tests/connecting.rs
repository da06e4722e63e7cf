//! What shops' programs are connected by: webhooks, keys, link signing.

use bitpro_merchant::keys::{KeyId, Scope, Scopes};
use bitpro_operator::admin::{Command, Kind, execute};
use bitpro_service::charges::{CommitHook, MOST_KEYS};
use bitpro_service::webhooks::Webhooks;

use super::super::keys;
use super::*;

impl Desk {
    /// A webhook of the merchant's.
    async fn webhook(&self, url: &str) -> String {
        let webhooks = Webhooks::of(self.app.charges.clone());
        webhooks.add(self.app.merchant, "charge:seen", url).await.unwrap().id
    }
}

#[tokio::test]
async fn a_keys_secret_is_shown_once() {
    let desk = Desk::new().await;
    let made = desk
        .post("settings/keys", "name=Shop&scope=charges:read&scope=webhooks:write")
        .await;
    assert_eq!(made.status, 200);
    let key = desk.app.charges.key(KeyId(desk.app.merchant.0)).unwrap();
    assert!(key.scopes.has(Scope::WebhooksWrite) && !key.scopes.has(Scope::ChargesWrite));
    let secret = made.text_of("secret").to_owned();
    assert_eq!(secret.len(), 44);
    assert!(made.changed.unwrap().contains("Shop"));
    let list = desk.get("settings/keys").await;
    assert!(list.has(&key.id.to_string()) && !list.has(&secret));
}

#[tokio::test]
async fn a_key_without_name_or_power_is_not_made() {
    let desk = Desk::new().await;
    let page = desk.post("settings/keys", "name=&scope=charges:read").await;
    assert_eq!((page.status, page.text_of("name-error")), (422, keys::NAME_WANTED.en));
    let page = desk.post("settings/keys", &format!("name={PROBE_SENT}")).await;
    assert_eq!((page.status, page.text_of("scope-error")), (422, keys::SCOPE_WANTED.en));
    assert!(page.has("&lt;script&gt;") && !page.has(PROBE));
    assert!(desk.app.charges.keys(None).is_empty());
}

#[tokio::test]
async fn a_merchant_has_fifty_keys_at_most() {
    let desk = Desk::new().await;
    let (charges, merchant) = (&desk.app.charges, desk.app.merchant);
    for _ in 0..MOST_KEYS {
        charges
            .add_key(merchant, "Shop", Scopes::default(), CommitHook::none())
            .await
            .unwrap();
    }
    let page = desk.post("settings/keys", "name=One+more&scope=charges:read").await;
    assert_eq!(page.status, 422);
    let error = page.text_of("name-error");
    assert!(error.starts_with("You already have 50 keys, the maximum."), "{error}");
    assert!(page.has("value=\"One more\""), "what was typed is kept");
    let add = || Command::AddKey {
        merchant: merchant.to_string(),
        name: "One more".to_owned(),
        scopes: None,
    };
    let accounts = &desk.app.app.accounts;
    let failure = execute(accounts, add()).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (Kind::Conflict, "a merchant has at most 50 keys: revoke one first")
    );
    assert_eq!(charges.keys(Some(merchant)).len(), MOST_KEYS);
    // One that is revoked counts no more, nor does another merchant's.
    let other = desk.app.another_merchant().await;
    charges
        .add_key(other, "Theirs", Scopes::default(), CommitHook::none())
        .await
        .unwrap();
    charges
        .revoke_key(charges.keys(Some(merchant))[7].id, CommitHook::none())
        .await
        .unwrap();
    execute(accounts, add()).await.unwrap();
    execute(accounts, add()).await.unwrap_err();
}

#[tokio::test]
async fn a_key_is_rotated_and_revoked_by_its_own_merchant_only() {
    let desk = Desk::new().await;
    desk.post("settings/keys", &format!("name={PROBE_SENT}&scope=charges:read"))
        .await;
    let id = desk.app.charges.keys(None)[0].id;
    let rotated = desk.post(&format!("settings/keys/{id}/rotate"), "overlap=3600").await;
    assert!(rotated.has("valid until") && rotated.text_of("secret").len() == 44);
    assert!(!desk.get("settings/keys").await.has(PROBE));
    let revoked = desk.post(&format!("settings/keys/{id}/revoke"), "").await;
    assert!(revoked.location.ends_with("?done=revoked"));
    assert!(desk.get("settings/keys").await.has("Revoked"));
    assert_eq!(
        desk.refused(Verb::Post, &format!("settings/keys/{id}/revoke"))
            .await
            .status()
            .as_u16(),
        404
    );

    let other = desk.app.another_merchant().await;
    let foreign = desk
        .app
        .charges
        .add_key(other, "theirs", Default::default(), CommitHook::none())
        .await
        .unwrap()
        .key
        .id;
    for path in [
        format!("settings/keys/{foreign}/rotate"),
        "settings/keys/x/revoke".to_owned(),
    ] {
        assert_eq!(desk.refused(Verb::Post, &path).await.status().as_u16(), 404);
    }
}

#[tokio::test]
async fn a_link_key_is_made_exchanged_and_removed() {
    let desk = Desk::new().await;
    let made = desk.post("settings/links/rotate", "").await;
    assert_eq!(made.text_of("secret").len(), 64);
    let first = desk.app.charges.link_keys(desk.app.merchant).unwrap()[0].id;
    let again = desk.post("settings/links/rotate", "overlap=604800").await;
    assert!(again.has("The previous key stays valid until"));
    let page = desk.get("settings/links").await;
    assert_eq!(page.body.matches("/remove\"").count(), 2);
    let removed = desk
        .post(&format!("settings/links/{}/remove", hex::encode(first)), "")
        .await;
    assert!(removed.location.ends_with("?done=removed"));
    for path in [
        format!("settings/links/{}/remove", hex::encode(first)),
        "settings/links/x/remove".to_owned(),
    ] {
        assert_eq!(desk.refused(Verb::Post, &path).await.status().as_u16(), 404);
    }
}

#[tokio::test]
async fn signed_links_are_required_and_not() {
    let desk = Desk::new().await;
    let on = desk.post("settings/links", "require_signed_links=yes").await;
    assert!(on.location.ends_with("?done=required") && desk.merchant().settings.require_signed_links);
    assert!(desk.get("settings/links").await.has("there is no key"));
    assert!(desk.get("").await.has("there is no key"));
    desk.post("settings/links", "").await;
    assert!(!desk.merchant().settings.require_signed_links);
}

#[tokio::test]
async fn a_webhooks_secret_is_shown_once() {
    let desk = Desk::new().await;
    let made = desk
        .post(
            "settings/webhooks",
            "state=charge:confirmed&url=https://203.0.113.9:8443/hook",
        )
        .await;
    // A documentation address is not public.
    assert_eq!(made.status, 422);
    let made = desk
        .post(
            "settings/webhooks",
            "state=charge:confirmed&url=https://93.184.216.34/hook%3Fa%3D1%26b",
        )
        .await;
    assert_eq!(made.status, 200, "{}", made.body);
    let secret = made.text_of("secret").to_owned();
    assert!(secret.starts_with("whsec_"), "{secret}");
    let list = desk.get("settings/webhooks").await;
    assert!(list.has("https://93.184.216.34/hook?a=1&amp;b") && !list.has(&secret));
    let again = desk
        .post(
            "settings/webhooks",
            "state=charge:confirmed&url=https://93.184.216.34/hook%3Fa%3D1%26b",
        )
        .await;
    assert_eq!(
        (again.status, again.text_of("url-error")),
        (422, "This address already receives this event.")
    );
}

#[tokio::test]
async fn what_is_no_webhook_is_told_beside_its_field() {
    let desk = Desk::new().await;
    for (form, field) in [
        ("state=charge:seen&url=http://shop.example/", "url-error"),
        ("state=charge:seen&url=https://10.0.0.1/", "url-error"),
        ("state=charge:lost&url=https://93.184.216.34/", "state-error"),
        (&format!("state=charge:seen&url={PROBE_SENT}"), "url-error"),
    ] {
        let page = desk.post("settings/webhooks", form).await;
        assert_eq!(page.status, 422, "{form}");
        assert!(!page.text_of(field).is_empty() && !page.has(PROBE), "{form}");
    }
}

#[tokio::test]
async fn a_webhook_has_a_page_with_all_that_can_be_done() {
    let desk = Desk::new().await;
    let id = desk.webhook("https://93.184.216.34/hook").await;
    desk.app.open("fiat_price_cents=4200&external_order_id=A-1").await;
    let path = format!("settings/webhooks/{id}");
    let page = desk.get(&path).await;
    for action in ["test", "rotate", "redeliver", "remove"] {
        assert!(page.has(&format!("/{action}\"")), "{action}");
    }
    let rotated = desk.post(&format!("{path}/rotate"), "overlap=86400").await;
    assert!(rotated.text_of("secret").starts_with("whsec_"));
    let due = desk.post(&format!("{path}/redeliver"), "").await;
    assert!(due.location.ends_with(&format!("{id}?done=due")));
    let removed = desk.post(&format!("{path}/remove"), "").await;
    assert!(removed.location.ends_with("?done=removed"));
    assert_eq!(desk.refused(Verb::Get, &path).await.status().as_u16(), 404);
}

#[tokio::test]
async fn another_merchants_webhook_is_as_unknown_as_none() {
    let desk = Desk::new().await;
    let other = desk.app.another_merchant().await;
    let webhooks = Webhooks::of(desk.app.charges.clone());
    let theirs = webhooks
        .add(other, "charge:seen", "https://93.184.216.34/")
        .await
        .unwrap()
        .id;
    let none = "0f3a7c1e-5b7d-4f43-9d52-0a3c2f6e8b11";
    for id in [theirs.as_str(), none, "x"] {
        let path = format!("settings/webhooks/{id}");
        assert_eq!(desk.refused(Verb::Get, &path).await, Refusal::UNKNOWN_PAGE, "{id}");
        for action in ["test", "rotate", "redeliver", "remove"] {
            let refused = desk.refused(Verb::Post, &format!("{path}/{action}")).await;
            assert_eq!(refused, Refusal::UNKNOWN_PAGE, "{id} {action}");
        }
    }
    assert_eq!(webhooks.list(Some(other)).await.unwrap().len(), 1);
}
