//! Teams: who is invited, who joins, who goes. The owners' number never falls to none.

use std::net::IpAddr;

use bitpro_base::rng::uuid;
use bitpro_charge::{MerchantId, Timestamp};
use bitpro_merchant::letters::{self, Notice};
use bitpro_merchant::{Language, Role};
use bitpro_store::people::AccountRow;
use bitpro_store::{StoreError, Tx};

use super::factor::present;
use super::leaving::Leaver;
use super::notices::Part;
use super::signup::merchant_row;
use super::{
    AccountError, Accounts, Email, Entered, INVITATION_DAYS, Invitation, Login, MemberRow, Token, Visitor,
    check_password,
};

/// The most people of a team, those who are invited included.
pub const MOST_MEMBERS: usize = 50;

/// Who is to be invited.
#[derive(Debug)]
pub struct Invitee {
    /// The address that the letter goes to.
    pub email: Email,
    /// What they may do.
    pub role: Role,
    /// The role in the letter's words.
    pub role_words: &'static str,
    /// The letter's language.
    pub language: Language,
}

/// An invitation as its page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    /// The merchant's name.
    pub merchant: String,
    /// The id.
    pub id: MerchantId,
    /// The address that is invited.
    pub email: String,
    /// The part offered.
    pub role: Role,
    /// Whether the address has an account with a password.
    pub has_account: bool,
}

/// Somebody who joins without an account: the invitation came by letter, so the address is theirs.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Their name.
    pub name: String,
    /// The password that they chose.
    pub password: String,
    /// The language of their letters and pages.
    pub language: Language,
}

impl Accounts {
    /// A merchant's team and those who are invited.
    pub async fn team(&self, merchant: MerchantId) -> Result<(Vec<MemberRow>, Vec<Invitation>), StoreError> {
        let now = self.charges.now();
        let mut people = self.store.people().await?;
        Ok((
            people.members(merchant).await?,
            people.invitations(merchant, now).await?,
        ))
    }

    /// Invites an address by letter, in the place of an invitation before.
    pub async fn invite(&self, login: &Login, merchant: MerchantId, invitee: Invitee) -> Result<(), AccountError> {
        let (this, now) = (self.clone(), self.charges.now());
        self.budgets.invitation(login.account.num, &invitee.email, now)?;
        let by = login.account.num;
        let inviter = (login.account.name.clone(), login.account.email.clone());
        let Invitee {
            email,
            role,
            role_words,
            language,
        } = invitee;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let row = merchant_row(tx, merchant)?;
                    let name = name_of(tx, merchant);
                    let mut people = tx.people().await?;
                    let members = people.members(merchant).await?;
                    if members.iter().any(|member| member.email == email.as_str()) {
                        return Err(AccountError::Member);
                    }
                    let invited = people.invitations(merchant, now).await?;
                    let others = invited.iter().filter(|other| other.email != email.as_str()).count();
                    if members.len() + others >= MOST_MEMBERS {
                        return Err(AccountError::TeamFull);
                    }
                    let token = Token::new(this.charges.rng());
                    let invitation = Invitation {
                        id: uuid(this.charges.rng()),
                        merchant,
                        email: email.to_string(),
                        role,
                        expires_at: now.plus_secs(INVITATION_DAYS * 24 * 60 * 60),
                    };
                    people.put_invitation(row, &invitation, token.hash(), by).await?;
                    let url = this.link("/invitation", &token);
                    let letter = letters::invitation(
                        language,
                        email.as_str(),
                        &name,
                        (&inviter.0, &inviter.1),
                        role_words,
                        &url,
                        INVITATION_DAYS,
                    );
                    Ok(tx.post(&letter).await?)
                })
            })
            .await
    }

    /// Takes an invitation back.
    pub async fn uninvite(&self, merchant: MerchantId, id: [u8; 16]) -> Result<(), AccountError> {
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let row = merchant_row(tx, merchant)?;
                    match tx.people().await?.drop_invitation(row, id).await? {
                        true => Ok(()),
                        false => Err(AccountError::UnknownMember),
                    }
                })
            })
            .await
    }

    /// What the link of an invitation offers.
    ///
    /// # Errors
    /// [`AccountError::UnknownLink`], or the database's.
    pub async fn joining(&self, link: &Token) -> Result<Joining, AccountError> {
        let now = self.charges.now();
        let mut people = self.store.people().await?;
        let invitation = people.invitation(link.hash(), now).await?;
        let invitation = invitation.ok_or(AccountError::UnknownLink)?;
        let account = people.account_of(&invitation.email).await?;
        let merchant = self
            .charges
            .merchant(invitation.merchant)
            .ok_or(AccountError::UnknownLink)?;
        Ok(Joining {
            merchant: merchant.settings.name.clone(),
            id: invitation.merchant,
            email: invitation.email,
            role: invitation.role,
            has_account: account.is_some_and(|account| account.password.is_some()),
        })
    }

    /// Joins with the account that is logged in.
    pub async fn join(&self, link: Token, login: &Login, client: IpAddr) -> Result<MerchantId, AccountError> {
        let (this, num, now) = (self.clone(), login.account.num, self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let account = present(tx, num).await?;
                    this.joined(tx, &link, &account, client, now).await
                })
            })
            .await
    }

    /// Joins with a new account, and begins a session.
    ///
    /// # Errors
    /// [`AccountError::UnknownLink`], [`AccountError::Taken`], [`AccountError::Weak`], or the database's.
    pub async fn join_newly(
        &self,
        link: Token,
        newcomer: Newcomer,
        visitor: Visitor,
    ) -> Result<(MerchantId, Entered), AccountError> {
        let joining = self.joining(&link).await?;
        if joining.has_account {
            return Err(AccountError::Taken);
        }
        check_password(&newcomer.password, &[&joining.email, &newcomer.name, &joining.merchant])?;
        let hash = self.passwords.hash(newcomer.password, self.charges.random()).await?;
        let (this, now) = (self.clone(), self.charges.now());
        let token = Token::new(self.charges.rng());
        let begun = token.clone();
        let (name, language) = (newcomer.name, newcomer.language);
        let here = visitor.clone();
        let joined = self.store.write(move |tx| {
            Box::pin(async move {
                let mut people = tx.people().await?;
                let known = people.account_of(&joining.email).await?;
                if known.as_ref().is_some_and(|account| account.password.is_some()) {
                    return Err(AccountError::Taken);
                }
                let mut account = match known {
                    Some(account) => account,
                    None => {
                        let mut account = AccountRow::new(uuid(this.charges.rng()), joining.email, now);
                        account.num = people.add_account(&account).await?;
                        account
                    }
                };
                account.name = name;
                language.as_str().clone_into(&mut account.language);
                account.approved_at = account.approved_at.or(Some(now));
                let session = this.session_row(&account, &begun, &visitor, now);
                let merchant = this.joined(tx, &link, &account, visitor.client, now).await?;
                let account = this
                    .set_password(tx, account, hash, &session, visitor.client, now)
                    .await?;
                Ok::<_, AccountError>((merchant, account))
            })
        });
        let (merchant, account) = joined.await?;
        let entered = Entered {
            token,
            needs_code: false,
            marks: Some(self.marked(&account, &here)),
        };
        Ok((merchant, entered))
    }

    async fn joined(
        &self,
        tx: &mut Tx,
        link: &Token,
        account: &AccountRow,
        client: IpAddr,
        now: Timestamp,
    ) -> Result<MerchantId, AccountError> {
        let invitation = tx.people().await?.invitation(link.hash(), now).await?;
        let invitation = invitation.ok_or(AccountError::UnknownLink)?;
        if invitation.email != account.email {
            return Err(AccountError::OtherAddress);
        }
        let merchant = invitation.merchant;
        let row = merchant_row(tx, merchant)?;
        let mut people = tx.people().await?;
        // Somebody came here otherwise meanwhile: an invitation adds people, it gives nobody another part.
        let members = people.members(merchant).await?;
        if members.iter().any(|member| member.account == account.num) {
            return Err(AccountError::Member);
        }
        people.drop_invitation(row, invitation.id).await?;
        people.put_member(row, account.num, invitation.role, now).await?;
        let part = Part::of(merchant, Some(invitation.role));
        self.tell_owners(tx, part, &members, &account.email, client.into(), now)
            .await?;
        Ok(merchant)
    }

    /// Whether a merchant's owners require a second factor of the whole team.
    pub async fn requires_factor(&self, merchant: MerchantId) -> Result<bool, StoreError> {
        let mut reader = self.store.people().await?;
        reader.has_factor_rule(merchant).await
    }

    /// Requires a second factor of the whole team, or does so no more; whether that is another thing than before. Members who
    /// have none are told, for nothing of the merchant is shown to them until they have; and all owners, when it ends.
    pub async fn require_factor(
        &self,
        merchant: MerchantId,
        is_required: bool,
        client: IpAddr,
    ) -> Result<bool, AccountError> {
        let (this, now) = (self.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if tx.people().await?.has_factor_rule(merchant).await? == is_required {
                        return Ok(false);
                    }
                    let row = merchant_row(tx, merchant)?;
                    tx.people()
                        .await?
                        .put_factor_rule(row, is_required.then_some(now))
                        .await?;
                    let name = name_of(tx, merchant);
                    if !is_required {
                        let notice = Notice::FactorNotRequired { merchant: &name };
                        this.notify_owners(tx, merchant, notice, client, now).await?;
                        return Ok(true);
                    }
                    let team = tx.people().await?.members(merchant).await?;
                    let without: Vec<&MemberRow> = team.iter().filter(|member| !member.has_factor).collect();
                    let notice = Notice::FactorRequired { merchant: &name };
                    this.notify(tx, merchant, &without, notice, client.into(), now).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Gives a member another part.
    pub async fn set_role(
        &self,
        merchant: MerchantId,
        member: [u8; 16],
        role: Role,
        client: IpAddr,
    ) -> Result<MemberRow, AccountError> {
        let (this, now) = (self.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let before = tx.people().await?.members(merchant).await?;
                    let found = found(&before, member, role == Role::Owner)?;
                    if found.role == role {
                        return Ok(found);
                    }
                    let row = merchant_row(tx, merchant)?;
                    tx.people().await?.put_member(row, found.account, role, now).await?;
                    let leaver = Leaver::of(&found, Some(role));
                    let loss = this.end_with_part(tx, merchant, leaver, client.into(), now).await?;
                    let part = Part::of(merchant, Some(role)).with(&loss);
                    this.tell_member(tx, part, &found, client.into(), now).await?;
                    this.tell_owners(tx, part, &before, &found.email, client.into(), now)
                        .await?;
                    Ok(found)
                })
            })
            .await
    }

    /// Takes a member out of the team: the caller, or another one.
    pub async fn remove(
        &self,
        merchant: MerchantId,
        member: [u8; 16],
        client: IpAddr,
    ) -> Result<MemberRow, AccountError> {
        let (this, now) = (self.clone(), self.charges.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let before = tx.people().await?.members(merchant).await?;
                    let found = found(&before, member, false)?;
                    let row = merchant_row(tx, merchant)?;
                    tx.people().await?.drop_member(row, found.account).await?;
                    let leaver = Leaver::of(&found, None);
                    let loss = this.end_with_part(tx, merchant, leaver, client.into(), now).await?;
                    let part = Part::of(merchant, None).with(&loss);
                    this.tell_member(tx, part, &found, client.into(), now).await?;
                    this.tell_owners(tx, part, &before, &found.email, client.into(), now)
                        .await?;
                    Ok(found)
                })
            })
            .await
    }
}

/// The member of a team with this id, unless it would lose its last owner by what is to be done to them.
fn found(team: &[MemberRow], member: [u8; 16], stays_owner: bool) -> Result<MemberRow, AccountError> {
    let found = team.iter().find(|known| known.id == member).cloned();
    let found = found.ok_or(AccountError::UnknownMember)?;
    let has_other = team.iter().any(|other| is_other_owner(other, found.account));
    if found.role == Role::Owner && !has_other && !stays_owner {
        return Err(AccountError::LastOwner);
    }
    Ok(found)
}

/// Whether a member is an owner who can get in, and not `account`.
pub(super) fn is_other_owner(member: &MemberRow, account: i64) -> bool {
    member.role == Role::Owner && member.account != account && !member.is_disabled
}

pub(super) fn name_of(tx: &Tx, merchant: MerchantId) -> String {
    let merchant = tx.memory().merchants().get(&merchant);
    merchant
        .map(|merchant| merchant.settings.name.clone())
        .unwrap_or_default()
}
