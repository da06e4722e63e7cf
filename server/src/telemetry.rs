//! The log and the metrics of the process.

use std::io::IsTerminal as _;
use std::panic;

use bitpro_config::LogFormat;
use bitpro_rates::Exchange;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Starts the log, to standard error. A second start in one process changes nothing.
///
/// # Panics
/// When `directives` are none; the configuration has checked them.
pub fn start_log(directives: &str, format: LogFormat) {
    let filter = EnvFilter::try_new(of_our_own(directives)).expect("the configuration checks the directives");
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_writer(std::io::stderr);
    // An error means that a log was started before, which then goes on.
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    panic::set_hook(Box::new(|told| tracing::error!("panic: {told}")));
}

/// A bare level is meant for us: the libraries below would tell of every byte, and some of secrets.
fn of_our_own(directives: &str) -> String {
    match directives.trim().parse::<LevelFilter>() {
        Ok(level) if level > LevelFilter::WARN => format!("warn,bitpro={level}"),
        _ => directives.to_owned(),
    }
}

/// Starts to collect metrics.
///
/// # Errors
/// When they are collected already.
pub fn start_metrics() -> Result<PrometheusHandle, BuildError> {
    // From an answer out of memory to one that waited for the disk of a busy machine.
    let seconds = [
        0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0,
    ];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &seconds)?
        .install_recorder()?;
    describe();
    begin_at_zero();
    Ok(handle)
}

const EXCHANGES: [&str; Exchange::ALL.len()] = {
    let mut names = [""; Exchange::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = Exchange::ALL[at].name();
        at += 1;
    }
    names
};

/// Counters that an operator waits for, with the label that tells them apart and its values, if they have one.
const COUNTERS: &[(&str, &str, &[&str])] = &[
    ("bitpro_audit_lines_forgotten_total", "", &[""]),
    ("bitpro_forged_wallets_total", "", &[""]),
    ("bitpro_large_views_total", "", &[""]),
    ("bitpro_mails_total", "outcome", &["sent", "failed", "given_up"]),
    ("bitpro_rate_source_failures_total", "source", &EXCHANGES),
    ("bitpro_reconcile_runs_total", "outcome", &["complete", "incomplete"]),
    ("bitpro_summed_outputs_total", "", &[""]),
    ("bitpro_watcher_failures_total", "", &[""]),
    (
        "bitpro_webhook_attempts_total",
        "outcome",
        &["delivered", "refused", "unreachable"],
    ),
    ("bitpro_zmq_gaps_total", "topic", &["rawtx", "sequence"]),
    ("bitpro_zmq_reconnects_total", "topic", &["rawtx", "sequence"]),
];

/// Has them in the metrics from the start: a first count that comes out of nothing is no rise, and no alert sees it.
fn begin_at_zero() {
    for &(name, label, values) in COUNTERS {
        for &value in values {
            let labels = (!label.is_empty()).then(|| metrics::Label::new(label, value));
            metrics::counter!(name, labels.into_iter().collect::<Vec<_>>()).increment(0);
        }
    }
    metrics::gauge!("bitpro_reconcile_differences").set(0);
}

fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_gauge!("bitpro_charges", "Charges by state.");
    describe_gauge!("bitpro_streams_open", "Open live streams.");
    describe_gauge!("bitpro_connections_open", "Open connections.");
    describe_gauge!("bitpro_tip_height", "Height of the tip that the charges are based on.");
    describe_gauge!("bitpro_node_height", "Height of the tip of the node.");
    describe_gauge!(
        "bitpro_node_ready",
        "1 when the watcher is in step with the node and nothing is held."
    );
    describe_gauge!(
        "bitpro_watcher_blocks_behind",
        "Blocks that the node has and the watcher has not read yet."
    );
    describe_gauge!(
        "bitpro_watcher_lag_seconds",
        "Age of the last full reading of chain and mempool."
    );
    describe_counter!(
        "bitpro_forged_wallets_total",
        "Wallet changes that were not written by this server, and were cancelled."
    );
    describe_counter!(
        "bitpro_zmq_gaps_total",
        "Gaps in the node's notifications, each followed by a full reading."
    );
    describe_gauge!(
        "bitpro_rate_sources",
        "Exchanges in the rate; 0: there is no rate, and no charge can be created."
    );
    describe_gauge!(
        "bitpro_rate_age_seconds",
        "Age of the oldest price in the rate, by the exchange's own time."
    );
    describe_gauge!(
        "bitpro_rate_source_spread_bps",
        "How far the highest price in the rate is above the lowest, in hundredths of a percent."
    );
    describe_gauge!("bitpro_rate_cents_per_btc", "The rate.");
    describe_counter!(
        "bitpro_rate_source_failures_total",
        "Answers without a price, by exchange."
    );
    describe_gauge!("bitpro_webhook_deliveries_pending", "Pending webhook deliveries.");
    describe_gauge!("bitpro_webhook_attempts_open", "Attempts in progress.");
    describe_gauge!(
        "bitpro_webhooks_paused",
        "Webhooks that are paused because the receiver answered 410 Gone."
    );
    describe_counter!(
        "bitpro_webhook_attempts_total",
        "Attempts to deliver a webhook, by outcome."
    );
    describe_histogram!(
        "bitpro_webhook_attempt_seconds",
        "Time until the answer to first attempts."
    );
    describe_counter!(
        "bitpro_limits_refused_total",
        "Refusals because a limit was reached, by limit."
    );
    describe_counter!(
        "bitpro_limits_forgotten_total",
        "Entries of a limit's memory that were dropped early because it was full, by limit."
    );
    describe_counter!(
        "bitpro_audit_lines_forgotten_total",
        "Lines of merchants' audit logs that were deleted because a log was full."
    );
    describe_gauge!(
        "bitpro_reconcile_differences",
        "Differences that the last reconciliation left."
    );
    describe_gauge!(
        "bitpro_reconcile_last_run_timestamp_seconds",
        "When the last reconciliation ended, in Unix seconds."
    );
    describe_counter!(
        "bitpro_reconcile_runs_total",
        "Reconciliations by outcome: complete, or incomplete because chain and mempool could not be read."
    );
    describe_histogram!("bitpro_http_request_seconds", "Time to answer, by route and status.");
}

#[cfg(test)]
mod page;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_waits_for_is_zero_at_the_start() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let shown = recorder.handle();
        metrics::with_local_recorder(&recorder, begin_at_zero);
        let shown = shown.render();
        for line in [
            "bitpro_forged_wallets_total 0",
            "bitpro_watcher_failures_total 0",
            "bitpro_mails_total{outcome=\"given_up\"} 0",
            "bitpro_rate_source_failures_total{source=\"kraken\"} 0",
            "bitpro_zmq_gaps_total{topic=\"sequence\"} 0",
            "bitpro_reconcile_differences 0",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line} is not among {shown}");
        }
    }

    #[test]
    fn a_bare_level_is_that_of_all_our_crates_and_of_no_library() {
        let log = tracing_subscriber::fmt()
            .with_env_filter(of_our_own("info"))
            .with_writer(std::io::sink)
            .finish();
        tracing::subscriber::with_default(log, || {
            assert!(tracing::enabled!(target: "bitpro_server::lifecycle", tracing::Level::INFO));
            assert!(tracing::enabled!(target: "bitpro_node::watcher", tracing::Level::INFO));
            assert!(!tracing::enabled!(target: "bitpro_node::watcher", tracing::Level::DEBUG));
            assert!(!tracing::enabled!(target: "hyper::proto", tracing::Level::INFO));
            assert!(tracing::enabled!(target: "hyper::proto", tracing::Level::WARN));
        });
    }

    #[test]
    fn a_bare_level_does_not_make_the_libraries_talk() {
        assert_eq!(of_our_own("debug"), "warn,bitpro=debug");
        assert_eq!(of_our_own("error"), "error");
        assert_eq!(of_our_own("info,ureq=trace"), "info,ureq=trace");
    }
}
