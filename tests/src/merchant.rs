//! A merchant: their wallet is in the shopper's node, and the server knows its public keys only.

use anyhow::{Context as _, Result};

use crate::{App, Node, Wallet};

/// A merchant whom the server knows.
#[derive(Debug, Clone)]
pub struct Merchant {
    /// The id.
    pub id: String,
    /// Their own wallet, which must come to see the money.
    pub wallet: Wallet,
}

impl Merchant {
    /// Makes a wallet called `name` in `node` and adds a merchant with its P2WPKH descriptor to `app`. `settings` are pairs of a
    /// setting's name and value.
    ///
    /// # Errors
    /// When the node or the server refuses.
    pub async fn add(app: &App, node: &Node, name: &str, settings: &[(&str, &str)]) -> Result<Self> {
        let wallet = Wallet::create(node.rpc(), name).await?;
        let descriptor = wallet.descriptor("wpkh(").await?;
        let id = register(app, name, &descriptor, settings).await?;
        Ok(Self { id, wallet })
    }

    /// The path of their direct link.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/app/checkout/{}", self.id)
    }

    /// Changes settings.
    ///
    /// # Errors
    /// When the server refuses a value.
    pub async fn set(&self, app: &App, settings: &[(&str, &str)]) -> Result<()> {
        let mut arguments = vec!["merchant".to_owned(), "set".to_owned(), self.id.clone()];
        push_settings(&mut arguments, settings);
        run(app, &arguments).await?;
        Ok(())
    }
}

/// Adds a merchant with `descriptor`, and gives their id.
///
/// # Errors
/// When the server refuses, with what it says.
pub async fn register(app: &App, name: &str, descriptor: &str, settings: &[(&str, &str)]) -> Result<String> {
    let mut arguments = ["merchant", "add", "--name", name, "--descriptor", descriptor]
        .map(str::to_owned)
        .to_vec();
    push_settings(&mut arguments, settings);
    let said = run(app, &arguments).await?;
    said.split_whitespace()
        .find(|word| word.len() == 36 && word.chars().filter(|&letter| letter == '-').count() == 4)
        .map(str::to_owned)
        .with_context(|| format!("no merchant id in: {said}"))
}

fn push_settings(arguments: &mut Vec<String>, settings: &[(&str, &str)]) {
    for (name, value) in settings {
        arguments.push(format!("--{}", name.replace('_', "-")));
        arguments.push((*value).to_owned());
    }
}

async fn run(app: &App, arguments: &[String]) -> Result<String> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    app.run(&arguments).await
}
