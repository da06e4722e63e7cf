//! Keys of the merchant API: made, rotated, revoked.

use std::sync::Arc;

use bitpro_base::name::is_name;
use bitpro_base::rng::{self, Rng, uuid};
use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::keys::{ApiKey, KeyId, KeySecret, SECRET_LEN, Scopes};
use bitpro_store::{StoreError, Tx};

use super::Charges;
use super::commit_hook::CommitHook;

/// The longest that an old secret lives on beside the new one: 30 days, in seconds.
pub const LONGEST_OVERLAP_SECS: u32 = 30 * 24 * 60 * 60;
/// The most keys of a merchant that are not revoked: all are kept in memory, and owners get a letter about each.
pub const MOST_KEYS: usize = 50;
/// Why keys are not changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    /// There is no such merchant.
    #[error("there is no such merchant")]
    UnknownMerchant,
    /// There is no such key.
    #[error("there is no such key")]
    UnknownKey,
    /// The key was revoked: it never comes back.
    #[error("the key is revoked: add another one")]
    Revoked,
    /// The name is not one.
    #[error("name = {0:?}: wanted 1 to 60 visible characters")]
    Name(String),
    /// The merchant has the maximum.
    #[error("a merchant has at most {MOST_KEYS} keys: revoke one first")]
    TooMany,
    /// The overlap is out of bounds.
    #[error("overlap_secs = {0}: wanted seconds from 0 to {LONGEST_OVERLAP_SECS}")]
    Overlap(u32),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A key with its secret, which is shown this once.
#[derive(Clone)]
pub struct IssuedKey {
    /// The key.
    pub key: Arc<ApiKey>,
    /// What to sign with.
    pub secret: [u8; SECRET_LEN],
    /// Until when the secret before it counts, if there is one.
    pub overlap_until: Option<Timestamp>,
}

impl Charges {
    /// The key called `id`, from memory.
    #[must_use]
    pub fn key(&self, id: KeyId) -> Option<Arc<ApiKey>> {
        self.inner.shared.key(id)
    }

    /// All keys, or those of one merchant, oldest first.
    #[must_use]
    pub fn keys(&self, merchant: Option<MerchantId>) -> Vec<Arc<ApiKey>> {
        let keys = self.inner.shared.keys();
        let mut keys: Vec<Arc<ApiKey>> = keys
            .values()
            .filter(|key| merchant.is_none_or(|merchant| key.merchant == merchant))
            .cloned()
            .collect();
        keys.sort_by_key(|key| key.num);
        keys
    }

    /// Makes a key, and runs `hook` in the same unit. The first key of a merchant has the merchant's id as its own, as the API
    /// reference signs with it.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn add_key(
        &self,
        merchant: MerchantId,
        name: &str,
        scopes: Scopes,
        hook: CommitHook,
    ) -> Result<IssuedKey, KeyError> {
        let name = name.trim().to_owned();
        if !is_name(&name) {
            return Err(KeyError::Name(name));
        }
        let inner = &self.inner;
        let now = self.now();
        let fresh = KeyId(uuid(&*inner.rng));
        let (secret, bytes) = fresh_secret(&*inner.rng, now);
        let write = inner.store.write(move |tx| {
            Box::pin(async move {
                tx.memory().merchant_row(merchant).ok_or(KeyError::UnknownMerchant)?;
                let keys = tx.memory().keys().values();
                let living = keys.filter(|key| key.merchant == merchant && key.revoked_at.is_none());
                if living.count() >= MOST_KEYS {
                    return Err(KeyError::TooMany);
                }
                let first = KeyId(merchant.0);
                let id = if tx.memory().keys().contains_key(&first) {
                    fresh
                } else {
                    first
                };
                let key = ApiKey {
                    num: tx.next_key(),
                    id,
                    merchant,
                    name,
                    scopes,
                    created_at: now,
                    revoked_at: None,
                    secrets: vec![secret],
                    last_used: Arc::default(),
                };
                tx.put_key(key.clone()).await?;
                hook.run(tx, key.named()).await?;
                Ok::<_, KeyError>(Arc::new(key))
            })
        });
        Ok(IssuedKey {
            key: write.await?,
            secret: bytes,
            overlap_until: None,
        })
    }

    /// Gives a key a new secret, and runs `hook` in the same unit. The present secret stays valid for `overlap_secs` more; no more
    /// than two are valid at a time.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn rotate_key(&self, id: KeyId, overlap_secs: u32, hook: CommitHook) -> Result<IssuedKey, KeyError> {
        if overlap_secs > LONGEST_OVERLAP_SECS {
            return Err(KeyError::Overlap(overlap_secs));
        }
        let inner = &self.inner;
        let now = self.now();
        let (secret, bytes) = fresh_secret(&*inner.rng, now);
        let end = now.plus_secs(overlap_secs);
        let write = inner.store.write(move |tx| {
            Box::pin(async move {
                let mut key = usable(tx, id)?;
                key.secrets.truncate(1);
                key.secrets.retain_mut(|old| {
                    old.expires_at = Some(end);
                    end > now
                });
                key.secrets.insert(0, secret);
                tx.put_key(key.clone()).await?;
                hook.run(tx, key.named()).await?;
                Ok::<_, KeyError>(Arc::new(key))
            })
        });
        let key = write.await?;
        Ok(IssuedKey {
            overlap_until: key.secrets.get(1).and_then(|old| old.expires_at),
            key,
            secret: bytes,
        })
    }

    /// Revokes a key for ever, forgets its secrets, and runs `hook` in the same unit.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn revoke_key(&self, id: KeyId, hook: CommitHook) -> Result<Arc<ApiKey>, KeyError> {
        let now = self.now();
        self.inner
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let mut key = usable(tx, id)?;
                    key.revoked_at = Some(now);
                    key.secrets.clear();
                    tx.put_key(key.clone()).await?;
                    hook.run(tx, key.named()).await?;
                    Ok::<_, KeyError>(Arc::new(key))
                })
            })
            .await
    }

    /// Seals every stored secret under the newest key. How many there are, and how many were under an older one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reseal(&self) -> Result<(usize, usize), StoreError> {
        self.inner
            .store
            .write(|tx| Box::pin(async move { tx.reseal().await }))
            .await
    }
}

fn usable(tx: &Tx, id: KeyId) -> Result<ApiKey, KeyError> {
    let key = tx.memory().keys().get(&id).ok_or(KeyError::UnknownKey)?;
    if key.revoked_at.is_some() {
        return Err(KeyError::Revoked);
    }
    Ok(ApiKey::clone(key))
}

fn fresh_secret(rng: &dyn Rng, now: Timestamp) -> (KeySecret, [u8; SECRET_LEN]) {
    let bytes = rng::key(rng);
    let secret = KeySecret {
        id: rng.bytes(),
        bytes: bytes.into(),
        created_at: now,
        expires_at: None,
    };
    (secret, bytes)
}
