//! What befalls everybody: blocks, reorgs, machines, networks, markets, clocks.

use super::{Act, Draft, Mood, Surprise, URLS, Zmq};

/// How long a history may be, in seconds, before what its charges still have to come.
const SPAN: i64 = 3 * 86_400;

/// Adds something that befalls at an instant.
type Kind = fn(&mut Draft, i64);

/// Adds the weather of a history: most of it is calm in most histories.
pub(super) fn weather(draft: &mut Draft, calm_rate: bool) {
    blocks(draft);
    if !calm_rate {
        market(draft);
    }
    let kinds: [(u64, Kind); 12] = [
        (25, crash),
        (25, doom),
        (20, peers),
        (25, node),
        (20, zmq),
        (15, clock),
        (30, receivers),
        (15, settings),
        (10, backup),
        (20, reorg),
        (8, prune),
        (25, ambush),
    ];
    for (chance, kind) in kinds {
        if draft.dice.chance(chance) {
            for _ in 0..draft.dice.between(1, 3) {
                let at = instant(draft);
                kind(draft, at);
            }
        }
    }
}

/// An instant near something that somebody does.
fn instant(draft: &mut Draft) -> i64 {
    if draft.steps.is_empty() {
        return draft.dice.between(0, SPAN);
    }
    let count = u64::try_from(draft.steps.len()).expect("few steps");
    let step = usize::try_from(draft.dice.below(count)).expect("an index");
    draft.steps[step].at + draft.dice.between(-60, 60)
}

fn blocks(draft: &mut Draft) {
    let mut at = draft.dice.between(60, 6_000);
    while at < SPAN {
        let permille = draft.dice.pick(&[0, 300, 1_000, 1_000]);
        draft.put(
            at,
            Act::Mine {
                blocks: 1,
                permille,
                also: None,
                reward: None,
                skew: 0,
            },
        );
        at += draft.dice.between(300, 20_000);
    }
}

fn market(draft: &mut Draft) {
    let mut at = draft.dice.between(60, 6_000);
    while at < SPAN {
        let rate = draft.dice.pick(&[900, 975, 985, 999, 1_001, 1_020, 1_100, 0]);
        draft.put(at, Act::Rate(rate));
        at += draft.dice.between(60, 30_000);
    }
}

fn crash(draft: &mut Draft, at: i64) {
    let end = if draft.dice.chance(50) { Act::Crash } else { Act::Stop };
    draft.put(at, end);
    let away = draft.dice.pick(&[1, 30, 600, 7_200, 90_000]);
    draft.put(at + away, Act::Start);
}

fn doom(draft: &mut Draft, at: i64) {
    let (after, dies) = (draft.dice.chance(60), draft.dice.chance(50));
    draft.put(at, Act::Doom { after, dies });
    draft.put(at + 30, Act::Start);
}

fn peers(draft: &mut Draft, at: i64) {
    draft.put(at, Act::Peers(false));
    let away = draft.dice.pick(&[30, 600, 3_600, 20_000]);
    draft.put(at + away, Act::Peers(true));
}

fn node(draft: &mut Draft, at: i64) {
    let keeps = draft.dice.chance(70);
    draft.put(at, Act::Node(false, keeps));
    let away = draft.dice.pick(&[5, 600, 3_600, 20_000]);
    let loading = draft.dice.chance(40);
    draft.put(at + away, Act::Node(true, loading));
    draft.put(at + away + 60, Act::Node(true, false));
}

fn zmq(draft: &mut Draft, at: i64) {
    let mood = draft.dice.pick(&[Zmq::Silent, Zmq::Off]);
    draft.put(at, Act::Zmq(mood));
    let away = draft.dice.pick(&[60, 3_600, 90_000]);
    draft.put(at + away, Act::Zmq(Zmq::On));
}

fn clock(draft: &mut Draft, at: i64) {
    let ahead = draft.dice.pick(&[-7_200, -60, 5, 60, 7_200, 86_400, 315_360_000]);
    draft.put(at, Act::Clock(ahead));
    let away = draft.dice.pick(&[1, 60, 3_600]);
    draft.put(at + away, Act::Clock(0));
}

fn receivers(draft: &mut Draft, at: i64) {
    let url = u8::try_from(draft.dice.below(u64::from(URLS))).expect("few");
    let mood = draft.dice.pick(&[Mood::Flaky, Mood::Flaky, Mood::Dead, Mood::Gone]);
    draft.put(at, Act::Mood(url, mood));
    let away = draft.dice.pick(&[60, 3_600, 40_000]);
    draft.put(at + away, Act::Mood(url, Mood::Well));
    draft.put(at + away + 5, Act::Redeliver(url));
}

fn settings(draft: &mut Draft, at: i64) {
    let shop = u8::from(draft.dice.chance(50));
    if draft.dice.chance(30) {
        let wallet = draft.dice.pick(&[0, 1, 2, 3]);
        draft.put(at, Act::Wallet { shop, wallet });
    } else {
        let (window, grace) = (draft.dice.pick(&[300, 900, 1_500]), draft.dice.pick(&[5, 45, 120]));
        draft.put(at, Act::Settings { shop, window, grace });
    }
}

fn backup(draft: &mut Draft, at: i64) {
    draft.put(at, Act::Backup);
    if draft.dice.chance(60) {
        let shop = u8::from(draft.dice.chance(50));
        let wallet = draft.dice.pick(&[2, 3]);
        draft.put(at + 10, Act::Wallet { shop, wallet });
        let slot = draft.slot();
        draft.put(
            at + 20,
            Act::Create {
                slot,
                shop,
                by: super::By::Api,
                cents: 4_200,
                order: 0,
            },
        );
        let away = draft.dice.between(30, 3_600);
        draft.put(at + away, Act::Restore);
        draft.put(at + away + 10, Act::Wallet { shop, wallet });
        let slot = draft.slot();
        draft.put(
            at + away + 20,
            Act::Create {
                slot,
                shop,
                by: super::By::Api,
                cents: 4_200,
                order: 0,
            },
        );
    } else {
        let away = draft.dice.between(30, 20_000);
        draft.put(at + away, Act::Restore);
    }
}

fn reorg(draft: &mut Draft, at: i64) {
    let depth = draft.dice.pick(&[1, 1, 2, 3, 6, 10, 11]);
    let permille = draft.dice.pick(&[0, 500, 1_000]);
    let heavy = draft.dice.chance(15);
    draft.put(
        at,
        Act::Reorg {
            depth,
            more: 1,
            permille,
            also: None,
            heavy,
        },
    );
    if depth > 10 {
        draft.put(at + 600, Act::Vouch);
    }
}

fn prune(draft: &mut Draft, at: i64) {
    draft.put(at, Act::Stop);
    draft.put(
        at + 5_000,
        Act::Mine {
            blocks: 12,
            permille: 1_000,
            also: None,
            reward: None,
            skew: 0,
        },
    );
    draft.put(at + 5_001, Act::Prune);
    draft.put(at + 5_010, Act::Start);
    let away = draft.dice.pick(&[60, 4_000]);
    draft.put(at + 5_010 + away, Act::Vouch);
}

fn ambush(draft: &mut Draft, at: i64) {
    let after = u8::try_from(draft.dice.below(14)).expect("small");
    let tx = u16::try_from(draft.dice.below(u64::from(draft.txs.max(1)))).expect("few");
    let surprise = draft.dice.pick(&[
        Surprise::Block,
        Surprise::Reorg,
        Surprise::Publish(tx),
        Surprise::Failure,
    ]);
    draft.put(at, Act::Ambush(after, surprise));
}
