//! Exports that are under way: each reads as many charges as a merchant has.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::connections::give_back;
use super::refused;

/// Exports of one account at a time.
pub const OF_ONE_ACCOUNT: u32 = 2;
/// Exports of all accounts at a time.
pub const OF_ALL: usize = 64;
/// Exports of all accounts that read at a time. The others take turns with them after each group of lines.
pub const READING: usize = 2;

/// Why no export begins now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooManyExports {
    /// The account has as many as it may.
    OfThisAccount,
    /// All accounts together have.
    OfAll,
}

/// The counters. Clones share them.
#[derive(Debug, Clone)]
pub struct Exports(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    reading: Semaphore,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    accounts: HashMap<[u8; 16], u32>,
    total: usize,
}

/// The right to one export, given back when it is dropped.
#[derive(Debug)]
pub struct ExportPermit {
    shared: Arc<Shared>,
    account: [u8; 16],
}

impl Default for Exports {
    fn default() -> Self {
        Self(Arc::new(Shared {
            reading: Semaphore::new(READING),
            open: Mutex::default(),
        }))
    }
}

impl Exports {
    /// Counts an export of `account` in.
    ///
    /// # Errors
    /// [`TooManyExports`].
    pub fn begin(&self, account: [u8; 16]) -> Result<ExportPermit, TooManyExports> {
        let mut open = self.0.open.lock();
        if open.accounts.get(&account).is_some_and(|held| *held >= OF_ONE_ACCOUNT) {
            refused("export_account");
            return Err(TooManyExports::OfThisAccount);
        }
        if open.total >= OF_ALL {
            refused("export_instance");
            return Err(TooManyExports::OfAll);
        }
        *open.accounts.entry(account).or_default() += 1;
        open.total += 1;
        Ok(ExportPermit {
            shared: Arc::clone(&self.0),
            account,
        })
    }
}

impl ExportPermit {
    /// Waits for this export's turn to read its next lines: first come, first served.
    pub async fn turn(&self) -> SemaphorePermit<'_> {
        self.shared
            .reading
            .acquire()
            .await
            .expect("the semaphore is never closed")
    }
}

impl Drop for ExportPermit {
    fn drop(&mut self) {
        let mut open = self.shared.open.lock();
        give_back(&mut open.accounts, &self.account);
        open.total -= 1;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn all_accounts_together_have_a_bound_of_exports_and_give_back_what_has_ended() {
        let exports = Exports::default();
        let account = |n: usize| [u8::try_from(n).unwrap(); 16];
        let mut held: Vec<_> = (0..OF_ALL).map(|n| exports.begin(account(n)).unwrap()).collect();
        assert_eq!(exports.begin(account(200)).unwrap_err(), TooManyExports::OfAll);
        drop(held.pop());
        assert!(exports.begin(account(200)).is_ok());
        drop(held);
        assert!(exports.0.open.lock().accounts.is_empty());
    }

    #[test]
    fn two_exports_read_at_a_time_and_the_next_has_its_turn_after_them() {
        let exports = Exports::default();
        let permits: Vec<_> = (0..3).map(|n| exports.begin([n; 16]).unwrap()).collect();
        let first = permits[0].turn().now_or_never().unwrap();
        let _second = permits[1].turn().now_or_never().unwrap();
        let mut third = Box::pin(permits[2].turn());
        assert!((&mut third).now_or_never().is_none());
        drop(first);
        assert!(third.now_or_never().is_some());
    }
}
