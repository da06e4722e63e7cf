//! Stories that take a run many steps.

use super::Line;
use crate::sim::plot::{Act, To};

impl Line<'_> {
    /// One of these, or anything.
    pub(super) fn seldom(&mut self) {
        match self.draft.dice.below(12) {
            0 => self.in_very_many_pieces(),
            1..=4 => self.bumped_again_and_again(),
            _ => self.anything(),
        }
    }

    /// More outputs than a charge keeps apart.
    fn in_very_many_pieces(&mut self) {
        let at = self.in_time();
        let (tx, slot) = (self.draft.tx(), self.slot);
        self.draft.put(
            at,
            Act::Pay {
                tx,
                slot,
                permille: 1_000,
                parts: 130,
                fee: 5,
                hidden: false,
            },
        );
        if self.draft.dice.chance(50) {
            self.replace(at + 30, tx, To::Same);
        }
        self.mine(at + 600, 6);
    }

    /// A fee that is raised in small steps.
    fn bumped_again_and_again(&mut self) {
        let mut at = self.in_time();
        let mut tx = self.pay(at, 1_000, 1);
        for _ in 0..self.draft.dice.between(5, 9) {
            at += 20;
            tx = self.replace(at, tx, To::Same);
        }
        self.mine(at + 600, 6);
    }
}
