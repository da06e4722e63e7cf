//! What stands on the demo's stage: nodes, server, merchant, wallet. Everything that plays on it shares it.

use anyhow::{Context as _, Result};
use bitcoin::Txid;
use bitpro_tests::{Api, App, Checkout, Merchant, Pair};
use serde_json::Value;
use tokio::sync::RwLock;

use crate::examples::Examples;
use crate::ledger::Ledger;

/// The server ends before its node, so it stands first.
pub struct Stage {
    /// Written only to start the server anew; all else goes on side by side.
    pub app: RwLock<App>,
    /// Written only to stop or start a node.
    pub pair: RwLock<Pair>,
    /// The server's address, for shoppers.
    pub server: String,
    /// The demo's merchant.
    pub merchant: Merchant,
    /// A key of theirs.
    pub api: Api,
    /// A shopper's browser.
    pub checkout: Checkout,
    /// What the wallet has sent.
    pub ledger: Ledger,
    /// The charges that were made to be looked at.
    pub examples: Examples,
}

impl Stage {
    /// All charges, the newest first, as the command line lists them.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn charges(&self) -> Result<Vec<Value>> {
        let arguments = ["charge", "list", "--limit", "100", "--json"];
        let listed = self.app.read().await.run(&arguments).await?;
        serde_json::from_str(&listed).context("charges are not listed as JSON")
    }

    /// Has the wallet pay, and notes it.
    ///
    /// # Errors
    /// When the wallet cannot.
    pub async fn pay(&self, address: &str, sats: u64) -> Result<Txid> {
        let pair = self.pair.read().await;
        // What the node records must not be older than the charge.
        pair.keep_time().await?;
        let txid = pair.wallet.pay(address, sats).await?;
        self.ledger.add(txid, address, sats);
        Ok(txid)
    }

    /// Has the wallet take a payment back, and notes it. Gives the transaction that does it.
    ///
    /// # Errors
    /// When the payment is in a block already.
    pub async fn take_back(&self, txid: Txid) -> Result<Txid> {
        let conflict = self.pair.read().await.wallet.double_spend(txid).await?;
        self.ledger.take_back(txid);
        Ok(conflict)
    }
}
