//! The keys of signed links.

use std::sync::Arc;

use bitpro_base::links::SealedLinkKey;
use bitpro_charge::MerchantId;
use bitpro_merchant::{Merchant, MerchantMap};

use super::Tx;
use crate::StoreError;

impl Tx {
    /// Puts `keys` in the place of all link keys of a merchant; for one that is not known, it does nothing.
    pub async fn put_link_keys(&mut self, merchant: MerchantId, keys: Vec<SealedLinkKey>) -> Result<(), StoreError> {
        let known = self.memory.merchants().get(&merchant).map(Arc::clone);
        let (Some(known), Some(num)) = (known, self.memory.merchant_row(merchant)) else {
            return Ok(());
        };
        self.writing().await?.keep_link_keys(num, &keys).await?;
        let mut merchants = MerchantMap::clone(self.memory.merchants());
        let changed = Merchant {
            link_keys: keys,
            ..Merchant::clone(&known)
        };
        merchants.insert(merchant, Arc::new(changed));
        self.memory.put_merchants(merchants, merchant, num);
        self.news.merchants = Some(Arc::clone(self.memory.merchants()));
        Ok(())
    }
}
