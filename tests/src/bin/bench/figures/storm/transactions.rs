//! The transactions of a storm: complete, but for signatures, which nobody here asks for.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use bitpro_charge::{Loss, Outpoint, Txid};
use bitpro_node::view::LostTx;

/// What an output is worth, in satoshis: just more than dust.
const SATS: u64 = 330;

/// A transaction that pays each of `scripts` from a coin, with change as its last output. Another `turn` has another fee.
pub fn spend(coin: OutPoint, scripts: &[ScriptBuf], turn: usize) -> Transaction {
    let change = u64::try_from(turn).unwrap_or_default();
    let output = |sats, script_pubkey| TxOut {
        value: Amount::from_sat(sats),
        script_pubkey,
    };
    let paid = scripts.iter().map(|script| output(SATS, script.clone()));
    let kept = output(1_000_000 - change * 1_000, ScriptBuf::new_op_return([]));
    Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: coin,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::new(),
        }],
        output: paid.chain([kept]).collect(),
    }
}

/// `transaction`, replaced by `heir`.
pub fn lost(transaction: &Transaction, heir: &Transaction) -> LostTx {
    LostTx {
        txid: txid(transaction),
        loss: Loss::Replaced,
        replaced_by: Some(txid(heir)),
    }
}

/// Its id.
pub fn txid(transaction: &Transaction) -> Txid {
    Txid(transaction.compute_txid().to_byte_array())
}

/// The same outpoint.
pub fn outpoint(outpoint: OutPoint) -> Outpoint {
    Outpoint {
        txid: Txid(outpoint.txid.to_byte_array()),
        vout: outpoint.vout,
    }
}
