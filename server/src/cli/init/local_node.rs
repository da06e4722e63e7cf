//! Bitcoin nodes on this machine: where they put their cookies, and where they listen.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bitpro_charge::Network;

/// Networks in the order in which they are looked for.
const NETWORKS: [Network; 4] = [Network::Mainnet, Network::Testnet4, Network::Signet, Network::Regtest];
/// Data folders of nodes that are services, beside those of people.
const FOLDERS: [&str; 3] = ["/var/lib/bitcoind", "/var/lib/bitcoin", "/home/bitcoin/.bitcoin"];
/// The cookie of docs/install.md, which the group of the node can read.
const SHARED_COOKIE: &str = "/run/bitcoind/cookie";
/// A node on this machine accepts at once.
const ACCEPTS_WITHIN: Duration = Duration::from_millis(500);

/// A node that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalNode {
    pub network: Network,
    pub url: String,
    pub cookie: PathBuf,
}

/// The nodes of `network`, or of all, that left a cookie and accept connections.
pub(super) fn find(network: Option<Network>) -> Vec<LocalNode> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let folders = home.into_iter().map(|home| home.join(".bitcoin"));
    let folders: Vec<PathBuf> = folders.chain(FOLDERS.map(PathBuf::from)).collect();
    let mut found = in_folders(&folders, network);
    let shared = Path::new(SHARED_COOKIE);
    if shared.exists() {
        let networks = NETWORKS
            .into_iter()
            .filter(|known| network.is_none_or(|network| network == *known));
        // Which network it is for, only the port tells; and it is the one that a service can read.
        let nodes = networks.map(|network| LocalNode {
            network,
            url: url(rpc_port(network)),
            cookie: shared.to_path_buf(),
        });
        found = nodes.chain(found).collect();
    }
    found.retain(accepts);
    found.dedup_by_key(|node| node.network);
    found
}

fn in_folders(folders: &[PathBuf], network: Option<Network>) -> Vec<LocalNode> {
    let networks = NETWORKS
        .into_iter()
        .filter(|known| network.is_none_or(|network| network == *known));
    networks
        .flat_map(|network| folders.iter().filter_map(move |folder| in_folder(folder, network)))
        .collect()
}

fn in_folder(folder: &Path, network: Network) -> Option<LocalNode> {
    let cookie = folder.join(subfolder(network)).join(".cookie");
    // A cookie that this user cannot read is no use to them; the check would only say so.
    fs::File::open(&cookie).ok()?;
    let configured = fs::read_to_string(folder.join("bitcoin.conf")).ok();
    let port = configured.and_then(|text| configured_port(&text, network));
    Some(LocalNode {
        network,
        url: url(port.unwrap_or_else(|| rpc_port(network))),
        cookie,
    })
}

fn accepts(node: &LocalNode) -> bool {
    let address = node
        .url
        .strip_prefix("http://")
        .and_then(|at| at.parse::<SocketAddr>().ok());
    address.is_some_and(|address| TcpStream::connect_timeout(&address, ACCEPTS_WITHIN).is_ok())
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

const fn subfolder(network: Network) -> &'static str {
    match network {
        Network::Mainnet => "",
        Network::Testnet4 => "testnet4",
        Network::Signet => "signet",
        Network::Regtest => "regtest",
    }
}

const fn rpc_port(network: Network) -> u16 {
    match network {
        Network::Mainnet => 8332,
        Network::Testnet4 => 48332,
        Network::Signet => 38332,
        Network::Regtest => 18443,
    }
}

/// `rpcport` of a bitcoin.conf: in the network's section, with the network in front, or before all sections, where it is mainnet's.
fn configured_port(text: &str, network: Network) -> Option<u16> {
    let ours = match network {
        Network::Mainnet => "main",
        other => subfolder(other),
    };
    let mut section = "main";
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let is_ours = match name.trim().split_once('.') {
            Some((network, "rpcport")) => network == ours,
            None => name.trim() == "rpcport" && section == ours,
            _ => false,
        };
        if let Some(port) = value.trim().parse().ok().filter(|_| is_ours) {
            return Some(port);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_that_of_the_networks_own_section() {
        let text = "rpcport=1000 # ours\nsignet.rpcport = 2000\n[regtest]\nrpcport=3000\n[test]\nrpcport=4000\n";
        assert_eq!(configured_port(text, Network::Mainnet), Some(1000));
        assert_eq!(configured_port(text, Network::Signet), Some(2000));
        assert_eq!(configured_port(text, Network::Regtest), Some(3000));
        assert_eq!(configured_port(text, Network::Testnet4), None);
    }

    #[test]
    fn a_cookie_is_found_where_the_node_of_its_network_puts_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join(".bitcoin");
        fs::create_dir_all(data.join("regtest")).unwrap();
        fs::write(data.join("regtest/.cookie"), "a:b").unwrap();
        fs::write(data.join("bitcoin.conf"), "regtest.rpcport=9999\n").unwrap();
        let found = in_folders(std::slice::from_ref(&data), None);
        let node = LocalNode {
            network: Network::Regtest,
            url: "http://127.0.0.1:9999".to_owned(),
            cookie: data.join("regtest/.cookie"),
        };
        assert_eq!(found, [node]);
        assert_eq!(in_folders(&[data], Some(Network::Mainnet)), []);
    }
}
