//! The SDKs, as their READMEs have them: each program in each language, against the real server.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail, ensure};
use bitpro_tests::{Api, App, Pair, Scene, Setup, eventually, ports};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

#[derive(Debug, Clone, Copy)]
enum Sdk {
    TypeScript,
    Python,
    Php,
}

const ALL: [Sdk; 3] = [Sdk::TypeScript, Sdk::Python, Sdk::Php];

impl Sdk {
    const fn name(self) -> &'static str {
        match self {
            Self::TypeScript => "typescript",
            Self::Python => "python",
            Self::Php => "php",
        }
    }

    fn folder(self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk").join(self.name())
    }

    /// The example called `name`, with nothing in its environment but `PATH` and these variables; `port` is a receiver's.
    fn command(self, name: &str, port: Option<u16>, variables: &[(&str, &str)]) -> Command {
        let (interpreter, ending) = match self {
            Self::TypeScript => ("node", "mjs"),
            Self::Python => ("python3", "py"),
            Self::Php => ("php", "php"),
        };
        let mut command = Command::new(interpreter);
        if let (Self::Php, Some(port)) = (self, port) {
            command.args(["-S", &format!("127.0.0.1:{port}")]);
        }
        command
            .arg(format!("examples/{name}.{ending}"))
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            // The package as it is shipped: here, nobody has installed it.
            .env("PYTHONPATH", "src")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(port.map(|port| ("PORT", port.to_string())))
            .envs(variables.iter().copied())
            .kill_on_drop(true);
        command
    }

    /// Runs an example, and gives the lines that it prints.
    async fn run(self, name: &str, variables: &[(&str, &str)]) -> Result<Vec<String>> {
        let output = self.command(name, None, variables).output().await?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stdout);
            bail!("{self:?} ended with {}: {said}{complaint}", output.status);
        }
        ensure!(complaint.is_empty(), "{self:?} complains: {complaint}");
        Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
    }
}

/// A scene on the machine's own time, which is what the SDKs go by, whose webhooks may lead to this machine.
async fn scene() -> Result<Scene> {
    let pair = Pair::start().await?;
    let mut setup = Setup::beside(&pair.server, &pair.clock)
        .with("BITPRO_WEBHOOK_ALLOW_HTTP", "true")
        .with("BITPRO_WEBHOOK_ALLOW_PRIVATE", "127.0.0.1");
    setup.clock = None;
    Scene::on(pair, setup, &[]).await
}

#[tokio::test]
async fn the_sdks_quick_starts_make_one_charge_read_it_list_all_and_name_the_error() -> Result<()> {
    let scene = scene().await?;
    let api = Api::add(&scene.app, &scene.merchant.id, "charges:read charges:write").await?;
    let url = scene.app.url();
    for _ in 0..3 {
        scene.open().await?;
    }
    for sdk in ALL {
        let order = format!("{}-1001", sdk.name());
        let variables = [
            ("BITPRO_URL", url.as_str()),
            ("BITPRO_ID", &api.id),
            ("BITPRO_SECRET", &api.secret),
            ("ORDER_ID", &order),
        ];
        let said = sdk.run("quickstart", &variables).await?;
        ensure!(
            sdk.run("quickstart", &variables).await? == said,
            "{sdk:?}: the second run made another charge"
        );
        let listed = api.get(&scene.app, "/mapi/charges?per_page=100").await?.is(200)?;
        let charges = listed.body["charges"].as_array().context("no charges")?;
        ensure!(charges.len() > 3, "{}", listed.body);
        let newest = charges.first().context("no charge")?;
        let text = |charge: &Value, name: &str| charge[name].as_str().unwrap_or_default().to_owned();
        let mut wanted = vec![
            format!("send the shopper to {}", text(newest, "url")),
            format!("order {order} of 4200 cents is pending"),
        ];
        wanted.extend(charges.iter().map(|charge| format!("listed {}", text(charge, "id"))));
        wanted.push("refused: zero-price".to_owned());
        ensure!(said == wanted, "{sdk:?} says {said:#?} instead of {wanted:#?}");

        // Whoever has a wrong secret reads why.
        let mut others = variables;
        others[2].1 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let complaint = sdk
            .run("quickstart", &others)
            .await
            .err()
            .context("a wrong secret was taken")?;
        ensure!(
            format!("{complaint:#}").contains("signature-invalid"),
            "{sdk:?}: {complaint:#}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_collection_has_a_request_for_each_call_of_the_server() -> Result<()> {
    let mut app = App::prepare(Setup::without_node())?;
    app.start().await?;
    let program = Sdk::TypeScript.folder().join("../postman/generate.mjs");
    let output = Command::new("node").arg(program).arg(app.url()).output().await?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    let made: Value = serde_json::from_slice(&output.stdout).with_context(|| complaint.into_owned())?;
    let document = reqwest::get(format!("{}/mapi/openapi.json", app.url()))
        .await?
        .text()
        .await?;
    let calls = document.matches("\"operationId\"").count();
    let requests = made["item"].as_array().context("no requests")?.len();
    ensure!(requests == calls, "{requests} requests for {calls} calls");
    Ok(())
}

#[tokio::test]
async fn r21_the_sdks_links_have_a_verified_price() -> Result<()> {
    let scene = scene().await?;
    let said = scene
        .app
        .run(&["link", "key", "rotate", &scene.merchant.id, "--json"])
        .await?;
    let made: Value = serde_json::from_str(&said)?;
    let key = made["key"].as_str().context("no key")?;
    let url = scene.app.url();
    for sdk in ALL {
        let order = format!("{} №7 & \"100%\" + <b>", sdk.name());
        let variables = [
            ("BITPRO_URL", url.as_str()),
            ("MERCHANT_ID", &scene.merchant.id),
            ("LINK_KEY", key),
            ("ORDER_ID", &order),
        ];
        let said = sdk.run("link", &variables).await?;
        let link = said
            .first()
            .and_then(|line| line.strip_prefix(&url))
            .context("no link")?;
        let charge = scene.checkout.open_link(link).await?;
        let said = scene.app.run(&["charge", "show", &charge.id, "--json"]).await?;
        let shown: Value = serde_json::from_str(&said)?;
        ensure!(
            shown["price_verified"] == true && shown["order_id"] == order.as_str(),
            "{sdk:?}: {shown}"
        );
    }
    Ok(())
}

/// A receiver that runs, with what it prints.
struct Receiver {
    sdk: Sdk,
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Receiver {
    async fn start(sdk: Sdk, port: u16, secrets: &str, orders: &Value) -> Result<Self> {
        let variables = [("WEBHOOK_SECRET", secrets), ("ORDERS", &orders.to_string())];
        let mut command = sdk.command("receiver", Some(port), &variables);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = child.stdout.take().context("no output")?;
        eventually("the receiver to listen", async || {
            Ok(TcpStream::connect(("127.0.0.1", port)).await?)
        })
        .await?;
        Ok(Self {
            sdk,
            _child: child,
            lines: BufReader::new(output).lines(),
        })
    }

    /// Waits for exactly this line.
    async fn says(&mut self, wanted: &str) -> Result<()> {
        let waiting = tokio::time::timeout(bitpro_tests::wait::PATIENCE, self.lines.next_line());
        let line = waiting
            .await
            .with_context(|| format!("{:?}: waited in vain for {wanted}", self.sdk))??;
        ensure!(
            line.as_deref() == Some(wanted),
            "{:?} says {line:?} instead of {wanted}",
            self.sdk
        );
        Ok(())
    }
}

/// Adds webhooks to `url`; their ids and secrets.
async fn listen(scene: &Scene, url: &str) -> Result<(Vec<String>, Vec<String>)> {
    let (mut ids, mut secrets) = (Vec::new(), Vec::new());
    for state in ["charge:seen", "charge:confirmed"] {
        let merchant = &scene.merchant.id;
        let said = scene
            .app
            .run(&["webhook", "add", merchant, state, url, "--json"])
            .await?;
        let made: Value = serde_json::from_str(&said)?;
        ids.push(made["id"].as_str().context("no id")?.to_owned());
        secrets.push(made["secret"].as_str().context("no secret")?.to_owned());
    }
    Ok((ids, secrets))
}

async fn paid(scene: &Scene, order: &str, cents: u64) -> Result<()> {
    let path = scene.merchant.path();
    let link = format!("{path}?fiat_price_cents={cents}&external_order_id={order}");
    let charge = scene.checkout.open_link(&link).await?;
    scene.pay_seen(&charge).await?;
    Ok(())
}

#[tokio::test]
async fn r21_the_sdks_receivers_ship_what_is_paid_and_refuse_forged_deliveries_and_prices() -> Result<()> {
    let scene = scene().await?;
    for sdk in ALL {
        let [port] = ports::lasting()?;
        let url = format!("http://127.0.0.1:{port}/hooks");
        let (ids, secrets) = listen(&scene, &url).await?;
        let (order, other) = (format!("{}-1", sdk.name()), format!("{}-2", sdk.name()));
        let orders = json!({order.clone(): 4200, other.clone(): 4200});
        let mut receiver = Receiver::start(sdk, port, &secrets.join(" "), &orders).await?;
        scene.app.run(&["webhook", "test", &ids[0]]).await?;
        receiver.says("test").await?;

        paid(&scene, &order, 4200).await?;
        receiver.says(&format!("wait {order}")).await?;
        scene.pair.mine(1).await?;
        receiver.says(&format!("ship {order}")).await?;
        // A shopper has written a link of their own: the right order, the wrong price.
        paid(&scene, &other, 500).await?;
        receiver.says(&format!("refuse {other}")).await?;
        scene.pair.mine(1).await?;
        receiver.says(&format!("refuse {other}")).await?;

        // While a secret is rotated, each delivery has two signatures; the receiver still has the former secret.
        scene.app.run(&["webhook", "rotate", &ids[0]]).await?;
        scene.app.run(&["webhook", "test", &ids[0]]).await?;
        receiver.says("test").await?;

        let forged = reqwest::Client::new()
            .post(&url)
            .header("webhook-id", "x")
            .header("webhook-timestamp", scene.app.now_secs().to_string())
            .header("webhook-signature", "v1,AAAA")
            .body(r#"{"delivery_attempt":1,"event":{"data":{}}}"#);
        ensure!(forged.send().await?.status() == 401, "{sdk:?} takes a forged delivery");
        receiver.says("refused: wrong-signature").await?;
        for id in &ids {
            scene.app.run(&["webhook", "remove", id]).await?;
        }
    }
    Ok(())
}
