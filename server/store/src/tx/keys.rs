//! Keys of the merchant API, and what a signed request leaves behind beside its effect.

use std::sync::Arc;

use bitpro_base::seal::Purpose;
use bitpro_charge::Timestamp;
use bitpro_merchant::keys::{ApiKey, KeyMap};

use super::Tx;
use crate::rows::{KeyRow, KeySecretRow, SEALED};
use crate::{BesideRow, KeptAnswer, Snapshot, StoreError};

impl Tx {
    /// Stores a key as it is now.
    pub async fn put_key(&mut self, key: ApiKey) -> Result<(), StoreError> {
        let merchant = self
            .memory
            .merchant_row(key.merchant)
            .ok_or_else(|| StoreError::Damaged("a key without a merchant".to_owned()))?;
        let row = KeyRow {
            num: key.num,
            id: key.id.0,
            merchant: key.merchant,
            name: key.name.clone(),
            scopes: key.scopes.to_string(),
            created_at: key.created_at,
            last_used_at: key.last_used_at(),
            revoked_at: key.revoked_at,
        };
        let (seal, rng) = (self.seal.clone(), Arc::clone(&self.rng));
        let sealed = |secret: &bitpro_merchant::keys::KeySecret| KeySecretRow {
            id: secret.id,
            key: key.num,
            sealed: seal.seal(&*rng, Purpose::ApiKey, &secret.id, &secret.bytes),
            created_at: secret.created_at,
            expires_at: secret.expires_at,
        };
        let secrets: Vec<KeySecretRow> = key.secrets.iter().map(sealed).collect();
        self.writing().await?.put_api_key(&row, merchant, &secrets).await?;
        let mut keys = KeyMap::clone(self.memory.keys());
        keys.insert(key.id, Arc::new(key));
        self.memory.put_keys(keys);
        self.news.keys = Some(Arc::clone(self.memory.keys()));
        Ok(())
    }

    /// The row of the next key.
    pub fn next_key(&self) -> i64 {
        self.memory.keys().values().map(|key| key.num).max().unwrap_or(0) + 1
    }

    /// Notes when keys were last used: row and time.
    pub async fn note_keys_used(&mut self, used: &[(i64, Timestamp)]) -> Result<(), StoreError> {
        self.writing().await?.note_keys_used(used).await
    }

    /// Takes a nonce; whether the key had not used it before.
    pub async fn take_nonce(&mut self, key: i64, nonce: [u8; 16], expires_at: Timestamp) -> Result<bool, StoreError> {
        self.writing().await?.insert_nonce(key, nonce, expires_at).await
    }

    /// What was answered to the request of this name after `since`: the request's hash, and the answer.
    pub async fn kept_answer(
        &mut self,
        key: i64,
        name: &str,
        since: Timestamp,
    ) -> Result<Option<([u8; 32], KeptAnswer)>, StoreError> {
        self.session.kept_answer(key, name, since).await
    }

    /// Keeps an answer.
    pub async fn keep_answer(
        &mut self,
        key: i64,
        name: &str,
        request: [u8; 32],
        answer: &KeptAnswer,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let session = self.writing().await?;
        session.keep_answer(key, name, request, answer, at).await
    }

    /// Forgets nonces that expired by `now`, and answers made by `answers_until`.
    pub async fn forget_requests(&mut self, now: Timestamp, answers_until: Timestamp) -> Result<(), StoreError> {
        self.writing().await?.forget_requests(now, answers_until).await
    }

    /// Stores where the page of a charge leads once it is paid.
    pub async fn put_success_url(&mut self, snapshot: &Snapshot, url: &str) -> Result<(), StoreError> {
        self.settle_made().await?;
        self.session.insert_success_url(snapshot.num, url).await
    }

    /// What is shown beside a charge, this unit's changes included.
    pub async fn beside(&mut self, snapshot: &Snapshot) -> Result<BesideRow, StoreError> {
        self.settle_made().await?;
        let row = self.session.beside(snapshot.num).await?;
        row.ok_or_else(|| StoreError::Damaged(format!("charge {} has no row", snapshot.charge.id)))
    }

    /// Writes charges that were put off, the unit's own too: they are taken back with its savepoint.
    async fn settle_made(&mut self) -> Result<(), StoreError> {
        self.writing().await?;
        self.write_made(self.made.len()).await
    }

    /// Seals every secret that stands under an older key anew. How many there are in all, and how many were sealed anew.
    pub async fn reseal(&mut self) -> Result<(usize, usize), StoreError> {
        let (seal, rng) = (self.seal.clone(), Arc::clone(&self.rng));
        let session = self.writing().await?;
        let (mut all, mut changed) = (0, 0);
        for column in SEALED {
            for (row, sealed) in session.sealed(column).await? {
                all += 1;
                if seal.is_current(&sealed) {
                    continue;
                }
                let secret = seal.open(column.purpose, &row, &sealed)?;
                let anew = seal.seal(&*rng, column.purpose, &row, &secret);
                session.reseal(column, &row, &anew).await?;
                changed += 1;
            }
        }
        // What is in memory may hold secrets as they were sealed before: it is read again with the next group.
        self.session.look_again();
        Ok((all, changed))
    }

    /// Checks that every sealed secret opens, so that a missing key is told at the start and not to a merchant.
    pub(crate) async fn check_seals(&mut self) -> Result<(), StoreError> {
        for column in SEALED {
            for (row, sealed) in self.session.sealed(column).await? {
                self.seal.open(column.purpose, &row, &sealed)?;
            }
        }
        Ok(())
    }
}
