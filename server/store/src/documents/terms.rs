//! Terms as they are stored: the creation of a charge, frozen (R1).

use bitpro_charge::{Amount, Cents, LatePolicy, Terms, Tiers, Timestamp};
use serde::{Deserialize, Serialize};

use super::parts::StoredQuote;
use super::{BadDocument, expect_version};

#[derive(Serialize, Deserialize)]
struct StoredTerms {
    version: u32,
    price_cents: u64,
    amount_sat: u64,
    forgiven_sat: u64,
    quote: StoredQuote,
    /// Younger than the rest: a document without it is from before there was a spread.
    #[serde(default)]
    spread_bps: u32,
    created_at: i64,
    expires_at: i64,
    grace_secs: u32,
    settle_within_secs: u32,
    extension_secs: u32,
    small_limit_cents: u64,
    medium_limit_cents: u64,
    confirmations: [u32; 3],
    late_policy: StoredPolicy,
    rate_move_limit_bps: u32,
    dust_limit_sat: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredPolicy {
    Ask,
    Accept,
}

/// The document for `terms`.
pub(crate) fn terms_to(terms: &Terms) -> String {
    let stored = StoredTerms {
        version: 1,
        price_cents: terms.price.0,
        amount_sat: terms.amount.to_sat(),
        forgiven_sat: terms.forgiven.to_sat(),
        quote: (&terms.quote).into(),
        spread_bps: terms.spread_bps,
        created_at: terms.created_at.0,
        expires_at: terms.expires_at.0,
        grace_secs: terms.grace_secs,
        settle_within_secs: terms.settle_within_secs,
        extension_secs: terms.extension_secs,
        small_limit_cents: terms.tiers.small_limit.0,
        medium_limit_cents: terms.tiers.medium_limit.0,
        confirmations: [terms.tiers.small, terms.tiers.medium, terms.tiers.large],
        late_policy: match terms.late_policy {
            LatePolicy::Ask => StoredPolicy::Ask,
            LatePolicy::Accept => StoredPolicy::Accept,
        },
        rate_move_limit_bps: terms.rate_move_limit_bps,
        dust_limit_sat: terms.dust_limit.to_sat(),
    };
    serde_json::to_string(&stored).expect("plain texts and numbers always serialize")
}

/// The terms in `document`.
///
/// # Errors
/// [`BadDocument`].
pub(crate) fn terms_from(document: &str) -> Result<Terms, BadDocument> {
    let stored: StoredTerms = serde_json::from_str(document)?;
    expect_version(stored.version)?;
    let [small, medium, large] = stored.confirmations;
    Ok(Terms {
        price: Cents(stored.price_cents),
        amount: Amount::from_sat(stored.amount_sat),
        forgiven: Amount::from_sat(stored.forgiven_sat),
        quote: stored.quote.try_into()?,
        spread_bps: stored.spread_bps,
        created_at: Timestamp(stored.created_at),
        expires_at: Timestamp(stored.expires_at),
        grace_secs: stored.grace_secs,
        settle_within_secs: stored.settle_within_secs,
        extension_secs: stored.extension_secs,
        tiers: Tiers {
            small_limit: Cents(stored.small_limit_cents),
            medium_limit: Cents(stored.medium_limit_cents),
            small,
            medium,
            large,
        },
        late_policy: match stored.late_policy {
            StoredPolicy::Ask => LatePolicy::Ask,
            StoredPolicy::Accept => LatePolicy::Accept,
        },
        rate_move_limit_bps: stored.rate_move_limit_bps,
        dust_limit: Amount::from_sat(stored.dust_limit_sat),
    })
}
