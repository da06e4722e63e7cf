//! What one stranger can have the one writer do: transactions of thousands of outputs, in chains, replaced again and again.
//!
//! The service is fed as the watcher feeds it, in this process and without a node before it: so the time is that of the writer alone,
//! with its commit, and stands beside the least that anybody has to do with such transactions, which is to decode them. Charges are made all
//! the while, for other shoppers must not notice.

mod fed;
mod transactions;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use bitcoin::bip32::{Xpriv, Xpub};
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::Secp256k1;
use bitcoin::{Address, NetworkKind, OutPoint, ScriptBuf, Transaction};
use bitpro_base::clock::{Clock, SystemClock};
use bitpro_base::rng::SystemRng;
use bitpro_base::seal::Secret;
use bitpro_base::seal::{Seal, SealKeys};
use bitpro_charge::{BlockHash, BlockRef, Cents, ChargeId, Interval, MerchantId, Network, Outpoint, Place, Rate};
use bitpro_merchant::SettingsPatch;
use bitpro_node::ChargesPort as _;
use bitpro_node::view::{LostTx, PayingOutput, PayingTx, Tip, View};
use bitpro_rates::FixedRate;
use bitpro_service::charges::{Charges, MerchantChanges, NewCharge, Opening, Role, WalletText};
use tempfile::TempDir;

use crate::probe;
use crate::row::Row;
use crate::samples::Samples;
use crate::stopwatch::{now, since};
use fed::Fed;
use transactions::{lost, outpoint, spend, txid};

/// The rows.
pub const ROWS: [&str; 4] = ["storm-outputs", "storm-chain", "storm-charges", "storm-create"];

const OUTPUTS: usize = 3_000;
const REPLACED: usize = 5;
const CHAIN: usize = 25;
const PAID: usize = 1_000;
/// Charges made alone, to compare with.
const ALONE: usize = 500;
/// How often the disk is asked what it takes.
const PROBES: usize = 50;
/// EUR 5.00, which is 10,000 satoshis at the fixed rate.
const CENTS: u64 = 500;

/// Measures it, on a thread that may wait: the service is fed by one hand.
pub async fn measure() -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(stormed())).await?
}

async fn stormed() -> Result<Vec<Row>> {
    let mut storm = Storm::open().await?;
    let alone = storm.creations(ALONE).await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let others = tokio::spawn(creating(storm.charges.clone(), storm.merchant, Arc::clone(&is_over)));
    let outputs = storm.outputs().await?;
    let chain = storm.chain().await?;
    let charges = storm.many_charges().await?;
    is_over.store(true, Ordering::Relaxed);
    let beside = Samples::of(others.await??).context("no charge was made")?;
    let closed = storm.close_under_way().await?;
    let create = Row::new("storm-create", "a charge made while all of that came", "ms")
        .number("p99", beside.p99())
        .number("max", beside.max())
        .out_of(beside.count())
        .beside("p99 with nothing else to do", alone.p99())
        .note(format!(
            "closing in order with such a replacement under way took {closed:.0} ms"
        ));
    Ok(vec![outputs, chain, charges, create])
}

/// The service, and what it is fed.
struct Storm {
    charges: Charges,
    merchant: MerchantId,
    clock: Arc<dyn Clock>,
    tip: Tip,
    coins: u32,
    /// What one takes, in milliseconds.
    fdatasync: f64,
    _folder: TempDir,
}

impl Storm {
    async fn open() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bitpro-storm-").tempdir()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let rate = Rate::from_cents_per_btc(5_000_000).context("the rate")?;
        let charges = Charges::open(Opening {
            database: folder.path().join("bitpro.db"),
            network: Network::Regtest,
            secret: [7; 32],
            seal: Seal::new(&SealKeys::first(Secret([9; 32]))),
            webhooks: bitpro_base::policy::Policy::default(),
            clock: Arc::clone(&clock),
            rng: Arc::new(SystemRng),
            rates: Arc::new(FixedRate(rate)),
            role: Role::Server,
        })
        .await?;
        let secp = Secp256k1::new();
        let key = Xpub::from_priv(&secp, &Xpriv::new_master(NetworkKind::Test, b"figures are not money")?);
        let merchant = charges
            .add_merchant(MerchantChanges {
                settings: SettingsPatch {
                    name: Some("Storm".to_owned()),
                    ..SettingsPatch::default()
                },
                wallet: Some(WalletText {
                    text: format!("wpkh({key}/0/*)"),
                    script_type: None,
                }),
                ..MerchantChanges::default()
            })
            .await?;
        for scan in charges.scans_wanted() {
            charges.watch_ahead(scan.id, None).await?;
            charges.finish_scan(scan.id).await?;
        }
        let tip = Tip {
            block: BlockRef {
                height: 100,
                hash: BlockHash([1; 32]),
            },
            work: [1; 32],
        };
        charges.set_first_tip(tip).await?;
        let written = Samples::of(probe::durable_writes(folder.path(), PROBES).await?);
        Ok(Self {
            charges,
            merchant,
            clock,
            tip,
            coins: 0,
            fdatasync: written.context("nothing was written")?.median(),
            _folder: folder,
        })
    }

    async fn creations(&self, count: usize) -> Result<Samples> {
        let mut took = Vec::with_capacity(count);
        for _ in 0..count {
            let begun = now();
            self.charges.create(new(self.merchant)).await?;
            took.push(since(begun));
        }
        Samples::of(took).context("nothing was made")
    }

    /// The scripts of so many new charges.
    async fn scripts(&self, count: usize) -> Result<Vec<ScriptBuf>> {
        let mut scripts = Vec::with_capacity(count);
        for _ in 0..count {
            let id = self.charges.create(new(self.merchant)).await?;
            scripts.push(self.script_of(id).await?);
        }
        Ok(scripts)
    }

    async fn script_of(&self, id: ChargeId) -> Result<ScriptBuf> {
        let made = self.charges.snapshot(id).await?.context("a charge that is not there")?;
        let address: Address<_> = made.charge.address.parse()?;
        Ok(address.assume_checked().script_pubkey())
    }

    async fn outputs(&mut self) -> Result<Row> {
        let script = self.scripts(1).await?.remove(0);
        let coin = self.coin();
        let scripts = vec![script; OUTPUTS];
        let versions = (0..=REPLACED).map(|turn| spend(coin, &scripts, turn)).collect();
        let fed = self.feed_versions(versions).await?;
        Ok(fed.row(
            ROWS[0],
            "3,000 outputs to one charge, seen and replaced five times",
            self.fdatasync,
        ))
    }

    /// Each of a thousand charges gets its event, its row and what merchants are told of it: that is more than decoding an output, and
    /// nobody can do it without writing that much. So it stands beside the writing of as many charges, made all at once.
    async fn many_charges(&mut self) -> Result<Row> {
        let begun = now();
        let made = (0..PAID).map(|_| self.charges.create(new(self.merchant)));
        let made = futures::future::try_join_all(made).await?;
        let making = since(begun);
        let mut scripts = Vec::with_capacity(PAID);
        for id in made {
            scripts.push(self.script_of(id).await?);
        }
        let coin = self.coin();
        let versions = (0..2).map(|turn| spend(coin, &scripts, turn)).collect();
        let fed = self.feed_versions(versions).await?;
        Ok(fed.row_of_charges(
            ROWS[2],
            "one transaction that pays 1,000 charges, seen and replaced",
            making,
            PAID,
        ))
    }

    /// A chain of unconfirmed transactions to one charge, each of which spends the change of the one before; its first is replaced, and the
    /// whole is gone with it.
    async fn chain(&mut self) -> Result<Row> {
        let script = self.scripts(1).await?.remove(0);
        let coin = self.coin();
        let mut from = coin;
        let mut links: Vec<Transaction> = Vec::new();
        for _ in 0..CHAIN {
            let link = spend(from, std::slice::from_ref(&script), 0);
            from = OutPoint::new(link.compute_txid(), 1);
            links.push(link);
        }
        let heir = spend(coin, &[script], 1);
        let mut fed = Fed::begin(links.iter().chain([&heir]))?;
        let mut ancestors = Vec::new();
        for link in &links {
            let paying = self.paying(link, &ancestors);
            ancestors.extend(paying.inputs.iter().copied());
            self.feed(&mut fed, vec![paying], Vec::new()).await?;
        }
        let gone = links.iter().map(|link| lost(link, &heir)).collect();
        let paying = self.paying(&heir, &[]);
        self.feed(&mut fed, vec![paying], gone).await?;
        Ok(fed.row(
            ROWS[1],
            "a chain of 25 unconfirmed to one charge, and its first replaced",
            self.fdatasync,
        ))
    }

    /// Feeds versions of one transaction, each of which replaces the one before.
    async fn feed_versions(&mut self, versions: Vec<Transaction>) -> Result<Fed> {
        let mut fed = Fed::begin(&versions)?;
        let mut before: Option<&Transaction> = None;
        for version in &versions {
            let gone = before.map(|before| lost(before, version)).into_iter().collect();
            let paying = self.paying(version, &[]);
            self.feed(&mut fed, vec![paying], gone).await?;
            before = Some(version);
        }
        Ok(fed)
    }

    async fn feed(&self, fed: &mut Fed, transactions: Vec<PayingTx>, gone: Vec<LostTx>) -> Result<()> {
        let view = self.view(transactions, gone);
        let begun = now();
        self.charges.observe(view).await?;
        fed.took.push(since(begun));
        Ok(())
    }

    fn view(&self, transactions: Vec<PayingTx>, gone: Vec<LostTx>) -> View {
        View {
            tip: self.tip,
            fork_height: self.tip.block.height,
            connected: Vec::new(),
            transactions,
            gone,
            observed_until: self.clock.now(),
        }
    }

    /// How long it takes to close in order while the last version of a large transaction is taken in, in milliseconds.
    async fn close_under_way(&mut self) -> Result<f64> {
        let script = self.scripts(1).await?.remove(0);
        let coin = self.coin();
        let scripts = vec![script; OUTPUTS];
        let [first, second] = [0, 1].map(|turn| spend(coin, &scripts, turn));
        self.charges
            .observe(self.view(vec![self.paying(&first, &[])], Vec::new()))
            .await?;
        let view = self.view(vec![self.paying(&second, &[])], vec![lost(&first, &second)]);
        let charges = self.charges.clone();
        let under_way = tokio::spawn(async move { charges.observe(view).await });
        tokio::task::yield_now().await;
        let begun = now();
        self.charges.close().await;
        let took = since(begun);
        // Either it was taken in before the end, or it is refused.
        let _ = under_way.await?;
        Ok(took)
    }

    fn coin(&mut self) -> OutPoint {
        self.coins += 1;
        let hash = bitcoin::hashes::sha256d::Hash::hash(&self.coins.to_le_bytes());
        OutPoint::new(bitcoin::Txid::from_raw_hash(hash), 0)
    }

    fn paying(&self, transaction: &Transaction, ancestors: &[Outpoint]) -> PayingTx {
        let outputs = (0..).zip(&transaction.output).filter_map(|(vout, output)| {
            Some(PayingOutput {
                vout,
                script: self.charges.script(output.script_pubkey.as_bytes())?,
                script_pubkey: output.script_pubkey.clone(),
                value: output.value,
            })
        });
        PayingTx {
            txid: txid(transaction),
            raw: serialize(transaction),
            inputs: transaction
                .input
                .iter()
                .map(|input| outpoint(input.previous_output))
                .collect(),
            ancestor_inputs: ancestors.to_vec(),
            outputs: outputs.collect(),
            place: Place::Mempool,
            first_seen: Interval::at(self.clock.now()),
            coinbase: false,
        }
    }
}

/// Makes charges one after the other, and tells how long each took.
async fn creating(charges: Charges, merchant: MerchantId, is_over: Arc<AtomicBool>) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let begun = now();
        charges.create(new(merchant)).await?;
        took.push(since(begun));
    }
    Ok(took)
}

fn new(merchant: MerchantId) -> NewCharge {
    NewCharge::of(merchant, Cents(CENTS))
}
