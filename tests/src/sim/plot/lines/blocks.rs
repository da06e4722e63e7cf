//! Payments and the blocks that hold them, or held them.

use super::{DAY, Line};
use crate::sim::plot::{Act, To};

impl Line<'_> {
    pub(super) fn reorganised(&mut self) {
        let at = self.in_time();
        let tx = self.pay(at, 1_000, 20);
        let mined = at + self.draft.dice.between(5, 600);
        let blocks = u8::try_from(self.draft.dice.between(1, 3)).expect("small");
        self.mine(mined, blocks);
        let hidden = self.draft.tx();
        self.draft.put(
            mined + 1,
            Act::Replace {
                tx: hidden,
                old: tx,
                to: To::Away,
                more: 5,
                hidden: true,
            },
        );
        let mut at = mined;
        for _ in 0..self.draft.dice.between(1, 4) {
            at += self.draft.dice.between(5, 3_000);
            let also = self.draft.dice.pick(&[None, None, Some(hidden), Some(tx)]);
            let permille = self.draft.dice.pick(&[0, 500, 1_000, 1_000]);
            let depth = u8::try_from(self.draft.dice.between(1, 5)).expect("small");
            let more = u8::try_from(self.draft.dice.between(1, 2)).expect("small");
            let heavy = self.draft.dice.chance(15);
            self.draft.put(
                at,
                Act::Reorg {
                    depth,
                    more,
                    permille,
                    also,
                    heavy,
                },
            );
        }
        self.mine(at + 900, 6);
    }

    /// The reward of a block pays the charge.
    pub(super) fn mined_for(&mut self) {
        let at = self.in_time();
        let reward = Some(self.slot);
        self.draft.put(
            at,
            Act::Mine {
                blocks: 1,
                permille: 1_000,
                also: None,
                reward,
                skew: 0,
            },
        );
        if self.draft.dice.chance(50) {
            self.draft.put(
                at + 300,
                Act::Reorg {
                    depth: 1,
                    more: 1,
                    permille: 1_000,
                    also: None,
                    heavy: false,
                },
            );
        }
        if self.draft.dice.chance(50) {
            self.mine(at + 9_000, 110);
        }
    }

    /// Seen late to the second; what a block says later must not make it earlier.
    pub(super) fn late_replaced_and_back(&mut self) {
        let late = self.at + self.window + self.draft.dice.between(700, 3_000);
        let tx = self.pay(late, 1_000, 5);
        self.replace(late + 60, tx, To::Away);
        if self.draft.dice.chance(30) {
            self.mine(late + 90, 1);
            self.draft.put(
                late + 120,
                Act::Reorg {
                    depth: 1,
                    more: 1,
                    permille: 0,
                    also: Some(tx),
                    heavy: false,
                },
            );
        } else {
            self.mine_this(late + 120, tx);
        }
        self.mine(late + 2_000, 6);
    }

    /// A payment in time is taken back, so that nothing waits; days later it is mined after all.
    pub(super) fn lost_then_mined_after_days(&mut self) {
        let at = self.in_time();
        let tx = self.pay(at, 1_000, 2);
        self.replace(at + 60, tx, To::Away);
        let days = self.draft.dice.between(0, 6) * DAY;
        let mined = self.settled + days + 600;
        self.mine_this(mined, tx);
    }
}
