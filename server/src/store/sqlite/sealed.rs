//! Every column that holds sealed secrets, so that the start can check them and `bitpro rekey` finds them all.

use sqlx::{AssertSqlSafe, Row as _};

use super::Session;
use crate::seal::Purpose;
use crate::store::StoreError;

/// A column of sealed secrets.
pub(in crate::store) struct SealedColumn {
    /// What its secrets are for.
    pub(in crate::store) purpose: Purpose,
    table: &'static str,
    /// The column that a secret is bound to: bytes, and unique in the table.
    id: &'static str,
    sealed: &'static str,
}

/// All of them.
pub(in crate::store) const SEALED: &[SealedColumn] = &[
    SealedColumn {
        purpose: Purpose::ApiKey,
        table: "api_key_secrets",
        id: "id",
        sealed: "sealed",
    },
    SealedColumn {
        purpose: Purpose::LinkKey,
        table: "link_keys",
        id: "id",
        sealed: "sealed",
    },
    SealedColumn {
        purpose: Purpose::Mail,
        table: "mails",
        id: "id",
        sealed: "sealed",
    },
    SealedColumn {
        purpose: Purpose::Webhook,
        table: "webhooks",
        id: "id",
        sealed: "secret",
    },
    SealedColumn {
        purpose: Purpose::Webhook,
        table: "webhooks",
        id: "id",
        sealed: "former_secret",
    },
    SealedColumn {
        purpose: Purpose::Totp,
        table: "accounts",
        id: "id",
        sealed: "totp",
    },
];

impl Session {
    /// The sealed secrets of a column: row and bytes.
    pub(in crate::store) async fn sealed(
        &mut self,
        column: &SealedColumn,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let SealedColumn { table, id, sealed, .. } = column;
        let statement = format!("SELECT {id}, {sealed} FROM {table} WHERE {sealed} IS NOT NULL");
        let rows = sqlx::query(AssertSqlSafe(statement))
            .fetch_all(&mut self.connection)
            .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Puts a secret that was sealed anew in the place of the old one.
    pub(in crate::store) async fn reseal(
        &mut self,
        column: &SealedColumn,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        let statement = format!(
            "UPDATE {} SET {} = ? WHERE {} = ?",
            column.table, column.sealed, column.id
        );
        sqlx::query(AssertSqlSafe(statement))
            .bind(sealed)
            .bind(row)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }
}
