//! Everything that is stored, part by part and unchecked, for the comparison of the parts with each other and with the chain.
//!
//! What cannot be read is a finding, not an error: one damaged row must not hide the others. Each answer is read in one
//! transaction, so that what it holds belongs together.

use std::collections::HashMap;

use bitpro_charge::{Amount, BlockHash, ChargeId, Event, Interval, MerchantId, Outpoint, Timestamp, Txid};

use super::{Snapshot, Store, StoreError, StoredTx, sqlite};
use crate::node::view::{ScriptId, Tip};
use crate::wallet::DescriptorId;

/// A charge with all that is stored of it.
pub(crate) struct StoredCharge {
    /// Its row.
    pub(crate) num: i64,
    pub(crate) id: ChargeId,
    /// The charge as its row has it; or why it cannot be read.
    pub(crate) row: Result<Snapshot, String>,
    pub(crate) columns: StoredColumns,
    /// Every event, oldest first; or why they cannot be read.
    pub(crate) log: Result<Vec<Event>, String>,
    /// Its rows in the table of payments, by outpoint.
    pub(crate) payments: Vec<StoredPayment>,
    /// The transactions of its payments, as far as they are stored.
    pub(crate) transactions: HashMap<Txid, StoredTransaction>,
    /// What stands of it in the outbox: sequence and announcement, ascending.
    pub(crate) outbox: Vec<(i64, String)>,
}

/// What the row of a charge repeats of the charge, for those who look for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredColumns {
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    pub(crate) sequence: i64,
    pub(crate) is_paid: bool,
    pub(crate) is_open: bool,
}

/// A row of the table of payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredPayment {
    pub(crate) outpoint: Outpoint,
    pub(crate) value: Amount,
    pub(crate) height: Option<u32>,
    pub(crate) loss: Option<String>,
    pub(crate) first_seen: Interval,
}

/// The row of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredTransaction {
    /// Its bytes; none where it was found in a deleted block.
    pub(crate) raw: Vec<u8>,
    /// What it spends; `None` of what cannot be read.
    pub(crate) inputs: Option<Vec<Outpoint>>,
    pub(crate) coinbase: bool,
    /// The block it is in: its height and its hash.
    pub(crate) block: (Option<i64>, Option<Vec<u8>>),
    pub(crate) loss: Option<String>,
    /// The height of the tip when it was lost.
    pub(crate) lost_at: Option<u32>,
    /// Whether it is followed still (R34).
    pub(crate) followed: bool,
}

/// A script that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredScript {
    pub(crate) id: ScriptId,
    pub(crate) descriptor: DescriptorId,
    pub(crate) index: u32,
    pub(crate) script_pubkey: Vec<u8>,
    /// The counter has not come to it yet.
    pub(crate) is_ahead: bool,
    /// It received money before it was given out, and never will be (R27).
    pub(crate) is_skipped: bool,
    /// The charge that it was given out for.
    pub(crate) charge: Option<(i64, ChargeId)>,
}

/// A descriptor's counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredDescriptor {
    pub(crate) id: DescriptorId,
    pub(crate) text: String,
    pub(crate) mac: Vec<u8>,
    pub(crate) next_index: u32,
}

/// Where a merchant's money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredWallet {
    pub(crate) merchant: MerchantId,
    pub(crate) descriptor: DescriptorId,
    pub(crate) mac: Vec<u8>,
}

/// Charges, and the tip that they stand on.
pub(crate) struct StoredPage {
    pub(crate) tip: Option<Tip>,
    /// The last row that was asked for.
    pub(crate) last: Option<i64>,
    pub(crate) charges: Vec<StoredCharge>,
}

/// What is stored of some scripts and transactions.
pub(crate) struct StoredAt {
    /// The stored chain, at the heights that were asked for, as far as it is kept.
    pub(crate) blocks: HashMap<u32, BlockHash>,
    pub(crate) scripts: Vec<StoredScript>,
    /// The charges that these scripts were given out for or these transactions pay, as far as their rows can be read.
    pub(crate) charges: Vec<Snapshot>,
}

impl Store {
    /// Charges after the row `after`, in the order of their rows.
    pub(crate) async fn audited_after(&self, after: i64, limit: u32) -> Result<StoredPage, StoreError> {
        let mut reader = self.readers.begin().await?;
        let nums = sqlite::charge_nums_after(&mut reader, after, limit).await?;
        let tip = sqlite::stored_tip(&mut reader).await?;
        let charges = sqlite::audited(&mut reader, &nums, self.network).await?;
        let last = nums.last().copied();
        Ok(StoredPage { tip, last, charges })
    }

    /// The charges in these rows, in the order of their rows.
    pub(crate) async fn audited(&self, nums: &[i64]) -> Result<StoredPage, StoreError> {
        let mut reader = self.readers.begin().await?;
        let tip = sqlite::stored_tip(&mut reader).await?;
        let charges = sqlite::audited(&mut reader, nums, self.network).await?;
        let last = nums.last().copied();
        Ok(StoredPage { tip, last, charges })
    }

    /// What is stored of these scripts, of the payments of these transactions, and of the chain at these heights.
    pub(crate) async fn stored_at(
        &self,
        scripts: &[Vec<u8>],
        txids: &[Txid],
        heights: &[u32],
    ) -> Result<StoredAt, StoreError> {
        let mut reader = self.readers.begin().await?;
        let blocks = sqlite::blocks_at(&mut reader, heights).await?;
        let scripts = sqlite::scripts_that_are(&mut reader, scripts).await?;
        let mut nums: Vec<i64> = scripts
            .iter()
            .filter_map(|script| script.charge.map(|(num, _)| num))
            .collect();
        nums.extend(sqlite::charges_paid_by(&mut reader, txids).await?);
        nums.sort_unstable();
        nums.dedup();
        let charges = sqlite::readable_charges(&mut reader, &nums, self.network).await?;
        Ok(StoredAt {
            blocks,
            scripts,
            charges,
        })
    }

    /// Watched scripts after the row `after`, in the order of their rows.
    pub(crate) async fn scripts_after(&self, after: ScriptId, limit: u32) -> Result<Vec<StoredScript>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::scripts_after(&mut reader, after, limit).await
    }

    /// Every descriptor's counter, and every merchant's wallet.
    pub(crate) async fn wallets(&self) -> Result<(Vec<StoredDescriptor>, Vec<StoredWallet>), StoreError> {
        let mut reader = self.readers.begin().await?;
        let descriptors = sqlite::stored_descriptors(&mut reader).await?;
        let wallets = sqlite::stored_wallets(&mut reader).await?;
        Ok((descriptors, wallets))
    }

    /// Charges that share their script with another one.
    pub(crate) async fn charges_sharing_scripts(&self, limit: u32) -> Result<Vec<ChargeId>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::charges_sharing_scripts(&mut reader, limit).await
    }

    /// The states in which there are not as many charges as were counted: how many were counted, and how many there are.
    pub(crate) async fn wrong_counts(&self) -> Result<Vec<(String, i64, i64)>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::wrong_counts(&mut reader).await
    }

    /// Rows that belong to rows which are not there: the table, and the one that it refers to.
    pub(crate) async fn orphans(&self, limit: usize) -> Result<Vec<(String, Option<i64>, String)>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::orphans(&mut reader, limit).await
    }

    /// A transaction that pays us, followed or not.
    pub(crate) async fn paying_tx(&self, txid: Txid) -> Result<Option<StoredTx>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        sqlite::paying_tx(&mut reader, txid).await
    }

    /// When the oldest charge was made that chain or clock can still move; and the oldest of all.
    pub(crate) async fn oldest(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
        let mut reader = self.readers.begin().await?;
        sqlite::oldest(&mut reader).await
    }
}
