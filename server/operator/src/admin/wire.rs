//! Commands and their results, as they go over the socket and as `--json` prints them.

use std::collections::BTreeMap;

use bitpro_base::instants::instant;
use bitpro_charge::{Charge, Event, Recorded};
use bitpro_merchant::SETTINGS;
use bitpro_service::charges::{MerchantReport, Snapshot};
use serde::{Deserialize, Serialize};

use super::links::LinkCommand;
use super::people::AccountCommand;
use super::webhooks::WebhookCommand;

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "command")]
pub enum Command {
    /// Adds a merchant.
    AddMerchant(MerchantEdit),
    /// Changes a merchant.
    SetMerchant {
        /// The id.
        id: String,
        /// What changes.
        edit: MerchantEdit,
    },
    /// One merchant.
    ShowMerchant {
        /// The id.
        id: String,
    },
    /// All merchants.
    ListMerchants,
    /// All people who have an account or asked for one.
    ListAccounts,
    /// Lets a person in who asked for an account.
    ApproveAccount {
        /// The e-mail address.
        email: String,
    },
    /// Something else about one account.
    Account(AccountCommand),
    /// Something about signed links.
    Link(LinkCommand),
    /// Webhooks.
    Webhook(WebhookCommand),
    /// Charges, newest first.
    ListCharges(ListQuery),
    /// Blocks that could not be read, and the charges that were open while they came (R6).
    ShowUnread,
    /// One charge with its history.
    ShowCharge {
        /// Its id.
        id: String,
    },
    /// Takes what was paid, whatever its amount and time (R14).
    AcceptCharge {
        /// Its id.
        id: String,
        /// The payments meant, as `txid:vout`; empty means all live ones.
        outpoints: Vec<String>,
        /// The charge's sequence as it was looked at; without one, as it is now.
        sequence: Option<u64>,
    },
    /// Makes a key of the merchant API.
    AddKey {
        /// The merchant's id.
        merchant: String,
        /// What its owner calls it.
        name: String,
        /// What it may do; nothing means the usual.
        scopes: Option<String>,
    },
    /// Keys of the merchant API.
    ListKeys {
        /// Of this merchant only.
        merchant: Option<String>,
    },
    /// Gives a key a new secret.
    RotateKey {
        /// Its id.
        id: String,
        /// How long the present secret counts on.
        overlap_secs: u32,
    },
    /// Takes a key back.
    RevokeKey {
        /// Its id.
        id: String,
    },
    /// Copies the database beside itself, for a backup that is made while the server goes on.
    CopyDatabase,
    /// Sends a letter by which the operator sees that letters arrive.
    TestMail {
        /// The address.
        to: String,
    },
    /// A token with which `bitpro check` may ask the running server through the public address.
    Knock,
    /// How the time that was seen stands to the machine's clock (R32).
    ShowClock,
    /// Takes the machine's clock as right (R32).
    AcceptClock,
    /// Seals all secrets under the newest of the configured keys.
    Rekey,
    /// Compares everything that is stored with itself and with the node.
    Reconcile {
        /// The first block to look through; without one, from the first charge on.
        from: Option<u32>,
        /// Whether what an observation can mend is mended.
        fix: bool,
    },
    /// Withdraws a charge (R15).
    CancelCharge {
        /// Its id.
        id: String,
        /// The charge's sequence as it was looked at; without one, as it is now.
        sequence: Option<u64>,
    },
}

/// A merchant to be added or changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MerchantEdit {
    /// Settings by name.
    pub settings: Vec<(String, String)>,
    /// A new descriptor or extended public key.
    pub descriptor: Option<String>,
    /// The script type of an extended public key.
    pub script_type: Option<String>,
    /// A new logo, the file in base64; an empty one removes it.
    pub logo: Option<String>,
    /// The e-mail address of a new owner.
    #[serde(default)]
    pub owner: Option<String>,
}

/// Which charges are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListQuery {
    /// Of this merchant.
    pub merchant: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// With this order id.
    pub order_id: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// A result, as JSON; or why there is none.
pub type Reply = Result<serde_json::Value, Failure>;

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub kind: Kind,
    /// What went wrong, and what would be right.
    pub message: String,
}

/// The most that a failure says, in bytes.
const LONGEST_MESSAGE: usize = 1_000;

/// Kinds of failure; each has an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A value cannot be taken.
    Invalid,
    /// There is no such merchant or charge.
    Unknown,
    /// The charge is not what was thought.
    Conflict,
    /// The database or the server is not available.
    Unavailable,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl Failure {
    /// The message is made fit for a terminal: what it repeats of a command is whatever stood in that.
    pub(super) fn new(kind: Kind, message: impl ToString) -> Self {
        let shown = message.to_string().replace(char::is_control, " ");
        let cut = shown.floor_char_boundary(LONGEST_MESSAGE);
        let message = match shown.get(..cut) {
            Some(beginning) if cut < shown.len() => format!("{beginning}…"),
            _ => shown,
        };
        Self { kind, message }
    }
}

/// A merchant as `--json` prints them.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MerchantDocument {
    id: String,
    created_at: String,
    settings: BTreeMap<&'static str, String>,
    descriptor: Option<String>,
    next_index: Option<u32>,
    unpaid_run: u32,
    longest_run: u32,
    gap_limit: u32,
    blocked: Option<String>,
    logo: Option<LogoDocument>,
    /// How many keys of signed links there are.
    link_keys: usize,
    link: String,
}

#[derive(Debug, Clone, Serialize)]
struct LogoDocument {
    mime: &'static str,
    bytes: usize,
}

impl MerchantDocument {
    pub(super) fn of(report: &MerchantReport) -> Self {
        let merchant = &report.merchant;
        Self {
            id: merchant.id.to_string(),
            created_at: instant(merchant.created_at),
            settings: SETTINGS
                .iter()
                .map(|setting| (setting.name, merchant.settings.text_of(setting.id)))
                .collect(),
            descriptor: report.receive.clone(),
            next_index: report.next_index,
            unpaid_run: report.unpaid_run,
            longest_run: report.longest_run,
            gap_limit: report.gap_limit,
            blocked: report.blocked.map(|block| block.to_string()),
            logo: merchant.logo.as_ref().map(|logo| LogoDocument {
                mime: logo.mime,
                bytes: logo.bytes.len(),
            }),
            link_keys: merchant.link_keys.len(),
            link: bitpro_merchant::urls::link(merchant.id),
        }
    }
}

/// A charge as `--json` prints it. Amounts are satoshis, prices cents, times RFC 3339.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ChargeDocument {
    id: String,
    merchant_id: String,
    state: &'static str,
    reason: Option<&'static str>,
    sequence: u64,
    order_id: Option<String>,
    origin: &'static str,
    /// Whether the price is the merchant's word (R21).
    price_verified: bool,
    fiat_price_cents: u64,
    fiat_currency: &'static str,
    amount_sat: u64,
    rate_cents_per_btc: u64,
    rate_source: String,
    rate_at: String,
    rate_spread_bps: u32,
    received_sat: u64,
    /// Of this, what is confirmed.
    confirmed_sat: u64,
    remaining_sat: u64,
    address: String,
    created_at: String,
    expires_at: String,
    payments: Vec<PaymentDocument>,
    path: String,
}

#[derive(Debug, Clone, Serialize)]
struct PaymentDocument {
    outpoint: String,
    value_sat: u64,
    live: bool,
    block_height: Option<u32>,
    first_seen: String,
    /// What a bitcoin cost when the payment was first seen; nothing when there was no fresh rate (R44).
    rate_cents_per_btc: Option<u64>,
}

impl ChargeDocument {
    pub(super) fn of(snapshot: &Snapshot, tip: u32) -> Self {
        let charge: &Charge = &snapshot.charge;
        Self {
            id: charge.id.to_string(),
            merchant_id: charge.merchant.to_string(),
            state: charge.state.as_str(),
            reason: charge.reason.map(|reason| reason.as_str()),
            sequence: charge.sequence,
            order_id: snapshot.order_id.clone(),
            origin: snapshot.origin.as_str(),
            price_verified: snapshot.origin.is_price_verified(),
            fiat_price_cents: charge.terms.price.0,
            fiat_currency: "eur",
            amount_sat: charge.terms.amount.to_sat(),
            rate_cents_per_btc: charge.terms.quote.rate.cents_per_btc(),
            rate_source: charge.terms.quote.source.clone(),
            rate_at: instant(charge.terms.quote.at),
            rate_spread_bps: charge.terms.spread_bps,
            received_sat: charge.received().to_sat(),
            confirmed_sat: charge.confirmed(tip).to_sat(),
            remaining_sat: charge.remaining().to_sat(),
            address: charge.address.clone(),
            created_at: instant(charge.terms.created_at),
            expires_at: instant(charge.deadline),
            payments: charge
                .payments
                .iter()
                .map(|payment| PaymentDocument {
                    outpoint: payment.outpoint.to_string(),
                    value_sat: payment.value.to_sat(),
                    live: payment.is_live(),
                    block_height: payment.block().map(|block| block.height),
                    first_seen: instant(payment.first_seen.latest),
                    rate_cents_per_btc: payment.rate.as_ref().map(|quote| quote.rate.cents_per_btc()),
                })
                .collect(),
            path: bitpro_merchant::urls::charge(charge.merchant, charge.id),
        }
    }
}

/// An event of a charge's history.
#[derive(Debug, Clone, Serialize)]
pub(super) struct EventDocument {
    sequence: u64,
    at: String,
    kind: &'static str,
    says: String,
}

impl EventDocument {
    pub(super) fn of(recorded: &Recorded) -> Self {
        Self {
            sequence: recorded.sequence,
            at: instant(recorded.at),
            kind: recorded.event.kind(),
            says: says(&recorded.event),
        }
    }
}

fn says(event: &Event) -> String {
    match event {
        Event::PaymentFound(payment) => format!("{} of {} sat", payment.outpoint, payment.value.to_sat()),
        Event::PaymentMoved { outpoint, place } => match place {
            bitpro_charge::Place::Block(block) => format!("{outpoint} in block {}", block.height),
            bitpro_charge::Place::Mempool => format!("{outpoint} in the mempool"),
        },
        Event::FirstSeenCorrected { outpoint, .. } => outpoint.to_string(),
        Event::PaymentLost { outpoint, loss } => format!("{outpoint} {}", loss.as_str()),
        Event::ConfirmationsRaised { required } => format!("{required} confirmations"),
        Event::DeadlineExtended { deadline, .. } => format!("until {}", instant(*deadline)),
        Event::DeadlineObserved { observed_until } => format!("known until {}", instant(*observed_until)),
        Event::Stalled { outpoints } => match outpoints.len() {
            1 => "1 payment".to_owned(),
            number => format!("{number} payments"),
        },
        Event::Judged {
            outpoint, judgement, ..
        } => format!("{outpoint} {judgement:?}").to_lowercase(),
        Event::Accepted { outpoints, suffices } => {
            let named: Vec<String> = outpoints.iter().map(ToString::to_string).collect();
            match suffices {
                Some(value) => format!("{}; {} sat suffice", named.join(" "), value.to_sat()),
                None => named.join(" "),
            }
        }
        Event::Cancelled { at } => format!("at {}", instant(*at)),
        Event::MadeEarlier { at } => format!("by {}", instant(*at)),
        Event::StateChanged { verdict, .. } => match verdict.reason {
            Some(reason) => format!("{} ({reason})", verdict.state),
            None => verdict.state.to_string(),
        },
        Event::Restored { .. } => "earlier numbers may have been used for events that are lost".to_owned(),
        Event::Announced { announcement, .. } => announcement.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_repeats_little_of_a_command_and_nothing_that_moves_a_cursor() {
        let failure = Failure::new(Kind::Invalid, format!("\u{1b}[2J\n{}", "é".repeat(5_000)));
        assert!(failure.message.starts_with(" [2J é"), "{failure}");
        assert!(failure.message.ends_with("é…") && failure.message.len() <= LONGEST_MESSAGE + 3);
    }
}
