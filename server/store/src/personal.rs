//! What stands beside a charge and is erased without it.

/// What a merchant knows of a charge beside its money. Never shown to shoppers (R23); it can be erased (R31).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Personal {
    /// The shopper's e-mail.
    pub buyer_email: Option<String>,
    /// The merchant's own notes on it, as JSON.
    pub metadata: Option<String>,
    /// What was wrong with the link and was ignored (R38), one a line.
    pub notes: Option<String>,
}
