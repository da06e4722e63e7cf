//! Coins that need no signature, so that a test can make any transaction in memory: chains, replacements, thousands of outputs, and the
//! same transaction with another witness.
//!
//! Their script takes whatever it is given (`OP_DROP OP_TRUE` behind a P2WSH), which relays like any other. Play money only: so can
//! everybody else spend them.

use anyhow::{Context as _, Result, ensure};
use bitcoin::absolute::LockTime;
use bitcoin::opcodes::OP_TRUE;
use bitcoin::opcodes::all::OP_DROP;
use bitcoin::{
    Address, Amount, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, script,
    transaction,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Pair;

/// What each coin of the stock is worth: enough for a dear charge.
const COIN: Amount = Amount::from_sat(2_000_000);
/// Coins that are made at once: one transaction, well below what nodes relay.
const BATCH: u64 = 300;
/// What is left over below this goes to the miner.
const LEAST_CHANGE: Amount = Amount::from_sat(1_000);

/// An output that anybody can spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coin {
    /// Where it is.
    pub outpoint: OutPoint,
    /// What it is worth.
    pub value: Amount,
}

/// A stock of coins in the chain.
#[derive(Debug, Default)]
pub struct Coins {
    stock: Vec<Coin>,
}

#[derive(Deserialize)]
struct Unspents {
    unspents: Vec<Unspent>,
}

#[derive(Deserialize)]
struct Unspent {
    txid: Txid,
    vout: u32,
    amount: f64,
    #[serde(default)]
    coinbase: bool,
}

impl Coins {
    /// Sees to it that at least `count` coins are there, all in blocks: mines one when more had to be made.
    ///
    /// # Errors
    /// When a node refuses, or the shopper's wallet is empty.
    pub async fn provide(&mut self, pair: &Pair, count: usize) -> Result<()> {
        self.recount(pair).await?;
        while self.stock.len() < count {
            let each = COIN.to_sat() * BATCH + 100_000;
            let address = Address::from_script(&script_pubkey(), Network::Regtest)?.to_string();
            let funding = pair.wallet.pay(&address, each).await?;
            let funding = pair.wallet.transaction(funding).await?;
            let big = coin_of(&funding, &script_pubkey()).context("the wallet paid no coin")?;
            let many: Vec<TxOut> = (0..BATCH).map(|_| coin_output(COIN)).collect();
            pair.shopper.send(&spend(&[big], &many, 2)?).await?;
            pair.mine(1).await?;
            self.recount(pair).await?;
        }
        Ok(())
    }

    /// Takes a coin out of the stock.
    ///
    /// # Errors
    /// When none is left: [`Coins::provide`] them first.
    pub fn take(&mut self) -> Result<Coin> {
        self.stock.pop().context("no coin is left: too few were provided")
    }

    /// Counts again what the chain holds, and forgets the rest.
    async fn recount(&mut self, pair: &Pair) -> Result<()> {
        let scanned = format!("raw({})", script_pubkey().to_hex_string());
        let found: Unspents = pair
            .shopper
            .rpc()
            .call("scantxoutset", json!(["start", [scanned]]))
            .await?;
        self.stock = Vec::new();
        for unspent in found.unspents.into_iter().filter(|unspent| !unspent.coinbase) {
            let coin = Coin {
                outpoint: OutPoint::new(unspent.txid, unspent.vout),
                // Eight places of a double are exact up to 90 million bitcoin.
                value: Amount::from_btc(unspent.amount)?,
            };
            // Change that was spent from is worth less than a transaction to hundreds may need.
            if coin.value >= COIN {
                self.stock.push(coin);
            }
        }
        Ok(())
    }
}

/// A transaction that spends `coins` to `outputs` at `rate` satoshis a virtual byte, and gives the change back as a coin, which is its
/// last output. It can be replaced.
///
/// # Errors
/// When the coins are not worth it.
pub fn spend(coins: &[Coin], outputs: &[TxOut], rate: u64) -> Result<Transaction> {
    let size = 12 + 72 * u64::try_from(coins.len())? + 43 * (u64::try_from(outputs.len())? + 1);
    let paid: Amount = outputs.iter().map(|output| output.value).sum();
    let worth: Amount = coins.iter().map(|coin| coin.value).sum();
    let left = worth
        .checked_sub(paid + Amount::from_sat(size * rate))
        .with_context(|| format!("coins of {worth} cannot pay {paid}"))?;
    let mut outputs = outputs.to_vec();
    if left >= LEAST_CHANGE {
        outputs.push(coin_output(left));
    }
    let inputs = coins.iter().map(|coin| TxIn {
        previous_output: coin.outpoint,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: witness(b"first"),
    });
    Ok(Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs.collect(),
        output: outputs,
    })
}

/// The same transaction, by its id, under another witness.
#[must_use]
pub fn with_other_witness(transaction: &Transaction) -> Transaction {
    let mut other = transaction.clone();
    for input in &mut other.input {
        input.witness = witness(b"another");
    }
    other
}

/// The coin that a transaction gave back.
///
/// # Errors
/// When it gave none back.
pub fn change_of(transaction: &Transaction) -> Result<Coin> {
    coin_of(transaction, &script_pubkey()).context("the transaction gives no coin back")
}

/// An output of `sats` satoshis to `address`.
///
/// # Errors
/// When the address is none of regtest.
pub fn output(address: &str, sats: u64) -> Result<TxOut> {
    let address: Address<_> = address.parse()?;
    Ok(TxOut {
        value: Amount::from_sat(sats),
        script_pubkey: address.require_network(Network::Regtest)?.script_pubkey(),
    })
}

/// An output that leads away from every merchant: a coin again.
#[must_use]
pub fn coin_output(value: Amount) -> TxOut {
    TxOut {
        value,
        script_pubkey: script_pubkey(),
    }
}

/// Puts transactions that spend each other into a node's mempool together, as nodes do for a child that pays for its parent.
///
/// # Errors
/// When the node refuses one.
pub async fn send_package(node: &crate::Node, package: &[Transaction]) -> Result<()> {
    let raw: Vec<String> = package.iter().map(bitcoin::consensus::encode::serialize_hex).collect();
    let answer: Value = node.rpc().value("submitpackage", json!([raw])).await?;
    ensure!(answer["package_msg"] == "success", "the package was refused: {answer}");
    Ok(())
}

fn coin_of(transaction: &Transaction, script: &ScriptBuf) -> Option<Coin> {
    let place = transaction
        .output
        .iter()
        .rposition(|output| output.script_pubkey == *script)?;
    Some(Coin {
        outpoint: OutPoint::new(transaction.compute_txid(), u32::try_from(place).ok()?),
        value: transaction.output[place].value,
    })
}

fn witness_script() -> ScriptBuf {
    script::Builder::new()
        .push_opcode(OP_DROP)
        .push_opcode(OP_TRUE)
        .into_script()
}

fn script_pubkey() -> ScriptBuf {
    witness_script().to_p2wsh()
}

fn witness(anything: &[u8]) -> Witness {
    Witness::from_slice(&[anything, witness_script().as_bytes()])
}
