//! Where the demo can be reached: on this machine, and in the local network when that is asked for.

use std::net::{IpAddr, Ipv4Addr, TcpListener as StdListener, UdpSocket};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// Interfaces of containers, virtual machines and tunnels: no phone is there.
const VIRTUAL: [&str; 12] = [
    "docker",
    "br-",
    "veth",
    "virbr",
    "vnet",
    "lxc",
    "lxd",
    "podman",
    "cni",
    "tun",
    "wg",
    "tailscale",
];

/// One page's listeners.
pub struct Doors {
    here: TcpListener,
    lan: Option<TcpListener>,
}

impl Doors {
    /// Opens them at one port of this machine and, if given, of `lan`. A `usual` port that is taken is replaced by a free one.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn open(usual: Option<u16>, lan: Option<Ipv4Addr>) -> Result<Self> {
        let port = port(usual, lan)?;
        let lan = match lan {
            Some(address) => Some(TcpListener::bind((address, port)).await?),
            None => None,
        };
        Ok(Self {
            here: TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?,
            lan,
        })
    }

    /// The address for this machine's browser.
    ///
    /// # Errors
    /// When the system does not tell the port.
    pub fn here(&self) -> Result<String> {
        Ok(format!("http://{}", self.here.local_addr()?))
    }

    /// The address to hand out: the local network's, if there is one.
    ///
    /// # Errors
    /// As [`Doors::here`].
    pub fn url(&self) -> Result<String> {
        match &self.lan {
            Some(lan) => Ok(format!("http://{}", lan.local_addr()?)),
            None => self.here(),
        }
    }

    /// Serves the same pages at all of them.
    ///
    /// # Errors
    /// When a listener fails.
    pub async fn serve(self, pages: Router) -> Result<()> {
        let here = axum::serve(self.here, pages.clone());
        match self.lan {
            Some(lan) => {
                tokio::try_join!(async { here.await }, async { axum::serve(lan, pages).await })?;
            }
            None => here.await?,
        }
        Ok(())
    }
}

/// A port that is free on this machine and on `lan`: the `usual` one if it is.
///
/// # Errors
/// When none is free.
pub fn port(usual: Option<u16>, lan: Option<Ipv4Addr>) -> Result<u16> {
    let is_free = |port: u16| {
        let here = StdListener::bind((Ipv4Addr::LOCALHOST, port));
        let there = lan.map(|address| StdListener::bind((address, port))).transpose();
        here.and_then(|here| there.map(|_| here)).ok()
    };
    if let Some(listener) = usual.and_then(is_free) {
        return Ok(listener.local_addr()?.port());
    }
    Ok(StdListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Leads what comes to `port` at `lan` to the same port of this machine, where the server listens: its dashboard can be used there
/// only, since no browser keeps a session from a network without TLS.
///
/// # Errors
/// When the port is taken.
pub async fn lead_in(lan: Ipv4Addr, port: u16) -> Result<()> {
    let listener = TcpListener::bind((lan, port)).await?;
    loop {
        let (mut outside, _) = listener.accept().await?;
        tokio::spawn(async move {
            // Either end may break a connection off, or the server be just starting anew: browsers come again.
            if let Ok(mut inside) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                let _ = copy_bidirectional(&mut outside, &mut inside).await;
            }
        });
    }
}

/// This machine's address in the local network.
///
/// # Errors
/// When it has none, naming those that it has.
pub fn lan_address() -> Result<Ipv4Addr> {
    let interfaces = if_addrs::get_if_addrs().context("the machine does not tell its addresses")?;
    let found: Vec<(String, IpAddr)> = interfaces
        .into_iter()
        .map(|interface| (interface.name.clone(), interface.ip()))
        .collect();
    choose(&found, routed())
}

/// The address by which the machine would speak to the world. Nothing is sent for that.
fn routed() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address that is reserved for documents (RFC 5737): whoever has a way out has one to it.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// The private address (RFC 1918) by which the machine speaks to the world, else the first one of real hardware.
fn choose(found: &[(String, IpAddr)], routed: Option<IpAddr>) -> Result<Ipv4Addr> {
    let candidates: Vec<Ipv4Addr> = found
        .iter()
        .filter(|(name, _)| !VIRTUAL.iter().any(|start| name.starts_with(start)))
        .filter_map(|(_, address)| match address {
            IpAddr::V4(address) if address.is_private() => Some(*address),
            _ => None,
        })
        .collect();
    let told: Vec<String> = found
        .iter()
        .map(|(name, address)| format!("{name} {address}"))
        .collect();
    ensure!(
        !candidates.is_empty(),
        "--lan needs an address in a local network (10.x, 172.16.x to 172.31.x or 192.168.x), and this machine has none; it has: {}",
        told.join(", ")
    );
    let preferred = candidates.iter().find(|address| routed == Some(IpAddr::V4(**address)));
    Ok(*preferred.unwrap_or(&candidates[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(list: &[(&str, &str)]) -> Vec<(String, IpAddr)> {
        let read = |(name, address): &(&str, &str)| ((*name).to_owned(), address.parse().expect("an address"));
        list.iter().map(read).collect()
    }

    #[test]
    fn the_address_of_the_local_network_is_taken() {
        let machine = found(&[
            ("lo", "127.0.0.1"),
            ("docker0", "172.17.0.1"),
            ("wlan0", "192.168.178.20"),
            ("wlan0", "fe80::1"),
        ]);
        let chosen = choose(&machine, None).expect("there is one");
        assert_eq!(chosen, Ipv4Addr::new(192, 168, 178, 20));
    }

    #[test]
    fn of_two_the_one_that_leads_out_is_taken() {
        let machine = found(&[("eth0", "10.0.0.5"), ("wlan0", "192.168.178.20")]);
        let out = Some("192.168.178.20".parse().expect("an address"));
        assert_eq!(
            choose(&machine, out).expect("there is one"),
            Ipv4Addr::new(192, 168, 178, 20)
        );
        // A way out by an address of the world is no reason to be open to the world.
        let world = Some("203.0.113.7".parse().expect("an address"));
        assert_eq!(
            choose(&machine, world).expect("there is one"),
            Ipv4Addr::new(10, 0, 0, 5)
        );
    }

    #[test]
    fn a_machine_without_a_local_network_is_told_what_it_has() {
        for machine in [
            found(&[("lo", "127.0.0.1")]),
            found(&[("eth0", "203.0.113.7"), ("eth0", "169.254.1.1"), ("wg0", "10.8.0.2")]),
        ] {
            let refused = choose(&machine, None).expect_err("there is none").to_string();
            assert!(refused.contains("--lan needs an address"), "{refused}");
            assert!(refused.contains(&machine[0].1.to_string()), "{refused}");
        }
    }
}
