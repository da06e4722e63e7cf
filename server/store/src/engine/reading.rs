//! What is read beside the writer, as it was last committed.

use std::collections::HashMap;
use std::path::Path;

use bitpro_charge::{BlockHash, ChargeId, Event, MerchantId, Recorded, State, Timestamp, Txid};
use bitpro_node::view::PayingOutput;

use super::{Engine, operations};
use crate::rows::{BesideRow, MailRow};
use crate::search::{Note, Place, Search, Tally};
use crate::webhook::{ChargeDelivery, DeliveryRow, Due};
use crate::{Listed, Listing, Snapshot, Store, StoreError, StoredTx, Told};

impl Store {
    /// Closes the readers.
    pub async fn close_readers(&self) {
        match &self.readers {
            Engine::Sqlite(readers) => readers.close().await,
        }
    }

    operations! {
        /// The charge called `id`, as it was last committed.
        pub async fn charge(&self, id: ChargeId) -> Result<Option<Snapshot>, StoreError>;

        /// Charges, newest first.
        pub async fn list(&self, listing: &Listing<'_>) -> Result<Vec<Listed>, StoreError>;

        /// The charges that `search` means, newest first, after `after`.
        pub async fn search(&self, search: &Search, after: Option<Place>, limit: u32) -> Result<Vec<Listed>, StoreError>;

        /// How many of a merchant's charges made in each span are in which state now, and what they cost.
        pub async fn tallies(
            &self,
            merchant: MerchantId,
            spans: &[(Timestamp, Timestamp)],
        ) -> Result<Vec<Tally>, StoreError>;

        /// The merchant's own words about a charge.
        pub async fn note(&self, num: i64) -> Result<Option<Note>, StoreError>;

        /// The deliveries of what was told about a charge, newest first, each with its attempts.
        pub async fn deliveries_of_charge(&self, num: i64, limit: u32) -> Result<Vec<ChargeDelivery>, StoreError>;

        /// What stands apart from the log about a charge (R31): e-mail, metadata, notes.
        pub async fn personal(&self, num: i64) -> Result<[Option<String>; 3], StoreError>;

        /// Charges of a merchant after the row `after` that have personal data still and to which nothing has happened since
        /// `until`, by row.
        pub async fn outdated_personal(
            &self,
            merchant: MerchantId,
            until: Timestamp,
            after: i64,
            limit: u32,
        ) -> Result<Vec<(i64, ChargeId)>, StoreError>;

        /// The log of a charge, batch by batch; `None` when there is no such charge.
        pub async fn history(&self, id: ChargeId) -> Result<Option<Vec<Vec<Recorded>>>, StoreError>;

        /// The last events of a charge before the one numbered `before`, at most `limit`, oldest first; `None` when there is no such charge.
        pub async fn events_before(
            &self,
            id: ChargeId,
            before: u64,
            limit: u32,
        ) -> Result<Option<Vec<Recorded>>, StoreError>;

        /// The charges in these rows, in no order.
        pub async fn charges(&self, nums: &[i64]) -> Result<Vec<Snapshot>, StoreError>;

        /// What is shown beside these charges, by row.
        pub async fn beside(&self, nums: &[i64]) -> Result<HashMap<i64, BesideRow>, StoreError>;

        /// What was told, by row of the outbox, in no order.
        pub async fn told(&self, nums: &[i64]) -> Result<Vec<Told>, StoreError>;

        /// What a merchant was told after the row `after` of the outbox, oldest first.
        pub async fn told_after(&self, merchant: MerchantId, after: i64, limit: u32) -> Result<Vec<Told>, StoreError>;

        /// The logs of these charges by row, each from its first event on.
        pub async fn logs(&self, nums: &[i64]) -> Result<HashMap<i64, Vec<Event>>, StoreError>;

        /// The stored nonces: key, nonce, when it expires.
        pub async fn nonces(&self) -> Result<Vec<(i64, [u8; 16], Timestamp)>, StoreError>;

        /// Where the page of a charge leads once it is paid, if it was said.
        pub async fn success_url(&self, num: i64) -> Result<Option<String>, StoreError>;

        /// Deliveries that are still to be made after the row `after`, by webhooks that are not paused, in their order.
        pub async fn pending_deliveries(&self, after: i64, limit: u32) -> Result<Vec<Due>, StoreError>;

        /// What is sent beside the charge, by row of the outbox.
        pub async fn sent_beside(&self, outbox: &[i64]) -> Result<HashMap<i64, BesideRow>, StoreError>;

        /// How many deliveries of a webhook are still to be made.
        pub async fn count_pending(&self, webhook: i64) -> Result<i64, StoreError>;

        /// The deliveries of a webhook before the row `before`, newest first, each with its attempts.
        pub async fn deliveries(&self, webhook: i64, before: i64, limit: u32) -> Result<Vec<DeliveryRow>, StoreError>;

        /// Deliveries that ended before `until`, oldest first.
        pub async fn deliveries_ended(&self, until: Timestamp, limit: u32) -> Result<Vec<i64>, StoreError>;

        /// Letters whose time has come, those that waited longest first.
        pub async fn mails_due(&self, now: Timestamp, limit: u32) -> Result<Vec<MailRow>, StoreError>;

        /// How many letters wait, and when the next one's time comes.
        pub async fn mails_waiting(&self) -> Result<(u64, Option<Timestamp>), StoreError>;

        /// How many charges there are in each state.
        pub async fn state_counts(&self) -> Result<Vec<(State, i64)>, StoreError>;

        /// The hash of the stored chain at `height`.
        pub async fn block_at(&self, height: u32) -> Result<Option<BlockHash>, StoreError>;

        /// The followed transactions with their bytes.
        pub async fn followed_txs(&self) -> Result<Vec<StoredTx>, StoreError>;

        /// The outputs to charges of followed transactions whose bytes are not known (R6).
        pub async fn outputs_without_bytes(&self) -> Result<HashMap<Txid, Vec<PayingOutput>>, StoreError>;

        /// Writes a consistent copy of everything committed to the file `to`, which must not be there, while the writer goes on.
        pub async fn copy_into(&self, to: &Path) -> Result<(), StoreError>;

        /// How many webhooks have a row, removed ones included.
        #[cfg(any(test, feature = "testing"))]
        pub async fn count_webhook_rows(&self) -> Result<i64, StoreError>;
    }
}
