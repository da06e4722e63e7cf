//! The usual scene of a test: two nodes, a running server, one merchant, one shopper.

use anyhow::Result;
use bitcoin::Txid;
use bitpro_charge::wire::ChargeView;

use crate::{App, Charge, Checkout, Merchant, Pair, Setup};

/// 20 minutes: the window that charges have by default.
pub const WINDOW_SECS: u64 = 20 * 60;

/// What a test plays with. The server is dropped before its node.
#[derive(Debug)]
pub struct Scene {
    /// The shopper's browser.
    pub checkout: Checkout,
    /// The merchant.
    pub merchant: Merchant,
    /// The server.
    pub app: App,
    /// The nodes.
    pub pair: Pair,
}

impl Scene {
    /// The usual scene. Nothing is waited for after the window: the grace of 90 s is zero here.
    ///
    /// # Errors
    /// When anything does not start.
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// The scene with other settings of the merchant.
    ///
    /// # Errors
    /// When anything does not start.
    pub async fn start_with(settings: &[(&str, &str)]) -> Result<Self> {
        let pair = Pair::start().await?;
        let setup = Setup::beside(&pair.server, &pair.clock);
        Self::on(pair, setup, settings).await
    }

    /// The scene on nodes that run already, with a server of another set-up.
    ///
    /// # Errors
    /// When the server does not start.
    pub async fn on(pair: Pair, setup: Setup, settings: &[(&str, &str)]) -> Result<Self> {
        let mut app = App::prepare(setup)?;
        let mut all = vec![("grace_secs", "0")];
        all.extend_from_slice(settings);
        let merchant = Merchant::add(&app, &pair.shopper, "merchant", &all).await?;
        app.start().await?;
        app.is_well().await?;
        Ok(Self {
            checkout: Checkout::of(&app)?,
            merchant,
            app,
            pair,
        })
    }

    /// Opens a charge of EUR 42.00 by the direct link.
    ///
    /// # Errors
    /// When the link does not lead to a charge.
    pub async fn open(&self) -> Result<Charge> {
        self.checkout.open(&self.merchant, 4200).await
    }

    /// Pays what is still asked for.
    ///
    /// # Errors
    /// When the wallet cannot.
    pub async fn pay(&self, charge: &Charge) -> Result<Txid> {
        let view = self.checkout.view(charge).await?;
        // A node whose clock was moved stands still from then on: what it records must not be older than the charge.
        self.pair.keep_time().await?;
        self.pair.wallet.pay(&view.address, view.remaining_sat).await
    }

    /// Pays what is still asked for, and waits until the server has seen it.
    ///
    /// # Errors
    /// When the wallet cannot, or the server does not see it.
    pub async fn pay_seen(&self, charge: &Charge) -> Result<Txid> {
        let txid = self.pay(charge).await?;
        self.checkout.becomes(charge, "seen", None).await?;
        Ok(txid)
    }

    /// A charge that timed out and was paid after that.
    ///
    /// # Errors
    /// When the wallet cannot pay, or the charge does not come to it.
    pub async fn paid_late(&self) -> Result<Charge> {
        let charge = self.open().await?;
        let asked = self.checkout.view(&charge).await?;
        self.pass_deadline().await?;
        self.becomes(&charge, "timedout", None).await?;
        self.pair.wallet.pay(&asked.address, asked.amount_sat).await?;
        self.becomes(&charge, "failed", Some("late")).await?;
        Ok(charge)
    }

    /// Waits until `charge` is in `state`, for `reason` if one is given.
    ///
    /// # Errors
    /// When it does not come to it.
    pub async fn becomes(&self, charge: &Charge, state: &str, reason: Option<&str>) -> Result<()> {
        self.checkout.becomes(charge, state, reason).await?;
        Ok(())
    }

    /// Waits until the server's clock has passed the deadline of `charge`, and gives what it shows then.
    ///
    /// # Errors
    /// When that does not come.
    pub async fn past_deadline(&self, charge: &Charge) -> Result<ChargeView> {
        self.checkout
            .shows(charge, "a passed deadline", |view| view.now > view.expires_at)
            .await
    }

    /// Lets the window of all open charges pass.
    ///
    /// # Errors
    /// When a node is away.
    pub async fn pass_deadline(&self) -> Result<()> {
        self.pair.advance_secs(WINDOW_SECS + 1).await
    }
}
