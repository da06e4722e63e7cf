//! `bitpro link`: link keys, and links signed by hand.

use std::path::PathBuf;

use bitpro_base::clock::{Clock as _, SystemClock};
use bitpro_base::links::LinkKey;
use bitpro_operator::admin::{self, LinkCommand, LinkToSign};
use clap::{Args, Subcommand};
use serde_json::Value;

/// A day: long enough for pages that were cached and shoppers who ponder.
const DAY_SECS: u32 = 24 * 60 * 60;
/// Ten years; beyond, whoever asks has mistaken the unit.
const LONGEST_SECS: i64 = 10 * 366 * 24 * 60 * 60;

#[derive(Debug, Subcommand)]
pub(super) enum LinkAction {
    /// Create, list and remove link keys.
    Key {
        #[command(subcommand)]
        action: KeyAction,
    },
    /// Sign a link, and print it.
    Sign(SignArguments),
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyAction {
    /// Create a key, and show it once. It signs from now on. The previous key stays valid for a while.
    Rotate {
        /// The merchant's id.
        merchant: String,
        /// How long the previous key stays valid, in seconds. 0 ends it at once.
        #[arg(long, value_name = "SECONDS", default_value_t = DAY_SECS, value_parser = clap::value_parser!(u32).range(0..=LONGEST_SECS))]
        overlap_secs: u32,
        #[arg(long)]
        json: bool,
    },
    /// List the valid keys, without showing them.
    List {
        /// The merchant's id.
        merchant: String,
        #[arg(long)]
        json: bool,
    },
    /// Remove a key at once. Links signed with it create no more charges.
    Revoke {
        /// The merchant's id.
        merchant: String,
        /// The id of the key, as in the list.
        key: String,
        #[arg(long)]
        json: bool,
    },
}

/// The link's parameters have the names that they have in the link.
#[derive(Debug, Args)]
pub(super) struct SignArguments {
    /// The merchant's id.
    merchant: String,
    #[arg(long, value_name = "CENTS")]
    fiat_price_cents: String,
    #[arg(long, value_name = "CODE")]
    fiat_currency: Option<String>,
    #[arg(long, value_name = "TEXT")]
    external_order_id: Option<String>,
    /// The shopper's e-mail.
    #[arg(long, value_name = "ADDRESS")]
    buyer_email: Option<String>,
    /// The page's language, en or fr. It is not part of the signature.
    #[arg(long, value_name = "CODE")]
    lang: Option<String>,
    /// When the link expires, in Unix seconds.
    #[arg(long, value_name = "UNIX-SECONDS", conflicts_with = "valid_secs")]
    exp: Option<u64>,
    /// How long the link is valid, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = DAY_SECS, value_parser = clap::value_parser!(u32).range(1..=LONGEST_SECS))]
    valid_secs: u32,
    /// A file with the link key. Then neither configuration nor server is needed.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The address of the checkout, scheme and host. Needed only with a key file.
    #[arg(long, value_name = "URL", requires = "key_file")]
    server: Option<String>,
    /// Print JSON, with the message that was signed.
    #[arg(long)]
    json: bool,
}

/// A link to be signed without a server.
#[derive(Debug)]
pub(super) struct Offline {
    link: LinkToSign,
    key_file: PathBuf,
    server: Option<String>,
}

/// What there is to do.
pub(super) enum Work {
    /// A command for the server.
    Command(LinkCommand),
    /// A link to be signed here.
    Offline(Offline),
}

/// What `action` asks for, and whether JSON is wanted.
pub(super) fn work(action: LinkAction) -> (Work, bool) {
    match action {
        LinkAction::Key { action } => {
            let (command, json) = key_command(action);
            (Work::Command(command), json)
        }
        LinkAction::Sign(arguments) => {
            let link = LinkToSign {
                merchant: arguments.merchant,
                price: arguments.fiat_price_cents,
                currency: arguments.fiat_currency,
                order_id: arguments.external_order_id,
                buyer_email: arguments.buyer_email,
                lang: arguments.lang,
                expires: arguments.exp,
                valid_secs: arguments.valid_secs,
            };
            let work = match arguments.key_file {
                Some(key_file) => Work::Offline(Offline {
                    link,
                    key_file,
                    server: arguments.server,
                }),
                None => Work::Command(LinkCommand::Sign(link)),
            };
            (work, arguments.json)
        }
    }
}

/// Signs a link here, and gives it with the address of the checkout to put before it.
///
/// # Errors
/// What is wrong with the key's file or the link.
pub(super) fn sign(offline: &Offline) -> Result<(Value, String), String> {
    let path = offline.key_file.display();
    let text = std::fs::read_to_string(&offline.key_file).map_err(|error| format!("key_file = \"{path}\": {error}"))?;
    // What the file holds is a secret, and is not repeated.
    let key: LinkKey = text
        .trim()
        .parse()
        .map_err(|error| format!("key_file = \"{path}\": {error}"))?;
    let signed = admin::sign_offline(&offline.link, &key, SystemClock::default().now());
    let server = offline.server.as_deref().unwrap_or_default().trim_end_matches('/');
    signed
        .map(|value| (value, server.to_owned()))
        .map_err(|failure| failure.message)
}

fn key_command(action: KeyAction) -> (LinkCommand, bool) {
    match action {
        KeyAction::Rotate {
            merchant,
            overlap_secs,
            json,
        } => (LinkCommand::RotateKey { merchant, overlap_secs }, json),
        KeyAction::List { merchant, json } => (LinkCommand::ListKeys { merchant }, json),
        KeyAction::Revoke { merchant, key, json } => (LinkCommand::RevokeKey { merchant, key }, json),
    }
}
