//! Statements over many rows: written once for a few widths, so that SQLite prepares each only once.

use std::sync::{Arc, OnceLock};

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type};

/// Rows per statement, widest first. The widest stays below SQLite's 32,766 parameters with 16 columns a row.
const WIDTHS: [usize; 5] = [512, 128, 32, 8, 1];

/// A statement whose middle repeats once for each row.
pub(super) struct Bulk {
    head: &'static str,
    row: &'static str,
    tail: &'static str,
    texts: [OnceLock<Arc<str>>; WIDTHS.len()],
}

impl Bulk {
    /// `head`, then `row` as often as there are rows, with commas between, then `tail`.
    pub(super) const fn new(head: &'static str, row: &'static str, tail: &'static str) -> Self {
        Self {
            head,
            row,
            tail,
            texts: [const { OnceLock::new() }; WIDTHS.len()],
        }
    }

    fn text(&self, width: usize) -> Arc<str> {
        let text = || {
            let rows = vec![self.row; WIDTHS[width]].join(",");
            Arc::from(format!("{}{rows}{}", self.head, self.tail))
        };
        Arc::clone(self.texts[width].get_or_init(text))
    }

    /// Runs the statement over `rows`; `bind` adds one row's values in the order of its placeholders. How many rows were
    /// changed.
    pub(super) async fn execute<T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(&mut Values, &T),
    ) -> Result<u64, sqlx::Error> {
        let mut changed = 0;
        let mut rest = rows;
        for (width, &size) in WIDTHS.iter().enumerate() {
            while rest.len() >= size {
                let (chunk, after) = rest.split_at(size);
                let mut values = Values::default();
                for row in chunk {
                    bind(&mut values, row);
                }
                #[cfg(any(test, feature = "testing"))]
                counted::one();
                let done = sqlx::query_with(AssertSqlSafe(self.text(width)), values.0)
                    .execute(&mut *connection)
                    .await?;
                changed += done.rows_affected();
                rest = after;
            }
        }
        Ok(changed)
    }

    /// Reads what the statement finds for `keys`, one value a row. The last chunk is filled up with its last key, which an
    /// `IN` does not mind.
    pub(super) async fn fetch<T>(
        &self,
        connection: &mut SqliteConnection,
        keys: &[T],
        bind: impl Fn(&mut Values, &T),
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut found = Vec::new();
        let mut rest = keys;
        while let Some(last) = rest.last() {
            let fitting = WIDTHS.iter().rposition(|&size| size >= rest.len()).unwrap_or(0);
            let (chunk, after) = rest.split_at(rest.len().min(WIDTHS[fitting]));
            let mut values = Values::default();
            for key in chunk
                .iter()
                .chain(std::iter::repeat_n(last, WIDTHS[fitting] - chunk.len()))
            {
                bind(&mut values, key);
            }
            #[cfg(any(test, feature = "testing"))]
            counted::one();
            let rows = sqlx::query_with(AssertSqlSafe(self.text(fitting)), values.0)
                .fetch_all(&mut *connection)
                .await?;
            found.extend(rows);
            rest = after;
        }
        Ok(found)
    }
}

/// How many statements over rows were run, where a clock would tell of the machine.
#[cfg(any(test, feature = "testing"))]
pub(crate) mod counted {
    use std::cell::Cell;

    thread_local! {
        static STATEMENTS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn one() {
        STATEMENTS.set(STATEMENTS.get() + 1);
    }

    /// So many were run on this thread since the last time.
    pub(crate) fn taken() -> usize {
        STATEMENTS.take()
    }
}

/// Values for a statement's placeholders, in their order.
#[derive(Default)]
pub(super) struct Values(SqliteArguments);

impl Values {
    /// Adds a value.
    pub(super) fn add<'v, T: Encode<'v, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        self.0.add(value).expect("numbers, texts and bytes always encode");
        self
    }
}
