//! Scans of the UTXO set: at the first use of a descriptor (R27), and after a missing issuance mark (R28).

use std::collections::HashSet;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use bitcoin::ScriptBuf;
use bitpro_charge::BlockRef;
use miniscript::{Descriptor, DescriptorPublicKey};
use tokio::sync::Notify;

use super::api::NodeApi;
use super::convert;
use super::error::NodeError;
use super::port::{IssuedRange, ScanRequest};

/// What a scan has found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scanned {
    /// The descriptor's row.
    pub id: i64,
    /// The highest index that has money in the UTXO set.
    pub highest_used: Option<u32>,
    /// The block up to which that set reaches.
    pub block: BlockRef,
}

/// Scans beside the watcher's own work: payments are noticed meanwhile. The watcher takes over what was found.
pub(super) struct Scanner<N> {
    node: Arc<N>,
    is_busy: Arc<AtomicBool>,
    /// Notified when there is something to take over.
    asks: Arc<Notify>,
    finish: Sender<Scanned>,
    finished: Receiver<Scanned>,
}

impl<N: NodeApi> Scanner<N> {
    pub(super) fn new(node: Arc<N>, asks: Arc<Notify>) -> Self {
        let (finish, finished) = channel();
        Self {
            node,
            is_busy: Arc::new(AtomicBool::new(false)),
            asks,
            finish,
            finished,
        }
    }

    /// Starts what is wanted, if nothing runs. Bitcoin Core does one scan at a time.
    pub(super) fn scan(&self, wanted: Vec<ScanRequest>) {
        if wanted.is_empty() || self.is_busy.swap(true, Ordering::AcqRel) {
            return;
        }
        let (node, finish, asks) = (Arc::clone(&self.node), self.finish.clone(), Arc::clone(&self.asks));
        let is_busy = Arc::clone(&self.is_busy);
        let scanning = move || {
            for request in &wanted {
                match scan(&*node, request) {
                    // Whoever asked may be gone: then nobody wants to know.
                    Ok(scanned) => drop(finish.send(scanned)),
                    Err(error) => {
                        let descriptor = request.id;
                        tracing::warn!(descriptor, error, "cannot search the UTXO set for a descriptor");
                        break;
                    }
                }
            }
            is_busy.store(false, Ordering::Release);
            asks.notify_one();
        };
        if let Err(error) = self.node.aside(Box::new(scanning)) {
            tracing::warn!(%error, "cannot start a thread to scan the UTXO set");
            self.is_busy.store(false, Ordering::Release);
        }
    }

    /// What was found since this was asked last.
    pub(super) fn finished(&self) -> impl Iterator<Item = Scanned> + '_ {
        self.finished.try_iter()
    }
}

fn scan(node: &impl NodeApi, request: &ScanRequest) -> Result<Scanned, String> {
    let IssuedRange { descriptor, highest } = &request.range;
    let found = node
        .scan(&[(descriptor.clone(), *highest)])
        .map_err(|error| error.to_string())?;
    let Some(best) = found.best.filter(|_| found.success) else {
        return Err(NodeError::Malformed("the scan was aborted".to_owned()).to_string());
    };
    let scripts: HashSet<ScriptBuf> = found.unspents.into_iter().map(|unspent| unspent.script).collect();
    let highest_used = highest_index(&request.range, &scripts)?;
    tracing::info!(
        descriptor = request.id,
        ?highest_used,
        "searched the UTXO set for a descriptor"
    );
    Ok(Scanned {
        id: request.id,
        highest_used,
        block: BlockRef {
            height: found.height,
            hash: convert::block_hash(best),
        },
    })
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
