//! Notices to a merchant's owners of what others of the team, or they themselves, changed.

use std::net::IpAddr;

use bitpro_charge::MerchantId;

use super::Accounts;
use super::journal::{Begun, end};
use super::team::name_of;
use crate::charges::Beside;
use crate::mail::letters::Notice;

/// What became of a key of the API or of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyChange {
    /// It was made, or has a new secret.
    Added,
    /// It was taken back.
    Revoked,
}

impl Accounts {
    /// What belongs to the change of a key: its line in the log, and letters to the owners.
    pub(crate) fn beside_key(
        &self,
        merchant: MerchantId,
        change: KeyChange,
        client: IpAddr,
        begun: Option<Begun>,
    ) -> Beside {
        let (this, now) = (self.clone(), self.charges.now());
        Box::new(move |tx, what| {
            Box::pin(async move {
                if let Some(begun) = begun {
                    end(tx, begun, Some(&what)).await?;
                }
                let name = name_of(tx, merchant);
                let notice = match change {
                    KeyChange::Added => Notice::KeyAdded { merchant: &name },
                    KeyChange::Revoked => Notice::KeyRevoked { merchant: &name },
                };
                this.notify_owners(tx, merchant, notice, client, now).await
            })
        })
    }
}
