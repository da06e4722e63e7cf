//! `bitpro check`: everything that a start depends on, looked at without starting.

mod machine;
mod outside;

use std::path::Path;
use std::sync::Arc;

use bitpro_base::clock::{Clock as _, SystemClock};
use bitpro_config::{Config, ConfigErrors, MailTransport, SETTINGS};
use bitpro_node::{self as node, CheckLine, Level};
use bitpro_operator::admin::{Command, Reply};
use bitpro_service::mail::Transport;
use serde_json::Value;

use super::rate::{self, Market};
use super::remote;

pub(super) use outside::examples;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Part {
    /// Everything.
    All,
    /// The configuration and the node.
    Node,
}

/// The lines, in the order in which they should be mended; `file` is where the configuration was read from.
pub(super) async fn lines(loaded: Result<Config, ConfigErrors>, file: Option<&Path>, part: Part) -> Vec<CheckLine> {
    let config = match loaded {
        Ok(config) => config,
        Err(errors) => {
            let errors = errors
                .0
                .iter()
                .map(|error| line("configuration", Level::Failure, error.to_string()));
            return errors.collect();
        }
    };
    let count = SETTINGS.len();
    let mut lines = vec![line(
        "configuration",
        Level::Fine,
        format!("all {count} settings are valid; network {}", config.network),
    )];
    if part == Part::Node {
        lines.extend(node(&config).await);
        return lines;
    }
    let token = outside::token(&config).await;
    lines.extend(machine::lines(&config, file, token.is_some()));
    lines.extend(rate(&config).await);
    lines.push(mail(&config).await);
    lines.extend(database(&config).await);
    lines.extend(node(&config).await);
    lines.extend(outside::lines(&config, token.as_deref()).await);
    lines
}

async fn node(config: &Config) -> Vec<CheckLine> {
    let node = config.node.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let clock = SystemClock::default();
        node::probe(&node, || clock.now())
    });
    match asked.await {
        Ok(found) => found,
        Err(error) => vec![line("node", Level::Failure, error.to_string())],
    }
}

/// What the operator should know of the exchange rate, and of the clock as far as the exchanges' tells of it.
async fn rate(config: &Config) -> Vec<CheckLine> {
    if !config.rates.is_fixed {
        return match rate::ask(config, Arc::new(SystemClock::default())).await {
            Ok(market) => [Some(line_of(&market)), clock(&market)].into_iter().flatten().collect(),
            Err(error) => vec![line("rate", Level::Failure, error.to_string()).with_setting("rate_exchanges")],
        };
    }
    if config.network.is_sandbox() {
        let (euros, cents) = (
            config.rates.fixed.cents_per_btc() / 100,
            config.rates.fixed.cents_per_btc() % 100,
        );
        return vec![line("rate", Level::Fine, format!("fixed at EUR {euros}.{cents:02}"))];
    }
    let text = "a fixed rate is for test money only: with it, serve refuses to start on mainnet";
    vec![line("rate", Level::Failure, text.to_owned()).with_setting("rate_source")]
}

/// How far this machine's clock may be from those of the exchanges, in seconds. A price may be a while old; none is from the future.
const CLOCK_TOLERANCE_SECS: i64 = 30;

/// What the newest price says about our clock; nothing when no exchange has answered.
fn clock(market: &Market) -> Option<CheckLine> {
    let offers = market.lines.iter().filter_map(|line| line.said.as_ref().ok());
    let newest = offers.map(|(offer, _)| offer.at).max()?;
    let ahead = (market.now.0 - newest.0) / 1_000;
    let text = format!("the newest price is dated {ahead} s before this machine's time");
    Some(if ahead.abs() <= CLOCK_TOLERANCE_SECS {
        line("clock", Level::Fine, text)
    } else {
        line(
            "clock",
            Level::Warning,
            format!("{text}: set this machine's clock (timedatectl)"),
        )
    })
}

fn line_of(market: &Market) -> CheckLine {
    let failed = market.lines.iter().filter(|line| line.said.is_err());
    let failed: Vec<&str> = failed.map(|line| line.exchange.name()).collect();
    match &market.outcome {
        Ok(agreement) if failed.is_empty() => {
            let text = format!("EUR {} by {} exchanges", agreement.price, agreement.taken.len());
            line("rate", Level::Fine, text)
        }
        Ok(agreement) => {
            let text = format!("EUR {}, but without {}", agreement.price, failed.join(", "));
            line("rate", Level::Warning, text)
        }
        Err(doubt) => line("rate", Level::Failure, format!("{doubt}: see `bitpro rate --probe`")),
    }
}

/// Whether letters have a way out.
async fn mail(config: &Config) -> CheckLine {
    match &config.mail.transport {
        MailTransport::Files(folder) => {
            let text = format!(
                "smtp_url is not set: e-mails are written as files to {}",
                folder.display()
            );
            match config.network.is_sandbox() {
                true => line("mail", Level::Fine, text),
                false => line("mail", Level::Warning, text).with_setting("smtp_url"),
            }
        }
        MailTransport::Smtp(smtp) => {
            let place = format!("{}:{}", smtp.host, smtp.port);
            let greeted = match Transport::new(&config.mail) {
                Ok(transport) => transport.greet().await,
                Err(error) => Err(error.to_string()),
            };
            match greeted {
                Ok(()) => line(
                    "mail",
                    Level::Fine,
                    format!("{place} accepts e-mail from {}", config.mail.from),
                ),
                Err(why) => line("mail", Level::Failure, format!("{place}: {why}")).with_setting("smtp_url"),
            }
        }
    }
}

async fn database(config: &Config) -> Vec<CheckLine> {
    let path = config.database.display();
    if !config.database.exists() {
        let text = format!("{path} does not exist yet; the first start creates it");
        return vec![line("database", Level::Fine, text)];
    }
    // The merchants are read from it, whether by the running server or by us.
    match remote::carry_out(config, &Command::ListMerchants).await {
        Ok(merchants) => {
            let merchants = merchants.as_array().map_or(&[][..], Vec::as_slice);
            let text = format!("{path} answers; merchants: {}", merchants.len());
            let mut lines = vec![line("database", Level::Fine, text)];
            lines.extend(merchants.iter().filter_map(merchant));
            lines.extend(unread(
                &remote::carry_out(config, &Command::ShowUnread)
                    .await
                    .unwrap_or_default(),
            ));
            lines
        }
        failed => vec![line("database", Level::Failure, failure(failed)).with_setting("database")],
    }
}

fn failure(reply: Reply) -> String {
    reply.err().map_or_else(String::new, |failure| failure.message)
}

/// What the operator should know of a merchant; nothing when all is well.
fn merchant(merchant: &Value) -> Option<CheckLine> {
    let name = merchant["settings"]["name"].as_str().unwrap_or_default();
    if let Some(reason) = merchant["blocked"].as_str() {
        return Some(line(
            "merchant",
            Level::Warning,
            format!("{name}: no charges: {reason}"),
        ));
    }
    if merchant["descriptor"].is_null() {
        let text = format!("{name}: no charges: no wallet is set; set one with `bitpro merchant set`");
        return Some(line("merchant", Level::Warning, text));
    }
    let run = merchant["longest_run"].as_u64()?;
    let warned_from = merchant["settings"]["gap_warning"].as_str()?.parse::<u64>().ok()?;
    (run >= warned_from).then(|| {
        let limit = merchant["gap_limit"].as_u64().unwrap_or_default();
        let text = format!(
            "{name}: up to {run} addresses in a row are unpaid: set the wallet's gap limit to at least {limit}"
        );
        line("merchant", Level::Warning, text)
    })
}

/// What the operator should know before they vouch for blocks that could not be read; nothing when there are none (R6).
fn unread(unread: &Value) -> Option<CheckLine> {
    let charges = unread["charges"].as_array()?;
    let ids: Vec<&str> = charges.iter().filter_map(|charge| charge["id"].as_str()).collect();
    let (from, to) = (&unread["from"], &unread["to"]);
    let mut text = format!("the node deleted blocks {from} to {to} before they were read; ");
    if ids.is_empty() {
        text.push_str("no charge was open meanwhile: `accept_block` may name a block above them");
    } else {
        let count = ids.len();
        let mut shown = ids.iter().take(MOST_SHOWN).copied().collect::<Vec<_>>().join(", ");
        if count > MOST_SHOWN {
            shown.push_str(", …");
        }
        text.push_str(&format!(
            "{count} charges were open meanwhile and are not judged until `accept_block` names a block above them. Look at \
             them first, and into the merchants' wallets (`bitpro charge unread`): {shown}"
        ));
    }
    Some(line("hole", Level::Warning, text))
}

/// So many charges are named in a line of a check.
const MOST_SHOWN: usize = 10;

fn line(subject: &'static str, level: Level, text: String) -> CheckLine {
    CheckLine::new(subject, level, text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn r26_a_run_of_unpaid_addresses_is_told_with_the_gap_limit_to_set() {
        let shop = |run: u64| {
            json!({
                "settings": {"name": "Shop", "gap_warning": "20"},
                "descriptor": "wpkh(…)", "blocked": null, "unpaid_run": 0, "longest_run": run, "gap_limit": 41,
            })
        };
        assert_eq!(merchant(&shop(19)), None);
        let told = merchant(&shop(20)).unwrap();
        assert_eq!(told.level, Level::Warning);
        assert!(
            told.text.contains("Shop") && told.text.contains("20") && told.text.contains("41"),
            "{}",
            told.text
        );
    }

    #[test]
    fn r06_whoever_vouches_for_unread_blocks_sees_first_which_charges_were_open() {
        assert_eq!(unread(&Value::Null), None);
        let hole = |charges: &[&str]| {
            let charges: Vec<Value> = charges.iter().map(|id| json!({ "id": id })).collect();
            unread(&json!({"from": 101, "to": 412, "charges": charges})).unwrap()
        };
        let told = hole(&["7d1f", "8e2a"]);
        assert_eq!(told.level, Level::Warning);
        for word in ["101 to 412", "2 charges", "7d1f, 8e2a", "accept_block"] {
            assert!(told.text.contains(word), "{word} in {}", told.text);
        }
        assert!(hole(&[]).text.contains("no charge was open"));
        assert!(hole(&["a"; 11]).text.ends_with(", …"));
    }

    #[test]
    fn a_merchant_who_cannot_be_paid_is_told() {
        let blocked = json!({"settings": {"name": "Shop"}, "blocked": "waiting", "descriptor": "x"});
        assert!(merchant(&blocked).unwrap().text.contains("waiting"));
        let bare = json!({"settings": {"name": "Shop"}, "blocked": null, "descriptor": null});
        assert!(merchant(&bare).unwrap().text.contains("no wallet is set"));
    }
}
