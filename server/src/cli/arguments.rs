//! What may be written behind `bitpro`.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitpro_merchant::SETTINGS;
use bitpro_operator::admin::{Command, ListQuery, MerchantEdit};
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches, Parser, Subcommand};

use super::account::AccountAction;
use super::backup::{BackupArguments, RestoreArguments};
use super::check::Part;
use super::clock::ClockAction;
use super::generate::GenerateAction;
use super::init::InitArguments;
use super::keys::KeyAction;
use super::link::LinkAction;
use super::webhook::WebhookAction;

/// A self-hosted, non-custodial Bitcoin checkout.
#[derive(Debug, Parser)]
#[command(name = "bitpro", version = version(), about, propagate_version = true)]
pub(super) struct Arguments {
    /// The configuration file. Default: the one that BITPRO_CONFIG names, or /etc/bitpro/bitpro.toml if it exists.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub action: Do,
}

/// The version, and what a release was built from: `cargo xtask dist` names the commit. Other builds do not look for it, because every
/// commit would then compile the server again.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match option_env!("BITPRO_COMMIT").filter(|commit| !commit.is_empty()) {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Do {
    /// Set up: find and test the node, write the configuration, make the keys, and add a first shop. Asks for what is not given. What is
    /// there already stays as it is, so it can be run again.
    Init(InitArguments),
    /// Serve the checkout and watch the node, until SIGTERM or SIGINT.
    Serve,
    /// Check configuration, machine, rate, mail, database, node and clock, and ask the running server through its public address, one line
    /// each. The exit code is 0 when nothing is wrong.
    Check {
        /// What to look at.
        #[arg(long, value_enum, default_value = "all", hide = true)]
        only: Part,
        #[arg(long)]
        json: bool,
    },
    /// Show the current exchange rate.
    Rate {
        /// Ask every exchange, even if the rate is fixed, and show each answer.
        #[arg(long)]
        probe: bool,
        #[arg(long)]
        json: bool,
    },
    /// Add, change and show merchants.
    Merchant {
        #[command(subcommand)]
        action: MerchantAction,
    },
    /// Approve, help, block and remove accounts of the dashboard.
    Account {
        #[command(subcommand)]
        action: AccountAction,
    },
    /// Manage the keys of signed links, and sign links.
    Link {
        #[command(subcommand)]
        action: LinkAction,
    },
    /// Manage, test and redeliver webhooks.
    Webhook {
        #[command(subcommand)]
        action: WebhookAction,
    },
    /// Create, list, rotate and revoke keys of the merchant API.
    Key {
        #[command(subcommand)]
        action: KeyAction,
    },
    /// Test outgoing e-mail.
    Mail {
        #[command(subcommand)]
        action: MailAction,
    },
    /// Compare every charge with the chain, the mempool and its own log. The exit code is 0 when nothing differs, 1 otherwise.
    Reconcile {
        /// The first block to check. Default: the block of the first charge.
        #[arg(long, value_name = "HEIGHT")]
        from: Option<u32>,
        /// Repair the differences that an observation can repair.
        #[arg(long)]
        fix: bool,
        #[arg(long)]
        json: bool,
    },
    /// Show the time that charges use, and accept the machine's clock.
    Clock {
        #[command(subcommand)]
        action: ClockAction,
    },
    /// Write everything that a new machine needs into one file, while the server runs.
    Backup(BackupArguments),
    /// Replace the database with a backup, while no server runs.
    Restore(RestoreArguments),
    /// Encrypt all secrets in the database again with the newest of seal_keys.
    Rekey {
        #[arg(long)]
        json: bool,
    },
    /// Show, accept and cancel charges.
    Charge {
        #[command(subcommand)]
        action: ChargeAction,
    },
    /// Print shell completions or an example configuration, or write the manual.
    Generate {
        #[command(subcommand)]
        action: GenerateAction,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum MerchantAction {
    /// Add a merchant, and print its id.
    Add {
        #[command(flatten)]
        edit: EditArguments,
        #[arg(long)]
        json: bool,
    },
    /// Change a merchant's settings. Existing charges keep theirs.
    Set {
        id: String,
        #[command(flatten)]
        edit: EditArguments,
        #[arg(long)]
        json: bool,
    },
    /// List all merchants.
    List {
        #[arg(long)]
        json: bool,
    },
    /// Show a merchant: every setting, the next index, the run of unpaid addresses, and the gap limit to set in the wallet.
    Show {
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// List the settings of merchants, with their defaults.
    Settings,
}

#[derive(Debug, Subcommand)]
pub(super) enum MailAction {
    /// Send a test e-mail. Without a running server, it waits for the next start.
    Test {
        /// The e-mail address.
        address: String,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ChargeAction {
    /// List charges, newest first.
    List {
        /// Only charges of this merchant.
        #[arg(long, value_name = "ID")]
        merchant: Option<String>,
        /// Only charges in this state: pending, seen, confirmed, timedout, failed.
        #[arg(long)]
        state: Option<String>,
        /// Only charges with this order id.
        #[arg(long)]
        order_id: Option<String>,
        /// The maximum number of charges.
        #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        #[arg(long)]
        json: bool,
    },
    /// List the charges that were open while the node deleted blocks before they were read. They stay undecided until `accept_block` names a block above: check them, and the merchant's wallet, before you set it.
    Unread {
        #[arg(long)]
        json: bool,
    },
    /// Show a charge with its history.
    Show {
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// Accept what was paid, whatever its amount and time. The charge still needs its confirmations.
    Accept {
        id: String,
        /// The payments to accept, as txid:vout. Default: all that are live.
        #[arg(value_name = "PAYMENT")]
        payments: Vec<String>,
        #[command(flatten)]
        seen: Seen,
        #[arg(long)]
        json: bool,
    },
    /// Cancel a charge that nobody has paid.
    Cancel {
        id: String,
        #[command(flatten)]
        seen: Seen,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Seen {
    /// The sequence of the charge when you looked at it. If the charge has changed since, nothing is done.
    #[arg(long, value_name = "N")]
    sequence: Option<u64>,
}

/// The options of a merchant's settings. They are made from the settings' own table, so that none can be forgotten.
#[derive(Debug, Clone, Default)]
pub(super) struct EditArguments(MerchantEdit, Option<PathBuf>);

const OWNER_HELP: &str = "The owner's e-mail address in the dashboard. An address without an account gets an e-mail with a link to choose a password.";
const WALLET_HELP: &str =
    "The wallet that receives payments: an output descriptor, or an extended public key. Public keys only.";
const SCRIPT_TYPE_HELP: &str = "For an extended public key: wpkh, tr, sh-wpkh or pkh.";
const LOGO_HELP: &str = "A PNG, JPEG or WebP file of at most 1 MiB, and at most 4096 pixels wide and high. It is scaled down and re-encoded.";

impl Args for EditArguments {
    fn augment_args(command: clap::Command) -> clap::Command {
        let command = SETTINGS.iter().fold(command, |command, setting| {
            let option = setting.name.replace('_', "-");
            let default = if setting.default.is_empty() {
                "none"
            } else {
                setting.default
            };
            let arg = Arg::new(setting.name)
                .long(option)
                .value_name("VALUE")
                .allow_hyphen_values(true)
                .help(format!(
                    "{} {}. [default: {default}]",
                    setting.meaning,
                    capital(setting.wanted)
                ));
            command.arg(match setting.name {
                // One option a domain reads better than a list in quotes; both work.
                "allowed_origins" => arg.alias("allowed-origin").action(ArgAction::Append),
                _ => arg,
            })
        });
        command
            .arg(Arg::new("owner").long("owner").value_name("EMAIL").help(OWNER_HELP))
            .arg(
                Arg::new("descriptor")
                    .long("descriptor")
                    .alias("xpub")
                    .value_name("TEXT")
                    .help(WALLET_HELP),
            )
            .arg(
                Arg::new("script-type")
                    .long("script-type")
                    .value_name("TYPE")
                    .help(SCRIPT_TYPE_HELP),
            )
            .arg(
                Arg::new("logo")
                    .long("logo")
                    .value_name("FILE")
                    .value_parser(clap::value_parser!(PathBuf))
                    .help(LOGO_HELP),
            )
            .arg(
                Arg::new("no-logo")
                    .long("no-logo")
                    .action(ArgAction::SetTrue)
                    .conflicts_with("logo")
                    .help("Remove the logo."),
            )
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for EditArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let settings = SETTINGS.iter().filter_map(|setting| {
            let values: Vec<&str> = matches.get_many::<String>(setting.name)?.map(String::as_str).collect();
            Some((setting.name.to_owned(), values.join(" ")))
        });
        let edit = MerchantEdit {
            settings: settings.collect(),
            descriptor: text("descriptor"),
            script_type: text("script-type"),
            logo: matches.get_flag("no-logo").then(String::new),
            owner: text("owner"),
        };
        Ok(Self(edit, matches.get_one::<PathBuf>("logo").cloned()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl EditArguments {
    /// The edit, with the logo read from its file: the server may not be allowed to read what the caller is.
    fn into_edit(self) -> Result<MerchantEdit, String> {
        let Self(mut edit, logo) = self;
        if let Some(path) = logo {
            let bytes =
                std::fs::read(&path).map_err(|error| format!("logo = {:?}: {error}", path.display().to_string()))?;
            edit.logo = Some(STANDARD.encode(bytes));
        }
        Ok(edit)
    }
}

/// The command for `action`, and whether JSON is wanted.
///
/// # Errors
/// What is wrong with the arguments.
pub(super) fn merchant_command(action: MerchantAction) -> Result<(Command, bool), String> {
    Ok(match action {
        MerchantAction::Add { edit, json } => (Command::AddMerchant(edit.into_edit()?), json),
        MerchantAction::Set { id, edit, json } => {
            let edit = edit.into_edit()?;
            (Command::SetMerchant { id, edit }, json)
        }
        MerchantAction::List { json } => (Command::ListMerchants, json),
        MerchantAction::Show { id, json } => (Command::ShowMerchant { id }, json),
        MerchantAction::Settings => return Err("settings are listed without a server".to_owned()),
    })
}

/// The command for `action`, and whether JSON is wanted.
pub(super) fn charge_command(action: ChargeAction) -> (Command, bool) {
    match action {
        ChargeAction::List {
            merchant,
            state,
            order_id,
            limit,
            json,
        } => {
            let query = ListQuery {
                merchant,
                state,
                order_id,
                limit,
            };
            (Command::ListCharges(query), json)
        }
        ChargeAction::Unread { json } => (Command::ShowUnread, json),
        ChargeAction::Show { id, json } => (Command::ShowCharge { id }, json),
        ChargeAction::Accept {
            id,
            payments,
            seen,
            json,
        } => {
            let sequence = seen.sequence;
            (
                Command::AcceptCharge {
                    id,
                    outpoints: payments,
                    sequence,
                },
                json,
            )
        }
        ChargeAction::Cancel { id, seen, json } => {
            let sequence = seen.sequence;
            (Command::CancelCharge { id, sequence }, json)
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
