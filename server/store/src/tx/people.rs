//! People, inside the group's transaction.

use bitpro_charge::Timestamp;
use subtle::ConstantTimeEq as _;

use super::Tx;
use crate::people::PendingWallet;
use crate::{People, StoreError};

/// Who wrote a row that decides where money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenBy {
    /// This server, every part of it.
    Us,
    /// A version that vouched for less.
    FormerVersion,
    /// Somebody with a hand in the database.
    AnotherHand,
}

impl Tx {
    /// The rows of people, to be read and written in this unit.
    pub async fn people(&mut self) -> Result<People<'_>, StoreError> {
        Ok(self.writing().await?.people())
    }

    /// Lets a wallet wait for the merchant in row `merchant`, under the configuration's key; the authenticator.
    pub async fn let_wallet_wait(&mut self, merchant: i64, mut wallet: PendingWallet) -> Result<Vec<u8>, StoreError> {
        wallet.mac = self.secret.of_pending_wallet(&wallet);
        self.people().await?.put_pending_wallet(merchant, &wallet).await?;
        Ok(wallet.mac)
    }

    /// Who wrote a wallet that waits.
    pub fn writer_of(&self, wallet: &PendingWallet) -> WrittenBy {
        let is = |mac: Vec<u8>| bool::from(mac.ct_eq(&wallet.mac));
        if is(self.secret.of_pending_wallet(wallet)) {
            WrittenBy::Us
        } else if is(self.secret.of_former_pending_wallet(wallet.merchant, &wallet.receive)) {
            WrittenBy::FormerVersion
        } else {
            WrittenBy::AnotherHand
        }
    }

    /// Brings the wallets that were asked for after `shown` back to it. An owner who has yet to see one keeps the whole day. One
    /// that was not written by us is left as it is, lest we vouch for it.
    pub(super) async fn step_wallets_back(&mut self, shown: Timestamp) -> Result<(), StoreError> {
        for wallet in self.people().await?.pending_wallets().await? {
            let Some(row) = self.memory.merchant_row(wallet.merchant) else {
                continue;
            };
            if wallet.asked_at > shown && self.writer_of(&wallet) == WrittenBy::Us {
                let due_at = Timestamp(shown.0 + (wallet.due_at.0 - wallet.asked_at.0));
                let asked_at = shown;
                self.let_wallet_wait(
                    row,
                    PendingWallet {
                        asked_at,
                        due_at,
                        ..wallet
                    },
                )
                .await?;
            }
        }
        Ok(())
    }
}
