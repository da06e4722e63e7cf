//! A charge with what stands beside it: one shared value for the writer's memory, the cache of readers and the stream.

use std::sync::atomic::{AtomicBool, Ordering};

use bitpro_base::client::Client;
use bitpro_charge::{Charge, Judgement, Timestamp};
use bitpro_merchant::Language;
use bitpro_merchant::wallet::DescriptorId;
use bitpro_node::view::ScriptId;

use super::Rendered;

/// A charge with what stands beside it. Never shown to shoppers as it is: see `ChargeView`.
#[derive(Debug)]
pub struct Snapshot {
    /// The charge.
    pub charge: Charge,
    /// The merchant's own order id.
    pub order_id: Option<String>,
    /// Who asked for it.
    pub origin: ChargeOrigin,
    /// The language that the link asked for (R40).
    pub language: Option<Language>,
    /// Its row; grows with time.
    pub num: i64,
    /// The row of its script.
    pub script: ScriptId,
    /// The script that its address stands for.
    pub script_pubkey: Box<[u8]>,
    /// The descriptor that the address follows from.
    pub descriptor: DescriptorId,
    /// The derivation index of the address.
    pub index: u32,
    /// A keyed hash of the shopper's e-mail (R22).
    pub email_key: Option<[u8; 8]>,
    /// Whose request made it, as far as this process knows: for an open charge of an unsigned link (R22, R25). It is stored nowhere.
    pub maker: Option<Client>,
    /// Its payments stand in rows of their own, and not in its document as those of earlier releases.
    pub(crate) has_payments_apart: bool,
    /// Whether its proof fits what its row says that it was created with: otherwise another hand has changed it.
    pub is_genuine: bool,
    /// Whether the script was derived again from descriptor and index since it was read.
    pub verified: Verified,
    /// The public view, made ahead.
    pub rendered: Rendered,
}

/// Set once the script is known to follow from descriptor and index.
#[derive(Debug, Default)]
pub struct Verified(AtomicBool);

impl From<bool> for Verified {
    fn from(verified: bool) -> Self {
        Self(AtomicBool::new(verified))
    }
}

impl Verified {
    /// Whether it is known.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Notes that it is.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Who asked for a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChargeOrigin {
    /// A payment link or the widget; anyone can write one.
    Link,
    /// A link signed by the merchant: its price is theirs.
    SignedLink,
    /// The merchant's server.
    Api,
}

impl ChargeOrigin {
    /// The word in the database and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::SignedLink => "signed_link",
            Self::Api => "api",
        }
    }

    /// The origin that is called `word`.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Link, Self::SignedLink, Self::Api]
            .into_iter()
            .find(|origin| origin.as_str() == word)
    }

    /// Whether the price is the merchant's word (R21).
    #[must_use]
    pub const fn is_price_verified(self) -> bool {
        matches!(self, Self::SignedLink | Self::Api)
    }
}

impl Clone for Snapshot {
    /// A copy; what was rendered ahead is not copied.
    fn clone(&self) -> Self {
        self.with_charge(self.charge.clone())
    }
}

impl Snapshot {
    /// The same, with the charge as it is now.
    pub fn with_charge(&self, charge: Charge) -> Self {
        Self {
            charge,
            order_id: self.order_id.clone(),
            origin: self.origin,
            language: self.language,
            num: self.num,
            script: self.script,
            script_pubkey: self.script_pubkey.clone(),
            descriptor: self.descriptor,
            index: self.index,
            email_key: self.email_key,
            maker: self.maker,
            // Whatever is decided about it is stored so.
            has_payments_apart: self.has_payments_apart,
            is_genuine: self.is_genuine,
            verified: self.verified.get().into(),
            rendered: Rendered::default(),
        }
    }

    /// Whether more blocks alone can move it: it has live money that is not deep under a tip at height `tip`, or that is
    /// to be judged when it is (R12, R13).
    pub(crate) fn is_shallow(&self, tip: u32) -> bool {
        let awaited = self.charge.awaited();
        self.charge.payments.iter().any(|payment| {
            let is_deep = payment.confirmations(tip) >= awaited(payment);
            payment.is_live() && (!is_deep || payment.judgement == Some(Judgement::Provisional))
        })
    }

    /// The instant at which time alone moves it (R4, R12), if one is ahead.
    pub fn due(&self, tip: u32) -> Option<Timestamp> {
        if !self.charge.deadline_observed {
            return Some(self.charge.deadline.plus_secs(self.charge.terms.grace_secs));
        }
        self.charge.settlement_due(tip)
    }

    /// Whether chain or clock can still move it.
    pub fn is_open(&self, tip: u32) -> bool {
        !self.charge.deadline_observed || self.is_shallow(tip) || self.charge.settlement_due(tip).is_some()
    }

    /// Whether it is a link's charge that a shopper may still be looking at, unpaid (R22, R25).
    pub fn is_waiting_link(&self) -> bool {
        self.origin != ChargeOrigin::Api
            && !self.charge.is_paid_into()
            && !self.charge.deadline_observed
            && !self.charge.cancelled
    }
}
