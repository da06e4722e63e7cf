//! What goes into the charges and what comes out of them.

use std::sync::Arc;

use bitpro_base::client::Client;
use bitpro_charge::{Cents, ChargeId, MerchantId, State, Timestamp};
use bitpro_merchant::wallet::WalletText;
use bitpro_merchant::{AllowedOrigin, Language, Logo, Merchant, SettingsPatch};
use bitpro_node::view::Hole;
use bitpro_store::{ChargeOrigin, Snapshot};

use super::IssuanceBlock;

/// A charge that is wanted, by the merchant's server or by somebody who follows a link.
#[derive(Debug, Clone)]
pub struct NewCharge {
    /// Whose.
    pub merchant: MerchantId,
    /// The price.
    pub price: Cents,
    /// The merchant's own order id; an empty one is none, and without one nothing is reused (R22).
    pub order_id: Option<String>,
    /// The shopper's e-mail; kept apart from the log (R31).
    pub buyer_email: Option<String>,
    /// The merchant's own notes on it, as JSON; kept apart from the log (R31).
    pub metadata: Option<String>,
    /// The page's language.
    pub language: Option<Language>,
    /// Who follows a link; `None` for the merchant's server.
    pub follower: Option<Follower>,
    /// What differs from the merchant's settings.
    pub options: ChargeOptions,
    /// Optional fields that were ignored, to be noted for the merchant (R38).
    pub ignored: Vec<Ignored>,
}

impl NewCharge {
    /// A charge of which nothing is known but its price, for the merchant's server.
    #[must_use]
    pub fn of(merchant: MerchantId, price: Cents) -> Self {
        Self {
            merchant,
            price,
            order_id: None,
            buyer_email: None,
            metadata: None,
            language: None,
            follower: None,
            options: ChargeOptions::default(),
            ignored: Vec::new(),
        }
    }

    /// Whose word it is that the charge is made.
    #[must_use]
    pub const fn origin(&self) -> ChargeOrigin {
        match self.follower {
            None => ChargeOrigin::Api,
            Some(Follower { signed: true, .. }) => ChargeOrigin::SignedLink,
            Some(Follower { signed: false, .. }) => ChargeOrigin::Link,
        }
    }
}

/// Somebody who follows a payment link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follower {
    /// From where.
    pub client: Client,
    /// Whether the link carries the merchant's signature (R21).
    pub signed: bool,
    /// Whether a person pressed the button (R25, R26).
    pub pressed: bool,
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
}

/// An optional field that was not as it should be, and was ignored (R38). What is kept is its code: words are for whoever reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// The shopper's e-mail is no e-mail address. The text itself is not noted: it may be anything, and the note is kept.
    Email,
    /// No language of the page.
    Language,
}

impl Ignored {
    const ALL: [Self; 2] = [Self::Email, Self::Language];

    /// The code that is kept.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Email => "malformed-buyer-email",
            Self::Language => "unknown-lang",
        }
    }

    /// The same in English. Until the end of 2026 this was kept in the place of the code.
    #[must_use]
    pub const fn said(self) -> &'static str {
        match self {
            Self::Email => "buyer_email was ignored: not an e-mail address",
            Self::Language => "lang was ignored: not one of en, fr",
        }
    }

    /// What one line of what is kept means; `None` for what nobody has written here.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|ignored| ignored.code() == line || ignored.said() == line)
    }

    /// What is kept of several; `None` of none.
    pub(super) fn kept(all: &[Self]) -> Option<String> {
        let codes: Vec<&str> = all.iter().map(|ignored| ignored.code()).collect();
        (!codes.is_empty()).then(|| codes.join("\n"))
    }
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
    /// The settings that are to become something else.
    pub settings: SettingsPatch,
    /// A new descriptor: new charges only (R27).
    pub wallet: Option<WalletText>,
    /// A new logo; `Some(None)` removes it.
    pub logo: Option<Option<Logo>>,
    /// Origins to be listed beside those that are listed when the change is made (R41).
    pub more_origins: Vec<AllowedOrigin>,
}
