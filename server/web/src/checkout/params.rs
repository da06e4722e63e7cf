//! The parameters of a payment link, read as R38 says: what decides about money is strict, what is optional never loses a
//! sale.

#[cfg(test)]
mod tests;

use bitpro_base::links::{Claim, Covered};
use bitpro_charge::{Cents, PriceError};
use bitpro_merchant::Language;
use bitpro_merchant::urls::LANG;
use bitpro_service::charges::Ignored;

use crate::refusal::Refusal;

/// The price in cents.
pub const PRICE: &str = "fiat_price_cents";
/// The currency of the price.
pub const CURRENCY: &str = "fiat_currency";
/// The shopper's e-mail.
pub const EMAIL: &str = "buyer_email";
/// The merchant's own order id.
pub const ORDER_ID: &str = "external_order_id";
/// The merchant's signature (docs/signed-links.md).
pub const SIGNATURE: &str = "sig";
/// Until when the signature is good, in Unix seconds.
pub const EXPIRY: &str = "exp";
/// The amount in euro as a shopper typed it into our form; never in a link.
pub const AMOUNT: &str = bitpro_checkout_app::page::AmountForm::FIELD;
/// The token of our button; never in a link.
pub const PRESS: &str = "press";

const KNOWN: [&str; 9] = [PRICE, CURRENCY, EMAIL, LANG, ORDER_ID, SIGNATURE, EXPIRY, AMOUNT, PRESS];

/// The API reference's limit of an order id, in characters.
const ORDER_ID_CHARS: usize = 200;
/// RFC 5321, section 4.5.3.1.3: a path is at most 256 octets with its angle brackets.
const EMAIL_BYTES: usize = 254;

/// What a link or form asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params {
    /// The price; `None` asks the shopper.
    pub price: Option<Cents>,
    /// The merchant's order id.
    pub order_id: Option<String>,
    /// The shopper's e-mail, normalised.
    pub buyer_email: Option<String>,
    /// The language.
    pub language: Option<Language>,
    /// The signature, and what it is said to cover.
    pub claim: Option<Claim>,
    /// The amount that the shopper typed.
    pub amount: Option<String>,
    /// The button's token.
    pub press: Option<String>,
    /// What was ignored, for the merchant (R38).
    pub ignored: Vec<Ignored>,
}

/// Why a link makes no charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamError {
    /// The price is no price, or above the limit.
    Price(PriceError),
    /// A currency that we do not know.
    UnknownCurrency,
    /// The currency is no ISO 4217 code.
    MalformedCurrency,
    /// The order id has more than 200 characters.
    OrderIdTooLong,
    /// This parameter is not UTF-8, or has control characters.
    Malformed(&'static str),
    /// This parameter stands there more than once.
    Repeated(&'static str),
    /// The signature is not 64 hexadecimal digits.
    MalformedSignature,
    /// The expiry is not a number of Unix seconds.
    MalformedExpiry,
    /// Of signature and expiry, one is missing.
    HalfSigned,
}

impl From<ParamError> for Refusal {
    fn from(error: ParamError) -> Self {
        match error {
            ParamError::Price(error) => error.into(),
            ParamError::UnknownCurrency => Self::UnsupportedCurrency,
            ParamError::MalformedCurrency => Self::MalformedCurrency,
            ParamError::OrderIdTooLong => Self::OrderIdTooLong,
            ParamError::Malformed(name) => Self::MalformedParameter(name),
            ParamError::Repeated(name) => Self::RepeatedParameter(name),
            ParamError::MalformedSignature => Self::MalformedSignature,
            ParamError::MalformedExpiry => Self::MalformedExpiry,
            ParamError::HalfSigned => Self::IncompleteSignature,
        }
    }
}

impl Params {
    /// Reads a query string, or a form of the type `application/x-www-form-urlencoded`; `limit` is the highest price.
    ///
    /// # Errors
    /// [`ParamError`], for the first parameter that is wrong.
    pub fn parse(encoded: &str, limit: Cents) -> Result<Self, ParamError> {
        let raw = Raw::read(encoded)?;
        let mut params = Self {
            claim: raw.claim()?,
            ..Self::default()
        };
        for (name, value) in raw.present() {
            params.take(name, value, limit)?;
        }
        Ok(params)
    }

    /// The language alone, for a page that says what is wrong with the rest.
    #[must_use]
    pub fn language_of(encoded: &str) -> Option<Language> {
        pairs(encoded)
            .filter(|(name, _)| name == LANG.as_bytes())
            .find_map(|(_, value)| std::str::from_utf8(&value).ok()?.parse().ok())
    }

    /// The parameters as they would stand in a link, without what belongs to our forms. Of a signed link they are the very
    /// values that the signature covers, and the signature: our own button and language switch must not break it.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        let language = self.language.map(|language| language.to_string());
        let pairs = match &self.claim {
            Some(claim) => vec![
                (PRICE, claim.covered.price.clone()),
                (CURRENCY, claim.covered.currency.clone()),
                (EMAIL, claim.covered.buyer_email.clone()),
                (LANG, language),
                (ORDER_ID, claim.covered.order_id.clone()),
                (EXPIRY, Some(claim.expires.to_string())),
                (SIGNATURE, Some(claim.signature.to_string())),
            ],
            None => vec![
                (PRICE, self.price.map(|price| price.0.to_string())),
                (EMAIL, self.buyer_email.clone()),
                (LANG, language),
                (ORDER_ID, self.order_id.clone()),
            ],
        };
        pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }

    fn take(&mut self, name: &'static str, value: Result<String, ()>, limit: Cents) -> Result<(), ParamError> {
        match name {
            EMAIL => match value.ok().as_deref().and_then(normalised_email) {
                Some(email) => self.buyer_email = Some(email),
                None => self.ignored.push(Ignored::Email),
            },
            LANG => match value.ok().and_then(|text| text.parse().ok()) {
                Some(language) => self.language = Some(language),
                None => self.ignored.push(Ignored::Language),
            },
            AMOUNT => self.amount = value.ok(),
            PRESS => self.press = value.ok(),
            // They were read as a whole, with what they cover.
            SIGNATURE | EXPIRY => {}
            _ => {
                let value = value.map_err(|()| ParamError::Malformed(name))?;
                match name {
                    PRICE => self.price = Some(Cents::parse_price(&value, limit).map_err(ParamError::Price)?),
                    CURRENCY => check_currency(&value)?,
                    _ => self.order_id = Some(checked_order_id(value)?),
                }
            }
        }
        Ok(())
    }
}

/// The known parameters, decoded, each at most once.
struct Raw([Option<Result<String, ()>>; KNOWN.len()]);

impl Raw {
    fn read(encoded: &str) -> Result<Self, ParamError> {
        let mut raw: [Option<Result<String, ()>>; KNOWN.len()] = Default::default();
        for (name, value) in pairs(encoded) {
            let Some(at) = KNOWN.iter().position(|known| known.as_bytes() == name) else {
                continue;
            };
            if raw[at].is_some() {
                return Err(ParamError::Repeated(KNOWN[at]));
            }
            raw[at] = Some(String::from_utf8(value).map_err(|_| ()));
        }
        Ok(Self(raw))
    }

    /// The value of a parameter as it stands there, also an empty one.
    ///
    /// # Errors
    /// [`ParamError::Malformed`] when it is not UTF-8.
    fn as_sent(&self, name: &'static str) -> Result<Option<String>, ParamError> {
        let at = KNOWN.iter().position(|known| *known == name);
        match at.and_then(|at| self.0[at].as_ref()) {
            Some(Ok(text)) => Ok(Some(text.clone())),
            Some(Err(())) => Err(ParamError::Malformed(name)),
            None => Ok(None),
        }
    }

    /// The signature with what it is said to cover; nothing for an unsigned link.
    fn claim(&self) -> Result<Option<Claim>, ParamError> {
        let given = |name| Ok::<_, ParamError>(self.as_sent(name)?.filter(|text| !text.is_empty()));
        let (signature, expires) = match (given(SIGNATURE)?, given(EXPIRY)?) {
            (Some(signature), Some(expires)) => (signature, expires),
            (None, None) => return Ok(None),
            _ => return Err(ParamError::HalfSigned),
        };
        Ok(Some(Claim {
            covered: Covered {
                price: self.as_sent(PRICE)?,
                currency: self.as_sent(CURRENCY)?,
                order_id: self.as_sent(ORDER_ID)?,
                buyer_email: self.as_sent(EMAIL)?,
            },
            expires: expires.parse().map_err(|()| ParamError::MalformedExpiry)?,
            signature: signature.parse().map_err(|()| ParamError::MalformedSignature)?,
        }))
    }

    /// Those that are there; an empty one is absent (R38).
    fn present(self) -> impl Iterator<Item = (&'static str, Result<String, ()>)> {
        KNOWN.into_iter().zip(self.0).filter_map(|(name, value)| match value {
            Some(Ok(text)) if text.is_empty() => None,
            value => Some((name, value?)),
        })
    }
}

/// Splits and decodes without losing invalid bytes, as a lossy decoder would: two different order ids must not become one.
pub fn pairs(encoded: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    encoded.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

/// URL-decoding as in the WHATWG URL standard, section 5.1: a percent sign that begins no byte stands for itself.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = bytes.get(at + 1..at + 3).filter(|_| byte == b'%');
        match (byte, escaped.and_then(|digits| hex::decode(digits).ok())) {
            (_, Some(decoded)) => {
                out.extend(decoded);
                at += 3;
                continue;
            }
            (b'+', None) => out.push(b' '),
            (_, None) => out.push(byte),
        }
        at += 1;
    }
    out
}

/// Refuses all currencies but the one in which shops have prices.
///
/// # Errors
/// [`ParamError`]: another currency, or a text that is none.
pub fn check_currency(text: &str) -> Result<(), ParamError> {
    if text.eq_ignore_ascii_case("eur") {
        Ok(())
    } else if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        Err(ParamError::UnknownCurrency)
    } else {
        Err(ParamError::MalformedCurrency)
    }
}

/// An order id as it may be stored and shown.
///
/// # Errors
/// [`ParamError`]: it is too long, or has characters that are not printed.
pub fn checked_order_id(text: String) -> Result<String, ParamError> {
    if text.chars().count() > ORDER_ID_CHARS {
        return Err(ParamError::OrderIdTooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(ParamError::Malformed(ORDER_ID));
    }
    Ok(text)
}

/// An e-mail address in the one form under which a returning shopper is known again (R22): trimmed, in lower case.
/// `None` when it is none; only mail itself can tell whether it is somebody's.
pub fn normalised_email(text: &str) -> Option<String> {
    // A capital may be shorter than its small letter.
    let text = text.trim().to_lowercase();
    let (local, domain) = text.rsplit_once('@')?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c);
    let domain_fits =
        domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.') && !domain.contains("..");
    let fits =
        !local.is_empty() && text.len() <= EMAIL_BYTES && domain_fits && !local.contains('@') && !text.chars().any(odd);
    fits.then_some(text)
}
