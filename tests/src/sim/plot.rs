//! What happens in a history: a list of actions, made from the seed before anything runs, so that a part of it can be run alone.

mod lines;
mod weather;

use super::dice::Dice;
use super::net::Zmq;
use super::receivers::Mood;

/// How many receivers there are: three for each shop.
pub const URLS: u8 = 6;

/// Orders from here on are one shopper's each, however often their links are followed.
pub const ONE_SHOPPER: u16 = 10_000;

/// Something that somebody does. What it names may not be there, in a part of a history: then nothing happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A charge is asked for.
    Create {
        /// Its name in this history.
        slot: u16,
        shop: u8,
        by: By,
        cents: u32,
        /// The shop's order id; zero for none.
        order: u16,
    },
    /// Several charges are asked for at once.
    Crowd {
        /// The name of the first.
        slot: u16,
        count: u8,
        shop: u8,
        /// The price of each.
        cents: u32,
    },
    /// A charge is paid from a coin of its own.
    Pay {
        /// The transaction's name.
        tx: u16,
        slot: u16,
        /// How much, in thousandths of the amount.
        permille: u32,
        /// In so many outputs.
        parts: u8,
        fee: u16,
        /// Whether it is kept back.
        hidden: bool,
    },
    /// One transaction pays several charges in full.
    PayAll {
        /// The transaction's name.
        tx: u16,
        /// The first charge.
        slot: u16,
        count: u8,
        fee: u16,
    },
    /// A charge is paid from the output of an unconfirmed transaction.
    Chain {
        /// The payment's name; its parent is the next.
        tx: u16,
        slot: u16,
        /// How much, in thousandths of the amount.
        permille: u32,
        fee: u16,
    },
    /// A transaction spends what another one spends.
    Replace {
        tx: u16,
        old: u16,
        /// Whom it pays.
        to: To,
        /// How much more fee it pays.
        more: u16,
        /// Whether it is kept back.
        hidden: bool,
    },
    /// A transaction that was kept back, or was replaced, is broadcast.
    Publish(u16),
    /// Blocks are found.
    Mine {
        blocks: u8,
        /// How many of the waiting transactions are taken, in thousandths.
        permille: u16,
        /// A transaction that is in the first, whatever it conflicts with.
        also: Option<u16>,
        /// A charge that the reward pays.
        reward: Option<u16>,
        /// How far the miner's clock is off, in seconds.
        skew: i32,
    },
    /// The last blocks are replaced.
    Reorg {
        depth: u8,
        /// How many more there are then.
        more: u8,
        /// How many of their transactions are mined again, in thousandths.
        permille: u16,
        /// A transaction that is in the first, whatever it conflicts with.
        also: Option<u16>,
        /// Whether the new branch is shorter, and has more work.
        heavy: bool,
    },
    /// Our node's least fee.
    Floor(u16),
    /// Our node has peers, or not.
    Peers(bool),
    /// Our node runs, or not; with the mempool it had, or not.
    Node(bool, bool),
    /// Our node's notifications.
    Zmq(Zmq),
    /// Our node deletes old blocks.
    Prune,
    /// While it is being read, after so many calls, something happens at our node.
    Ambush(u8, Surprise),
    /// The server dies.
    Crash,
    /// The server is stopped.
    Stop,
    /// The server is started, if it does not run.
    Start,
    /// The next commit fails, before or after; the server may die of it.
    Doom {
        after: bool,
        dies: bool,
    },
    /// The database is copied.
    Backup,
    /// The copy is put in its place.
    Restore,
    /// The operator vouches for what the node says, and restarts the server.
    Vouch,
    /// The merchant accepts payments.
    Accept {
        slot: u16,
        /// Which, bit by bit.
        which: u8,
        /// Whether they look at an old page.
        stale: bool,
    },
    /// The merchant cancels a charge.
    Cancel {
        slot: u16,
        /// Whether they look at an old page.
        stale: bool,
    },
    /// The merchant changes two settings at once, from two pages.
    Settings {
        shop: u8,
        window: u16,
        grace: u16,
    },
    /// The merchant connects a wallet.
    Wallet {
        shop: u8,
        wallet: u8,
    },
    /// The rate moves to so many thousandths of what it was; to zero: there is none any more.
    Rate(u16),
    /// The machine's clock is set so far ahead, in seconds.
    Clock(i64),
    Mood(u8, Mood),
    /// What was not delivered is delivered again.
    Redeliver(u8),
    /// An address is paid that was not given out yet.
    Early {
        /// The transaction's name.
        tx: u16,
        wallet: u8,
        ahead: u8,
        /// How much, in satoshis.
        sats: u32,
    },
    /// Somebody looks whether everything is right.
    Look,
}

/// How a charge is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By the shop's server.
    Api,
    /// By a link that anybody may write.
    Link,
    /// By a link that the shop has signed.
    Signed,
}

/// Whom a replacement pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    Same,
    /// The same, in so many equal outputs, each of so many thousandths of what it was.
    Split(u8, u16),
    /// Nobody here.
    Away,
    /// Another charge.
    Other(u16),
}

/// What happens while the node is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surprise {
    Block,
    /// The last block is replaced.
    Reorg,
    /// A transaction is broadcast.
    Publish(u16),
    /// The connection breaks.
    Failure,
}

/// An action and its time, in seconds from the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: i64,
    /// What.
    pub act: Act,
}

/// What a shop has chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    /// Settings by name and text.
    pub settings: Vec<(&'static str, String)>,
    /// The window, in seconds.
    pub window: i64,
    /// The grace, in seconds.
    pub grace: i64,
    /// How long a payment may take to be deep, in seconds.
    pub settle: i64,
}

/// A history: who takes part, and what they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plot {
    /// The shops.
    pub shops: Vec<Shop>,
    /// How far our node's clock is ahead, in milliseconds.
    pub node_ahead: i64,
    /// What is done, in the order of time.
    pub steps: Vec<Step>,
    /// Whether the rate never moves and is always there.
    pub calm_rate: bool,
    /// How many charges are asked for.
    pub charges: u16,
}

/// Names that are still free, and the steps so far.
struct Draft {
    dice: Dice,
    steps: Vec<Step>,
    slots: u16,
    txs: u16,
}

impl Draft {
    fn put(&mut self, at: i64, act: Act) {
        self.steps.push(Step { at, act });
    }

    const fn slot(&mut self) -> u16 {
        self.slots += 1;
        self.slots - 1
    }

    const fn tx(&mut self) -> u16 {
        self.txs += 1;
        self.txs - 1
    }
}

/// The history of a number.
#[must_use]
pub fn plot(number: u64) -> Plot {
    let mut dice = Dice::new(number, 1);
    let shops: Vec<Shop> = (0..2).map(|_| shop(&mut dice)).collect();
    let node_ahead = if dice.chance(50) {
        0
    } else {
        dice.between(-4_000, 4_000)
    };
    let calm_rate = dice.chance(60);
    let lines = dice.between(10, 40);
    let mut draft = Draft {
        dice,
        steps: Vec::new(),
        slots: 0,
        txs: 0,
    };
    // Orders are given in a few busy hours, so that one block concerns many.
    let hours: Vec<i64> = (0..draft.dice.between(1, 4))
        .map(|_| draft.dice.between(0, 48) * 3_600)
        .collect();
    for _ in 0..lines {
        let hour = draft.dice.pick(&hours);
        let at = hour + draft.dice.between(60, 2_400);
        let shop = u8::from(draft.dice.chance(40));
        lines::line(&mut draft, &shops[usize::from(shop)], shop, at);
    }
    weather::weather(&mut draft, calm_rate);
    draft.steps.sort_by_key(|step| step.at);
    Plot {
        shops,
        node_ahead,
        steps: draft.steps,
        calm_rate,
        charges: draft.slots,
    }
}

fn shop(dice: &mut Dice) -> Shop {
    let window = dice.pick(&[300_i64, 600, 1_200]);
    let grace = dice.pick(&[0_i64, 30, 90]);
    let settle = dice.pick(&[3_600_i64, 7_200, 86_400, 172_800]);
    let settings = vec![
        ("name", "Shop".to_owned()),
        ("window_secs", window.to_string()),
        ("grace_secs", grace.to_string()),
        ("settle_within_secs", settle.to_string()),
        ("extension_secs", dice.pick(&["0", "0", "600"]).to_owned()),
        ("tolerance_bps", dice.pick(&["0", "0", "100", "500"]).to_owned()),
        ("late_policy", dice.pick(&["ask", "ask", "accept"]).to_owned()),
        ("confirmations", dice.pick(&["1 3 6", "1 2 3", "2 3 4"]).to_owned()),
        ("gap_button", "1000".to_owned()),
    ];
    Shop {
        settings,
        window,
        grace,
        settle,
    }
}
