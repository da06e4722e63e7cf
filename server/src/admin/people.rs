//! Commands about people: who asked for an account, who is let in, who owns a merchant.

use bitpro_charge::MerchantId;
use serde_json::{Value, json};

use super::wire::{Command, Failure, Kind, MerchantEdit, Reply};
use crate::accounts::{AccountError, Accounts, Email, Listed};
use crate::wire::instant;

/// Carries out a command about accounts.
pub(super) async fn execute(accounts: &Accounts, command: Command) -> Reply {
    if let Command::ApproveAccount { email } = command {
        let email = address(&email)?;
        let merchant = accounts.approve(&email).await?;
        return Ok(json!({ "email": email.as_str(), "merchant": merchant.to_string() }));
    }
    let listed = accounts.list().await?;
    Ok(Value::Array(listed.iter().map(document).collect()))
}

/// The owner that an edit names.
pub(super) fn owner(edit: &MerchantEdit) -> Result<Option<Email>, Failure> {
    edit.owner.as_deref().map(address).transpose()
}

/// Gives a merchant an owner, if one is named.
pub(super) async fn adopt(accounts: &Accounts, merchant: MerchantId, owner: Option<Email>) -> Result<(), Failure> {
    if let Some(owner) = owner {
        accounts.adopt(merchant, &owner).await?;
    }
    Ok(())
}

fn address(text: &str) -> Result<Email, Failure> {
    Email::read(text).ok_or_else(|| {
        Failure::new(
            Kind::Invalid,
            format!("e-mail = {text:?}: wanted an address as in ada@shop.example"),
        )
    })
}

fn document(account: &Listed) -> Value {
    let state = match (account.is_approved, account.is_active) {
        (false, _) => "requested",
        (true, false) => "approved",
        (true, true) => "active",
    };
    let merchants: Vec<Value> = account
        .merchants
        .iter()
        .map(|(id, role)| json!({ "id": id.to_string(), "role": role.as_str() }))
        .collect();
    json!({
        "email": account.email,
        "name": account.name,
        "company": account.company,
        "site": account.site,
        "state": state,
        "created_at": instant(account.created_at),
        "merchants": merchants,
    })
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        let kind = match error {
            AccountError::UnknownAccount | AccountError::UnknownMerchant => Kind::Unknown,
            AccountError::Approved => Kind::Conflict,
            AccountError::Store(error) => return error.into(),
            _ => Kind::Invalid,
        };
        Self::new(kind, error.to_string())
    }
}
