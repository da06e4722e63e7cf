//! Merchants, their descriptors, and the scripts that follow from those.

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::wallet::DescriptorId;
use bitpro_node::view::ScriptId;
use sqlx::Row as _;

use super::bulk::Bulk;
use super::{Session, fixed, unsigned};
use crate::StoreError;
use crate::rows::{DescriptorRow, MerchantRow, ScriptRow};

static INSERT_SCRIPTS: Bulk = Bulk::new(
    "INSERT INTO scripts (id, descriptor, idx, script) VALUES ",
    "(?,?,?,?)",
    " ON CONFLICT (script) DO NOTHING",
);
static SKIP_SCRIPTS: Bulk = Bulk::new("UPDATE scripts SET skipped = 1 WHERE id IN (", "?", ")");
static SCRIPTS: Bulk = Bulk::new(
    "SELECT id, descriptor, idx, script FROM scripts WHERE id IN (",
    "?",
    ")",
);

impl Session {
    pub(crate) async fn merchants(&mut self) -> Result<Vec<MerchantRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT num, id, settings, logo, descriptor, descriptor_mac, created_at FROM merchants ORDER BY num",
        )
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                let descriptor: Option<i64> = row.try_get("descriptor")?;
                let mac: Option<Vec<u8>> = row.try_get("descriptor_mac")?;
                Ok(MerchantRow {
                    num: row.try_get("num")?,
                    id: MerchantId(fixed(row.try_get("id")?)?),
                    settings: row.try_get("settings")?,
                    logo: row.try_get("logo")?,
                    descriptor: descriptor.map(|id| (DescriptorId(id), mac.unwrap_or_default())),
                    created_at: Timestamp(row.try_get("created_at")?),
                })
            })
            .collect()
    }

    pub(crate) async fn put_merchant(&mut self, merchant: &MerchantRow) -> Result<(), StoreError> {
        let (descriptor, mac) = merchant.descriptor.clone().unzip();
        sqlx::query(
            "INSERT INTO merchants (num, id, settings, logo, descriptor, descriptor_mac, created_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (num) DO UPDATE SET settings = excluded.settings, \
             logo = excluded.logo, descriptor = excluded.descriptor, descriptor_mac = excluded.descriptor_mac",
        )
        .bind(merchant.num)
        .bind(&merchant.id.0[..])
        .bind(&merchant.settings)
        .bind(merchant.logo.as_deref())
        .bind(descriptor.map(|id| id.0))
        .bind(mac)
        .bind(merchant.created_at.0)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    pub(crate) async fn descriptors(&mut self) -> Result<Vec<DescriptorRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, text, mac, next_index, highest_used, scanned, jump, longest_gap FROM descriptors ORDER BY id",
        )
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(DescriptorRow {
                    id: DescriptorId(row.try_get("id")?),
                    text: row.try_get("text")?,
                    mac: row.try_get("mac")?,
                    next_index: unsigned(row.try_get("next_index")?)?,
                    highest_used: row
                        .try_get::<Option<i64>, _>("highest_used")?
                        .map(unsigned)
                        .transpose()?,
                    scanned: row.try_get("scanned")?,
                    jump: unsigned(row.try_get("jump")?)?,
                    longest_gap: unsigned(row.try_get("longest_gap")?)?,
                })
            })
            .collect()
    }

    pub(crate) async fn put_descriptor(&mut self, descriptor: &DescriptorRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO descriptors (id, text, mac, next_index, highest_used, scanned, jump, longest_gap) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET next_index = excluded.next_index, \
             highest_used = excluded.highest_used, scanned = excluded.scanned, jump = excluded.jump, \
             longest_gap = excluded.longest_gap",
        )
        .bind(descriptor.id.0)
        .bind(&descriptor.text)
        .bind(&descriptor.mac)
        .bind(i64::from(descriptor.next_index))
        .bind(descriptor.highest_used.map(i64::from))
        .bind(descriptor.scanned)
        .bind(i64::from(descriptor.jump))
        .bind(i64::from(descriptor.longest_gap))
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    pub(crate) async fn insert_scripts(&mut self, scripts: &[ScriptRow]) -> Result<bool, StoreError> {
        let stored = INSERT_SCRIPTS
            .execute(&mut self.connection, scripts, |values, script| {
                values
                    .add(script.id.0)
                    .add(script.descriptor.0)
                    .add(i64::from(script.index))
                    .add(&script.script[..]);
            })
            .await?;
        Ok(usize::try_from(stored) == Ok(scripts.len()))
    }

    pub(crate) async fn skip_scripts(&mut self, scripts: &[ScriptId]) -> Result<(), StoreError> {
        SKIP_SCRIPTS
            .execute(&mut self.connection, scripts, |values, script| {
                values.add(script.0);
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn scripts(&mut self, ids: &[ScriptId]) -> Result<Vec<ScriptRow>, StoreError> {
        let rows = SCRIPTS
            .fetch(&mut self.connection, ids, |values, id| {
                values.add(id.0);
            })
            .await?;
        rows.iter().map(script_row).collect()
    }

    pub(crate) async fn script(&mut self, script: &[u8]) -> Result<Option<ScriptRow>, StoreError> {
        let row = sqlx::query("SELECT id, descriptor, idx, script FROM scripts WHERE script = ?")
            .bind(script)
            .fetch_optional(&mut self.connection)
            .await?;
        row.as_ref().map(script_row).transpose()
    }

    pub(crate) async fn look_ahead(
        &mut self,
        descriptor: DescriptorId,
        index: u32,
    ) -> Result<Vec<ScriptRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, descriptor, idx, script FROM scripts WHERE descriptor = ? AND idx >= ? AND skipped = 0 ORDER BY idx",
        )
        .bind(descriptor.0)
        .bind(i64::from(index))
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter().map(script_row).collect()
    }

    pub(crate) async fn paid_around(
        &mut self,
        descriptor: DescriptorId,
        index: u32,
    ) -> Result<Option<(Option<u32>, Option<u32>)>, StoreError> {
        const PAID: &str = "FROM scripts s WHERE s.descriptor = ?1 AND (s.skipped = 1 OR EXISTS (SELECT 1 FROM charges c \
                            JOIN payments p ON p.charge = c.num WHERE c.script = s.id AND p.height IS NOT NULL))";
        let query = format!(
            "SELECT EXISTS (SELECT 1 {PAID} AND s.idx = ?2) AS is_paid, \
             COALESCE((SELECT s.idx {PAID} AND s.idx < ?2 ORDER BY s.idx DESC LIMIT 1), \
             (SELECT MIN(idx) - 1 FROM scripts WHERE descriptor = ?1)) AS below, \
             (SELECT s.idx {PAID} AND s.idx > ?2 ORDER BY s.idx LIMIT 1) AS above"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(descriptor.0)
            .bind(i64::from(index))
            .fetch_one(&mut self.connection)
            .await?;
        if row.try_get("is_paid")? {
            return Ok(None);
        }
        let below: Option<i64> = row.try_get("below")?;
        let above: Option<i64> = row.try_get("above")?;
        let below = below.filter(|&below| below >= 0).map(unsigned).transpose()?;
        Ok(Some((below, above.map(unsigned).transpose()?)))
    }

    pub(crate) async fn for_each_script(&mut self, mut each: impl FnMut(ScriptId, &[u8])) -> Result<(), StoreError> {
        use futures::TryStreamExt as _;
        let mut rows = sqlx::query("SELECT id, script FROM scripts").fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await? {
            each(ScriptId(row.try_get("id")?), row.try_get("script")?);
        }
        Ok(())
    }
}

fn script_row(row: &sqlx::sqlite::SqliteRow) -> Result<ScriptRow, StoreError> {
    Ok(ScriptRow {
        id: ScriptId(row.try_get("id")?),
        descriptor: DescriptorId(row.try_get("descriptor")?),
        index: unsigned(row.try_get("idx")?)?,
        script: row.try_get("script")?,
    })
}
