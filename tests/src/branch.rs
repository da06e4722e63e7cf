//! Blocks made by hand on any parent, for reorganisations that no node has to be talked into: it gets a branch with more work and
//! moves by itself.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hashes::Hash as _;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut,
    Witness, script, transaction,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Node;

/// How many blocks were made by hand in this process.
static MADE: AtomicU64 = AtomicU64::new(0);

/// What is needed of a parent; `getblockheader` says it.
#[derive(Debug, Deserialize)]
struct Parent {
    hash: BlockHash,
    height: u32,
    mediantime: u32,
    time: u32,
    bits: String,
    previousblockhash: Option<BlockHash>,
}

impl Node {
    /// Takes the last `depth` blocks back by a branch of `depth + 1` empty blocks, which the node then follows because it has more
    /// work. Gives the new tip. What was in the lost blocks is in the mempool again.
    ///
    /// # Errors
    /// When the chain is not that long, or the node refuses a block.
    pub async fn undo(&self, depth: u32) -> Result<BlockHash> {
        let mut fork = self.tip().await?.hash;
        for _ in 0..depth {
            fork = self
                .header(fork)
                .await?
                .previousblockhash
                .context("the genesis block cannot be undone")?;
        }
        let tip = self.branch(fork, depth + 1).await?;
        self.has_tip(tip).await?;
        Ok(tip)
    }

    /// Mines `count` empty blocks on top of `parent`, which need not be the tip, and gives the last.
    ///
    /// # Errors
    /// When the node does not know the parent or refuses a block.
    pub async fn branch(&self, parent: BlockHash, count: u32) -> Result<BlockHash> {
        let mut tip = parent;
        for _ in 0..count {
            let block = block_on(&self.header(tip).await?, Vec::new())?;
            tip = block.block_hash();
            let answer = self.rpc().value("submitblock", json!([serialize_hex(&block)])).await?;
            // A branch that is not (yet) the best one is "inconclusive": it is kept, and not followed.
            ensure!(
                answer == Value::Null || answer == json!("inconclusive"),
                "the block was refused: {answer}"
            );
        }
        Ok(tip)
    }

    /// A block on the tip with exactly these transactions and its work done, told to nobody yet. Nothing checks them but
    /// the node that it is given to.
    ///
    /// # Errors
    /// When the node is away.
    pub async fn block_of(&self, transactions: Vec<Transaction>) -> Result<Block> {
        let parent = self.header(self.tip().await?.hash).await?;
        block_on(&parent, transactions)
    }

    async fn header(&self, hash: BlockHash) -> Result<Parent> {
        self.rpc().call("getblockheader", json!([hash])).await
    }
}

fn block_on(parent: &Parent, transactions: Vec<Transaction>) -> Result<Block> {
    let height = parent.height + 1;
    let mut txdata = vec![coinbase(height)];
    txdata.extend(transactions);
    let header = Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: parent.hash,
        merkle_root: TxMerkleNode::all_zeros(),
        // Later than the median of the last eleven is enough (BIP-113), and never ahead of the node's clock.
        time: parent.time.max(parent.mediantime + 1),
        bits: CompactTarget::from_unprefixed_hex(&parent.bits)?,
        nonce: 0,
    };
    let mut block = Block { header, txdata };
    commit_to_witnesses(&mut block)?;
    let root = block.compute_merkle_root();
    block.header.merkle_root = root.context("a block has a coinbase")?;
    // On regtest every second hash will do.
    while !block.header.target().is_met_by(block.header.block_hash()) {
        block.header.nonce = block.header.nonce.checked_add(1).context("no nonce makes a block")?;
    }
    Ok(block)
}

/// The coinbase's last output names the root of all witnesses (BIP-141).
fn commit_to_witnesses(block: &mut Block) -> Result<()> {
    const RESERVED: [u8; 32] = [0; 32];
    const MARK: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
    let root = block.witness_root().context("a block has a coinbase")?;
    let commitment = Block::compute_witness_commitment(&root, &RESERVED);
    let mut script = MARK.to_vec();
    script.extend_from_slice(commitment.as_byte_array());
    let coinbase = block.txdata.first_mut().context("a block has a coinbase")?;
    coinbase.input[0].witness.push(RESERVED);
    coinbase.output.push(TxOut {
        value: Amount::ZERO,
        script_pubkey: ScriptBuf::from_bytes(script),
    });
    Ok(())
}

/// A coinbase that says its height (BIP-34) and differs from what the nodes mine themselves by its output.
fn coinbase(height: u32) -> Transaction {
    // Two blocks on one parent must differ, or the second is the first.
    let unique = MADE.fetch_add(1, Ordering::Relaxed);
    let script_sig = script::Builder::new()
        .push_int(i64::from(height))
        .push_slice(unique.to_le_bytes())
        .into_script();
    Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig,
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output: vec![TxOut {
            value: Amount::ZERO,
            script_pubkey: ScriptBuf::from_bytes(vec![0x53]),
        }],
    }
}
