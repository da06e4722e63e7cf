//! Laws over histories that nobody thought of.

use proptest::prelude::*;

use super::*;

/// Something that happens to a shop.
#[derive(Debug, Clone)]
enum Step {
    Make {
        order: u8,
        cents: u64,
    },
    /// So much of what a charge asks for, to one or two charges at once.
    Pay {
        charge: usize,
        also: Option<usize>,
        percent: u64,
    },
    Mine,
    MineAll,
    Lose {
        tx: usize,
        replaced: bool,
    },
    Pass {
        secs: u32,
    },
    Cancel {
        charge: usize,
    },
    Accept {
        charge: usize,
    },
    Erase {
        charge: usize,
    },
    Reorg,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8, 1..5_u64).prop_map(|(order, n)| Step::Make { order, cents: n * 1_000 }),
        6 => (0..8_usize, proptest::option::of(0..8_usize), 1..16_u64)
            .prop_map(|(charge, also, n)| Step::Pay { charge, also, percent: n * 10 }),
        2 => Just(Step::Mine),
        3 => Just(Step::MineAll),
        2 => (0..8_usize, any::<bool>()).prop_map(|(tx, replaced)| Step::Lose { tx, replaced }),
        3 => (1..2_000_u32).prop_map(|secs| Step::Pass { secs }),
        1 => (0..8_usize).prop_map(|charge| Step::Cancel { charge }),
        1 => (0..8_usize).prop_map(|charge| Step::Accept { charge }),
        1 => (0..8_usize).prop_map(|charge| Step::Erase { charge }),
        1 => Just(Step::Reorg),
        1 => Just(Step::Restart),
    ]
}

struct History {
    shop: Shop,
    ids: Vec<ChargeId>,
    /// In the mempool.
    waiting: Vec<Transaction>,
    /// In the last block.
    mined: Vec<Transaction>,
}

impl History {
    async fn take(mut self, step: Step) -> Self {
        match step {
            Step::Make { order, cents } => {
                let request = self.shop.link(&format!("A-{order}"), cents);
                if let Ok(LinkOutcome::Made(id)) = self.shop.charges.for_link(request).await {
                    self.ids.push(id);
                }
            }
            Step::Pay { charge, also, percent } => self.pay(charge, also, percent).await,
            Step::Mine => {
                self.shop.mine(&[]).await;
                self.mined.clear();
            }
            Step::MineAll => {
                self.mined = std::mem::take(&mut self.waiting);
                self.shop.mine(&self.mined.iter().collect::<Vec<_>>()).await;
            }
            Step::Lose { tx, replaced } if !self.waiting.is_empty() => {
                let tx = self.waiting.remove(tx % self.waiting.len());
                let loss = if replaced { Loss::Replaced } else { Loss::Dropped };
                self.shop.lose(&tx, loss, &[]).await;
            }
            Step::Pass { secs } => self.shop.pass(secs).await,
            Step::Cancel { charge } => {
                if let Some(snapshot) = self.charge(charge).await {
                    let _ = self
                        .shop
                        .charges
                        .cancel(snapshot.charge.id, snapshot.charge.sequence)
                        .await;
                }
            }
            Step::Accept { charge } => {
                if let Some(snapshot) = self.charge(charge).await {
                    let live = snapshot.charge.payments.iter().filter(|payment| payment.is_live());
                    let outpoints = live.map(|payment| payment.outpoint).collect();
                    let sequence = snapshot.charge.sequence;
                    let _ = self.shop.charges.accept(snapshot.charge.id, outpoints, sequence).await;
                }
            }
            Step::Erase { charge } => {
                if let Some(snapshot) = self.charge(charge).await {
                    self.shop.charges.erase_personal(snapshot.charge.id).await.unwrap();
                }
            }
            Step::Reorg => self.reorg().await,
            Step::Restart => self.shop = self.shop.restart().await,
            Step::Lose { .. } => {}
        }
        self
    }

    async fn charge(&self, n: usize) -> Option<Arc<Snapshot>> {
        let id = self.ids.get(n % self.ids.len().max(1))?;
        Some(self.shop.now(*id).await)
    }

    async fn pay(&mut self, charge: usize, also: Option<usize>, percent: u64) {
        let mut outputs = Vec::new();
        for n in [Some(charge), also].into_iter().flatten() {
            if let Some(snapshot) = self.charge(n).await {
                let sats = snapshot.charge.terms.amount.to_sat() * percent / 100;
                outputs.push((snapshot.charge.address.clone(), sats));
            }
        }
        let outputs: Vec<(&str, u64)> = outputs
            .iter()
            .map(|(address, sats)| (address.as_str(), *sats))
            .collect();
        if !outputs.is_empty() {
            let tx = self.shop.pay(&outputs);
            self.shop.see(&[&tx]).await;
            self.waiting.push(tx);
        }
    }

    /// The last block gives way to two empty ones; its transactions wait again.
    async fn reorg(&mut self) {
        let fork_height = self.shop.height - 1;
        if fork_height < 100 {
            return;
        }
        let first = self.shop.block(self.shop.height);
        self.shop.height += 1;
        self.shop.work += 1;
        let mut view = self.shop.quiet();
        view.tip = self.shop.tip();
        view.fork_height = fork_height;
        view.connected = vec![first.into(), view.tip.block.into()];
        view.transactions = self
            .mined
            .iter()
            .filter_map(|tx| self.shop.paying(tx, Place::Mempool))
            .collect();
        self.shop.charges.observe(view).await.unwrap();
        self.waiting.append(&mut self.mined);
    }

    async fn memory(&self) -> String {
        self.shop
            .charges
            .inner
            .store
            .write(|tx| Box::pin(async move { Ok::<_, StoreError>(tx.memory().describe()) }))
            .await
            .unwrap()
    }
}

async fn check(steps: Vec<Step>) {
    let mut history = History {
        shop: Shop::with(&[("confirmations", "2 3 4"), ("late_policy", "accept")]).await,
        ids: Vec::new(),
        waiting: Vec::new(),
        mined: Vec::new(),
    };
    for step in steps {
        history = history.take(step).await;
    }
    for &id in &history.ids {
        history.shop.assert_replay_equals_live(id).await;
    }
    let counts = history.shop.charges.count_by_state().await.unwrap();
    for (state, n) in counts {
        let filter = Filter {
            state: Some(state),
            ..Filter::default()
        };
        let listed = history.shop.charges.list(filter, None, 100).await.unwrap();
        assert_eq!(listed.charges.len() as u64, n, "{state}");
    }
    // One step that is always stored, so that nothing but what is stored is compared.
    history.shop.pass(60).await;
    let kept = history.memory().await;
    history.shop = history.shop.restart().await;
    assert_eq!(history.memory().await, kept);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replay_equals_live_and_what_is_kept_equals_what_is_read(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(steps));
    }
}
