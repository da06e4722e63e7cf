//! Requests that a key has signed, each carried out once: its nonce, its effect and its answer are one unit (R33).

use bitpro_base::clock::Moment;
use bitpro_charge::Timestamp;
use bitpro_merchant::keys::NONCE_SECS;
use bitpro_store::{KeptAnswer, StoreError, Tx};
use futures::future::BoxFuture;

use super::Charges;

/// How long the answer to a request with an Idempotency-Key is kept, in hours.
pub(crate) const KEPT_HOURS: u32 = 24;
/// The same in seconds.
const KEPT_SECS: u32 = KEPT_HOURS * 60 * 60;

/// A request that was authenticated and wants to change something.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The key's row.
    pub key: i64,
    /// The request's nonce.
    pub nonce: [u8; 16],
    /// Its `Idempotency-Key`, and the hash of what it asks for.
    pub idempotency: Option<(String, [u8; 32])>,
}

/// Why a request was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthorityError {
    /// The nonce was used.
    #[error("the nonce was already used")]
    Replayed,
    /// The Idempotency-Key belongs to another request.
    #[error("the Idempotency-Key was used for another request")]
    OtherRequest,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a request is answered, and whether the same request is answered so again.
pub struct Answer {
    given: KeptAnswer,
    is_kept: bool,
}

impl Answer {
    /// An answer that says "not now", whatever its status.
    pub(super) const fn for_now(given: KeptAnswer) -> Self {
        Self { given, is_kept: false }
    }
}

impl From<KeptAnswer> for Answer {
    /// A status of 5xx says "not now".
    fn from(given: KeptAnswer) -> Self {
        let is_kept = given.status < 500;
        Self { given, is_kept }
    }
}

impl Charges {
    /// The nonces that stand in the database: key, nonce, time of receipt.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stored_nonces(&self) -> Result<Vec<(i64, [u8; 16], Timestamp)>, StoreError> {
        let nonces = self.inner.store.nonces().await?;
        let received = |expires_at: Timestamp| Timestamp(expires_at.0 - i64::from(NONCE_SECS) * 1_000);
        Ok(nonces
            .into_iter()
            .map(|(key, nonce, expires_at)| (key, nonce, received(expires_at)))
            .collect())
    }

    /// Stores when keys were last used, and forgets nonces and answers that no longer count.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tidy_requests(&self) -> Result<(), StoreError> {
        // By the machine's clock: a time that ran ahead for a moment makes nobody's request count twice (R32).
        let now = self.moment().outside;
        let used: Vec<(i64, Timestamp)> = self
            .keys(None)
            .iter()
            .filter_map(|key| Some((key.num, key.last_used_at()?)))
            .collect();
        self.inner
            .store
            .write(move |tx| {
                Box::pin(async move {
                    tx.note_keys_used(&used).await?;
                    tx.forget_requests(now, before(now, KEPT_SECS)).await
                })
            })
            .await
    }

    /// Carries out what an authenticated request asks for, once: its nonce, its effect and its answer are one unit (R33).
    /// A request that was carried out already gets the answer that was given then. An answer that says "not now" is not
    /// kept, so that the request can be made again.
    ///
    /// # Errors
    /// [`AuthorityError`]; nothing is changed then.
    pub async fn carry_out<F, A>(&self, authority: Authority, effect: F) -> Result<KeptAnswer, AuthorityError>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<A, StoreError>> + Send + 'static,
        A: Into<Answer> + Send + 'static,
    {
        let moment = self.moment();
        self.inner
            .store
            .write(move |tx| Box::pin(async move { carried_out(tx, authority, moment, effect).await }))
            .await
    }
}

async fn carried_out<F, A>(
    tx: &mut Tx,
    authority: Authority,
    moment: Moment,
    effect: F,
) -> Result<KeptAnswer, AuthorityError>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<A, StoreError>> + Send + 'static,
    A: Into<Answer>,
{
    let Authority {
        key,
        nonce,
        idempotency,
    } = authority;
    let now = moment.now;
    if !tx.take_nonce(key, nonce, now.plus_secs(NONCE_SECS)).await? {
        return Err(AuthorityError::Replayed);
    }
    let Some((name, request)) = idempotency else {
        return Ok(effect(tx).await?.into().given);
    };
    // Kept for a day by the machine's clock: what ran ahead for a moment must not carry a request out twice (R32).
    match tx.kept_answer(key, &name, before(moment.outside, KEPT_SECS)).await? {
        Some((known, answer)) if known == request => return Ok(answer),
        Some(_) => return Err(AuthorityError::OtherRequest),
        None => {}
    }
    let Answer { given, is_kept } = effect(tx).await?.into();
    if is_kept {
        tx.keep_answer(key, &name, request, &given, now).await?;
    }
    Ok(given)
}

const fn before(now: Timestamp, secs: u32) -> Timestamp {
    Timestamp(now.0 - secs as i64 * 1_000)
}
