//! A real nginx or Caddy in front of the server, set up as the guide says and started without privileges of its own.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::ports;
use crate::process::Process;
use crate::wait::eventually;

/// A running proxy. Dropping it ends it.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    _process: Process,
    _folder: TempDir,
}

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
        let command = kind.command(folder.path(), port, target)?;
        let log = folder.path().join("proxy.log");
        let mut process = Process::start("the proxy", &command, &log)?;
        let url = format!("http://localhost:{port}/healthz");
        let http = reqwest::Client::new();
        eventually("the proxy to answer", || {
            let ended = process.exit_status();
            let asking = http.get(&url).send();
            let log = log.clone();
            async move {
                ensure!(
                    ended?.is_none(),
                    "the proxy ended: {}",
                    fs::read_to_string(log).unwrap_or_default()
                );
                let status = asking.await.context("no answer")?.status();
                ensure!(status.is_success(), "it answers {status}");
                Ok(())
            }
        })
        .await?;
        Ok(Self {
            port,
            _process: process,
            _folder: folder,
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
        format!("http://localhost:{}", self.port)
    }
}

impl ProxyKind {
    fn command(self, folder: &Path, port: u16, target: &str) -> Result<Command> {
        let (variable, usual, configuration) = match self {
            Self::Nginx => ("NGINX", "/usr/sbin/nginx", NGINX),
            Self::Caddy => ("CADDY", "/usr/bin/caddy", CADDY),
        };
        let program = env::var_os(variable).map_or_else(|| PathBuf::from(usual), PathBuf::from);
        ensure!(
            program.is_file(),
            "there is no {}: name one by {variable}, or run `cargo xtask setup`",
            program.display()
        );
        let file = folder.join("configuration");
        fs::write(
            &file,
            configuration
                .replace("HERE", &folder.display().to_string())
                .replace("PORT", &port.to_string())
                .replace("TARGET", target),
        )?;
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
