//! A node whose money anyone can spend, so that payments and full blocks are made without a wallet and without signatures.

use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hashes::Hash as _;
use bitcoin::script::Builder;
use bitcoin::{
    Amount, BlockHash, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, WPubkeyHash, Witness,
    opcodes, transaction,
};
use bitpro_tests::{Clock, Node, Role};
use serde_json::{Value, json};

use crate::stopwatch::{now, since};

/// What each of regtest's first coinbases is worth, in satoshis.
const COINBASE: u64 = 5_000_000_000;
/// Blocks until a coinbase can be spent.
const MATURITY: u32 = 100;
/// What each coin is worth at first, in satoshis.
const COIN: u64 = 2_000_000;
/// Enough for any node to relay the transaction, in satoshis.
const FEE: u64 = 1_000;
/// What a payment to a stranger is worth, in satoshis.
const TO_STRANGERS: u64 = 600;
/// Left of the block's four million weight units for header and coinbase.
const BLOCK_WEIGHT: u64 = 3_996_000;

/// The node and its coins.
pub struct Chain {
    /// The node: no wallet, REST, both ZMQ topics.
    pub node: Node,
    caller: Caller,
    coins: Vec<Coin>,
    strangers: u64,
}

/// An output that anyone can spend.
#[derive(Debug, Clone, Copy)]
struct Coin {
    outpoint: OutPoint,
    sats: u64,
}

/// A block that the node has taken.
#[derive(Debug, Clone, Copy)]
pub struct Submitted {
    /// When it was given to the node.
    pub called: Instant,
    /// When the node had it as its tip.
    pub answered: Instant,
    /// Its size in bytes.
    pub bytes: usize,
    /// Its weight units.
    pub weight: u64,
}

/// Calls a node with nothing to do between the time that is taken and the call itself.
#[derive(Clone)]
pub struct Caller {
    http: reqwest::Client,
    url: String,
    user: String,
    password: String,
}

impl Chain {
    /// Starts a node and cuts its first money into `coins` coins.
    ///
    /// # Errors
    /// When the node does not start.
    pub async fn start(coins: usize) -> Result<Self> {
        let clock = Clock::new()?;
        let node = Node::start(Role::Server, &clock).await?;
        let caller = Caller::of(&node)?;
        // One more than the coins are worth pays the fees of cutting them.
        let funding = u32::try_from((u64::try_from(coins)? * COIN).div_ceil(COINBASE) + 1)?;
        let blocks = node.mine(funding + MATURITY).await?;
        let mut chain = Self {
            node,
            caller,
            coins: Vec::new(),
            strangers: 0,
        };
        let mut inputs = Vec::new();
        for block in blocks.iter().take(usize::try_from(funding)?) {
            inputs.push(chain.coinbase_of(*block).await?);
        }
        chain.cut(inputs, coins).await?;
        Ok(chain)
    }

    /// Calls of this node.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// A complete transaction that pays `sats` satoshis to `script` from a coin of its own; told to nobody yet.
    ///
    /// # Errors
    /// When there is no coin left.
    pub fn payment(&mut self, script: &Script, sats: u64) -> Result<Transaction> {
        let coin = self.coins.pop().context("no coin is left to pay with")?;
        spend(coin, script, sats)
    }

    /// Gives the node a block of four million weight units which pays `payments`, script and satoshis each, among some thousand
    /// payments to strangers.
    ///
    /// # Errors
    /// When there are not enough coins, or the node refuses the block.
    pub async fn full_block(&mut self, payments: &[(ScriptBuf, u64)]) -> Result<Submitted> {
        let mut transactions = Vec::new();
        let mut change = Vec::new();
        let mut weight = 0;
        for index in 0.. {
            let coin = self.coins.pop().context("too few coins for a full block")?;
            // Those who pay us stand among the others, as they would.
            let paid = (index % 4 == 0).then(|| payments.get(index / 4)).flatten();
            let transaction = match paid {
                Some((script, sats)) => spend(coin, script, *sats)?,
                None => spend(coin, &self.stranger(), TO_STRANGERS)?,
            };
            weight += transaction.weight().to_wu();
            if weight > BLOCK_WEIGHT {
                ensure!(index / 4 >= payments.len(), "the block is full before all are paid");
                change.push(coin);
                break;
            }
            change.push(change_of(&transaction));
            transactions.push(transaction);
        }
        let block = self.node.block_of(transactions).await?;
        let hex = serialize_hex(&block);
        let (called, answer) = self.caller.timed("submitblock", json!([hex])).await?;
        let answered = now();
        ensure!(answer == Value::Null, "the block was refused: {answer}");
        self.coins.extend(change);
        Ok(Submitted {
            called,
            answered,
            bytes: block.total_size(),
            weight: block.weight().to_wu(),
        })
    }

    /// How long it takes to fetch the best block by REST, in milliseconds.
    ///
    /// # Errors
    /// When the node is away.
    pub async fn fetch_tip(&self) -> Result<f64> {
        let tip = self.node.tip().await?;
        let url = format!("{}/rest/block/{}.bin", self.caller.url, tip.hash);
        let called = now();
        let block = self
            .caller
            .http
            .get(url)
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await?;
        ensure!(!block.is_empty(), "an empty block");
        Ok(since(called))
    }

    async fn coinbase_of(&self, block: BlockHash) -> Result<OutPoint> {
        let block: Value = self.node.rpc().call("getblock", json!([block, 1])).await?;
        let txid: Txid = block["tx"][0].as_str().context("a block without a coinbase")?.parse()?;
        Ok(OutPoint::new(txid, 0))
    }

    async fn cut(&mut self, inputs: Vec<OutPoint>, coins: usize) -> Result<()> {
        let output = TxOut {
            value: Amount::from_sat(COIN),
            script_pubkey: anyones(),
        };
        let transaction = Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: inputs.into_iter().map(input).collect(),
            output: vec![output; coins],
        };
        let txid = transaction.compute_txid();
        self.node.mine_only(&[transaction]).await?;
        for vout in 0..u32::try_from(coins)? {
            let outpoint = OutPoint::new(txid, vout);
            self.coins.push(Coin { outpoint, sats: COIN });
        }
        Ok(())
    }

    /// The script of somebody who has nothing to do with us, and never the same.
    fn stranger(&mut self) -> ScriptBuf {
        self.strangers += 1;
        let hash = WPubkeyHash::hash(&self.strangers.to_le_bytes());
        ScriptBuf::new_p2wpkh(&hash)
    }
}

impl Caller {
    /// Calls of `node` with the password that it has now.
    ///
    /// # Errors
    /// When its cookie cannot be read.
    pub fn of(node: &Node) -> Result<Self> {
        let cookie = std::fs::read_to_string(node.rpc().cookie())?;
        let (user, password) = cookie
            .trim()
            .split_once(':')
            .ok_or_else(|| anyhow!("the cookie is not user:password"))?;
        Ok(Self {
            http: reqwest::Client::new(),
            url: node.rpc().url().to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }

    /// Calls `method`; gives the time just before the call, and its result.
    ///
    /// # Errors
    /// When the node is away or refuses.
    pub async fn timed(&self, method: &str, params: Value) -> Result<(Instant, Value)> {
        let body = json!({ "jsonrpc": "1.0", "id": 0, "method": method, "params": params }).to_string();
        let request = self
            .http
            .post(&self.url)
            .basic_auth(&self.user, Some(&self.password))
            .body(body);
        let called = now();
        let mut answer: Value = request.send().await?.json().await?;
        if !answer["error"].is_null() {
            bail!("{method} was refused: {}", answer["error"]);
        }
        Ok((called, answer["result"].take()))
    }

    /// Puts `transaction` into the mempool, and gives the time just before the call.
    ///
    /// # Errors
    /// When the node refuses it.
    pub async fn send(&self, transaction: &Transaction) -> Result<Instant> {
        let raw = serialize_hex(transaction);
        Ok(self.timed("sendrawtransaction", json!([raw])).await?.0)
    }
}

/// Any two stack elements satisfy it. Their sizes are those of a signature and a key, so that the spending transactions are as
/// large as real ones: a block of them has about 1.6 MB.
fn witness_script() -> ScriptBuf {
    Builder::new()
        .push_opcode(opcodes::all::OP_2DROP)
        .push_opcode(opcodes::OP_TRUE)
        .into_script()
}

fn anyones() -> ScriptBuf {
    witness_script().to_p2wsh()
}

fn input(previous_output: OutPoint) -> TxIn {
    TxIn {
        previous_output,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    }
}

fn spend(coin: Coin, script: &Script, sats: u64) -> Result<Transaction> {
    let change = coin.sats.checked_sub(sats + FEE).context("the coin is too small")?;
    let mut from = input(coin.outpoint);
    from.witness.push([1; 80]);
    from.witness.push([2; 33]);
    from.witness.push(witness_script());
    let pay = |sats, script_pubkey| TxOut {
        value: Amount::from_sat(sats),
        script_pubkey,
    };
    Ok(Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![from],
        output: vec![pay(sats, script.to_owned()), pay(change, anyones())],
    })
}

fn change_of(transaction: &Transaction) -> Coin {
    Coin {
        outpoint: OutPoint::new(transaction.compute_txid(), 1),
        sats: transaction.output[1].value.to_sat(),
    }
}
