//! The demo: a shop, a checkout server, two Bitcoin nodes and the shopper's wallet on this machine, until Ctrl-C.
//!
//! With `--json` it prints one line on standard output once everything is ready, for scripts; people read standard error.

mod desk;
mod doors;
mod examples;
mod explorer;
mod inbox;
mod ledger;
mod pages;
mod stage;
mod swap;

use std::io::{IsTerminal as _, Write as _};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use bitpro_tests::{Api, App, Checkout, Letters, Merchant, Node, Pair, Setup};
use clap::Parser;
use doors::Doors;
use examples::Examples;
use inbox::Inbox;
use serde::Serialize;
use serde_json::json;
use stage::Stage;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::RwLock;

/// Where the parts are by default; a port that is taken is replaced by a free one.
const SERVER_PORT: u16 = 4080;
const SHOP_PORT: u16 = 4081;
const WALLET_PORT: u16 = 4082;

/// Who owns the shop in the dashboard.
const OWNER: &str = "owner@shop.example";
const MERCHANT_NAME: &str = "Atelier Nord";
const LOGO: &[u8] = include_bytes!("logo.png");

/// Runs the demo until Ctrl-C.
#[derive(Parser)]
struct Options {
    /// Print one line of JSON on standard output once everything is ready.
    #[arg(long)]
    json: bool,
    /// Be there for other machines of the local network, too: a phone, say. Play money, and no password: not for a network
    /// that you do not trust.
    #[arg(long)]
    lan: bool,
    /// For browser tests: take free ports, make as many charges as asked for, and let the wallet's API move the time and stop
    /// the node.
    #[arg(long)]
    for_tests: bool,
    /// Make the charges to look at also for tests.
    #[arg(long, hide = true)]
    examples: bool,
    /// The program that builds the page's script while the demo runs, when called with `demo-page`.
    #[arg(long, hide = true, value_name = "PROGRAM")]
    page_by: Option<PathBuf>,
}

/// What a script needs to know.
#[derive(Serialize)]
struct Addresses {
    server: String,
    shop: String,
    checkout: String,
    wallet: String,
    /// Where the shop's owner chooses their password, once.
    dashboard: String,
    letters: String,
    merchant_id: String,
    api_key: ApiKey,
    node: NodeAddress,
    shopper_node: NodeAddress,
}

/// A key of the merchant API with every scope.
#[derive(Serialize)]
struct ApiKey {
    id: String,
    secret: String,
}

#[derive(Serialize)]
struct NodeAddress {
    rpc: String,
    cookie: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match until_stopped(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn until_stopped(options: &Options) -> Result<()> {
    // Installed first: a Ctrl-C while the nodes start must end them, too.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = run(options) => ended,
        _ = interrupt.recv() => { say("stopping"); Ok(()) }
        _ = terminate.recv() => { say("stopping"); Ok(()) }
    }
}

/// Starts everything and serves the shop and the wallet; returns only with an error. Dropping it ends all that it started.
async fn run(options: &Options) -> Result<()> {
    let lan = options.lan.then(doors::lan_address).transpose()?;
    say("starting two Bitcoin nodes on regtest");
    let pair = Pair::start().await?;
    let shop = Doors::open(options.port(SHOP_PORT), lan).await?;
    let wallet = Doors::open(options.port(WALLET_PORT), lan).await?;
    let port = doors::port(options.port(SERVER_PORT), lan)?;

    say("starting bitpro");
    let mut app = App::prepare(setup(options, &pair, lan, port, &wallet)?)?;
    let merchant = merchant(options, &app, &pair, &shop).await?;
    app.start().await?;
    app.is_well().await?;
    let server = lan.map_or_else(|| app.url(), |lan| format!("http://{lan}:{port}"));
    let inbox = Inbox::default();
    inbox.subscribe(&app, &merchant, &shop.here()?).await?;
    let dashboard = furnish(options, &app, &merchant).await?;
    let stage = stage(app, pair, merchant, server).await?;

    let places = pages::Places {
        server: stage.server.clone(),
        shop: shop.url()?,
        wallet: wallet.url()?,
        checkout: format!("{}{}?fiat_price_cents=4200", stage.server, stage.merchant.path()),
        merchant_id: stage.merchant.id.clone(),
    };
    let here = lan.is_some().then(|| shop.here()).transpose()?;
    announce(
        &Addresses::of(&stage, &places, dashboard).await,
        here.as_deref(),
        options.json,
    )?;
    let shop_pages = pages::shop(places.clone()).merge(inbox.router());
    let wallet_pages = pages::wallet(places)
        .merge(desk::api(Arc::clone(&stage), options.for_tests))
        .merge(explorer::pages(Arc::clone(&stage)));
    let leading = async {
        match lan {
            Some(lan) => doors::lead_in(lan, port).await,
            None => Ok(()),
        }
    };
    let behind = behind(&stage, options);
    tokio::try_join!(shop.serve(shop_pages), wallet.serve(wallet_pages), leading, behind)?;
    Ok(())
}

/// What the shop's owner has beside its settings. Gives the link by which they choose their password: that of the letter, as for
/// everybody; here it is shown.
async fn furnish(options: &Options, app: &App, merchant: &Merchant) -> Result<String> {
    if options.for_tests {
        app.run(&["link", "key", "rotate", &merchant.id]).await?;
    }
    app.run(&["merchant", "set", &merchant.id, "--owner", OWNER]).await?;
    Letters::of(app.folder()).link_to(OWNER).await
}

async fn stage(app: App, pair: Pair, merchant: Merchant, server: String) -> Result<Arc<Stage>> {
    let scopes = "charges:read charges:write charges:accept webhooks:write";
    let api = Api::add_at(&app, &merchant.id, scopes, server.clone()).await?;
    Ok(Arc::new(Stage {
        checkout: Checkout::at(&server)?,
        server,
        app: RwLock::new(app),
        pair: RwLock::new(pair),
        merchant,
        api,
        ledger: ledger::Ledger::default(),
        examples: Examples::default(),
    }))
}

/// The server's settings. In the local network shoppers come by the machine's address there, and the dashboard stays on the machine.
fn setup(options: &Options, pair: &Pair, lan: Option<Ipv4Addr>, port: u16, wallet: &Doors) -> Result<Setup> {
    let mut setup = Setup::beside(&pair.server, &pair.clock)
        .with("BITPRO_SIGNUP", "open")
        .with("BITPRO_WEBHOOK_ALLOW_HTTP", "true")
        .with("BITPRO_WEBHOOK_ALLOW_PRIVATE", "127.0.0.1");
    setup.port = Some(port);
    if let Some(lan) = lan {
        setup = setup
            .with("BITPRO_PUBLIC_URL", &format!("http://{lan}:{port}"))
            .with("BITPRO_DASHBOARD_URL", &format!("http://localhost:{port}"));
    }
    if options.for_tests {
        setup = setup
            .with("BITPRO_CREATE_BURST", "100000")
            .with("BITPRO_CREATE_PER_MINUTE", "60000");
    } else {
        // Nobody moves the time then, so there is no need of what moves it.
        setup.clock = None;
        // Without TLS an explorer is believed on this machine only.
        setup = setup.with("BITPRO_EXPLORER_URL", &format!("{}/tx/{{txid}}", wallet.here()?));
    }
    Ok(setup)
}

/// The shop in the server's eyes.
async fn merchant(options: &Options, app: &App, pair: &Pair, shop: &Doors) -> Result<Merchant> {
    let (here, site) = (shop.here()?, shop.url()?);
    let logo = app.folder().join("logo.png");
    std::fs::write(&logo, LOGO)?;
    let logo = logo.display().to_string();
    let mut settings = vec![("allowed_origins", here.as_str()), ("colour", "#8a3b12")];
    if options.for_tests {
        settings.extend([("site", ""), ("grace_secs", "0"), ("gap_button", "10000")]);
    } else {
        settings.extend([
            ("site", site.as_str()),
            ("logo", logo.as_str()),
            ("email_receipts", "yes"),
        ]);
    }
    Merchant::add(app, &pair.shopper, MERCHANT_NAME, &settings).await
}

/// What goes on while the demo runs. What fails of it is said, and ends nothing.
async fn behind(stage: &Stage, options: &Options) -> Result<()> {
    let page = async {
        let Some(program) = &options.page_by else { return };
        match swap::swap(stage, program).await {
            Ok(()) => {
                say("the page now has its script");
                if options.json {
                    // Whoever reads this may have had enough after the first line.
                    let _ = print(&json!({ "page": "ready" }).to_string());
                }
            }
            Err(error) => say(&format!("{error:#}")),
        }
    };
    let examples = async {
        let usual = if options.for_tests { ["0", "600"] } else { ["90", "600"] };
        if options.for_tests && !options.examples {
            return;
        }
        if let Err(error) = examples::play(stage, usual).await {
            say(&format!("not every example could be made: {error:#}"));
        }
    };
    tokio::join!(page, examples);
    Ok(())
}

impl Options {
    /// The port to take if it is free. Tests run side by side, each on ports of its own.
    const fn port(&self, usual: u16) -> Option<u16> {
        if self.for_tests { None } else { Some(usual) }
    }
}

impl Addresses {
    async fn of(stage: &Stage, places: &pages::Places, dashboard: String) -> Self {
        let pair = stage.pair.read().await;
        let letters = Letters::of(stage.app.read().await.folder());
        Self {
            server: places.server.clone(),
            shop: places.shop.clone(),
            checkout: places.checkout.clone(),
            wallet: places.wallet.clone(),
            dashboard,
            letters: letters.folder().display().to_string(),
            merchant_id: places.merchant_id.clone(),
            api_key: ApiKey {
                id: stage.api.id.clone(),
                secret: stage.api.secret.clone(),
            },
            node: NodeAddress::of(&pair.server),
            shopper_node: NodeAddress::of(&pair.shopper),
        }
    }
}

impl NodeAddress {
    fn of(node: &Node) -> Self {
        Self {
            rpc: node.rpc().url().to_owned(),
            cookie: node.rpc().cookie().display().to_string(),
        }
    }
}

fn announce(addresses: &Addresses, here: Option<&str>, json: bool) -> Result<()> {
    say("ready");
    for (what, address) in [
        ("shop", &addresses.shop),
        ("direct link", &addresses.checkout),
        ("wallet and miner", &addresses.wallet),
        ("owner's log-in", &addresses.dashboard),
        ("letters, receipts", &addresses.letters),
    ] {
        say(&format!("  {what:<17} {address}"));
    }
    if let Some(here) = here {
        say(&format!(
            "a phone in the same network can open all but the log-in; the shop that shows the checkout in its page is {here}, on this machine"
        ));
    }
    say("Ctrl-C stops everything");
    if json {
        print(&serde_json::to_string(addresses)?)?;
    }
    Ok(())
}

fn print(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

fn say(line: &str) {
    // The bar of a build behind the demo may stand in the line; it is drawn again below.
    let clear = if std::io::stderr().is_terminal() {
        "\r\x1b[2K"
    } else {
        ""
    };
    eprintln!("{clear}[demo] {line}");
}
