//! `bitpro webhook`: where merchants are told what happens to their charges.

use clap::Subcommand;

use crate::admin::WebhookCommand;

/// A day: long enough to bring the new secret to every server of a shop.
const DAY_SECS: u32 = 24 * 60 * 60;

#[derive(Debug, Subcommand)]
pub(super) enum WebhookAction {
    /// Add a webhook and show its secret, this once.
    Add {
        /// The merchant's id.
        merchant: String,
        /// What it is told of: charge:seen, charge:timedout, charge:confirmed, charge:failed, charge:reverted, charge:updated.
        state: String,
        /// Where: an https URL on port 443 or 8443.
        url: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a webhook. What it was still to be told is cancelled.
    Remove {
        /// The webhook's id.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List webhooks.
    List {
        /// Of this merchant only.
        #[arg(long, value_name = "ID")]
        merchant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Send a test delivery now: it says that it is a test, and names no order.
    Test {
        /// The webhook's id.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a new secret and show it, this once. The former one signs beside it for a while.
    Rotate {
        /// The webhook's id.
        id: String,
        /// How long the former secret goes on signing, in seconds; 0 ends it at once.
        #[arg(long, value_name = "SECONDS", default_value_t = DAY_SECS)]
        overlap_secs: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Deliver again what did not arrive, or one event whatever became of it. A paused webhook goes on by it.
    Redeliver {
        /// The webhook's id.
        id: String,
        /// Only the event with this id.
        #[arg(long, value_name = "ID")]
        event: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show a webhook's latest deliveries and their attempts.
    Deliveries {
        /// The webhook's id.
        id: String,
        /// At most so many.
        #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// The command for `action`, and whether JSON is wanted.
pub(super) fn command(action: WebhookAction) -> (WebhookCommand, bool) {
    match action {
        WebhookAction::Add {
            merchant,
            state,
            url,
            json,
        } => (WebhookCommand::Add { merchant, state, url }, json),
        WebhookAction::Remove { id, json } => (WebhookCommand::Remove { id }, json),
        WebhookAction::List { merchant, json } => (WebhookCommand::List { merchant }, json),
        WebhookAction::Test { id, json } => (WebhookCommand::Test { id }, json),
        WebhookAction::Rotate { id, overlap_secs, json } => (WebhookCommand::Rotate { id, overlap_secs }, json),
        WebhookAction::Redeliver { id, event, json } => (WebhookCommand::Redeliver { id, event }, json),
        WebhookAction::Deliveries { id, limit, json } => (WebhookCommand::Deliveries { id, limit }, json),
    }
}
