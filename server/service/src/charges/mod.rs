//! The application service: makes charges, shows them, tells them what was observed. The only place that calls `decide`.

mod chain;
mod chores;
mod clock;
mod command;
mod commit_hook;
mod copies;
mod create;
mod decoded_tx;
mod error;
mod hub;
mod idempotency;
mod keys;
mod links;
mod manual;
mod merchants;
mod objects;
mod observe;
mod reading;
mod reconciling;
mod requests;
mod retention;
mod search;
mod shared;
#[cfg(test)]
mod tests;
mod types;

use std::path::PathBuf;
use std::sync::Arc;

use bitpro_charge::{MerchantId, Network, State, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use clock::{Accepted, ClockReport};
pub use commit_hook::CommitHook;
pub use error::{CommandError, CreateError, IssuanceBlock, MerchantError, ObserveError};
pub use hub::{Frame, Subscription};
pub use idempotency::{Authority, AuthorityError};
pub use keys::{IssuedKey, KeyError, LONGEST_OVERLAP_SECS, MOST_KEYS};
pub use links::{LinkKeyError, MadeLinkKey};
pub use manual::ManualChange;
pub use objects::ToldEvent;
pub use observe::MOST_PAYMENTS;
pub use search::{Found, FoundCharge};
pub(crate) use shared::Sending;
pub use types::{
    ChargeOptions, Cursor, Filter, Follower, Ignored, LinkOutcome, MerchantChanges, MerchantReport, NewCharge, Page,
    Unread,
};

pub use bitpro_merchant::wallet::WalletText;
pub use bitpro_store::{
    ChargeOrigin, CommitPoint, Faults, Needle, Note, OpenError, Personal, Place, Search, Snapshot, Tally,
};

use bitpro_base::clock::{Clock, Moment};
use bitpro_base::policy::Policy;
use bitpro_base::rng::Rng;
use bitpro_base::seal::Seal;
use bitpro_merchant::Merchant;
use bitpro_rates::RateSource;
use bitpro_store::secret::Secret;
use bitpro_store::{Fatal, Listener as _, NoFaults, Store, StoreError, StoreOptions, WebhookMap, open};
use shared::Shared;

/// At most so many charges on a page of a list (R36).
pub const LONGEST_PAGE: u32 = 100;

/// What the charges need to start.
pub struct Opening {
    /// The database file; the issuance mark stands beside it (R28).
    pub database: PathBuf,
    /// The instance's network; a database belongs to one.
    pub network: Network,
    /// The configuration's key, under which descriptors are authenticated.
    pub secret: [u8; 32],
    /// Seals secrets at rest.
    pub seal: Seal,
    /// Where webhooks may lead.
    pub webhooks: Policy,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Exchange rates.
    pub rates: Arc<dyn RateSource>,
    /// Whether this process serves shoppers.
    pub role: Role,
}

/// What a process may do with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one server: holds the issuance mark and makes charges.
    Server,
    /// A command-line tool beside it: reads, accepts, cancels, changes merchants, makes no charges.
    Tool,
}

/// The charges. A cheap handle; clones share everything.
#[derive(Clone)]
pub struct Charges {
    inner: Arc<Inner>,
}

/// What the clones share. What is done with it stands on [`Charges`].
struct Inner {
    store: Arc<Store>,
    shared: Arc<Shared>,
    network: Network,
    secret: Secret,
    seal: Seal,
    webhooks: Policy,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    rates: Arc<dyn RateSource>,
    role: Role,
    epoch: String,
    /// Cancelled when the process is to begin anew by the machine's clock.
    begins_anew: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Charges {
    /// Opens the database, brings it to the current shape, loads what is open, and prepares addresses. A failed sync of
    /// the disk ends the process, for no answer is right any more (R30).
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed then, beyond migrations.
    pub async fn open(opening: Opening) -> Result<Self, OpenError> {
        let fatal: Fatal = Arc::new(|error| {
            tracing::error!(%error, "exiting: the state of the disk is unknown");
            std::process::exit(70);
        });
        Self::open_with(opening, fatal).await
    }

    async fn open_with(opening: Opening, fatal: Fatal) -> Result<Self, OpenError> {
        Self::open_among(opening, fatal, Arc::new(NoFaults)).await
    }

    /// Opens the database where faults befall its commits, for the simulation. `fatal` is told of a failed sync.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed then, beyond migrations.
    pub async fn open_among(
        opening: Opening,
        fatal: Arc<dyn Fn(&StoreError) + Send + Sync>,
        faults: Arc<dyn Faults>,
    ) -> Result<Self, OpenError> {
        let secret = Secret::new(opening.secret);
        let opened = open(StoreOptions {
            database: opening.database,
            network: opening.network,
            secret: secret.clone(),
            seal: opening.seal.clone(),
            rng: Arc::clone(&opening.rng),
            now: opening.clock.now(),
            issues: opening.role == Role::Server,
            fatal,
            faults,
        })
        .await?;
        // From here on there is one time, for whoever holds this clock (R32).
        opening.clock.resume(opened.time);
        let (chores, chores_taken) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::new(opened.watch_map, chores));
        shared.committed(opened.news);
        // A tool has no node to look at.
        shared.set_chain_held(opening.role != Role::Server);
        let writer = tokio::spawn(opened.writer.run(Arc::clone(&shared) as Arc<_>));
        let inner = Arc::new(Inner {
            store: Arc::new(opened.store),
            shared,
            network: opening.network,
            secret,
            seal: opening.seal,
            webhooks: opening.webhooks,
            clock: opening.clock,
            rng: opening.rng,
            rates: opening.rates,
            role: opening.role,
            epoch: opened.epoch,
            begins_anew: CancellationToken::new(),
            tasks: Mutex::default(),
        });
        let chores = tokio::spawn(chores::run(Arc::downgrade(&inner), chores_taken));
        inner.tasks.lock().extend([writer, chores]);
        Ok(Self { inner })
    }

    /// Ends all subscriptions, commits what was taken in, and closes the database.
    pub async fn close(&self) {
        self.inner.shared.hub.close();
        self.inner.shared.merchant_hub.close();
        if let Err(error) = chores::note_the_time(self).await {
            tracing::warn!(%error, "the latest time was not stored");
        }
        let stored = self
            .inner
            .store
            .write(|tx| Box::pin(async move { tx.store_until().await }));
        if let Err(error) = stored.await {
            tracing::warn!(%error, "the end of what was observed was not stored");
        }
        // The writer's connection is the last to close: only then does the engine bring its log into the one file.
        self.inner.store.close_readers().await;
        self.inner.store.stop();
        let tasks = std::mem::take(&mut *self.inner.tasks.lock());
        let mut tasks = tasks.into_iter();
        if let Some(writer) = tasks.next() {
            let _ = writer.await;
        }
        for other in tasks {
            other.abort();
        }
    }

    /// Seals and opens the secrets that are stored.
    #[must_use]
    pub fn seal(&self) -> &Seal {
        &self.inner.seal
    }

    /// Shows that the mark of a browser was made here.
    pub(crate) fn device_mac(&self, mark: &[u8]) -> [u8; 16] {
        self.inner.secret.of_device(mark)
    }

    /// The store, for whoever keeps something of their own in it: they hold it themselves.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.inner.store
    }

    /// Randomness.
    pub fn rng(&self) -> &dyn Rng {
        &*self.inner.rng
    }

    /// Sixteen fresh bytes.
    pub fn random(&self) -> [u8; 16] {
        self.inner.rng.bytes()
    }

    /// Where webhooks may lead.
    pub(crate) fn webhook_policy(&self) -> &Policy {
        &self.inner.webhooks
    }

    /// The webhooks of all merchants.
    pub(crate) fn webhook_map(&self) -> Arc<WebhookMap> {
        self.inner.shared.webhooks()
    }

    /// Hears of every delivery that is to be made from now on. There is one listener: the sender.
    pub(crate) fn listen_to_deliveries(&self) -> mpsc::UnboundedReceiver<Sending> {
        self.inner.shared.listen_to_deliveries()
    }

    /// Notified when a letter was posted. There is one listener: the postman.
    pub(crate) fn mail_posted(&self) -> Arc<Notify> {
        Arc::clone(&self.inner.shared.mail_posted)
    }

    /// The instance's network.
    #[must_use]
    pub fn network(&self) -> Network {
        self.inner.network
    }

    /// Random per database, and new after a restore: cursors of another epoch mean nothing here (R31).
    #[must_use]
    pub fn epoch(&self) -> String {
        self.inner.epoch.clone()
    }

    /// The clock of the process, for whoever needs nothing else of the charges.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.clock)
    }

    /// The time by which charges are judged. It never steps back behind the highest time ever seen, and never stands (R32).
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Everything that the clocks say now, for what is compared with clocks outside.
    #[must_use]
    pub fn moment(&self) -> Moment {
        self.inner.clock.moment()
    }

    /// Whether charges can be stored: for `/readyz` (R39). It commits, and so asks the disk.
    pub async fn is_writable(&self) -> bool {
        chores::note_the_time(self).await.is_ok()
    }

    /// How many commits there were since the start.
    #[cfg(any(test, feature = "testing"))]
    pub fn commits(&self) -> u64 {
        self.inner.shared.commits()
    }

    /// How many charges there are in each state; a state without any may be left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_by_state(&self) -> Result<Vec<(State, u64)>, StoreError> {
        let counts = self.inner.store.state_counts().await?;
        Ok(counts.into_iter().map(|(state, n)| (state, n.unsigned_abs())).collect())
    }

    /// The merchant called `id`, from memory.
    #[must_use]
    pub fn merchant(&self, id: MerchantId) -> Option<Arc<Merchant>> {
        self.inner.shared.merchant(id)
    }

    /// All merchants, in the order in which they were added.
    #[must_use]
    pub fn merchants(&self) -> Vec<Arc<Merchant>> {
        let mut merchants: Vec<Arc<Merchant>> = self.inner.shared.merchants().values().cloned().collect();
        merchants.sort_by_key(|merchant| (merchant.created_at, merchant.id));
        merchants
    }
}
