//! Where a merchant's money goes, as its owners change it: the first wallet at once, another one after a day in which every
//! owner is told and any owner can stop it.

use std::net::IpAddr;
use std::sync::Arc;

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::Merchant;
use bitpro_merchant::letters::Notice;
use bitpro_merchant::wallet::Receive;
use bitpro_store::{MerchantDraft, StoreError, Tx};

use super::notices::Whence;
use super::signup::merchant_row;
use super::team::name_of;
use super::{AccountError, Accounts, PendingWallet};

/// How long a wallet waits that is not the first, in hours.
pub(crate) const WAIT_HOURS: u32 = 24;
/// The same in seconds.
pub const WALLET_SECS: u32 = WAIT_HOURS * 60 * 60;

/// What became of a wallet that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// It takes the money of new charges.
    Taken,
    /// It will from then on.
    Due(Timestamp),
}

impl Accounts {
    /// Takes `receive` as the merchant's wallet: at once if it is the first, or the present one, and else after a day. One that
    /// waits already is replaced, and the day begins anew.
    pub async fn give_wallet(
        &self,
        who: &str,
        merchant: MerchantId,
        receive: Receive,
        client: IpAddr,
    ) -> Result<Given, AccountError> {
        let (this, who, now) = (self.clone(), who.to_owned(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let known = known(tx, merchant)?;
                    let row = merchant_row(tx, merchant)?;
                    let has_none = known.descriptor.is_none();
                    // Only a shop that never sold anything has no wallet yet: another one has lost it by another hand.
                    let is_first = has_none && !tx.people().await?.has_sold(merchant).await?;
                    let present = known.descriptor.and_then(|id| tx.memory().issuer(id));
                    if is_first || present.is_some_and(|issuer| issuer.text() == receive.text()) {
                        put(tx, &known, receive).await?;
                        if is_first {
                            let notice = Notice::WalletGiven {
                                merchant: &known.settings.name,
                                page: &this.wallet_page(merchant),
                            };
                            this.notify_owners(tx, merchant, notice, client, now).await?;
                        }
                        return Ok(Given::Taken);
                    }
                    let due_at = now.plus_secs(WALLET_SECS);
                    let waits = PendingWallet {
                        merchant,
                        mac: Vec::new(),
                        receive: receive.text().to_owned(),
                        asked_by: who,
                        client: client.to_string(),
                        asked_at: now,
                        due_at,
                    };
                    let mac = tx.let_wallet_wait(row, waits).await?;
                    this.waiting.note(merchant, mac);
                    let notice = Notice::WalletAsked {
                        merchant: &known.settings.name,
                        page: &this.wallet_page(merchant),
                        due: due_at,
                    };
                    this.notify_owners(tx, merchant, notice, client, now).await?;
                    Ok(Given::Due(due_at))
                })
            })
            .await
    }

    /// Whether a merchant ever had a charge, and so a wallet: none is its first any more.
    pub async fn has_sold(&self, merchant: MerchantId) -> Result<bool, StoreError> {
        let mut reader = self.store.people().await?;
        reader.has_sold(merchant).await
    }

    /// The wallet that waits for a merchant.
    pub async fn pending_wallet(&self, merchant: MerchantId) -> Result<Option<PendingWallet>, StoreError> {
        let mut reader = self.store.people().await?;
        reader.pending_wallet(merchant).await
    }

    /// Stops a wallet that waits; whether there was one.
    pub async fn stop_wallet(&self, merchant: MerchantId, client: IpAddr) -> Result<bool, AccountError> {
        let (this, now) = (self.clone(), self.charges.now());
        let stopped = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let known = known(tx, merchant)?;
                    let row = merchant_row(tx, merchant)?;
                    let was_there = tx.people().await?.drop_pending_wallet(row).await?;
                    if was_there {
                        let notice = Notice::WalletStopped {
                            merchant: &known.settings.name,
                            page: &this.wallet_page(merchant),
                        };
                        this.notify_owners(tx, merchant, notice, client, now).await?;
                    }
                    Ok::<_, AccountError>(was_there)
                })
            })
            .await?;
        self.waiting.forget(merchant);
        Ok(stopped)
    }

    /// Tells the owners that the command line has given their merchant a wallet.
    pub async fn tell_of_wallet(&self, id: MerchantId, is_first: bool) -> Result<(), StoreError> {
        let (this, now) = (self.clone(), self.charges.now());
        let posted = self.store.write(move |tx| {
            Box::pin(async move {
                let (merchant, page) = (&name_of(tx, id), &this.wallet_page(id));
                let notice = match is_first {
                    true => Notice::WalletGiven { merchant, page },
                    false => Notice::WalletChanged { merchant, page },
                };
                this.notify_owners(tx, id, notice, Whence::CommandLine, now).await
            })
        });
        posted.await
    }

    /// The address of the page where a merchant's wallet is shown, and where one that waits is stopped.
    pub(super) fn wallet_page(&self, merchant: MerchantId) -> String {
        format!("{}/dashboard/{merchant}/settings/wallet", self.origin)
    }
}

fn known(tx: &Tx, merchant: MerchantId) -> Result<Arc<Merchant>, AccountError> {
    let known = tx.memory().merchants().get(&merchant).cloned();
    known.ok_or(AccountError::UnknownMerchant)
}

pub(super) async fn put(tx: &mut Tx, known: &Merchant, receive: Receive) -> Result<(), StoreError> {
    tx.put_merchant(MerchantDraft {
        id: known.id,
        settings: known.settings.clone(),
        logo: known.logo.clone(),
        receive: Some(Arc::new(receive)),
        created_at: known.created_at,
    })
    .await
}
