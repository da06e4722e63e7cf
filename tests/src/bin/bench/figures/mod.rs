//! The figures, in stations: each starts what it needs, measures, and ends it.

mod api;
mod api_create;
mod block;
mod browser;
mod catch_up;
mod create;
mod litestream;
mod socket;
mod start;
mod status;
mod storm;
mod streams;
mod webhooks;
mod weight;
mod zmq_gone;

use anyhow::Result;
use futures::future::BoxFuture;

use crate::row::Row;

/// A set of figures that are measured on one stage.
pub struct Station {
    /// Its name; `--only` takes it.
    pub name: &'static str,
    /// The names of its rows.
    pub rows: &'static [&'static str],
    /// Measures them.
    pub measure: fn() -> BoxFuture<'static, Result<Vec<Row>>>,
}

/// All stations, in the order of the table.
pub const STATIONS: [Station; 15] = [
    Station {
        name: "weight",
        rows: &weight::ROWS,
        measure: || Box::pin(weight::measure()),
    },
    Station {
        name: "browser",
        rows: &browser::ROWS,
        measure: || Box::pin(browser::measure()),
    },
    Station {
        name: "socket",
        rows: &socket::ROWS,
        measure: || Box::pin(socket::measure()),
    },
    Station {
        name: "block",
        rows: &block::ROWS,
        measure: || Box::pin(block::measure()),
    },
    Station {
        name: "zmq",
        rows: &zmq_gone::ROWS,
        measure: || Box::pin(zmq_gone::measure()),
    },
    Station {
        name: "catch-up",
        rows: &catch_up::ROWS,
        measure: || Box::pin(catch_up::measure()),
    },
    Station {
        name: "create",
        rows: &create::ROWS,
        measure: || Box::pin(create::measure()),
    },
    Station {
        name: "litestream",
        rows: &litestream::ROWS,
        measure: || Box::pin(litestream::measure()),
    },
    Station {
        name: "status",
        rows: &status::ROWS,
        measure: || Box::pin(status::measure()),
    },
    Station {
        name: "api",
        rows: &api::ROWS,
        measure: || Box::pin(api::measure()),
    },
    Station {
        name: "streams",
        rows: &streams::ROWS,
        measure: || Box::pin(streams::measure()),
    },
    Station {
        name: "start",
        rows: &start::ROWS,
        measure: || Box::pin(start::measure()),
    },
    Station {
        name: "api-create",
        rows: &api_create::ROWS,
        measure: || Box::pin(api_create::measure()),
    },
    Station {
        name: "webhooks",
        rows: &webhooks::ROWS,
        measure: || Box::pin(webhooks::measure()),
    },
    Station {
        name: "storm",
        rows: &storm::ROWS,
        measure: || Box::pin(storm::measure()),
    },
];

impl Station {
    /// Whether `--only` names it or one of its rows.
    pub fn is_wanted(&self, only: &[String]) -> bool {
        only.is_empty()
            || only
                .iter()
                .any(|name| name == self.name || self.rows.contains(&name.as_str()))
    }

    /// Whether `--only` wants this row of it.
    pub fn wants(&self, row: &Row, only: &[String]) -> bool {
        only.is_empty() || only.iter().any(|name| name == self.name || name == row.name)
    }
}
