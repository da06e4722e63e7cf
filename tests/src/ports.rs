//! Ports for programs that are stopped and started again.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::TcpListener;

use anyhow::{Result, ensure};

/// Below the range from which the system takes ports for connections (32,768 on). A port of that range that a stopped program gave
/// back may belong to somebody's connection when it starts again.
const LASTING: std::ops::Range<u16> = 12_000..32_000;
/// How many ports are tried before it is said that there is none.
const TRIES: u32 = 1_000;

/// `N` ports that are free, and that nobody is given by chance.
///
/// # Errors
/// When none is found.
pub fn lasting<const N: usize>() -> Result<[u16; N]> {
    let random = RandomState::new();
    let mut held: Vec<(u16, TcpListener)> = Vec::with_capacity(N);
    for attempt in 0..TRIES {
        if held.len() == N {
            break;
        }
        let mut hasher = random.build_hasher();
        hasher.write_u32(attempt);
        let span = u64::from(LASTING.end - LASTING.start);
        let port = LASTING.start + u16::try_from(hasher.finish() % span)?;
        // All are held at once, so that they differ.
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            held.push((port, listener));
        }
    }
    let ports: Vec<u16> = held.iter().map(|(port, _)| *port).collect();
    ensure!(ports.len() == N, "there are no {N} free ports in {LASTING:?}");
    let mut lasting = [0; N];
    lasting.copy_from_slice(&ports);
    Ok(lasting)
}
