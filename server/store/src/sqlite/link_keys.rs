//! The keys of signed links.

use std::collections::HashMap;

use bitpro_base::links::SealedLinkKey;
use bitpro_charge::Timestamp;
use sqlx::Row as _;

use super::{Session, fixed};
use crate::StoreError;

impl Session {
    pub(crate) async fn link_keys(&mut self) -> Result<HashMap<i64, Vec<SealedLinkKey>>, StoreError> {
        let rows =
            sqlx::query("SELECT merchant, id, sealed, created_at, ends_at FROM link_keys ORDER BY created_at, id")
                .fetch_all(&mut self.connection)
                .await?;
        let mut keys: HashMap<i64, Vec<SealedLinkKey>> = HashMap::new();
        for row in &rows {
            keys.entry(row.try_get("merchant")?).or_default().push(SealedLinkKey {
                id: fixed(row.try_get("id")?)?,
                sealed: row.try_get("sealed")?,
                created_at: Timestamp(row.try_get("created_at")?),
                ends_at: row.try_get::<Option<i64>, _>("ends_at")?.map(Timestamp),
            });
        }
        Ok(keys)
    }

    pub(crate) async fn keep_link_keys(&mut self, merchant: i64, keys: &[SealedLinkKey]) -> Result<(), StoreError> {
        let stored = sqlx::query("SELECT id FROM link_keys WHERE merchant = ?")
            .bind(merchant)
            .fetch_all(&mut self.connection)
            .await?;
        for row in &stored {
            let id: Vec<u8> = row.try_get("id")?;
            if keys.iter().all(|key| key.id[..] != id[..]) {
                sqlx::query("DELETE FROM link_keys WHERE id = ?")
                    .bind(id)
                    .execute(&mut self.connection)
                    .await?;
            }
        }
        for key in keys {
            sqlx::query(
                "INSERT INTO link_keys (id, merchant, sealed, created_at, ends_at) VALUES (?, ?, ?, ?, ?) \
                 ON CONFLICT (id) DO UPDATE SET ends_at = excluded.ends_at",
            )
            .bind(&key.id[..])
            .bind(merchant)
            .bind(&key.sealed[..])
            .bind(key.created_at.0)
            .bind(key.ends_at.map(|ends_at| ends_at.0))
            .execute(&mut self.connection)
            .await?;
        }
        Ok(())
    }
}
