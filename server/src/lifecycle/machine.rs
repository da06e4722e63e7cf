//! What the machine gives: how many connections, and an address.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted: a shop's whole crowd after a restart.
const BACKLOG: u32 = 1_024;

/// How many connections may be open: as configured, but no more than there are files for. Everything else needs a few.
pub(super) fn connections(configured: usize) -> usize {
    let Some(files) = open_files() else {
        return configured;
    };
    let room = files.saturating_sub(FILES_FOR_ELSE).max(1);
    if room < configured {
        tracing::warn!(
            "max_connections = {configured}, but this process may open only {files} files: {room} connections are taken at \
             once. Raise the limit (LimitNOFILE in systemd, ulimit -n in a shell)"
        );
    }
    configured.min(room)
}

/// Database, node, log, libraries.
pub(crate) const FILES_FOR_ELSE: usize = 200;

/// The soft limit of open files, where the system tells it in Linux's way.
pub(crate) fn open_files() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A socket that is listened on.
///
/// # Errors
/// The operating system's, as that somebody else has the address.
pub(crate) fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // A restart must not wait for the last connections of the run before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
