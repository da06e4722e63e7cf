//! The ways out: a mail server, or a folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bitpro_charge::Timestamp;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{self, AsyncSmtpTransport};
use lettre::{AsyncTransport as _, Message, Tokio1Executor};

use crate::config::{MailConfig, MailTransport, Protection, Smtp};
use crate::private;

/// For one answer of the mail server.
const PATIENCE: Duration = Duration::from_secs(20);
/// For the whole of a letter.
const WHOLE_PATIENCE: Duration = Duration::from_secs(60);

/// Why the way out cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum MailSetupError {
    /// No certificate can be checked.
    #[error("smtp_url: the machine's certificates cannot be used: {0}")]
    Certificates(String),
    /// Letters cannot be put anywhere.
    #[error("the folder {path} for letters cannot be made: {cause}")]
    Folder {
        /// Which.
        path: String,
        /// What the operating system says.
        cause: std::io::Error,
    },
}

/// Why a letter did not leave. Never holds its address or content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// The mail server will say the same the next time.
    pub(super) is_refused: bool,
    /// In words.
    pub(super) why: String,
}

/// A way out.
pub enum Transport {
    /// A mail server.
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    /// A folder.
    Files(PathBuf),
}

impl Transport {
    /// The way out that is configured.
    ///
    /// # Errors
    /// [`MailSetupError`].
    pub fn new(config: &MailConfig) -> Result<Self, MailSetupError> {
        match &config.transport {
            MailTransport::Smtp(smtp) => Ok(Self::Smtp(Box::new(connection(smtp, &config.from)?))),
            MailTransport::Files(folder) => {
                private::make_folder(folder).map_err(|cause| MailSetupError::Folder {
                    path: folder.display().to_string(),
                    cause,
                })?;
                private::tighten(folder);
                Ok(Self::Files(folder.clone()))
            }
        }
    }

    /// Greets the mail server, as it is done before each letter.
    ///
    /// # Errors
    /// Says why it does not answer well.
    pub async fn greet(&self) -> Result<(), String> {
        let Self::Smtp(server) = self else { return Ok(()) };
        match tokio::time::timeout(WHOLE_PATIENCE, server.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("it answers a greeting with an error".to_owned()),
            Ok(Err(error)) => Err(explained(&error).why),
            Err(_) => Err(too_slow().why),
        }
    }

    /// Sends the letter in row `num`.
    pub(super) async fn send(&self, message: Message, num: i64, at: Timestamp) -> Result<(), Failure> {
        match self {
            Self::Smtp(server) => match tokio::time::timeout(WHOLE_PATIENCE, server.send(message)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(explained(&error)),
                Err(_) => Err(too_slow()),
            },
            Self::Files(folder) => {
                let folder = folder.clone();
                let written = tokio::task::spawn_blocking(move || write(&folder, &message.formatted(), num, at)).await;
                match written {
                    Ok(Ok(file)) => {
                        tracing::info!(file = %file.display(), "a letter was put into a file, for smtp_url is not set");
                        Ok(())
                    }
                    Ok(Err(error)) => Err(Failure {
                        is_refused: false,
                        why: format!("the file cannot be written: {error}"),
                    }),
                    Err(error) => Err(Failure {
                        is_refused: false,
                        why: error.to_string(),
                    }),
                }
            }
        }
    }
}

/// A connection to `server` is made for each letter: there are few.
fn connection(server: &Smtp, from: &Mailbox) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailSetupError> {
    let tls = || {
        // Names its cryptography itself (the feature `ring`), and trusts what the machine trusts.
        TlsParameters::new(server.host.clone()).map_err(|error| MailSetupError::Certificates(error.to_string()))
    };
    let tls = match server.protection {
        Protection::Tls => Tls::Wrapper(tls()?),
        Protection::StartTls => Tls::Required(tls()?),
        Protection::Nothing => Tls::None,
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .tls(tls)
        .hello_name(ClientId::Domain(from.email.domain().to_owned()))
        .timeout(Some(PATIENCE));
    let builder = match &server.credentials {
        Some((user, password)) => builder.credentials(Credentials::new(user.clone(), password.clone())),
        None => builder,
    };
    Ok(builder.build())
}

/// What went wrong. The server's own words are left out: they often repeat the address.
fn explained(error: &smtp::Error) -> Failure {
    let Some(code) = error.status() else {
        let why = if error.is_response() {
            "the mail server's answer is not understood".to_owned()
        } else {
            error.to_string()
        };
        return Failure { is_refused: false, why };
    };
    let code = u16::from(code);
    Failure {
        // A wrong password is the operator's to mend, and no reason to throw letters away.
        is_refused: error.is_permanent() && !matches!(code, 530 | 534 | 535 | 538),
        why: format!("the mail server answers {code}"),
    }
}

fn too_slow() -> Failure {
    Failure {
        is_refused: false,
        why: format!("the mail server takes longer than {} s", WHOLE_PATIENCE.as_secs()),
    }
}

/// Writes a message beside its place and moves it there, so that no reader sees half of it.
fn write(folder: &Path, message: &[u8], num: i64, at: Timestamp) -> std::io::Result<PathBuf> {
    let time = crate::instants::instant(at).replace(['-', ':'], "");
    let place = folder.join(format!("{time}-{num}.eml"));
    let beside = folder.join(format!(".{num}.part"));
    let _ = std::fs::remove_file(&beside);
    let mut file = private::options().write(true).create_new(true).open(&beside)?;
    file.write_all(message)?;
    file.sync_all()?;
    std::fs::rename(&beside, &place)?;
    // The letter's row is deleted next: the name must be on the disk before.
    std::fs::File::open(folder)?.sync_all()?;
    Ok(place)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Sends a letter to a mail server that greets by `greeting` and answers `MAIL` by `answer`.
    async fn sent_to(greeting: &'static [u8], answer: &'static [u8]) -> Failure {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Smtp {
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().unwrap().port(),
            protection: Protection::Nothing,
            credentials: None,
        };
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            connection.write_all(greeting).await.unwrap();
            let mut asked = vec![0; 1024];
            while let Ok(length @ 1..) = connection.read(&mut asked).await {
                let is_greeted = asked[..length].starts_with(b"EHLO");
                let said = if is_greeted { b"250 mail.example\r\n" } else { answer };
                if connection.write_all(said).await.is_err() {
                    break;
                }
            }
        });
        let from: Mailbox = "Shop <pay@shop.example>".parse().unwrap();
        let transport = Transport::Smtp(Box::new(connection(&server, &from).unwrap()));
        let letter = Message::builder()
            .from(from.clone())
            .to(from)
            .body(String::new())
            .unwrap();
        transport.send(letter, 1, Timestamp(0)).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_letter_is_given_up_only_for_what_the_mail_server_will_say_again() {
        for (answer, is_refused, why) in [
            (
                &b"550 ada@shop.example is unknown here\r\n"[..],
                true,
                "the mail server answers 550",
            ),
            (
                b"553-ada@shop.example\r\n553 no\r\n",
                true,
                "the mail server answers 553",
            ),
            (b"451 try later\r\n", false, "the mail server answers 451"),
            (b"530 log in first\r\n", false, "the mail server answers 530"),
            (
                b"HTTP/1.1 400 Bad Request\r\n",
                false,
                "the mail server's answer is not understood",
            ),
            (
                b"\xff\xff\xff\r\n",
                false,
                "network error: stream did not contain valid UTF-8",
            ),
        ] {
            let failure = sent_to(b"220 mail.example ESMTP\r\n", answer).await;
            assert_eq!((failure.is_refused, failure.why.as_str()), (is_refused, why));
        }
    }

    #[tokio::test]
    async fn a_greeting_that_is_none_keeps_the_letter() {
        for greeting in [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"554 not you\r\n", b"\0\0\0\0\r\n"] {
            let failure = sent_to(greeting, b"250 ok\r\n").await;
            assert!(!failure.is_refused || greeting.starts_with(b"554"), "{failure:?}");
            assert!(!failure.why.contains("not you"), "{failure:?}");
        }
    }
}
