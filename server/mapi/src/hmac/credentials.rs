//! The `Authorization` header of Acquia HTTP HMAC 2.0, parsed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// The longest header that is looked at; a real one has about 250 bytes.
const MAX_LENGTH: usize = 4_096;
/// At most this many request headers may be named as signed.
const MAX_SIGNED_HEADERS: usize = 20;
/// The scheme's name, compared without case as RFC 9110, section 11.1, asks.
const SCHEME: &str = "acquia-http-hmac";

/// What a request says of its signer. Nothing in it is proven yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The realm, decoded.
    pub realm: String,
    /// The key's id, decoded.
    pub id: String,
    /// The nonce: a UUID in lower case.
    pub nonce: String,
    /// The protocol's version, as sent.
    pub version: String,
    /// Names of further signed headers, in lower case and sorted.
    pub signed_headers: Vec<String>,
    /// The signature.
    pub signature: [u8; 32],
}

/// The header is not one of this scheme, or not well formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(&'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed authorization: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

impl Credentials {
    /// Reads the header's value. Attributes come in any order; values are quoted and percent-encoded; `headers` may be
    /// missing, and the signature may be raw base64, as the API reference's shell client sends it.
    ///
    /// # Errors
    /// [`Malformed`], for another scheme, a missing, repeated or unknown attribute, or a value out of shape.
    pub fn parse(header: &str) -> Result<Self, Malformed> {
        if header.len() > MAX_LENGTH {
            return Err(Malformed("too long"));
        }
        let (scheme, rest) = header.trim().split_once(' ').ok_or(Malformed("no attributes"))?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(Malformed("another scheme"));
        }
        let mut found: [Option<String>; 6] = Default::default();
        for (name, value) in attributes(rest)? {
            let slot = ["realm", "id", "nonce", "version", "headers", "signature"]
                .iter()
                .position(|known| *known == name)
                .ok_or(Malformed("an unknown attribute"))?;
            if found[slot].replace(percent_decode(value)?).is_some() {
                return Err(Malformed("a repeated attribute"));
            }
        }
        let [realm, id, nonce, version, headers, signature] = found;
        let (Some(realm), Some(id), Some(nonce), Some(version), Some(signature)) =
            (realm, id, nonce, version, signature)
        else {
            return Err(Malformed("a missing attribute"));
        };
        if !is_nonce(&nonce) {
            return Err(Malformed("the nonce is no lower-case UUID"));
        }
        Ok(Self {
            realm,
            id,
            nonce,
            version,
            signed_headers: signed_headers(&headers.unwrap_or_default())?,
            signature: decode_signature(&signature)?,
        })
    }
}

/// Splits `name="value",name="value"`. A value cannot hold a quote: it would be percent-encoded.
fn attributes(mut rest: &str) -> Result<Vec<(&str, &str)>, Malformed> {
    let mut attributes = Vec::new();
    loop {
        let (name, after) = rest
            .split_once("=\"")
            .ok_or(Malformed("an attribute without a quoted value"))?;
        let (value, after) = after.split_once('"').ok_or(Malformed("an unclosed quote"))?;
        attributes.push((name.trim(), value));
        match after.trim_start().strip_prefix(',') {
            Some(next) => rest = next,
            None if after.trim().is_empty() => return Ok(attributes),
            None => return Err(Malformed("no comma between attributes")),
        }
    }
}

/// Decodes percent escapes and nothing else: `+` stands for itself, for a raw base64 signature holds it.
fn percent_decode(text: &str) -> Result<String, Malformed> {
    const ESCAPE: Malformed = Malformed("a broken percent escape");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next().ok_or(ESCAPE)?, rest.next().ok_or(ESCAPE)?];
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(ESCAPE);
        }
        let digits = std::str::from_utf8(&digits).expect("hexadecimal digits are ASCII");
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| ESCAPE)?);
    }
    String::from_utf8(bytes).map_err(|_| ESCAPE)
}

fn is_nonce(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn signed_headers(list: &str) -> Result<Vec<String>, Malformed> {
    let mut names: Vec<String> = list
        .split(';')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > MAX_SIGNED_HEADERS {
        return Err(Malformed("too many signed headers"));
    }
    Ok(names)
}

fn decode_signature(text: &str) -> Result<[u8; 32], Malformed> {
    let bytes = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text));
    bytes
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(Malformed("the signature is no base64 of 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"acquia-http-hmac realm="Pipet%20service",id="efdde334-fe7b-11e4-a322-1697f925ec7b",nonce="d1954337-5319-4821-8427-115542e08d10",version="2.0",headers="",signature="MRlPr/Z1WQY2sMthcaEqETRMw4gPYXlPcTpaLWS2gcc=""#;

    #[test]
    fn the_specs_own_header_is_read() {
        let credentials = Credentials::parse(GOOD).unwrap();
        assert_eq!(credentials.realm, "Pipet service");
        assert_eq!(credentials.id, "efdde334-fe7b-11e4-a322-1697f925ec7b");
        assert!(credentials.signed_headers.is_empty());
    }

    #[test]
    fn order_case_of_the_scheme_encoding_and_a_missing_headers_attribute_do_not_matter() {
        let same = Credentials::parse(GOOD).unwrap();
        let turned = r#"Acquia-HTTP-HMAC signature="MRlPr%2FZ1WQY2sMthcaEqETRMw4gPYXlPcTpaLWS2gcc%3D", version="2.0", nonce="d1954337-5319-4821-8427-115542e08d10", id="efdde334-fe7b-11e4-a322-1697f925ec7b", realm="Pipet%20service""#;
        assert_eq!(Credentials::parse(turned), Ok(same));
    }

    #[test]
    fn signed_headers_are_lowered_and_sorted() {
        let header = GOOD.replace(r#"headers="""#, r#"headers="X-B;x-a%3BX-B""#);
        assert_eq!(Credentials::parse(&header).unwrap().signed_headers, ["x-a", "x-b"]);
    }

    #[test]
    fn what_is_out_of_shape_is_refused() {
        let long = format!("{GOOD}{}", " ".repeat(MAX_LENGTH));
        for bad in [
            "",
            "Basic abc",
            "acquia-http-hmac",
            "acquia-http-hmac realm",
            &GOOD.replace("d1954337-5319", "D1954337-5319"),
            &GOOD.replace(",version=\"2.0\"", ""),
            &GOOD.replace("version", "colour"),
            &GOOD.replace("gcc=", "gc"),
            &GOOD.replace("%20", "%2"),
            &GOOD.replace("%20", "%ff"),
            &format!("{GOOD},id=\"again\""),
            &GOOD.replace("\",nonce", "\" nonce"),
            &long[..],
        ] {
            let result = Credentials::parse(bad);
            // Surrounding blanks are no fault, only their amount is.
            assert!(result.is_err(), "{bad}");
        }
    }
}
