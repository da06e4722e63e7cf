//! What stands at each URL of a charge: a second "seen" or "confirmed" is sent only to who was told of the loss between (R17).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bitpro_charge::{Announcement, Event, State};

use super::{Batch, Tx};
use crate::StoreError;

/// What URLs were told of the charges that have ever fallen back. Of all others nothing need be known: nothing is decided twice
/// of them.
#[derive(Default)]
pub(super) struct Standing {
    fallen: HashSet<i64>,
    stands: HashMap<(i64, Arc<str>), Stands>,
}

/// What a URL was told since it was last told of a loss.
#[derive(Debug, Clone, Copy, Default)]
struct Stands {
    seen: bool,
    confirmed: bool,
}

impl Standing {
    /// Whether `url` is to be told of this about the charge in row `charge`; if so, it is taken as told.
    pub(super) fn tell(&mut self, charge: i64, url: &Arc<str>, announcement: Announcement) -> bool {
        if !self.fallen.contains(&charge) {
            return true;
        }
        let stands = self.stands.entry((charge, Arc::clone(url))).or_default();
        match announcement {
            Announcement::Seen => !std::mem::replace(&mut stands.seen, true),
            Announcement::Confirmed => !std::mem::replace(&mut stands.confirmed, true),
            Announcement::Reverted | Announcement::Failed | Announcement::TimedOut => {
                *stands = Stands::default();
                true
            }
            Announcement::Updated => true,
        }
    }
}

impl Tx {
    /// Reads what was told of those charges in `batches` that have fallen back, and of which something good is to be told again.
    /// That is rare, so that nothing is read for a block of ordinary payments; and it is one statement, however many a reorg takes
    /// back at once.
    pub(super) async fn standing_of(&mut self, batches: &[Batch]) -> Result<Standing, StoreError> {
        let has_webhooks = |batch: &&Batch| {
            let merchant = batch.before.charge.merchant;
            self.memory.webhooks().get(&merchant).is_some_and(|all| !all.is_empty())
        };
        let fallen = batches.iter().filter(has_webhooks).filter(|batch| has_fallen(batch));
        let fallen: Vec<i64> = fallen
            .filter(|batch| says_yes(batch))
            .map(|batch| batch.before.num)
            .collect();
        let mut standing = Standing {
            fallen: fallen.iter().copied().collect(),
            stands: HashMap::new(),
        };
        if !fallen.is_empty() {
            for (charge, url, announcement) in self.session.told_urls(&fallen).await? {
                standing.tell(charge, &url, announcement);
            }
        }
        Ok(standing)
    }
}

/// Whether the charge has ever fallen back, this batch included.
fn has_fallen(batch: &Batch) -> bool {
    let mut state: State = batch.before.charge.state;
    batch.before.charge.reversals > 0
        || batch.events.iter().any(|event| match event {
            Event::StateChanged { verdict, .. } => verdict
                .state
                .is_reversal_of(std::mem::replace(&mut state, verdict.state)),
            _ => false,
        })
}

/// Whether the batch tells of something that a merchant may act on.
fn says_yes(batch: &Batch) -> bool {
    batch.events.iter().any(|event| {
        matches!(
            event,
            Event::Announced {
                announcement: Announcement::Seen | Announcement::Confirmed,
                ..
            }
        )
    })
}
