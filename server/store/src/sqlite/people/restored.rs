//! What a restored backup must not bring back: whatever opened a door when it was made, and may have been closed since.

use super::People;
use crate::StoreError;
use crate::opening::DOORS_OPEN;

impl People<'_> {
    pub(crate) async fn close_doors(&mut self, epochs: u32) -> Result<(), StoreError> {
        for statement in [
            "DELETE FROM sessions",
            "DELETE FROM account_tokens",
            "DELETE FROM invitations",
            "DELETE FROM pending_wallets",
        ] {
            sqlx::query(statement).execute(&mut *self.connection).await?;
        }
        sqlx::query("UPDATE accounts SET device_epoch = device_epoch + ?")
            .bind(i64::from(epochs) + 1)
            .execute(&mut *self.connection)
            .await?;
        sqlx::query("DELETE FROM meta WHERE name = ?")
            .bind(DOORS_OPEN)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}
