//! The first merchant, and the account of its owner.

use std::path::Path;

use bitpro_merchant::SettingsPatch;
use bitpro_service::accounts::Email;

use super::ask::Asker;
use super::owner::Owner;
use super::{InitArguments, Trouble};

/// A merchant to add, with its owner.
pub(super) struct Account {
    owner: String,
    merchant: String,
}

impl Account {
    /// What was given, or answered; `None` when no account is wanted.
    ///
    /// # Errors
    /// When a value cannot be taken.
    pub(super) fn gathered(arguments: &InitArguments, asker: &mut Asker<'_>) -> Result<Option<Self>, Trouble> {
        let given = arguments.owner.clone().zip(arguments.merchant.clone());
        let (owner, merchant) = match given {
            Some(given) => given,
            None => {
                let question = "E-mail address of the first shop's owner (empty: none yet)";
                let read = |text: &str| match text {
                    "" => Ok(None),
                    text => email(text).map(Some),
                };
                let Some(Some(owner)) = asker.ask(question, "", read)? else {
                    return Ok(None);
                };
                let Some(merchant) = asker.ask("Name of the shop", "", name)? else {
                    return Ok(None);
                };
                (owner, merchant)
            }
        };
        Ok(Some(Self {
            owner: email(&owner)?,
            merchant: name(&merchant)?,
        }))
    }

    /// Adds the merchant unless there is one already, and gives what to tell.
    ///
    /// # Errors
    /// What the commands say.
    pub(super) fn added(self, owner: &Owner, file: &Path, merchants: usize) -> Result<Vec<String>, Trouble> {
        if merchants > 0 {
            return Ok(vec![format!(
                "left   the shops that are there ({merchants}): `bitpro merchant add` adds another"
            )]);
        }
        let add = [
            "merchant",
            "add",
            "--name",
            &self.merchant,
            "--owner",
            &self.owner,
            "--json",
        ];
        let added = owner.run(file, &add)?;
        let link = owner.run(file, &["account", "link", &self.owner, "--json"])?;
        Ok(vec![
            format!(
                "added  shop {:?} ({}), owner {}",
                self.merchant,
                added["id"].as_str().unwrap_or_default(),
                self.owner
            ),
            format!(
                "       the owner chooses a password here, within 48 hours of now, once the server runs: {}",
                link["link"].as_str().unwrap_or_default()
            ),
        ])
    }
}

fn email(text: &str) -> Result<String, String> {
    let email = Email::read(text).map(|email| email.as_str().to_owned());
    email.ok_or_else(|| format!("owner-wrong: owner = {text:?}: wanted an e-mail address"))
}

fn name(text: &str) -> Result<String, String> {
    match SettingsPatch::read(&[("name", text)]) {
        Ok(_) if !text.trim().is_empty() => Ok(text.to_owned()),
        Ok(_) => Err("merchant-wrong: a shop needs a name".to_owned()),
        Err(error) => Err(format!("merchant-wrong: {error}")),
    }
}
