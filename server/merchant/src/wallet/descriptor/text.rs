//! What can be told of a descriptor from its text alone, before anything is parsed.

use bitpro_base::name::repeated;

use crate::wallet::DescriptorError;
use crate::wallet::slip132::{self, Prefix};

/// The descriptor around a bare extended key: its receive chain is `/0/*` unless the text says otherwise.
pub(super) fn around_key(text: &str, script_type: Option<&str>) -> Result<String, DescriptorError> {
    let key = key_of(text);
    let Some(prefix) = slip132::prefix_of(key) else {
        return Err(DescriptorError::Malformed("it starts like neither".to_owned()));
    };
    let open = match (script_type.unwrap_or_default(), prefix.implied) {
        ("", Some(open @ ("wpkh(" | "sh(wpkh("))) => open,
        ("", Some(_)) => {
            return Err(DescriptorError::Malformed(
                "a key of a multi-signature wallet needs the full descriptor".to_owned(),
            ));
        }
        ("", None) => return Err(DescriptorError::ScriptTypeNeeded),
        ("wpkh", _) => "wpkh(",
        ("tr", _) => "tr(",
        ("sh-wpkh" | "sh(wpkh)", _) => "sh(wpkh(",
        ("pkh", _) => "pkh(",
        (other, _) => return Err(DescriptorError::UnknownScriptType(repeated(other))),
    };
    let path = if text.contains('*') {
        ""
    } else if text.ends_with(key) {
        "/0/*"
    } else {
        "/*"
    };
    let close = ")".repeat(open.matches('(').count());
    Ok(format!("{open}{text}{path}{close}"))
}

/// The extended key in a key expression: what stands between the origin and the path.
fn key_of(expression: &str) -> &str {
    let after_origin = expression.rsplit_once(']').map_or(expression, |(_, rest)| rest);
    after_origin.split_once('/').map_or(after_origin, |(key, _)| key)
}

/// Tokens of a descriptor that could be keys.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
}

/// A private key is told by its shape before anything is parsed, so that no error message of a parser can repeat it.
pub(super) fn refuse_private_keys(text: &str) -> Result<(), DescriptorError> {
    let is_extended = |token: &str| slip132::prefix_of(token).is_some_and(|prefix| prefix.private);
    let is_wif = |token: &str| matches!(token.len(), 51 | 52) && token.starts_with(['5', 'K', 'L', '9', 'c']);
    if tokens(text).any(|token| is_extended(token) || is_wif(token)) {
        return Err(DescriptorError::PrivateKey);
    }
    Ok(())
}

pub(super) fn without_checksum(text: &str) -> Result<&str, DescriptorError> {
    let Some((body, checksum)) = text.split_once('#') else {
        return Ok(text);
    };
    match miniscript::descriptor::checksum::desc_checksum(body) {
        Ok(right) if right == checksum => Ok(body),
        _ => Err(DescriptorError::Checksum),
    }
}

/// Replaces keys with SLIP-132 prefixes by neutral ones, once they keep what the prefix promises.
pub(super) fn with_neutral_keys(body: &str) -> Result<String, DescriptorError> {
    let mut neutral = body.to_owned();
    for token in tokens(body) {
        let Some(prefix) = slip132::prefix_of(token) else {
            continue;
        };
        let Prefix {
            name: prefix_name,
            implied,
            ..
        } = prefix;
        if let Some(implied) = implied
            && !body.starts_with(implied)
        {
            return Err(DescriptorError::Contradiction {
                prefix: prefix_name,
                implied: implied.trim_end_matches('('),
                chosen: repeated(body.split_once('(').map_or(body, |(name, _)| name)),
            });
        }
        let key = slip132::neutral(token, prefix)
            .ok_or_else(|| DescriptorError::Malformed("a character of the extended key is wrong".to_owned()))?;
        neutral = neutral.replace(token, &key);
    }
    Ok(neutral)
}

pub(super) fn refuse_unsupported(body: &str) -> Result<(), DescriptorError> {
    let Some((name, _)) = body.split_once('(') else {
        return Err(DescriptorError::Malformed("it has no script".to_owned()));
    };
    if matches!(name, "wpkh" | "tr" | "sh" | "wsh" | "pkh") {
        return Ok(());
    }
    let plain = (1..=20).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    Err(if plain {
        DescriptorError::Unsupported(name.to_owned())
    } else {
        DescriptorError::Malformed("it does not start with the name of a script".to_owned())
    })
}
