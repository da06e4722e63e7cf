//! A node and a wallet on a chain of their own, for trying the installed server.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::proc;
use crate::setup;
use crate::stopwatch::Stopwatch;
use crate::workspace::Workspace;

/// What the node and the server agree on.
const USER: &str = "bitpro";
const PASSWORD: &str = "of-a-node-that-lives-for-minutes";
const PATIENCE: Duration = Duration::from_secs(90);

/// A running node. Dropping it ends it.
#[derive(Debug)]
pub struct Node<'w> {
    workspace: &'w Workspace,
    process: Child,
    folder: PathBuf,
    rpc: u16,
}

impl<'w> Node<'w> {
    /// Starts it with an empty chain and a wallet that has money.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(workspace: &'w Workspace, folder: PathBuf) -> Result<Self> {
        setup::fresh_folder(&folder)?;
        let [rpc, rawtx, sequence] = [free_port()?, free_port()?, free_port()?];
        let mut command = proc::command(workspace, setup::bitcoind(workspace)?);
        command
            .args(["-regtest", "-listen=0", "-connect=0", "-printtoconsole=0", "-rest"])
            .args([
                "-fallbackfee=0.0001",
                "-dbcache=16",
                "-rpcbind=127.0.0.1",
                "-rpcallowip=127.0.0.1",
            ])
            .arg(format!("-datadir={}", folder.display()))
            .arg(format!("-rpcport={rpc}"))
            .arg(format!("-rpcuser={USER}"))
            .arg(format!("-rpcpassword={PASSWORD}"))
            .arg(format!("-zmqpubrawtx=tcp://127.0.0.1:{rawtx}"))
            .arg(format!("-zmqpubsequence=tcp://127.0.0.1:{sequence}"))
            .stdout(Stdio::null());
        let process = command
            .spawn()
            .map_err(|error| Failure::new(format!("cannot run {}: {error}", proc::shown(&command))))?;
        let node = Self {
            workspace,
            process,
            folder,
            rpc,
        };
        let stopwatch = Stopwatch::start();
        while let Err(failure) = node.ask("getblockcount", "[]") {
            if stopwatch.elapsed() > PATIENCE {
                return Err(failure);
            }
            thread::sleep(Duration::from_millis(200));
        }
        node.ask("createwallet", r#"["shopper"]"#)?;
        node.mine(101)?;
        Ok(node)
    }

    /// The settings by which the server finds it.
    pub fn settings(&self) -> [(&'static str, String); 4] {
        [
            ("network", "regtest".to_owned()),
            ("node_rpc_url", format!("http://127.0.0.1:{}", self.rpc)),
            ("node_rpc_user", USER.to_owned()),
            ("node_rpc_password", PASSWORD.to_owned()),
        ]
    }

    /// Pays `address`; `amount` is in bitcoin, as the node writes it.
    ///
    /// # Errors
    /// When the node refuses.
    pub fn pay(&self, address: &str, amount: &str) -> Result<()> {
        self.ask("sendtoaddress", &format!(r#"["{address}", "{amount}"]"#))
            .map(drop)
    }

    /// Mines blocks for the wallet.
    ///
    /// # Errors
    /// When the node refuses.
    pub fn mine(&self, blocks: u32) -> Result<()> {
        let address = self.ask("getnewaddress", "[]")?;
        let address =
            text_of(&address, "result").ok_or_else(|| Failure::new(format!("the node gives no address: {address}")))?;
        self.ask("generatetoaddress", &format!(r#"[{blocks}, "{address}"]"#))
            .map(drop)
    }

    fn ask(&self, method: &str, parameters: &str) -> Result<String> {
        let question = format!(r#"{{"method": "{method}", "params": {parameters}}}"#);
        let mut ask = proc::command(self.workspace, "curl");
        ask.args(["--silent", "--show-error", "--fail-with-body", "--user"])
            .arg(format!("{USER}:{PASSWORD}"))
            .args(["--data", &question, &format!("http://127.0.0.1:{}/", self.rpc)]);
        proc::read(&mut ask)
    }
}

impl Drop for Node<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A port that nobody has now.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener
        .map(|address| address.port())
        .map_err(|error| Failure::new(format!("there is no free port: {error}")))
}

/// The text that stands behind the first `name` in a document of JSON. Addresses, ids and states have no escapes.
pub fn text_of(json: &str, name: &str) -> Option<String> {
    let (_, rest) = json.split_once(&format!("\"{name}\""))?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    rest.split_once('"').map(|(text, _)| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_by_its_name() {
        let json = r#"{"id": "c1", "state":"pending", "amount": 5}"#;
        assert_eq!(text_of(json, "state").as_deref(), Some("pending"));
        assert_eq!(text_of(json, "id").as_deref(), Some("c1"));
        assert_eq!(text_of(json, "amount"), None);
        assert_eq!(text_of(json, "missing"), None);
    }
}
