//! What a restored backup must not bring back: whatever opened a door when it was made, and may have been closed since.

use super::People;
use crate::store::StoreError;

/// The fact that the database was restored and that its doors stand open as they did then.
pub(in crate::store) const DOORS_OPEN: &str = "doors_open";

impl People<'_> {
    /// Ends whatever lets people in, or gives them more than they have: sessions, links in letters, invitations, known browsers, and
    /// changes of wallets that wait, which may all have been ended after the backup was made. `epochs` goes on top of every account's
    /// epoch: it is random, because marks of the epochs that follow were given after the backup and perhaps taken back.
    pub(in crate::store) async fn close_doors(&mut self, epochs: u32) -> Result<(), StoreError> {
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
