//! What a comparison finds: differences, each with a code that stays, and notes on what could not be looked at.

use std::fmt;

use bitpro_charge::ChargeId;
use serde::{Serialize, Serializer};

/// So many differences are listed; of more, only the number is told.
const LISTED: usize = 1_000;
/// So many notes are listed.
const NOTED: usize = 200;

/// What kind of difference it is. The words are stable: scripts and `docs/operating.md` go by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Chain or mempool holds a payment that is not stored.
    PaymentMissing,
    /// A payment is in a block, and stored as being elsewhere.
    PaymentElsewhere,
    /// A payment is stored as being in a block that does not hold it, or is not in the chain.
    PaymentNotInChain,
    /// A payment is stored as lost, and lives.
    PaymentNotLost,
    /// A payment is stored as live, and the chain holds what took its place.
    PaymentReplaced,
    /// A payment is stored with another value.
    PaymentValue,
    /// An address that was not given out yet has received money, and is not kept back.
    UnissuedPaid,
    /// The row of a charge cannot be read.
    RowUnreadable,
    /// What a charge was created with is not what this server wrote.
    ChargeChanged,
    /// The log of a charge cannot be read.
    LogUnreadable,
    /// The row of a charge is not what its log makes of it.
    RowNotLog,
    /// The table of payments is not what the log of a charge makes of it.
    PaymentsNotLog,
    /// A payment is stored without its transaction.
    TransactionMissing,
    /// What is stored of a payment's transaction is not what its bytes, or its payments, say.
    TransactionChanged,
    /// A charge that chain or time can still move is marked as ended.
    OpenUnmarked,
    /// The state of a charge is not what follows from it.
    StateNotVerdict,
    /// There are not as many charges in a state as were counted.
    CountWrong,
    /// An announcement of the log is not in the outbox.
    AnnouncementMissing,
    /// The outbox holds an announcement that is not in the log.
    AnnouncementInvented,
    /// A script does not follow from its descriptor and index.
    ScriptNotDerived,
    /// Charges share a script.
    ScriptShared,
    /// A descriptor, or which merchant has it, was not written by this server.
    WalletChanged,
    /// A counter is not above the highest index that was given out.
    CounterBehind,
    /// The issuance mark is below the highest index that was given out.
    MarkBehind,
    /// A row belongs to one that is not there.
    RowOrphaned,
}

impl Code {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 25] = [
        Self::PaymentMissing,
        Self::PaymentElsewhere,
        Self::PaymentNotInChain,
        Self::PaymentNotLost,
        Self::PaymentReplaced,
        Self::PaymentValue,
        Self::UnissuedPaid,
        Self::RowUnreadable,
        Self::ChargeChanged,
        Self::LogUnreadable,
        Self::RowNotLog,
        Self::PaymentsNotLog,
        Self::TransactionMissing,
        Self::TransactionChanged,
        Self::OpenUnmarked,
        Self::StateNotVerdict,
        Self::CountWrong,
        Self::AnnouncementMissing,
        Self::AnnouncementInvented,
        Self::ScriptNotDerived,
        Self::ScriptShared,
        Self::WalletChanged,
        Self::CounterBehind,
        Self::MarkBehind,
        Self::RowOrphaned,
    ];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentMissing => "payment-missing",
            Self::PaymentElsewhere => "payment-elsewhere",
            Self::PaymentNotInChain => "payment-not-in-chain",
            Self::PaymentNotLost => "payment-not-lost",
            Self::PaymentReplaced => "payment-replaced",
            Self::PaymentValue => "payment-value",
            Self::UnissuedPaid => "unissued-paid",
            Self::RowUnreadable => "row-unreadable",
            Self::ChargeChanged => "charge-changed",
            Self::LogUnreadable => "log-unreadable",
            Self::RowNotLog => "row-not-log",
            Self::PaymentsNotLog => "payments-not-log",
            Self::TransactionMissing => "transaction-missing",
            Self::TransactionChanged => "transaction-changed",
            Self::OpenUnmarked => "open-unmarked",
            Self::StateNotVerdict => "state-not-verdict",
            Self::CountWrong => "count-wrong",
            Self::AnnouncementMissing => "announcement-missing",
            Self::AnnouncementInvented => "announcement-invented",
            Self::ScriptNotDerived => "script-not-derived",
            Self::ScriptShared => "script-shared",
            Self::WalletChanged => "wallet-changed",
            Self::CounterBehind => "counter-behind",
            Self::MarkBehind => "mark-behind",
            Self::RowOrphaned => "row-orphaned",
        }
    }

    /// Whether a charge with it must not be decided about: what is stored of it is not what was decided.
    pub(super) const fn forbids_decisions(self) -> bool {
        matches!(
            self,
            Self::RowUnreadable | Self::LogUnreadable | Self::RowNotLog | Self::PaymentsNotLog
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What kind.
    pub code: Code,
    /// The charge, where it is about one.
    #[serde(rename = "charge_id", serialize_with = "as_text")]
    pub charge: Option<ChargeId>,
    /// What of it: a payment's outpoint, a descriptor's row.
    pub subject: Option<String>,
    /// What was found, in words.
    pub reason: String,
    /// Whether it was repaired.
    pub repaired: bool,
}

impl Difference {
    pub(super) fn of_charge(code: Code, charge: ChargeId, reason: impl Into<String>) -> Self {
        Self {
            code,
            charge: Some(charge),
            subject: None,
            reason: reason.into(),
            repaired: false,
        }
    }

    pub(super) fn general(code: Code, reason: impl Into<String>) -> Self {
        Self {
            code,
            charge: None,
            subject: None,
            reason: reason.into(),
            repaired: false,
        }
    }

    pub(super) fn about(self, subject: impl fmt::Display) -> Self {
        Self {
            subject: Some(subject.to_string()),
            ..self
        }
    }

    /// Whether it is the same difference as `other`, whatever was done about it.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.code == other.code && self.charge == other.charge && self.subject == other.subject
    }
}

/// Something worth knowing that is no difference: what could not be looked at, or proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What kind.
    pub code: &'static str,
    /// The charge, where it is about one.
    #[serde(rename = "charge_id", serialize_with = "as_text")]
    pub charge: Option<ChargeId>,
    /// In words.
    pub says: String,
}

fn as_text<S: Serializer>(id: &Option<ChargeId>, serializer: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => serializer.collect_str(id),
        None => serializer.serialize_none(),
    }
}

/// What a comparison came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The first block that was looked through.
    pub from_height: Option<u32>,
    /// The last block that was looked through: the one that the charges stand on.
    pub to_height: Option<u32>,
    /// How many charges were compared.
    pub charges: u64,
    /// How many scripts were derived again.
    pub scripts: u64,
    /// What was found, the first of it.
    pub differences: Vec<Difference>,
    /// How many differences there were.
    pub found: u64,
    /// How many of them were repaired.
    pub repaired: u64,
    /// Whether chain and mempool could be asked.
    pub complete: bool,
    /// What is worth knowing.
    pub notes: Vec<Note>,
}

impl Report {
    /// How many differences are left.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.found.saturating_sub(self.repaired)
    }

    pub(super) fn add(&mut self, difference: Difference) {
        self.found += 1;
        if difference.repaired {
            self.repaired += 1;
        }
        if self.differences.len() < LISTED {
            self.differences.push(difference);
        }
    }

    /// Whether a difference of this kind is among those that are listed.
    pub(super) fn has(&self, code: Code) -> bool {
        self.differences.iter().any(|difference| difference.code == code)
    }

    /// The same of what is met again when it is looked at a second time.
    pub(super) fn note_once(&mut self, code: &'static str, says: String) {
        if !self.notes.iter().any(|note| note.says == says) {
            self.note(code, None, says);
        }
    }

    pub(super) fn note(&mut self, code: &'static str, charge: Option<ChargeId>, says: impl Into<String>) {
        if self.notes.len() < NOTED {
            let says = says.into();
            self.notes.push(Note { code, charge, says });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_word_of_its_own_in_kebab_case() {
        let words: std::collections::HashSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for word in words {
            assert!(
                word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-'),
                "{word}"
            );
        }
    }

    #[test]
    fn every_code_is_explained_to_the_operator() {
        let guide = include_str!("../../../../docs/operating.md");
        for code in Code::ALL {
            assert!(guide.contains(&format!("| `{code}` |")), "{code} is not explained");
        }
    }

    #[test]
    fn a_flood_of_differences_is_counted_and_not_kept() {
        let mut report = Report::default();
        for n in 0..LISTED + 5 {
            report.add(Difference {
                repaired: n == 0,
                ..Difference::general(Code::RowOrphaned, "one of many")
            });
        }
        assert_eq!(report.differences.len(), LISTED);
        assert_eq!((report.found, report.left()), (1_005, 1_004));
    }
}
