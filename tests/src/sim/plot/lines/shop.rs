//! What a merchant does with a charge, what dust does to an order, and a crowd that one transaction pays for.

use super::{Line, mine};
use crate::sim::plot::{Act, By, Draft, ONE_SHOPPER, To};

impl Line<'_> {
    /// Somebody else's dust, and the shopper's own link.
    pub(super) fn dust(&mut self, shop: u8) {
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

    /// Many payments, each dust by itself; then the order's link is followed by somebody else.
    pub(super) fn in_pieces(&mut self, shop: u8) {
        let order = self.slot + 100;
        let mut signed = |at: i64| {
            let slot = self.draft.slot();
            let by = By::Signed;
            let create = Act::Create {
                slot,
                shop,
                by,
                cents: 20_000,
                order,
            };
            self.draft.put(at, create);
            slot
        };
        let slot = signed(self.at + 1);
        signed(self.at + 70);
        signed(self.at + 100);
        let tx = self.draft.tx();
        let parts = self.draft.dice.pick(&[1_u8, 2, 5, 40]);
        self.draft.put(
            self.at + 40,
            Act::Pay {
                tx,
                slot,
                permille: u32::from(parts) * 9,
                parts,
                fee: 20,
                hidden: false,
            },
        );
        if self.draft.dice.chance(30) {
            let to = self.draft.dice.pick(&[To::Same, To::Away]);
            self.replace(self.at + 85, tx, to);
        }
        self.mine(self.end + 60, 1);
    }

    /// One shopper asks for one order again and again, each time at another price.
    pub(super) fn one_shopper(&mut self, shop: u8) {
        let order = ONE_SHOPPER + self.slot;
        for (n, cents) in (1..).zip([500, 600, 700, 800, 900]) {
            let slot = self.draft.slot();
            let by = By::Link;
            self.draft.put(
                self.at + n,
                Act::Create {
                    slot,
                    shop,
                    by,
                    cents,
                    order,
                },
            );
        }
        self.plain();
    }

    pub(super) fn accepted(&mut self) {
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

    pub(super) fn cancelled(&mut self) {
        let at = self.in_time();
        let (slot, stale) = (self.slot, self.draft.dice.chance(20));
        self.draft.put(at, Act::Cancel { slot, stale });
        let off = self.draft.dice.between(-20, 200);
        self.pay(at + off, 1_000, 20);
        self.mine(at + 600, 6);
    }
}

pub(super) fn crowd(draft: &mut Draft, shop: u8, at: i64) {
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
