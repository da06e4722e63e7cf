//! The form of signed links, pinned by the vectors that other languages are tested with.

use bitpro_charge::{MerchantId, Timestamp};
use serde_json::Value;

use super::*;

/// What the guide publishes: a key, and links signed with it.
fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../docs/signed-links.json")).unwrap()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn claim(vector: &Value) -> (MerchantId, Claim) {
    let claim = Claim {
        covered: Covered {
            price: text(&vector["fiat_price_cents"]),
            currency: text(&vector["fiat_currency"]),
            order_id: text(&vector["external_order_id"]),
            buyer_email: text(&vector["buyer_email"]),
        },
        expires: vector["exp"].as_str().unwrap().parse().unwrap(),
        signature: vector["sig"].as_str().unwrap().parse().unwrap(),
    };
    (vector["merchant_id"].as_str().unwrap().parse().unwrap(), claim)
}

#[test]
fn the_published_vectors_are_what_is_signed() {
    let vectors = vectors();
    let key: LinkKey = vectors["key"].as_str().unwrap().parse().unwrap();
    let listed = vectors["vectors"].as_array().unwrap();
    assert!(listed.len() >= 8);
    for vector in listed {
        let (merchant, claim) = claim(vector);
        let message = message(merchant, &claim.covered, claim.expires);
        assert_eq!(
            String::from_utf8(message.clone()).unwrap(),
            vector["message"],
            "{}",
            vector["says"]
        );
        assert_eq!(key.sign(&message).to_string(), vector["sig"], "{}", vector["says"]);
        assert_eq!(claim.check(merchant, [&key], Timestamp(0)), Ok(()));
    }
}

#[test]
fn no_two_vectors_share_a_signature() {
    let vectors = vectors();
    let listed = vectors["vectors"].as_array().unwrap();
    let signatures: std::collections::HashSet<&str> = listed.iter().map(|one| one["sig"].as_str().unwrap()).collect();
    assert_eq!(signatures.len(), listed.len());
}

#[test]
fn every_covered_value_counts_and_absent_is_not_empty() {
    let vectors = vectors();
    let key: LinkKey = vectors["key"].as_str().unwrap().parse().unwrap();
    let (merchant, whole) = claim(&vectors["vectors"][0]);
    let refused = |change: fn(&mut Claim)| {
        let mut changed = whole.clone();
        change(&mut changed);
        assert_eq!(
            changed.check(merchant, [&key], Timestamp(0)),
            Err(ClaimError::WrongSignature),
            "{changed:?}"
        );
    };
    refused(|claim| claim.covered.price = Some("1".to_owned()));
    refused(|claim| claim.covered.price = None);
    refused(|claim| claim.covered.currency = Some("EUR".to_owned()));
    refused(|claim| claim.covered.currency = None);
    refused(|claim| claim.covered.order_id = Some("A-1002".to_owned()));
    refused(|claim| claim.covered.order_id = Some(String::new()));
    refused(|claim| claim.covered.buyer_email = None);
    refused(|claim| claim.covered.buyer_email = Some(String::new()));
    refused(|claim| claim.expires = Expiry::from_secs(1).unwrap());
    refused(|claim| claim.signature.0[31] ^= 1);
    assert_eq!(
        whole.check(MerchantId([9; 16]), [&key], Timestamp(0)),
        Err(ClaimError::WrongSignature)
    );
    assert_eq!(
        whole.check(merchant, [&LinkKey::new([1; 32])], Timestamp(0)),
        Err(ClaimError::WrongSignature)
    );
    assert_eq!(whole.check(merchant, [], Timestamp(0)), Err(ClaimError::WrongSignature));
    assert_eq!(
        whole.check(merchant, [&LinkKey::new([1; 32]), &key], Timestamp(0)),
        Ok(())
    );
}

#[test]
fn a_value_cannot_pass_for_its_neighbour() {
    let merchant = MerchantId([1; 16]);
    let expires = Expiry::from_secs(1).unwrap();
    let of = |order_id: Option<&str>, buyer_email: Option<&str>| {
        let covered = Covered {
            order_id: order_id.map(str::to_owned),
            buyer_email: buyer_email.map(str::to_owned),
            ..Covered::default()
        };
        message(merchant, &covered, expires)
    };
    let one = of(Some("A"), Some("B"));
    for other in [
        of(Some("B"), Some("A")),
        of(Some("A,1:B"), None),
        of(None, Some("A,1:B")),
        of(Some("A,1:B,"), Some("")),
        of(Some("AB"), Some("")),
        of(Some("-"), Some("B")),
        of(None, None),
        of(Some(""), Some("")),
    ] {
        assert_ne!(one, other);
    }
    assert_ne!(of(None, None), of(Some(""), Some("")));
}

#[test]
fn a_link_is_good_until_the_instant_that_it_names() {
    let expires: Expiry = "1800000000".parse().unwrap();
    assert!(!expires.is_past(Timestamp(1_799_999_999_999)));
    assert!(expires.is_past(Timestamp(1_800_000_000_000)));
    assert!(
        !"999999999999"
            .parse::<Expiry>()
            .unwrap()
            .is_past(Timestamp(1_800_000_000_000))
    );
    for bad in [
        "",
        "-1",
        "+1",
        "01",
        " 1",
        "1.0",
        "1e9",
        "1000000000000",
        "99999999999999999999",
    ] {
        assert_eq!(bad.parse::<Expiry>(), Err(()), "{bad}");
    }
}

#[test]
fn a_key_is_read_as_it_is_shown_and_never_printed_otherwise() {
    let key = LinkKey::new([0xab; 32]);
    assert_eq!(key.reveal().parse(), Ok(key.clone()));
    assert!(!format!("{key:?}").contains("ab"));
    for bad in ["", "ab", &"g".repeat(64), &"a".repeat(66)] {
        assert_eq!(bad.parse::<LinkKey>(), Err(KeyError));
    }
}
