//! Every word the shopper reads, in every language, as tables whose missing entry does not compile.
//!
//! A sentence of the state line has to fit two lines of the smallest phone; a test of the screens counts its characters.

mod en;
mod fr;
#[cfg(feature = "ssr")]
pub mod pages;

use serde::Serialize;

/// A language of the page (R40).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    En,
    /// French.
    Fr,
}

impl Lang {
    /// All languages, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::En, Self::Fr];

    /// The tag of BCP 47, as in the `lang` parameter.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// The language's name in itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Fr => "Français",
        }
    }

    /// The language of a tag such as `fr` or `fr-CA`, if the page speaks it.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// The words of a charge's page.
    #[must_use]
    pub const fn words(self) -> &'static Words {
        match self {
            Self::En => &en::WORDS,
            Self::Fr => &fr::WORDS,
        }
    }
}

/// What the page says about a state: the sentence of the state line, what it means, and the word for the tab's title.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// One sentence in plain words.
    pub sentence: &'static str,
    /// What it means for the shopper, and what to do.
    pub meaning: &'static str,
    /// For the title of the tab; empty where the price says more.
    pub title: &'static str,
}

/// The words of a charge's page. Amounts come in already in the language's format.
#[derive(Debug)]
pub struct Words {
    /// Waiting for the whole amount.
    pub waiting: Told,
    /// Waiting again, after an earlier payment was lost.
    pub waiting_again: Told,
    /// Waiting, and our node is away.
    pub away: Told,
    /// Waiting, and our node is catching up.
    pub syncing: Told,
    /// Received x of y, z to go.
    pub partial: fn(received: &str, asked: &str, rest: &str) -> String,
    /// What a partial payment means.
    pub partial_told: Told,
    /// The deadline has passed, and the server has not yet looked that far.
    pub closing: Told,
    /// n of m confirmations.
    pub seen: fn(have: u32, required: u32) -> String,
    /// What it means that it is seen.
    pub seen_told: Told,
    /// Seen, and our node is away or catching up.
    pub seen_away: Told,
    /// Seen, but for very long not confirmed.
    pub stuck: Told,
    /// Confirmed.
    pub confirmed: Told,
    /// Confirmed, and more than was asked for.
    pub overpaid: Told,
    /// How much too much.
    pub excess: &'static str,
    /// The window passed.
    pub timed_out: Told,
    /// All money came late.
    pub late: Told,
    /// Not enough came in time.
    pub underpaid: fn(received: &str, asked: &str) -> String,
    /// What it means that not enough came.
    pub underpaid_told: Told,
    /// Taken away by a conflicting transaction.
    pub replaced: Told,
    /// Forgotten and refused by the network.
    pub dropped: Told,
    /// Its block left the chain.
    pub reorged: Told,
    /// Withdrawn by the merchant.
    pub cancelled: Told,
    /// Failed for a reason that this page does not know yet.
    pub failed: Told,

    /// Before the merchant's name, for screen readers: "Payment to".
    pub payment_to: &'static str,
    /// The amount section's name.
    pub amount: &'static str,
    /// Before the amount in bitcoin once a part was paid.
    pub still_to_pay: &'static str,
    /// The button that opens the wallet.
    pub open_wallet: &'static str,
    /// The way back.
    pub back_to_shop: &'static str,
    /// The way out of a frame.
    pub close: &'static str,
    /// A new charge for the same order.
    pub start_again: &'static str,
    /// Prints the receipt.
    pub print_receipt: &'static str,
    /// Copies what to quote.
    pub copy_reference: &'static str,
    /// What the QR code is, for those who cannot see it.
    pub qr_code: &'static str,
    /// Over the address.
    pub address: &'static str,
    /// Says what the copy buttons do.
    pub copy_fiat: &'static str,
    /// The same for the amount in bitcoin.
    pub copy_btc: &'static str,
    /// The same for the address.
    pub copy_address: &'static str,
    /// After a copy, in place and for screen readers.
    pub copied: &'static str,
    /// When the browser does not let us copy.
    pub copy_by_hand: &'static str,
    /// "expires in 12 min".
    pub expires_in_minutes: fn(u32) -> String,
    /// "expires in 4:32", given as `4:32`.
    pub expires_in: fn(&str) -> String,
    /// The page updates itself.
    pub live: &'static str,
    /// The page tries to.
    pub reconnecting: &'static str,
    /// Coins without worth; given the network's name.
    pub test_network: fn(&str) -> String,
    /// The disclosure.
    pub details: &'static str,
    /// What is to be quoted to the merchant.
    pub order: &'static str,
    /// The charge's id, where there is no order id or for support.
    pub reference: &'static str,
    /// What was asked for.
    pub asked: &'static str,
    /// What arrived.
    pub received: &'static str,
    /// What arrived beside it and may still vanish.
    pub unconfirmed: &'static str,
    /// When the first payment was seen.
    pub paid_on: &'static str,
    /// The rate.
    pub rate: &'static str,
    /// Who said so.
    pub rate_source: &'static str,
    /// The name of a rate that the operator has fixed.
    pub fixed_rate: &'static str,
    /// When.
    pub rate_time: &'static str,
    /// Until when the amount holds.
    pub valid_until: &'static str,
    /// The network's fee.
    pub fee: &'static str,
    /// What to know about it.
    pub fee_hint: &'static str,
    /// A payment's transaction.
    pub transaction: &'static str,
    /// A payment that does not count any more.
    pub lost_transaction: &'static str,
    /// "2 confirmations".
    pub confirmations: fn(u32) -> String,
    /// The language switch's name.
    pub language: &'static str,
    /// Months as they stand in a date.
    pub months: [&'static str; 12],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r40_a_regional_tag_is_its_language_and_a_foreign_one_is_none() {
        assert_eq!(Lang::of_tag("fr-CA"), Some(Lang::Fr));
        assert_eq!(Lang::of_tag("EN"), Some(Lang::En));
        assert_eq!(Lang::of_tag("de"), None);
        assert_eq!(Lang::of_tag(""), None);
    }
}
