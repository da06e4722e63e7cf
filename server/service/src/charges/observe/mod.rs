//! A change of view becomes decisions: the whole of it in one unit (R2).

mod transactions;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bitpro_charge::{
    BlockRef, Charge, Context, Event, Found, Gone, Observation, Payment, Place, Quote, Sighting, Timestamp, Txid,
    Whereabouts, decide,
};
use bitpro_node::view::{Connected, LostTx, Tip, UNTIL_LAG_MILLIS, View, is_settled};
use bitpro_store::{Batch, CHARGES_A_TURN, Snapshot, StoreError, Tx, TxPlace};

use super::decoded_tx::DecodedTx;
use super::{Charges, ObserveError};
pub use transactions::MOST_PAYMENTS;
use transactions::{take_in_losses, take_in_transactions};

/// A view that says more than this is told of: until it is stored, nothing else is. It is no reason to take it in in parts, for a
/// change of view is one (R2).
const LARGE_VIEW: usize = 5_000;

/// A view, checked as far as it can be without the writer.
struct Sight {
    tip: Tip,
    fork_height: u32,
    connected: Vec<BlockRef>,
    found: Arc<[Found]>,
    transactions: Vec<DecodedTx>,
    gone: Vec<LostTx>,
    observed_until: Timestamp,
    now: Timestamp,
    rate: Option<Quote>,
}

/// What a view means for one charge.
#[derive(Default)]
struct Concern {
    sightings: Vec<Sighting>,
    gone: Vec<Gone>,
}

type Concerns = BTreeMap<i64, Concern>;

impl Charges {
    /// Takes in a change of view, with the times of some of the blocks below that the charges stand on already, ascending.
    pub(super) async fn observe_on(&self, view: View, standing: &[Connected]) -> Result<(), ObserveError> {
        let now = self.now();
        let sight = Sight {
            tip: view.tip,
            fork_height: view.fork_height,
            connected: view.connected.iter().map(|connected| connected.block).collect(),
            found: found(standing.iter().chain(&view.connected)),
            transactions: view.transactions.into_iter().filter_map(DecodedTx::read).collect(),
            gone: view.gone,
            observed_until: view.observed_until,
            now,
            rate: self.inner.rates.fresh(now),
        };
        self.inner
            .store
            .write(move |tx| Box::pin(async move { apply(tx, sight).await }))
            .await
    }
}

/// When the blocks were found. A block is no older than the one that it stands on.
fn found<'c>(connected: impl Iterator<Item = &'c Connected>) -> Arc<[Found]> {
    let (mut after, mut claimed) = (Timestamp(i64::MIN), Timestamp(i64::MIN));
    let found = connected.map(|connected| {
        after = after.max(connected.found_after);
        claimed = claimed.max(connected.claimed);
        Found {
            height: connected.block.height,
            after,
            claimed,
        }
    });
    found.collect()
}

async fn apply(tx: &mut Tx, sight: Sight) -> Result<(), ObserveError> {
    let stored = check_continuity(tx, &sight).await?;
    let observed_until = sight.observed_until.max(tx.memory().observed_until());
    let has_moved = sight.tip.block != stored.block;

    let mut charges = HashMap::new();
    let mut concerns = Concerns::new();
    take_in_transactions(tx, &sight, &mut charges, &mut concerns).await?;
    take_in_losses(tx, &sight, &mut concerns).await?;

    let mut deepened = HashSet::new();
    if has_moved {
        deepened = moved_by_depth(tx, stored.block.height, sight.tip.block.height);
        for &num in &deepened {
            concerns.entry(num).or_default();
        }
    }
    for num in tx.memory().due_by(observed_until) {
        concerns.entry(num).or_default();
    }

    if has_moved {
        tx.move_chain(sight.fork_height, &sight.connected, sight.tip, observed_until)
            .await?;
        end_following(tx, sight.tip.block.height).await?;
    }
    let has_decided = conclude(tx, &sight, observed_until, charges, concerns, &deepened).await?;
    if !has_moved {
        let lag = observed_until.0.saturating_sub(tx.memory().stored_until().0);
        let store = has_decided || lag >= UNTIL_LAG_MILLIS;
        tx.observe_until(sight.tip, observed_until, store).await?;
    }
    Ok(())
}

/// The view must continue what is stored, with more work when it moves the chain (R6). The stored tip.
async fn check_continuity(tx: &mut Tx, sight: &Sight) -> Result<Tip, ObserveError> {
    let stored = tx.memory().tip().ok_or(ObserveError::NotContinuing)?;
    if sight.connected.is_empty() {
        let is_same = sight.tip.block == stored.block && sight.fork_height == stored.block.height;
        return if is_same {
            Ok(stored)
        } else {
            Err(ObserveError::NotContinuing)
        };
    }
    let mut height = sight.fork_height;
    for block in &sight.connected {
        height = height.saturating_add(1);
        if block.height != height {
            return Err(ObserveError::NotContinuing);
        }
    }
    let is_fork_known = sight.fork_height <= stored.block.height && tx.block_at(sight.fork_height).await?.is_some();
    if !is_fork_known || sight.connected.last() != Some(&sight.tip.block) {
        return Err(ObserveError::NotContinuing);
    }
    if sight.tip.work <= stored.work {
        return Err(ObserveError::LessWork);
    }
    Ok(stored)
}

/// The charges that a move of the tip alone may move: those not deep yet, and after a reorg to a lower height those that
/// were.
fn moved_by_depth(tx: &Tx, before: u32, after: u32) -> HashSet<i64> {
    let mut nums: HashSet<i64> = tx.memory().shallow().collect();
    if after < before {
        let followed = tx.memory().all_followed();
        nums.extend(followed.flat_map(|place| &place.pays).map(|&(_, num)| num));
    }
    nums
}

async fn end_following(tx: &mut Tx, tip: u32) -> Result<(), StoreError> {
    let is_deep = |place: &&Arc<TxPlace>| {
        let since = match place.whereabouts {
            Whereabouts::Live(Place::Block(block)) => Some(block.height),
            Whereabouts::Live(Place::Mempool) => None,
            Whereabouts::Gone(_) => place.lost_at,
        };
        since.is_some_and(|since| is_settled(since, tip))
    };
    let deep: Vec<Txid> = tx
        .memory()
        .all_followed()
        .filter(is_deep)
        .map(|place| place.txid)
        .collect();
    if deep.is_empty() {
        return Ok(());
    }
    tx.leave_txs(&deep).await
}

/// Decides for every charge that the view concerns, and stores what was decided. Whether anything was.
async fn conclude(
    tx: &mut Tx,
    sight: &Sight,
    observed_until: Timestamp,
    mut charges: HashMap<i64, Arc<Snapshot>>,
    concerns: Concerns,
    deepened: &HashSet<i64>,
) -> Result<bool, StoreError> {
    let unread: Vec<i64> = concerns
        .keys()
        .copied()
        .filter(|num| !charges.contains_key(num))
        .collect();
    for charge in tx.charges(&unread).await? {
        charges.insert(charge.num, charge);
    }
    let context = Context {
        now: sight.now,
        tip: sight.tip.block.height,
        observed_until,
        rate: sight.rate.clone(),
        found: Arc::clone(&sight.found),
    };
    let said: usize = concerns
        .values()
        .map(|concern| concern.sightings.len() + concern.gone.len())
        .sum();
    if said > LARGE_VIEW {
        tracing::warn!(
            payments = said,
            charges = concerns.len(),
            "a view contains very many changes at once"
        );
        metrics::counter!("bitpro_large_views_total").increment(1);
    }
    let mut batches = Vec::new();
    let mut unmoved = Vec::new();
    let mut left_chain = Vec::new();
    for (i, (num, Concern { sightings, gone })) in concerns.into_iter().enumerate() {
        if i % CHARGES_A_TURN == CHARGES_A_TURN - 1 {
            tokio::task::yield_now().await;
        }
        let before = charges
            .remove(&num)
            .ok_or_else(|| StoreError::Damaged(format!("charge {num} is gone")))?;
        // What another hand has changed is told by a comparison, and decided by nobody: others must go on.
        if !before.is_genuine {
            continue;
        }
        let observation = Observation::View { sightings, gone };
        let context = match tx.memory().hole() {
            // Money may have come in blocks that could not be read: nothing is concluded from its absence (R6).
            Some(hole) if hole.may_concern(before.charge.made_by) => &Context {
                observed_until: observed_until.min(hole.since),
                ..context.clone()
            },
            _ => &context,
        };
        let events = decide(&before.charge, &observation, context).expect("a view is never refused");
        if leaves_chain(&before.charge, &events) {
            left_chain.push((before.descriptor, before.index));
        }
        if !events.is_empty() {
            batches.push(Batch { before, events });
        } else if deepened.contains(&num) {
            unmoved.push(before);
        }
    }
    let recorded = tx.record(batches, sight.now).await?;
    tx.note_unpaid(left_chain).await?;
    for charge in &unmoved {
        tx.deepen(charge);
    }
    Ok(!recorded.is_empty())
}

/// Whether these events take a payment out of its block: its address may not be a used one any more (R26).
fn leaves_chain(before: &Charge, events: &[Event]) -> bool {
    events.iter().any(|event| match event {
        Event::PaymentMoved {
            outpoint,
            place: Place::Mempool,
        }
        | Event::PaymentLost { outpoint, .. } => before.payment(*outpoint).and_then(Payment::block).is_some(),
        _ => false,
    })
}
