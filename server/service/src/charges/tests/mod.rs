//! A shop with a chain of its own making: everything below the HTTP surface and above the node.

mod clock;
mod commands;
mod created_with;
mod creating;
mod durable;
mod earlier;
mod editing;
mod grouping;
mod laws;
mod link_keys;
mod links;
mod mails;
mod observing;
mod once_told;
mod pruned;
mod refused;
mod restored;
mod strangers;
mod streaming;
mod told;
mod versions;
mod wallets;

use std::path::PathBuf;
use std::sync::Arc;

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use bitpro_base::client::Client;
use bitpro_base::clock::ManualClock;
use bitpro_base::rng::CountingRng;
use bitpro_charge::{
    BlockHash, BlockRef, Cents, Charge, ChargeId, Interval, Loss, MerchantId, Network, Outpoint, Place, Quote, Rate,
    State, Timestamp, Txid,
};
use bitpro_merchant::{SettingName, SettingsPatch};
use bitpro_node::ChargesPort as _;
use bitpro_node::view::{LostTx, PayingOutput, PayingTx, Tip, View};
use bitpro_store::StoreError;
use bitpro_store::testing::{meddle, outbox};
use tempfile::TempDir;

use super::*;

/// The account of BIP-49's test vector, m/49'/1'/0'.
const TPUB: &str =
    "tpubDD7tXK8KeQ3YY83yWq755fHY2JW8Ha8Q765tknUM5rSvjPcGWfUppDFMpQ1ScziKfW3ZNtZvAD7M3u7bSs7HofjTD3KP3YxPK7X6hwV8Rk2";
/// EUR 50,000 a bitcoin: a cent is 20 satoshis.
const RATE: u64 = 5_000_000;
const START: Timestamp = Timestamp(1_700_000_000_000);

fn client(address: &str) -> Client {
    address.parse::<std::net::IpAddr>().unwrap().into()
}

/// Somebody who follows an unsigned link.
fn shopper() -> Follower {
    Follower {
        client: client("192.0.2.1"),
        signed: false,
        pressed: false,
    }
}

fn signed_shopper() -> Follower {
    Follower {
        signed: true,
        ..shopper()
    }
}

fn pressing_shopper() -> Follower {
    Follower {
        pressed: true,
        ..shopper()
    }
}

/// Where the rate comes from in a test: it can fall silent.
struct TestRate(parking_lot::RwLock<Option<u64>>);

impl RateSource for TestRate {
    fn fresh(&self, now: Timestamp) -> Option<Quote> {
        let cents = (*self.0.read())?;
        Some(Quote {
            rate: Rate::from_cents_per_btc(cents).unwrap(),
            source: "test".to_owned(),
            at: now,
        })
    }

    fn is_fixed(&self) -> bool {
        true
    }
}

/// What outlives a restart.
struct World {
    folder: TempDir,
    clock: Arc<ManualClock>,
    rng: Arc<CountingRng>,
    rates: Arc<TestRate>,
}

impl World {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::new(START)),
            rng: Arc::default(),
            rates: Arc::new(TestRate(parking_lot::RwLock::new(Some(RATE)))),
        }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("bitpro.db")
    }

    fn mark(&self) -> PathBuf {
        self.folder.path().join("bitpro.db.issued")
    }

    fn opening(&self, role: Role) -> Opening {
        Opening {
            database: self.database(),
            network: Network::Regtest,
            secret: [7; 32],
            seal: bitpro_base::testing::seal(),
            webhooks: Default::default(),
            clock: Arc::clone(&self.clock) as Arc<_>,
            rng: Arc::clone(&self.rng) as Arc<_>,
            rates: Arc::clone(&self.rates) as Arc<_>,
            role,
        }
    }

    async fn open(&self) -> Charges {
        Charges::open(self.opening(Role::Server)).await.unwrap()
    }
}

/// A shop that is open, on a chain that the test makes.
struct Shop {
    world: World,
    charges: Charges,
    merchant: MerchantId,
    height: u32,
    work: u64,
    /// Makes blocks and transactions distinct.
    nonce: u32,
}

impl Shop {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A shop with these settings beside the defaults.
    async fn with(settings: &[(&str, &str)]) -> Self {
        let world = World::new();
        let charges = world.open().await;
        let merchant = add_merchant(&charges, settings, "wpkh").await;
        finish_scans(&charges).await;
        let mut shop = Self {
            world,
            charges,
            merchant,
            height: 100,
            work: 100,
            nonce: 0,
        };
        let first = shop.tip();
        shop.charges.set_first_tip(first).await.unwrap();
        shop
    }

    async fn restart(mut self) -> Self {
        self.charges.close().await;
        self.charges = self.world.open().await;
        self
    }

    /// The tip under the test's chain at its present height.
    fn tip(&mut self) -> Tip {
        let mut work = [0; 32];
        work[24..].copy_from_slice(&self.work.to_be_bytes());
        Tip {
            block: self.block(self.height),
            work,
        }
    }

    fn block(&mut self, height: u32) -> BlockRef {
        self.nonce += 1;
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&height.to_be_bytes());
        hash[4..8].copy_from_slice(&self.nonce.to_be_bytes());
        BlockRef {
            height,
            hash: BlockHash(hash),
        }
    }

    async fn make(&self, cents: u64) -> Arc<Snapshot> {
        let id = self.charges.create(self.new_charge(cents)).await.unwrap();
        self.now(id).await
    }

    fn new_charge(&self, cents: u64) -> NewCharge {
        NewCharge::of(self.merchant, Cents(cents))
    }

    /// An unsigned link that a shopper follows.
    fn link(&self, order_id: &str, cents: u64) -> NewCharge {
        self.link_of(shopper(), order_id, cents)
    }

    fn link_of(&self, follower: Follower, order_id: &str, cents: u64) -> NewCharge {
        NewCharge {
            order_id: Some(order_id.to_owned()),
            buyer_email: Some("anna@shop.example".to_owned()),
            follower: Some(follower),
            ..self.new_charge(cents)
        }
    }

    async fn now(&self, id: ChargeId) -> Arc<Snapshot> {
        self.charges.snapshot(id).await.unwrap().unwrap()
    }

    async fn state(&self, id: ChargeId) -> (State, Option<bitpro_charge::Reason>) {
        let snapshot = self.now(id).await;
        (snapshot.charge.state, snapshot.charge.reason)
    }

    /// A transaction that pays these addresses, from an input of its own.
    fn pay(&mut self, outputs: &[(&str, u64)]) -> Transaction {
        self.nonce += 1;
        let mut hash = [0xee; 32];
        hash[..4].copy_from_slice(&self.nonce.to_be_bytes());
        spend(OutPoint::new(bitcoin::Txid::from_byte_array(hash), 0), outputs)
    }

    /// A view without any change but that chain and mempool were read until now.
    fn quiet(&self) -> View {
        let tip = self.charges.stored_tip().unwrap();
        View {
            tip,
            fork_height: tip.block.height,
            connected: Vec::new(),
            transactions: Vec::new(),
            gone: Vec::new(),
            observed_until: self.world.clock.now(),
        }
    }

    /// The mempool has these transactions now.
    async fn see(&mut self, txs: &[&Transaction]) {
        let mut view = self.quiet();
        view.transactions = txs.iter().filter_map(|tx| self.paying(tx, Place::Mempool)).collect();
        self.charges.observe(view).await.unwrap();
    }

    /// A block with these transactions.
    async fn mine(&mut self, txs: &[&Transaction]) -> BlockRef {
        self.height += 1;
        self.work += 1;
        let mut view = self.quiet();
        view.tip = self.tip();
        let block = view.tip.block;
        view.connected = vec![block.into()];
        view.transactions = txs
            .iter()
            .filter_map(|tx| self.paying(tx, Place::Block(block)))
            .collect();
        self.charges.observe(view).await.unwrap();
        block
    }

    /// This transaction is proven lost, and these are in the mempool.
    async fn lose(&mut self, tx: &Transaction, loss: Loss, instead: &[&Transaction]) {
        let mut view = self.quiet();
        view.transactions = instead
            .iter()
            .filter_map(|tx| self.paying(tx, Place::Mempool))
            .collect();
        view.gone = vec![LostTx {
            txid: txid(tx),
            loss,
            replaced_by: instead.first().map(|tx| txid(tx)),
        }];
        self.charges.observe(view).await.unwrap();
    }

    /// Time passes, and nothing happens meanwhile.
    async fn pass(&mut self, secs: u32) {
        self.world.clock.advance_secs(secs);
        let view = self.quiet();
        self.charges.observe(view).await.unwrap();
    }

    fn paying(&self, tx: &Transaction, place: Place) -> Option<PayingTx> {
        let outputs: Vec<PayingOutput> = tx
            .output
            .iter()
            .zip(0..)
            .filter_map(|(output, vout)| {
                Some(PayingOutput {
                    vout,
                    script: self.charges.script(output.script_pubkey.as_bytes())?,
                    script_pubkey: output.script_pubkey.clone(),
                    value: output.value,
                })
            })
            .collect();
        (!outputs.is_empty()).then(|| PayingTx {
            txid: txid(tx),
            raw: bitcoin::consensus::encode::serialize(tx),
            inputs: tx.input.iter().map(|input| outpoint(input.previous_output)).collect(),
            ancestor_inputs: Vec::new(),
            outputs,
            place,
            first_seen: Interval::at(self.world.clock.now()),
            coinbase: tx.is_coinbase(),
        })
    }

    /// What the log makes of a charge is what is stored of it.
    async fn assert_replay_equals_live(&self, id: ChargeId) {
        let live = self.now(id).await;
        let Charge {
            merchant,
            terms,
            address,
            ..
        } = live.charge.clone();
        let mut replayed = Charge::new(id, merchant, address, terms);
        for recorded in self.charges.history(id).await.unwrap().unwrap() {
            replayed.apply(&recorded.event);
            assert_eq!(replayed.sequence, recorded.sequence, "sequences are dense");
        }
        assert_eq!(replayed, live.charge);
        let stored = self.charges.inner.store.charge(id).await.unwrap().unwrap();
        assert_eq!(stored.charge, live.charge, "what is stored is what is shown");
    }
}

async fn add_merchant(charges: &Charges, settings: &[(&str, &str)], script_type: &str) -> MerchantId {
    let mut changes = MerchantChanges {
        wallet: Some(WalletText {
            text: TPUB.to_owned(),
            script_type: Some(script_type.to_owned()),
        }),
        ..MerchantChanges::default()
    };
    let named = [&[("name", "Shop")], settings].concat();
    changes.settings = SettingsPatch::read(&named).unwrap();
    charges.add_merchant(changes).await.unwrap()
}

/// A node has looked, and nothing was used.
async fn finish_scans(charges: &Charges) {
    for scan in charges.scans_wanted() {
        charges.watch_ahead(scan.id, None).await.unwrap();
        charges.finish_scan(scan.id).await.unwrap();
    }
}

fn spend(input: OutPoint, outputs: &[(&str, u64)]) -> Transaction {
    let output = outputs.iter().map(|&(address, sats)| TxOut {
        value: bitcoin::Amount::from_sat(sats),
        script_pubkey: script(address),
    });
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: input,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output: output.collect(),
    }
}

fn script(address: &str) -> ScriptBuf {
    let address: bitcoin::Address<_> = address.parse().unwrap();
    address.assume_checked().script_pubkey()
}

fn txid(tx: &Transaction) -> Txid {
    Txid(tx.compute_txid().to_byte_array())
}

fn outpoint(outpoint: OutPoint) -> Outpoint {
    Outpoint {
        txid: Txid(outpoint.txid.to_byte_array()),
        vout: outpoint.vout,
    }
}
