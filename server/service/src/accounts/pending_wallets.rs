//! Wallets that wait for their day to pass, looked at once a minute: one is taken only if every part of it was written by this server,
//! if the server saw it wait, and if who asked for it may still say where the money goes.
//!
//! The row is authenticated, but whoever can write the database can also put back a row of before, one that was stopped, whose day is
//! over long ago. So the process remembers which wallets it let wait. What it does not know is met in two ways: at its first look
//! after the start, when it can know none, a wallet whose day is over waits for another one, and of every wallet that waits the owners
//! are told once more, for it may be one that they stopped; later it was put there by another hand.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::Permission;
use bitpro_merchant::letters::{Notice, Withdrawal};
use bitpro_merchant::wallet::Receive;
use bitpro_store::people::AuditRow;
use bitpro_store::{StoreError, Tx, WrittenBy};
use parking_lot::Mutex;

use super::notices::Whence;
use super::signup::merchant_row;
use super::team::name_of;
use super::wallet::{WALLET_SECS, put};
use super::{Accounts, MemberRow, PendingWallet};

/// Which wallets this process let wait, and what it found instead.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Whether the database was looked at since the start.
    has_looked: bool,
    /// The authenticator of each, and whether the last look missed it: it is forgotten when two have, for one of them may have come
    /// between being noted here and being committed.
    wallets: HashMap<MerchantId, (Vec<u8>, bool)>,
    /// How many were written by another hand.
    forged: u64,
}

impl Waiting {
    /// Remembers that a wallet waits.
    pub(super) fn note(&self, merchant: MerchantId, mac: Vec<u8>) {
        self.0.lock().wallets.insert(merchant, (mac, false));
    }

    /// Forgets it: it was stopped.
    pub(super) fn forget(&self, merchant: MerchantId) {
        self.0.lock().wallets.remove(&merchant);
    }

    fn knows(&self, wallet: &PendingWallet) -> bool {
        let known = self.0.lock();
        known
            .wallets
            .get(&wallet.merchant)
            .is_some_and(|(mac, _)| *mac == wallet.mac)
    }

    /// Ends a look at all wallets that wait.
    fn looked(&self, found: &[PendingWallet]) {
        let mut known = self.0.lock();
        known.has_looked = true;
        known.wallets.retain(|merchant, (mac, was_missed)| {
            let is_there = found
                .iter()
                .any(|wallet| wallet.merchant == *merchant && wallet.mac == *mac);
            is_there || !std::mem::replace(was_missed, true)
        });
    }
}

/// What becomes of a wallet that waits.
enum Fate {
    Waits,
    /// It does, as it did before this process began, or as somebody had it look.
    IsFoundWaiting,
    WaitsAnew,
    IsTaken(Box<Receive>),
    IsWithdrawn(Withdrawal),
}

impl Accounts {
    /// How many wallets that waited were not written by this server since it started; each was dropped.
    #[must_use]
    pub fn forged_wallets(&self) -> u64 {
        self.waiting.0.lock().forged
    }

    /// Takes the wallets that have waited long enough, and withdraws those that must not be taken.
    ///
    /// # Errors
    /// The database's.
    pub async fn take_due_wallets(&self) -> Result<(), StoreError> {
        // Owners have their day by the machine's clock: a time that ran ahead does not shorten it.
        let outside = self.charges.moment().outside;
        let is_first_look = !self.waiting.0.lock().has_looked;
        let found = {
            let mut reader = self.store.people().await?;
            reader.pending_wallets().await?
        };
        for wallet in found.clone() {
            let this = self.clone();
            let written = self.store.write(move |tx| {
                Box::pin(async move {
                    // It may have been stopped, or replaced, since it was read.
                    let waits = tx.people().await?.pending_wallet(wallet.merchant).await?;
                    if waits.as_ref() != Some(&wallet) {
                        return Ok(());
                    }
                    let fate = this.fate(tx, &wallet, outside, is_first_look).await?;
                    this.meet(tx, wallet, fate, outside).await
                })
            });
            written.await?;
        }
        self.waiting.looked(&found);
        Ok(())
    }

    async fn fate(
        &self,
        tx: &mut Tx,
        wallet: &PendingWallet,
        outside: Timestamp,
        is_first_look: bool,
    ) -> Result<Fate, StoreError> {
        let is_known = self.waiting.knows(wallet);
        let receive = Receive::from_descriptor(&wallet.receive, self.charges.network()).ok();
        let receive = match (tx.writer_of(wallet), receive) {
            (WrittenBy::FormerVersion, _) => return Ok(Fate::IsWithdrawn(Withdrawal::FormerVersion)),
            (WrittenBy::AnotherHand, _) | (_, None) => return Ok(Fate::IsWithdrawn(Withdrawal::AnotherHand)),
            _ if !is_known && !is_first_look => return Ok(Fate::IsWithdrawn(Withdrawal::AnotherHand)),
            (WrittenBy::Us, Some(receive)) => receive,
        };
        if !may_ask(tx, wallet).await? {
            return Ok(Fate::IsWithdrawn(Withdrawal::AskerGone));
        }
        Ok(match (wallet.due_at <= outside, is_known) {
            (false, true) => Fate::Waits,
            (false, false) => Fate::IsFoundWaiting,
            (true, false) => Fate::WaitsAnew,
            (true, true) => Fate::IsTaken(Box::new(receive)),
        })
    }

    async fn meet(&self, tx: &mut Tx, wallet: PendingWallet, fate: Fate, outside: Timestamp) -> Result<(), StoreError> {
        match fate {
            Fate::Waits => {
                self.waiting.note(wallet.merchant, wallet.mac);
                Ok(())
            }
            Fate::IsFoundWaiting => self.tell_again(tx, wallet).await,
            Fate::WaitsAnew => self.begin_anew(tx, wallet).await,
            Fate::IsTaken(receive) => self.take(tx, wallet, *receive, outside).await,
            Fate::IsWithdrawn(why) => self.withdraw_wallet(tx, wallet, why, Whence::Server).await,
        }
    }

    /// Lets a wallet wait on that this process did not see being asked for, and tells the owners of it: a row that was withdrawn can
    /// have been put back while no server ran.
    async fn tell_again(&self, tx: &mut Tx, wallet: PendingWallet) -> Result<(), StoreError> {
        let (merchant, now) = (wallet.merchant, self.charges.now());
        add_line(tx, &wallet, "settings/wallet/waits", now).await?;
        let notice = Notice::WalletAsked {
            merchant: &name_of(tx, merchant),
            page: &self.wallet_page(merchant),
            due: wallet.due_at,
        };
        self.notify_owners(tx, merchant, notice, client_of(&wallet), now)
            .await?;
        self.waiting.note(merchant, wallet.mac);
        Ok(())
    }

    /// Lets a wallet wait for another whole day, of which the owners are told.
    async fn begin_anew(&self, tx: &mut Tx, wallet: PendingWallet) -> Result<(), StoreError> {
        let (merchant, now) = (wallet.merchant, self.charges.now());
        tracing::warn!(%merchant, "the waiting time of a wallet change ended while no server ran: it starts again");
        add_line(tx, &wallet, "settings/wallet/anew", now).await?;
        let due_at = now.plus_secs(WALLET_SECS);
        let client = client_of(&wallet);
        let row = merchant_row(tx, merchant)?;
        let wallet = PendingWallet {
            asked_at: now,
            due_at,
            ..wallet
        };
        let mac = tx.let_wallet_wait(row, wallet).await?;
        self.waiting.note(merchant, mac);
        let notice = Notice::WalletAsked {
            merchant: &name_of(tx, merchant),
            page: &self.wallet_page(merchant),
            due: due_at,
        };
        self.notify_owners(tx, merchant, notice, client, now).await
    }

    async fn take(
        &self,
        tx: &mut Tx,
        wallet: PendingWallet,
        receive: Receive,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let merchant = wallet.merchant;
        let Some(known) = tx.memory().merchants().get(&merchant).cloned() else {
            return Ok(());
        };
        put(tx, &known, receive).await?;
        add_line(tx, &wallet, "settings/wallet/due", now).await?;
        let notice = Notice::WalletChanged {
            merchant: &known.settings.name,
            page: &self.wallet_page(merchant),
        };
        self.notify_owners(tx, merchant, notice, client_of(&wallet), now).await
    }

    /// Lets a wallet wait no more, and tells the owners why.
    pub(super) async fn withdraw_wallet(
        &self,
        tx: &mut Tx,
        wallet: PendingWallet,
        why: Withdrawal,
        whence: Whence,
    ) -> Result<(), StoreError> {
        let (merchant, now) = (wallet.merchant, self.charges.now());
        if why == Withdrawal::AnotherHand {
            tracing::error!(
                %merchant,
                "a pending wallet change was not written by this server and is cancelled: someone changed the database"
            );
            metrics::counter!("bitpro_forged_wallets_total").increment(1);
            self.waiting.0.lock().forged += 1;
        } else {
            tracing::warn!(%merchant, ?why, "a pending wallet change is cancelled");
        }
        let row = merchant_row(tx, merchant)?;
        tx.people().await?.drop_pending_wallet(row).await?;
        self.waiting.forget(merchant);
        add_line(tx, &wallet, "settings/wallet/withdrawn", now).await?;
        let notice = Notice::WalletWithdrawn {
            merchant: &name_of(tx, merchant),
            page: &self.wallet_page(merchant),
            why,
        };
        self.notify_owners(tx, merchant, notice, whence, now).await
    }

    /// Withdraws a merchant's change of wallet if who asked for it may not any more.
    pub(super) async fn withdraw_if_asker_gone(
        &self,
        tx: &mut Tx,
        merchant: MerchantId,
        whence: Whence,
    ) -> Result<(), StoreError> {
        let waits = tx.people().await?.pending_wallet(merchant).await?;
        let Some(wallet) = waits else { return Ok(()) };
        match may_ask(tx, &wallet).await? {
            true => Ok(()),
            false => self.withdraw_wallet(tx, wallet, Withdrawal::AskerGone, whence).await,
        }
    }

    /// What somebody asked for goes on under the address that they have moved to.
    pub(super) async fn rename_asker(&self, tx: &mut Tx, account: i64, from: &str, to: &str) -> Result<(), StoreError> {
        for part in tx.people().await?.memberships(account).await? {
            let waits = tx.people().await?.pending_wallet(part.merchant).await?;
            let Some(wallet) = waits.filter(|wallet| wallet.asked_by == from) else {
                continue;
            };
            // What another hand wrote must not become ours.
            if tx.writer_of(&wallet) != WrittenBy::Us || !self.waiting.knows(&wallet) {
                continue;
            }
            let row = merchant_row(tx, part.merchant)?;
            let asked_by = to.to_owned();
            let mac = tx.let_wallet_wait(row, PendingWallet { asked_by, ..wallet }).await?;
            self.waiting.note(part.merchant, mac);
        }
        Ok(())
    }
}

/// Whether who asked for a wallet is still one of the team who may, and can get in.
async fn may_ask(tx: &mut Tx, wallet: &PendingWallet) -> Result<bool, StoreError> {
    let may = |member: &MemberRow| {
        member.email == wallet.asked_by && member.role.may(Permission::Money) && !member.is_disabled
    };
    Ok(tx.people().await?.members(wallet.merchant).await?.iter().any(may))
}

async fn add_line(tx: &mut Tx, wallet: &PendingWallet, action: &str, now: Timestamp) -> Result<(), StoreError> {
    let line = AuditRow {
        merchant: tx.memory().merchant_row(wallet.merchant),
        account: None,
        who: wallet.asked_by.clone(),
        action: action.to_owned(),
        detail: wallet.receive.clone(),
        client: wallet.client.clone(),
        at: now,
        outcome: Some("done".to_owned()),
    };
    tx.people().await?.add_audit(&line).await?;
    Ok(())
}

fn client_of(wallet: &PendingWallet) -> IpAddr {
    wallet.client.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}
