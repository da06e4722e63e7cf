//! A real nginx or Caddy in front of the server, set up as the guide says and started without privileges of its own.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::ports;
use crate::process::Process;
use crate::wait::eventually;

/// A running proxy. Dropping it ends it.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    scheme: &'static str,
    _process: Process,
    folder: TempDir,
}

/// Where its certificate lies in its folder.
const CERTIFICATE: &str = "certificate.pem";

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyKind {
    /// nginx, which takes answers off the server, but for streams.
    Nginx,
    /// Caddy, which hands on what comes as it comes.
    Caddy,
}

impl Proxy {
    /// A free port for a proxy: the server has to know it before the proxy can know the server.
    ///
    /// # Errors
    /// When there is none.
    pub fn free_port() -> Result<u16> {
        let [port] = ports::lasting()?;
        Ok(port)
    }

    /// Starts a proxy at `port` for the server at `target`, as in `127.0.0.1:8080`.
    ///
    /// # Errors
    /// When there is no such program, or it does not start.
    pub async fn start(kind: ProxyKind, port: u16, target: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bitpro-proxy-").tempdir()?;
        let (_, _, configuration) = kind.program();
        let configuration = configuration
            .replace("PORT", &port.to_string())
            .replace("TARGET", target);
        Self::run(kind, port, folder, &configuration, "http").await
    }

    /// Starts a proxy with the file that is packaged for it, at `https://localhost` with `port`, for the server at `target`. In that file,
    /// each first text of `changes` is replaced by its second.
    ///
    /// # Errors
    /// When there is no such program or text, or it does not start.
    pub async fn packaged(kind: ProxyKind, port: u16, target: &str, changes: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bitpro-proxy-").tempdir()?;
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        fs::write(folder.path().join(CERTIFICATE), made.cert.pem())?;
        fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem())?;
        let mut configuration = kind.packaged(port, Self::free_port()?, target)?;
        for (from, to) in changes {
            ensure!(configuration.contains(from), "{from:?} is not in {configuration}");
            configuration = configuration.replace(from, to);
        }
        Self::run(kind, port, folder, &configuration, "https").await
    }

    async fn run(
        kind: ProxyKind,
        port: u16,
        folder: TempDir,
        configuration: &str,
        scheme: &'static str,
    ) -> Result<Self> {
        let command = kind.command(folder.path(), configuration)?;
        let log = folder.path().join("proxy.log");
        let mut process = Process::start("the proxy", &command, &log)?;
        // What it answers is the server's affair, which may not even run yet.
        eventually("the proxy to accept connections", || {
            let ended = process.exit_status();
            let log = log.clone();
            async move {
                ensure!(
                    ended?.is_none(),
                    "the proxy ended: {}",
                    fs::read_to_string(log).unwrap_or_default()
                );
                TcpStream::connect(("127.0.0.1", port)).await?;
                Ok(())
            }
        })
        .await?;
        Ok(Self {
            port,
            scheme,
            _process: process,
            folder,
        })
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its address, as in `http://localhost:8080`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.port)
    }

    /// The file with its certificate, where it has one.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join(CERTIFICATE)
    }
}

impl ProxyKind {
    /// The variable that names the program, where it usually is, and the configuration for tests.
    const fn program(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Nginx => ("NGINX", "/usr/sbin/nginx", NGINX),
            Self::Caddy => ("CADDY", "/usr/bin/caddy", CADDY),
        }
    }

    /// The packaged file, with names, ports and certificate of a test.
    fn packaged(self, port: u16, plain: u16, target: &str) -> Result<String> {
        let name = match self {
            Self::Nginx => "nginx.conf",
            Self::Caddy => "Caddyfile",
        };
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../server/packaging/proxy")
            .join(name);
        let text = fs::read_to_string(&file).with_context(|| format!("there is no {}", file.display()))?;
        let text = text.replace("127.0.0.1:8080", target);
        Ok(match self {
            Self::Nginx => {
                let text = text
                    .replace("listen 80;", &format!("listen 127.0.0.1:{plain};"))
                    .replace("listen 443 ", &format!("listen 127.0.0.1:{port} "))
                    .replace(
                        "/etc/letsencrypt/live/pay.example/fullchain.pem",
                        "HERE/certificate.pem",
                    )
                    .replace("/etc/letsencrypt/live/pay.example/privkey.pem", "HERE/key.pem")
                    .replace("pay.example", "localhost");
                let lines = text.lines().filter(|line| !line.contains("listen [::]"));
                AROUND_NGINX.replace("SITE", &lines.collect::<Vec<_>>().join("\n"))
            }
            Self::Caddy => {
                let site =
                    format!("https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls HERE/certificate.pem HERE/key.pem");
                text.replace("\npay.example {", &format!("\n{site}")).replace(
                    "\n{\n",
                    "\n{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system HERE/storage\n",
                )
            }
        })
    }

    fn command(self, folder: &Path, configuration: &str) -> Result<Command> {
        let (variable, usual, _) = self.program();
        let program = env::var_os(variable).map_or_else(|| PathBuf::from(usual), PathBuf::from);
        ensure!(
            program.is_file(),
            "there is no {}: name one by {variable}, or run `cargo xtask setup`",
            program.display()
        );
        let file = folder.join("configuration");
        fs::write(&file, configuration.replace("HERE", &folder.display().to_string()))?;
        let mut command = Command::new(program);
        match self {
            Self::Nginx => command
                .arg("-p")
                .arg(folder)
                .arg("-c")
                .arg(&file)
                .args(["-e", "stderr"]),
            Self::Caddy => command
                .args(["run", "--adapter", "caddyfile", "--config"])
                .arg(&file)
                .env("HOME", folder),
        };
        Ok(command)
    }
}

/// The lines of docs/operating.md and docs/limits.md, and what a test needs around them.
const NGINX: &str = r#"
daemon off;
master_process off;
worker_processes 1;
pid HERE/nginx.pid;
error_log stderr warn;
events { worker_connections 2048; }
http {
    access_log off;
    client_body_temp_path HERE/body;
    proxy_temp_path HERE/proxy;
    fastcgi_temp_path HERE/fastcgi;
    uwsgi_temp_path HERE/uwsgi;
    scgi_temp_path HERE/scgi;
    client_header_timeout 10s;
    send_timeout 20s;
    upstream bitpro { server TARGET; keepalive 16; }
    server {
        listen 127.0.0.1:PORT;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        location / { proxy_pass http://bitpro; }
        location ~ /events$ { proxy_pass http://bitpro; proxy_buffering off; proxy_read_timeout 1h; }
    }
}
"#;

/// What Debian's nginx has around a site.
const AROUND_NGINX: &str = r#"
daemon off;
master_process off;
worker_processes 1;
pid HERE/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path HERE/body;
    proxy_temp_path HERE/proxy;
    fastcgi_temp_path HERE/fastcgi;
    uwsgi_temp_path HERE/uwsgi;
    scgi_temp_path HERE/scgi;
    gzip on;
SITE
}
"#;

/// The same for Caddy, which passes on the name and tells the client by itself.
const CADDY: &str = r#"
{
	admin off
	auto_https off
	storage file_system HERE/storage
	servers {
		timeouts {
			read_header 10s
			read_body 30s
		}
	}
}
http://localhost:PORT {
	bind 127.0.0.1
	reverse_proxy TARGET
}
"#;
