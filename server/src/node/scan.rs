//! Scans of the UTXO set: at the first use of a descriptor (R27), and after a missing issuance mark (R28).

use std::collections::HashSet;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::api::{NodeApi, Waiter};
use super::error::NodeError;
use super::port::{ChargesPort, IssuedRange, ScanRequest};
use bitcoin::ScriptBuf;
use miniscript::{Descriptor, DescriptorPublicKey};

/// Scans on a thread of its own: payments are noticed meanwhile.
pub(super) struct Scanner<P, N> {
    node: Arc<N>,
    port: Arc<P>,
    runtime: Waiter,
    is_busy: Arc<AtomicBool>,
}

impl<P: ChargesPort, N: NodeApi> Scanner<P, N> {
    pub(super) fn new(node: Arc<N>, port: Arc<P>, runtime: Waiter) -> Self {
        Self {
            node,
            port,
            runtime,
            is_busy: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Starts what waits, if nothing runs. Bitcoin Core does one scan at a time.
    pub(super) fn scan_if_wanted(&self) {
        let wanted = self.port.scans_wanted();
        if wanted.is_empty() || self.is_busy.swap(true, Ordering::AcqRel) {
            return;
        }
        let (node, port, runtime) = (Arc::clone(&self.node), Arc::clone(&self.port), self.runtime.clone());
        let is_busy = Arc::clone(&self.is_busy);
        let scanning = move || {
            for request in &wanted {
                if let Err(error) = scan(node.as_ref(), port.as_ref(), &runtime, request) {
                    tracing::warn!(
                        descriptor = request.id,
                        error,
                        "a descriptor could not be looked for in the UTXO set"
                    );
                    break;
                }
            }
            is_busy.store(false, Ordering::Release);
        };
        if let Err(error) = self.node.aside(Box::new(scanning)) {
            tracing::warn!(%error, "no thread for a scan of the UTXO set");
            self.is_busy.store(false, Ordering::Release);
        }
    }
}

fn scan<P: ChargesPort, N: NodeApi>(node: &N, port: &P, runtime: &Waiter, request: &ScanRequest) -> Result<(), String> {
    let IssuedRange { descriptor, highest } = &request.range;
    let found = node
        .scan(&[(descriptor.clone(), *highest)])
        .map_err(|error| error.to_string())?;
    if !found.success {
        return Err(NodeError::Malformed("the scan was broken off".to_owned()).to_string());
    }
    let scripts: HashSet<ScriptBuf> = found.unspents.into_iter().map(|unspent| unspent.script).collect();
    let highest_used = highest_index(&request.range, &scripts)?;
    tracing::info!(
        descriptor = request.id,
        ?highest_used,
        "a descriptor was looked for in the UTXO set"
    );
    runtime
        .block_on(port.finish_scan(request.id, highest_used))
        .map_err(|error| error.to_string())
}

/// The highest index of the range whose script is among `scripts`.
fn highest_index(range: &IssuedRange, scripts: &HashSet<ScriptBuf>) -> Result<Option<u32>, String> {
    if scripts.is_empty() {
        return Ok(None);
    }
    let descriptor =
        Descriptor::<DescriptorPublicKey>::from_str(&range.descriptor).map_err(|error| error.to_string())?;
    for index in (0..=range.highest).rev() {
        let script = descriptor
            .at_derivation_index(index)
            .map_err(|error| error.to_string())?
            .script_pubkey();
        if scripts.contains(&script) {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTOR: &str = "wpkh(tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp/0/*)";

    #[test]
    fn r27_the_counter_starts_above_the_highest_index_with_money() {
        let range = IssuedRange {
            descriptor: DESCRIPTOR.to_owned(),
            highest: 30,
        };
        let descriptor = Descriptor::<DescriptorPublicKey>::from_str(DESCRIPTOR).unwrap();
        let script = |index| descriptor.at_derivation_index(index).unwrap().script_pubkey();
        assert_eq!(highest_index(&range, &HashSet::new()), Ok(None));
        assert_eq!(highest_index(&range, &HashSet::from([script(0)])), Ok(Some(0)));
        assert_eq!(
            highest_index(&range, &HashSet::from([script(3), script(17)])),
            Ok(Some(17))
        );
    }
}
