//! What can be wrong, in words and as a code.

use crate::copy::Lang;
use crate::copy::pages::{PageWords, Trouble};
use crate::format;
use crate::page::Problem;

impl Problem {
    /// The stable code, as in the API's problem documents; the page has it in `data-error`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownMerchant => "unknown-merchant",
            Self::UnknownCharge => "unknown-charge",
            Self::UnknownPage => "unknown-page",
            Self::BadPrice => "bad-price",
            Self::PriceTooHigh(_) => "price-too-high",
            Self::PriceTooLow => "price-too-low",
            Self::BadCurrency => "bad-currency",
            Self::OrderIdTooLong => "order-id-too-long",
            Self::RepeatedParameter(_) => "repeated-parameter",
            Self::Malformed(_) => "malformed",
            Self::BadSignature => "bad-signature",
            Self::LinkExpired => "link-expired",
            Self::TooMany(_) => "too-many-requests",
            Self::RateAway => "rate-unavailable",
            Self::StorageAway => "storage-unavailable",
            Self::Internal => "internal",
        }
    }

    /// The one thing that the problem names.
    pub(super) fn named(&self, lang: Lang) -> String {
        match self {
            Self::PriceTooHigh(cents) => format::euros(*cents, lang),
            Self::RepeatedParameter(name) | Self::Malformed(name) => name.clone(),
            Self::TooMany(seconds) => seconds.to_string(),
            _ => String::new(),
        }
    }

    pub(super) const fn trouble(&self, words: &'static PageWords) -> &'static Trouble {
        match self {
            Self::UnknownMerchant => &words.unknown_merchant,
            Self::UnknownCharge => &words.unknown_charge,
            Self::UnknownPage => &words.unknown_page,
            Self::BadPrice => &words.bad_price,
            Self::PriceTooHigh(_) => &words.price_too_high,
            Self::PriceTooLow => &words.price_too_low,
            Self::BadCurrency => &words.bad_currency,
            Self::OrderIdTooLong => &words.order_id_too_long,
            Self::RepeatedParameter(_) => &words.repeated_parameter,
            Self::Malformed(_) => &words.malformed,
            Self::BadSignature => &words.bad_signature,
            Self::LinkExpired => &words.link_expired,
            Self::TooMany(_) => &words.too_many,
            Self::RateAway => &words.rate_away,
            Self::StorageAway => &words.storage_away,
            Self::Internal => &words.internal,
        }
    }
}
