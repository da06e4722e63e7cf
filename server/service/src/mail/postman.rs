//! Sending what is posted: a letter's row is deleted once it is sent, so that a death in between sends it again rather than
//! never.

use std::sync::Arc;
use std::time::Duration;

use bitpro_base::clock::Clock;
use bitpro_base::seal::{Purpose, Seal};
use bitpro_charge::Timestamp;
use bitpro_config::MailConfig;
use bitpro_store::documents::letter_from;
use bitpro_store::{MailRow, Store, StoreError};
use lettre::message::Mailbox;
use metrics::{counter, gauge};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::message::message;
use super::schedule::next_attempt;
use super::transport::{Failure, MailSetupError, Transport};
use crate::charges::Charges;

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
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    seal: Seal,
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
    pub fn new(charges: &Charges, config: &MailConfig) -> Result<Self, MailSetupError> {
        Ok(Self {
            from: config.from.clone(),
            transport: Transport::new(config)?,
            posted: charges.mail_posted(),
            store: Arc::clone(charges.store()),
            clock: charges.clock(),
            seal: charges.seal().clone(),
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
                    tracing::error!(%error, "e-mail cannot be sent at the moment");
                    return SLEEP_AFTER_FAILURE;
                }
            }
        }
        self.until_next().await
    }

    /// Sends a few letters. Whether any of them could be sent; `None` when there was none to send.
    pub(super) async fn send_some(&self) -> Result<Option<bool>, StoreError> {
        let rows = self.store.mails_due(self.clock.now(), AT_ONCE).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let sent = futures::future::join_all(rows.into_iter().map(|row| self.send(row))).await;
        let any_sent = sent.iter().any(|sent| sent.outcome.is_ok());
        self.note(sent).await?;
        Ok(Some(any_sent))
    }

    async fn send(&self, row: MailRow) -> Sent {
        let at = self.clock.now();
        let outcome = match self.opened(&row, at) {
            Ok(message) => self.transport.send(message, row.num, at).await,
            Err(failure) => Err(failure),
        };
        Sent { row, at, outcome }
    }

    fn opened(&self, row: &MailRow, at: Timestamp) -> Result<lettre::Message, Failure> {
        let failed = |why: String| Failure { is_refused: true, why };
        let opened = self.seal.open(Purpose::Mail, &row.id, &row.sealed);
        let document = opened.map_err(|error| failed(error.to_string()))?;
        let letter = letter_from(&document).map_err(|error| failed(error.to_string()))?;
        // Its reader's clock is not ours, which may have run ahead (R32).
        let at = at.min(self.clock.moment().outside);
        message(&letter, &self.from, row.id, at).map_err(failed)
    }

    /// Has the outcomes stored, all in one commit.
    async fn note(&self, sent: Vec<Sent>) -> Result<(), StoreError> {
        let notes: Vec<(i64, Option<PutOff>)> = sent.into_iter().map(Sent::note).collect();
        self.store
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
        let Ok((waiting, next)) = self.store.mails_waiting().await else {
            return SLEEP_AFTER_FAILURE;
        };
        gauge!("bitpro_mails_waiting").set(u32::try_from(waiting).unwrap_or(u32::MAX));
        let millis = next.map_or(i64::MAX, |next| next.0.saturating_sub(self.clock.now().0));
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
            tracing::warn!(letter = row.num, attempts, why, "an e-mail was not sent; will retry");
            counter!("bitpro_mails_total", "outcome" => "failed").increment(1);
        } else {
            tracing::error!(
                letter = row.num,
                attempts,
                why,
                "an e-mail was not sent, and was given up"
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bitpro_config::{MailTransport, Protection, Smtp};
    use bitpro_merchant::letters;
    use bitpro_merchant::letters::Letter;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;
    use crate::testing::TestShop;

    /// A mail server that answers each command as it is told to, and says how often it was given a letter.
    async fn sink(answer_to_rcpt: &'static str, connections: usize) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut letters = Vec::new();
            for _ in 0..connections {
                let (stream, _) = listener.accept().await.unwrap();
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                write.write_all(b"220 sink\r\n").await.unwrap();
                while let Some(line) = lines.next_line().await.unwrap() {
                    let answer = match line.split(' ').next().unwrap_or_default() {
                        "EHLO" => "250 sink",
                        "RCPT" => answer_to_rcpt,
                        "DATA" => {
                            write.write_all(b"354 go on\r\n").await.unwrap();
                            let mut letter = String::new();
                            while let Some(line) = lines.next_line().await.unwrap() {
                                if line == "." {
                                    break;
                                }
                                letter.push_str(&line);
                                letter.push('\n');
                            }
                            letters.push(letter);
                            "250 taken"
                        }
                        "QUIT" => {
                            let _ = write.write_all(b"221 bye\r\n").await;
                            break;
                        }
                        _ => "250 ok",
                    };
                    write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
                }
            }
            letters
        });
        (port, task)
    }

    fn over_smtp(port: u16, protection: Protection) -> MailConfig {
        MailConfig {
            from: "Shop <pay@shop.example>".parse().unwrap(),
            transport: MailTransport::Smtp(Smtp {
                host: "127.0.0.1".to_owned(),
                port,
                protection,
                credentials: None,
            }),
        }
    }

    fn into_files(folder: &Path) -> MailConfig {
        MailConfig {
            from: "pay@shop.example".parse().unwrap(),
            transport: MailTransport::Files(folder.to_owned()),
        }
    }

    async fn post(app: &TestShop, letter: Letter) {
        let posted: Result<(), StoreError> = app
            .charges
            .store()
            .write(move |tx| Box::pin(async move { tx.post(&letter).await }))
            .await;
        posted.unwrap();
    }

    async fn waiting(app: &TestShop) -> (u64, Option<Timestamp>) {
        app.charges.store().mails_waiting().await.unwrap()
    }

    #[tokio::test]
    async fn a_letter_is_sent_once_and_forgotten() {
        let app = TestShop::with_merchant(&[]).await;
        let (port, sink) = sink("250 ok", 2).await;
        let postman = Postman::new(&app.charges, &over_smtp(port, Protection::Nothing)).unwrap();
        post(&app, letters::test("anna@buyer.example")).await;
        post(&app, letters::test("bert@buyer.example")).await;
        assert_eq!(postman.send_some().await.unwrap(), Some(true));
        assert_eq!(waiting(&app).await.0, 0);
        assert_eq!(postman.send_some().await.unwrap(), None);
        let letters = sink.await.unwrap();
        assert_eq!(letters.len(), 2);
        assert!(letters.iter().any(|letter| letter.contains("To: anna@buyer.example")));
    }

    #[tokio::test]
    async fn a_letter_that_is_not_taken_is_tried_again_later_and_given_up_in_the_end() {
        let app = TestShop::with_merchant(&[]).await;
        // Nothing listens there any more.
        let (port, sink) = sink("250 ok", 0).await;
        sink.await.unwrap();
        let postman = Postman::new(&app.charges, &over_smtp(port, Protection::Nothing)).unwrap();
        post(&app, letters::test("anna@buyer.example")).await;
        let begun = app.charges.now();
        let mut attempts = 0;
        while waiting(&app).await.0 > 0 {
            assert_eq!(postman.send_some().await.unwrap(), Some(false));
            attempts += 1;
            if let (_, Some(next)) = waiting(&app).await {
                assert_eq!(postman.send_some().await.unwrap(), None, "before its time");
                app.clock.set(next);
            }
        }
        assert_eq!(app.charges.now(), begun.plus_secs(3 * 24 * 3_600));
        assert!((15..25).contains(&attempts), "{attempts}");
    }

    #[tokio::test]
    async fn an_address_that_is_refused_for_good_is_tried_four_times_at_most() {
        let app = TestShop::with_merchant(&[]).await;
        let (port, sink) = sink("550 no such mailbox", 4).await;
        let postman = Postman::new(&app.charges, &over_smtp(port, Protection::Nothing)).unwrap();
        post(&app, letters::test("nobody@buyer.example")).await;
        while let (1, Some(next)) = waiting(&app).await {
            app.clock.set(next.max(app.charges.now()));
            assert_eq!(postman.send_some().await.unwrap(), Some(false));
        }
        assert_eq!(sink.await.unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_mail_server_without_tls_gets_nothing_where_tls_is_asked_for() {
        let app = TestShop::with_merchant(&[]).await;
        let (port, sink) = sink("250 ok", 1).await;
        let postman = Postman::new(&app.charges, &over_smtp(port, Protection::StartTls)).unwrap();
        post(&app, letters::test("anna@buyer.example")).await;
        assert_eq!(postman.send_some().await.unwrap(), Some(false));
        assert_eq!(sink.await.unwrap(), Vec::<String>::new());
        assert_eq!(waiting(&app).await.0, 1);
    }

    #[tokio::test]
    async fn without_a_mail_server_letters_become_files_that_others_cannot_read() {
        use std::os::unix::fs::PermissionsExt as _;

        let app = TestShop::with_merchant(&[]).await;
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("mail");
        let postman = Postman::new(&app.charges, &into_files(&place)).unwrap();
        let closing = CancellationToken::new();
        let working = tokio::spawn(postman.run(closing.clone()));
        for _ in 0..3 {
            post(&app, letters::test("anna@buyer.example")).await;
        }
        for _ in 0..200 {
            if waiting(&app).await.0 == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        closing.cancel();
        working.await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&place), 0o700);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&place).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600);
            assert!(
                std::fs::read_to_string(&path)
                    .unwrap()
                    .contains("To: anna@buyer.example")
            );
            names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
        names.sort();
        assert_eq!(
            names,
            [
                "20270115T080000Z-1.eml",
                "20270115T080000Z-2.eml",
                "20270115T080000Z-3.eml"
            ]
        );
    }
}
