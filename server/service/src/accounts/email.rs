//! An address that a letter can be sent to.

use std::fmt;

use bitpro_base::name::is_unseen;

/// An e-mail address in lower case, of at most 254 bytes (RFC 5321, section 4.5.3.1.3, erratum 1690).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

pub(super) const LONGEST: usize = 254;

impl Email {
    /// Reads what somebody typed; `None` when no letter could get there, or it is written as nobody writes their address: with
    /// quotes, at the bare address of a host, or with marks that cannot be seen.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let (mailbox, domain) = text.rsplit_once('@')?;
        let is_one = text.len() <= LONGEST
            && !mailbox.contains('"')
            && is_domain(domain)
            && !text.chars().any(is_unseen)
            && text.parse::<lettre::Address>().is_ok();
        is_one.then_some(Self(text))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether this is the name of a host. E-mail may go to the bare address of one as well, but no shop has its mailbox there.
fn is_domain(text: &str) -> bool {
    let Some((rest, last)) = text.rsplit_once('.') else {
        return text == "localhost";
    };
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    !text.starts_with(['.', '[']) && !rest.is_empty() && !is_number
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_however_it_is_written() {
        let read = |text: &str| Email::read(text).map(|email| email.to_string());
        assert_eq!(read(" Ada@Shop.Example "), Some("ada@shop.example".to_owned()));
        assert_eq!(read("a@localhost"), Some("a@localhost".to_owned()));
        assert_eq!(read("o'hara+1@127.example"), Some("o'hara+1@127.example".to_owned()));
        for bad in [
            "",
            "ada",
            "ada@",
            "@shop.example",
            "ada@shop",
            "a b@shop.example",
            "ada@shop.example\r\nBcc: x@y.example",
            "ada@shop.example, eve@shop.example",
            "Ada <ada@shop.example>",
            "a@[127.0.0.1]",
            "a@[ipv6:::1]",
            "a@127.0.0.1",
            "\"a b\"@shop.example",
            "\"ada\"@shop.example",
            "a@.example",
            "a@shop.example.",
            "a\u{200b}da@shop.example",
            "ada@sh\u{202e}op.example",
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        assert_eq!(read(&format!("{}@shop.example", "a".repeat(300))), None);
    }
}
