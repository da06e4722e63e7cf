//! The simulation as a program: histories from seeds, for as long as it is told, and a failing one as one line that runs it again.

#![expect(
    clippy::float_arithmetic,
    reason = "figures are rates of histories; no money is among them"
)]

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use bitpro_tests::sim::campaign::{Report, campaign, plot_of, run, shrunk};
use bitpro_tests::sim::coverage::RULES;
use bitpro_tests::sim::{Broken, Seed};
use clap::Parser;

/// Runs simulated histories of charges against a model that is not the code.
#[derive(Parser)]
#[command(name = "cargo xtask simulate")]
struct Options {
    /// Run this one history again, as it was printed: s3:4711, or a part of it, s3:4711:3,17-20.
    #[arg(long, value_name = "SEED")]
    seed: Option<Seed>,
    /// How long to run, in seconds.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
    /// The first history; each following one has the next number. Without it, one that the time gives.
    #[arg(long, value_name = "NUMBER")]
    first: Option<u64>,
    /// How many histories run at the same time.
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
    /// Go on until so many different things are broken.
    #[arg(long, value_name = "N", default_value_t = 1)]
    findings: usize,
    /// Print a failing history as it is, without looking for the smallest part of it.
    #[arg(long)]
    whole: bool,
    /// Tell every step of the one history.
    #[arg(long)]
    tell: bool,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    // What breaks is told below, in one line.
    std::panic::set_hook(Box::new(|_| {}));
    let mut out = std::io::stdout().lock();
    if let Some(seed) = &options.seed {
        if options.tell {
            for (number, step) in plot_of(seed).steps.iter().enumerate() {
                writeln!(out, "{number:>4} {:>9} s  {:?}", step.at, step.act)?;
            }
        }
        let outcome = run(seed);
        return match outcome.broken {
            None => {
                writeln!(out, "{seed}: {} charges, nothing broken", outcome.charges)?;
                Ok(ExitCode::SUCCESS)
            }
            Some(broken) => {
                tell(&mut out, seed, &broken)?;
                Ok(ExitCode::FAILURE)
            }
        };
    }
    let begun = now();
    let limit = Duration::from_secs(options.seconds);
    let first = options.first.unwrap_or_else(number_of_now);
    let report = campaign(first, options.threads.max(1), options.findings.max(1), &|| {
        begun.elapsed() < limit
    });
    print(&mut out, &report, begun.elapsed(), first)?;
    for (seed, broken) in &report.found {
        let seed = if options.whole {
            seed.clone()
        } else {
            shrunk(seed, broken)
        };
        let broken = run(&seed).broken.unwrap_or_else(|| broken.clone());
        for step in &plot_of(&seed).steps {
            writeln!(out, "  {:>9} s  {:?}", step.at, step.act)?;
        }
        tell(&mut out, &seed, &broken)?;
    }
    Ok(if report.found.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tell(out: &mut impl std::io::Write, seed: &Seed, broken: &Broken) -> Result<()> {
    writeln!(out, "BROKEN: {}: {}", broken.what, broken.how)?;
    writeln!(out, "again: cargo xtask simulate --seed {seed}")?;
    Ok(())
}

fn print(out: &mut impl std::io::Write, report: &Report, took: Duration, first: u64) -> Result<()> {
    for (what, count) in &report.tally {
        if !RULES.iter().any(|(rule, _)| rule == what) {
            writeln!(out, "{count:>10}  {what}")?;
        }
    }
    writeln!(out, "How often each rule decided something:")?;
    for (rule, what) in RULES {
        let count = report.tally.get(rule).copied().unwrap_or(0);
        writeln!(out, "{count:>10}  {rule:<3} {what}")?;
    }
    let charges = f64::from(u32::try_from(report.charges).unwrap_or(u32::MAX));
    let an_hour = |took: Duration| charges / took.as_secs_f64() * 3_600.0;
    writeln!(
        out,
        "{} histories from {first} on with {} charges in {:.0} s: {:.0} charges an hour on this machine as busy as it is",
        report.histories,
        report.charges,
        took.as_secs_f64(),
        an_hour(took)
    )?;
    if let Some(cpu) = cpu_time() {
        writeln!(
            out,
            "{:.0} s of a processor, {:.2} ms for each charge: {:.0} charges an hour on two processors that do nothing else",
            cpu.as_secs_f64(),
            cpu.as_secs_f64() * 1_000.0 / charges.max(1.0),
            2.0 * an_hour(cpu)
        )?;
    }
    Ok(())
}

/// What this process took of the processors so far, all its threads together, where the machine says so.
fn cpu_time() -> Option<Duration> {
    // Hundredths of a second on every Linux, whatever the kernel counts in itself.
    const HUNDREDTH: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name before may hold anything, also spaces and brackets.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let user: u32 = times.next()?.parse().ok()?;
    let kernel: u32 = times.next()?.parse().ok()?;
    Some(HUNDREDTH * (user + kernel))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program that runs for so long must look at the clock"
)]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "another first history at each run")]
fn number_of_now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() << 16)
}
