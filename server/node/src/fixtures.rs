//! Small facts for the unit tests of this module.

use bitpro_charge::{Amount, BlockHash, BlockRef, Interval, Outpoint, Place, Timestamp, Txid};

use super::view::{PayingOutput, PayingTx, ScriptId, Tip, View};

pub(super) fn txid(n: u8) -> Txid {
    Txid([n; 32])
}

pub(super) fn outpoint(n: u8, vout: u32) -> Outpoint {
    Outpoint { txid: txid(n), vout }
}

/// The block at `height` of the main branch.
pub(super) fn block(height: u32) -> BlockRef {
    on_branch(height, 0)
}

/// The block at `height` of another branch.
pub(super) fn on_branch(height: u32, branch: u8) -> BlockRef {
    let mut hash = [branch; 32];
    hash[..4].copy_from_slice(&height.to_le_bytes());
    BlockRef {
        height,
        hash: BlockHash(hash),
    }
}

pub(super) fn tip(block: BlockRef) -> Tip {
    let mut work = [0; 32];
    work[28..].copy_from_slice(&block.height.to_be_bytes());
    Tip { block, work }
}

/// A payment of its own coin `100 + n`.
pub(super) fn paying(n: u8, place: Place) -> PayingTx {
    PayingTx {
        txid: txid(n),
        raw: vec![n],
        inputs: vec![outpoint(100 + n, 0)],
        ancestor_inputs: Vec::new(),
        outputs: vec![PayingOutput {
            vout: 0,
            script: ScriptId(i64::from(n)),
            script_pubkey: bitcoin::ScriptBuf::from_bytes(vec![n]),
            value: Amount::from_sat(1_000),
        }],
        place,
        first_seen: Interval::at(Timestamp(1_000)),
        coinbase: false,
    }
}

/// A view in which only the tip moves.
pub(super) fn view(height: u32) -> View {
    View {
        tip: tip(block(height)),
        fork_height: height,
        connected: Vec::new(),
        transactions: Vec::new(),
        gone: Vec::new(),
        observed_until: Timestamp(0),
    }
}
