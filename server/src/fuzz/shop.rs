//! What shoppers and merchants fill in: links, amounts, settings, pictures.

use bitpro_base::fuzzing::{Memory, Target, text};
use bitpro_base::links::{ClaimError, LinkKey, message};
use bitpro_charge::{Cents, MerchantId, Timestamp};
use bitpro_checkout_app::price;
use bitpro_merchant::{Logo, SETTINGS, Settings};
use bitpro_web::checkout::params::Params;

pub(super) const TARGETS: &[Target] = &[
    Target::new(
        "link-query",
        2_000,
        &[
            "fiat_price_cents=",
            "4200",
            "fiat_currency=eur",
            "buyer_email=",
            "ada%40shop.example",
            "lang=fr",
            "external_order_id=",
            "sig=",
            "exp=",
            "amount=",
            "press=",
            "&",
            "%",
            "%00",
            "%ff",
            "+",
            "999999999999",
            "-1",
            "1e3",
            "%E2%80%AE",
        ],
        link_query,
    ),
    Target::new(
        "typed-amount",
        100,
        &[
            "1 234,56",
            "1.234,56",
            "€",
            "\u{202f}",
            "\u{a0}",
            ",",
            ".",
            "18446744073709551615",
        ],
        typed_amount,
    ),
    Target::new(
        "settings",
        4_000,
        &[
            "site=https://",
            "name=",
            "allowed_origins=",
            "*.shop.example",
            "colour=#",
            "languages=",
            "en fr",
            "default_language=",
            "window_secs=",
            "confirmations=",
            "1 2 3",
            "time_zone=",
            "Europe/Paris",
            "late_policy=",
            "price_limit_cents=",
            "é",
            "\u{202e}",
            "\n",
        ],
        settings,
    ),
    Target::new(
        "picture",
        64 * 1024,
        &[
            "IHDR", "IDAT", "IEND", "PLTE", "tRNS", "RIFF", "WEBP", "VP8L", "VP8X", "ANMF",
        ],
        picture,
    )
    .within(Memory {
        // The longest sides at four bytes a pixel, twice, and what comes before the picture is small.
        base: 400 * 1024 * 1024,
        per_byte: 64,
        times: 4,
    }),
];

/// A link reads as itself when it is written again, and no other link has its signature (R21, R38).
fn link_query(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let limit = Cents(10_000_000);
    let _ = Params::language_of(text);
    let Ok(params) = Params::parse(text, limit) else { return };
    if let Some(price) = params.price {
        assert!((1..=limit.0).contains(&price.0), "R38: {price:?}");
    }
    if let Some(order_id) = &params.order_id {
        assert!(order_id.chars().count() <= 200 && !order_id.chars().any(char::is_control));
    }
    let pairs = params.pairs();
    let again = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&pairs)
        .finish();
    let read = Params::parse(&again, limit).expect("our own link is read");
    let known = |params: &Params| {
        let Params {
            price,
            order_id,
            buyer_email,
            language,
            claim,
            ..
        } = params.clone();
        (price, order_id, buyer_email, language, claim)
    };
    assert_eq!(known(&read), known(&params), "{again}");
    if let Some(claim) = params.claim {
        let (merchant, key) = (MerchantId([7; 16]), LinkKey::new([9; 32]));
        let now = Timestamp(0);
        assert_eq!(
            claim.check(merchant, [&key], now),
            Err(ClaimError::WrongSignature),
            "R21: nobody can sign"
        );
        let mut signed = claim.clone();
        signed.signature = key.sign(&message(merchant, &claim.covered, claim.expires));
        assert_ne!(signed.check(merchant, [&key], now), Err(ClaimError::WrongSignature));
        assert_eq!(
            signed.check(MerchantId([8; 16]), [&key], now),
            Err(ClaimError::WrongSignature)
        );
        let mut other = signed.clone();
        other.covered.order_id = Some(format!("{}x", other.covered.order_id.unwrap_or_default()));
        assert_eq!(
            other.check(merchant, [&key], now),
            Err(ClaimError::WrongSignature),
            "R21"
        );
    }
}

/// An amount that is read has the digits that were typed, and no others.
fn typed_amount(input: &[u8]) {
    let Some(text) = text(input) else { return };
    if let Some(cents) = price::cents(text) {
        let typed: String = text.chars().filter(char::is_ascii_digit).collect();
        let digits = cents.to_string();
        let without_zeros = |digits: &str| digits.trim_matches('0').to_owned();
        assert_eq!(without_zeros(&digits), without_zeros(&typed), "{text:?} is {cents}");
    }
}

/// What is taken as a setting can be kept, and reads back as the same: the database holds settings as they are written.
fn settings(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let changes: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let Ok(changed) = Settings::named("Shop").and_then(|settings| settings.with(&changes)) else {
        return;
    };
    let written: Vec<(&str, String)> = SETTINGS
        .iter()
        .map(|setting| (setting.name, changed.text_of(setting.id)))
        .collect();
    let written: Vec<(&str, &str)> = written.iter().map(|(name, text)| (*name, text.as_str())).collect();
    assert_eq!(Settings::default().with(&written).as_ref(), Ok(&changed));
}

/// What is taken is served as a small picture of ours; what is not costs no more than the largest that is.
fn picture(input: &[u8]) {
    if let Ok(logo) = Logo::made_of(input) {
        assert_eq!(logo.mime, "image/png");
        let again = Logo::made_of(&logo.bytes).expect("our own picture is one");
        assert_eq!(Logo::from_stored(logo.bytes.to_vec()).as_ref(), Some(&logo));
        assert_eq!(again, logo, "it stays as it is");
    }
}
