//! What strangers can make the server keep or do, tried from outside: directly, and through a real proxy.

mod proxied;

use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitpro_tests::{App, Setup, eventually};
use reqwest::{Client, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// Connects to a port of this machine from one of its many addresses.
async fn connected(from: &str, port: u16) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from.parse()?, 0))?;
    // What a reader cannot hold, the server has to.
    socket.set_recv_buffer_size(4_096)?;
    Ok(socket.connect(SocketAddr::new([127, 0, 0, 1].into(), port)).await?)
}

/// Asks for far more than any buffer holds, and never reads.
async fn ask_and_never_read(from: &str, port: u16) -> Result<TcpStream> {
    let mut stream = connected(from, port).await?;
    let request = format!("GET /docs HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n");
    // As many as go: a server that is busy with the first ones takes no more.
    let _ = tokio::time::timeout(
        Duration::from_millis(50),
        stream.write_all(request.repeat(500).as_bytes()),
    )
    .await;
    Ok(stream)
}

fn from(address: IpAddr) -> Result<Client> {
    Ok(Client::builder().local_address(address).build()?)
}

fn port_of(app: &App) -> Result<u16> {
    let (_, port) = app
        .url()
        .rsplit_once(':')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .context("no port")?;
    Ok(port.parse()?)
}

#[tokio::test]
async fn readers_who_never_read_keep_nobody_out_and_are_let_go() -> Result<()> {
    let setup = Setup::without_node()
        .with("BITPRO_MAX_CONNECTIONS", "50")
        .with("BITPRO_WRITE_TIMEOUT_SECS", "1")
        .with("BITPRO_HEADER_TIMEOUT_SECS", "2");
    let mut app = App::prepare(setup)?;
    app.start().await?;
    let port = port_of(&app)?;
    let healthy = format!("http://127.0.0.1:{port}/healthz");
    let mut held = Vec::new();
    for _ in 0..60 {
        held.push(ask_and_never_read("127.0.0.2", port).await?);
    }
    // One address has its quarter and no more, so the others are served all the while.
    for _ in 0..20 {
        ensure!(from([127, 0, 0, 3].into())?.get(&healthy).send().await?.status() == StatusCode::OK);
    }
    // And it is served again as soon as its connections were ended, though it has let go of none.
    let http = from([127, 0, 0, 2].into())?;
    eventually("the address to be served again", async || {
        ensure!(http.get(&healthy).send().await?.status() == StatusCode::OK);
        Ok(())
    })
    .await?;
    drop(held);
    let metrics = Client::new()
        .get(format!("{}/metrics", app.inside_url()))
        .send()
        .await?
        .text()
        .await?;
    for limit in ["connection_address", "write_stalled"] {
        let counted = format!("bitpro_limits_refused_total{{limit=\"{limit}\"}}");
        ensure!(metrics.contains(&counted), "{counted} is missing: {metrics}");
    }
    app.stop().await
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_in_whatever_pieces_it_comes() -> Result<()> {
    let mut app = App::prepare(Setup::without_node())?;
    app.start().await?;
    let port = port_of(&app)?;
    for (size, status) in [(15_000, "200"), (20_000, "431"), (100_000, "431")] {
        let mut stream = connected("127.0.0.1", port).await?;
        let head = format!(
            "GET /healthz HTTP/1.1\r\nhost: localhost:{port}\r\nx-long: {}\r\n\r\n",
            "x".repeat(size)
        );
        // The server may have answered before it has read everything.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        ensure!(
            answer.ends_with(status.as_bytes()),
            "{size}: {}",
            String::from_utf8_lossy(&answer)
        );
    }
    app.stop().await
}

#[tokio::test]
async fn whoever_sends_a_head_or_a_body_byte_by_byte_is_let_go() -> Result<()> {
    let setup = Setup::without_node()
        .with("BITPRO_HEADER_TIMEOUT_SECS", "1")
        .with("BITPRO_REQUEST_TIMEOUT_SECS", "1");
    let mut app = App::prepare(setup)?;
    app.start().await?;
    let port = port_of(&app)?;
    let form = "POST /app/checkout/00000000-0000-4000-8000-000000000000 HTTP/1.1\r\ncontent-length: 9999\r\n";
    let form = format!("{form}content-type: application/x-www-form-urlencoded\r\nhost: localhost:{port}\r\n\r\n");
    for beginning in [
        "G".to_owned(),
        "PRI * HTTP/2.0\r\n".to_owned(),
        "GET / HTTP/1.1\r\nx".to_owned(),
        form,
    ] {
        let stream = connected("127.0.0.1", port).await?;
        let (mut reading, mut writing) = stream.into_split();
        writing.write_all(beginning.as_bytes()).await?;
        // It never stops, and never says anything that would end the request.
        let dripping = tokio::spawn(async move {
            while writing.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await
            }
        });
        let mut rest = Vec::new();
        let _ = reading.read_to_end(&mut rest).await;
        dripping.await?;
    }
    app.stop().await
}

#[tokio::test]
async fn metrics_and_details_are_served_inside_and_nowhere_else() -> Result<()> {
    let setup = Setup::without_node().with("BITPRO_DASHBOARD_URL", "https://dashboard.example");
    let mut app = App::prepare(setup)?;
    app.start().await?;
    let http = Client::new();
    for host in ["", "127.0.0.1", "dashboard.example"] {
        let mut request = http.get(format!("{}/metrics", app.url()));
        if !host.is_empty() {
            request = request.header("host", host);
        }
        let answer = request.send().await?;
        ensure!(!answer.status().is_success(), "{host}: {}", answer.status());
    }
    let told = http.get(format!("{}/readyz", app.url())).send().await?.text().await?;
    ensure!(told == "{\"status\":\"degraded\"}", "a stranger is told {told}");

    let inside = |path: &str| http.get(format!("{}{path}", app.inside_url()));
    let metrics = inside("/metrics").send().await?.text().await?;
    // What never happened stands there as well.
    for line in [
        "bitpro_connections_open ",
        "bitpro_watcher_failures_total 0\n",
        "bitpro_forged_wallets_total 0\n",
        "bitpro_limits_refused_total{limit=\"write_stalled\"} 0\n",
        "bitpro_limits_forgotten_total{limit=\"link_client\"} 0\n",
        "bitpro_mails_total{outcome=\"given_up\"} 0\n",
    ] {
        ensure!(metrics.contains(line), "{line} is missing: {metrics}");
    }
    let told: serde_json::Value = inside("/readyz").send().await?.json().await?;
    ensure!(told["parts"].as_array().is_some_and(|parts| parts.len() >= 4), "{told}");
    for (name, value) in [
        ("x-forwarded-for", "192.0.2.1"),
        ("via", "1.1 proxy"),
        ("forwarded", "for=192.0.2.1"),
        ("host", "dashboard.example"),
        ("host", "dashboard.example:9464"),
    ] {
        for path in ["/metrics", "/readyz"] {
            let status = inside(path).header(name, value).send().await?.status();
            ensure!(
                status == StatusCode::FORBIDDEN,
                "{path} with {name}: {value} answers {status}"
            );
        }
    }
    // A page can lead a name of its own here, in a browser on this machine.
    for path in ["/metrics", "/readyz"] {
        let status = inside(path).header("host", "evil.example").send().await?.status();
        ensure!(status == StatusCode::MISDIRECTED_REQUEST, "{path} answers {status}");
    }
    ensure!(inside("/").send().await?.status() == StatusCode::NOT_FOUND);
    app.stop().await
}

#[tokio::test]
async fn nobody_else_can_read_what_the_server_writes() -> Result<()> {
    let setup = Setup::without_node().with("BITPRO_OPERATOR_EMAIL", "op@shop.example");
    let mut app = App::prepare(setup)?;
    let folder = app.folder().to_owned();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755))?;
    app.start().await?;
    app.run(&["mail", "test", "you@shop.example"]).await?;
    app.stop().await?;
    // As a careless copy leaves them.
    for file in files(&folder)? {
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644))?;
    }
    app.start().await?;
    let mut seen = Vec::new();
    for file in files(&folder)? {
        let name = file.file_name().context("no name")?.to_string_lossy().into_owned();
        let mode = file.metadata()?.permissions().mode() & 0o777;
        // The log is the harness's, and a letter's folder is closed as a whole.
        let is_ours = name != "bitpro.log" && !file.starts_with(folder.join("mail"));
        ensure!(!is_ours || mode == 0o600, "{name} has mode {mode:o}");
        seen.push(name);
    }
    ensure!(std::fs::metadata(folder.join("mail"))?.permissions().mode() & 0o077 == 0);
    for wanted in [
        "bitpro.db",
        "bitpro.db-wal",
        "bitpro.db-shm",
        "bitpro.db.issued",
        "bitpro.db.nonces",
        "seal.keys",
        "admin.sock",
    ] {
        ensure!(seen.iter().any(|name| name == wanted), "{wanted} is not among {seen:?}");
    }
    app.stop().await
}

fn files(folder: &std::path::Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

#[tokio::test]
async fn a_path_that_is_too_long_is_refused_by_name() -> Result<()> {
    let mut app = App::prepare(Setup::without_node())?;
    app.start().await?;
    let http = Client::new();
    for (length, status) in [
        (8_000, StatusCode::NOT_FOUND),
        (8_300, StatusCode::URI_TOO_LONG),
        (16_000, StatusCode::URI_TOO_LONG),
    ] {
        let answer = http.get(format!("{}/{}", app.url(), "x".repeat(length))).send().await?;
        ensure!(answer.status() == status, "{length}: {}", answer.status());
    }
    app.stop().await
}

#[tokio::test]
async fn a_command_without_an_end_is_not_kept_and_others_are_carried_out() -> Result<()> {
    let mut app = App::prepare(Setup::without_node())?;
    app.start().await?;
    let mut endless = tokio::net::UnixStream::connect(app.folder().join("admin.sock")).await?;
    let piece = vec![b' '; 64 * 1024];
    let mut sent = 0;
    // The server takes no more than it reads of a command, and what it has not read it never holds.
    while sent < 16 * 1024 * 1024 && endless.write_all(&piece).await.is_ok() {
        sent += piece.len();
    }
    ensure!(sent < 8 * 1024 * 1024, "{sent} bytes of a command were taken");
    app.run(&["merchant", "list"]).await?;
    app.stop().await
}

#[tokio::test]
async fn the_inside_is_served_again_when_those_who_hold_it_and_ask_nothing_are_let_go() -> Result<()> {
    let setup = Setup::without_node().with("BITPRO_HEADER_TIMEOUT_SECS", "1");
    let mut app = App::prepare(setup)?;
    app.start().await?;
    let port: u16 = app.inside_url().rsplit(':').next().context("no port")?.parse()?;
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(connected("127.0.0.2", port).await?);
    }
    let metrics = Client::new()
        .get(format!("{}/metrics", app.inside_url()))
        .send()
        .await?;
    ensure!(metrics.status() == StatusCode::OK, "{}", metrics.status());
    // A hundred were there at once, and no more than 64 of them were ever let in.
    let open = metrics
        .text()
        .await?
        .lines()
        .find_map(|line| line.strip_prefix("bitpro_connections_open ")?.parse::<u32>().ok())
        .context("no such metric")?;
    ensure!(open <= 64, "{open} connections");
    drop(held);
    app.stop().await
}
