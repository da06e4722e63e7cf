//! Charges in memory: they keep what a database would keep, check that each view fits to the one before, and remember all views.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use bitpro_charge::wire::NodeView;
use bitpro_charge::{BlockHash, Loss, Place, Timestamp, Txid};
use bitpro_node::view::{Fingerprint, Hole, PayingTx, ScriptId, Tip, View};
use bitpro_node::{ChargesPort, Condition, IssuedRange, KnownTx, ScanRequest};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// What a database would hold, and what it was told in this life.
#[derive(Debug, Default)]
pub struct Memory {
    kept: Mutex<Kept>,
    asks: Arc<Notify>,
}

/// Why a view was not taken, or not answered.
#[derive(Debug)]
pub struct Refusal(&'static str);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Refusal {}

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
    /// Scripts that are watched since the watcher asked last.
    pub new_scripts: Vec<Fingerprint>,
    /// The scripts of each descriptor that are watched once it was scanned.
    pub ahead: HashMap<i64, Vec<Vec<u8>>>,
    /// What was known when the last descriptor began to give out addresses.
    pub known_at_opening: HashSet<Txid>,
    /// The next view hits a defect.
    pub has_defect: bool,
    /// The next view with a block is stored, and answered with an error nevertheless.
    pub loses_answer: bool,
    has_lost_answers: bool,
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
        self.change(|kept| kept.watch(script));
        self.asks.notify_one();
    }

    /// Wants descriptors to be looked for.
    pub fn want(&self, scans: Vec<ScanRequest>) {
        self.change(|kept| kept.wanted = scans);
        self.asks.notify_one();
    }
}

fn fingerprint(script: &[u8]) -> Fingerprint {
    let mut hasher = DefaultHasher::new();
    script.hash(&mut hasher);
    Fingerprint(hasher.finish())
}

impl Kept {
    /// Where a transaction is, as the charges know it: live or lost, or not at all.
    pub fn whereabouts(&self, txid: Txid) -> Option<Result<Place, Loss>> {
        self.txs.get(&txid).map(|(tx, loss)| loss.map_or(Ok(tx.place), Err))
    }

    fn watch(&mut self, script: &[u8]) {
        let row = i64::try_from(self.scripts.len()).unwrap_or(i64::MAX);
        self.scripts.entry(script.to_vec()).or_insert(ScriptId(row));
        self.new_scripts.push(fingerprint(script));
    }

    /// Whether a view fits to what is stored. A watcher offers no other, unless it was told wrongly what is stored.
    fn is_continued_by(&self, view: &View) -> bool {
        self.tip.is_some_and(|before| {
            let stays = view.tip == before && view.connected.is_empty();
            stays || view.tip.work > before.work
        })
    }

    fn take(&mut self, view: View) -> Result<(), Refusal> {
        if self.has_lost_answers && !self.is_continued_by(&view) {
            return Err(Refusal("the view does not continue what is stored"));
        }
        let has_blocks = !view.connected.is_empty();
        self.apply(view);
        if has_blocks && std::mem::take(&mut self.loses_answer) {
            self.has_lost_answers = true;
            return Err(Refusal("stored, but the answer is lost"));
        }
        Ok(())
    }

    fn apply(&mut self, view: View) {
        assert!(!std::mem::take(&mut self.has_defect), "a defect, for the test");
        let before = self.tip.expect("a view comes after the first tip");
        assert!(view.fork_height <= before.block.height, "{view:?}");
        if view.connected.is_empty() {
            assert_eq!(view.tip, before, "without new blocks the tip stays");
        } else {
            assert_eq!(view.connected.last().map(|last| last.block), Some(view.tip.block));
            assert!(view.tip.work > before.work, "R6: only more work moves the chain");
            let heights: Vec<u32> = view.connected.iter().map(|connected| connected.block.height).collect();
            assert!(
                heights
                    .iter()
                    .zip(view.fork_height + 1..)
                    .all(|(&height, expected)| height == expected)
            );
        }
        assert!(self.observed_until <= Some(view.observed_until) || view.observed_until == Timestamp(0));
        self.hashes.split_off(&(view.fork_height + 1));
        self.hashes.extend(
            view.connected
                .iter()
                .map(|connected| (connected.block.height, connected.block.hash)),
        );
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
                tx.first_seen = before.first_seen.narrowed(tx.first_seen);
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
    type Error = Refusal;

    fn script(&self, script_pubkey: &[u8]) -> Option<ScriptId> {
        self.read(|kept| kept.scripts.get(script_pubkey).copied())
    }

    fn fingerprint(&self, script_pubkey: &[u8]) -> Fingerprint {
        fingerprint(script_pubkey)
    }

    fn is_watched(&self, sought: Fingerprint) -> bool {
        self.read(|kept| kept.scripts.keys().any(|script| fingerprint(script) == sought))
    }

    fn newly_watched(&self) -> Vec<Fingerprint> {
        self.change(|kept| std::mem::take(&mut kept.new_scripts))
    }

    fn asks(&self) -> Arc<Notify> {
        Arc::clone(&self.asks)
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

    fn set_node_condition(&self, condition: &Condition) {
        self.change(|kept| kept.condition = Some(condition.for_shoppers()));
    }

    async fn stored_hash(&self, height: u32) -> Result<Option<BlockHash>, Refusal> {
        Ok(self.read(|kept| kept.hashes.get(&height).copied()))
    }

    async fn known_txs(&self) -> Result<Vec<KnownTx>, Refusal> {
        let live = |(tx, loss): &(PayingTx, Option<Loss>)| {
            loss.is_none().then(|| KnownTx {
                txid: tx.txid,
                raw: tx.raw.clone(),
                outputs: if tx.raw.is_empty() {
                    tx.outputs.clone()
                } else {
                    Vec::new()
                },
                inputs: tx.inputs.clone(),
                ancestor_inputs: tx.ancestor_inputs.clone(),
                place: tx.place,
                first_seen: tx.first_seen,
                coinbase: tx.coinbase,
            })
        };
        Ok(self.read(|kept| kept.txs.values().filter_map(live).collect()))
    }

    async fn set_first_tip(&self, tip: Tip) -> Result<(), Refusal> {
        self.change(|kept| {
            assert!(kept.tip.is_none(), "there is one first tip");
            kept.hashes.insert(tip.block.height, tip.block.hash);
            kept.tip = Some(tip);
        });
        Ok(())
    }

    async fn observe(&self, view: View) -> Result<(), Refusal> {
        self.change(|kept| kept.take(view))
    }

    async fn set_hole(&self, hole: Option<Hole>) -> Result<(), Refusal> {
        self.change(|kept| kept.hole = hole);
        Ok(())
    }

    async fn issued(&self) -> Result<Vec<IssuedRange>, Refusal> {
        Ok(self.read(|kept| kept.issued.clone()))
    }

    fn scans_wanted(&self) -> Vec<ScanRequest> {
        self.read(|kept| kept.wanted.clone())
    }

    async fn watch_ahead(&self, descriptor: i64, highest_used: Option<u32>) -> Result<(), Refusal> {
        self.change(|kept| {
            for script in kept.ahead.remove(&descriptor).unwrap_or_default() {
                kept.watch(&script);
            }
            kept.scanned.push((descriptor, highest_used));
        });
        Ok(())
    }

    async fn finish_scan(&self, descriptor: i64) -> Result<(), Refusal> {
        self.change(|kept| {
            kept.wanted.retain(|wanted| wanted.id != descriptor);
            kept.known_at_opening = kept.txs.keys().copied().collect();
        });
        Ok(())
    }
}
