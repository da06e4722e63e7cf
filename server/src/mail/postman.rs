//! Sending what is posted: a letter's row is deleted once it is sent, so that a death in between sends it again rather than
//! never.

use std::sync::Arc;
use std::time::Duration;

use bitpro_charge::Timestamp;
use lettre::message::Mailbox;
use metrics::{counter, gauge};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::message::message;
use super::schedule::next_attempt;
use super::transport::{Failure, MailSetupError, Transport};
use crate::charges::Charges;
use crate::config::MailConfig;
use crate::seal::Purpose;
use crate::store::documents::letter_from;
use crate::store::{MailRow, StoreError};

/// Letters on their way at the same time.
const AT_ONCE: u32 = 4;
/// The longest sleep: how late a change of another process, or of the clock, is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// The sleep after letters of which not one could be sent: the next ones fare no better.
const SLEEP_AFTER_FAILURE: Duration = Duration::from_secs(10);
/// How long letters that are on their way may take when the server ends.
const CLOSING: Duration = Duration::from_secs(5);

/// Sends what is posted.
pub struct Postman {
    charges: Charges,
    from: Mailbox,
    transport: Transport,
    posted: Arc<Notify>,
}

/// What came of a letter.
struct Sent {
    row: MailRow,
    at: Timestamp,
    outcome: Result<(), Failure>,
}

/// A letter that is tried again.
struct PutOff {
    attempts: u32,
    first_at: Timestamp,
    next: Timestamp,
}

impl Postman {
    /// A postman for what is posted in the store of `charges`.
    ///
    /// # Errors
    /// [`MailSetupError`].
    pub fn new(charges: Charges, config: &MailConfig) -> Result<Self, MailSetupError> {
        Ok(Self {
            from: config.from.clone(),
            transport: Transport::new(config)?,
            posted: charges.mail_posted(),
            charges,
        })
    }

    /// Works until `closing` is cancelled.
    pub async fn run(self, closing: CancellationToken) {
        loop {
            let sleep = tokio::select! {
                biased;
                () = ended(&closing) => return,
                sleep = self.round(&closing) => sleep,
            };
            tokio::select! {
                biased;
                () = closing.cancelled() => return,
                () = self.posted.notified() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Sends everything whose time has come. How long there is nothing to do then.
    async fn round(&self, closing: &CancellationToken) -> Duration {
        while !closing.is_cancelled() {
            match self.send_some().await {
                Ok(Some(true)) => {}
                Ok(Some(false)) => return SLEEP_AFTER_FAILURE,
                Ok(None) => break,
                Err(StoreError::Closed) => return LONGEST_SLEEP,
                Err(error) => {
                    tracing::error!(%error, "letters are not sent for now");
                    return SLEEP_AFTER_FAILURE;
                }
            }
        }
        self.until_next().await
    }

    /// Sends a few letters. Whether any of them could be sent; `None` when there was none to send.
    pub(super) async fn send_some(&self) -> Result<Option<bool>, StoreError> {
        let rows = self.charges.store().mails_due(self.charges.now(), AT_ONCE).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let sent = futures::future::join_all(rows.into_iter().map(|row| self.send(row))).await;
        let any_sent = sent.iter().any(|sent| sent.outcome.is_ok());
        self.note(sent).await?;
        Ok(Some(any_sent))
    }

    async fn send(&self, row: MailRow) -> Sent {
        let at = self.charges.now();
        let outcome = match self.opened(&row, at) {
            Ok(message) => self.transport.send(message, row.num, at).await,
            Err(failure) => Err(failure),
        };
        Sent { row, at, outcome }
    }

    fn opened(&self, row: &MailRow, at: Timestamp) -> Result<lettre::Message, Failure> {
        let failed = |why: String| Failure { is_refused: true, why };
        let opened = self.charges.seal().open(Purpose::Mail, &row.id, &row.sealed);
        let document = opened.map_err(|error| failed(error.to_string()))?;
        let letter = letter_from(&document).map_err(|error| failed(error.to_string()))?;
        message(&letter, &self.from, row.id, at).map_err(failed)
    }

    /// Has the outcomes stored, all in one commit.
    async fn note(&self, sent: Vec<Sent>) -> Result<(), StoreError> {
        let notes: Vec<(i64, Option<PutOff>)> = sent.into_iter().map(Sent::note).collect();
        self.charges
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    for (num, put_off) in notes {
                        match put_off {
                            Some(PutOff {
                                attempts,
                                first_at,
                                next,
                            }) => {
                                tx.put_off_mail(num, attempts, first_at, next).await?;
                            }
                            None => tx.forget_mail(num).await?,
                        }
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn until_next(&self) -> Duration {
        let Ok((waiting, next)) = self.charges.store().mails_waiting().await else {
            return SLEEP_AFTER_FAILURE;
        };
        gauge!("bitpro_mails_waiting").set(u32::try_from(waiting).unwrap_or(u32::MAX));
        let millis = next.map_or(i64::MAX, |next| next.0.saturating_sub(self.charges.now().0));
        LONGEST_SLEEP.min(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
    }
}

impl Sent {
    /// What is to be stored; nothing when the letter is to be forgotten. Nothing of the letter itself is logged.
    fn note(self) -> (i64, Option<PutOff>) {
        let Self { row, at, outcome } = self;
        let Err(Failure { is_refused, why }) = outcome else {
            counter!("bitpro_mails_total", "outcome" => "sent").increment(1);
            return (row.num, None);
        };
        let attempts = row.attempts.saturating_add(1);
        let first_at = row.first_at.unwrap_or(at);
        let next = next_attempt(attempts, first_at, at, is_refused);
        if next.is_some() {
            tracing::warn!(
                letter = row.num,
                attempts,
                why,
                "a letter was not sent; it is tried again"
            );
            counter!("bitpro_mails_total", "outcome" => "failed").increment(1);
        } else {
            tracing::error!(
                letter = row.num,
                attempts,
                why,
                "a letter was not sent, and is given up"
            );
            counter!("bitpro_mails_total", "outcome" => "given_up").increment(1);
        }
        let put_off = next.map(|next| PutOff {
            attempts,
            first_at,
            next,
        });
        (row.num, put_off)
    }
}

/// Waits for the end, and a moment more for what is on its way.
async fn ended(closing: &CancellationToken) {
    closing.cancelled().await;
    tokio::time::sleep(CLOSING).await;
}
