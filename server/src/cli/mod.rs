//! The command line. It shows what it was asked for on standard output, everything else on standard error.

mod account;
mod arguments;
mod backup;
mod check;
mod clock;
mod generate;
mod init;
mod keys;
mod link;
mod print;
mod rate;
mod reconcile;
mod remote;
mod webhook;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use bitpro_base::clock::SystemClock;
use bitpro_config::{Config, ConfigErrors, file_to_read};
use bitpro_operator::admin::{Command, Kind};
use clap::Parser as _;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::lifecycle::{self, ServeError};
use crate::telemetry;
use arguments::{Arguments, ChargeAction, Do, MailAction, MerchantAction};

/// What a shell gets: 0 done, 1 not done, 2 wrong arguments, configuration or value, 3 no such merchant or charge,
/// 4 the charge is not what was thought.
const FAILED: u8 = 1;
const INVALID: u8 = 2;
const UNKNOWN: u8 = 3;
const CONFLICT: u8 = 4;

/// Does what the command line says.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.action {
        Do::Serve => serve(arguments.config.as_deref()),
        Do::Init(wanted) => init::run(arguments.config.as_deref(), wanted),
        Do::Check { only, json } => check(arguments.config.as_deref(), only, json),
        Do::Rate { probe, json } => rate(arguments.config.as_deref(), probe, json),
        Do::Merchant {
            action: MerchantAction::Settings,
        } => {
            print::settings();
            ExitCode::SUCCESS
        }
        Do::Merchant { action } => match arguments::merchant_command(action) {
            Ok((command, json)) => carry_out(arguments.config, &command, json),
            Err(text) => fail(INVALID, &text),
        },
        Do::Link { action } => match link::work(action) {
            (link::Work::Command(command), json) => carry_out(arguments.config, &Command::Link(command), json),
            (link::Work::Offline(offline), json) => match link::sign(&offline) {
                Ok((value, server)) => {
                    print::link::signed(&value, &server, json);
                    ExitCode::SUCCESS
                }
                Err(text) => fail(INVALID, &text),
            },
        },
        Do::Account { action } => {
            let (command, json) = action.into_command();
            carry_out(arguments.config, &command, json)
        }
        Do::Key { action } => {
            let (command, json) = action.into_command();
            carry_out(arguments.config, &command, json)
        }
        Do::Mail {
            action: MailAction::Test { address, json },
        } => carry_out(arguments.config, &Command::TestMail { to: address }, json),
        Do::Reconcile { from, fix, json } => reconcile::run(arguments.config, from, fix, json),
        Do::Clock { action } => {
            let (command, json) = action.into_command();
            carry_out(arguments.config, &command, json)
        }
        Do::Backup(wanted) => backup::backup(arguments.config.as_deref(), &wanted),
        Do::Restore(wanted) => backup::restore(arguments.config.as_deref(), &wanted),
        Do::Rekey { json } => carry_out(arguments.config, &Command::Rekey, json),
        Do::Webhook { action } => {
            let (command, json) = webhook::command(action);
            carry_out(arguments.config, &Command::Webhook(command), json)
        }
        Do::Generate { action } => match generate::generate(action) {
            Ok(()) => ExitCode::SUCCESS,
            Err(text) => fail(FAILED, &text),
        },
        Do::Charge { action } => {
            let (command, json) = charge_command(action);
            carry_out(arguments.config, &command, json)
        }
    }
}

fn charge_command(action: ChargeAction) -> (Command, bool) {
    arguments::charge_command(action)
}

fn serve(file: Option<&Path>) -> ExitCode {
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(errors) => return fail(INVALID, &errors.to_string()),
    };
    telemetry::start_log(&config.log, config.log_format);
    let metrics = match telemetry::start_metrics() {
        Ok(metrics) => metrics,
        Err(error) => return fail(FAILED, &format!("cannot collect metrics: {error}")),
    };
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(FAILED, &format!("cannot start threads: {error}")),
    };
    let served = runtime.block_on(async {
        let closing = CancellationToken::new();
        tokio::spawn(close_on_signal(closing.clone()));
        tokio::spawn(keep_metrics_small(metrics.clone()));
        lifecycle::serve(config, Some(metrics), closing).await
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        // What the configuration got wrong does not become right by itself: systemd does not try again then.
        Err(error @ ServeError::WrongNetwork(_)) => fail(INVALID, &error.to_string()),
        Err(error) => fail(FAILED, &error.to_string()),
    }
}

/// The first signal closes in order; a second one ends the process at once.
async fn close_on_signal(closing: CancellationToken) {
    for first in [true, false] {
        let signal = next_signal().await;
        if first {
            tracing::info!(signal, "closing");
            closing.cancel();
        } else {
            tracing::warn!(signal, "exiting at once");
            std::process::exit(i32::from(FAILED));
        }
    }
}

async fn next_signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        },
        _ => {
            tracing::error!("cannot listen for signals: only a kill will end this process");
            std::future::pending().await
        }
    }
}

/// Latencies pile up until somebody reads them, or this does.
async fn keep_metrics_small(metrics: metrics_exporter_prometheus::PrometheusHandle) {
    let mut every = tokio::time::interval(std::time::Duration::from_secs(5));
    loop {
        every.tick().await;
        metrics.run_upkeep();
    }
}

fn check(file: Option<&Path>, only: check::Part, json: bool) -> ExitCode {
    let Some(runtime) = small_runtime() else {
        return fail(FAILED, "cannot start threads");
    };
    let lines = runtime.block_on(check::lines(Config::load(file), file_to_read(file).as_deref(), only));
    let fine = print::check(&lines, json);
    if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    }
}

fn rate(file: Option<&Path>, probe: bool, json: bool) -> ExitCode {
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(errors) => return fail(INVALID, &errors.to_string()),
    };
    let Some(runtime) = small_runtime() else {
        return fail(FAILED, "cannot start threads");
    };
    let clock = Arc::new(SystemClock::default());
    match runtime.block_on(rate::report(&config, probe, clock)) {
        Ok(report) => {
            print::rate(&report, probe, json);
            if report.is_fine() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(FAILED)
            }
        }
        Err(error) => fail(FAILED, &error.to_string()),
    }
}

fn carry_out(file: Option<PathBuf>, command: &Command, json: bool) -> ExitCode {
    match reply_to(file, command, json) {
        Ok(_) => ExitCode::SUCCESS,
        Err(code) => code,
    }
}

/// What a command gave, once it is printed; or the exit code, once it is said why there is nothing.
fn reply_to(file: Option<PathBuf>, command: &Command, json: bool) -> Result<Value, ExitCode> {
    let (config, runtime) = prepared(file.as_deref())?;
    let (reply, by_server) = runtime.block_on(remote::carry_out_somewhere(&config, command));
    match reply {
        Ok(value) => {
            print::reply(command, &value, &config, by_server, json);
            Ok(value)
        }
        Err(failure) => Err(fail(code_of(failure.kind), &failure.message)),
    }
}

/// What a shell gets for a failure.
const fn code_of(kind: Kind) -> u8 {
    match kind {
        Kind::Invalid => INVALID,
        Kind::Unknown => UNKNOWN,
        Kind::Conflict => CONFLICT,
        Kind::Unavailable => FAILED,
    }
}

/// What a command works with: the configuration, a log of what is wrong, and a thread. Or the exit code, once it is said what is missing.
fn prepared(file: Option<&Path>) -> Result<(Config, Runtime), ExitCode> {
    prepared_for(Config::load(file))
}

fn prepared_for(config: Result<Config, ConfigErrors>) -> Result<(Config, Runtime), ExitCode> {
    let config = config.map_err(|errors| fail(INVALID, &errors.to_string()))?;
    // What the store says while it is opened beside the server is of interest only when it is wrong.
    telemetry::start_log("warn", config.log_format);
    let runtime = small_runtime().ok_or_else(|| fail(FAILED, "cannot start threads"))?;
    Ok((config, runtime))
}

fn small_runtime() -> Option<Runtime> {
    Builder::new_current_thread().enable_all().build().ok()
}

fn fail(code: u8, text: &str) -> ExitCode {
    for line in text.lines() {
        print::error(line);
    }
    ExitCode::from(code)
}
