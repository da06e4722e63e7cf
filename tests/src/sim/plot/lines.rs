//! The stories of single charges: what shoppers, merchants and somebody who knows all the rules do with them.

use super::{Act, By, Draft, Shop, To};

/// A day, in seconds.
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
        return crowd(draft, number, at);
    }
    let slot = draft.slot();
    let by = draft.dice.pick(&[By::Api, By::Api, By::Link, By::Signed]);
    let order = if draft.dice.chance(50) {
        u16::try_from(draft.dice.below(12)).expect("below 12")
    } else {
        slot + 100
    };
    let cents = draft.dice.pick(&PRICES);
    let early = draft.dice.chance(3);
    if early {
        let tx = draft.tx();
        let wallet = draft.dice.pick(&[0, 1, 2, 3]);
        let ahead = draft.dice.pick(&[0, 0, 1, 2, 5]);
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
    match line.draft.dice.below(22) {
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

fn crowd(draft: &mut Draft, shop: u8, at: i64) {
    let count = u8::try_from(draft.dice.between(4, 16)).expect("a small number");
    let slot = draft.slots;
    draft.slots += u16::from(count);
    draft.put(
        at,
        Act::Crowd {
            slot,
            count,
            shop,
            cents: 4_200,
        },
    );
    let tx = draft.tx();
    let paid = u8::try_from(draft.dice.between(2, i64::from(count))).expect("a small number");
    draft.put(
        at + 90,
        Act::PayAll {
            tx,
            slot,
            count: paid,
            fee: 10,
        },
    );
    if draft.dice.chance(40) {
        let new = draft.tx();
        let to = draft.dice.pick(&[To::Same, To::Away, To::Split(3, 300)]);
        let later = draft.dice.pick(&[60, 2_000, 100_000]);
        draft.put(
            at + 90 + later,
            Act::Replace {
                tx: new,
                old: tx,
                to,
                more: 5,
                hidden: false,
            },
        );
    }
    let later = draft.dice.between(100, 900);
    draft.put(at + 90 + later, mine(3));
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

    fn plain(&mut self) {
        let at = self.in_time();
        let permille = self.draft.dice.pick(&[1_000, 1_000, 1_000, 995, 1_100, 2_000]);
        self.pay(at, permille, 20);
        for _ in 0..self.draft.dice.between(1, 4) {
            let at = at + self.draft.dice.between(5, 4_000);
            self.mine(at, 2);
        }
    }

    fn topped_up(&mut self) {
        let first = self.in_time();
        let permille = self.draft.dice.pick(&[5, 100, 500, 990]);
        self.pay(first, permille, 20);
        let rest = first + self.draft.dice.between(5, 2_000);
        self.pay(rest, 1_000 - permille, 20);
        let at = rest + self.draft.dice.between(5, 4_000);
        self.mine(at, 6);
    }

    fn late(&mut self) {
        let late = self.at + self.window + self.draft.dice.pick(&[1, 30, 120, 700, 3_000, 90_000]);
        let permille = self.draft.dice.pick(&[3, 500, 1_000]);
        self.pay(late, permille, 20);
        let at = late + self.draft.dice.between(5, 4_000);
        self.mine(at, 6);
    }

    /// Takes the money back a few times while it is cheap, and then lets a payment lie.
    fn double_spent_then_slow(&mut self) {
        let mut at = self.at + 5;
        for _ in 0..self.draft.dice.between(1, 4) {
            let tx = self.pay(at, 1_000, 20);
            self.replace(at + 10, tx, To::Away);
            at += 20;
        }
        self.draft.put(at, Act::Floor(1));
        let slow = self.pay(at + 5, 1_000, 1);
        let days = self.draft.dice.between(1, 9) * DAY;
        self.draft.put(self.settled + days - 60, Act::Look);
        let at = self.settled + days;
        self.mine_this(at, slow);
    }

    fn bumped_after_days(&mut self) {
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
    fn split_late(&mut self) {
        let at = self.in_time();
        let old = self.pay(at, 100, 1);
        let late = self.end + self.draft.dice.between(600, 2 * DAY);
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

    fn reorganised(&mut self) {
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

    /// Somebody else's dust, and the shopper's own link.
    fn dust(&mut self, shop: u8) {
        let tx = self.pay(self.at + 20, 3, 20);
        self.replace(self.at + 40, tx, To::Away);
        let slot = self.draft.slot();
        let order = self.slot + 100;
        self.draft.put(
            self.at + 60,
            Act::Create {
                slot,
                shop,
                by: By::Link,
                cents: 4_200,
                order,
            },
        );
        self.mine(self.end + 60, 1);
    }

    fn accepted(&mut self) {
        let at = self.in_time();
        let first = self.pay(at, 500, 20);
        let seen = self.end + 30;
        self.mine(seen, 1);
        let (slot, stale) = (self.slot, self.draft.dice.chance(20));
        self.draft.put(
            seen + 60,
            Act::Accept {
                slot,
                which: 0xff,
                stale,
            },
        );
        self.mine(seen + 700, 6);
        if self.draft.dice.chance(60) {
            let extra = self.pay(seen + 900, 250, 20);
            self.draft.put(
                seen + 930,
                Act::Accept {
                    slot,
                    which: 0xff,
                    stale: false,
                },
            );
            if self.draft.dice.chance(50) {
                self.replace(seen + 960, extra, To::Away);
            }
            self.draft.put(seen + 990, Act::Look);
            self.mine(seen + 1_600, 6);
        }
        if self.draft.dice.chance(20) {
            self.replace(seen + 50, first, To::Away);
        }
    }

    fn cancelled(&mut self) {
        let at = self.in_time();
        let (slot, stale) = (self.slot, self.draft.dice.chance(20));
        self.draft.put(at, Act::Cancel { slot, stale });
        let off = self.draft.dice.between(-20, 200);
        self.pay(at + off, 1_000, 20);
        self.mine(at + 600, 6);
    }

    fn on_a_chain(&mut self) {
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

    /// The reward of a block pays the charge.
    fn mined_for(&mut self) {
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
    fn late_replaced_and_back(&mut self) {
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

    fn evicted(&mut self) {
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

    /// A payment in time is taken back, so that nothing waits; days later it is mined after all.
    fn lost_then_mined_after_days(&mut self) {
        let at = self.in_time();
        let tx = self.pay(at, 1_000, 2);
        self.replace(at + 60, tx, To::Away);
        let days = self.draft.dice.between(0, 6) * DAY;
        let mined = self.settled + days + 600;
        self.mine_this(mined, tx);
    }

    fn anything(&mut self) {
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
