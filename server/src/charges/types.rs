//! What goes into the charges and what comes out of them.

use std::sync::Arc;

use bitpro_charge::{Cents, ChargeId, MerchantId, State, Timestamp};

use super::IssuanceBlock;
use crate::limits::Client;
use crate::merchant::{AllowedOrigin, Language, Logo, Merchant};
use crate::node::view::Hole;
use crate::store::Snapshot;
use crate::wallet::WalletText;

/// A charge to be made, for the merchant's server.
#[derive(Debug, Clone)]
pub struct NewCharge {
    /// Whose.
    pub merchant: MerchantId,
    /// The price.
    pub price: Cents,
    /// The merchant's own order id; an empty one is none.
    pub order_id: Option<String>,
    /// The shopper's e-mail; kept apart from the log (R31).
    pub buyer_email: Option<String>,
    /// The merchant's own notes on it, as JSON; kept apart from the log (R31).
    pub metadata: Option<String>,
    /// The page's language.
    pub language: Option<Language>,
    /// What differs from the merchant's settings.
    pub options: ChargeOptions,
}

/// What the merchant's server decides about one charge. The caller has checked it against the merchant's bounds.
#[derive(Debug, Clone, Default)]
pub struct ChargeOptions {
    /// Where the page leads once it is paid.
    pub success_url: Option<String>,
    /// How long the amount is promised, in seconds.
    pub window_secs: Option<u32>,
    /// Confirmations to wait for, at the least.
    pub confirmations: Option<u32>,
    /// Optional fields that were ignored, to be noted for the merchant (R38).
    pub notes: Vec<String>,
}

/// A charge asked for by a payment link.
#[derive(Debug, Clone)]
pub struct LinkRequest {
    /// Whose.
    pub merchant: MerchantId,
    /// The price.
    pub price: Cents,
    /// The merchant's own order id; without one nothing is reused (R22).
    pub order_id: Option<String>,
    /// The shopper's e-mail.
    pub buyer_email: Option<String>,
    /// The page's language.
    pub language: Option<Language>,
    /// Whether the link carries the merchant's signature.
    pub signed: bool,
    /// Who follows the link.
    pub client: Client,
    /// Whether a person pressed the button (R25, R26).
    pub pressed: bool,
    /// Optional fields that were ignored, to be noted for the merchant (R38).
    pub notes: Vec<String>,
}

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkOutcome {
    /// A new charge.
    Made(ChargeId),
    /// An open charge of the same order, price and shopper, of a signed link or made by the same client (R22).
    Reused(ChargeId),
    /// The order has a payment: show at most the outcome, without address and QR (R22).
    Paid(ChargeId),
    /// Too many unpaid addresses in a row, or charges of this order by the same client: ask for a press of the button (R25, R26).
    NeedsButton,
}

/// Which charges to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this merchant only.
    pub merchant: Option<MerchantId>,
    /// In this state only.
    pub state: Option<State>,
    /// With this order id only.
    pub order_id: Option<String>,
    /// Made at this instant or later.
    pub created_from: Option<Timestamp>,
    /// Made before this instant.
    pub created_to: Option<Timestamp>,
    /// Without so many of the newest.
    pub skip: u64,
}

/// A page of a list, newest first.
#[derive(Debug, Clone)]
pub struct Page {
    /// The charges.
    pub charges: Vec<Snapshot>,
    /// Those among them that another hand has changed, so that they cannot be shown.
    pub unreadable: Vec<ChargeId>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Cursor>,
}

/// A place in the list of charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub i64);

/// Blocks that could not be read, and the charges that wait for somebody to vouch for them (R6).
#[derive(Debug, Clone)]
pub struct Unread {
    /// The blocks.
    pub hole: Hole,
    /// The charges that were open while they came, oldest first.
    pub charges: Vec<Arc<Snapshot>>,
}

impl Unread {
    /// The first ids, and how many more there are.
    #[must_use]
    pub fn ids(&self, most: usize) -> String {
        let first = self.charges.iter().take(most);
        let mut ids: Vec<String> = first.map(|snapshot| snapshot.charge.id.to_string()).collect();
        if let Some(more) = self.charges.len().checked_sub(most).filter(|&more| more > 0) {
            ids.push(format!("and {more} more"));
        }
        ids.join(", ")
    }
}

/// A merchant as the command line shows them.
#[derive(Debug, Clone)]
pub struct MerchantReport {
    /// The merchant.
    pub merchant: Arc<Merchant>,
    /// The normalised receive descriptor, if they have given one.
    pub receive: Option<String>,
    /// The index that the next charge gets.
    pub next_index: Option<u32>,
    /// How many of the latest addresses in a row are unpaid (R26).
    pub unpaid_run: u32,
    /// How many were unpaid in a row at the most, ever.
    pub longest_run: u32,
    /// The gap limit to set in the wallet, so that it finds every payment.
    pub gap_limit: u32,
    /// Why no address may be given out, if so.
    pub blocked: Option<IssuanceBlock>,
}

/// A merchant to be added, or what is to be changed of one. Everything is optional but the name of a new one.
#[derive(Debug, Clone, Default)]
pub struct MerchantChanges {
    /// Settings by name and text; see [`crate::merchant::SETTINGS`].
    pub settings: Vec<(String, String)>,
    /// A new descriptor: new charges only (R27).
    pub wallet: Option<WalletText>,
    /// A new logo; `Some(None)` removes it.
    pub logo: Option<Option<Logo>>,
    /// Origins to be listed beside those that are listed when the change is made (R41).
    pub more_origins: Vec<AllowedOrigin>,
}
