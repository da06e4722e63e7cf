//! What the command line changes of a merchant stands in their audit log, like what people change in the dashboard.

use bitpro_base::name;
use bitpro_charge::MerchantId;
use bitpro_merchant::keys::KeyId;
use bitpro_service::accounts::Accounts;
use bitpro_service::charges::Charges;
use bitpro_service::webhooks::{WebhookId, Webhooks};
use serde_json::Value;

use super::links::LinkCommand;
use super::webhooks::WebhookCommand;
use super::wire::{Command, MerchantEdit, Reply};

/// What stands in the place of a person's address.
const WHO: &str = "bitpro";
/// What stands in the place of a client's address.
const FROM: &str = "command line";

/// All that the command line notes. Where the dashboard can do the same, the name is the path of its form, without ids.
pub const ACTIONS: [&str; 12] = [
    "settings",
    "charges/accept",
    "charges/cancel",
    "settings/keys",
    "settings/keys/rotate",
    "settings/keys/revoke",
    "settings/links/rotate",
    "settings/links/revoke",
    "settings/webhooks",
    "settings/webhooks/remove",
    "settings/webhooks/rotate",
    "settings/webhooks/redeliver",
];

/// Carries out `work`, which does what `command` says, and notes it if it changes something of a merchant.
pub(super) async fn noted(accounts: &Accounts, command: &Command, work: impl Future<Output = Reply>) -> Reply {
    let Some((merchant, action)) = changes(accounts.charges(), command).await else {
        return work.await;
    };
    debug_assert!(ACTIONS.contains(&action), "{action} is not among the actions");
    let begun = accounts.begin_change(Some(merchant), None, WHO, action, FROM).await?;
    let reply = work.await;
    let detail = reply.as_ref().ok().map(|made| detail(command, made));
    // What was so already is no change.
    let detail = detail.filter(|detail| !detail.is_empty());
    accounts.end_change(begun, detail).await?;
    reply
}

/// What a command has changed, in the words of the dashboard's own lines; `made` is its reply. No secret is among it.
fn detail(command: &Command, made: &Value) -> String {
    let id_made = made["id"].as_str().unwrap_or_default();
    match command {
        Command::SetMerchant { edit, .. } => edited(edit, made),
        Command::AcceptCharge { outpoints, .. } if !outpoints.is_empty() => {
            format!("{}: {}", charge(made), outpoints.join(" "))
        }
        Command::AcceptCharge { .. } | Command::CancelCharge { .. } => charge(made),
        Command::AddKey { .. } | Command::RotateKey { .. } | Command::RevokeKey { .. } => {
            format!("{id_made} {}", made["name"].as_str().unwrap_or_default())
        }
        Command::Webhook(WebhookCommand::Add { state, url, .. }) => format!("{id_made} {state} {url}"),
        _ => id_made.to_owned(),
    }
}

/// A charge by its id, and the order where there is one.
fn charge(made: &Value) -> String {
    let id = made["id"].as_str().unwrap_or_default();
    match made["order_id"].as_str() {
        Some(order_id) => format!("{id} ({})", name::escaped(order_id)),
        None => id.to_owned(),
    }
}

/// What a change of a merchant may be of, beside settings, in the list `changed` of the reply.
pub(super) const OWNER: &str = "owner";
pub(super) const LOGO: &str = "logo";
pub(super) const DESCRIPTOR: &str = "descriptor";

/// The settings that an edit has changed, as they are now, and the rest of what it has. A descriptor is told whole, as the dashboard does: by it one
/// sees where the money went.
fn edited(edit: &MerchantEdit, merchant: &Value) -> String {
    let mut parts: Vec<String> = Vec::new();
    let is_changed = |name: &str| {
        let changed = merchant["changed"].as_array();
        changed.is_some_and(|names| names.iter().any(|changed| changed == name))
    };
    if let Some(owner) = edit.owner.as_ref().filter(|_| is_changed(OWNER)) {
        parts.push(format!("owner: {}", owner.trim()));
    }
    for (name, _) in edit.settings.iter().filter(|(name, _)| is_changed(name)) {
        let value = merchant["settings"][name].as_str().unwrap_or_default();
        parts.push(format!("{name} = {value}"));
    }
    match edit.logo.as_deref() {
        Some("") if is_changed(LOGO) => parts.push("logo: none".to_owned()),
        Some(_) if is_changed(LOGO) => parts.push("logo".to_owned()),
        _ => {}
    }
    if is_changed(DESCRIPTOR) {
        let descriptor = merchant["descriptor"].as_str().unwrap_or_default();
        parts.push(format!("descriptor: {descriptor}"));
    }
    parts.join(", ")
}

/// Whose merchant a command changes, and what; `None` when it changes nothing, or nothing that is there.
async fn changes(charges: &Charges, command: &Command) -> Option<(MerchantId, &'static str)> {
    let of_charge = async |id: &str| {
        let snapshot = charges.snapshot(id.parse().ok()?).await.ok()??;
        Some(snapshot.charge.merchant)
    };
    let of_key = |id: &str| Some(charges.key(id.parse::<KeyId>().ok()?)?.merchant);
    let (merchant, action) = match command {
        Command::SetMerchant { id, .. } => (id.parse().ok(), "settings"),
        Command::AcceptCharge { id, .. } => (of_charge(id).await, "charges/accept"),
        Command::CancelCharge { id, .. } => (of_charge(id).await, "charges/cancel"),
        Command::AddKey { merchant, .. } => (merchant.parse().ok(), "settings/keys"),
        Command::RotateKey { id, .. } => (of_key(id), "settings/keys/rotate"),
        Command::RevokeKey { id } => (of_key(id), "settings/keys/revoke"),
        Command::Link(LinkCommand::RotateKey { merchant, .. }) => (merchant.parse().ok(), "settings/links/rotate"),
        Command::Link(LinkCommand::RevokeKey { merchant, .. }) => (merchant.parse().ok(), "settings/links/revoke"),
        Command::Webhook(command) => of_webhook(charges, command)?,
        _ => return None,
    };
    // A merchant that is not there has no log; the command itself says that it is unknown.
    Some((merchant.filter(|id| charges.merchant(*id).is_some())?, action))
}

fn of_webhook(charges: &Charges, command: &WebhookCommand) -> Option<(Option<MerchantId>, &'static str)> {
    let owner = |id: &str| Webhooks::of(charges.clone()).owner(id.parse::<WebhookId>().ok()?);
    Some(match command {
        WebhookCommand::Add { merchant, .. } => (merchant.parse().ok(), "settings/webhooks"),
        WebhookCommand::Remove { id } => (owner(id), "settings/webhooks/remove"),
        WebhookCommand::Rotate { id, .. } => (owner(id), "settings/webhooks/rotate"),
        WebhookCommand::Redeliver { id, .. } => (owner(id), "settings/webhooks/redeliver"),
        WebhookCommand::List { .. } | WebhookCommand::Test { .. } | WebhookCommand::Deliveries { .. } => return None,
    })
}
