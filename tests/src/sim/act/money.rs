//! What shoppers, attackers and miners do: transactions and blocks.

use std::collections::BTreeSet;

use bitcoin::{OutPoint, ScriptBuf};

use crate::sim::dice::Dice;
use crate::sim::net::Net;
use crate::sim::peer::Tid;
use crate::sim::plot::{Act, To};
use crate::sim::wallets;
use crate::sim::world::World;

/// Who pays this much waits for long.
const LEAST_FEE: u64 = 1;

impl World {
    pub(super) fn by_money(&mut self, act: &Act) {
        match *act {
            Act::Pay {
                tx,
                slot,
                permille,
                parts,
                fee,
                hidden,
            } => {
                let Some(made) = self.charges.get(&slot) else { return };
                let value = made.amount * u64::from(permille) / 1_000;
                let outputs = split(&made.script, value, u64::from(parts));
                let coin = self.net().coin();
                self.send(tx, &[coin], outputs, u64::from(fee), hidden);
            }
            Act::PayAll { tx, slot, count, fee } => {
                let paid = (slot..slot + u16::from(count)).filter_map(|slot| self.charges.get(&slot));
                let outputs: Vec<(ScriptBuf, u64)> = paid.map(|made| (made.script.clone(), made.amount)).collect();
                if !outputs.is_empty() {
                    let coin = self.net().coin();
                    self.send(tx, &[coin], outputs, u64::from(fee), false);
                }
            }
            Act::Chain {
                tx,
                slot,
                permille,
                fee,
            } => {
                let Some(made) = self.charges.get(&slot) else { return };
                let value = made.amount * u64::from(permille) / 1_000;
                let outputs = vec![(made.script.clone(), value.max(1))];
                let (coin, change) = {
                    let mut net = self.net();
                    (net.coin(), net.elsewhere())
                };
                self.send(tx + 1, &[coin], vec![(change, value + 1_000)], u64::from(fee), false);
                if let Some(parent) = self.tx(tx + 1) {
                    let id = self.net().registry.txs[parent].id;
                    self.send(tx, &[OutPoint::new(id, 0)], outputs, u64::from(fee), false);
                }
            }
            Act::Replace {
                tx,
                old,
                to,
                more,
                hidden,
            } => self.replace(tx, old, to, u64::from(more), hidden),
            Act::Publish(name) => {
                if let Some(tid) = self.tx(name) {
                    self.net().broadcast(tid);
                }
            }
            Act::Early {
                tx,
                wallet,
                ahead,
                sats,
            } => {
                let wallet = usize::from(wallet);
                let given = self
                    .charges
                    .values()
                    .filter(|made| made.place.0 == wallet)
                    .map(|made| made.place.1);
                let next = given.max().map_or(0, |index| index + 1);
                let script = wallets::script(wallet, next + u32::from(ahead));
                let coin = self.net().coin();
                self.send(tx, &[coin], vec![(script, u64::from(sats))], 2, false);
            }
            _ => {}
        }
    }

    fn replace(&mut self, name: u16, old: u16, to: To, more: u64, hidden: bool) {
        let Some(old) = self.tx(old) else { return };
        let (inputs, before, fee) = {
            let net = self.net();
            let tx = &net.registry.txs[old];
            let before: Vec<(ScriptBuf, u64)> = tx
                .tx
                .output
                .iter()
                .map(|output| (output.script_pubkey.clone(), output.value.to_sat()))
                .collect();
            (net.registry.inputs(old).collect::<Vec<_>>(), before, tx.fee)
        };
        if inputs.is_empty() {
            return;
        }
        let outputs = match to {
            To::Same => before,
            To::Split(parts, permille) => {
                let each = |(script, value): (ScriptBuf, u64)| {
                    let part = (value * u64::from(permille) / 1_000).max(1);
                    vec![(script, part); usize::from(parts)]
                };
                before.into_iter().flat_map(each).collect()
            }
            To::Away => vec![(self.net().elsewhere(), 1_000)],
            To::Other(slot) => match self.charges.get(&slot) {
                Some(made) => vec![(made.script.clone(), made.amount)],
                None => return,
            },
        };
        self.send(name, &inputs, outputs, fee + more, hidden);
    }

    fn send(&mut self, name: u16, inputs: &[OutPoint], outputs: Vec<(ScriptBuf, u64)>, fee: u64, hidden: bool) {
        let tid = {
            let mut net = self.net();
            let tid = net.make_tx(inputs, outputs, fee);
            if !hidden {
                net.broadcast(tid);
            }
            tid
        };
        self.txs.insert(name, tid);
    }

    pub(super) fn by_miners(&mut self, act: &Act, chance: &mut Dice) {
        match *act {
            Act::Mine {
                blocks,
                permille,
                also,
                reward,
                skew,
            } => {
                let also = also.and_then(|name| self.tx(name));
                let reward = reward.and_then(|slot| self.charges.get(&slot));
                let reward = reward.map(|made| (made.script.clone(), made.amount));
                let mut net = self.net();
                let tip = net.far.tip();
                let offered = offered(&net, net.candidates(), permille, chance);
                let tids = fitting(&net, tip, also, &offered);
                let secs = net.now / 1_000 + i64::from(skew);
                let first = net.make_block(tip, &tids, reward, secs, 1);
                net.take_block(first);
                pile(&mut net, first, blocks.saturating_sub(1));
            }
            Act::Reorg {
                depth,
                more,
                permille,
                also,
                heavy,
            } => {
                let also = also.and_then(|name| self.tx(name));
                reorganise(&mut self.net(), chance, (depth, more, heavy), permille, also);
            }
            _ => {}
        }
    }
}

fn split(script: &ScriptBuf, value: u64, parts: u64) -> Vec<(ScriptBuf, u64)> {
    let parts = parts.max(1);
    let part = value / parts;
    let rest = value - part * (parts - 1);
    let mut outputs = vec![(script.clone(), part.max(1)); usize::try_from(parts - 1).expect("few parts")];
    outputs.push((script.clone(), rest.max(1)));
    outputs
}

/// So many thousandths of these, by chance; of those that pay least, of which blocks are full, a few.
fn offered(net: &Net, tids: Vec<Tid>, permille: u16, chance: &mut Dice) -> Vec<Tid> {
    let share = |tid: Tid| {
        let permille = u64::from(permille);
        if net.registry.txs[tid].fee <= LEAST_FEE {
            permille / 20
        } else {
            permille
        }
    };
    tids.into_iter()
        .filter(|&tid| chance.below(1_000) < share(tid))
        .collect()
}

/// What a block on `parent` can hold: `first` above all with what it builds on, then of the offered what fits.
fn fitting(net: &Net, parent: usize, first: Option<Tid>, offered: &[Tid]) -> Vec<Tid> {
    let (mined, mut spent) = below(net, parent);
    let mut taken: Vec<Tid> = Vec::new();
    let mut wanted: Vec<Tid> = Vec::new();
    if let Some(first) = first {
        let mut open = vec![first];
        while let Some(tid) = open.pop() {
            wanted.insert(0, tid);
            open.extend(
                net.registry
                    .inputs(tid)
                    .filter_map(|input| net.registry.by_id.get(&input.txid))
                    .copied(),
            );
        }
        wanted.sort_unstable();
        wanted.dedup();
    }
    wanted.extend(offered);
    for tid in wanted {
        if mined.contains(&tid) || taken.contains(&tid) || net.registry.txs[tid].tx.is_coinbase() {
            continue;
        }
        let is_there = |input: OutPoint| {
            let made = net.registry.by_id.get(&input.txid);
            made.is_none_or(|made| mined.contains(made) || taken.contains(made)) && !spent.contains(&input)
        };
        if net.registry.inputs(tid).all(is_there) {
            spent.extend(net.registry.inputs(tid));
            taken.push(tid);
        }
    }
    taken.sort_unstable();
    taken
}

/// What is mined up to a block, and what it spends.
fn below(net: &Net, block: usize) -> (BTreeSet<Tid>, BTreeSet<OutPoint>) {
    let mut mined = BTreeSet::new();
    let mut at = block;
    loop {
        mined.extend(net.registry.blocks[at].tids.iter().copied());
        if net.registry.blocks[at].height == 0 {
            break;
        }
        at = net.registry.blocks[at].parent;
    }
    let spent = mined.iter().flat_map(|&tid| net.registry.inputs(tid)).collect();
    (mined, spent)
}

fn pile(net: &mut Net, first: usize, more: u8) {
    let mut tip = first;
    let secs = net.now / 1_000;
    for _ in 0..more {
        tip = net.make_block(tip, &[], None, secs, 1);
        net.take_block(tip);
    }
}

/// Replaces the last `depth` blocks by `more` more, or by fewer with more work.
fn reorganise(
    net: &mut Net,
    chance: &mut Dice,
    (depth, more, heavy): (u8, u8, bool),
    permille: u16,
    also: Option<Tid>,
) {
    let tip = net.far.tip();
    let depth = u32::from(depth).min(net.registry.blocks[tip].height.saturating_sub(2));
    let mut base = tip;
    let mut freed = Vec::new();
    for _ in 0..depth {
        freed.extend(net.registry.blocks[base].tids.iter().copied());
        base = net.registry.blocks[base].parent;
    }
    freed.retain(|&tid| !net.registry.txs[tid].tx.is_coinbase());
    freed.sort_unstable();
    let offered = offered(net, freed, permille, chance);
    let tids = fitting(net, base, also, &offered);
    let secs = net.now / 1_000;
    let blocks = if heavy {
        depth.saturating_sub(1).max(1)
    } else {
        depth + u32::from(more)
    };
    let needed = net.registry.blocks[tip].work - net.registry.blocks[base].work;
    let work = if heavy { needed / u64::from(blocks) + 2 } else { 1 };
    let mut at = base;
    // The network hears of the branch when it is the better one.
    for n in 0..blocks {
        let tids = if n == 0 { &tids[..] } else { &[] };
        at = net.make_block(at, tids, None, secs, work);
    }
    net.take_block(at);
}
