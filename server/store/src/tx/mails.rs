//! Letters: posted in the transaction of what they tell of, and so neither lost nor sent for nothing.

use bitpro_base::seal::Purpose;
use bitpro_charge::Timestamp;
use bitpro_merchant::letters::Letter;

use super::Tx;
use crate::StoreError;
use crate::documents::letter_to;

impl Tx {
    /// Puts a letter into the outbox; it is sent after the commit.
    pub async fn post(&mut self, letter: &Letter) -> Result<(), StoreError> {
        let id = self.rng.bytes();
        let sealed = self.seal.seal(&*self.rng, Purpose::Mail, &id, &letter_to(letter));
        self.writing().await?.insert_mail(id, &sealed).await?;
        self.news.has_mail = true;
        Ok(())
    }

    /// Takes a letter out of the outbox: it is sent, or given up.
    pub async fn forget_mail(&mut self, num: i64) -> Result<(), StoreError> {
        self.writing().await?.delete_mail(num).await
    }

    /// Notes an attempt in vain, and when the next one is due.
    pub async fn put_off_mail(
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
