//! `bitpro webhook`: where merchants are told what happens to their charges.

use bitpro_operator::admin::WebhookCommand;
use clap::Subcommand;

/// A day: long enough to bring the new secret to every server of a shop.
const DAY_SECS: u32 = 24 * 60 * 60;

#[derive(Debug, Subcommand)]
pub(super) enum WebhookAction {
    /// Add a webhook, and show its secret once.
    Add {
        /// The merchant's id.
        merchant: String,
        /// The state that it reports: charge:seen, charge:timedout, charge:confirmed, charge:failed, charge:reverted, charge:updated.
        state: String,
        /// An https URL on port 443 or 8443.
        url: String,
        #[arg(long)]
        json: bool,
    },
    /// Remove a webhook, and cancel its pending deliveries.
    Remove {
        id: String,
        #[arg(long)]
        json: bool,
    },
    List {
        /// Only webhooks of this merchant.
        #[arg(long, value_name = "ID")]
        merchant: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Send a test delivery now. It is marked as a test, and names no order.
    Test {
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// Create a new secret, and show it once. The previous secret also signs for a while.
    Rotate {
        id: String,
        /// How long the previous secret also signs, in seconds. 0 ends it at once.
        #[arg(long, value_name = "SECONDS", default_value_t = DAY_SECS)]
        overlap_secs: u32,
        #[arg(long)]
        json: bool,
    },
    /// Deliver failed events again, or one event whatever happened to it. This resumes a paused webhook.
    Redeliver {
        id: String,
        /// Only the event with this id.
        #[arg(long, value_name = "ID")]
        event: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Show a webhook's latest deliveries and their attempts.
    Deliveries {
        id: String,
        /// The maximum number of deliveries.
        #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
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
