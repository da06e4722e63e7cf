//! Why a request gets no page: one mapping to status, stable code and words, for pages and for JSON (R38).

#[cfg(test)]
mod tests;

use bitpro_base::links::ClaimError;
use bitpro_base::seal::SealError;
use bitpro_charge::{PriceError, TermsError};
use bitpro_checkout_app::page::Problem as PageProblem;
use bitpro_limits::RetryAfter;
use bitpro_service::charges::CreateError;
use bitpro_store::StoreError;
use http::StatusCode;

use crate::{Problem, RequestId};

/// A refusal that any surface may give. What only one of them refuses is its own, above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The path's merchant is no UUID.
    MalformedMerchant,
    /// Nobody has this id.
    UnknownMerchant,
    /// The path's charge is no UUID.
    MalformedCharge,
    /// No charge of this merchant has this id.
    UnknownCharge,
    /// Nothing is at this path.
    UnknownPage,
    /// The path is there, but not for this method.
    WrongMethod,
    /// The body of a form cannot be read, for the reason that the status names.
    MalformedForm(StatusCode),
    /// The server is busy.
    Busy,
    /// A limit is reached; when to come back, in seconds.
    TooMany(u32),
    /// The price is no whole number of cents.
    MalformedPrice,
    /// The price is below zero.
    NegativePrice,
    /// A whole number, and so well-formed; but nobody can pay it.
    ZeroPrice,
    /// The price is above the merchant's limit, given here in cents.
    PriceAboveLimit(u64),
    /// No amount can be named for the price at this rate.
    PriceBeyondRate,
    /// The amount would be dust.
    PriceTooSmall,
    /// The currency is no ISO 4217 code.
    MalformedCurrency,
    /// Another currency than the euro.
    UnsupportedCurrency,
    /// The order id is too long.
    OrderIdTooLong,
    /// This parameter is no text.
    MalformedParameter(&'static str),
    /// This parameter stands in the link more than once.
    RepeatedParameter(&'static str),
    /// The signature is none.
    MalformedSignature,
    /// The end of the link is no time.
    MalformedExpiry,
    /// The signature without the end of the link, or the other way round.
    IncompleteSignature,
    /// A link that asks for its amount has no price that could be vouched for.
    SignatureWithoutPrice,
    /// The merchant takes signed links only (R21).
    SignatureRequired,
    /// The signature is not the merchant's, or not of this link.
    WrongSignature,
    /// The signed link has ended.
    LinkExpired,
    /// There is no exchange rate to promise an amount by.
    NoRate,
    /// The merchant has no wallet, or one that gives out nothing now.
    NotReady,
    /// The store has failed.
    StorageAway,
    /// What the edge refuses, which knows nothing of charges.
    Edge(Problem),
}

/// When to come back to something that the operator has to mend, in seconds.
pub const SOON: u32 = 30;

impl Refusal {
    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::MalformedMerchant
            | Self::MalformedCharge
            | Self::MalformedPrice
            | Self::NegativePrice
            | Self::MalformedCurrency
            | Self::OrderIdTooLong
            | Self::MalformedParameter(_)
            | Self::RepeatedParameter(_)
            | Self::MalformedSignature
            | Self::MalformedExpiry
            | Self::IncompleteSignature => StatusCode::BAD_REQUEST,
            Self::UnknownMerchant | Self::UnknownCharge | Self::UnknownPage => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::MalformedForm(status) => *status,
            Self::Busy | Self::NoRate | Self::NotReady | Self::StorageAway => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::ZeroPrice
            | Self::PriceAboveLimit(_)
            | Self::PriceBeyondRate
            | Self::PriceTooSmall
            | Self::UnsupportedCurrency
            | Self::SignatureWithoutPrice
            | Self::SignatureRequired
            | Self::WrongSignature
            | Self::LinkExpired => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Edge(problem) => problem.status,
        }
    }

    /// What is wrong, in kebab-case; stable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MalformedMerchant => "malformed-merchant-id",
            Self::UnknownMerchant => "unknown-merchant",
            Self::MalformedCharge => "malformed-charge-id",
            Self::UnknownCharge => "unknown-charge",
            Self::UnknownPage => "unknown-page",
            Self::WrongMethod => "method-not-allowed",
            Self::MalformedForm(_) => "malformed-form",
            Self::Busy => "busy",
            Self::TooMany(_) => "too-many-requests",
            Self::MalformedPrice => "malformed-price",
            Self::NegativePrice => "negative-price",
            Self::ZeroPrice => "zero-price",
            Self::PriceAboveLimit(_) | Self::PriceBeyondRate => "price-above-limit",
            Self::PriceTooSmall => "price-too-small",
            Self::MalformedCurrency => "malformed-currency",
            Self::UnsupportedCurrency => "unsupported-currency",
            Self::OrderIdTooLong => "order-id-too-long",
            Self::MalformedParameter(_) => "malformed-parameter",
            Self::RepeatedParameter(_) => "repeated-parameter",
            Self::MalformedSignature => "malformed-signature",
            Self::MalformedExpiry => "malformed-expiry",
            Self::IncompleteSignature => "incomplete-signature",
            Self::SignatureWithoutPrice => "signature-without-price",
            Self::SignatureRequired => "signature-required",
            Self::WrongSignature => "wrong-signature",
            Self::LinkExpired => "link-expired",
            Self::NoRate => "no-rate",
            Self::NotReady => "merchant-not-ready",
            Self::StorageAway => "storage-unavailable",
            Self::Edge(problem) => problem.code,
        }
    }

    /// The same in English.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::MalformedMerchant => "The merchant id is not a UUID (36 characters).",
            Self::UnknownMerchant => "There is no such merchant.",
            Self::MalformedCharge => "The charge id is not a UUID (36 characters).",
            Self::UnknownCharge => "There is no such charge.",
            Self::UnknownPage => "This path does not exist.",
            Self::WrongMethod => "This path does not allow the method.",
            Self::MalformedForm(_) => "The form cannot be read.",
            Self::Busy => "The server is busy. Try again in a minute.",
            Self::TooMany(_) => "Too many requests. See Retry-After.",
            Self::MalformedPrice => "The price is not a whole number of cents.",
            Self::NegativePrice => "The price is negative.",
            Self::ZeroPrice => "The price is zero.",
            Self::PriceAboveLimit(_) | Self::PriceBeyondRate => "The price is above the merchant's limit.",
            Self::PriceTooSmall => "The price is too small to pay with Bitcoin.",
            Self::MalformedCurrency => "The currency is not an ISO 4217 code.",
            Self::UnsupportedCurrency => "Only eur is supported.",
            Self::OrderIdTooLong => "The order id has more than 200 characters.",
            Self::MalformedParameter(_) => "A parameter is not UTF-8, or contains control characters.",
            Self::RepeatedParameter(_) => "A parameter appears in the link more than once.",
            Self::MalformedSignature => "sig is not 64 hexadecimal digits.",
            Self::MalformedExpiry => "exp is not a whole number of Unix seconds.",
            Self::IncompleteSignature => "sig and exp must be used together.",
            Self::SignatureWithoutPrice => "A link without a price cannot be signed.",
            Self::SignatureRequired => "The merchant accepts signed links only.",
            Self::WrongSignature => "The signature does not belong to this link.",
            Self::LinkExpired => "The signed link has expired.",
            Self::NoRate => "No exchange rate is available.",
            Self::NotReady => "The merchant cannot accept payments yet.",
            Self::StorageAway => "Charges cannot be stored at the moment.",
            Self::Edge(problem) => &problem.title,
        }
    }

    /// The same for the page.
    #[must_use]
    pub fn page(&self) -> PageProblem {
        match self {
            Self::MalformedMerchant | Self::UnknownMerchant => PageProblem::UnknownMerchant,
            Self::MalformedCharge | Self::UnknownCharge => PageProblem::UnknownCharge,
            Self::UnknownPage | Self::WrongMethod => PageProblem::UnknownPage,
            Self::MalformedForm(_) => PageProblem::Malformed("form".to_owned()),
            Self::Busy => PageProblem::Internal,
            Self::TooMany(secs) => PageProblem::TooMany(*secs),
            Self::MalformedPrice | Self::NegativePrice | Self::ZeroPrice | Self::PriceBeyondRate => {
                PageProblem::BadPrice
            }
            Self::PriceAboveLimit(cents) => PageProblem::PriceTooHigh(*cents),
            Self::PriceTooSmall => PageProblem::PriceTooLow,
            Self::MalformedCurrency | Self::UnsupportedCurrency => PageProblem::BadCurrency,
            Self::OrderIdTooLong => PageProblem::OrderIdTooLong,
            Self::MalformedParameter(name) => PageProblem::Malformed((*name).to_owned()),
            Self::RepeatedParameter(name) => PageProblem::RepeatedParameter((*name).to_owned()),
            Self::MalformedSignature
            | Self::MalformedExpiry
            | Self::IncompleteSignature
            | Self::SignatureWithoutPrice
            | Self::SignatureRequired
            | Self::WrongSignature => PageProblem::BadSignature,
            Self::LinkExpired => PageProblem::LinkExpired,
            Self::NoRate => PageProblem::RateAway,
            Self::NotReady | Self::StorageAway => PageProblem::StorageAway,
            Self::Edge(problem) if problem.status.is_server_error() => PageProblem::Internal,
            Self::Edge(_) => PageProblem::UnknownPage,
        }
    }

    /// When to come back, in seconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooMany(secs) => Some(*secs),
            Self::Busy | Self::NoRate | Self::NotReady | Self::StorageAway => Some(SOON),
            Self::Edge(problem) => problem.retry_after,
            _ => None,
        }
    }

    /// The same for machines.
    #[must_use]
    pub fn into_problem(self, request: RequestId) -> Problem {
        Problem {
            status: self.status(),
            code: self.code(),
            title: self.title().to_owned(),
            retry_after: self.retry_after(),
            request,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Edge(problem)
    }
}

impl From<PriceError> for Refusal {
    fn from(error: PriceError) -> Self {
        match error {
            PriceError::NotWhole => Self::MalformedPrice,
            PriceError::Negative => Self::NegativePrice,
            PriceError::Zero => Self::ZeroPrice,
            PriceError::AboveLimit(cents) => Self::PriceAboveLimit(cents),
        }
    }
}

impl From<ClaimError> for Refusal {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::WrongSignature => Self::WrongSignature,
            ClaimError::Expired => Self::LinkExpired,
        }
    }
}

impl From<SealError> for Refusal {
    fn from(error: SealError) -> Self {
        tracing::error!(%error, "a link's signature could not be checked");
        Self::NotReady
    }
}

impl From<RetryAfter> for Refusal {
    fn from(RetryAfter(secs): RetryAfter) -> Self {
        Self::TooMany(secs)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed a request");
        Self::StorageAway
    }
}

impl From<CreateError> for Refusal {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::UnknownMerchant => Self::UnknownMerchant,
            CreateError::Price(error) => error.into(),
            CreateError::Terms(TermsError::Dust { .. }) => Self::PriceTooSmall,
            CreateError::Terms(TermsError::Rate(_)) => Self::PriceBeyondRate,
            CreateError::NoRate => Self::NoRate,
            CreateError::NoDescriptor | CreateError::IssuanceBlocked(_) => {
                tracing::warn!(%error, "a charge was refused");
                Self::NotReady
            }
            CreateError::Store(error) => error.into(),
        }
    }
}
