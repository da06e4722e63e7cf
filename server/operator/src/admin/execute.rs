//! Carrying out a command.

use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitpro_base::instants::instant;
use bitpro_charge::wire::NodeView;
use bitpro_charge::{ChargeId, MerchantId, Outpoint, State};
use bitpro_merchant::wallet::WalletText;
use bitpro_merchant::{Logo, SettingName, SettingsPatch};
use bitpro_service::accounts::Accounts;
use bitpro_service::charges::{Charges, CommandError, Filter, IssuanceBlock, MerchantChanges, MerchantError, Snapshot};
use bitpro_store::StoreError;
use serde_json::{Value, json};

use super::wire::{
    ChargeDocument, Command, EventDocument, Failure, Kind, ListQuery, MerchantDocument, MerchantEdit, Reply,
};
use super::{journal, keys, links, people, webhooks};

/// Carries out `command` on `accounts` and their charges. What compares them is not among it: see [`super::carry_out`].
///
/// # Errors
/// [`Failure`]; nothing is changed then.
pub async fn execute(accounts: &Accounts, command: Command) -> Reply {
    let work = carried_out(accounts, command.clone());
    journal::noted(accounts, &command, work).await
}

async fn carried_out(accounts: &Accounts, command: Command) -> Reply {
    let charges = accounts.charges();
    match command {
        Command::ListAccounts | Command::ApproveAccount { .. } => people::execute(accounts, command).await,
        Command::Account(command) => people::operate(accounts, command).await,
        Command::AddMerchant(edit) => {
            let owner = people::owner(&edit)?;
            let id = charges.add_merchant(changes(edit).await?).await?;
            people::adopt(accounts, id, owner).await?;
            scanned(charges, id).await?;
            merchant(charges, id).await
        }
        Command::SetMerchant { id, edit } => {
            let id = read::<MerchantId>("merchant id", &id)?;
            let owner = people::owner(&edit)?;
            let changes = changes(edit).await?;
            let names: Vec<SettingName> = changes.settings.texts().into_iter().map(|(name, _)| name).collect();
            let gives_wallet = changes.wallet.is_some();
            let former = charges.merchant(id);
            let is_first = former.as_ref().is_some_and(|merchant| merchant.descriptor.is_none());
            charges.change_merchant(id, changes).await?;
            if gives_wallet {
                accounts.tell_of_wallet(id, is_first).await?;
            }
            let has_owner = people::adopt(accounts, id, owner).await?;
            scanned(charges, id).await?;
            let mut document = merchant(charges, id).await?;
            let mut changed: Vec<&str> = has_owner.then_some(journal::OWNER).into_iter().collect();
            if let (Some(former), Some(present)) = (&former, charges.merchant(id)) {
                let settings = [former, &present].map(|merchant| &merchant.settings);
                let differs = |name: &SettingName| settings[0].text_of(*name) != settings[1].text_of(*name);
                changed.extend(names.into_iter().filter(differs).map(SettingName::as_str));
                changed.extend((former.logo != present.logo).then_some(journal::LOGO));
                changed.extend((former.descriptor != present.descriptor).then_some(journal::DESCRIPTOR));
            }
            document["changed"] = json!(changed);
            Ok(document)
        }
        Command::ShowMerchant { id } => merchant(charges, read("merchant id", &id)?).await,
        Command::ListMerchants => {
            let mut merchants = Vec::new();
            for listed in charges.merchants() {
                merchants.push(merchant(charges, listed.id).await?);
            }
            Ok(Value::Array(merchants))
        }
        Command::Link(command) => links::execute(charges, command).await,
        Command::Webhook(command) => webhooks::execute(charges, command).await,
        Command::ListCharges(query) => list(charges, query).await,
        Command::ShowUnread => unread(charges).await,
        Command::ShowCharge { id } => show(charges, read("charge id", &id)?).await,
        Command::AcceptCharge {
            id,
            outpoints,
            sequence,
        } => {
            let (id, snapshot) = charge(charges, &id).await?;
            let outpoints = if outpoints.is_empty() {
                let live = snapshot.charge.payments.iter().filter(|payment| payment.is_live());
                live.map(|payment| payment.outpoint).collect()
            } else {
                let named = outpoints.iter().map(|text| read::<Outpoint>("payment", text));
                named.collect::<Result<Vec<_>, _>>()?
            };
            let sequence = sequence.unwrap_or(snapshot.charge.sequence);
            let accepted = charges.accept(id, outpoints, sequence).await?;
            Ok(document(charges, &accepted))
        }
        Command::AddKey { .. }
        | Command::ListKeys { .. }
        | Command::RotateKey { .. }
        | Command::RevokeKey { .. }
        | Command::Rekey => keys::execute(charges, command).await,
        Command::Reconcile { .. } => Err(Failure::new(Kind::Invalid, "a comparison is not a change")),
        Command::Knock => Err(Failure::new(Kind::Unavailable, "no server runs")),
        Command::ShowClock => super::clock::show(charges),
        Command::AcceptClock => super::clock::accept(charges).await,
        Command::CopyDatabase => super::backup::execute(charges).await,
        Command::TestMail { to } => super::mail::test(charges, &to).await,
        Command::CancelCharge { id, sequence } => {
            let (id, snapshot) = charge(charges, &id).await?;
            let sequence = sequence.unwrap_or(snapshot.charge.sequence);
            let cancelled = charges.cancel(id, sequence).await?;
            Ok(document(charges, &cancelled))
        }
    }
}

/// Waits until a new descriptor was looked for on the chain, while a node is there that can do it (R27): whoever adds a
/// merchant wants to be paid at once. On a large chain it takes minutes, and then the answer says what is awaited.
async fn scanned(charges: &Charges, id: MerchantId) -> Result<(), Failure> {
    for _ in 0..LOOKS {
        let awaits = charges.merchant_report(id).await?.blocked == Some(IssuanceBlock::AwaitsScan);
        if !awaits || charges.node_condition() != NodeView::Ready {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// How long a scan is waited for: 10 s, in steps that nobody notices.
const LOOKS: u32 = 400;
const PAUSE: Duration = Duration::from_millis(25);

async fn merchant(charges: &Charges, id: MerchantId) -> Reply {
    let report = charges.merchant_report(id).await?;
    Ok(json!(MerchantDocument::of(&report)))
}

async fn charge(charges: &Charges, id: &str) -> Result<(ChargeId, std::sync::Arc<Snapshot>), Failure> {
    let id = read("charge id", id)?;
    let snapshot = charges.snapshot(id).await?;
    let snapshot = snapshot.ok_or_else(|| Failure::new(Kind::Unknown, "there is no such charge"))?;
    Ok((id, snapshot))
}

/// `null` when no block is missing that nobody has vouched for; those that are there still may have to be read.
async fn unread(charges: &Charges) -> Reply {
    let Some(unread) = charges.unread().await? else {
        return Ok(Value::Null);
    };
    let listed: Vec<Value> = unread
        .charges
        .iter()
        .map(|snapshot| document(charges, snapshot))
        .collect();
    Ok(json!({
        "from": unread.hole.from,
        "to": unread.hole.to,
        "known_until": instant(unread.hole.since),
        "known_again_from": instant(unread.hole.until),
        "charges": listed,
    }))
}

async fn show(charges: &Charges, id: ChargeId) -> Reply {
    let (_, snapshot) = charge(charges, &id.to_string()).await?;
    let history = charges.history(id).await?.unwrap_or_default();
    let mut document = document(charges, &snapshot);
    document["history"] = history
        .iter()
        .map(|recorded| json!(EventDocument::of(recorded)))
        .collect();
    Ok(document)
}

async fn list(charges: &Charges, query: ListQuery) -> Reply {
    let filter = Filter {
        merchant: query
            .merchant
            .as_deref()
            .map(|id| read("merchant id", id))
            .transpose()?,
        state: match query.state.as_deref() {
            None => None,
            Some(text) => Some(text.parse::<State>().map_err(|()| {
                let states: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
                Failure::new(
                    Kind::Invalid,
                    format!("state = {text:?}: wanted one of {}", states.join(", ")),
                )
            })?),
        },
        order_id: query.order_id,
        ..Filter::default()
    };
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let missing = query
            .limit
            .saturating_sub(u32::try_from(listed.len()).unwrap_or(u32::MAX));
        let page = charges.list(filter.clone(), after, missing.min(PAGE)).await?;
        listed.extend(page.charges.iter().map(|snapshot| document(charges, snapshot)));
        let unreadable = page.unreadable.iter();
        listed.extend(unreadable.map(|id| json!({"id": id.to_string(), "state": "unreadable"})));
        after = page.next;
        if after.is_none() || missing <= PAGE {
            return Ok(Value::Array(listed));
        }
    }
}

/// How many charges are read at once.
const PAGE: u32 = 100;

fn document(charges: &Charges, snapshot: &Snapshot) -> Value {
    json!(ChargeDocument::of(snapshot, charges.tip_height()))
}

async fn changes(edit: MerchantEdit) -> Result<MerchantChanges, Failure> {
    if edit.script_type.is_some() && edit.descriptor.is_none() {
        return Err(Failure::new(
            Kind::Invalid,
            "script_type is for an extended public key: add descriptor too",
        ));
    }
    let logo = match edit.logo.as_deref() {
        None => None,
        Some("") => Some(None),
        Some(encoded) => {
            let bytes = STANDARD.decode(encoded);
            let bytes = bytes.map_err(|_| Failure::new(Kind::Invalid, "the logo is not in base64"))?;
            let logo = Logo::from_upload(bytes)
                .await
                .map_err(|error| Failure::new(Kind::Invalid, error))?;
            Some(Some(logo))
        }
    };
    Ok(MerchantChanges {
        settings: SettingsPatch::read(&edit.settings).map_err(|error| Failure::new(Kind::Invalid, error))?,
        wallet: edit.descriptor.map(|text| WalletText {
            text,
            script_type: edit.script_type,
        }),
        logo,
        more_origins: Vec::new(),
    })
}

pub(super) fn read<T: FromStr<Err: std::fmt::Display>>(what: &str, text: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|error| Failure::new(Kind::Invalid, format!("{what} = {text:?}: {error}")))
}

impl From<MerchantError> for Failure {
    fn from(error: MerchantError) -> Self {
        let kind = match &error {
            MerchantError::Unknown => Kind::Unknown,
            MerchantError::Setting(_) | MerchantError::Descriptor(_) => Kind::Invalid,
            MerchantError::Store(_) => Kind::Unavailable,
        };
        Self::new(kind, error)
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        let kind = match &error {
            CommandError::UnknownCharge => Kind::Unknown,
            CommandError::ChainHeld | CommandError::Refused(_) => Kind::Conflict,
            CommandError::Store(_) => Kind::Unavailable,
        };
        Self::new(kind, error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(Kind::Unavailable, error)
    }
}
