//! What the merchant's server asks for, carried out once for each request (R33).

use std::sync::Arc;

use bitpro_charge::{ChargeId, Observation};
use bitpro_store::{KeptAnswer, StoreError, Tx};

use super::command::commanded_in_step;
use super::create::make;
use super::idempotency::Answer;
use super::objects::object_of;
use super::{Authority, AuthorityError, ChargeOrigin, Charges, CommandError, CreateError, NewCharge, Snapshot};
use crate::wire::ChargeObject;

impl Charges {
    /// Makes a charge, and answers what `answer` makes of it. The answer is made inside the unit, so that it is kept with
    /// the effect.
    ///
    /// # Errors
    /// [`AuthorityError`]; nothing is changed then.
    pub async fn create_once(
        &self,
        authority: Authority,
        new: NewCharge,
        public_url: String,
        answer: impl FnOnce(Result<ChargeObject, CreateError>) -> KeptAnswer + Send + 'static,
    ) -> Result<KeptAnswer, AuthorityError> {
        let success_url = new.options.success_url.clone();
        let wish = self.wish(new);
        self.carry_out(authority, move |tx| {
            Box::pin(async move {
                let made = match wish {
                    Ok(wish) => make(tx, wish).await,
                    Err(error) => Err(error),
                };
                let made = match made {
                    Ok(made) => made,
                    Err(CreateError::Store(error)) => return Err(error),
                    Err(error) => return Ok(answer(Err(error))),
                };
                if let Some(url) = success_url {
                    tx.put_success_url(&made, &url).await?;
                }
                Ok(answer(Ok(shown(tx, &made, &public_url).await?)))
            })
        })
        .await
    }

    /// Carries out a command on a charge, and answers what `answer` makes of it. That the chain is held is no answer to keep: the same
    /// request may be made again when it is not.
    ///
    /// # Errors
    /// [`AuthorityError`]; nothing is changed then.
    pub async fn command_once(
        &self,
        authority: Authority,
        id: ChargeId,
        observation: Observation,
        public_url: String,
        answer: impl FnOnce(Result<ChargeObject, CommandError>) -> KeptAnswer + Send + 'static,
    ) -> Result<KeptAnswer, AuthorityError> {
        let now = self.now();
        let rate = self.inner.rates.fresh(now);
        let shared = Arc::clone(&self.inner.shared);
        self.carry_out(authority, move |tx| {
            Box::pin(async move {
                match commanded_in_step(tx, &shared, id, &observation, now, rate).await {
                    Ok(after) => Ok(Answer::from(answer(Ok(shown(tx, &after, &public_url).await?)))),
                    Err(CommandError::Store(error)) => Err(error),
                    Err(error @ CommandError::ChainHeld) => Ok(Answer::for_now(answer(Err(error)))),
                    Err(error) => Ok(Answer::from(answer(Err(error)))),
                }
            })
        })
        .await
    }

    /// Where the page of a charge leads once it is paid, if its maker said so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn success_url(&self, snapshot: &Snapshot) -> Result<Option<String>, StoreError> {
        // Only the merchant's server can say it, so nearly every page is spared the look.
        if snapshot.origin != ChargeOrigin::Api {
            return Ok(None);
        }
        self.inner.store.success_url(snapshot.num).await
    }
}

/// The charge as its merchant is shown it, with what this transaction has changed.
async fn shown(tx: &mut Tx, snapshot: &Snapshot, public_url: &str) -> Result<ChargeObject, StoreError> {
    let tip = tx.memory().tip_height();
    let row = tx.beside(snapshot).await?;
    Ok(object_of(snapshot, row, tip, public_url))
}
