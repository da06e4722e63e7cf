//! The stories of single charges: what shoppers, merchants and somebody who knows all the rules do with them.

mod blocks;
mod payments;
mod seldom;
mod shop;

use super::{Act, By, Draft, Shop, To};

const DAY: i64 = 86_400;
/// What a charge costs: small, medium and large enough for each tier.
const PRICES: [u32; 6] = [500, 4_200, 4_200, 20_000, 150_000, 1_200_000];

/// A charge in the making.
struct Line<'a> {
    draft: &'a mut Draft,
    slot: u16,
    /// When it was made, in seconds from the beginning.
    at: i64,
    window: i64,
    /// When its window has certainly been seen to end.
    end: i64,
    /// When it should be settled.
    settled: i64,
}

/// One story, that begins at `at`.
pub(super) fn line(draft: &mut Draft, shop: &Shop, number: u8, at: i64) {
    if draft.dice.chance(6) {
        return shop::crowd(draft, number, at);
    }
    let slot = draft.slot();
    let by = draft.dice.pick(&[By::Api, By::Api, By::Link, By::Signed]);
    let order = if draft.dice.chance(50) {
        u16::try_from(draft.dice.below(12)).expect("below 12")
    } else {
        slot + 100
    };
    let cents = draft.dice.pick(&PRICES);
    let early = draft.dice.chance(5);
    if early {
        let tx = draft.tx();
        let wallet = draft.dice.pick(&[0, 1, 2, 3]);
        let ahead = draft.dice.pick(&[0, 0, 0, 1, 5]);
        draft.put(
            at - 30,
            Act::Early {
                tx,
                wallet,
                ahead,
                sats: 90_000_000,
            },
        );
        if wallet > 1 {
            draft.put(at - 20, Act::Wallet { shop: number, wallet });
        }
        draft.put(at + 40, mine(1));
    }
    draft.put(
        at,
        Act::Create {
            slot,
            shop: number,
            by,
            cents,
            order,
        },
    );
    let mut line = Line {
        slot,
        at,
        window: shop.window,
        end: at + shop.window + shop.grace + 660,
        settled: at + shop.window + shop.settle,
        draft,
    };
    match line.draft.dice.below(25) {
        0..=2 => line.plain(),
        3 => {}
        4 => line.topped_up(),
        5 => line.late(),
        6 => line.double_spent_then_slow(),
        7 | 8 => line.bumped_after_days(),
        9 => line.split_late(),
        10 | 11 => line.reorganised(),
        12 => line.dust(number),
        13 | 14 => line.accepted(),
        15 => line.cancelled(),
        16 => line.on_a_chain(),
        17 => line.mined_for(),
        18 => line.late_replaced_and_back(),
        19 => line.evicted(),
        20 => line.lost_then_mined_after_days(),
        21 => line.seldom(),
        22 => line.in_pieces(number),
        23 => line.one_shopper(number),
        _ => line.anything(),
    }
}

const fn mine(blocks: u8) -> Act {
    Act::Mine {
        blocks,
        permille: 1_000,
        also: None,
        reward: None,
        skew: 0,
    }
}

impl Line<'_> {
    /// An instant within the window.
    fn in_time(&mut self) -> i64 {
        let window = self.window;
        self.at + self.draft.dice.between(5, window - 15)
    }

    fn pay(&mut self, at: i64, permille: u32, fee: u16) -> u16 {
        let (tx, slot) = (self.draft.tx(), self.slot);
        let parts = if self.draft.dice.chance(10) { 3 } else { 1 };
        self.draft.put(
            at,
            Act::Pay {
                tx,
                slot,
                permille,
                parts,
                fee,
                hidden: false,
            },
        );
        tx
    }

    fn replace(&mut self, at: i64, old: u16, to: To) -> u16 {
        let tx = self.draft.tx();
        self.draft.put(
            at,
            Act::Replace {
                tx,
                old,
                to,
                more: 5,
                hidden: false,
            },
        );
        tx
    }

    fn mine(&mut self, at: i64, blocks: u8) {
        let act = match mine(blocks) {
            Act::Mine {
                blocks,
                permille,
                also,
                reward,
                ..
            } if self.draft.dice.chance(20) => {
                let skew = i32::try_from(self.draft.dice.between(-3_000, 3_000)).expect("small");
                Act::Mine {
                    blocks,
                    permille,
                    also,
                    reward,
                    skew,
                }
            }
            act => act,
        };
        self.draft.put(at, act);
    }

    fn mine_this(&mut self, at: i64, also: u16) {
        self.draft.put(
            at,
            Act::Mine {
                blocks: 6,
                permille: 1_000,
                also: Some(also),
                reward: None,
                skew: 0,
            },
        );
    }
}
