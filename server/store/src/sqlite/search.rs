//! Looking for a merchant's charges. Every way to them is a step into an index, and stays within the merchant.

use bitpro_charge::{Cents, Timestamp};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::charges::{listed, query, state_from};
use super::told::merchant_num;
use super::{Readers, unsigned};
use crate::search::{Needle, Place, Search, Tally};
use crate::{Listed, StoreError};

/// From so many order ids with one beginning on, the charges are gone through in the order of the list: nearly every one of
/// them fits then, and collecting them all to sort them would take longer.
const MANY: i64 = 2_000;
/// The last character there is: whatever begins with a text sorts before the text and this.
const LAST_CHARACTER: char = '\u{10ffff}';

impl Readers {
    pub(crate) async fn search(
        &self,
        search: &Search,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<Listed>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let Some(merchant) = merchant_num(connection, search.merchant).await? else {
            return Ok(Vec::new());
        };
        let is_common = match &search.needle {
            Some(needle) => is_common(connection, merchant, &needle.order_id).await?,
            None => false,
        };
        let mut query = wanted(search, merchant, is_common, after, limit);
        let rows = query.build().fetch_all(connection).await?;
        listed(&rows, &self.identity)
    }

    pub(crate) async fn tallies(
        &self,
        merchant: bitpro_charge::MerchantId,
        spans: &[(Timestamp, Timestamp)],
    ) -> Result<Vec<Tally>, StoreError> {
        let connection = &mut *self.acquire().await?;
        let Some(merchant) = merchant_num(connection, merchant).await? else {
            return Ok(Vec::new());
        };
        if spans.is_empty() {
            return Ok(Vec::new());
        }
        let rows = counted(merchant, spans).build().fetch_all(connection).await?;
        rows.iter()
            .map(|row| {
                Ok(Tally {
                    span: unsigned(row.try_get("n")?)?,
                    state: state_from(row.try_get("state")?)?,
                    charges: unsigned(row.try_get("charges")?)?,
                    price: Cents(unsigned(row.try_get("price")?)?),
                })
            })
            .collect()
    }
}

fn wanted(search: &Search, merchant: i64, is_common: bool, after: Option<Place>, limit: u32) -> QueryBuilder<Sqlite> {
    // The plus keeps the engine from going through all of the merchant's charges where few are meant.
    let is_narrow = search.needle.is_some() && !is_common;
    let mut query = query(if is_narrow { "+c.merchant = " } else { "c.merchant = " });
    query.push_bind(merchant);
    if let Some(needle) = &search.needle {
        let (begins, ends) = bounds(&needle.order_id);
        query.push(" AND (");
        if is_common {
            query.push("(+c.order_id >= ").push_bind(begins.clone());
            query.push(" AND +c.order_id < ").push_bind(ends.clone()).push(") OR ");
        }
        query.push("c.num IN (");
        push_meant(&mut query, needle, merchant, (!is_common).then_some((begins, ends)));
        query.push("))");
    }
    if let Some(state) = search.state {
        query.push(" AND c.state = ").push_bind(state.as_str());
    }
    if let Some(from) = search.from {
        query.push(" AND c.created_at >= ").push_bind(from.0);
    }
    if let Some(to) = search.to {
        query.push(" AND c.created_at < ").push_bind(to.0);
    }
    if let Some(place) = after {
        query
            .push(" AND (c.created_at, c.num) < (")
            .push_bind(place.created_at.0);
        query.push(", ").push_bind(place.num).push(")");
    }
    query
        .push(" ORDER BY c.created_at DESC, c.num DESC LIMIT ")
        .push_bind(i64::from(limit));
    query
}

/// The rows that the needle can mean.
fn push_meant(query: &mut QueryBuilder<Sqlite>, needle: &Needle, merchant: i64, order: Option<(String, String)>) {
    query.push("SELECT num FROM charges WHERE id = ");
    query.push_bind(needle.charge.map(|id| id.0.to_vec()));
    if let Some((begins, ends)) = order {
        query.push(" UNION ALL SELECT num FROM charges WHERE order_id IS NOT NULL AND merchant = ");
        query.push_bind(merchant).push(" AND order_id >= ").push_bind(begins);
        query.push(" AND order_id < ").push_bind(ends);
    }
    if let Some(txid) = needle.txid {
        query.push(" UNION ALL SELECT charge FROM payments WHERE txid = ");
        query.push_bind(txid.0.to_vec());
    }
    if let Some(script) = &needle.script {
        query.push(" UNION ALL SELECT num FROM charges WHERE script = (SELECT id FROM scripts WHERE script = ");
        query.push_bind(script.clone()).push(")");
    }
    if let Some(email) = &needle.email {
        query.push(" UNION ALL SELECT charge FROM personal WHERE buyer_email IS NOT NULL AND buyer_email = ");
        query.push_bind(email.clone());
    }
}

async fn is_common(connection: &mut SqliteConnection, merchant: i64, order_id: &str) -> Result<bool, StoreError> {
    let (begins, ends) = bounds(order_id);
    let found: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT 1 FROM charges WHERE order_id IS NOT NULL AND merchant = ? AND order_id >= ? \
         AND order_id < ? LIMIT ?)",
    )
    .bind(merchant)
    .bind(begins)
    .bind(ends)
    .bind(MANY)
    .fetch_one(connection)
    .await?;
    Ok(found == MANY)
}

/// Between which texts all lie that begin with `text`.
fn bounds(text: &str) -> (String, String) {
    (text.to_owned(), format!("{text}{LAST_CHARACTER}"))
}

fn counted(merchant: i64, spans: &[(Timestamp, Timestamp)]) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("WITH spans (n, begins, ends) AS (");
    query.push_values(spans.iter().zip(0_i64..), |mut row, ((begins, ends), n)| {
        row.push_bind(n).push_bind(begins.0).push_bind(ends.0);
    });
    query.push(
        ") SELECT n, c.state, COUNT(*) AS charges, SUM(c.price) AS price FROM spans CROSS JOIN charges c INDEXED BY charges_by_state \
         WHERE c.state IN ('pending', 'seen', 'confirmed', 'timedout', 'failed') AND c.created_at >= begins \
         AND c.created_at < ends AND c.merchant = ",
    );
    query.push_bind(merchant).push(" GROUP BY n, c.state");
    query
}

#[cfg(test)]
mod tests {
    use bitpro_charge::{MerchantId, State, Txid};
    use sqlx::{Connection as _, Executor as _};

    use super::*;

    async fn plan(query: &QueryBuilder<Sqlite>) -> String {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        for migration in [
            include_str!("../../migrations/sqlite/0001_foundation.sql"),
            include_str!("../../migrations/sqlite/0002_keys.sql"),
            include_str!("../../migrations/sqlite/0003_webhooks.sql"),
            include_str!("../../migrations/sqlite/0006_charge_search.sql"),
            include_str!("../../migrations/sqlite/0010_payments_apart.sql"),
            include_str!("../../migrations/sqlite/0015_created_with.sql"),
        ] {
            connection.execute(migration).await.unwrap();
        }
        let explained = format!("EXPLAIN QUERY PLAN {}", query.sql().as_str());
        let rows = connection.fetch_all(sqlx::AssertSqlSafe(explained)).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        lines.join("\n")
    }

    #[tokio::test]
    async fn figures_look_at_no_charge_outside_their_spans() {
        let span = (Timestamp(1), Timestamp(2));
        let plan = plan(&counted(1, &[span, span])).await;
        let index = "c USING INDEX charges_by_state (merchant=? AND state=? AND created_at>? AND created_at<?)";
        assert!(plan.contains(index), "{plan}");
    }

    #[tokio::test]
    async fn no_search_goes_through_a_table() {
        let all = Search {
            merchant: MerchantId([1; 16]),
            needle: None,
            state: None,
            from: None,
            to: None,
        };
        let state = Search {
            state: Some(State::Failed),
            ..all.clone()
        };
        let since = Search {
            from: Some(Timestamp(5)),
            to: Some(Timestamp(9)),
            ..all.clone()
        };
        let needle = Needle {
            order_id: "A-".to_owned(),
            txid: Some(Txid([1; 32])),
            script: Some(vec![1]),
            email: Some("a@b.example".to_owned()),
            charge: None,
        };
        let needle = Search {
            needle: Some(needle),
            ..state.clone()
        };
        let place = Some(Place {
            created_at: Timestamp(1),
            num: 1,
        });
        for (search, is_common, index) in [
            (&all, false, "c USING INDEX charges_by_time (merchant=?"),
            (
                &since,
                false,
                "c USING INDEX charges_by_time (merchant=? AND created_at>? AND created_at<?)",
            ),
            (&state, false, "c USING INDEX charges_by_state (merchant=? AND state=?"),
            (&needle, false, "c USING INTEGER PRIMARY KEY (rowid=?)"),
            (&needle, true, "c USING INDEX charges_by_state (merchant=? AND state=?"),
        ] {
            for place in [None, place] {
                let plan = plan(&wanted(search, 1, is_common, place, 25)).await;
                assert!(plan.contains(index), "{index}:\n{plan}");
                assert!(!plan.contains("SCAN"), "{plan}");
                if !is_common && search.needle.is_some() {
                    for index in ["charges_by_order", "personal_by_email", "payments USING PRIMARY KEY"] {
                        assert!(plan.contains(index), "{index}:\n{plan}");
                    }
                }
            }
        }
    }
}
