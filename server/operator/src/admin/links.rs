//! Link keys, and links signed by hand.

use bitpro_base::instants::instant;
use bitpro_base::links::{Covered, Expiry, LinkKey, Signature, message};
use bitpro_charge::{Cents, MerchantId, Timestamp};
use bitpro_merchant::urls;
use bitpro_merchant::urls::LANG;
use bitpro_service::charges::{Charges, CommitHook, LinkKeyError};
use bitpro_web::checkout::params::{CURRENCY, EMAIL, EXPIRY, ORDER_ID, PRICE, Params, SIGNATURE};
use bitpro_web::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::form_urlencoded::Serializer;

use super::execute::read;
use super::wire::{Failure, Kind, Reply};

/// A command about signed links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "link")]
pub enum LinkCommand {
    /// Makes a key, which signs from now on.
    RotateKey {
        /// The merchant's id.
        merchant: String,
        /// How long the key before it still counts, in seconds.
        overlap_secs: u32,
    },
    /// The keys that count.
    ListKeys {
        /// The merchant's id.
        merchant: String,
    },
    /// Ends a key at once.
    RevokeKey {
        /// The merchant's id.
        merchant: String,
        /// The key's id.
        key: String,
    },
    /// Signs a link.
    Sign(LinkToSign),
}

/// A link to be signed. An empty text counts as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LinkToSign {
    /// The merchant's id.
    pub merchant: String,
    /// `fiat_price_cents`
    pub price: String,
    /// `fiat_currency`
    pub currency: Option<String>,
    /// `external_order_id`
    pub order_id: Option<String>,
    /// `buyer_email`
    pub buyer_email: Option<String>,
    /// `lang`, which no signature covers.
    pub lang: Option<String>,
    /// When it runs out, in Unix seconds; goes before `valid_secs`.
    pub expires: Option<u64>,
    /// How long it is good, in seconds.
    pub valid_secs: u32,
}

/// Carries out `command` on `charges`.
///
/// # Errors
/// [`Failure`]; nothing is changed then.
pub(super) async fn execute(charges: &Charges, command: LinkCommand) -> Reply {
    match command {
        LinkCommand::RotateKey { merchant, overlap_secs } => {
            let made = charges
                .rotate_link_key(id(&merchant)?, overlap_secs, CommitHook::none())
                .await?;
            Ok(json!({
                "id": hex::encode(made.id),
                "key": made.key.reveal(),
                "previous_until": made.previous_until.map(instant),
            }))
        }
        LinkCommand::ListKeys { merchant } => {
            let keys = charges.link_keys(id(&merchant)?)?;
            let listed = keys.iter().map(|key| {
                json!({
                    "id": hex::encode(key.id),
                    "created_at": instant(key.created_at),
                    "signs": key.ends_at.is_none(),
                    "until": key.ends_at.map(instant),
                })
            });
            Ok(listed.collect())
        }
        LinkCommand::RevokeKey { merchant, key } => {
            let mut bytes = [0; 16];
            hex::decode_to_slice(&key, &mut bytes)
                .map_err(|_| invalid(format!("key = {key:?}: wanted 32 hexadecimal digits, as in the list")))?;
            charges
                .revoke_link_key(id(&merchant)?, bytes, CommitHook::none())
                .await?;
            Ok(json!({ "id": key }))
        }
        LinkCommand::Sign(link) => {
            let merchant = id(&link.merchant)?;
            let known = charges.merchant(merchant).ok_or(LinkKeyError::UnknownMerchant)?;
            signed(&link, known.settings.price_limit, charges.now(), |covered, expires| {
                Ok(charges.sign_link(merchant, covered, expires)?)
            })
        }
    }
}

/// Signs `link` under `key`, without a server: nothing of the merchant is known, so their limit of the price is not checked.
///
/// # Errors
/// [`Failure`].
pub fn sign_offline(link: &LinkToSign, key: &LinkKey, now: Timestamp) -> Reply {
    let merchant = id(&link.merchant)?;
    signed(link, Cents(u64::MAX), now, |covered, expires| {
        Ok(key.sign(&message(merchant, covered, expires)))
    })
}

/// The link with its signature. It is read as the checkout would read it, so that none is signed that would be refused.
fn signed(
    link: &LinkToSign,
    limit: Cents,
    now: Timestamp,
    sign: impl FnOnce(&Covered, Expiry) -> Result<Signature, Failure>,
) -> Reply {
    let merchant = id(&link.merchant)?;
    let expires = match link.expires {
        Some(secs) => Some(secs),
        None => u64::try_from(now.plus_secs(link.valid_secs).as_secs()).ok(),
    };
    let expires = expires
        .and_then(Expiry::from_secs)
        .filter(|expires| !expires.is_past(now))
        .ok_or_else(|| invalid("exp: wanted Unix seconds of at most 12 digits, later than now"))?;
    let present = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let covered = Covered {
        price: Some(link.price.clone()),
        currency: present(&link.currency),
        order_id: present(&link.order_id),
        buyer_email: present(&link.buyer_email),
    };
    let parameters = [
        (PRICE, covered.price.clone()),
        (CURRENCY, covered.currency.clone()),
        (ORDER_ID, covered.order_id.clone()),
        (EMAIL, covered.buyer_email.clone()),
        (LANG, present(&link.lang)),
    ];
    let mut query = Serializer::new(String::new());
    query.extend_pairs(
        parameters
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_ref()?))),
    );
    let mut query = query.finish();
    check(&query, limit)?;
    let signature = sign(&covered, expires)?;
    query.push_str(&format!("&{EXPIRY}={expires}&{SIGNATURE}={signature}"));
    Ok(json!({
        "link": format!("{}?{query}", urls::link(merchant)),
        EXPIRY: expires.to_string(),
        SIGNATURE: signature.to_string(),
        "message": String::from_utf8_lossy(&message(merchant, &covered, expires)),
    }))
}

/// Refuses what a checkout would refuse, and what it would only ignore.
fn check(query: &str, limit: Cents) -> Result<(), Failure> {
    let params = Params::parse(query, limit).map_err(|error| {
        let refusal = Refusal::from(error);
        invalid(format!("{}: {}", refusal.code(), refusal.title()))
    })?;
    if params.price.is_none() {
        return Err(invalid("a link without a price cannot be signed"));
    }
    let ignored: Vec<&str> = params.ignored.iter().map(|ignored| ignored.said()).collect();
    if ignored.is_empty() {
        Ok(())
    } else {
        Err(invalid(ignored.join("; ")))
    }
}

fn id(text: &str) -> Result<MerchantId, Failure> {
    read("merchant id", text)
}

fn invalid(message: impl ToString) -> Failure {
    Failure::new(Kind::Invalid, message)
}

impl From<LinkKeyError> for Failure {
    fn from(error: LinkKeyError) -> Self {
        let kind = match &error {
            LinkKeyError::UnknownMerchant | LinkKeyError::UnknownKey | LinkKeyError::NoKey => Kind::Unknown,
            LinkKeyError::Seal(_) | LinkKeyError::Store(_) => Kind::Unavailable,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

    fn link() -> LinkToSign {
        LinkToSign {
            merchant: "0F3A7C1E-5b7d-4f43-9d52-0a3c2f6e8b11".to_owned(),
            price: "4200".to_owned(),
            currency: Some("eur".to_owned()),
            order_id: Some("A-1001".to_owned()),
            buyer_email: Some("shopper@mail.example".to_owned()),
            expires: Some(1_800_000_000),
            ..LinkToSign::default()
        }
    }

    fn key() -> LinkKey {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../../docs/signed-links.json")).unwrap();
        vectors["key"].as_str().unwrap().parse().unwrap()
    }

    #[test]
    fn a_link_is_signed_offline_as_the_published_vector_says() {
        let signed = sign_offline(&link(), &key(), NOW).unwrap();
        let sig = "ab2e79daa195f5e7fe49d968dba43fef9125164c3b35ea918a6de75248a23c25";
        assert_eq!(signed["sig"], sig);
        assert_eq!(
            signed["link"],
            format!(
                "/app/checkout/0f3a7c1e-5b7d-4f43-9d52-0a3c2f6e8b11?fiat_price_cents=4200&fiat_currency=eur\
                 &external_order_id=A-1001&buyer_email=shopper%40mail.example&exp=1800000000&sig={sig}"
            )
        );
    }

    #[test]
    fn without_an_expiry_a_link_is_good_for_as_long_as_is_said() {
        let lasting = LinkToSign {
            expires: None,
            valid_secs: 60,
            ..link()
        };
        assert_eq!(sign_offline(&lasting, &key(), NOW).unwrap()["exp"], "1700000060");
    }

    #[test]
    fn no_link_is_signed_that_the_checkout_would_not_take_whole() {
        let refused = |change: fn(&mut LinkToSign), says: &str| {
            let mut wrong = link();
            change(&mut wrong);
            let failure = sign_offline(&wrong, &key(), NOW).unwrap_err();
            assert_eq!(failure.kind, Kind::Invalid);
            assert!(failure.message.contains(says), "{failure}");
        };
        refused(|link| link.merchant = "x".to_owned(), "merchant id");
        refused(|link| link.price = "42.00".to_owned(), "malformed-price");
        refused(|link| link.price = String::new(), "without a price");
        refused(|link| link.currency = Some("usd".to_owned()), "unsupported-currency");
        refused(|link| link.order_id = Some("x".repeat(201)), "order-id-too-long");
        refused(|link| link.buyer_email = Some("nobody".to_owned()), "buyer_email");
        refused(|link| link.lang = Some("xx".to_owned()), "lang");
        refused(|link| link.expires = Some(1_600_000_000), "exp");
        refused(|link| link.expires = Some(u64::MAX), "exp");
    }
}
