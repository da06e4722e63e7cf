//! Notices to a merchant's owners of what others of the team, or they themselves, changed; and to members whose part it was.

use std::net::IpAddr;

use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::letters::{self, Notice, Occasion};
use bitpro_merchant::words::words;
use bitpro_merchant::{Language, Role};
use bitpro_store::{StoreError, Tx};

use super::audit::{Begun, end};
use super::leaving::Loss;
use super::team::name_of;
use super::{Accounts, MemberRow, language_of};
use crate::charges::CommitHook;

/// What became of a key of the API or of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChange {
    /// It was made, or has a new secret.
    Added,
    /// It was taken back.
    Revoked,
}

/// Where a change was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whence {
    /// In the dashboard, by a client at this address.
    Client(IpAddr),
    /// On the server itself.
    CommandLine,
    /// The server did it by itself.
    Server,
}

impl From<IpAddr> for Whence {
    fn from(client: IpAddr) -> Self {
        Self::Client(client)
    }
}

impl Whence {
    pub(super) fn said(self, language: Language) -> String {
        match self {
            Self::Client(address) => address.to_string(),
            Self::CommandLine => words("the server's command line", "la ligne de commande du serveur")
                .of(language)
                .to_owned(),
            Self::Server => words("the server itself", "le serveur lui-même")
                .of(language)
                .to_owned(),
        }
    }

    /// The same for the audit log.
    pub(super) fn noted(self) -> String {
        match self {
            Self::Client(address) => address.to_string(),
            Self::CommandLine => "command line".to_owned(),
            Self::Server => String::new(),
        }
    }
}

/// What becomes of somebody's part in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'a> {
    merchant: MerchantId,
    /// `None` when they belong to it no more.
    role: Option<Role>,
    /// Whom they had invited, who may not come any more.
    invitations: &'a str,
    /// The keys that they know.
    keys: &'a str,
}

impl<'a> Part<'a> {
    pub(super) const fn of(merchant: MerchantId, role: Option<Role>) -> Self {
        Self {
            merchant,
            role,
            invitations: "",
            keys: "",
        }
    }

    /// The same of which the owners are told what else has ended, or has not.
    pub(super) fn with(self, loss: &'a Loss) -> Self {
        Self {
            invitations: &loss.invitations,
            keys: &loss.keys,
            ..self
        }
    }
}

impl Accounts {
    /// Tells a member what became of their part.
    pub(super) async fn tell_member(
        &self,
        tx: &mut Tx,
        part: Part<'_>,
        member: &MemberRow,
        whence: Whence,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let merchant = &name_of(tx, part.merchant);
        let notice = match part.role {
            Some(role) => Notice::RoleChanged { merchant, role },
            None => Notice::Removed { merchant },
        };
        self.notify(tx, part.merchant, &[member], notice, whence, now).await
    }

    /// Tells the owners what became of the part of `member`, an address: those of `team`, as it was before, except `member`.
    pub(super) async fn tell_owners(
        &self,
        tx: &mut Tx,
        part: Part<'_>,
        team: &[MemberRow],
        member: &str,
        whence: Whence,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let merchant = &name_of(tx, part.merchant);
        let notice = match part.role {
            Some(Role::Owner) => Notice::NewOwner {
                merchant,
                owner: member,
            },
            _ => Notice::TeamChanged {
                merchant,
                member,
                invitations: part.invitations,
                keys: part.keys,
            },
        };
        let others = owners(team).filter(|owner| owner.email != member);
        let others: Vec<&MemberRow> = others.collect();
        self.notify(tx, part.merchant, &others, notice, whence, now).await
    }

    /// Sends a notice to all owners of a merchant.
    pub(super) async fn notify_owners(
        &self,
        tx: &mut Tx,
        merchant: MerchantId,
        notice: Notice<'_>,
        whence: impl Into<Whence>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let team = tx.people().await?.members(merchant).await?;
        let owners: Vec<&MemberRow> = owners(&team).collect();
        self.notify(tx, merchant, &owners, notice, whence.into(), now).await
    }

    pub(super) async fn notify(
        &self,
        tx: &mut Tx,
        merchant: MerchantId,
        members: &[&MemberRow],
        notice: Notice<'_>,
        whence: Whence,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let zone = self.zone_of(merchant);
        for member in members.iter().filter(|member| !member.is_disabled) {
            let language = language_of(&member.language);
            let occasion = Occasion {
                when: now,
                zone: &zone,
                client: &whence.said(language),
            };
            let letter = letters::notice(language, &member.email, &member.name, notice, occasion);
            tx.post(&letter).await?;
        }
        Ok(())
    }

    /// What is committed with the change of a key: its line in the audit log, and letters to the owners.
    pub fn key_hook(
        &self,
        merchant: MerchantId,
        change: KeyChange,
        client: IpAddr,
        begun: Option<Begun>,
    ) -> CommitHook {
        let (this, now) = (self.clone(), self.charges.now());
        CommitHook::new(move |tx, what| {
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

fn owners(team: &[MemberRow]) -> impl Iterator<Item = &MemberRow> {
    team.iter().filter(|member| member.role == Role::Owner)
}
