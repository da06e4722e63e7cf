//! What the node sends, or whoever stands between it and us: notifications, transactions, blocks, answers.

use std::collections::HashSet;
use std::sync::Arc;

use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::{Block, TxMerkleNode};
use bitpro_base::clock::ManualClock;
use bitpro_base::fuzzing::{Memory, Target, assert_fit_to_show};
use bitpro_charge::{Interval, Place, Timestamp};
use bytes::BytesMut;
use tokio_util::sync::CancellationToken;

use super::config::ZmqSource;
use super::endpoint::endpoints;
use super::first_seen::Sight;
use super::rpc::CheckedBlock;
use super::rpc::answers::{
    ChainState, Header, MempoolEntry, MempoolSnapshot, MempoolState, NetworkState, Notification, Peer, Spender,
    UtxoScan,
};
use super::view::{Fingerprint, ScriptId};
use super::zmq::{Listener, Topic, Wake};
use super::zmtp::{Decoder, Heard, LONGEST_MESSAGE, MOST_FRAMES};
use super::{convert, matching};

/// The reader of transactions makes room for a megabyte of whatever is counted, before it is there: inputs, outputs, transactions.
const COUNTED: Memory = Memory {
    base: 8 * 1024 * 1024,
    per_byte: 128,
    times: 32,
};

/// What is fuzzed here.
pub const TARGETS: &[Target] = &[
    Target::new(
        "zmq",
        2_000,
        &[
            "\u{1}\u{5}rawtx",
            "\u{1}\u{8}sequence",
            "\u{0}\u{4}",
            "\u{4}\u{5}READY",
            "\u{2}\u{0}\u{0}",
            "C",
            "D",
            "A",
            "R",
        ],
        zmq,
    )
    .within(COUNTED),
    Target::new(
        "transaction",
        4_000,
        &["\u{2}\u{0}\u{0}\u{0}", "\u{0}\u{1}", "\u{0}\u{0}\u{0}\u{0}"],
        transaction,
    )
    .within(COUNTED),
    Target::new(
        "block",
        4_000,
        &["\u{2}\u{0}\u{0}\u{0}", "\u{0}\u{1}", "\u{0}\u{0}\u{0}\u{0}"],
        block,
    )
    .within(COUNTED),
    Target::new(
        "node-answer",
        4_000,
        &[
            "\"blocks\":",
            "\"headers\":-1",
            "\"bestblockhash\":\"",
            "\"chainwork\":\"",
            "\"time\":",
            "9223372036854775807",
            "-9223372036854775808",
            "1e400",
            "\"pruned\":true",
            "\"txids\":[",
            "\"mempool_sequence\":",
            "\"depends\":[",
            "\"unspents\":[{",
            "\"amount\":",
            "21000000.00000001",
            "0.000000001",
            "\"scriptPubKey\":\"",
            "\"vout\":4294967295",
            "\"height\":",
            "\"address\":\"tcp://",
            "\"type\":\"pubrawtx\"",
            "null",
            "[[[[[[[[",
            "\"mediantime\":",
            "\"confirmations\":",
            "\"hash\":\"",
            "0000000000000000000000000000000000000000000000000000000000000002",
        ],
        node_answer,
    )
    .within(Memory {
        base: 128 * 1024,
        per_byte: 128,
        times: 16,
    }),
];

/// Messages are the same however the bytes come in, are bounded, and none stops the listener.
fn zmq(input: &[u8]) {
    let whole = heard(input, input.len().max(1));
    assert_eq!(heard(input, 1), whole, "byte by byte");
    assert_eq!(heard(input, 7), whole, "in pieces");
    let wakes = tokio::sync::mpsc::channel(1).0;
    for topic in [Topic::RawTx, Topic::Sequence] {
        let listener = Listener {
            topic,
            endpoint: String::new(),
            wakes: wakes.clone(),
            shortening: Arc::new(|_: &[u8]| Fingerprint(0)),
            clock: Arc::new(ManualClock::new(Timestamp(7))),
            stop: CancellationToken::new(),
        };
        for heard in &whole.0 {
            if let Heard::Message(frames) = heard {
                assert!((1..=MOST_FRAMES).contains(&frames.len()));
                assert!(frames.iter().map(bytes::Bytes::len).sum::<usize>() <= LONGEST_MESSAGE);
                let wake = listener.understand(frames);
                assert!(
                    !matches!(wake, Some(Wake::Up(_) | Wake::Down(_) | Wake::Gap(_))),
                    "the connection alone tells that"
                );
            }
        }
    }
}

/// What is heard when the bytes come in pieces of `size`, and whether it ended in what cannot be understood.
fn heard(input: &[u8], size: usize) -> (Vec<Heard>, bool) {
    let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::new());
    let mut all = Vec::new();
    for piece in input.chunks(size) {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buffer) {
                Ok(Some(heard)) => all.push(heard),
                Ok(None) => break,
                Err(_) => return (all, true),
            }
        }
    }
    (all, false)
}

/// The report of a transaction holds what is in it, whatever its witnesses and outputs are.
fn transaction(input: &[u8]) {
    let Ok(tx) = deserialize::<bitcoin::Transaction>(input) else {
        return;
    };
    let id = tx.compute_txid();
    let every = |script: &[u8]| Some(ScriptId(i64::try_from(script.len()).unwrap_or(i64::MAX)));
    let outputs = matching::paying_outputs(&tx, every);
    let possible = tx
        .output
        .iter()
        .filter(|output| output.value <= bitcoin::Amount::MAX_MONEY);
    assert_eq!(outputs.len(), possible.count());
    let report = matching::paying_tx(
        &tx,
        convert::txid(id),
        outputs,
        Place::Mempool,
        Interval::at(Timestamp(7)),
        Vec::new(),
    );
    let again: bitcoin::Transaction = deserialize(&report.raw).expect("our own bytes are read");
    assert_eq!(again.compute_txid(), id);
    assert_eq!(again, tx);
    assert!(matching::paying_outputs(&tx, |_| None).is_empty());
}

/// A block that is believed holds each of its transactions once, for its id is their sum (CVE-2012-2459).
fn block(input: &[u8]) {
    let Ok(mut block) = deserialize::<Block>(input) else {
        return;
    };
    let leaves = block.txdata.iter().map(|tx| tx.compute_txid().to_raw_hash());
    let Some(root) = bitcoin::merkle_tree::calculate_root(leaves) else {
        return;
    };
    block.header.merkle_root = TxMerkleNode::from_raw_hash(root);
    let (hash, bytes) = (block.block_hash(), serialize(&block));
    let is_whole = |block: &Block| {
        let ids: HashSet<_> = block.txdata.iter().map(bitcoin::Transaction::compute_txid).collect();
        ids.len() == block.txdata.len()
    };
    match CheckedBlock::check(hash, &bytes) {
        Ok(checked) => {
            assert!(is_whole(&checked.block), "a transaction stands there twice");
            assert_eq!(serialize(&checked.block), bytes);
        }
        Err(error) => {
            assert_fit_to_show(&error.to_string());
            assert!(!is_whole(&block), "{error}");
        }
    }
    // The last transaction once more leaves the sum as it is where their number was odd.
    if let Some(last) = block.txdata.last().cloned() {
        block.txdata.push(last);
        assert!(CheckedBlock::check(hash, &serialize(&block)).is_err());
    }
    assert!(CheckedBlock::check(hash, &bytes[..bytes.len() - 1]).is_err());
}

/// Answers of another shape are errors; those of the right one bring no time and no address that cannot be.
fn node_answer(input: &[u8]) {
    fn read<T: serde::de::DeserializeOwned>(input: &[u8]) -> Option<T> {
        serde_json::from_slice(input).ok()
    }
    let now = Timestamp(1_800_000_000_000);
    for (since, offset_millis, lead_millis) in [
        (None, i64::MAX, i64::MIN),
        (Some(Timestamp(0)), i64::MIN, i64::MAX),
        (None, 0, 0),
    ] {
        let sight = Sight {
            now,
            since,
            offset_millis,
            lead_millis,
            aligned_from: since.unwrap_or(Timestamp(i64::MIN)),
        };
        let times = [
            read::<Header>(input).map(|header| sight.in_block(header.time)),
            read::<ChainState>(input).map(|chain| sight.in_block(chain.time)),
            read::<MempoolEntry>(input).map(|entry| sight.in_mempool(entry.time)),
        ];
        for seen in times.into_iter().flatten() {
            assert!(seen.earliest <= seen.latest && seen.latest <= now, "R5: {seen:?}");
        }
    }
    if let Some(notifications) = read::<Vec<Notification>>(input) {
        let found = endpoints(&ZmqSource::Discover, Some("127.0.0.1"), || Ok(notifications)).expect("nothing refuses");
        for endpoint in [found.rawtx, found.sequence].into_iter().flatten() {
            assert!(endpoint.starts_with("tcp://"), "{endpoint}");
        }
    }
    if let Some(scan) = read::<UtxoScan>(input) {
        for unspent in scan.unspents {
            assert!(unspent.amount <= bitcoin::Amount::MAX_MONEY, "{}", unspent.amount);
        }
    }
    let _ = read::<NetworkState>(input);
    let _ = read::<Vec<Peer>>(input).map(|peers| peers.iter().filter(|peer| peer.tells_transactions()).count());
    let _ = read::<MempoolState>(input);
    let _ = read::<MempoolSnapshot>(input);
    let _ = read::<Vec<Spender>>(input);
}
