//! What the writer does: transactions, and what is read and written in one.

use std::collections::HashMap;
use std::sync::Arc;

use bitpro_base::links::SealedLinkKey;
use bitpro_charge::{Announcement, BlockHash, BlockRef, ChargeId, State, Timestamp, Txid};
use bitpro_merchant::wallet::DescriptorId;
use bitpro_node::view::{ScriptId, Tip};

use super::{Engine, People, operations};
use crate::rows::{
    BesideRow, Decided, DescriptorRow, KeyRow, KeySecretRow, MerchantRow, NewRow, OutboxRow, ScriptRow, SealedColumn,
};
use crate::search::Note;
use crate::webhook::{AttemptRow, Due, Webhook};
use crate::{KeptAnswer, Snapshot, StoreError, StoredTx, TxPlace, sqlite};

/// The one writing connection.
pub(crate) struct Session {
    engine: Engine<sqlite::Session>,
}

impl Session {
    pub(super) const fn of(engine: Engine<sqlite::Session>) -> Self {
        Self { engine }
    }

    /// People's rows, on this connection.
    pub(crate) const fn people(&mut self) -> People<'_> {
        People::of(match &mut self.engine {
            Engine::Sqlite(session) => Engine::Sqlite(session.people()),
        })
    }

    /// Takes it that another process may have written.
    pub(crate) const fn look_again(&mut self) {
        match &mut self.engine {
            Engine::Sqlite(session) => session.look_again(),
        }
    }

    /// Closes the connection.
    pub(crate) async fn close(self) {
        match self.engine {
            Engine::Sqlite(session) => session.close().await,
        }
    }

    operations! {
        // The transaction, and facts about the database.

        /// Begins a transaction that may write, waiting for another process to finish.
        pub(crate) async fn begin(&mut self) -> Result<(), StoreError>;

        /// Makes the transaction durable.
        pub(crate) async fn commit(&mut self) -> Result<(), StoreError>;

        /// Takes the transaction back.
        pub(crate) async fn rollback(&mut self) -> Result<(), StoreError>;

        /// From here on, [`Session::rollback_to_savepoint`] takes back only what follows.
        pub(crate) async fn savepoint(&mut self) -> Result<(), StoreError>;

        /// Forgets the savepoint; what followed it stays.
        pub(crate) async fn release_savepoint(&mut self) -> Result<(), StoreError>;

        /// Takes back what followed the savepoint, and forgets it.
        pub(crate) async fn rollback_to_savepoint(&mut self) -> Result<(), StoreError>;

        /// Whether another process has written since this was last asked; the first time, whether anyone may have. A replicator that only
        /// keeps its own account changes nothing that is in memory: under load it does so every second, and reading everything again
        /// would take longer than that.
        pub(crate) async fn was_changed_elsewhere(&mut self) -> Result<bool, StoreError>;

        /// Counts a commit of a process that is not the server, so that the server notices it among those of a replicator.
        pub(crate) async fn count_commit_beside(&mut self) -> Result<(), StoreError>;

        /// A fact about the database.
        pub(crate) async fn meta(&mut self, name: &str) -> Result<Option<String>, StoreError>;

        /// Records a fact about the database.
        pub(crate) async fn set_meta(&mut self, name: &str, value: &str) -> Result<(), StoreError>;

        /// Records a number as a fact about the database, unless a higher one stands there.
        pub(crate) async fn raise_meta(&mut self, name: &str, value: i64) -> Result<(), StoreError>;

        /// Runs a statement of a test's own.
        #[cfg(any(test, feature = "testing"))]
        pub(crate) async fn execute(&mut self, statement: &'static str) -> Result<(), StoreError>;

        // The chain and the followed transactions.

        /// The tip and how far chain and mempool were read.
        pub(crate) async fn tip(&mut self) -> Result<Option<(Tip, Timestamp)>, StoreError>;

        /// Stores the tip and how far chain and mempool were read.
        pub(crate) async fn set_tip(&mut self, tip: &Tip, observed_until: Timestamp) -> Result<(), StoreError>;

        /// Forgets the stored chain above `fork_height` and appends `connected`; what is too old to be forked from goes.
        pub(crate) async fn move_chain(&mut self, fork_height: u32, connected: &[BlockRef]) -> Result<(), StoreError>;

        /// The hash of the stored chain at `height`.
        pub(crate) async fn block_at(&mut self, height: u32) -> Result<Option<BlockHash>, StoreError>;

        /// Stores transactions that nobody followed.
        pub(crate) async fn insert_txs(&mut self, txs: &[StoredTx]) -> Result<(), StoreError>;

        /// A transaction that pays us, followed or not.
        pub(crate) async fn paying_tx(&mut self, txid: Txid) -> Result<Option<StoredTx>, StoreError>;

        /// Stores where known transactions are now.
        pub(crate) async fn move_txs(&mut self, txs: &[Arc<TxPlace>]) -> Result<(), StoreError>;

        /// Ends the following of these transactions (R34).
        pub(crate) async fn leave_txs(&mut self, txids: &[Txid]) -> Result<(), StoreError>;

        /// All followed transactions, without the charges that they pay.
        pub(crate) async fn followed_txs(&mut self) -> Result<Vec<TxPlace>, StoreError>;

        // Charges.

        /// Stores new charges.
        pub(crate) async fn insert_charges(&mut self, rows: &[NewRow]) -> Result<(), StoreError>;

        /// Proves the charges of earlier releases, which have no proof, as they stand; how many there were.
        pub(crate) async fn prove_charges(&mut self) -> Result<u64, StoreError>;

        /// The charges with these row numbers.
        pub(crate) async fn charges_by_num(&mut self, nums: &[i64]) -> Result<Vec<Snapshot>, StoreError>;

        /// The charges that these scripts were given out for.
        pub(crate) async fn charges_by_script(&mut self, scripts: &[ScriptId]) -> Result<Vec<Snapshot>, StoreError>;

        /// All charges that chain or clock can still move.
        pub(crate) async fn open_charges(&mut self) -> Result<Vec<Snapshot>, StoreError>;

        /// The charge called `id`.
        pub(crate) async fn charge(&mut self, id: ChargeId) -> Result<Option<Snapshot>, StoreError>;

        /// The paid charges of an order, newest first (R22).
        pub(crate) async fn paid_charges(
            &mut self,
            merchant: i64,
            order_id: &str,
        ) -> Result<Vec<Snapshot>, StoreError>;

        /// Calls `each` with merchant and order id of every order that was ever paid something.
        pub(crate) async fn for_each_paid_order(&mut self, each: impl FnMut(i64, &str)) -> Result<(), StoreError>;

        /// Marks charges as settled for good, so that they are not loaded at the start any more.
        pub(crate) async fn close_charges(&mut self, nums: &[i64]) -> Result<(), StoreError>;

        /// How many charges there are in each state.
        pub(crate) async fn state_counts(&mut self) -> Result<Vec<(State, i64)>, StoreError>;

        /// Stores how many charges there are in each state.
        pub(crate) async fn set_state_counts(&mut self, counts: &[(State, i64)]) -> Result<(), StoreError>;

        /// Forgets how many charges there are in each state.
        pub(crate) async fn clear_state_counts(&mut self) -> Result<(), StoreError>;

        /// The same, counted charge by charge.
        pub(crate) async fn charges_by_state(&mut self) -> Result<Vec<(State, i64)>, StoreError>;

        /// Marks a charge as one that chain or clock can still move.
        pub(crate) async fn mark_open(&mut self, num: i64) -> Result<(), StoreError>;

        /// When the first charge was made.
        pub(crate) async fn first_made(&mut self) -> Result<Option<Timestamp>, StoreError>;

        /// The highest row numbers in use: of charges, batches, outbox, scripts, merchants, descriptors.
        pub(crate) async fn last_rows(&mut self) -> Result<[i64; 6], StoreError>;

        // A time that ran ahead.

        /// The charges that were made after `instant`, the first made first.
        pub(crate) async fn charges_made_after(&mut self, instant: Timestamp) -> Result<Vec<ChargeId>, StoreError>;

        /// Takes `millis` back from every instant beyond `shown` that something waits for. Sessions of people that were used in what is
        /// the future now would never end: they end here.
        pub(crate) async fn step_back(&mut self, shown: Timestamp, millis: i64) -> Result<(), StoreError>;

        // What was decided.

        /// Appends batches and brings rows of charges and payments to what they say.
        pub(crate) async fn append(&mut self, decided: &[Decided], at: Timestamp) -> Result<(), StoreError>;

        /// Puts what merchants are to be told into the outbox.
        pub(crate) async fn announce(&mut self, rows: &[OutboxRow], at: Timestamp) -> Result<(), StoreError>;

        /// The payments of all followed transactions: transaction, output, charge.
        pub(crate) async fn followed_payments(&mut self) -> Result<Vec<(Txid, u32, i64)>, StoreError>;

        /// The payments of one transaction: output and charge.
        pub(crate) async fn payments_of(&mut self, txid: Txid) -> Result<Vec<(u32, i64)>, StoreError>;

        // Keys of the merchant API.

        /// All keys.
        pub(crate) async fn api_keys(&mut self) -> Result<Vec<KeyRow>, StoreError>;

        /// All secrets, the newest of each key first.
        pub(crate) async fn api_key_secrets(&mut self) -> Result<Vec<KeySecretRow>, StoreError>;

        /// Stores a key as it is now, and exactly these secrets of it.
        pub(crate) async fn put_api_key(
            &mut self,
            key: &KeyRow,
            merchant: i64,
            secrets: &[KeySecretRow],
        ) -> Result<(), StoreError>;

        /// Notes when keys were last used: row and time.
        pub(crate) async fn note_keys_used(&mut self, used: &[(i64, Timestamp)]) -> Result<(), StoreError>;

        /// Stores a nonce; whether the key had not used it before.
        pub(crate) async fn insert_nonce(
            &mut self,
            key: i64,
            nonce: [u8; 16],
            expires_at: Timestamp,
        ) -> Result<bool, StoreError>;

        /// What was answered to the request of this name: the request's hash, and the answer.
        pub(crate) async fn kept_answer(
            &mut self,
            key: i64,
            name: &str,
            since: Timestamp,
        ) -> Result<Option<([u8; 32], KeptAnswer)>, StoreError>;

        /// Keeps an answer, in the place of one that is too old to count.
        pub(crate) async fn keep_answer(
            &mut self,
            key: i64,
            name: &str,
            request: [u8; 32],
            answer: &KeptAnswer,
            at: Timestamp,
        ) -> Result<(), StoreError>;

        /// Forgets nonces that expired by `now`, and answers made by `answers_until`.
        pub(crate) async fn forget_requests(&mut self, now: Timestamp, answers_until: Timestamp) -> Result<(), StoreError>;

        /// What is shown beside the charge in row `num`.
        pub(crate) async fn beside(&mut self, num: i64) -> Result<Option<BesideRow>, StoreError>;

        /// Stores where the page of a charge leads once it is paid.
        pub(crate) async fn insert_success_url(&mut self, charge: i64, url: &str) -> Result<(), StoreError>;

        // Keys of signed links.

        /// The link keys of all merchants by the merchant's row, oldest first.
        pub(crate) async fn link_keys(&mut self) -> Result<HashMap<i64, Vec<SealedLinkKey>>, StoreError>;

        /// Makes `keys` the only link keys of the merchant in row `merchant`. What is sealed in a row that stays is not written
        /// again: it may have been sealed anew since it was read.
        pub(crate) async fn keep_link_keys(&mut self, merchant: i64, keys: &[SealedLinkKey]) -> Result<(), StoreError>;

        // Letters.

        /// Puts a letter into the outbox, to be sent at once.
        pub(crate) async fn insert_mail(&mut self, id: [u8; 16], sealed: &[u8]) -> Result<(), StoreError>;

        /// Takes a letter out of the outbox.
        pub(crate) async fn delete_mail(&mut self, num: i64) -> Result<(), StoreError>;

        /// Notes an attempt in vain.
        pub(crate) async fn put_off_mail(
            &mut self,
            num: i64,
            attempts: u32,
            first_at: Timestamp,
            next_at: Timestamp,
        ) -> Result<(), StoreError>;

        // Notes.

        /// Puts a note beside a charge, or takes it away.
        pub(crate) async fn put_note(&mut self, charge: i64, note: Option<&Note>) -> Result<(), StoreError>;

        // What can be erased.

        /// Erases what stands apart from the log about a charge.
        pub(crate) async fn erase_personal(&mut self, num: i64) -> Result<(), StoreError>;

        /// Notes that the buyer gets their receipt now, and says where; nothing when they had it before, or gave no address.
        pub(crate) async fn take_receipt(&mut self, num: i64, at: Timestamp) -> Result<Option<String>, StoreError>;

        // Sealed secrets.

        /// The sealed secrets of a column: row and bytes.
        pub(crate) async fn sealed(&mut self, column: &SealedColumn) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError>;

        /// Puts a secret that was sealed anew in the place of the old one.
        pub(crate) async fn reseal(&mut self, column: &SealedColumn, row: &[u8], sealed: &[u8]) -> Result<(), StoreError>;

        // What merchants were told.

        /// Which URLs are told what of these charges, in its order: also by webhooks that are removed now.
        pub(crate) async fn told_urls(
            &mut self,
            charges: &[i64],
        ) -> Result<Vec<(i64, Arc<str>, Announcement)>, StoreError>;

        // Merchants, descriptors, scripts.

        /// All merchants, in the order in which they were added.
        pub(crate) async fn merchants(&mut self) -> Result<Vec<MerchantRow>, StoreError>;

        /// Stores a new merchant, or what has changed of one.
        pub(crate) async fn put_merchant(&mut self, merchant: &MerchantRow) -> Result<(), StoreError>;

        /// All descriptors.
        pub(crate) async fn descriptors(&mut self) -> Result<Vec<DescriptorRow>, StoreError>;

        /// Stores a new descriptor, or where its counter stands.
        pub(crate) async fn put_descriptor(&mut self, descriptor: &DescriptorRow) -> Result<(), StoreError>;

        /// Stores scripts of the look-ahead. One that another descriptor has already is left out: its index is skipped (R27).
        /// Whether all were stored.
        pub(crate) async fn insert_scripts(&mut self, scripts: &[ScriptRow]) -> Result<bool, StoreError>;

        /// Marks scripts that received money before they were given out (R27).
        pub(crate) async fn skip_scripts(&mut self, scripts: &[ScriptId]) -> Result<(), StoreError>;

        /// Scripts by row.
        pub(crate) async fn scripts(&mut self, ids: &[ScriptId]) -> Result<Vec<ScriptRow>, StoreError>;

        /// The script that is `script`.
        pub(crate) async fn script(&mut self, script: &[u8]) -> Result<Option<ScriptRow>, StoreError>;

        /// The look-ahead of a descriptor: scripts from `index` on that are not skipped, ascending.
        pub(crate) async fn look_ahead(
            &mut self,
            descriptor: DescriptorId,
            index: u32,
        ) -> Result<Vec<ScriptRow>, StoreError>;

        /// The nearest indices below and above one that received money: in a block, or before they were given out. `None` while it has
        /// itself.
        ///
        /// What lies below the first script that is stored was used before the wallet came here (R27).
        pub(crate) async fn paid_around(
            &mut self,
            descriptor: DescriptorId,
            index: u32,
        ) -> Result<Option<(Option<u32>, Option<u32>)>, StoreError>;

        /// Calls `each` with every watched script.
        pub(crate) async fn for_each_script(&mut self, each: impl FnMut(ScriptId, &[u8])) -> Result<(), StoreError>;

        // Webhooks.

        /// All webhooks that are not removed, in the order in which they were added.
        pub(crate) async fn webhooks(&mut self) -> Result<Vec<Webhook>, StoreError>;

        /// Stores a new webhook, or what has changed of one.
        pub(crate) async fn put_webhook(&mut self, webhook: &Webhook, merchant: i64) -> Result<(), StoreError>;

        /// Removes a webhook; what it was still to be told is cancelled.
        pub(crate) async fn remove_webhook(&mut self, num: i64, at: Timestamp) -> Result<(), StoreError>;

        /// Stores deliveries that are due at once.
        pub(crate) async fn insert_deliveries(&mut self, due: &[Due]) -> Result<(), StoreError>;

        /// Stores attempts, and how their deliveries go on.
        pub(crate) async fn insert_attempts(&mut self, attempts: &[AttemptRow]) -> Result<(), StoreError>;

        /// Notes which deliveries were overtaken, and by which event.
        pub(crate) async fn supersede(&mut self, overtaken: &[(i64, [u8; 16])]) -> Result<(), StoreError>;

        /// Makes deliveries of a webhook due again: that of one event whatever became of it, or all that did not arrive.
        pub(crate) async fn redeliver(
            &mut self,
            webhook: i64,
            event: Option<[u8; 16]>,
            at: Timestamp,
        ) -> Result<Vec<Due>, StoreError>;

        /// Forgets deliveries and their attempts.
        pub(crate) async fn delete_deliveries(&mut self, nums: &[i64]) -> Result<(), StoreError>;

        /// The highest row numbers in use: of webhooks and of deliveries.
        pub(crate) async fn last_webhook_rows(&mut self) -> Result<[i64; 2], StoreError>;
    }
}
