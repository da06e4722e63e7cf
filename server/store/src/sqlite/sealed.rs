//! Sealed secrets, wherever they are.

use sqlx::{AssertSqlSafe, Row as _};

use super::Session;
use crate::StoreError;
use crate::rows::SealedColumn;

impl Session {
    pub(crate) async fn sealed(&mut self, column: &SealedColumn) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let SealedColumn { table, id, sealed, .. } = column;
        let statement = format!("SELECT {id} AS id, {sealed} AS sealed FROM {table} WHERE {sealed} IS NOT NULL");
        let rows = sqlx::query(AssertSqlSafe(statement))
            .fetch_all(&mut self.connection)
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("id")?, row.try_get("sealed")?)))
            .collect()
    }

    pub(crate) async fn reseal(&mut self, column: &SealedColumn, row: &[u8], sealed: &[u8]) -> Result<(), StoreError> {
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
