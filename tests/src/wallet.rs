//! A wallet in the shopper's node: it pays, replaces, and takes back.

use anyhow::{Context as _, Result, bail, ensure};
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Address, Amount, OutPoint, ScriptBuf, Transaction, TxOut, Txid};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::rpc::Rpc;

/// What one more output of about 31 bytes costs at 10 sat/vB, and a little more.
const EXTRA_OUTPUT_FEE: u64 = 500;

/// A loaded wallet.
#[derive(Debug, Clone)]
pub struct Wallet {
    rpc: Rpc,
}

/// What a descriptor wallet answers to `listdescriptors`.
#[derive(Deserialize)]
struct Descriptors {
    descriptors: Vec<ListedDescriptor>,
}

#[derive(Deserialize)]
struct ListedDescriptor {
    desc: String,
    active: bool,
    internal: Option<bool>,
}

impl Wallet {
    /// Makes a new wallet with fresh keys.
    ///
    /// # Errors
    /// When the node refuses, as it does for a name that is taken.
    pub async fn create(node: &Rpc, name: &str) -> Result<Self> {
        node.value("createwallet", json!([name])).await?;
        Ok(Self {
            rpc: node.for_wallet(name),
        })
    }

    /// The RPC client of the wallet.
    #[must_use]
    pub const fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// The receive descriptor of a kind, as `wpkh(` or `tr(`: public keys only, with its checksum.
    ///
    /// # Errors
    /// When the wallet has none of that kind.
    pub async fn descriptor(&self, kind: &str) -> Result<String> {
        let listed: Descriptors = self.rpc.call("listdescriptors", json!([false])).await?;
        listed
            .descriptors
            .into_iter()
            .find(|one| one.active && one.internal == Some(false) && one.desc.starts_with(kind))
            .map(|one| one.desc)
            .with_context(|| format!("the wallet has no descriptor that begins with {kind}"))
    }

    /// A new address of its own.
    ///
    /// # Errors
    /// When the node refuses.
    pub async fn address(&self) -> Result<String> {
        self.rpc.call("getnewaddress", json!([])).await
    }

    /// What it can spend, own change included.
    ///
    /// # Errors
    /// When the node refuses.
    pub async fn balance(&self) -> Result<Amount> {
        let balances: Value = self.rpc.call("getbalances", json!([])).await?;
        amount(&balances["mine"]["trusted"])
    }

    /// What has arrived at `address`, unconfirmed money included.
    ///
    /// # Errors
    /// When the address is not the wallet's own.
    pub async fn received_by(&self, address: &str) -> Result<Amount> {
        let received: Value = self.rpc.call("getreceivedbyaddress", json!([address, 0])).await?;
        amount(&received)
    }

    /// Sends `sats` satoshis to `address`; the transaction can be replaced.
    ///
    /// # Errors
    /// When the wallet has not enough, or the address is none.
    pub async fn pay(&self, address: &str, sats: u64) -> Result<Txid> {
        self.pay_many(&[(address.to_owned(), sats)]).await
    }

    /// Sends to many addresses in one transaction.
    ///
    /// # Errors
    /// As [`Wallet::pay`].
    pub async fn pay_many(&self, payments: &[(String, u64)]) -> Result<Txid> {
        self.rpc.call("sendmany", json!(["", outputs(payments)])).await
    }

    /// Sends `sats` satoshis to the same `address` twice, by two outputs of one transaction.
    ///
    /// # Errors
    /// As [`Wallet::pay`].
    pub async fn pay_twice(&self, address: &str, sats: u64) -> Result<Txid> {
        let mut twice = self.draft(address, sats).await?;
        let script = address.parse::<Address<_>>()?.assume_checked().script_pubkey();
        // The wallet refuses to name an address twice, so the second output is cut from the change.
        let change = twice
            .output
            .iter_mut()
            .find(|output| output.script_pubkey != script)
            .context("there is no change")?;
        change.value = change
            .value
            .checked_sub(Amount::from_sat(sats + EXTRA_OUTPUT_FEE))
            .context("the change is too small")?;
        twice.output.push(TxOut {
            value: Amount::from_sat(sats),
            script_pubkey: script,
        });
        let signed = self.sign(&twice).await?;
        self.rpc
            .call("sendrawtransaction", json!([serialize_hex(&signed)]))
            .await
    }

    /// A complete transaction that pays `sats` satoshis to `address`, signed but told to nobody, not even the wallet.
    ///
    /// # Errors
    /// As [`Wallet::pay`].
    pub async fn draft(&self, address: &str, sats: u64) -> Result<Transaction> {
        let outputs = outputs(&[(address.to_owned(), sats)]);
        let options = json!({ "add_to_wallet": false, "replaceable": true });
        let drafted: Value = self
            .rpc
            .call("send", json!([outputs, null, "unset", 10, options]))
            .await?;
        let raw = drafted["hex"].as_str().context("send gave no transaction")?;
        Ok(deserialize_hex(raw)?)
    }

    /// Replaces a transaction of its own by one with a higher fee that pays the same, and gives the new one's id.
    ///
    /// # Errors
    /// When the transaction is in a block or not the wallet's own.
    pub async fn bump_fee(&self, txid: Txid) -> Result<Txid> {
        let bumped: Value = self.rpc.call("bumpfee", json!([txid])).await?;
        let txid = bumped["txid"].as_str().context("bumpfee gave no txid")?;
        Ok(txid.parse()?)
    }

    /// A transaction that spends the same inputs as `victim` back to the wallet, at a much higher fee.
    ///
    /// # Errors
    /// When an input is not the wallet's own.
    pub async fn conflict_with(&self, victim: &Transaction) -> Result<Transaction> {
        let mut value = Amount::ZERO;
        for input in &victim.input {
            value += self.value_of(input.previous_output).await?;
        }
        let back: Address<_> = self.address().await?.parse()?;
        // Far above what a payment costs at the fallback fee, so that every node takes it in the victim's place.
        let fee = Amount::from_sat(200_000);
        ensure!(
            value > fee,
            "the inputs are worth {value}: too little to outbid anything"
        );
        let mut conflict = victim.clone();
        conflict.output = vec![TxOut {
            value: value - fee,
            script_pubkey: back.assume_checked().script_pubkey(),
        }];
        for input in &mut conflict.input {
            input.witness.clear();
            input.script_sig = ScriptBuf::new();
        }
        self.sign(&conflict).await
    }

    /// Takes an unconfirmed payment of its own back by a conflicting transaction, and gives that one's id.
    ///
    /// # Errors
    /// When the payment is in a block or not the wallet's own.
    pub async fn double_spend(&self, txid: Txid) -> Result<Txid> {
        let conflict = self.conflict_with(&self.transaction(txid).await?).await?;
        self.rpc
            .call("sendrawtransaction", json!([serialize_hex(&conflict)]))
            .await
    }

    /// A transaction that the wallet knows.
    ///
    /// # Errors
    /// When it knows none of that id.
    pub async fn transaction(&self, txid: Txid) -> Result<Transaction> {
        let known: Value = self.rpc.call("gettransaction", json!([txid])).await?;
        let raw = known["hex"].as_str().context("gettransaction gave no transaction")?;
        Ok(deserialize_hex(raw)?)
    }

    async fn value_of(&self, outpoint: OutPoint) -> Result<Amount> {
        let parent = self.transaction(outpoint.txid).await?;
        let index = usize::try_from(outpoint.vout)?;
        let output = parent.output.get(index).context("the input spends no output")?;
        Ok(output.value)
    }

    async fn sign(&self, transaction: &Transaction) -> Result<Transaction> {
        let signed: Value = self
            .rpc
            .call("signrawtransactionwithwallet", json!([serialize_hex(transaction)]))
            .await?;
        if signed["complete"] != json!(true) {
            bail!("the wallet cannot sign: {signed}");
        }
        let raw = signed["hex"].as_str().context("no signed transaction was given")?;
        Ok(deserialize_hex(raw)?)
    }
}

/// Bitcoin Core takes amounts as decimal strings of bitcoin, so no float ever carries money.
fn outputs(payments: &[(String, u64)]) -> Value {
    let outputs: Map<String, Value> = payments
        .iter()
        .map(|(address, sats)| (address.clone(), json!(decimal(*sats))))
        .collect();
    Value::Object(outputs)
}

fn decimal(sats: u64) -> String {
    format!("{}.{:08}", sats / 100_000_000, sats % 100_000_000)
}

fn amount(value: &Value) -> Result<Amount> {
    let bitcoin = value.as_f64().with_context(|| format!("{value} is no amount"))?;
    // Eight places of a double are exact up to 90 million bitcoin.
    Ok(Amount::from_btc(bitcoin)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn satoshis_are_printed_as_bitcoin_with_eight_places() {
        assert_eq!(decimal(1), "0.00000001");
        assert_eq!(decimal(2_100_000_000_000_000), "21000000.00000000");
    }
}
