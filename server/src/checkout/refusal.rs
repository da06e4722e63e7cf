//! Why a request gets no page of a charge: one mapping to status, stable code and words, for pages and for JSON (R38).

use bitpro_charge::{PriceError, TermsError};
use bitpro_checkout_app::page::Problem as PageProblem;
use http::StatusCode;

use super::params::ParamError;
use crate::charges::CreateError;
use crate::limits::RetryAfter;
use crate::links::ClaimError;
use crate::seal::SealError;
use crate::store::StoreError;
use crate::web::{Problem, RequestId};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// What is wrong, in kebab-case; stable.
    pub code: &'static str,
    /// The same for the page.
    pub problem: PageProblem,
    /// When to come back, in seconds.
    pub retry_after: Option<u32>,
}

/// When to come back to something that the operator has to mend.
const SOON: u32 = 30;

impl Refusal {
    const fn new(status: StatusCode, code: &'static str, problem: PageProblem) -> Self {
        Self {
            status,
            code,
            problem,
            retry_after: None,
        }
    }

    const fn retry_after(mut self, secs: u32) -> Self {
        self.retry_after = Some(secs);
        self
    }

    /// The path's merchant is no UUID.
    #[must_use]
    pub const fn malformed_merchant() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed-merchant-id",
            PageProblem::UnknownMerchant,
        )
    }

    /// Nobody has this id.
    #[must_use]
    pub const fn unknown_merchant() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown-merchant", PageProblem::UnknownMerchant)
    }

    /// The path's charge is no UUID.
    #[must_use]
    pub const fn malformed_charge() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed-charge-id",
            PageProblem::UnknownCharge,
        )
    }

    /// No charge of this merchant has this id.
    #[must_use]
    pub const fn unknown_charge() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown-charge", PageProblem::UnknownCharge)
    }

    /// Nothing is at this path.
    #[must_use]
    pub const fn unknown_page() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown-page", PageProblem::UnknownPage)
    }

    /// The path is there, but not for this method.
    #[must_use]
    pub const fn wrong_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            PageProblem::UnknownPage,
        )
    }

    /// The body of a form cannot be read.
    #[must_use]
    pub fn malformed_form(status: StatusCode) -> Self {
        Self::new(status, "malformed-form", PageProblem::Malformed("form".to_owned()))
    }

    /// The member's part does not allow it.
    #[must_use]
    pub const fn not_allowed() -> Self {
        Self::new(StatusCode::FORBIDDEN, "not-allowed", PageProblem::UnknownPage)
    }

    /// A form that was sent from another site's page, or from none.
    #[must_use]
    pub const fn foreign_form() -> Self {
        Self::new(StatusCode::FORBIDDEN, "foreign-form", PageProblem::UnknownPage)
    }

    /// A form of a session that has ended.
    #[must_use]
    pub const fn stale_form() -> Self {
        Self::new(StatusCode::FORBIDDEN, "stale-form", PageProblem::UnknownPage)
    }

    /// Passwords are not taken where they could be read on their way.
    #[must_use]
    pub const fn needs_https() -> Self {
        Self::new(StatusCode::FORBIDDEN, "needs-https", PageProblem::UnknownPage)
    }

    /// The server is busy. Try again in a minute.
    #[must_use]
    pub const fn busy() -> Self {
        Self::unavailable("busy", PageProblem::Internal)
    }

    /// A limit is reached.
    #[must_use]
    pub const fn too_many(secs: u32) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            PageProblem::TooMany(secs),
        )
        .retry_after(secs)
    }

    /// The account has as many exports under way as it may.
    #[must_use]
    pub const fn too_many_exports() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-exports",
            PageProblem::TooMany(SOON),
        )
        .retry_after(SOON)
    }

    /// The merchant takes signed links only (R21).
    #[must_use]
    pub const fn signature_required() -> Self {
        Self::refused("signature-required", PageProblem::BadSignature)
    }

    /// A link that asks for its amount has no price that could be vouched for.
    #[must_use]
    pub const fn signature_without_price() -> Self {
        Self::refused("signature-without-price", PageProblem::BadSignature)
    }

    const fn refused(code: &'static str, problem: PageProblem) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, problem)
    }

    const fn unavailable(code: &'static str, problem: PageProblem) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, problem).retry_after(SOON)
    }

    /// The code in English.
    #[must_use]
    pub fn title(&self) -> &'static str {
        title(self.code)
    }

    /// The same for machines.
    #[must_use]
    pub fn into_problem(self, request: RequestId) -> Problem {
        Problem {
            status: self.status,
            code: self.code,
            title: self.title().to_owned(),
            retry_after: self.retry_after,
            request,
        }
    }
}

/// The code in English.
fn title(code: &str) -> &'static str {
    match code {
        "malformed-merchant-id" => "The merchant id is not a UUID (36 characters).",
        "unknown-merchant" => "There is no such merchant.",
        "malformed-charge-id" => "The charge id is not a UUID (36 characters).",
        "unknown-charge" => "There is no such charge.",
        "method-not-allowed" => "This path does not allow the method.",
        "malformed-form" => "The form cannot be read.",
        "not-allowed" => "Your role in this team does not allow this.",
        "foreign-form" => "The form does not come from a page of this server.",
        "stale-form" => "The form belongs to a session that has ended.",
        "needs-https" => "The dashboard needs https, or a loopback address.",
        "busy" => "The server is busy. Try again in a minute.",
        "too-many-requests" => "Too many requests. See Retry-After.",
        "too-many-exports" => "Two exports of this account are still running.",
        "malformed-price" => "The price is not a whole number of cents.",
        "negative-price" => "The price is negative.",
        "zero-price" => "The price is zero.",
        "price-above-limit" => "The price is above the merchant's limit.",
        "price-too-small" => "The price is too small to pay with Bitcoin.",
        "malformed-currency" => "The currency is not an ISO 4217 code.",
        "unsupported-currency" => "Only eur is supported.",
        "order-id-too-long" => "The order id has more than 200 characters.",
        "malformed-parameter" => "A parameter is not UTF-8, or contains control characters.",
        "repeated-parameter" => "A parameter appears in the link more than once.",
        "malformed-signature" => "sig is not 64 hexadecimal digits.",
        "malformed-expiry" => "exp is not a whole number of Unix seconds.",
        "incomplete-signature" => "sig and exp must be used together.",
        "signature-without-price" => "A link without a price cannot be signed.",
        "signature-required" => "The merchant accepts signed links only.",
        "wrong-signature" => "The signature does not belong to this link.",
        "link-expired" => "The signed link has expired.",
        "no-rate" => "No exchange rate is available.",
        "merchant-not-ready" => "The merchant cannot accept payments yet.",
        "storage-unavailable" => "Charges cannot be stored at the moment.",
        _ => "This path does not exist.",
    }
}

impl From<Problem> for Refusal {
    /// A problem of the edge, which knows nothing of charges.
    fn from(problem: Problem) -> Self {
        let page = if problem.status.is_server_error() {
            PageProblem::Internal
        } else {
            PageProblem::UnknownPage
        };
        Self {
            retry_after: problem.retry_after,
            ..Self::new(problem.status, problem.code, page)
        }
    }
}

impl From<PriceError> for Refusal {
    fn from(error: PriceError) -> Self {
        let bad = |status, code| Self::new(status, code, PageProblem::BadPrice);
        match error {
            PriceError::NotWhole => bad(StatusCode::BAD_REQUEST, "malformed-price"),
            PriceError::Negative => bad(StatusCode::BAD_REQUEST, "negative-price"),
            // A whole number, and so well-formed; but nobody can pay it.
            PriceError::Zero => bad(StatusCode::UNPROCESSABLE_ENTITY, "zero-price"),
            PriceError::AboveLimit(cents) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "price-above-limit",
                PageProblem::PriceTooHigh(cents),
            ),
        }
    }
}

impl From<ParamError> for Refusal {
    fn from(error: ParamError) -> Self {
        const MALFORMED: StatusCode = StatusCode::BAD_REQUEST;
        match error {
            ParamError::Price(error) => error.into(),
            ParamError::UnknownCurrency => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unsupported-currency",
                PageProblem::BadCurrency,
            ),
            ParamError::MalformedCurrency => Self::new(MALFORMED, "malformed-currency", PageProblem::BadCurrency),
            ParamError::OrderIdTooLong => Self::new(MALFORMED, "order-id-too-long", PageProblem::OrderIdTooLong),
            ParamError::Malformed(name) => Self::new(
                MALFORMED,
                "malformed-parameter",
                PageProblem::Malformed(name.to_owned()),
            ),
            ParamError::Repeated(name) => Self::new(
                MALFORMED,
                "repeated-parameter",
                PageProblem::RepeatedParameter(name.to_owned()),
            ),
            ParamError::MalformedSignature => Self::new(MALFORMED, "malformed-signature", PageProblem::BadSignature),
            ParamError::MalformedExpiry => Self::new(MALFORMED, "malformed-expiry", PageProblem::BadSignature),
            ParamError::HalfSigned => Self::new(MALFORMED, "incomplete-signature", PageProblem::BadSignature),
        }
    }
}

impl From<ClaimError> for Refusal {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::WrongSignature => Self::refused("wrong-signature", PageProblem::BadSignature),
            ClaimError::Expired => Self::refused("link-expired", PageProblem::LinkExpired),
        }
    }
}

impl From<SealError> for Refusal {
    fn from(error: SealError) -> Self {
        tracing::error!(%error, "a link's signature could not be checked");
        Self::unavailable("merchant-not-ready", PageProblem::StorageAway)
    }
}

impl From<RetryAfter> for Refusal {
    fn from(RetryAfter(secs): RetryAfter) -> Self {
        Self::too_many(secs)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed a request");
        Self::unavailable("storage-unavailable", PageProblem::StorageAway)
    }
}

impl From<CreateError> for Refusal {
    fn from(error: CreateError) -> Self {
        const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
        match error {
            CreateError::UnknownMerchant => Self::unknown_merchant(),
            CreateError::Price(error) => error.into(),
            CreateError::Terms(TermsError::Dust { .. }) => {
                Self::new(REFUSED, "price-too-small", PageProblem::PriceTooLow)
            }
            CreateError::Terms(TermsError::Rate(_)) => Self::new(REFUSED, "price-above-limit", PageProblem::BadPrice),
            CreateError::NoRate => Self::unavailable("no-rate", PageProblem::RateAway),
            CreateError::NoDescriptor | CreateError::IssuanceBlocked(_) => {
                tracing::warn!(%error, "a charge was refused");
                Self::unavailable("merchant-not-ready", PageProblem::StorageAway)
            }
            CreateError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bitpro_charge::{Amount, RateError};

    use super::*;
    use crate::charges::IssuanceBlock;

    #[test]
    fn r38_malformed_is_400_unknown_404_refused_422_and_a_missing_rate_or_store_503() {
        let dust = TermsError::Dust {
            amount: Amount::from_sat(1),
            limit: Amount::from_sat(294),
        };
        for (refusal, status, code) in [
            (Refusal::malformed_merchant(), 400, "malformed-merchant-id"),
            (Refusal::unknown_merchant(), 404, "unknown-merchant"),
            (Refusal::unknown_charge(), 404, "unknown-charge"),
            (PriceError::NotWhole.into(), 400, "malformed-price"),
            (PriceError::Negative.into(), 400, "negative-price"),
            (PriceError::Zero.into(), 422, "zero-price"),
            (PriceError::AboveLimit(1).into(), 422, "price-above-limit"),
            (ParamError::UnknownCurrency.into(), 422, "unsupported-currency"),
            (ParamError::MalformedCurrency.into(), 400, "malformed-currency"),
            (ParamError::OrderIdTooLong.into(), 400, "order-id-too-long"),
            (ParamError::Repeated("lang").into(), 400, "repeated-parameter"),
            (ParamError::Malformed("lang").into(), 400, "malformed-parameter"),
            (ParamError::MalformedSignature.into(), 400, "malformed-signature"),
            (ParamError::MalformedExpiry.into(), 400, "malformed-expiry"),
            (ParamError::HalfSigned.into(), 400, "incomplete-signature"),
            (Refusal::too_many_exports(), 429, "too-many-exports"),
            (Refusal::signature_required(), 422, "signature-required"),
            (Refusal::signature_without_price(), 422, "signature-without-price"),
            (ClaimError::WrongSignature.into(), 422, "wrong-signature"),
            (ClaimError::Expired.into(), 422, "link-expired"),
            (SealError::MissingKey(2).into(), 503, "merchant-not-ready"),
            (RetryAfter(6).into(), 429, "too-many-requests"),
            (CreateError::Terms(dust).into(), 422, "price-too-small"),
            (
                CreateError::Terms(TermsError::Rate(RateError::TooLarge)).into(),
                422,
                "price-above-limit",
            ),
            (CreateError::NoRate.into(), 503, "no-rate"),
            (CreateError::NoDescriptor.into(), 503, "merchant-not-ready"),
            (
                CreateError::IssuanceBlocked(IssuanceBlock::AwaitsScan).into(),
                503,
                "merchant-not-ready",
            ),
            (StoreError::Closed.into(), 503, "storage-unavailable"),
        ] {
            assert_eq!((refusal.status.as_u16(), refusal.code), (status, code));
            assert_eq!(refusal.retry_after.is_some(), matches!(status, 429 | 503), "{code}");
            assert!(
                code == "unknown-page" || title(code) != title(""),
                "{code} has no title"
            );
        }
    }
}
