//! Having the results of attempts stored, many in one commit. The sender does not wait for it: what is not stored yet when the
//! server dies is sent again, with the same event id.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bitpro_store::webhook::{AttemptRow, Webhook};
use bitpro_store::{Store, StoreError, Tx};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Results in one commit, at most.
const BATCH: usize = 1_000;
/// How long to wait after a failed commit.
const PAUSE: Duration = Duration::from_secs(1);

/// The result of one attempt.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) attempt: AttemptRow,
    /// Older deliveries that the event of this one overtook.
    pub(super) overtaken: Vec<(i64, [u8; 16])>,
    /// The row of a webhook that is to be paused: its receiver is gone for good (R20).
    pub(super) gone: Option<i64>,
}

/// Takes results.
pub(super) struct Recorder {
    records: mpsc::UnboundedSender<Record>,
    waiting: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Starts to record into `store`.
    pub(super) fn start(store: Arc<Store>) -> Self {
        let (records, taken) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        Self {
            records,
            task: tokio::spawn(run(store, taken, Arc::clone(&waiting))),
            waiting,
        }
    }

    /// Takes a result.
    pub(super) fn put(&self, record: Record) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // The other end is there until this one is dropped.
        let _ = self.records.send(record);
    }

    /// How many results wait for their commit.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Waits until everything is stored.
    pub(super) async fn finish(self) {
        drop(self.records);
        let _ = self.task.await;
    }
}

async fn run(store: Arc<Store>, mut records: mpsc::UnboundedReceiver<Record>, waiting: Arc<AtomicUsize>) {
    let mut batch = Vec::new();
    while records.recv_many(&mut batch, BATCH).await > 0 {
        let count = batch.len();
        let records = Arc::new(std::mem::take(&mut batch));
        loop {
            let records = Arc::clone(&records);
            let stored = store
                .write(move |tx| Box::pin(async move { put(tx, &records).await }))
                .await;
            match stored {
                Ok(()) => break,
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, count, "cannot store results of deliveries yet");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        waiting.fetch_sub(count, Ordering::Relaxed);
    }
}

async fn put(tx: &mut Tx, records: &[Record]) -> Result<(), StoreError> {
    let attempts: Vec<AttemptRow> = records.iter().map(|record| record.attempt.clone()).collect();
    let overtaken: Vec<(i64, [u8; 16])> = records.iter().flat_map(|record| record.overtaken.clone()).collect();
    tx.record_attempts(&attempts, &overtaken).await?;
    for record in records {
        let Some(webhook) = record.gone.and_then(|num| tx.webhook_in(num)) else {
            continue;
        };
        if webhook.paused_at.is_none() {
            tracing::error!(
                webhook = %super::WebhookId(webhook.id),
                url = %webhook.url,
                "the receiver answered 410 Gone: the webhook is paused, and its missed events wait for `bitpro webhook redeliver`"
            );
            let paused = Webhook {
                paused_at: Some(record.attempt.at),
                ..Webhook::clone(&webhook)
            };
            tx.put_webhook(paused).await?;
        }
    }
    Ok(())
}
