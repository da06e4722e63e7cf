//! Charges in memory: they keep what a database would keep, check that each view fits to the one before, and remember all views.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use bitpro_charge::wire::NodeView;
use bitpro_charge::{BlockHash, Loss, Place, Timestamp, Txid};
use bitpro_server::node::view::{Hole, PayingTx, ScriptId, Tip, View};
use bitpro_server::node::{ChargesPort, IssuedRange, KnownTx, ScanRequest};
use parking_lot::Mutex;

/// What a database would hold, and what it was told in this life.
#[derive(Debug, Default)]
pub struct Memory {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
pub struct Kept {
    pub tip: Option<Tip>,
    pub hashes: BTreeMap<u32, BlockHash>,
    pub observed_until: Option<Timestamp>,
    pub scripts: HashMap<Vec<u8>, ScriptId>,
    pub txs: HashMap<Txid, (PayingTx, Option<Loss>)>,
    pub views: Vec<View>,
    pub hole: Option<Hole>,
    pub first_issued: Option<Timestamp>,
    pub deadline: Option<Timestamp>,
    pub issued: Vec<IssuedRange>,
    pub wanted: Vec<ScanRequest>,
    pub scanned: Vec<(i64, Option<u32>)>,
    pub condition: Option<NodeView>,
    /// The next view hits a defect.
    pub has_defect: bool,
}

impl Memory {
    /// Looks at what is kept.
    pub fn read<T>(&self, look: impl FnOnce(&Kept) -> T) -> T {
        look(&self.kept.lock())
    }

    /// Changes what is kept.
    pub fn change<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> T {
        change(&mut self.kept.lock())
    }

    /// Gives out a script.
    pub fn watch(&self, script: &[u8]) {
        self.change(|kept| {
            let row = i64::try_from(kept.scripts.len()).unwrap_or(i64::MAX);
            kept.scripts.entry(script.to_vec()).or_insert(ScriptId(row));
        });
    }
}

impl Kept {
    /// Where a transaction is, as the charges know it: live or lost, or not at all.
    pub fn whereabouts(&self, txid: Txid) -> Option<Result<Place, Loss>> {
        self.txs.get(&txid).map(|(tx, loss)| loss.map_or(Ok(tx.place), Err))
    }

    fn apply(&mut self, view: View) {
        assert!(!std::mem::take(&mut self.has_defect), "a defect, for the test");
        let before = self.tip.expect("a view comes after the first tip");
        assert!(view.fork_height <= before.block.height, "{view:?}");
        if view.connected.is_empty() {
            assert_eq!(view.tip, before, "without new blocks the tip stays");
        } else {
            assert_eq!(view.connected.last(), Some(&view.tip.block));
            assert!(view.tip.work > before.work, "R6: only more work moves the chain");
            let heights: Vec<u32> = view.connected.iter().map(|block| block.height).collect();
            assert!(
                heights
                    .iter()
                    .zip(view.fork_height + 1..)
                    .all(|(&height, expected)| height == expected)
            );
        }
        assert!(self.observed_until <= Some(view.observed_until) || view.observed_until == Timestamp(0));
        self.hashes.split_off(&(view.fork_height + 1));
        self.hashes
            .extend(view.connected.iter().map(|block| (block.height, block.hash)));
        for tx in &view.transactions {
            assert!(!tx.outputs.is_empty());
            if let Place::Block(block) = tx.place {
                assert_eq!(
                    self.hashes.get(&block.height),
                    Some(&block.hash),
                    "R6: identity is height and hash"
                );
            }
            let mut tx = tx.clone();
            if let Some((before, _)) = self.txs.get(&tx.txid) {
                tx.first_seen = tx.first_seen.min(before.first_seen);
            }
            self.txs.insert(tx.txid, (tx, None));
        }
        for lost in &view.gone {
            let known = self.txs.get_mut(&lost.txid).expect("only what is known can be lost");
            known.1 = Some(lost.loss);
        }
        for (tx, loss) in self.txs.values() {
            if let (Place::Block(block), None) = (tx.place, loss) {
                assert_eq!(
                    self.hashes.get(&block.height),
                    Some(&block.hash),
                    "{} stands in a lost block",
                    tx.txid
                );
            }
        }
        self.tip = Some(view.tip);
        if view.observed_until > Timestamp(0) {
            self.observed_until = Some(view.observed_until);
        }
        self.views.push(view);
    }
}

impl ChargesPort for Memory {
    type Error = Infallible;

    fn script(&self, script_pubkey: &[u8]) -> Option<ScriptId> {
        self.read(|kept| kept.scripts.get(script_pubkey).copied())
    }

    fn stored_tip(&self) -> Option<Tip> {
        self.read(|kept| kept.tip)
    }

    fn observed_until(&self) -> Option<Timestamp> {
        self.read(|kept| kept.observed_until)
    }

    fn first_issued(&self) -> Option<Timestamp> {
        self.read(|kept| kept.first_issued)
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        self.read(|kept| kept.deadline)
    }

    fn hole(&self) -> Option<Hole> {
        self.read(|kept| kept.hole)
    }

    fn set_node_condition(&self, condition: NodeView) {
        self.change(|kept| kept.condition = Some(condition));
    }

    async fn stored_hash(&self, height: u32) -> Result<Option<BlockHash>, Infallible> {
        Ok(self.read(|kept| kept.hashes.get(&height).copied()))
    }

    async fn known_txs(&self) -> Result<Vec<KnownTx>, Infallible> {
        let live = |(tx, loss): &(PayingTx, Option<Loss>)| {
            loss.is_none().then(|| KnownTx {
                txid: tx.txid,
                raw: tx.raw.clone(),
                outputs: if tx.raw.is_empty() { tx.outputs.clone() } else { Vec::new() },
                inputs: tx.inputs.clone(),
                ancestor_inputs: tx.ancestor_inputs.clone(),
                place: tx.place,
                first_seen: tx.first_seen,
                coinbase: tx.coinbase,
            })
        };
        Ok(self.read(|kept| kept.txs.values().filter_map(live).collect()))
    }

    async fn set_first_tip(&self, tip: Tip) -> Result<(), Infallible> {
        self.change(|kept| {
            assert!(kept.tip.is_none(), "there is one first tip");
            kept.hashes.insert(tip.block.height, tip.block.hash);
            kept.tip = Some(tip);
        });
        Ok(())
    }

    async fn observe(&self, view: View) -> Result<(), Infallible> {
        self.change(|kept| kept.apply(view));
        Ok(())
    }

    async fn set_hole(&self, hole: Option<Hole>) -> Result<(), Infallible> {
        self.change(|kept| kept.hole = hole);
        Ok(())
    }

    async fn issued(&self) -> Result<Vec<IssuedRange>, Infallible> {
        Ok(self.read(|kept| kept.issued.clone()))
    }

    fn scans_wanted(&self) -> Vec<ScanRequest> {
        self.read(|kept| kept.wanted.clone())
    }

    async fn finish_scan(&self, descriptor: i64, highest_used: Option<u32>) -> Result<(), Infallible> {
        self.change(|kept| {
            kept.wanted.retain(|wanted| wanted.id != descriptor);
            kept.scanned.push((descriptor, highest_used));
        });
        Ok(())
    }
}
