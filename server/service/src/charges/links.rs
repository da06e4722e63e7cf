//! The merchants' link keys: made, exchanged, and asked whether a link is signed with one (R21).

use std::sync::Arc;

use bitpro_base::links::{Claim, ClaimError, Covered, Expiry, LinkKey, SealedLinkKey, Signature, message};
use bitpro_base::rng::{self, uuid};
use bitpro_base::seal::{Purpose, SealError};
use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::Merchant;
use bitpro_store::StoreError;

use super::Charges;
use super::commit_hook::CommitHook;

/// Why a link key is not made, found or used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LinkKeyError {
    /// There is no such merchant.
    #[error("there is no such merchant")]
    UnknownMerchant,
    /// The merchant has no such key, or it was removed.
    #[error("the merchant has no such link key")]
    UnknownKey,
    /// The merchant has no key that signs.
    #[error("the merchant has no link key: create one with `bitpro link key rotate`")]
    NoKey,
    /// The key cannot be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A key that was just made: the one time when it is shown.
#[derive(Debug, Clone)]
pub struct MadeLinkKey {
    /// Its name in the list.
    pub id: [u8; 16],
    /// The key.
    pub key: LinkKey,
    /// Until when the key before it still counts; `None` when none does.
    pub previous_until: Option<Timestamp>,
}

impl Charges {
    /// Makes the merchant a new link key, which signs from now on, and runs `hook` in the same unit. The key before it stays valid
    /// for `overlap_secs` more; any older one ends now, so that there are never more than two.
    ///
    /// # Errors
    /// [`LinkKeyError`]; nothing is changed then.
    pub async fn rotate_link_key(
        &self,
        merchant: MerchantId,
        overlap_secs: u32,
        hook: CommitHook,
    ) -> Result<MadeLinkKey, LinkKeyError> {
        let inner = &self.inner;
        let now = self.now();
        let id = uuid(&*inner.rng);
        let key = LinkKey::new(rng::key(&*inner.rng));
        let fresh = SealedLinkKey {
            id,
            sealed: inner.seal.seal(&*inner.rng, Purpose::LinkKey, &id, key.bytes()),
            created_at: now,
            ends_at: None,
        };
        let until = (overlap_secs > 0).then(|| now.plus_secs(overlap_secs));
        let keys = self
            .change_link_keys(merchant, id, hook, move |keys| Ok(rotated(keys, fresh, until)))
            .await?;
        Ok(MadeLinkKey {
            id,
            key,
            previous_until: until.filter(|_| keys.len() > 1),
        })
    }

    /// Ends a link key at once, and runs `hook` in the same unit. Whatever was signed with the key makes no charge any more.
    ///
    /// # Errors
    /// [`LinkKeyError`]; nothing is changed then.
    pub async fn revoke_link_key(
        &self,
        merchant: MerchantId,
        id: [u8; 16],
        hook: CommitHook,
    ) -> Result<(), LinkKeyError> {
        let without = move |keys: &[SealedLinkKey]| {
            let kept: Vec<SealedLinkKey> = keys.iter().filter(|key| key.id != id).cloned().collect();
            if kept.len() == keys.len() {
                return Err(LinkKeyError::UnknownKey);
            }
            Ok(kept)
        };
        self.change_link_keys(merchant, id, hook, without).await?;
        Ok(())
    }

    /// The merchant's link keys that count now, oldest first.
    ///
    /// # Errors
    /// [`LinkKeyError::UnknownMerchant`].
    pub fn link_keys(&self, merchant: MerchantId) -> Result<Vec<SealedLinkKey>, LinkKeyError> {
        let now = self.now();
        let merchant = self.merchant(merchant).ok_or(LinkKeyError::UnknownMerchant)?;
        let live = merchant.link_keys.iter().filter(|key| key.is_live(now));
        Ok(live.cloned().collect())
    }

    /// Signs a link of `merchant` with its newest key.
    ///
    /// # Errors
    /// [`LinkKeyError`].
    pub fn sign_link(
        &self,
        merchant: MerchantId,
        covered: &Covered,
        expires: Expiry,
    ) -> Result<Signature, LinkKeyError> {
        let known = self.merchant(merchant).ok_or(LinkKeyError::UnknownMerchant)?;
        let newest = known.link_keys.iter().rev().find(|key| key.ends_at.is_none());
        let key = self.opened(newest.ok_or(LinkKeyError::NoKey)?)?;
        Ok(key.sign(&message(merchant, covered, expires)))
    }

    /// Whether `claim` is the word of `merchant`. A link ends by the clock of the shop that signed it: by the machine's, then, which
    /// may have run ahead for a moment, but does not step back here behind what it steadily showed (R32).
    ///
    /// # Errors
    /// [`SealError`] when a key cannot be opened: then nobody can tell.
    pub fn check_claim(&self, merchant: &Merchant, claim: &Claim) -> Result<Result<(), ClaimError>, SealError> {
        let now = self.now();
        let live = merchant.link_keys.iter().filter(|key| key.is_live(now));
        let keys = live.map(|key| self.opened(key)).collect::<Result<Vec<_>, _>>()?;
        Ok(claim.check(merchant.id, &keys, self.moment().outside))
    }

    /// Replaces the merchant's link keys by what `change` makes of them, and gives those. It is the key `id` that it is about.
    async fn change_link_keys(
        &self,
        merchant: MerchantId,
        id: [u8; 16],
        hook: CommitHook,
        change: impl FnOnce(&[SealedLinkKey]) -> Result<Vec<SealedLinkKey>, LinkKeyError> + Send + 'static,
    ) -> Result<Vec<SealedLinkKey>, LinkKeyError> {
        self.inner
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let known = tx.memory().merchants().get(&merchant).map(Arc::clone);
                    let known = known.ok_or(LinkKeyError::UnknownMerchant)?;
                    let keys = change(&known.link_keys)?;
                    tx.put_link_keys(merchant, keys.clone()).await?;
                    hook.run(tx, hex::encode(id)).await?;
                    Ok::<_, LinkKeyError>(keys)
                })
            })
            .await
    }

    fn opened(&self, key: &SealedLinkKey) -> Result<LinkKey, SealError> {
        let bytes = self.inner.seal.open(Purpose::LinkKey, &key.id, &key.sealed)?;
        // Other lengths are never sealed for this purpose.
        let bytes = bytes
            .try_into()
            .map_err(|_| SealError::Damaged(self.inner.seal.current()))?;
        Ok(LinkKey::new(bytes))
    }
}

/// The keys after a change: the one that signed counts until `until`, and `fresh` signs.
fn rotated(keys: &[SealedLinkKey], fresh: SealedLinkKey, until: Option<Timestamp>) -> Vec<SealedLinkKey> {
    let previous = keys.iter().rev().find(|key| key.ends_at.is_none());
    let previous = previous.zip(until).map(|(key, until)| SealedLinkKey {
        ends_at: Some(until),
        ..key.clone()
    });
    previous.into_iter().chain([fresh]).collect()
}
