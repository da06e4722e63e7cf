//! Every fault, by its name. Each leaves the world healthy; what must hold afterwards anyway is in `invariants`.

mod backup;
mod blocks;
mod clocks;
mod crowds;
mod hands;
mod kills;
mod mempool;
mod migrations;
mod nodes;
mod pruned;
mod quiet;
mod storage;

use anyhow::Result;
use futures::future::LocalBoxFuture;

use crate::world::World;

/// The world that a fault needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The one that is shared.
    Usual,
    /// One of its own, whose node deletes blocks.
    Pruned,
}

/// A way to hurt the world.
pub struct Fault {
    /// Its name.
    pub name: &'static str,
    /// Where it can be done.
    pub stage: Stage,
    /// Does it, checks what follows from it alone, and heals it.
    pub run: for<'w> fn(&'w mut World) -> LocalBoxFuture<'w, Result<()>>,
}

/// A fault on the usual world.
macro_rules! fault {
    ($name:literal, $run:path) => {
        Fault {
            name: $name,
            stage: Stage::Usual,
            run: |world| Box::pin($run(world)),
        }
    };
}

/// All of them, in the order of the bounded run: what makes the world large comes late.
pub const ALL: &[Fault] = &[
    fault!("server-killed-while-charges-are-made", kills::while_charges_are_made),
    fault!("server-killed-while-payments-arrive", kills::while_payments_arrive),
    fault!("server-killed-at-a-block", kills::at_a_block),
    fault!("server-killed-at-a-reorg", kills::at_a_reorg),
    fault!("server-killed-while-delivering", kills::while_delivering),
    fault!("server-killed-while-migrating", kills::while_migrating),
    fault!("server-killed-while-migrating-an-old-file", migrations::killed),
    fault!("old-file-that-cannot-be-migrated", migrations::hindered),
    fault!("node-killed", nodes::killed),
    fault!("node-with-another-mempool", nodes::with_another_mempool),
    fault!("node-reindexes", nodes::reindexes),
    fault!("reorg-of-1", blocks::reorg_of_1),
    fault!("reorg-of-3", blocks::reorg_of_3),
    fault!("reorg-of-10", blocks::reorg_of_10),
    fault!("reorg-of-11-is-held", blocks::reorg_of_11),
    fault!("block-with-another-witness", blocks::another_witness),
    fault!("replacement-storm", mempool::storm),
    fault!("child-pays-for-parent", mempool::child_pays),
    fault!("parent-of-a-chain-replaced", mempool::parent_replaced),
    fault!("dust", mempool::dust),
    fault!("notices-silent-while-connected", quiet::notices_silent),
    fault!("node-without-peers", quiet::without_peers),
    fault!("clock-goes-back", clocks::goes_back),
    fault!("clock-ahead-for-a-moment", clocks::ahead_for_a_moment),
    fault!("disk-full", storage::disk_full),
    fault!("database-locked", storage::locked),
    fault!("second-server-on-the-same-file", storage::second_server),
    fault!("address-changed-by-hand", hands::address_changed),
    fault!("amount-changed-by-hand", hands::amount_changed),
    fault!("old-backup-restored", backup::restored),
    fault!("one-transaction-to-200-charges", crowds::one_transaction_to_many),
    fault!("one-charge-by-50-transactions", crowds::many_transactions_to_one),
    fault!("block-with-4000-payments", crowds::full_block),
    Fault {
        name: "blocks-pruned-before-they-were-read",
        stage: Stage::Pruned,
        run: |world| Box::pin(pruned::hole(world)),
    },
];
