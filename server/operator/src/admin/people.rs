//! Commands about people: who asked for an account, who is let in, who owns a merchant, and what the operator does to an account.

use bitpro_base::instants::instant;
use bitpro_charge::MerchantId;
use bitpro_service::accounts::{AccountError, Accounts, Email, Listed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wire::{Command, Failure, Kind, MerchantEdit, Reply};

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

/// A command about one account, by its e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "account")]
pub enum AccountCommand {
    /// Takes all second factors from it.
    ResetFactor {
        /// The address.
        email: String,
    },
    /// Sends a new link to choose a password, and gives it.
    Link {
        /// The address.
        email: String,
    },
    /// Blocks it.
    Disable {
        /// The address.
        email: String,
        /// Also when merchants are left without an owner who can get in.
        force: bool,
    },
    /// Blocks it no more.
    Enable {
        /// The address.
        email: String,
    },
    /// Refuses the request for it.
    Reject {
        /// The address.
        email: String,
    },
    /// Removes it.
    Remove {
        /// The address.
        email: String,
    },
}

impl AccountCommand {
    /// The address of the account.
    pub const fn email(&self) -> &String {
        match self {
            Self::ResetFactor { email }
            | Self::Link { email }
            | Self::Disable { email, .. }
            | Self::Enable { email }
            | Self::Reject { email }
            | Self::Remove { email } => email,
        }
    }

    /// The command as it is typed.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::ResetFactor { .. } => "account reset-factor",
            Self::Link { .. } => "account link",
            Self::Disable { .. } => "account disable",
            Self::Enable { .. } => "account enable",
            Self::Reject { .. } => "account reject",
            Self::Remove { .. } => "account remove",
        }
    }
}

/// Carries out a command about one account.
pub(super) async fn operate(accounts: &Accounts, command: AccountCommand) -> Reply {
    let email = address(command.email())?;
    let mut reply = json!({ "email": email.as_str() });
    match command {
        AccountCommand::ResetFactor { .. } => accounts.reset_factor(&email).await?,
        AccountCommand::Link { .. } => reply["link"] = accounts.new_link(&email).await?.into(),
        AccountCommand::Disable { force, .. } => accounts.disable(&email, force).await?,
        AccountCommand::Enable { .. } => accounts.enable(&email).await?,
        AccountCommand::Reject { .. } => accounts.reject(&email).await?,
        AccountCommand::Remove { .. } => accounts.remove_account(&email).await?,
    }
    Ok(reply)
}

/// The owner that an edit names.
pub(super) fn owner(edit: &MerchantEdit) -> Result<Option<Email>, Failure> {
    edit.owner.as_deref().map(address).transpose()
}

/// Gives a merchant an owner, if one is named. Whether that changed anything.
pub(super) async fn adopt(accounts: &Accounts, merchant: MerchantId, owner: Option<Email>) -> Result<bool, Failure> {
    match owner {
        Some(owner) => Ok(accounts.adopt(merchant, &owner).await?),
        None => Ok(false),
    }
}

fn address(text: &str) -> Result<Email, Failure> {
    Email::read(text).ok_or_else(|| {
        Failure::new(
            Kind::Invalid,
            format!("e-mail = {text:?}: wanted an address such as ada@shop.example"),
        )
    })
}

fn document(account: &Listed) -> Value {
    let state = match (account.is_approved, account.is_active) {
        _ if account.is_disabled => "disabled",
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
            AccountError::Approved
            | AccountError::NotApproved
            | AccountError::Blocked
            | AccountError::NotBlocked
            | AccountError::NoFactor
            | AccountError::OnlyOwner(_)
            | AccountError::OnlyOwnerBlocked(_) => Kind::Conflict,
            AccountError::Store(error) => return error.into(),
            _ => Kind::Invalid,
        };
        Self::new(kind, error.to_string())
    }
}
