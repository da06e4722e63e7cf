//! What a committed group has changed, for those who keep copies or listen.

use std::sync::Arc;

use bitpro_charge::Timestamp;
use bitpro_merchant::MerchantMap;
use bitpro_merchant::keys::KeyMap;
use bitpro_merchant::wallet::{DescriptorId, Receive};
use bitpro_node::view::{Hole, Tip};

use super::issuer::Ahead;
use super::webhook::Due;
use super::{Snapshot, WebhookMap};

/// What a committed group has changed.
#[derive(Default)]
pub struct News {
    /// Charges that are new or have new events, in the order of their batches.
    pub touched: Vec<Touched>,
    /// Charges whose depth alone has changed (R31).
    pub deeper: Vec<Arc<Snapshot>>,
    /// Scripts that are watched from now on.
    pub watched: Vec<Arc<Ahead>>,
    /// The merchants, when one was added or changed.
    pub merchants: Option<Arc<MerchantMap>>,
    /// The keys of the merchant API, when one was added or changed.
    pub keys: Option<Arc<KeyMap>>,
    /// The webhooks, when one was added, changed or removed.
    pub webhooks: Option<Arc<WebhookMap>>,
    /// Deliveries that are to be made.
    pub due: Vec<Due>,
    /// Whether a letter was posted.
    pub has_mail: bool,
    /// The tip and how far chain and mempool were read, when either moved.
    pub tip: Option<(Tip, Timestamp)>,
    /// The earliest instant at which time alone moves a charge.
    pub next_due: Option<Timestamp>,
    /// When the first charge was made.
    pub first_made: Option<Timestamp>,
    /// Blocks that could not be read and that nobody has vouched for (R6).
    pub hole: Option<Hole>,
    /// Descriptors that are new, or were read.
    pub receives: Vec<(DescriptorId, Arc<Receive>)>,
    /// Descriptors that run out of prepared addresses.
    pub low: Vec<Low>,
    /// Descriptors that wait for a scan.
    pub unscanned: Vec<Unscanned>,
    /// Whether another process wrote: copies of what is not in here are of no use any more.
    pub from_elsewhere: bool,
}

/// A descriptor that runs out of prepared addresses.
pub struct Low {
    /// Its row.
    pub descriptor: DescriptorId,
    /// The descriptor, to derive from.
    pub receive: Arc<Receive>,
    /// The first index to derive.
    pub from: u32,
    /// How many to derive.
    pub count: u32,
}

/// A descriptor that waits for a scan.
pub struct Unscanned {
    /// Its row.
    pub descriptor: DescriptorId,
    /// Its normal form.
    pub text: String,
    /// Where its counter stands.
    pub next_index: u32,
}

/// A charge with new events.
pub struct Touched {
    /// Its sequence before them.
    pub previous: u64,
    /// As it is now.
    pub snapshot: Arc<Snapshot>,
}

/// A point to go back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    touched: usize,
    deeper: usize,
    watched: usize,
    due: usize,
    had_webhooks: bool,
    had_mail: bool,
    tip: Option<(Tip, Timestamp)>,
    had_merchants: bool,
    had_keys: bool,
}

impl News {
    /// A point to go back to.
    pub(super) const fn mark(&self) -> Mark {
        Mark {
            touched: self.touched.len(),
            deeper: self.deeper.len(),
            watched: self.watched.len(),
            due: self.due.len(),
            had_webhooks: self.webhooks.is_some(),
            had_mail: self.has_mail,
            tip: self.tip,
            had_merchants: self.merchants.is_some(),
            had_keys: self.keys.is_some(),
        }
    }

    /// Forgets what came after `mark`. A change of merchants, keys or webhooks before it is told again by the memory that
    /// was restored.
    pub(super) fn go_back(
        &mut self,
        mark: Mark,
        merchants: &Arc<MerchantMap>,
        keys: &Arc<KeyMap>,
        webhooks: &Arc<WebhookMap>,
    ) {
        self.touched.truncate(mark.touched);
        self.deeper.truncate(mark.deeper);
        self.watched.truncate(mark.watched);
        self.due.truncate(mark.due);
        self.has_mail = mark.had_mail;
        self.tip = mark.tip;
        self.webhooks = mark.had_webhooks.then(|| Arc::clone(webhooks));
        self.merchants = mark.had_merchants.then(|| Arc::clone(merchants));
        self.keys = mark.had_keys.then(|| Arc::clone(keys));
    }
}
