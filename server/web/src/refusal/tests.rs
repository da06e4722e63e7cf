//! Refusals: their statuses and codes.

use bitpro_charge::{Amount, RateError};
use bitpro_service::charges::IssuanceBlock;

use super::*;
use crate::checkout::params::ParamError;

#[test]
fn r38_malformed_is_400_unknown_404_refused_422_and_a_missing_rate_or_store_503() {
    let dust = TermsError::Dust {
        amount: Amount::from_sat(1),
        limit: Amount::from_sat(294),
    };
    for (refusal, status, code) in [
        (Refusal::MalformedMerchant, 400, "malformed-merchant-id"),
        (Refusal::UnknownMerchant, 404, "unknown-merchant"),
        (Refusal::UnknownCharge, 404, "unknown-charge"),
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
        (Refusal::UnknownPage, 404, "unknown-page"),
        (Refusal::WrongMethod, 405, "method-not-allowed"),
        (Refusal::Busy, 503, "busy"),
        (Refusal::SignatureRequired, 422, "signature-required"),
        (Refusal::SignatureWithoutPrice, 422, "signature-without-price"),
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
        assert_eq!((refusal.status().as_u16(), refusal.code()), (status, code));
        assert_eq!(refusal.retry_after().is_some(), matches!(status, 429 | 503), "{code}");
    }
}
