//! The demo: a shop, a checkout server, two Bitcoin nodes and the shopper's wallet on this machine, until Ctrl-C.
//!
//! With `--json` it prints one line on standard output once everything is ready, for scripts; people read standard error.

mod desk;
mod inbox;
mod ledger;
mod pages;

use std::io::Write as _;
use std::net::TcpListener as StdListener;

use anyhow::{Context as _, Result};
use bitpro_tests::{Api, App, Letters, Merchant, Node, Pair, Setup};
use clap::Parser;
use desk::Desk;
use inbox::Inbox;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Where the parts are by default; a port that is taken is replaced by a free one.
const SERVER_PORT: u16 = 4080;
const SHOP_PORT: u16 = 4081;
const WALLET_PORT: u16 = 4082;

/// Who owns the shop in the dashboard.
const OWNER: &str = "owner@shop.example";
const MERCHANT_NAME: &str = "Atelier Nord";

/// Runs the demo until Ctrl-C.
#[derive(Parser)]
struct Options {
    /// Print one line of JSON on standard output once everything is ready.
    #[arg(long)]
    json: bool,
    /// For browser tests: take free ports, make as many charges as asked for, and let the wallet's API move the time and stop
    /// the node.
    #[arg(long)]
    for_tests: bool,
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
async fn main() -> Result<()> {
    let options = Options::parse();
    // Installed first: a Ctrl-C while the nodes start must end them, too.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = run(&options) => ended,
        _ = interrupt.recv() => { say("stopping"); Ok(()) }
        _ = terminate.recv() => { say("stopping"); Ok(()) }
    }
}

/// Starts everything and serves the shop and the wallet; returns only with an error. Dropping it ends all that it started.
async fn run(options: &Options) -> Result<()> {
    let port = |usual| {
        if options.for_tests {
            free_port()
        } else {
            usual_port(usual)
        }
    };

    say("starting two Bitcoin nodes on regtest");
    let pair = Pair::start().await?;

    let shop = TcpListener::bind(("127.0.0.1", port(SHOP_PORT)?)).await?;
    let wallet = TcpListener::bind(("127.0.0.1", port(WALLET_PORT)?)).await?;
    let shop_url = format!("http://{}", shop.local_addr()?);
    let wallet_url = format!("http://{}", wallet.local_addr()?);

    say("starting bitpro");
    let mut setup = Setup::beside(&pair.server, &pair.clock)
        .with("BITPRO_SIGNUP", "open")
        .with("BITPRO_WEBHOOK_ALLOW_HTTP", "true")
        .with("BITPRO_WEBHOOK_ALLOW_PRIVATE", "127.0.0.1");
    setup.port = Some(port(SERVER_PORT)?);
    if options.for_tests {
        setup = setup
            .with("BITPRO_CREATE_BURST", "100000")
            .with("BITPRO_CREATE_PER_MINUTE", "60000");
    } else {
        // Nobody moves the time then, so there is no need of what moves it.
        setup.clock = None;
    }
    let mut app = App::prepare(setup)?;
    let mut settings = vec![
        ("allowed_origins", shop_url.as_str()),
        ("site", ""),
        ("colour", "#8a3b12"),
    ];
    if options.for_tests {
        settings.extend([("grace_secs", "0"), ("gap_button", "10000")]);
    }
    let merchant = Merchant::add(&app, &pair.shopper, MERCHANT_NAME, &settings).await?;
    app.start().await?;
    app.is_well().await?;
    if options.for_tests {
        app.run(&["link", "key", "rotate", &merchant.id]).await?;
    }

    // The owner chooses their password by the link of the letter, like everybody; here it is shown.
    app.run(&["merchant", "set", &merchant.id, "--owner", OWNER]).await?;
    let letters = Letters::of(app.folder());
    let dashboard = letters.link_to(OWNER).await?;

    let inbox = Inbox::default();
    inbox.subscribe(&app, &merchant, &shop_url).await?;

    let scopes = "charges:read charges:write charges:accept webhooks:write";
    let api = Api::add(&app, &merchant.id, scopes).await?;

    let addresses = Addresses {
        checkout: format!("{}{}?fiat_price_cents=4200", app.url(), merchant.path()),
        server: app.url(),
        shop: shop_url,
        wallet: wallet_url,
        dashboard,
        letters: letters.folder().display().to_string(),
        merchant_id: merchant.id.clone(),
        api_key: ApiKey {
            id: api.id,
            secret: api.secret,
        },
        node: NodeAddress::of(&pair.server),
        shopper_node: NodeAddress::of(&pair.shopper),
    };
    let places = pages::Places {
        server: addresses.server.clone(),
        shop: addresses.shop.clone(),
        wallet: addresses.wallet.clone(),
        checkout: addresses.checkout.clone(),
        merchant_id: addresses.merchant_id.clone(),
    };
    let shop_pages = pages::shop(places.clone()).merge(inbox.router());
    let wallet_pages = pages::wallet(places).merge(desk::api(Desk::new(pair, app), options.for_tests));
    announce(&addresses, options.json)?;

    tokio::try_join!(async { axum::serve(shop, shop_pages).await }, async {
        axum::serve(wallet, wallet_pages).await
    })
    .context("the demo's own pages cannot be served")?;
    Ok(())
}

impl NodeAddress {
    fn of(node: &Node) -> Self {
        Self {
            rpc: node.rpc().url().to_owned(),
            cookie: node.rpc().cookie().display().to_string(),
        }
    }
}

fn announce(addresses: &Addresses, json: bool) -> Result<()> {
    say("ready");
    for (what, address) in [
        ("shop", &addresses.shop),
        ("direct link", &addresses.checkout),
        ("wallet and miner", &addresses.wallet),
        ("shop's dashboard", &addresses.dashboard),
        ("letters", &addresses.letters),
    ] {
        say(&format!("  {what:<17} {address}"));
    }
    say("Ctrl-C stops everything");
    if json {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(addresses)?)?;
        out.flush()?;
    }
    Ok(())
}

fn say(line: &str) {
    eprintln!("[demo] {line}");
}

fn usual_port(usual: u16) -> Result<u16> {
    match StdListener::bind(("127.0.0.1", usual)) {
        Ok(_) => Ok(usual),
        Err(_) => free_port(),
    }
}

fn free_port() -> Result<u16> {
    Ok(StdListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
