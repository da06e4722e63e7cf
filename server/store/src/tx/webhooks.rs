//! Webhooks, and what they are to be told.

use std::sync::Arc;

use bitpro_charge::{MerchantId, Timestamp};

use super::Tx;
use super::standing::Standing;
use crate::memory::next;
use crate::webhook::{AttemptRow, Due, Webhook, WebhookMap};
use crate::{Fresh, StoreError, Told};

impl Tx {
    /// The webhook called `id`, unless it is removed.
    pub fn webhook(&self, id: [u8; 16]) -> Option<Arc<Webhook>> {
        let all = self.memory.webhooks().values().flatten();
        all.into_iter().find(|webhook| webhook.id == id).cloned()
    }

    /// The webhook in row `num`, unless it is removed.
    pub fn webhook_in(&self, num: i64) -> Option<Arc<Webhook>> {
        let mut all = self.memory.webhooks().values().flatten();
        all.find(|webhook| webhook.num == num).cloned()
    }

    /// Stores a webhook as it is now. One whose row is 0 is new, and gets the next.
    pub async fn put_webhook(&mut self, mut webhook: Webhook) -> Result<(), StoreError> {
        let merchant = self
            .memory
            .merchant_row(webhook.merchant)
            .ok_or_else(|| StoreError::Damaged("a webhook of a merchant who is not there".to_owned()))?;
        if webhook.num == 0 {
            webhook.num = next(&mut self.memory.rows.webhook);
        }
        self.writing().await?.put_webhook(&webhook, merchant).await?;
        self.change_webhooks(|map| {
            let webhooks = map.entry(webhook.merchant).or_default();
            let num = webhook.num;
            let webhook = Arc::new(webhook);
            match webhooks.iter_mut().find(|known| known.num == num) {
                Some(known) => *known = webhook,
                None => webhooks.push(webhook),
            }
        });
        Ok(())
    }

    /// Removes a webhook; what it was still to be told is cancelled.
    pub async fn remove_webhook(&mut self, webhook: &Webhook, at: Timestamp) -> Result<(), StoreError> {
        self.writing().await?.remove_webhook(webhook.num, at).await?;
        self.change_webhooks(|map| {
            if let Some(webhooks) = map.get_mut(&webhook.merchant) {
                webhooks.retain(|known| known.num != webhook.num);
            }
        });
        Ok(())
    }

    /// Makes deliveries of a webhook due again: that of one event, or all that did not arrive. How many.
    pub async fn redeliver(
        &mut self,
        webhook: &Webhook,
        event: Option<[u8; 16]>,
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        let due = self.writing().await?.redeliver(webhook.num, event, at).await?;
        let count = due.len();
        self.news.due.extend(due);
        Ok(count)
    }

    /// Stores attempts, how their deliveries go on, and which were overtaken by which event (R19).
    pub async fn record_attempts(
        &mut self,
        attempts: &[AttemptRow],
        overtaken: &[(i64, [u8; 16])],
    ) -> Result<(), StoreError> {
        let session = self.writing().await?;
        session.insert_attempts(attempts).await?;
        session.supersede(overtaken).await
    }

    /// Forgets deliveries and their attempts.
    pub async fn forget_deliveries(&mut self, nums: &[i64]) -> Result<(), StoreError> {
        self.writing().await?.delete_deliveries(nums).await
    }

    /// One delivery for each of the merchant's webhooks that is to be told, due at once; `fresh` makes what they are told. The outbox has
    /// the event in any case, for who asks the API; a URL is not told twice of the same good news without its loss between (R17).
    pub(super) fn deliveries_of(
        &mut self,
        merchant: MerchantId,
        told: Told,
        fresh: impl FnOnce(Told) -> Fresh,
        standing: &mut Standing,
        due: &mut Vec<Due>,
    ) {
        let Some(webhooks) = self.memory.webhooks().get(&merchant) else {
            return;
        };
        // A paused one is told too, once it goes on (R20).
        let announcement = told.announcement;
        let concerned = webhooks
            .iter()
            .filter(|webhook| webhook.announcement == announcement)
            .filter(|webhook| standing.tell(told.charge, &webhook.url, announcement));
        let concerned: Vec<i64> = concerned.map(|webhook| webhook.num).collect();
        if concerned.is_empty() {
            return;
        }
        let fresh = Arc::new(fresh(told));
        for webhook in concerned {
            due.push(Due {
                num: next(&mut self.memory.rows.delivery),
                webhook,
                outbox: fresh.told.num,
                charge: fresh.told.charge,
                event: fresh.told.id,
                attempts: 0,
                at: fresh.told.at,
                superseded_by: None,
                fresh: Some(Arc::clone(&fresh)),
            });
        }
    }

    fn change_webhooks(&mut self, change: impl FnOnce(&mut WebhookMap)) {
        let mut map = WebhookMap::clone(self.memory.webhooks());
        change(&mut map);
        self.memory.put_webhooks(map);
        self.news.webhooks = Some(Arc::clone(self.memory.webhooks()));
    }
}
