//! Reading into memory what can still move: at the start, and when another process has written.

use std::collections::HashMap;
use std::sync::Arc;

use bitpro_base::links::SealedLinkKey;
use bitpro_base::seal::Purpose;
use bitpro_charge::{State, Txid};
use bitpro_merchant::keys::{ApiKey, KeyId, KeyMap, KeySecret};
use bitpro_merchant::wallet::{Derived, Receive};
use bitpro_merchant::{Logo, Merchant, MerchantMap, stored};

use super::documents::hole_from;
use super::issuer::{Ahead, Issuer, LEAST_AHEAD};
use super::memory::{Memory, Rows, TxPlace};
use super::rows::{DescriptorRow, MerchantRow};
use super::tx::TOLD;
use super::{StoreError, Tx, WebhookMap};

/// Replaces the memory by what is stored.
pub(super) async fn reload(tx: &mut Tx) -> Result<(), StoreError> {
    let mut memory = Memory::default();
    memory.rows = rows(tx).await?;
    if let Some((tip, observed_until)) = tx.session.tip().await? {
        memory.move_tip(tip, observed_until, true);
        tx.news.tip = Some((tip, observed_until));
    }
    for (state, n) in tx.session.state_counts().await? {
        if let Some(position) = State::ALL.iter().position(|&known| known == state) {
            memory.counts[position] = n;
        }
    }
    if let Some(first) = tx.session.first_made().await? {
        memory.note_made(first);
    }
    memory.set_hole(hole_from(tx.session.meta("hole").await?.as_deref())?);
    let texts = issuers(tx, &mut memory).await?;
    merchants(tx, &mut memory, &texts).await?;
    keys(tx, &mut memory).await?;
    webhooks(tx, &mut memory).await?;
    charges(tx, &mut memory).await?;
    let note_paid = |merchant, order_id: &str| memory.note_paid(merchant, order_id);
    tx.session.for_each_paid_order(note_paid).await?;
    transactions(tx, &mut memory).await?;
    memory.forget_inverses();
    tx.news.merchants = Some(Arc::clone(memory.merchants()));
    tx.news.keys = Some(Arc::clone(memory.keys()));
    tx.news.webhooks = Some(Arc::clone(memory.webhooks()));
    tx.news.from_elsewhere = true;
    tx.loaded(memory);
    Ok(())
}

async fn rows(tx: &mut Tx) -> Result<Rows, StoreError> {
    let [charge, batch, outbox, script, merchant, descriptor] = tx.session.last_rows().await?;
    let [webhook, delivery] = tx.session.last_webhook_rows().await?;
    // After a step back, numbers of events go on above what was told (R31).
    let above = tx
        .session
        .meta(TOLD)
        .await?
        .and_then(|num| num.parse().ok())
        .unwrap_or(0);
    Ok(Rows {
        charge,
        batch,
        outbox: outbox.max(above),
        script,
        merchant,
        descriptor,
        webhook,
        delivery,
    })
}

/// Loads the counters; the descriptors' texts by row.
async fn issuers(tx: &mut Tx, memory: &mut Memory) -> Result<HashMap<i64, String>, StoreError> {
    let mut texts = HashMap::new();
    for row in tx.session.descriptors().await? {
        if row.mac != tx.secret.of_descriptor(&row.text) {
            return Err(StoreError::Damaged(format!(
                "descriptor {} was changed by another hand",
                row.id.0
            )));
        }
        texts.insert(row.id.0, row.text.clone());
        let issuer = issuer(tx, row).await?;
        tx.news.watched.extend(issuer.ahead.iter().map(Arc::clone));
        tx.news.receives.push((issuer.row.id, Arc::clone(&issuer.receive)));
        memory.put_issuer(issuer.row.id, issuer);
    }
    Ok(texts)
}

async fn issuer(tx: &mut Tx, row: DescriptorRow) -> Result<Issuer, StoreError> {
    let known = tx.memory.issuer(row.id);
    let target = known.map_or(LEAST_AHEAD, |known| known.target);
    let receive = match known {
        Some(known) => Arc::clone(&known.receive),
        None => Arc::new(
            Receive::from_descriptor(&row.text, tx.network).map_err(|error| StoreError::Damaged(error.to_string()))?,
        ),
    };
    let derived_before: HashMap<u32, Arc<Ahead>> = known
        .into_iter()
        .flat_map(|known| &known.ahead)
        .map(|ahead| (ahead.derived.index, Arc::clone(ahead)))
        .collect();
    let mut end = row.next_index;
    let mut ahead = std::collections::VecDeque::new();
    for script in tx.session.look_ahead(row.id, row.next_index).await? {
        end = script.index + 1;
        let known = derived_before
            .get(&script.index)
            .filter(|known| known.script == script.id);
        let derived: Option<Derived> = match known {
            Some(known) => Some(known.derived.clone()),
            None => receive.derive(script.index),
        };
        let derived = derived
            .filter(|derived| derived.script == script.script)
            .ok_or_else(|| {
                StoreError::Damaged(format!("script {} does not follow from its descriptor", script.id.0))
            })?;
        ahead.push_back(Arc::new(Ahead {
            script: script.id,
            derived,
        }));
    }
    Ok(Issuer {
        row,
        receive,
        ahead,
        end,
        target,
    })
}

async fn merchants(tx: &mut Tx, memory: &mut Memory, texts: &HashMap<i64, String>) -> Result<(), StoreError> {
    let mut merchants = MerchantMap::new();
    let mut rows = HashMap::new();
    let mut link_keys = tx.session.link_keys().await?;
    for row in tx.session.merchants().await? {
        if let Some((descriptor, mac)) = &row.descriptor {
            let text = texts.get(&descriptor.0).map_or("", String::as_str);
            if *mac != tx.secret.of_merchant(row.id, text) {
                return Err(StoreError::Damaged(format!(
                    "the descriptor of merchant {} was changed by another hand",
                    row.id
                )));
            }
        }
        rows.insert(row.id, row.num);
        merchants.insert(
            row.id,
            Arc::new(merchant_of(&row, link_keys.remove(&row.num).unwrap_or_default())?),
        );
    }
    memory.load_merchants(merchants, rows);
    Ok(())
}

async fn webhooks(tx: &mut Tx, memory: &mut Memory) -> Result<(), StoreError> {
    let mut webhooks = WebhookMap::new();
    for webhook in tx.session.webhooks().await? {
        webhooks.entry(webhook.merchant).or_default().push(Arc::new(webhook));
    }
    memory.put_webhooks(webhooks);
    Ok(())
}

/// The merchant in a row.
fn merchant_of(row: &MerchantRow, link_keys: Vec<SealedLinkKey>) -> Result<Merchant, StoreError> {
    let damaged = || StoreError::Damaged(format!("the settings of merchant {}", row.id));
    let logo = match &row.logo {
        Some(bytes) => Some(Logo::from_stored(bytes.clone()).ok_or_else(damaged)?),
        None => None,
    };
    Ok(Merchant {
        id: row.id,
        settings: stored::from_document(&row.settings).ok_or_else(damaged)?,
        logo,
        descriptor: row.descriptor.as_ref().map(|(id, _)| *id),
        link_keys,
        created_at: row.created_at,
    })
}

/// Loads the keys of the merchant API. What is known of their last use only here is kept along.
async fn keys(tx: &mut Tx, memory: &mut Memory) -> Result<(), StoreError> {
    let mut secrets: HashMap<i64, Vec<KeySecret>> = HashMap::new();
    for row in tx.session.api_key_secrets().await? {
        let bytes = tx.seal.open(Purpose::ApiKey, &row.id, &row.sealed)?;
        secrets.entry(row.key).or_default().push(KeySecret {
            id: row.id,
            bytes: bytes.into(),
            created_at: row.created_at,
            expires_at: row.expires_at,
        });
    }
    let mut keys = KeyMap::new();
    for row in tx.session.api_keys().await? {
        let id = KeyId(row.id);
        let known = tx.memory.keys().get(&id).map(|known| Arc::clone(&known.last_used));
        let key = ApiKey {
            num: row.num,
            id,
            merchant: row.merchant,
            name: row.name,
            scopes: (row.scopes.parse()).map_err(|_| StoreError::Damaged(format!("the scopes of key {id}")))?,
            created_at: row.created_at,
            revoked_at: row.revoked_at,
            secrets: secrets.remove(&row.num).unwrap_or_default(),
            last_used: known.unwrap_or_default(),
        };
        if let Some(at) = row.last_used_at {
            key.note_used(at);
        }
        keys.insert(id, Arc::new(key));
    }
    memory.load_keys(keys);
    Ok(())
}

async fn charges(tx: &mut Tx, memory: &mut Memory) -> Result<(), StoreError> {
    let tip = memory.tip_height();
    let mut settled = Vec::new();
    for snapshot in tx.session.open_charges().await? {
        if !snapshot.is_genuine {
            // Nothing is decided about it: what it would be decided by is not what its shopper was shown.
            tracing::error!(charge = %snapshot.charge.id, "what this charge was created with was changed by another hand: it is left as it is");
        } else if snapshot.is_open(tip) {
            memory.put_charge(&Arc::new(snapshot));
        } else {
            // It became settled by depth alone, which leaves no event and so did not touch its row.
            settled.push(snapshot.num);
        }
    }
    tx.session.close_charges(&settled).await
}

async fn transactions(tx: &mut Tx, memory: &mut Memory) -> Result<(), StoreError> {
    let mut pays: HashMap<Txid, Vec<(u32, i64)>> = HashMap::new();
    for (txid, vout, charge) in tx.session.followed_payments().await? {
        pays.entry(txid).or_default().push((vout, charge));
    }
    for place in tx.session.followed_txs().await? {
        let pays = pays.remove(&place.txid).unwrap_or_default();
        memory.follow(Arc::new(TxPlace { pays, ..place }));
    }
    Ok(())
}
