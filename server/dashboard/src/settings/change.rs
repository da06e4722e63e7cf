//! Everything that these pages change, in one place.

use std::sync::Arc;

use bitpro_charge::MerchantId;
use bitpro_merchant::SettingError;
use bitpro_merchant::keys::{ApiKey, KeyId, Scopes};
use bitpro_merchant::wallet::Receive;
use bitpro_service::accounts::{Given, KeyChange};
use bitpro_service::charges::{
    CommitHook, IssuedKey, KeyError, LinkKeyError, MadeLinkKey, MerchantChanges, MerchantError,
};
use bitpro_service::webhooks::{WebhookError, WebhookId, WebhookReport, Webhooks};

use crate::refusals::Refusal;
use crate::route::Request;

/// Changes the merchant who is asked about. The error inside is theirs to mend.
pub(super) async fn change_merchant(
    request: &Request,
    changes: MerchantChanges,
) -> Result<Result<(), SettingError>, Refusal> {
    let id = request.member()?.merchant.id;
    match request.app.charges.change_merchant(id, changes).await {
        Ok(()) => Ok(Ok(())),
        Err(MerchantError::Setting(error)) => Ok(Err(error)),
        // Wallets have a way of their own.
        Err(MerchantError::Unknown | MerchantError::Descriptor(_)) => Err(Refusal::UNKNOWN_PAGE),
        Err(MerchantError::Store(error)) => Err(error.into()),
    }
}

/// Gives the merchant a wallet, at once or in a day.
pub(super) async fn give_wallet(request: &Request, receive: Receive) -> Result<Given, Refusal> {
    let (merchant, who) = (request.member()?.merchant.id, &request.person()?.email);
    let given = request
        .app
        .accounts
        .give_wallet(who, merchant, receive, request.client)
        .await;
    Ok(given?)
}

/// Stops the wallet that waits.
pub(super) async fn stop_wallet(request: &Request) -> Result<bool, Refusal> {
    let merchant = request.member()?.merchant.id;
    Ok(request.app.accounts.stop_wallet(merchant, request.client).await?)
}

/// Makes a key of the API.
pub(super) async fn add_key(request: &Request, name: &str, scopes: Scopes) -> Result<IssuedKey, KeyError> {
    let merchant = merchant(request).ok_or(KeyError::UnknownMerchant)?;
    let hook = hook(request, merchant, KeyChange::Added);
    request.app.charges.add_key(merchant, name, scopes, hook).await
}

/// Gives a key of the merchant's own a new secret.
pub(super) async fn rotate_key(request: &Request, key: KeyId, overlap_secs: u32) -> Result<IssuedKey, KeyError> {
    let merchant = merchant(request).ok_or(KeyError::UnknownMerchant)?;
    let hook = hook(request, merchant, KeyChange::Added);
    request.app.charges.rotate_key(key, overlap_secs, hook).await
}

/// Takes a key of the merchant's own back.
pub(super) async fn revoke_key(request: &Request, key: KeyId) -> Result<Arc<ApiKey>, KeyError> {
    let merchant = merchant(request).ok_or(KeyError::UnknownMerchant)?;
    let hook = hook(request, merchant, KeyChange::Revoked);
    request.app.charges.revoke_key(key, hook).await
}

/// Makes a link key, which signs from now on.
pub(super) async fn rotate_link_key(request: &Request, overlap_secs: u32) -> Result<MadeLinkKey, LinkKeyError> {
    let merchant = merchant(request).ok_or(LinkKeyError::UnknownMerchant)?;
    let hook = hook(request, merchant, KeyChange::Added);
    let charges = &request.app.charges;
    charges.rotate_link_key(merchant, overlap_secs, hook).await
}

/// Ends a link key.
pub(super) async fn revoke_link_key(request: &Request, key: [u8; 16]) -> Result<(), LinkKeyError> {
    let merchant = merchant(request).ok_or(LinkKeyError::UnknownMerchant)?;
    let hook = hook(request, merchant, KeyChange::Revoked);
    request.app.charges.revoke_link_key(merchant, key, hook).await
}

/// Adds a webhook.
pub(super) async fn add_webhook(request: &Request, state: &str, url: &str) -> Result<WebhookReport, WebhookError> {
    let merchant = merchant(request).ok_or(WebhookError::UnknownMerchant)?;
    webhooks(request).add(merchant, state, url).await
}

/// Gives a webhook a new secret.
pub(super) async fn rotate_webhook(
    request: &Request,
    id: WebhookId,
    overlap_secs: u32,
) -> Result<WebhookReport, WebhookError> {
    let merchant = merchant(request).ok_or(WebhookError::UnknownMerchant)?;
    webhooks(request).rotate(Some(merchant), id, overlap_secs).await
}

/// Delivers again one event, or all that did not arrive.
pub(super) async fn redeliver(request: &Request, id: WebhookId, event: Option<WebhookId>) -> Result<(), WebhookError> {
    let merchant = merchant(request).ok_or(WebhookError::UnknownMerchant)?;
    webhooks(request).redeliver(Some(merchant), id, event).await.map(drop)
}

/// Removes a webhook.
pub(super) async fn remove_webhook(request: &Request, id: WebhookId) -> Result<(), WebhookError> {
    let merchant = merchant(request).ok_or(WebhookError::UnknownMerchant)?;
    webhooks(request).remove(Some(merchant), id).await
}

/// What is committed with the change of a key, so that no owner misses one: the line in the log, and the letters.
fn hook(request: &Request, merchant: MerchantId, change: KeyChange) -> CommitHook {
    let accounts = &request.app.accounts;
    accounts.key_hook(merchant, change, request.client, request.begun)
}

fn merchant(request: &Request) -> Option<MerchantId> {
    request.member.as_ref().map(|member| member.merchant.id)
}

fn webhooks(request: &Request) -> Webhooks {
    Webhooks::of(request.app.charges.clone())
}
