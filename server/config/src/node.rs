//! The settings of the node.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bitpro_charge::{BlockHash, Network};
use bitpro_node::{NodeAuth, NodeConfig, ZmqSource};
use url::Url;

use super::error::ConfigError;
use super::reader::Reader;

/// The node's configuration; `None` only together with an error in the reader.
pub(super) fn node(reader: &mut Reader, network: Option<Network>, home: Option<&Path>) -> Option<NodeConfig> {
    let rpc_url = reader.parsed("node_rpc_url", rpc_url).or_else(|| {
        let port = rpc_port(network?);
        Url::parse(&format!("http://127.0.0.1:{port}")).ok()
    });
    let auth = auth(reader, network, home);
    let zmq = reader.parsed("node_zmq", zmq);
    let poll_interval = Duration::from_millis(reader.number("node_poll_ms", 50..=60_000));
    let reorg_limit = reader.number("reorg_limit", 1..=100);
    let dropped_after_secs = reader.number("dropped_after_secs", 60..=1_209_600);
    let accept_block = reader.parsed("accept_block", |text| text.parse::<BlockHash>().ok());
    let requires_peers = reader.parsed("node_requires_peers", |text| text.parse::<bool>().ok());
    let defaults = NodeConfig::new(rpc_url?, auth?, network?);
    Some(NodeConfig {
        reorg_limit,
        dropped_after_secs,
        poll_interval,
        zmq: zmq?,
        requires_peers: requires_peers.unwrap_or(defaults.requires_peers),
        accept_block,
        ..defaults
    })
}

fn rpc_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    // Credentials in the address would end up in logs: they have settings of their own.
    let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    (bare && url.scheme() == "http" && url.host().is_some()).then_some(url)
}

const fn rpc_port(network: Network) -> u16 {
    match network {
        Network::Mainnet => 8332,
        Network::Testnet4 => 48332,
        Network::Signet => 38332,
        Network::Regtest => 18443,
    }
}

fn auth(reader: &mut Reader, network: Option<Network>, home: Option<&Path>) -> Option<NodeAuth> {
    let user = reader.text("node_rpc_user").map(|(user, _)| user);
    let errors_before = reader.errors.len();
    let password = reader.secret_text("node_rpc_password").map(|(password, _)| password);
    match (user, password) {
        (Some(user), Some(password)) => {
            if reader.is_written("node_cookie_file") {
                reader.errors.push(ConfigError::Contradiction(
                    "node_rpc_user and node_cookie_file are both set: only one can be right".to_owned(),
                ));
            }
            Some(NodeAuth::Password { user, password })
        }
        (Some(_), None) => {
            if reader.errors.len() == errors_before {
                reader.missing("node_rpc_password", "with node_rpc_user");
            }
            None
        }
        (None, Some(_)) => {
            reader.missing("node_rpc_user", "with node_rpc_password");
            None
        }
        (None, None) => cookie(reader, network, home).map(NodeAuth::Cookie),
    }
}

fn cookie(reader: &mut Reader, network: Option<Network>, home: Option<&Path>) -> Option<PathBuf> {
    if let Some(path) = reader.path("node_cookie_file") {
        return Some(path);
    }
    let folder = match network? {
        Network::Mainnet => "",
        Network::Testnet4 => "testnet4",
        Network::Signet => "signet",
        Network::Regtest => "regtest",
    };
    let Some(home) = home else {
        reader.missing("node_cookie_file", "when HOME is not set");
        return None;
    };
    Some(home.join(".bitcoin").join(folder).join(".cookie"))
}

fn zmq(text: &str) -> Option<ZmqSource> {
    match text {
        "auto" => return Some(ZmqSource::Discover),
        "off" => return Some(ZmqSource::Off),
        _ => {}
    }
    let mut addresses = text.split(',').map(str::trim);
    let (rawtx, sequence) = (addresses.next()?, addresses.next()?);
    let is_address = |text: &str| {
        text.strip_prefix("tcp://")
            .and_then(|rest| rest.rsplit_once(':'))
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    };
    (addresses.next().is_none() && is_address(rawtx) && is_address(sequence)).then(|| ZmqSource::Endpoints {
        rawtx: rawtx.to_owned(),
        sequence: sequence.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_come_from_the_node_from_two_addresses_or_from_nowhere() {
        assert_eq!(zmq("auto"), Some(ZmqSource::Discover));
        assert_eq!(zmq("off"), Some(ZmqSource::Off));
        assert_eq!(
            zmq("tcp://127.0.0.1:28332, tcp://[::1]:28333"),
            Some(ZmqSource::Endpoints {
                rawtx: "tcp://127.0.0.1:28332".to_owned(),
                sequence: "tcp://[::1]:28333".to_owned(),
            })
        );
        for bad in [
            "tcp://127.0.0.1:1",
            "127.0.0.1:1,127.0.0.1:2",
            "tcp://a:1,tcp://b:2,tcp://c:3",
            "tcp://a,tcp://b",
        ] {
            assert_eq!(zmq(bad), None, "{bad}");
        }
    }

    #[test]
    fn credentials_in_the_address_are_refused() {
        assert!(rpc_url("http://127.0.0.1:18443").is_some());
        assert!(rpc_url("http://user:password@127.0.0.1:18443").is_none());
        assert!(rpc_url("https://127.0.0.1").is_none());
    }
}
