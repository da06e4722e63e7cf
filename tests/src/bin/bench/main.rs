//! The figures: page and server measured in one run, each beside a baseline of the same run, against what they have to reach.
//!
//! Standard output is one table; progress goes to standard error. No figure fails the run, only a measurement that could not be
//! made: machines differ, and a figure is for people to judge.

#![expect(
    clippy::float_arithmetic,
    reason = "figures are times and rates; no money is among them"
)]

mod chain;
mod crowd;
mod figures;
mod http;
mod machine;
mod peer;
mod probe;
mod report;
mod row;
mod samples;
mod sink;
mod stage;
mod stopwatch;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};

use figures::{STATIONS, Station};
use machine::Machine;
use report::{Failure, Report};
use stopwatch::{now, since};

/// No station may take longer: the whole run is for a coffee, not for a night.
const PATIENCE: Duration = Duration::from_secs(300);

/// Measures the figures.
#[derive(Parser)]
#[command(name = "cargo xtask bench", args_conflicts_with_subcommands = true)]
struct Options {
    /// Measure only this figure, or this station of figures; may be repeated. `--list` names them.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Write the figures to this file as JSON, too.
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// Name the stations and their figures, and measure nothing.
    #[arg(long)]
    list: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// What figures stand beside; this program starts it itself.
    #[command(hide = true)]
    Peer { kind: peer::Kind, port: u16 },
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if let Some(Role::Peer { kind, port }) = options.role {
        peer::serve(kind, port).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::stdout().lock();
    if options.list {
        for station in &STATIONS {
            writeln!(out, "{}: {}", station.name, station.rows.join(", "))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = wanted(&options.only)?;
    let report = measured(&wanted, &options.only).await?;
    write!(out, "{}", report.table())?;
    out.flush()?;
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if report.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn wanted(only: &[String]) -> Result<Vec<&'static Station>> {
    for name in only {
        let known = |station: &Station| station.name == name || station.rows.contains(&name.as_str());
        if !STATIONS.iter().any(known) {
            bail!("there is no figure called {name}; --list names them");
        }
    }
    Ok(STATIONS.iter().filter(|station| station.is_wanted(only)).collect())
}

async fn measured(stations: &[&'static Station], only: &[String]) -> Result<Report> {
    let started = now();
    let mut report = Report {
        machine: Machine::look().await?,
        rows: Vec::new(),
        failures: Vec::new(),
        seconds: 0.0,
    };
    for station in stations {
        let begun = now();
        let result = match tokio::time::timeout(PATIENCE, (station.measure)()).await {
            Ok(result) => result,
            Err(_) => Err(anyhow::anyhow!("it took longer than {PATIENCE:?}")),
        };
        match result {
            Ok(rows) => report
                .rows
                .extend(rows.into_iter().filter(|row| station.wants(row, only))),
            Err(error) => report.failures.push(Failure {
                station: station.name,
                because: format!("{error:#}"),
            }),
        }
        say(&format!("{} took {:.0} s", station.name, since(begun) / 1_000.0));
    }
    report.seconds = since(started) / 1_000.0;
    Ok(report)
}

fn say(line: &str) {
    eprintln!("[bench] {line}");
}
