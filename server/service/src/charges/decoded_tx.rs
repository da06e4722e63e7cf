//! A paying transaction as the watcher reports it, decoded again and checked against its own bytes, before a unit begins.

use bitcoin::consensus::encode::deserialize;
use bitpro_charge::{Amount, Txid};
use bitpro_node::view::{PayingTx, ScriptId};

/// A transaction with the outputs that are really in it.
pub(super) struct DecodedTx {
    pub(super) tx: PayingTx,
    pub(super) outputs: Vec<DecodedOutput>,
}

/// An output that may pay a charge.
pub(super) struct DecodedOutput {
    pub(super) vout: u32,
    pub(super) value: Amount,
    /// The row that the watch map gave for it. It may be another script's: the map compares 64 bits (R34).
    pub(super) script: ScriptId,
    pub(super) script_pubkey: Vec<u8>,
}

impl DecodedTx {
    /// Reads the outputs out of the transaction's bytes; `None` for bytes that are not the transaction. A transaction of a
    /// block that the node has deleted has none: then the scan of the UTXO set is the only witness (R6), and what it says of
    /// scripts and values is taken.
    pub(super) fn read(tx: PayingTx) -> Option<Self> {
        if tx.raw.is_empty() {
            return Some(Self::as_reported(tx));
        }
        let Ok(decoded) = deserialize::<bitcoin::Transaction>(&tx.raw) else {
            tracing::error!(txid = %tx.txid, "the bytes of a paying transaction cannot be read");
            return None;
        };
        if txid_of(&decoded) != tx.txid {
            tracing::error!(txid = %tx.txid, "the bytes of a paying transaction belong to another transaction");
            return None;
        }
        let outputs = tx.outputs.iter().filter_map(|output| {
            let found = decoded.output.get(usize::try_from(output.vout).ok()?)?;
            Some(DecodedOutput {
                vout: output.vout,
                value: Amount::from_sat(found.value.to_sat()),
                script: output.script,
                script_pubkey: found.script_pubkey.to_bytes(),
            })
        });
        let outputs = outputs.collect();
        Some(Self { tx, outputs })
    }

    fn as_reported(tx: PayingTx) -> Self {
        let outputs = tx.outputs.iter().map(|output| DecodedOutput {
            vout: output.vout,
            value: output.value,
            script: output.script,
            script_pubkey: output.script_pubkey.to_bytes(),
        });
        let outputs = outputs.collect();
        Self { tx, outputs }
    }
}

fn txid_of(tx: &bitcoin::Transaction) -> Txid {
    use bitcoin::hashes::Hash as _;
    Txid(tx.compute_txid().to_byte_array())
}
