//! From the old view and what was read to the new view. Pure: everything that decides about money gone or moved is in here.

use std::collections::{HashMap, HashSet};

use bitpro_charge::{Loss, Outpoint, Place, Timestamp, Txid};

use super::known::{Known, is_conflict};
use super::matching::Conflict;
use super::view::{Connected, LostTx, PayingTx, Tip, View};

/// The chain, as it was read: from the fork with what the charges stand on up to the node's tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChainReading {
    /// The tip of what was read.
    pub tip: Tip,
    /// The highest block that old and new chain share.
    pub fork_height: u32,
    /// The blocks above it, ascending.
    pub connected: Vec<Connected>,
    /// Transactions in them that pay us.
    pub mined: Vec<PayingTx>,
    /// Known payments that they make impossible.
    pub conflicts: Vec<Conflict>,
}

impl ChainReading {
    /// The chain has not moved.
    pub(super) const fn unchanged(tip: Tip) -> Self {
        Self {
            tip,
            fork_height: tip.block.height,
            connected: Vec::new(),
            mined: Vec::new(),
            conflicts: Vec::new(),
        }
    }
}

/// The mempool, as far as it was read under that tip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PoolReading {
    /// Transactions in it that pay us: the new ones, and known ones that were looked at again.
    pub paying: Vec<PayingTx>,
    /// Known transactions that are in no block and not in the mempool either, with what is known of them.
    pub absent: HashMap<Txid, Absence>,
}

/// A known transaction that is not in the mempool. By itself that proves nothing (R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absence {
    /// This transaction in the mempool spends what it, or an ancestor of it, spends.
    Replaced(Txid),
    /// The node refuses to take it again; it was missed first at this time.
    Refused(Timestamp),
    /// It could not be sent again, or was not yet.
    Unexplained,
}

/// What the judgement depends on beside the two views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// The time.
    pub now: Timestamp,
    /// How long a transaction must be absent and refused before it counts as dropped, in seconds.
    pub dropped_after_secs: u32,
    /// Payments first seen before this may stand in blocks that could not be read: their absence proves nothing (R6).
    pub unread_until: Option<Timestamp>,
    /// The instant up to which chain and mempool are now fully read.
    pub observed_until: Timestamp,
}

/// Two transactions that cannot be in one mempool were both reported: it changed while it was read.
pub(super) fn contradicts_itself(pool: &PoolReading) -> bool {
    let spenders: HashMap<Outpoint, Txid> = pool
        .paying
        .iter()
        .flat_map(|tx| tx.inputs.iter().map(|&input| (input, tx.txid)))
        .collect();
    pool.paying.iter().any(|tx| {
        let mut needed = tx.inputs.iter().chain(&tx.ancestor_inputs);
        needed.any(|input| spenders.get(input).is_some_and(|&spender| is_conflict(tx, spender)))
    })
}

/// The new view. Deterministic: lists are in the order of the blocks, then of the ids.
pub(super) fn diff(known: &Known, chain: ChainReading, pool: PoolReading, rules: Rules) -> View {
    let mined: HashSet<Txid> = chain.mined.iter().map(|tx| tx.txid).collect();
    let gone = lost(known, &chain, &pool, &mined, rules);
    let gone_ids: HashSet<Txid> = gone.iter().map(|lost| lost.txid).collect();

    let mut floating: HashMap<Txid, PayingTx> = HashMap::new();
    // What left the chain and is not proven lost is back among the unconfirmed, whether or not this node keeps it.
    for tx in known.in_blocks_above(chain.fork_height) {
        floating.insert(tx.txid, unconfirmed(tx.clone()));
    }
    for tx in pool.paying {
        if !known.has_as_it_is(&tx) {
            floating.insert(tx.txid, keeping_first_sight(tx, known));
        }
    }
    let mut floating: Vec<PayingTx> = floating
        .into_values()
        .filter(|tx| !mined.contains(&tx.txid) && !gone_ids.contains(&tx.txid))
        .collect();
    floating.sort_unstable_by_key(|tx| tx.txid);

    let mut transactions: Vec<PayingTx> = chain
        .mined
        .into_iter()
        .map(|tx| with_what_was_known(tx, known))
        .collect();
    transactions.extend(floating);
    View {
        tip: chain.tip,
        fork_height: chain.fork_height,
        connected: chain.connected,
        transactions,
        gone,
        observed_until: rules.observed_until,
    }
}

/// The known transactions that are proven lost in the new view (R3).
fn lost(known: &Known, chain: &ChainReading, pool: &PoolReading, mined: &HashSet<Txid>, rules: Rules) -> Vec<LostTx> {
    let mut gone: HashMap<Txid, LostTx> = HashMap::new();
    let mut lose = |txid, loss, replaced_by| {
        if !mined.contains(&txid) {
            gone.entry(txid).or_insert(LostTx {
                txid,
                loss,
                replaced_by,
            });
        }
    };
    let is_floating = |tx: &PayingTx| match tx.place {
        Place::Mempool => true,
        Place::Block(block) => block.height > chain.fork_height,
    };
    for conflict in &chain.conflicts {
        if known.get(conflict.victim).is_some_and(is_floating) {
            lose(conflict.victim, Loss::Replaced, Some(conflict.spender));
        }
    }
    for tx in &pool.paying {
        for victim in known.victims(tx.txid, tx.inputs.iter().copied()) {
            if known.get(victim).is_some_and(is_floating) {
                lose(victim, Loss::Replaced, Some(tx.txid));
            }
        }
    }
    // Of the unconfirmed ones, only those that are not there can be lost: the others need not be gone through.
    let absent = pool.absent.keys().filter_map(|&txid| known.get(txid));
    let absent = absent.filter(|tx| tx.place == Place::Mempool);
    for tx in absent.chain(known.in_blocks_above(chain.fork_height)) {
        if tx.coinbase {
            lose(tx.txid, Loss::Reorged, None);
            continue;
        }
        match pool.absent.get(&tx.txid) {
            Some(Absence::Replaced(spender)) if is_conflict(tx, *spender) => {
                lose(tx.txid, Loss::Replaced, Some(*spender));
            }
            Some(Absence::Refused(since)) if is_dropped(tx, *since, rules) => lose(tx.txid, Loss::Dropped, None),
            _ => {}
        }
    }
    let mut gone: Vec<LostTx> = gone.into_values().collect();
    gone.sort_unstable_by_key(|lost| lost.txid);
    gone
}

fn is_dropped(tx: &PayingTx, since: Timestamp, rules: Rules) -> bool {
    let may_be_in_unread_block = rules.unread_until.is_some_and(|until| tx.first_seen.earliest < until);
    !may_be_in_unread_block && since.plus_secs(rules.dropped_after_secs) <= rules.now
}

fn unconfirmed(tx: PayingTx) -> PayingTx {
    PayingTx {
        place: Place::Mempool,
        ..tx
    }
}

/// A block tells less than the mempool did: the ancestors recorded at first sight stay with the transaction.
fn with_what_was_known(tx: PayingTx, known: &Known) -> PayingTx {
    match known.get(tx.txid) {
        Some(before) => PayingTx {
            ancestor_inputs: before.ancestor_inputs.clone(),
            first_seen: before.first_seen,
            ..tx
        },
        None => tx,
    }
}

/// Neither a miner's clock nor a rebroadcast says more about the first sight than what was recorded then (R5).
fn keeping_first_sight(tx: PayingTx, known: &Known) -> PayingTx {
    let first_seen = known.get(tx.txid).map_or(tx.first_seen, |before| before.first_seen);
    PayingTx { first_seen, ..tx }
}

#[cfg(test)]
mod tests;
