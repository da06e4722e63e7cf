//! Shoppers who pay: in time, too late, too little, again, for a better fee.

use super::{DAY, Line};
use crate::sim::plot::{Act, To};

impl Line<'_> {
    pub(super) fn plain(&mut self) {
        let at = self.in_time();
        let permille = self.draft.dice.pick(&[1_000, 1_000, 1_000, 995, 1_100, 2_000]);
        self.pay(at, permille, 20);
        for _ in 0..self.draft.dice.between(1, 4) {
            let at = at + self.draft.dice.between(5, 4_000);
            self.mine(at, 2);
        }
    }

    pub(super) fn topped_up(&mut self) {
        let first = self.in_time();
        let permille = self.draft.dice.pick(&[5, 100, 500, 990]);
        self.pay(first, permille, 20);
        let rest = first + self.draft.dice.between(5, 2_000);
        self.pay(rest, 1_000 - permille, 20);
        let at = rest + self.draft.dice.between(5, 4_000);
        self.mine(at, 6);
    }

    pub(super) fn late(&mut self) {
        let late = self.at + self.window + self.draft.dice.pick(&[1, 30, 120, 700, 3_000, 90_000]);
        let permille = self.draft.dice.pick(&[3, 500, 1_000]);
        self.pay(late, permille, 20);
        let at = late + self.draft.dice.between(5, 4_000);
        self.mine(at, 6);
    }

    /// Takes the money back a few times while it is cheap, and then lets a payment lie.
    pub(super) fn double_spent_then_slow(&mut self) {
        let mut at = self.at + 5;
        for _ in 0..self.draft.dice.between(1, 4) {
            let tx = self.pay(at, 1_000, 20);
            self.replace(at + 10, tx, To::Away);
            at += 20;
        }
        self.draft.put(at, Act::Floor(1));
        let slow = self.pay(at + 5, 1_000, 1);
        let days = self.draft.dice.between(1, 9) * DAY;
        let at = self.settled + days;
        // After a long time the server was away meanwhile: it finds the money deep, and nobody saw that it was not.
        if days > 5 * DAY {
            self.draft.put(self.settled - 600, Act::Stop);
            self.draft.put(at + 600, Act::Start);
        }
        self.draft.put(at - 60, Act::Look);
        self.mine_this(at, slow);
    }

    pub(super) fn bumped_after_days(&mut self) {
        let at = self.in_time();
        let old = self.pay(at, 1_000, 1);
        let days = self.draft.dice.between(0, 7) * DAY;
        let bump = self.settled + days + self.draft.dice.between(60, 7_200);
        let to = self.draft.dice.pick(&[To::Same, To::Same, To::Split(2, 500), To::Same]);
        let new = self.replace(bump, old, to);
        let mined = self.draft.dice.pick(&[old, new, new]);
        let at = bump + self.draft.dice.between(60, 7_200);
        self.mine_this(at, mined);
    }

    /// A small payment in time becomes many late ones.
    pub(super) fn split_late(&mut self) {
        let at = self.in_time();
        let old = self.pay(at, 100, 1);
        let latest = self.draft.dice.pick(&[2_000, 2 * DAY]);
        let late = self.end + self.draft.dice.between(600, latest);
        let to = self
            .draft
            .dice
            .pick(&[To::Split(10, 1_000), To::Split(3, 1_000), To::Split(1, 9_000)]);
        let new = self.replace(late, old, to);
        if self.draft.dice.chance(30) {
            let again = self.replace(late + 60, new, To::Split(12, 200));
            self.mine_this(late + 600, again);
        } else {
            self.mine_this(late + 600, new);
        }
    }

    pub(super) fn on_a_chain(&mut self) {
        let at = self.in_time();
        let (tx, slot) = (self.draft.tx(), self.slot);
        let parent = self.draft.tx();
        self.draft.put(
            at,
            Act::Chain {
                tx,
                slot,
                permille: 1_000,
                fee: 10,
            },
        );
        match self.draft.dice.below(3) {
            0 => {
                self.replace(at + 60, parent, To::Away);
            }
            1 => {
                self.replace(at + 60, tx, To::Same);
            }
            _ => {}
        }
        let later = self.draft.dice.between(60, 4_000);
        self.mine(at + later, 6);
    }

    pub(super) fn evicted(&mut self) {
        let at = self.in_time();
        let tx = self.pay(at, 1_000, 3);
        self.draft.put(at + 30, Act::Floor(8));
        for minutes in [1, 5, 32, 34, 70] {
            self.draft.put(at + 30 + minutes * 60, Act::Look);
        }
        if self.draft.dice.chance(50) {
            self.draft.put(at + 4_000, Act::Floor(1));
            self.draft.put(at + 4_100, Act::Publish(tx));
        }
        let later = self.draft.dice.between(4_200, DAY);
        self.mine_this(at + later, tx);
    }

    pub(super) fn anything(&mut self) {
        let mut txs = Vec::new();
        let mut at = self.at;
        for _ in 0..self.draft.dice.between(2, 8) {
            at += self.draft.dice.pick(&[1, 20, 200, 2_000, 40_000]);
            let slot = self.slot;
            match (self.draft.dice.below(8), txs.last().copied()) {
                (0 | 1, _) | (_, None) => {
                    let permille = self.draft.dice.pick(&[3, 100, 400, 600, 1_000]);
                    let fee = self.draft.dice.pick(&[1, 5, 20]);
                    txs.push(self.pay(at, permille, fee));
                }
                (2 | 3, Some(old)) => {
                    let to =
                        self.draft
                            .dice
                            .pick(&[To::Same, To::Away, To::Split(4, 400), To::Other(slot.wrapping_sub(1))]);
                    txs.push(self.replace(at, old, to));
                }
                (4, Some(_)) => {
                    let old = self.draft.dice.pick(&txs);
                    self.draft.put(at, Act::Publish(old));
                }
                (5, Some(_)) => self.draft.put(
                    at,
                    Act::Reorg {
                        depth: 2,
                        more: 1,
                        permille: 500,
                        also: None,
                        heavy: false,
                    },
                ),
                (6, Some(_)) => self.draft.put(
                    at,
                    Act::Accept {
                        slot,
                        which: 0b101,
                        stale: false,
                    },
                ),
                (_, Some(tx)) => {
                    let also = self.draft.dice.pick(&[None, Some(tx)]);
                    self.draft.put(
                        at,
                        Act::Mine {
                            blocks: 1,
                            permille: 700,
                            also,
                            reward: None,
                            skew: 0,
                        },
                    );
                }
            }
        }
        self.mine(at + 600, 6);
    }
}
