//! The socket: one line of JSON in, one line of JSON out, and the end of the connection.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bitpro_config::UNREADY_SOCKET;
use bitpro_service::accounts::Accounts;
use bitpro_service::reconcile::Reconciler;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use super::links::LinkCommand;
use super::reconcile::carry_out;
use super::webhooks::WebhookCommand;
use super::wire::{Command, Failure, Kind, Reply};

/// The longest command: a logo in base64 with all settings.
const LONGEST_COMMAND: u64 = 2 * 1024 * 1024;
/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a server says as soon as it has a command, and before it carries it out: nothing, in JSON.
const HEARD: &[u8] = b" ";
/// How long a client waits for that. Whoever says nothing for so long stands still, or is no server of ours.
pub const HEARD_WITHIN: Duration = Duration::from_secs(15);
/// How long a command may take, beside a busy server.
const LONGEST_WORK: Duration = Duration::from_secs(60);
/// How long a comparison with the whole chain may take.
const LONGEST_COMPARISON: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The same for a copy of the whole database.
const LONGEST_COPY: Duration = Duration::from_secs(60 * 60);

/// Makes a token with which `bitpro check` may ask through the public address.
pub type Knock = Arc<dyn Fn() -> String + Send + Sync>;

/// A bound socket; its file goes with it.
#[derive(Debug)]
pub struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// Why a command did not reach a server.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// No server is at the other end.
    #[error("no server runs")]
    NoServer,
    /// Somebody is there and says nothing. The command was not begun, and will not be.
    #[error("a process listens there but does not answer")]
    Silent,
    /// The server took the command, and ended before it answered.
    #[error("the server stopped before it answered: the command may or may not have been carried out")]
    Ended,
    /// The server is there, and talking to it failed.
    #[error("the running server cannot be asked through {path}: {cause}")]
    Failed {
        /// The socket.
        path: String,
        /// What went wrong.
        cause: String,
    },
}

impl AdminSocket {
    /// Binds the socket for the server's own user. Whoever binds it must hold the database's lock: a file that is left there
    /// is then that of a server that was killed.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Bound under a name that nobody knows until its permissions are right.
        let unready = path.with_extension(UNREADY_SOCKET);
        match fs::remove_file(&unready) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&unready)?;
        fs::set_permissions(&unready, Permissions::from_mode(0o600))?;
        fs::rename(&unready, path)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
        })
    }

    /// Carries out commands on `charges` until `closing` is cancelled.
    /// `knock` makes a token for whoever asks through the public address.
    pub async fn serve(self, accounts: Accounts, reconciler: Reconciler, knock: Knock, closing: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = closing.cancelled() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (accounts, reconciler, knock) = (accounts.clone(), reconciler.clone(), Arc::clone(&knock));
                    tokio::spawn(async move {
                        if let Err(error) = answer(stream, &accounts, &reconciler, &*knock).await {
                            tracing::debug!(%error, "a command got no answer");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a command could not be received");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // Gone already, or not ours to remove any more: either way the next server clears the place.
        let _ = fs::remove_file(&self.path);
    }
}

async fn answer(
    stream: UnixStream,
    accounts: &Accounts,
    reconciler: &Reconciler,
    knock: &(dyn Fn() -> String + Send + Sync),
) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = Vec::new();
    let mut lines = BufReader::new(read.take(LONGEST_COMMAND));
    tokio::time::timeout(PATIENCE, lines.read_until(b'\n', &mut line)).await??;
    // It does not get to one who waited for it too long and has gone, and their command is not carried out any more.
    write.write_all(HEARD).await?;
    let reply: Reply = match understood(&line) {
        Ok(Command::Knock) => Ok(json!({ "token": knock() })),
        Ok(command) => {
            tracing::info!(command = name(&command), "command received from the command line");
            let may_be_left = matches!(command, Command::Reconcile { .. });
            tokio::select! {
                reply = carry_out(accounts, reconciler, command) => reply,
                // Nobody waits for it any more. What takes long and is done in steps may end between two of them.
                () = end_of(&mut lines), if may_be_left => return Ok(()),
            }
        }
        Err(failure) => Err(failure),
    };
    let mut reply = serde_json::to_vec(&reply)?;
    reply.push(b'\n');
    write.write_all(&reply).await?;
    write.shutdown().await
}

/// Reads a command. The command line and the server are the same program; after an update one may be older.
pub(super) fn understood(line: &[u8]) -> Result<Command, Failure> {
    serde_json::from_slice(line)
        .map_err(|error| Failure::new(Kind::Invalid, format!("the server does not know this command: {error}")))
}

/// Waits until the other end is closed.
async fn end_of(reading: &mut (impl AsyncReadExt + Unpin)) {
    let mut rest = [0; 64];
    while matches!(reading.read(&mut rest).await, Ok(1..)) {}
}

/// How long an answer to a command is waited for.
const fn patience(command: &Command) -> Duration {
    match command {
        Command::Reconcile { .. } => LONGEST_COMPARISON,
        Command::CopyDatabase => LONGEST_COPY,
        _ => LONGEST_WORK,
    }
}

/// The command's name, without what stands in it.
pub(super) const fn name(command: &Command) -> &'static str {
    match command {
        Command::AddMerchant(_) => "merchant add",
        Command::SetMerchant { .. } => "merchant set",
        Command::ShowMerchant { .. } => "merchant show",
        Command::ListMerchants => "merchant list",
        Command::ListAccounts => "account list",
        Command::ApproveAccount { .. } => "account approve",
        Command::Account(command) => command.name(),
        Command::Link(LinkCommand::RotateKey { .. }) => "link key rotate",
        Command::Link(LinkCommand::ListKeys { .. }) => "link key list",
        Command::Link(LinkCommand::RevokeKey { .. }) => "link key revoke",
        Command::Link(LinkCommand::Sign(_)) => "link sign",
        Command::Webhook(command) => match command {
            WebhookCommand::Add { .. } => "webhook add",
            WebhookCommand::Remove { .. } => "webhook remove",
            WebhookCommand::List { .. } => "webhook list",
            WebhookCommand::Test { .. } => "webhook test",
            WebhookCommand::Rotate { .. } => "webhook rotate",
            WebhookCommand::Redeliver { .. } => "webhook redeliver",
            WebhookCommand::Deliveries { .. } => "webhook deliveries",
        },
        Command::ListCharges(_) => "charge list",
        Command::ShowUnread => "charge unread",
        Command::ShowCharge { .. } => "charge show",
        Command::AcceptCharge { .. } => "charge accept",
        Command::AddKey { .. } => "key add",
        Command::ListKeys { .. } => "key list",
        Command::RotateKey { .. } => "key rotate",
        Command::RevokeKey { .. } => "key revoke",
        Command::TestMail { .. } => "mail test",
        Command::Reconcile { fix: false, .. } => "reconcile",
        Command::Reconcile { fix: true, .. } => "reconcile --fix",
        Command::Knock => "check",
        Command::ShowClock => "clock show",
        Command::AcceptClock => "clock accept",
        Command::CopyDatabase => "backup",
        Command::Rekey => "rekey",
        Command::CancelCharge { .. } => "charge cancel",
    }
}

/// Has `command` carried out by the server at `path`, which says within so long that it has it.
///
/// # Errors
/// [`SocketError`]; after [`SocketError::NoServer`] and [`SocketError::Silent`] nothing was done, after another failure it may have been.
pub async fn ask(path: &Path, command: &Command, heard_within: Duration) -> Result<Reply, SocketError> {
    let failed = |cause: String| SocketError::Failed {
        path: path.display().to_string(),
        cause,
    };
    let stream = match UnixStream::connect(path).await {
        Ok(stream) => stream,
        Err(error) => {
            return Err(match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => SocketError::NoServer,
                _ => failed(error.to_string()),
            });
        }
    };
    let asking = async {
        let (read, mut write) = stream.into_split();
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        write.write_all(&line).await?;
        let mut reply = Vec::new();
        let mut reading = BufReader::new(read);
        // The end of a connection is heard, too.
        let Ok(heard) = tokio::time::timeout(heard_within, reading.fill_buf()).await else {
            return Ok(None);
        };
        heard?;
        reading.read_to_end(&mut reply).await?;
        Ok::<Option<Vec<u8>>, io::Error>(Some(reply))
    };
    match tokio::time::timeout(patience(command), asking).await {
        // An answer is a whole line. A process that dies sends no more of it, or has its end of the connection cut.
        Ok(Ok(None)) => Err(SocketError::Silent),
        Ok(Ok(Some(reply))) if !reply.ends_with(b"\n") => Err(SocketError::Ended),
        Ok(Ok(Some(reply))) => serde_json::from_slice(&reply).map_err(|error| failed(error.to_string())),
        Ok(Err(error)) if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            Err(SocketError::Ended)
        }
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed("it does not answer".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use bitpro_web::testing::TestApp;

    use super::*;
    use crate::admin::MerchantEdit;

    #[tokio::test]
    async fn a_command_whose_sender_has_gone_is_not_carried_out() {
        let app = TestApp::with_merchant(&[]).await;
        let add = Command::AddMerchant(MerchantEdit {
            settings: vec![("name".to_owned(), "Tea".to_owned())],
            ..MerchantEdit::default()
        });
        let mut line = serde_json::to_vec(&add).unwrap();
        line.push(b'\n');
        for (waits, merchants) in [(false, 1), (true, 2)] {
            let (mut client, server) = UnixStream::pair().unwrap();
            client.write_all(&line).await.unwrap();
            let client = Some(client).filter(|_| waits);
            let answered = answer(server, &app.app.accounts, &app.app.reconciler, &String::new).await;
            assert_eq!(answered.is_ok(), waits, "{answered:?}");
            assert_eq!(app.charges.merchants().len(), merchants);
            drop(client);
        }
    }
}
