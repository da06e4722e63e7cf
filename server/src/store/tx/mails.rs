//! Letters: posted in the transaction of what they tell of, and so neither lost nor sent for nothing.

use bitpro_charge::Timestamp;

use super::Tx;
use crate::letters::Letter;
use crate::seal::Purpose;
use crate::store::StoreError;
use crate::store::documents::letter_to;

impl Tx {
    /// Puts a letter into the outbox; it is sent after the commit.
    pub(crate) async fn post(&mut self, letter: &Letter) -> Result<(), StoreError> {
        let id = self.rng.bytes();
        let sealed = self.seal.seal(&*self.rng, Purpose::Mail, &id, &letter_to(letter));
        self.writing().await?.insert_mail(id, &sealed).await?;
        self.news.has_mail = true;
        Ok(())
    }

    /// Takes a letter out of the outbox: it is sent, or given up.
    pub(crate) async fn forget_mail(&mut self, num: i64) -> Result<(), StoreError> {
        self.writing().await?.delete_mail(num).await
    }

    /// Notes an attempt in vain, and when the next one is due.
    pub(crate) async fn put_off_mail(
        &mut self,
        num: i64,
        attempts: u32,
        first_at: Timestamp,
        next_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writing()
            .await?
            .put_off_mail(num, attempts, first_at, next_at)
            .await
    }
}
