//! A mail server: each letter has a connection of its own, for there are few, and one deadline for all of it.

use std::sync::Arc;
use std::time::Duration;

use bitpro_base::http_client;
use bitpro_config::{Protection, Smtp};
use lettre::Message;
use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::commands::{Ehlo, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, ServerInfo};
use lettre::transport::smtp::response::{Code, Response};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::bounded::Bounded;
use super::transport::Failure;

/// For a connection to one address of the mail server.
const PATIENCE: Duration = Duration::from_secs(20);
/// For the whole of a letter, from the look-up of the name to the answer that it is taken.
pub const WHOLE_PATIENCE: Duration = Duration::from_secs(60);
/// For a farewell, after which nothing is to be learnt.
const FAREWELL: Duration = Duration::from_secs(2);
/// What is read in place of the greeting that does not come a second time after STARTTLS.
const GREETED: &[u8] = b"220 ready\r\n";

/// A mail server, and how it is spoken to.
pub(super) struct MailServer {
    host: String,
    port: u16,
    protection: Protection,
    tls: Option<TlsConnector>,
    credentials: Option<Credentials>,
    hello: ClientId,
    patience: Duration,
}

impl MailServer {
    /// The mail server in `smtp`, to which letters go that are `from` somebody.
    pub(super) fn new(smtp: &Smtp, from: &Mailbox) -> Self {
        let tls = match smtp.protection {
            Protection::Tls | Protection::StartTls => {
                let trusting = http_client::tls(http_client::system_roots());
                Some(TlsConnector::from(Arc::new(trusting)))
            }
            Protection::Nothing => None,
        };
        let credentials = smtp.credentials.as_ref();
        Self {
            host: smtp.host.clone(),
            port: smtp.port,
            protection: smtp.protection,
            tls,
            credentials: credentials.map(|(user, password)| Credentials::new(user.clone(), password.clone())),
            hello: ClientId::Domain(from.email.domain().to_owned()),
            patience: WHOLE_PATIENCE,
        }
    }

    /// Greets it, as it is done before each letter.
    pub(super) async fn greet(&self) -> Result<(), Failure> {
        let greeted = async {
            let mut connection = self.connection().await?;
            let is_well = connection.test_connected().await;
            part(connection).await;
            if is_well {
                return Ok(());
            }
            Err(passing("it answers a greeting with an error".to_owned()))
        };
        timeout(self.patience, greeted)
            .await
            .unwrap_or_else(|_| Err(too_slow()))
    }

    /// Sends a letter.
    pub(super) async fn send(&self, message: &Message) -> Result<(), Failure> {
        let sent = async {
            let mut connection = self.connection().await?;
            let taken = connection.send(message.envelope(), &message.formatted()).await;
            taken.map_err(|error| explained(&error))?;
            Ok(connection)
        };
        let connection = timeout(self.patience, sent).await.unwrap_or_else(|_| Err(too_slow()))?;
        // The letter is taken: whatever comes now must not have it sent again.
        part(connection).await;
        Ok(())
    }

    /// A connection that is ready for a letter.
    async fn connection(&self) -> Result<AsyncSmtpConnection, Failure> {
        let stream = self.stream().await?;
        let connection = AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await;
        let mut connection = connection.map_err(|error| explained(&error))?;
        if let Some(credentials) = &self.credentials {
            let known = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            known.map_err(|error| explained(&error))?;
        }
        Ok(connection)
    }

    /// What answers are read from. The bound lies above TLS, where lines can be counted, and below it, for TLS may bring no end either.
    async fn stream(&self) -> Result<Box<dyn AsyncTokioStream>, Failure> {
        let tcp = self.reached().await?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(Bounded::answers(tcp, b"")));
        };
        let (tcp, ahead): (_, &[u8]) = if self.protection == Protection::StartTls {
            (self.asked_for_tls(tcp).await?, GREETED)
        } else {
            (tcp, b"")
        };
        let name = ServerName::try_from(self.host.clone());
        let name = name.map_err(|_| passing(format!("no certificate can carry the name {}", self.host)))?;
        let stream = tls.connect(name, Bounded::bytes(tcp)).await;
        let stream = stream.map_err(|error| passing(format!("TLS is not agreed upon: {error}")))?;
        Ok(Box::new(Bounded::answers(stream, ahead)))
    }

    /// A connection to the first of its addresses that takes one.
    async fn reached(&self) -> Result<TcpStream, Failure> {
        let failed = |why: &dyn std::fmt::Display| passing(format!("the mail server is not reached: {why}"));
        let found = lookup_host((self.host.as_str(), self.port)).await;
        let mut last = failed(&"its name has no address");
        for address in found.map_err(|error| failed(&error))? {
            match timeout(PATIENCE, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = failed(&error),
                Err(_) => last = failed(&"it takes no connection"),
            }
        }
        Err(last)
    }

    /// Asks for TLS, in the clear. The client of SMTP could do so too, but then what is above TLS would be out of our hands.
    async fn asked_for_tls(&self, tcp: TcpStream) -> Result<TcpStream, Failure> {
        let mut stream = Bounded::answers(tcp, b"");
        answer(&mut stream).await?;
        let able = asked(&mut stream, &Ehlo::new(self.hello.clone())).await?;
        let able = ServerInfo::from_response(&able).map_err(|error| explained(&error))?;
        if !able.supports_feature(Extension::StartTls) {
            return Err(passing("the mail server knows no STARTTLS".to_owned()));
        }
        asked(&mut stream, &Starttls).await?;
        Ok(stream.into_inner())
    }
}

/// The answer to a command.
async fn asked(stream: &mut Bounded<TcpStream>, command: &impl std::fmt::Display) -> Result<Response, Failure> {
    let written = stream.write_all(command.to_string().as_bytes()).await;
    written.map_err(|error| broken(&error))?;
    answer(stream).await
}

/// One answer that agrees to what was asked, with nothing behind it: what was said before TLS must not be read as if it had come by it.
async fn answer(stream: &mut Bounded<TcpStream>) -> Result<Response, Failure> {
    let mut said = Vec::new();
    let mut piece = [0; 512];
    while !is_whole(&said)? {
        match stream.read(&mut piece).await {
            Ok(0) => return Err(not_understood()),
            Ok(length) => said.extend_from_slice(&piece[..length]),
            Err(error) => return Err(broken(&error)),
        }
    }
    let said = String::from_utf8(said).map_err(|_| not_understood())?;
    let response: Response = said.parse().map_err(|error: smtp::Error| explained(&error))?;
    if response.is_positive() {
        Ok(response)
    } else {
        Err(refused(response.code()))
    }
}

/// Whether an answer has its last line, which is the one with no hyphen behind its code.
fn is_whole(said: &[u8]) -> Result<bool, Failure> {
    let mut lines = said.split_inclusive(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let is_ended = line.ends_with(b"\n");
        let is_last = line.get(3).is_some_and(|byte| *byte != b'-');
        if is_ended && is_last {
            return if lines.peek().is_none() {
                Ok(true)
            } else {
                Err(not_understood())
            };
        }
        if is_ended && line.len() < 5 {
            return Err(not_understood());
        }
    }
    Ok(false)
}

/// Takes leave, if the mail server lets us.
async fn part(mut connection: AsyncSmtpConnection) {
    let _ = timeout(FAREWELL, connection.abort()).await;
}

/// What went wrong. The server's own words are left out: they often repeat the address.
fn explained(error: &smtp::Error) -> Failure {
    if let Some(code) = error.status() {
        return refused(code);
    }
    if error.is_response() {
        return not_understood();
    }
    passing(error.to_string())
}

fn refused(code: Code) -> Failure {
    let code = u16::from(code);
    Failure {
        // A wrong password is the operator's to mend, and no reason to throw letters away.
        is_refused: (500..600).contains(&code) && !matches!(code, 530 | 534 | 535 | 538),
        why: format!("the mail server answers {code}"),
    }
}

fn broken(error: &std::io::Error) -> Failure {
    passing(format!("network error: {error}"))
}

fn not_understood() -> Failure {
    passing("the mail server's answer is not understood".to_owned())
}

fn too_slow() -> Failure {
    passing(format!(
        "the mail server takes longer than {} s",
        WHOLE_PATIENCE.as_secs()
    ))
}

/// What may go well the next time.
const fn passing(why: String) -> Failure {
    Failure { is_refused: false, why }
}

#[cfg(test)]
mod tests;
