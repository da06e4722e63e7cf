//! The figures, in stations: each starts what it needs, measures, and ends it.

mod api;
mod api_create;
mod block;
mod browser;
mod catch_up;
mod create;
mod litestream;
mod siege;
mod socket;
mod start;
mod status;
mod storm;
mod streams;
mod webhooks;
mod weight;
mod zmq_gone;

use std::time::Duration;

use anyhow::Result;
use futures::future::BoxFuture;

use crate::row::Row;

/// A set of figures that are measured on one stage.
pub struct Station {
    /// Its name; `--only` takes it.
    pub name: &'static str,
    /// The names of its rows.
    pub rows: &'static [&'static str],
    /// It may take no longer.
    pub patience: Duration,
    /// Measures them.
    pub measure: fn(Conditions) -> BoxFuture<'static, Result<Vec<Row>>>,
}

/// What whoever asks for figures wants of them.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// Only these figures or stations; all where there are none.
    pub only: Vec<String>,
    /// How long each door is besieged.
    pub siege_seconds: u64,
}

impl Conditions {
    /// Whether a row of a station is wanted.
    pub fn wants(&self, station: &str, row: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == station || name == row)
    }
}

/// The whole run is for a coffee, not for a night.
const PATIENCE: Duration = Duration::from_secs(300);
/// A siege is for a second one.
const SIEGE_PATIENCE: Duration = Duration::from_secs(3_600);

/// All stations, in the order of the table.
pub const STATIONS: [Station; 16] = [
    Station {
        name: "weight",
        rows: &weight::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(weight::measure()),
    },
    Station {
        name: "browser",
        rows: &browser::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(browser::measure()),
    },
    Station {
        name: "socket",
        rows: &socket::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(socket::measure()),
    },
    Station {
        name: "block",
        rows: &block::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(block::measure()),
    },
    Station {
        name: "zmq",
        rows: &zmq_gone::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(zmq_gone::measure()),
    },
    Station {
        name: "catch-up",
        rows: &catch_up::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(catch_up::measure()),
    },
    Station {
        name: "create",
        rows: &create::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(create::measure()),
    },
    Station {
        name: "litestream",
        rows: &litestream::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(litestream::measure()),
    },
    Station {
        name: "status",
        rows: &status::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(status::measure()),
    },
    Station {
        name: "api",
        rows: &api::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(api::measure()),
    },
    Station {
        name: "streams",
        rows: &streams::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(streams::measure()),
    },
    Station {
        name: "start",
        rows: &start::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(start::measure()),
    },
    Station {
        name: "api-create",
        rows: &api_create::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(api_create::measure()),
    },
    Station {
        name: "webhooks",
        rows: &webhooks::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(webhooks::measure()),
    },
    Station {
        name: "storm",
        rows: &storm::ROWS,
        patience: PATIENCE,
        measure: |_| Box::pin(storm::measure()),
    },
    Station {
        name: "siege",
        rows: &siege::ROWS,
        patience: SIEGE_PATIENCE,
        measure: |conditions| Box::pin(siege::measure(conditions)),
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
}
