//! E-mail against a real mail server: letters arrive once, over TLS that is checked, and outlive a death.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitpro_tests::process::Process;
use bitpro_tests::wait::eventually;
use bitpro_tests::{App, Pair, Scene, Setup};
use tempfile::TempDir;

const READER: &str = "anna@buyer.example";

/// A mail server of a published package.
struct Sink {
    folder: TempDir,
    port: u16,
    _process: Process,
}

impl Sink {
    async fn start() -> Result<Self> {
        Self::start_at(0, None).await
    }

    /// A mail server at `port`, with a certificate for `tls`.
    async fn start_at(port: u16, tls: Option<(&str, &Certificate)>) -> Result<Self> {
        let python = std::env::var("BITPRO_PYTHON")
            .context("BITPRO_PYTHON names no interpreter: run the tests by `cargo xtask test integration`")?;
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(python);
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("it/mail_sink.py"))
            .arg(folder.path())
            .arg(port.to_string());
        if let Some((kind, certificate)) = tls {
            command.arg(kind).arg(certificate.file()).arg(certificate.key());
        }
        let log = folder.path().join("sink.log");
        let process = Process::start("the mail server", &command, &log)?;
        let port = eventually("the mail server to listen", async || {
            let said = std::fs::read_to_string(&log)?;
            said.trim().parse().with_context(|| said.clone())
        })
        .await?;
        Ok(Self {
            folder,
            port,
            _process: process,
        })
    }

    fn letters(&self) -> Result<Vec<String>> {
        let mut letters = Vec::new();
        for entry in std::fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "eml") {
                letters.push(std::fs::read_to_string(path)?);
            }
        }
        Ok(letters)
    }

    async fn has(&self, count: usize) -> Result<Vec<String>> {
        eventually(&format!("{count} letters"), async || {
            let letters = self.letters()?;
            ensure!(letters.len() == count, "there are {}", letters.len());
            Ok(letters)
        })
        .await
    }
}

/// A certificate that nobody but the tests trusts.
struct Certificate(TempDir);

impl Certificate {
    fn make(host: &str) -> Result<Self> {
        let made = rcgen::generate_simple_self_signed([host.to_owned()])?;
        let folder = Self(tempfile::tempdir()?);
        let pem = |kind: &str, der: &[u8]| {
            let body = STANDARD.encode(der);
            format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n")
        };
        std::fs::write(folder.file(), pem("CERTIFICATE", made.cert.der()))?;
        std::fs::write(folder.key(), pem("PRIVATE KEY", &made.signing_key.serialize_der()))?;
        Ok(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }
}

/// A server without a node, which letters do not need.
fn without_node(smtp_url: &str) -> Setup {
    Setup::without_node().with("BITPRO_SMTP_URL", smtp_url)
}

async fn sent_in_vain(app: &App) -> Result<()> {
    eventually("a letter to be refused", async || {
        ensure!(app.log().contains("an e-mail was not sent"), "{}", app.log());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_letter_arrives_once_with_both_its_parts() -> Result<()> {
    let sink = Sink::start().await?;
    let mut app = App::prepare(without_node(&format!("smtp://127.0.0.1:{}", sink.port)))?;
    app.start().await?;
    app.run(&["mail", "test", READER]).await?;
    let letters = sink.has(1).await?;
    for part in [
        "To: anna@buyer.example",
        "Subject: Bitpro test e-mail",
        "text/plain",
        "text/html",
    ] {
        ensure!(letters[0].contains(part), "{part} is not in {}", letters[0]);
    }
    let refused = format!(
        "{:#}",
        app.run(&["mail", "test", "nobody"]).await.err().context("taken")?
    );
    ensure!(refused.contains("wanted an e-mail address"), "{refused}");
    // There is no node, which is wrong, but mail is well.
    let checked = format!("{:#}", app.run(&["check"]).await.err().context("all is well")?);
    ensure!(checked.contains("accepts e-mail from"), "{checked}");
    app.stop().await?;
    app.start().await?;
    app.run(&["mail", "test", "bert@buyer.example"]).await?;
    sink.has(2).await?;
    ensure!(!app.log().contains(READER), "an address is in the log:\n{}", app.log());
    Ok(())
}

#[tokio::test]
async fn a_mail_server_whose_certificate_is_not_trusted_gets_nothing() -> Result<()> {
    // An address of this machine that is none of its loopback: STARTTLS is asked for there.
    for (kind, scheme, host) in [("tls", "smtps", "127.0.0.1"), ("starttls", "smtp", "0.0.0.0")] {
        let certificate = Certificate::make(host)?;
        let sink = Sink::start_at(0, Some((kind, &certificate))).await?;
        let setup = without_node(&format!("{scheme}://{host}:{}", sink.port));
        let mut app = App::prepare(setup.clone())?;
        app.start().await?;
        app.run(&["mail", "test", READER]).await?;
        sent_in_vain(&app).await?;
        let log = app.log();
        ensure!(
            log.to_lowercase().contains("certificate") && !log.contains(READER),
            "{log}"
        );
        ensure!(sink.letters()?.is_empty(), "a letter went to a stranger");

        let trusting = setup.with("SSL_CERT_FILE", &certificate.file().display().to_string());
        let mut app = App::prepare(trusting)?;
        app.start().await?;
        app.run(&["mail", "test", READER]).await?;
        sink.has(1).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_letter_outlives_a_death_between_its_commit_and_its_sending() -> Result<()> {
    // Takes connections and says nothing: the letter is on its way for ever.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let port = silent.local_addr()?.port();
    let mut app = App::prepare(without_node(&format!("smtp://127.0.0.1:{port}")))?;
    app.start().await?;
    app.run(&["mail", "test", READER]).await?;
    let (connection, _) = tokio::task::spawn_blocking(move || silent.accept()).await??;
    app.kill()?;
    drop(connection);
    let sink = Sink::start_at(port, None).await?;
    app.start().await?;
    let letters = sink.has(1).await?;
    ensure!(letters[0].contains(READER), "{}", letters[0]);
    Ok(())
}

#[tokio::test]
async fn without_a_mail_server_letters_become_files_named_in_the_log() -> Result<()> {
    let mut app = App::prepare(without_node(""))?;
    app.start().await?;
    app.run(&["mail", "test", READER]).await?;
    let folder = app.folder().join("mail");
    eventually("a file", async || {
        let mut files = std::fs::read_dir(&folder)?;
        let file = files.next().context("there is none")??.path();
        ensure!(std::fs::read_to_string(&file)?.contains(READER), "it is not the letter");
        ensure!(app.log().contains(&file.display().to_string()), "{}", app.log());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_buyer_gets_one_receipt_when_the_merchant_wants_it() -> Result<()> {
    let sink = Sink::start().await?;
    let pair = Pair::start().await?;
    let setup =
        Setup::beside(&pair.server, &pair.clock).with("BITPRO_SMTP_URL", &format!("smtp://127.0.0.1:{}", sink.port));
    let scene = Scene::on(pair, setup, &[("email_receipts", "yes")]).await?;
    let link = format!(
        "{}?fiat_price_cents=4200&external_order_id=A-17&buyer_email={READER}&lang=fr",
        scene.merchant.path()
    );
    let charge = scene.checkout.open_link(&link).await?;
    scene.pay_seen(&charge).await?;
    ensure!(sink.letters()?.is_empty(), "a receipt for money that is not confirmed");
    scene.pair.mine(1).await?;
    scene.becomes(&charge, "confirmed", Some("exact")).await?;
    let letters = sink.has(1).await?;
    ensure!(letters[0].contains("To: anna@buyer.example"), "{}", letters[0]);
    ensure!(letters[0].contains("A-17"), "{}", letters[0]);
    scene.pair.mine(2).await?;
    scene.app.run(&["mail", "test", "op@shop.example"]).await?;
    sink.has(2).await?;
    Ok(())
}
