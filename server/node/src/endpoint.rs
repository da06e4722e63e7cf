//! Where the node's notifications can be heard from here.

use super::config::ZmqSource;
use super::error::NodeError;
use super::rpc::answers::Notification;
use super::zmq::Topic;

/// The addresses of the topics; those that the node does not publish are missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Endpoints {
    pub rawtx: Option<String>,
    pub sequence: Option<String>,
    /// Where these topics are published that nothing here can connect to, such as a Unix socket.
    pub out_of_reach: Vec<String>,
}

/// Where the topics are published, as we can reach them. A node without ZMQ does not know the call, and is polled.
///
/// # Errors
/// [`NodeError`].
pub(super) fn endpoints(
    source: &ZmqSource,
    host: Option<&str>,
    notifications: impl FnOnce() -> Result<Vec<Notification>, NodeError>,
) -> Result<Endpoints, NodeError> {
    let published = match source {
        ZmqSource::Off => return Ok(Endpoints::default()),
        ZmqSource::Endpoints { rawtx, sequence } => {
            return Ok(Endpoints {
                rawtx: Some(rawtx.clone()),
                sequence: Some(sequence.clone()),
                out_of_reach: Vec::new(),
            });
        }
        ZmqSource::Discover => match notifications() {
            Ok(published) => published,
            Err(NodeError::Refused { .. }) => Vec::new(),
            Err(error) => return Err(error),
        },
    };
    let find = |topic: Topic| {
        let of_topic = |one: &&Notification| one.kind == topic.notification();
        published
            .iter()
            .filter(of_topic)
            .find_map(|one| reachable(&one.address, host))
    };
    let (rawtx, sequence) = (find(Topic::RawTx), find(Topic::Sequence));
    let lacks = |topic: Topic, found: &Option<String>| found.is_none().then(|| topic.notification());
    let lacking: Vec<&str> = [lacks(Topic::RawTx, &rawtx), lacks(Topic::Sequence, &sequence)]
        .into_iter()
        .flatten()
        .collect();
    let out_of_reach = published
        .iter()
        .filter(|one| lacking.contains(&one.kind.as_str()))
        .map(|one| one.address.clone());
    let out_of_reach = out_of_reach.collect();
    Ok(Endpoints {
        rawtx,
        sequence,
        out_of_reach,
    })
}

/// Turns the address that a node publishes at into one that can be connected to; `None` for what is no TCP address. A node that binds
/// to every interface is reached where its RPC is.
fn reachable(published: &str, rpc_host: Option<&str>) -> Option<String> {
    let address = published.strip_prefix("tcp://")?;
    let (host, port) = address.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let host = match host {
        "*" | "0.0.0.0" | "[::]" | "" => rpc_host?,
        host => host,
    };
    Some(format!("tcp://{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publisher_on_every_interface_is_reached_where_the_rpc_is() {
        let reach = |published| reachable(published, Some("node.example"));
        assert_eq!(reach("tcp://127.0.0.1:28332").as_deref(), Some("tcp://127.0.0.1:28332"));
        assert_eq!(
            reach("tcp://0.0.0.0:28332").as_deref(),
            Some("tcp://node.example:28332")
        );
        assert_eq!(reach("tcp://*:28332").as_deref(), Some("tcp://node.example:28332"));
        assert_eq!(reach("tcp://[::]:28332").as_deref(), Some("tcp://node.example:28332"));
        assert_eq!(reach("tcp://[::1]:28332").as_deref(), Some("tcp://[::1]:28332"));
        assert_eq!(reach("ipc:///run/bitcoin.sock"), None);
        assert_eq!(reach("tcp://127.0.0.1"), None);
    }
}
