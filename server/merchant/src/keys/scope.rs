//! What a key may do.

use std::fmt;
use std::str::FromStr;

/// One permission. None of them can change where the money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Look at charges, events and the rate.
    ChargesRead,
    /// Make and cancel charges.
    ChargesWrite,
    /// Take money whatever its amount and time (R14).
    ChargesAccept,
    /// Set up webhooks: whoever can, sees what all charges do.
    WebhooksWrite,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::ChargesRead,
        Self::ChargesWrite,
        Self::ChargesAccept,
        Self::WebhooksWrite,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChargesRead => "charges:read",
            Self::ChargesWrite => "charges:write",
            Self::ChargesAccept => "charges:accept",
            Self::WebhooksWrite => "webhooks:write",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

impl Default for Scopes {
    /// What a shop needs every day: to look, to make and to cancel.
    fn default() -> Self {
        Self(Scope::ChargesRead.bit() | Scope::ChargesWrite.bit())
    }
}

/// A word that names no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "scopes = {0:?}: wanted one or more of charges:read, charges:write, charges:accept, webhooks:write, separated by spaces or commas"
)]
pub struct UnknownScope(String);

impl Scopes {
    /// Whether `scope` is among them.
    #[must_use]
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Scope::as_str).collect();
        f.write_str(&words.join(" "))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

impl FromStr for Scopes {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let mut scopes = Self(0);
        for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
            let scope = Scope::ALL.into_iter().find(|scope| scope.as_str() == word);
            scopes.0 |= scope.ok_or_else(|| UnknownScope(text.to_owned()))?.bit();
        }
        if scopes.0 == 0 {
            return Err(UnknownScope(text.to_owned()));
        }
        Ok(scopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for scope in Scope::ALL {
            let alone: Scopes = scope.as_str().parse().unwrap();
            assert_eq!(alone.iter().collect::<Vec<_>>(), [scope]);
        }
        let some: Scopes = "webhooks:write, charges:read".parse().unwrap();
        assert_eq!(some.to_string(), "charges:read webhooks:write");
        assert_eq!(some.to_string().parse(), Ok(some));
        assert!("".parse::<Scopes>().is_err() && "charges:all".parse::<Scopes>().is_err());
    }

    #[test]
    fn taking_money_late_and_setting_up_webhooks_have_to_be_asked_for() {
        assert_eq!(Scopes::default().to_string(), "charges:read charges:write");
    }
}
