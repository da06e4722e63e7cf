//! What readers know of the store besides charges: one value, exchanged whole after each commit (R30).

use std::collections::HashMap;
use std::sync::Arc;

use bitpro_charge::Timestamp;
use bitpro_merchant::MerchantMap;
use bitpro_merchant::keys::KeyMap;
use bitpro_merchant::wallet::{DescriptorId, Receive};
use bitpro_node::view::{Hole, Tip};
use bitpro_node::{IssuedRange, ScanRequest};
use bitpro_store::{News, WebhookMap};

/// How far beyond its counter a descriptor is scanned: as far as a diligent wallet's gap limit reaches.
const SCAN_BEYOND: u32 = 1_000;

/// What the watcher asks for at every turn.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Agenda {
    /// The earliest instant at which time alone moves a charge.
    pub(super) next_due: Option<Timestamp>,
    /// When the first charge was made.
    pub(super) first_made: Option<Timestamp>,
    /// Blocks that could not be read (R6).
    pub(super) hole: Option<Hole>,
}

/// The readers' copies, all of one commit.
#[derive(Clone, Default)]
pub(super) struct Copies {
    pub(super) merchants: Arc<MerchantMap>,
    /// Another number means that the merchants may be others.
    pub(super) merchants_version: u64,
    pub(super) keys: Arc<KeyMap>,
    pub(super) webhooks: Arc<WebhookMap>,
    pub(super) receives: Arc<HashMap<DescriptorId, Arc<Receive>>>,
    pub(super) tip: Option<(Tip, Timestamp)>,
    pub(super) scans: Arc<[ScanRequest]>,
    pub(super) agenda: Agenda,
}

impl Copies {
    /// The same after a commit.
    pub(super) fn after(&self, news: &News) -> Self {
        let changed = u64::from(news.merchants.is_some());
        Self {
            merchants: Arc::clone(news.merchants.as_ref().unwrap_or(&self.merchants)),
            merchants_version: self.merchants_version + changed,
            keys: Arc::clone(news.keys.as_ref().unwrap_or(&self.keys)),
            webhooks: Arc::clone(news.webhooks.as_ref().unwrap_or(&self.webhooks)),
            receives: self.receives_with(news),
            tip: news.tip.or(self.tip),
            scans: scans_of(news),
            agenda: Agenda {
                next_due: news.next_due,
                first_made: news.first_made,
                hole: news.hole,
            },
        }
    }

    /// The height of the tip, 0 while none is known.
    pub(super) fn tip_height(&self) -> u32 {
        self.tip.map_or(0, |(tip, _)| tip.block.height)
    }

    /// Whether a scan is wanted here that was not wanted `before`.
    pub(super) fn wants_more_scans_than(&self, before: &Self) -> bool {
        let is_new = |scan: &ScanRequest| before.scans.iter().all(|known| known.id != scan.id);
        self.scans.iter().any(is_new)
    }

    fn receives_with(&self, news: &News) -> Arc<HashMap<DescriptorId, Arc<Receive>>> {
        let mut receives = Arc::clone(&self.receives);
        if !news.receives.is_empty() {
            Arc::make_mut(&mut receives).extend(news.receives.iter().cloned());
        }
        receives
    }
}

fn scans_of(news: &News) -> Arc<[ScanRequest]> {
    let wanted = news.unscanned.iter().map(|unscanned| ScanRequest {
        id: unscanned.descriptor.0,
        range: IssuedRange {
            descriptor: unscanned.text.clone(),
            highest: unscanned.next_index.saturating_add(SCAN_BEYOND),
        },
    });
    wanted.collect()
}
