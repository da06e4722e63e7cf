//! Finding what concerns us in a transaction or a block: outputs by a look-up in the watched scripts, inputs by one in the outpoints
//! that known payments spend. The cost of a block does not depend on how many charges there are.

use bitcoin::Transaction;
use bitpro_charge::{BlockRef, Interval, Outpoint, Place, Txid};

use super::convert;
use super::known::Known;
use super::rpc::CheckedBlock;
use super::view::{PayingOutput, PayingTx, ScriptId};

/// What a block holds for us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct BlockMatch {
    /// Transactions that pay watched scripts.
    pub paying: Vec<PayingTx>,
    /// Known payments that this block makes impossible.
    pub conflicts: Vec<Conflict>,
}

/// A known payment and what took its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Conflict {
    /// The payment that is lost.
    pub victim: Txid,
    /// The transaction that spends what it, or an ancestor of it, spends.
    pub spender: Txid,
}

/// The outputs of `tx` to watched scripts.
pub(super) fn paying_outputs(tx: &Transaction, script: impl Fn(&[u8]) -> Option<ScriptId>) -> Vec<PayingOutput> {
    (0..)
        .zip(&tx.output)
        // No valid transaction pays more than there is; a node that shows one is wrong, and the number would not fit where it is kept.
        .filter(|(_, output)| output.value <= bitcoin::Amount::MAX_MONEY)
        .filter_map(|(vout, output)| {
            let script = script(output.script_pubkey.as_bytes())?;
            Some(PayingOutput {
                vout,
                script,
                script_pubkey: output.script_pubkey.clone(),
                value: output.value,
            })
        })
        .collect()
}

/// The report of a transaction that pays us.
pub(super) fn paying_tx(
    tx: &Transaction,
    txid: Txid,
    outputs: Vec<PayingOutput>,
    place: Place,
    first_seen: Interval,
    ancestor_inputs: Vec<Outpoint>,
) -> PayingTx {
    PayingTx {
        txid,
        raw: bitcoin::consensus::encode::serialize(tx),
        inputs: convert::inputs(tx),
        ancestor_inputs,
        outputs,
        place,
        first_seen,
        coinbase: tx.is_coinbase(),
    }
}

/// Looks through a block.
pub(super) fn match_block(
    checked: &CheckedBlock,
    block: BlockRef,
    first_seen: Interval,
    known: &Known,
    script: impl Fn(&[u8]) -> Option<ScriptId>,
) -> BlockMatch {
    let mut found = BlockMatch::default();
    for (tx, &txid) in checked.block.txdata.iter().zip(&checked.txids) {
        let txid = convert::txid(txid);
        if !known.is_empty() && !tx.is_coinbase() {
            let victims = known.victims(
                txid,
                tx.input.iter().map(|input| convert::outpoint(input.previous_output)),
            );
            found
                .conflicts
                .extend(victims.into_iter().map(|victim| Conflict { victim, spender: txid }));
        }
        let outputs = paying_outputs(tx, &script);
        if !outputs.is_empty() {
            let place = Place::Block(block);
            found
                .paying
                .push(paying_tx(tx, txid, outputs, place, first_seen, Vec::new()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use bitcoin::absolute::LockTime;
    use bitcoin::hashes::Hash as _;
    use bitcoin::transaction::Version;
    use bitcoin::{Amount, OutPoint, ScriptBuf, TxIn, TxOut};
    use bitpro_charge::Timestamp;

    use super::super::fixtures::{block, paying, txid};
    use super::*;

    fn spend(coin: u8, scripts: &[&[u8]]) -> Transaction {
        Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint {
                    txid: bitcoin::Txid::from_byte_array([coin; 32]),
                    vout: 0,
                },
                ..TxIn::default()
            }],
            output: scripts
                .iter()
                .map(|script| TxOut {
                    value: Amount::from_sat(5_000),
                    script_pubkey: ScriptBuf::from_bytes(script.to_vec()),
                })
                .collect(),
        }
    }

    fn checked(txs: Vec<Transaction>) -> CheckedBlock {
        let mut block = bitcoin::constants::genesis_block(bitcoin::Network::Regtest);
        block.txdata.extend(txs);
        let txids = block.txdata.iter().map(Transaction::compute_txid).collect();
        CheckedBlock {
            hash: block.block_hash(),
            block,
            txids,
        }
    }

    fn ours(script: &[u8]) -> Option<ScriptId> {
        (script[0] == b'w').then(|| ScriptId(i64::from(script[1])))
    }

    fn seen() -> Interval {
        Interval::at(Timestamp(7))
    }

    #[test]
    fn outputs_to_watched_scripts_are_found_with_their_index_and_value() {
        let tx = spend(1, &[b"x0", b"w3", b"w4", b"x1"]);
        let id = convert::txid(tx.compute_txid());
        let found = match_block(
            &checked(vec![spend(2, &[b"x2"]), tx]),
            block(5),
            seen(),
            &Known::default(),
            ours,
        );
        let [paying] = found.paying.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(paying.txid, id);
        assert_eq!(paying.place, Place::Block(block(5)));
        assert_eq!(paying.inputs, [Outpoint { txid: txid(1), vout: 0 }]);
        let outputs: Vec<_> = paying
            .outputs
            .iter()
            .map(|output| (output.vout, output.script.0))
            .collect();
        assert_eq!(outputs, [(1, i64::from(b'3')), (2, i64::from(b'4'))]);
        assert!(found.conflicts.is_empty());
    }

    #[test]
    fn an_output_of_more_than_there_is_pays_nobody() {
        let mut tx = spend(1, &[b"w3", b"w4"]);
        tx.output[0].value = Amount::from_sat(Amount::MAX_MONEY.to_sat() + 1);
        tx.output[1].value = Amount::MAX_MONEY;
        let indexes: Vec<u32> = paying_outputs(&tx, ours).iter().map(|output| output.vout).collect();
        assert_eq!(indexes, [1]);
    }

    #[test]
    fn r03_a_mined_spend_of_a_known_payments_input_is_found_although_it_was_never_in_the_mempool() {
        let mut known = Known::default();
        let mut victim = paying(9, Place::Mempool);
        victim.inputs = vec![Outpoint { txid: txid(1), vout: 0 }];
        known.insert(victim);
        let taker = spend(1, &[b"x0"]);
        let spender = convert::txid(taker.compute_txid());
        let found = match_block(&checked(vec![taker]), block(5), seen(), &known, ours);
        assert_eq!(
            found.conflicts,
            [Conflict {
                victim: txid(9),
                spender
            }]
        );
        assert!(found.paying.is_empty());
    }
}
