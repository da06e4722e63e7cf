//! Scans of the UTXO set: at the first use of a descriptor (R27), and after a missing issuance mark (R28).

use std::collections::HashSet;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bitcoin::ScriptBuf;
use miniscript::{Descriptor, DescriptorPublicKey};
use tokio::runtime::Handle;

use super::config::NodeConfig;
use super::error::NodeError;
use super::port::{ChargesPort, IssuedRange, ScanRequest};
use super::rpc::Rpc;

/// A scan reads the whole UTXO set: minutes on a good disk, and never the reason for a time-out.
const SCAN_TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);

/// A client that waits for as long as a scan takes.
pub(super) fn scan_rpc(config: &NodeConfig) -> Rpc {
    Rpc::new(config, SCAN_TIMEOUT)
}

/// Scans on a thread of its own: payments are noticed meanwhile.
pub(super) struct Scanner<P> {
    config: NodeConfig,
    port: Arc<P>,
    runtime: Handle,
    is_busy: Arc<AtomicBool>,
}

impl<P: ChargesPort> Scanner<P> {
    pub(super) fn new(config: &NodeConfig, port: Arc<P>, runtime: Handle) -> Self {
        Self {
            config: config.clone(),
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
        let (config, port, runtime) = (self.config.clone(), Arc::clone(&self.port), self.runtime.clone());
        let is_busy = Arc::clone(&self.is_busy);
        let scanning = move || {
            for request in &wanted {
                if let Err(error) = scan(&config, port.as_ref(), &runtime, request) {
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
        // Not one of the runtime's threads: those are waited for at the end of the process.
        if let Err(error) = std::thread::Builder::new().name("utxo-scan".to_owned()).spawn(scanning) {
            tracing::warn!(%error, "no thread for a scan of the UTXO set");
            self.is_busy.store(false, Ordering::Release);
        }
    }
}

fn scan<P: ChargesPort>(config: &NodeConfig, port: &P, runtime: &Handle, request: &ScanRequest) -> Result<(), String> {
    let IssuedRange { descriptor, highest } = &request.range;
    let found = scan_rpc(config)
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
