//! The figures: page and server measured in one run, each beside a baseline of the same run, against what they have to reach.
//!
//! Standard output is one table; progress goes to standard error. No figure fails the run, only a measurement that could not be
//! made: machines differ, and a figure is for people to judge.

#![expect(
    clippy::float_arithmetic,
    reason = "figures are times and rates; no money is among them"
)]

mod attack;
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

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};

use figures::{Conditions, STATIONS, Station};
use machine::Machine;
use report::{Failure, Report};
use stopwatch::{now, since};

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
    /// How long each door is besieged, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    siege_seconds: u64,
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
    /// The strangers of a siege; this program starts them itself.
    #[command(hide = true)]
    Attack { plan: PathBuf },
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let options = Options::parse();
    match options.role {
        Some(Role::Peer { kind, port }) => {
            peer::serve(kind, port).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Role::Attack { plan }) => {
            attack::carry_out(&plan).await?;
            return Ok(ExitCode::SUCCESS);
        }
        None => {}
    }
    let mut out = std::io::stdout().lock();
    if options.list {
        for station in &STATIONS {
            writeln!(out, "{}: {}", station.name, station.rows.join(", "))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = wanted(&options.only)?;
    let conditions = Conditions {
        only: options.only,
        siege_seconds: options.siege_seconds,
    };
    let report = measured(&wanted, &conditions).await?;
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

async fn measured(stations: &[&'static Station], conditions: &Conditions) -> Result<Report> {
    let started = now();
    let mut report = Report {
        machine: Machine::look().await?,
        rows: Vec::new(),
        failures: Vec::new(),
        seconds: 0.0,
    };
    for station in stations {
        let begun = now();
        let result = match tokio::time::timeout(station.patience, (station.measure)(conditions.clone())).await {
            Ok(result) => result,
            Err(_) => Err(anyhow::anyhow!("it took longer than {:?}", station.patience)),
        };
        match result {
            Ok(rows) => report
                .rows
                .extend(rows.into_iter().filter(|row| conditions.wants(station.name, row.name))),
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
