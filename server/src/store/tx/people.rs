//! People, inside the group's transaction.

use bitpro_charge::MerchantId;

use super::Tx;
use crate::store::StoreError;
use crate::store::sqlite::People;

impl Tx {
    /// The rows of people, to be read and written in this unit.
    pub(crate) async fn people(&mut self) -> Result<People<'_>, StoreError> {
        Ok(self.writing().await?.people())
    }

    /// Shows that a wallet that waits was written by us: under the configuration's key, for this merchant.
    pub(crate) fn wallet_mac(&self, merchant: MerchantId, receive: &str) -> Vec<u8> {
        self.secret.of_pending_wallet(merchant, receive)
    }
}
