//! Notices to a merchant's owners of what others of the team, or they themselves, changed.

use std::net::IpAddr;

use bitpro_charge::MerchantId;

use super::Accounts;
use crate::mail::letters::Notice;
use crate::store::StoreError;

/// What became of a key of the API or of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyChange {
    /// It was made, or has a new secret.
    Added,
    /// It was taken back.
    Revoked,
}

impl Accounts {
    /// Tells the owners that a key was changed. The change itself is committed already: when the notice cannot be posted, that is
    /// told in the log, and the change stays.
    pub(crate) async fn tell_of_key(&self, merchant: MerchantId, change: KeyChange, client: IpAddr) {
        let Some(known) = self.charges.merchant(merchant) else {
            return;
        };
        let (this, now) = (self.clone(), self.charges.now());
        let posted = self.charges.store().write(move |tx| {
            Box::pin(async move {
                let merchant = known.settings.name.as_str();
                let notice = match change {
                    KeyChange::Added => Notice::KeyAdded { merchant },
                    KeyChange::Revoked => Notice::KeyRevoked { merchant },
                };
                this.notify_owners(tx, known.id, notice, client, now).await?;
                Ok::<_, StoreError>(())
            })
        });
        if let Err(error) = posted.await {
            tracing::warn!(%error, %merchant, "the owners were not told of a changed key");
        }
    }
}
