//! What is handed to an engine and comes back from it. Nothing here knows which engine it is.

pub mod people;
mod sealed;

use std::sync::Arc;

use bitpro_charge::{Announcement, Event, MerchantId, Timestamp};
use bitpro_merchant::wallet::DescriptorId;
use bitpro_node::view::ScriptId;

pub(crate) use sealed::{SEALED, SealedColumn};

use crate::Snapshot;

/// A charge to be stored, with what stands apart from it.
pub(crate) struct NewRow {
    /// The charge.
    pub(crate) snapshot: Arc<Snapshot>,
    /// The merchant's row.
    pub(crate) merchant: i64,
    /// What can be erased: e-mail, metadata, notes.
    pub(crate) personal: [Option<String>; 3],
}

/// One batch of one charge.
pub(crate) struct Decided {
    /// The batch's row number: its place in the whole log.
    pub(crate) num: i64,
    /// The charge before it.
    pub(crate) before: Arc<Snapshot>,
    /// The charge after it.
    pub(crate) after: Arc<Snapshot>,
    /// What was decided; never empty.
    pub(crate) events: Vec<Event>,
    /// Whether chain or clock can still move the charge.
    pub(crate) is_open: bool,
    /// Whether its order is closed to others by what came (R22).
    pub(crate) is_paid: bool,
}

/// Something that a merchant is to be told.
pub(crate) struct OutboxRow {
    pub(crate) num: i64,
    pub(crate) id: [u8; 16],
    pub(crate) merchant: i64,
    pub(crate) charge: i64,
    pub(crate) sequence: u64,
    pub(crate) announcement: Announcement,
}

/// What is shown beside a charge.
#[derive(Debug, Clone, Default)]
pub struct BesideRow {
    /// E-mail, metadata, notes.
    pub personal: [Option<String>; 3],
    /// R21, as it is now.
    pub order_conflict: bool,
}

/// A letter that is still to be sent.
#[derive(Debug, Clone)]
pub struct MailRow {
    /// Its row; grows with time.
    pub num: i64,
    /// What its contents are sealed to.
    pub id: [u8; 16],
    /// The letter, sealed.
    pub sealed: Vec<u8>,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// When it was first tried.
    pub first_at: Option<Timestamp>,
}

/// A merchant's row.
#[derive(Clone)]
pub(crate) struct MerchantRow {
    pub(crate) num: i64,
    pub(crate) id: MerchantId,
    /// A document; see `merchant::stored`.
    pub(crate) settings: String,
    pub(crate) logo: Option<Vec<u8>>,
    pub(crate) descriptor: Option<(DescriptorId, Vec<u8>)>,
    pub(crate) created_at: Timestamp,
}

/// A descriptor's row.
#[derive(Clone)]
pub(crate) struct DescriptorRow {
    pub(crate) id: DescriptorId,
    pub(crate) text: String,
    pub(crate) mac: Vec<u8>,
    pub(crate) next_index: u32,
    pub(crate) highest_used: Option<u32>,
    /// The longest run of unpaid indices below a paid one.
    pub(crate) longest_gap: u32,
    pub(crate) scanned: bool,
    pub(crate) jump: u32,
}

/// A script's row.
#[derive(Clone)]
pub(crate) struct ScriptRow {
    pub(crate) id: ScriptId,
    pub(crate) descriptor: DescriptorId,
    pub(crate) index: u32,
    pub(crate) script: Vec<u8>,
}

/// A key's row, without its secrets.
pub(crate) struct KeyRow {
    pub(crate) num: i64,
    pub(crate) id: [u8; 16],
    pub(crate) merchant: MerchantId,
    pub(crate) name: String,
    pub(crate) scopes: String,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
}

/// A secret's row.
pub(crate) struct KeySecretRow {
    pub(crate) id: [u8; 16],
    pub(crate) key: i64,
    pub(crate) sealed: Vec<u8>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
}
