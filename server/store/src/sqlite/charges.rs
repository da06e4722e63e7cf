//! Charges: making rows, reading them, listing them.

use bitpro_charge::{Charge, ChargeId, MerchantId, State, Timestamp};
use bitpro_merchant::Language;
use bitpro_merchant::wallet::{DescriptorId, address_of};
use bitpro_node::view::ScriptId;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::bulk::Bulk;
use super::{Readers, Session, column, fixed, unsigned};
use crate::documents::{snapshot_from, terms_from, terms_to};
use crate::rows::NewRow;
use crate::secret::{CreatedWith, Identity};
use crate::{ChargeOrigin, Listed, Listing, Snapshot, StoreError, Unreadable};

static INSERT: Bulk = Bulk::new(
    "INSERT INTO charges (num, id, merchant, script, origin, order_id, language, created_at, terms, mac, email_key, state, \
     sequence, is_open, is_paid) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?,?,0,1,0)",
    "",
);
static INSERT_PERSONAL: Bulk = Bulk::new(
    "INSERT INTO personal (charge, buyer_email, metadata, notes) VALUES ",
    "(?,?,?,?)",
    "",
);

/// What a charge is read from. Its payments come in the same statement: the document and they belong together.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT c.num, c.id, m.id AS merchant_id, c.script AS script_id, s.script AS script_pubkey, s.descriptor, s.idx, \
             c.origin, c.order_id, c.language, c.terms, c.mac, c.email_key, c.snapshot, \
             (SELECT '[' || group_concat(p.body) || ']' FROM payments p WHERE p.charge = c.num) AS payments, c.created_at FROM charges c JOIN merchants m ON m.num = c.merchant JOIN scripts s ON s.id = c.script WHERE ",
            $condition
        )
    };
}

/// The next charges without a proof.
const UNPROVED: &str = "SELECT c.num, c.id, m.id AS merchant_id, s.script AS script_pubkey, c.origin, c.order_id, c.terms \
     FROM charges c JOIN merchants m ON m.num = c.merchant JOIN scripts s ON s.id = c.script \
     WHERE c.num > ? AND c.mac IS NULL ORDER BY c.num LIMIT 500";

static BY_NUM: Bulk = Bulk::new(select!("c.num IN ("), "?", ")");
static BY_SCRIPT: Bulk = Bulk::new(select!("c.script IN ("), "?", ")");
static CLOSE: Bulk = Bulk::new("UPDATE charges SET is_open = 0 WHERE num IN (", "?", ")");

impl Session {
    pub(crate) async fn insert_charges(&mut self, rows: &[NewRow]) -> Result<(), StoreError> {
        let secret = self.identity.secret.clone();
        INSERT
            .execute(&mut self.connection, rows, |values, row| {
                let Snapshot { charge, .. } = &*row.snapshot;
                let terms = terms_to(&charge.terms);
                let mac = secret.of_charge(&CreatedWith {
                    num: row.snapshot.num,
                    id: &charge.id.0,
                    merchant: &charge.merchant.0,
                    script_pubkey: &row.snapshot.script_pubkey,
                    origin: row.snapshot.origin.as_str(),
                    order_id: row.snapshot.order_id.as_deref(),
                    terms: &terms,
                });
                values
                    .add(row.snapshot.num)
                    .add(&charge.id.0[..])
                    .add(row.merchant)
                    .add(row.snapshot.script.0)
                    .add(row.snapshot.origin.as_str())
                    .add(row.snapshot.order_id.as_deref())
                    .add(row.snapshot.language.map(Language::as_str))
                    .add(charge.terms.created_at.0)
                    .add(terms)
                    .add(mac.to_vec())
                    .add(row.snapshot.email_key.map(|key| key.to_vec()))
                    .add(charge.state.as_str());
            })
            .await?;
        let personal: Vec<&NewRow> = rows
            .iter()
            .filter(|row| row.personal.iter().any(Option::is_some))
            .collect();
        INSERT_PERSONAL
            .execute(&mut self.connection, &personal, |values, row| {
                values.add(row.snapshot.num);
                for text in &row.personal {
                    values.add(text.as_deref());
                }
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn prove_charges(&mut self) -> Result<u64, StoreError> {
        let secret = self.identity.secret.clone();
        let (mut proved, mut after) = (0, 0_i64);
        loop {
            let rows = sqlx::query(UNPROVED)
                .bind(after)
                .fetch_all(&mut self.connection)
                .await?;
            let Some(last) = rows.last() else { return Ok(proved) };
            after = last.try_get("num")?;
            for row in &rows {
                let charge = created_with(row)?;
                sqlx::query("UPDATE charges SET mac = ? WHERE num = ?")
                    .bind(secret.of_charge(&charge).to_vec())
                    .bind(charge.num)
                    .execute(&mut self.connection)
                    .await?;
                proved += 1;
            }
        }
    }

    pub(crate) async fn charges_by_num(&mut self, nums: &[i64]) -> Result<Vec<Snapshot>, StoreError> {
        charges_by_num(&mut self.connection, nums, &self.identity).await
    }

    pub(crate) async fn charges_by_script(&mut self, scripts: &[ScriptId]) -> Result<Vec<Snapshot>, StoreError> {
        let rows = BY_SCRIPT
            .fetch(&mut self.connection, scripts, |values, script| {
                values.add(script.0);
            })
            .await?;
        snapshots(&rows, &self.identity)
    }

    pub(crate) async fn open_charges(&mut self) -> Result<Vec<Snapshot>, StoreError> {
        let rows = query("c.is_open = 1").build().fetch_all(&mut self.connection).await?;
        snapshots(&rows, &self.identity)
    }

    pub(crate) async fn charge(&mut self, id: ChargeId) -> Result<Option<Snapshot>, StoreError> {
        charge(&mut self.connection, id, &self.identity).await
    }

    pub(crate) async fn paid_charges(&mut self, merchant: i64, order_id: &str) -> Result<Vec<Snapshot>, StoreError> {
        let mut query = query("c.is_paid = 1 AND c.merchant = ");
        query
            .push_bind(merchant)
            .push(" AND c.order_id IS NOT NULL AND c.order_id = ");
        query.push_bind(order_id);
        query.push(" ORDER BY c.num DESC LIMIT 100");
        let rows = query.build().fetch_all(&mut self.connection).await?;
        snapshots(&rows, &self.identity)
    }

    pub(crate) async fn for_each_paid_order(&mut self, mut each: impl FnMut(i64, &str)) -> Result<(), StoreError> {
        use futures::TryStreamExt as _;
        let orders = "SELECT merchant, order_id FROM charges WHERE is_paid = 1 AND order_id IS NOT NULL";
        let mut rows = sqlx::query(orders).fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await? {
            each(row.try_get("merchant")?, row.try_get("order_id")?);
        }
        Ok(())
    }

    pub(crate) async fn close_charges(&mut self, nums: &[i64]) -> Result<(), StoreError> {
        CLOSE
            .execute(&mut self.connection, nums, |values, num| {
                values.add(*num);
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn state_counts(&mut self) -> Result<Vec<(State, i64)>, StoreError> {
        state_counts(&mut self.connection).await
    }

    pub(crate) async fn set_state_counts(&mut self, counts: &[(State, i64)]) -> Result<(), StoreError> {
        static UPSERT: Bulk = Bulk::new(
            "INSERT INTO state_counts (state, charges) VALUES ",
            "(?,?)",
            " ON CONFLICT (state) DO UPDATE SET charges = excluded.charges",
        );
        UPSERT
            .execute(&mut self.connection, counts, |values, (state, n)| {
                values.add(state.as_str()).add(*n);
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn clear_state_counts(&mut self) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM state_counts")
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn charges_by_state(&mut self) -> Result<Vec<(State, i64)>, StoreError> {
        let rows = sqlx::query("SELECT state, COUNT(*) AS charges FROM charges GROUP BY state")
            .fetch_all(&mut self.connection)
            .await?;
        rows.iter()
            .map(|row| Ok((state_from(row.try_get("state")?)?, row.try_get("charges")?)))
            .collect()
    }

    pub(crate) async fn mark_open(&mut self, num: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE charges SET is_open = 1 WHERE num = ?")
            .bind(num)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn first_made(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let millis: Option<i64> = sqlx::query_scalar("SELECT created_at FROM charges ORDER BY num LIMIT 1")
            .fetch_optional(&mut self.connection)
            .await?;
        Ok(millis.map(Timestamp))
    }

    pub(crate) async fn last_rows(&mut self) -> Result<[i64; 6], StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COALESCE(MAX(num), 0) FROM charges) AS charge, (SELECT COALESCE(MAX(num), 0) FROM events) AS batch, \
             (SELECT COALESCE(MAX(num), 0) FROM outbox) AS outbox, (SELECT COALESCE(MAX(id), 0) FROM scripts) AS script, \
             (SELECT COALESCE(MAX(num), 0) FROM merchants) AS merchant, \
             (SELECT COALESCE(MAX(id), 0) FROM descriptors) AS descriptor",
        )
        .fetch_one(&mut self.connection)
        .await?;
        Ok([
            row.try_get("charge")?,
            row.try_get("batch")?,
            row.try_get("outbox")?,
            row.try_get("script")?,
            row.try_get("merchant")?,
            row.try_get("descriptor")?,
        ])
    }
}

/// How many charges there are in each state.
pub(crate) async fn state_counts(connection: &mut SqliteConnection) -> Result<Vec<(State, i64)>, StoreError> {
    // What another hand wrote there is told by a comparison, and stops nobody: it only counts what can be counted again.
    let rows =
        sqlx::query("SELECT CAST(state AS BLOB) AS state, CAST(charges AS INTEGER) AS charges FROM state_counts")
            .fetch_all(connection)
            .await?;
    let mut counts = Vec::new();
    for row in rows {
        if let Ok(state) = state_from(&String::from_utf8_lossy(row.try_get("state")?)) {
            counts.push((state, row.try_get("charges")?));
        }
    }
    Ok(counts)
}

/// The charge called `id`.
pub(crate) async fn charge(
    connection: &mut SqliteConnection,
    id: ChargeId,
    identity: &Identity,
) -> Result<Option<Snapshot>, StoreError> {
    let mut query = query("c.id = ");
    let row = query
        .push_bind(id.0.to_vec())
        .build()
        .fetch_optional(connection)
        .await?;
    row.map(|row| snapshot(&row, identity)).transpose()
}

/// The charges with these row numbers.
pub(crate) async fn charges_by_num(
    connection: &mut SqliteConnection,
    nums: &[i64],
    identity: &Identity,
) -> Result<Vec<Snapshot>, StoreError> {
    let rows = BY_NUM
        .fetch(connection, nums, |values, num| {
            values.add(*num);
        })
        .await?;
    snapshots(&rows, identity)
}

impl Readers {
    pub(crate) async fn list(&self, listing: &Listing<'_>) -> Result<Vec<Listed>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let mut query = query("1 = 1");
        if let Some(merchant) = listing.merchant {
            query.push(" AND c.merchant = (SELECT num FROM merchants WHERE id = ");
            query.push_bind(merchant.0.to_vec()).push(")");
        }
        if let Some(state) = listing.state {
            query.push(" AND c.state = ").push_bind(state.as_str());
        }
        if let Some(order_id) = listing.order_id {
            query.push(" AND c.order_id = ").push_bind(order_id.to_owned());
        }
        if let Some(from) = listing.created_from {
            query.push(" AND c.created_at >= ").push_bind(from.0);
        }
        if let Some(to) = listing.created_to {
            query.push(" AND c.created_at < ").push_bind(to.0);
        }
        if let Some(before) = listing.before {
            query.push(" AND c.num < ").push_bind(before);
        }
        query
            .push(" ORDER BY c.num DESC LIMIT ")
            .push_bind(i64::from(listing.limit))
            .push(" OFFSET ")
            .push_bind(column(listing.skip));
        let rows = query.build().fetch_all(connection).await?;
        listed(&rows, &self.identity)
    }
}

/// The charges of a list. One that cannot be read is named: it must not hide the others.
pub(super) fn listed(rows: &[SqliteRow], identity: &Identity) -> Result<Vec<Listed>, StoreError> {
    let read = rows.iter().map(|row| match snapshot(row, identity) {
        Ok(snapshot) => Ok(Ok(snapshot)),
        Err(StoreError::Damaged(why)) => {
            let id = ChargeId(fixed(row.try_get("id")?)?);
            tracing::error!(charge = %id, why, "a charge of a list cannot be read");
            Ok(Err(Unreadable {
                num: row.try_get("num")?,
                id,
                created_at: Timestamp(row.try_get("created_at")?),
            }))
        }
        Err(error) => Err(error),
    });
    read.collect()
}

pub(super) fn query(condition: &str) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(select!(""));
    query.push(condition);
    query
}

pub(super) fn snapshots(rows: &[SqliteRow], identity: &Identity) -> Result<Vec<Snapshot>, StoreError> {
    rows.iter().map(|row| snapshot(row, identity)).collect()
}

fn snapshot(row: &SqliteRow, identity: &Identity) -> Result<Snapshot, StoreError> {
    let script_pubkey: &[u8] = row.try_get("script_pubkey")?;
    let address = address_of(script_pubkey, identity.network)
        .ok_or_else(|| StoreError::Damaged("a charge's script has no address".to_owned()))?;
    let terms = terms_from(row.try_get("terms")?)?;
    let is_genuine =
        row.try_get::<Option<&[u8]>, _>("mac")? == Some(&identity.secret.of_charge(&created_with(row)?)[..]);
    let id = ChargeId(fixed(row.try_get("id")?)?);
    let made = Charge::new(id, MerchantId(fixed(row.try_get("merchant_id")?)?), address, terms);
    let document: Option<&str> = row.try_get("snapshot")?;
    let (charge, has_payments_apart) = match document {
        Some(document) => snapshot_from(document, row.try_get("payments")?, made)?,
        None => (made, true),
    };
    let language: Option<&str> = row.try_get("language")?;
    let email_key: Option<&[u8]> = row.try_get("email_key")?;
    Ok(Snapshot {
        charge,
        order_id: row.try_get("order_id")?,
        origin: ChargeOrigin::from_word(row.try_get("origin")?)
            .ok_or_else(|| StoreError::Damaged("a charge's origin is not known".to_owned()))?,
        language: language.and_then(|language| language.parse().ok()),
        num: row.try_get("num")?,
        script: ScriptId(row.try_get("script_id")?),
        script_pubkey: script_pubkey.into(),
        descriptor: DescriptorId(row.try_get("descriptor")?),
        index: unsigned(row.try_get("idx")?)?,
        email_key: email_key.map(fixed).transpose()?,
        maker: None,
        has_payments_apart,
        is_genuine,
        verified: false.into(),
        rendered: Default::default(),
    })
}

/// What the row says that the charge was created with.
fn created_with(row: &SqliteRow) -> Result<CreatedWith<'_>, StoreError> {
    Ok(CreatedWith {
        num: row.try_get("num")?,
        id: row.try_get("id")?,
        merchant: row.try_get("merchant_id")?,
        script_pubkey: row.try_get("script_pubkey")?,
        origin: row.try_get("origin")?,
        order_id: row.try_get("order_id")?,
        terms: row.try_get("terms")?,
    })
}

pub(super) fn state_from(text: &str) -> Result<State, StoreError> {
    text.parse()
        .map_err(|()| StoreError::Damaged(format!("{text:?} is not a state")))
}
