//! The ways out: a mail server, or a folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use bitpro_base::private;
use bitpro_charge::Timestamp;
use bitpro_config::{MailConfig, MailTransport};
use lettre::Message;

use super::smtp::MailServer;

/// Why the way out cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum MailSetupError {
    /// Letters cannot be put anywhere.
    #[error("cannot create the folder {path} for e-mails: {cause}")]
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
pub struct Transport(Way);

enum Way {
    Smtp(Box<MailServer>),
    Files(PathBuf),
}

impl Transport {
    /// The way out that is configured.
    ///
    /// # Errors
    /// [`MailSetupError`].
    pub fn new(config: &MailConfig) -> Result<Self, MailSetupError> {
        match &config.transport {
            MailTransport::Smtp(smtp) => Ok(Self(Way::Smtp(Box::new(MailServer::new(smtp, &config.from))))),
            MailTransport::Files(folder) => {
                private::make_folder(folder).map_err(|cause| MailSetupError::Folder {
                    path: folder.display().to_string(),
                    cause,
                })?;
                private::tighten(folder);
                Ok(Self(Way::Files(folder.clone())))
            }
        }
    }

    /// Greets the mail server, as it is done before each letter.
    ///
    /// # Errors
    /// Says why it does not answer well.
    pub async fn greet(&self) -> Result<(), String> {
        match &self.0 {
            Way::Smtp(server) => server.greet().await.map_err(|failure| failure.why),
            Way::Files(_) => Ok(()),
        }
    }

    /// Sends the letter in row `num`.
    pub(super) async fn send(&self, message: Message, num: i64, at: Timestamp) -> Result<(), Failure> {
        match &self.0 {
            Way::Smtp(server) => server.send(&message).await,
            Way::Files(folder) => {
                let folder = folder.clone();
                let written = tokio::task::spawn_blocking(move || write(&folder, &message.formatted(), num, at)).await;
                match written {
                    Ok(Ok(file)) => {
                        tracing::info!(file = %file.display(), "an e-mail was written to a file, because smtp_url is not set");
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

/// Writes a message beside its place and moves it there, so that no reader sees half of it.
fn write(folder: &Path, message: &[u8], num: i64, at: Timestamp) -> std::io::Result<PathBuf> {
    let time = bitpro_base::instants::instant(at).replace(['-', ':'], "");
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
