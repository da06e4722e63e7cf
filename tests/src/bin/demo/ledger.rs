//! What the demo's wallet has sent, and what became of it.

use std::sync::{Mutex, PoisonError};

use bitcoin::Txid;

/// One payment, under its latest transaction.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The transaction that pays, or last paid, it.
    pub txid: Txid,
    /// To whom.
    pub address: String,
    /// How much, in satoshis.
    pub sats: u64,
    /// Whether it was taken back.
    pub taken_back: bool,
}

/// All payments, the latest first.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Vec<Sent>>);

impl Ledger {
    /// All payments, the latest first.
    pub fn list(&self) -> Vec<Sent> {
        self.locked().clone()
    }

    /// Notes a new payment.
    pub fn add(&self, txid: Txid, address: &str, sats: u64) {
        let sent = Sent {
            txid,
            address: address.to_owned(),
            sats,
            taken_back: false,
        };
        self.locked().insert(0, sent);
    }

    /// Notes that a payment goes on under another transaction.
    pub fn replace(&self, old: Txid, new: Txid) {
        for sent in self.locked().iter_mut().filter(|sent| sent.txid == old) {
            sent.txid = new;
        }
    }

    /// Notes that a payment was taken back.
    pub fn take_back(&self, txid: Txid) {
        for sent in self.locked().iter_mut().filter(|sent| sent.txid == txid) {
            sent.taken_back = true;
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Sent>> {
        // Nothing that holds the lock can leave the list half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
