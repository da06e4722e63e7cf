//! What a person may do for a merchant: the one place where roles are given their permissions.

use std::fmt;
use std::str::FromStr;

/// Somebody's part in a merchant's team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May do everything; there is always one.
    Owner,
    /// Runs the shop: settings, accepting and cancelling.
    Manager,
    /// Connects the shop's programs: keys and webhooks.
    Developer,
    /// Reads and exports.
    Accountant,
    /// Reads, with masked e-mail addresses.
    Viewer,
}

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// To see charges and settings.
    Read,
    /// To see the e-mail addresses of buyers.
    SeeBuyers,
    /// To take the charges away as a file.
    Export,
    /// To accept what came late or wrong, to cancel, and to write notes.
    Accept,
    /// To change settings other than where the money goes.
    Settings,
    /// To change keys, link signing and webhooks.
    Keys,
    /// To change where the money goes.
    Money,
    /// To change the team.
    Team,
    /// To read the audit log.
    Log,
}

impl Role {
    /// All of them, the mightiest first.
    pub const ALL: [Self; 5] = [
        Self::Owner,
        Self::Manager,
        Self::Developer,
        Self::Accountant,
        Self::Viewer,
    ];

    /// Its word, in the database and in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Developer => "developer",
            Self::Accountant => "accountant",
            Self::Viewer => "viewer",
        }
    }

    /// Whether it has `permission`.
    #[must_use]
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Read => true,
            Permission::SeeBuyers => !matches!(self, Self::Viewer),
            Permission::Export => matches!(self, Self::Owner | Self::Manager | Self::Accountant),
            Permission::Accept | Permission::Settings | Permission::Log => matches!(self, Self::Owner | Self::Manager),
            Permission::Keys => matches!(self, Self::Owner | Self::Developer),
            Permission::Money | Permission::Team => matches!(self, Self::Owner),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is owner, manager, developer, accountant or viewer")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_an_owner_touches_the_money_or_the_team() {
        for role in Role::ALL {
            let is_owner = role == Role::Owner;
            assert_eq!(role.may(Permission::Money), is_owner, "{role}");
            assert_eq!(role.may(Permission::Team), is_owner, "{role}");
        }
    }

    #[test]
    fn an_accountant_exports_and_changes_nothing() {
        use Permission::{Accept, Export, Keys, Money, Read, SeeBuyers, Settings, Team};
        let may = |permission| Role::Accountant.may(permission);
        assert!([Read, SeeBuyers, Export].into_iter().all(may));
        assert!(![Accept, Settings, Keys, Money, Team].into_iter().any(may));
    }

    #[test]
    fn a_viewer_sees_no_buyer() {
        assert!(!Role::Viewer.may(Permission::SeeBuyers));
    }

    #[test]
    fn roles_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!("Owner".parse::<Role>(), Err(UnknownRole));
    }
}
