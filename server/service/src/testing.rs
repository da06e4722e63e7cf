//! A shop for tests: a real database in a temporary folder, a clock that stands still, and no node.

#![allow(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::path::PathBuf;
use std::sync::Arc;

use bitcoin::hashes::Hash as _;
use bitcoin::{ScriptBuf, Transaction, TxIn, TxOut};
use bitpro_base::clock::{Clock as _, ManualClock};
use bitpro_base::rng::SystemRng;
use bitpro_base::testing::seal;
use bitpro_charge::{
    Amount, BlockHash, BlockRef, Cents, ChargeId, Interval, MerchantId, Network, Outpoint, Place, Rate, Timestamp, Txid,
};
use bitpro_merchant::SettingsPatch;
use bitpro_merchant::wallet::WalletText;
use bitpro_node::ChargesPort as _;
use bitpro_node::testing::nowhere;
use bitpro_node::view::{PayingOutput, PayingTx, Tip, View};
use bitpro_rates::FixedRate;
use tempfile::TempDir;

use crate::charges::{Charges, MerchantChanges, NewCharge, Opening, Role};
use crate::reconcile::Reconciler;

/// Where the clock stands at first.
pub const START: Timestamp = Timestamp(1_800_000_000_000);
/// EUR 50,000 a bitcoin: a cent is 20 satoshis.
const CENTS_PER_BTC: u64 = 5_000_000;
/// The example key of BIP-32's first test vector, in its form for test networks.
pub const WALLET: &str = "wpkh(tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp/0/*)";

/// A shop with one merchant.
pub struct TestShop {
    /// The charges.
    pub charges: Charges,
    /// The merchant.
    pub merchant: MerchantId,
    /// The clock, which moves only when it is told to.
    pub clock: Arc<ManualClock>,
    /// The exchange rate, which stays.
    pub rates: Arc<FixedRate>,
    /// Compares what is stored.
    pub reconciler: Reconciler,
    folder: TempDir,
}

impl TestShop {
    /// A shop whose merchant has these settings beside their name.
    pub async fn with_merchant(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("bitpro.db");
        let clock = Arc::new(ManualClock::new(START));
        let rates = Arc::new(FixedRate(Rate::from_cents_per_btc(CENTS_PER_BTC).unwrap()));
        let charges = Charges::open(Opening {
            database: database.clone(),
            network: Network::Regtest,
            secret: [7; 32],
            seal: seal(),
            webhooks: Default::default(),
            clock: clock.clone(),
            rng: Arc::new(SystemRng),
            rates: rates.clone(),
            role: Role::Server,
        })
        .await
        .unwrap();
        charges.set_first_tip(tip(100)).await.unwrap();
        let merchant = add_merchant(&charges, settings).await;
        Self {
            reconciler: Reconciler::new(charges.clone(), nowhere(), &database),
            charges,
            merchant,
            clock,
            rates,
            folder,
        }
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("bitpro.db")
    }

    /// Another merchant beside the first.
    pub async fn another_merchant(&self) -> MerchantId {
        add_merchant(&self.charges, &[]).await
    }

    /// A charge of so many cents.
    pub async fn charge(&self, cents: u64) -> ChargeId {
        let new = NewCharge::of(self.merchant, Cents(cents));
        self.charges.create(new).await.unwrap()
    }

    /// Pays what a charge asks for, as the node would tell it.
    pub async fn pay(&self, id: ChargeId) {
        self.pay_in(id, 0, None, Place::Mempool).await;
    }

    /// Pays a charge in the block that is the tip, or finds the payment that is there in it.
    pub async fn confirm(&self, id: ChargeId) {
        self.pay_in(id, 0, None, Place::Block(tip(100).block)).await;
    }

    /// Pays so much beside what a charge asked for, unconfirmed.
    pub async fn pay_more(&self, id: ChargeId, value: u64) {
        self.pay_in(id, 1, Some(Amount::from_sat(value)), Place::Mempool).await;
    }

    async fn pay_in(&self, id: ChargeId, coin: u32, value: Option<Amount>, place: Place) {
        let snapshot = self.charges.snapshot(id).await.unwrap().unwrap();
        let address: bitcoin::Address<bitcoin::address::NetworkUnchecked> = snapshot.charge.address.parse().unwrap();
        let address_script = address.assume_checked().script_pubkey();
        let script = self.charges.script(address_script.as_bytes()).unwrap();
        let value = value.unwrap_or(snapshot.charge.terms.amount);
        let transaction = transaction(id, coin, address_script.clone(), value);
        self.observe(vec![PayingTx {
            txid: Txid(transaction.compute_txid().to_byte_array()),
            raw: bitcoin::consensus::serialize(&transaction),
            inputs: transaction
                .input
                .iter()
                .map(|input| outpoint(input.previous_output))
                .collect(),
            ancestor_inputs: Vec::new(),
            outputs: vec![PayingOutput {
                vout: 0,
                script,
                script_pubkey: address_script,
                value,
            }],
            place,
            first_seen: Interval::at(self.now()),
            coinbase: false,
        }])
        .await;
    }

    /// Time passes, in which nothing comes.
    pub async fn pass(&self, secs: u32) {
        self.clock.advance_secs(secs);
        self.observe(Vec::new()).await;
    }

    async fn observe(&self, transactions: Vec<PayingTx>) {
        let view = View {
            tip: tip(100),
            fork_height: 100,
            connected: Vec::new(),
            transactions,
            gone: Vec::new(),
            observed_until: self.now(),
        };
        self.charges.observe(view).await.unwrap();
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The amount in satoshis that `cents` come to.
pub fn sats(cents: u64) -> Amount {
    Rate::from_cents_per_btc(CENTS_PER_BTC)
        .unwrap()
        .amount_for(Cents(cents), 0)
        .unwrap()
}

async fn add_merchant(charges: &Charges, settings: &[(&str, &str)]) -> MerchantId {
    let named = [&[("name", "Shop")], settings].concat();
    let changes = MerchantChanges {
        settings: SettingsPatch::read(&named).unwrap(),
        wallet: Some(WalletText {
            text: WALLET.to_owned(),
            script_type: None,
        }),
        ..MerchantChanges::default()
    };
    let merchant = charges.add_merchant(changes).await.unwrap();
    for scan in charges.scans_wanted() {
        charges.watch_ahead(scan.id, None).await.unwrap();
        charges.finish_scan(scan.id).await.unwrap();
    }
    merchant
}

fn tip(height: u32) -> Tip {
    let mut work = [0; 32];
    work[28..].copy_from_slice(&height.to_be_bytes());
    Tip {
        block: BlockRef {
            height,
            hash: BlockHash([1; 32]),
        },
        work,
    }
}

/// A transaction that pays `amount` to `script` from money of `id`'s own.
fn transaction(id: ChargeId, coin: u32, script: ScriptBuf, amount: Amount) -> Transaction {
    let mut funding = [0; 32];
    funding[..16].copy_from_slice(&id.0);
    Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![TxIn {
            previous_output: bitcoin::OutPoint::new(bitcoin::Txid::from_byte_array(funding), coin),
            ..TxIn::default()
        }],
        output: vec![TxOut {
            value: amount,
            script_pubkey: script,
        }],
    }
}

fn outpoint(outpoint: bitcoin::OutPoint) -> Outpoint {
    Outpoint {
        txid: Txid(outpoint.txid.to_byte_array()),
        vout: outpoint.vout,
    }
}
