//! An address that a letter can be sent to.

use std::fmt;

/// An e-mail address in lower case, of at most 254 bytes (RFC 5321, section 4.5.3.1.3, erratum 1690).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

pub(super) const LONGEST: usize = 254;

impl Email {
    /// Reads what somebody typed; `None` when no letter could get there.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let has_domain = text.rsplit_once('@').is_some_and(|(_, domain)| {
            domain == "localhost" || domain.contains('.') && !domain.ends_with('.') && !domain.starts_with('.')
        });
        let is_one = text.len() <= LONGEST && has_domain && text.parse::<lettre::Address>().is_ok();
        is_one.then_some(Self(text))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
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
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        assert_eq!(read(&format!("{}@shop.example", "a".repeat(300))), None);
    }
}
