//! What a configuration opens: the folder, the key, the charges.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use bitpro_base::clock::{Clock, SystemClock};
use bitpro_base::private;
use bitpro_base::rng::{self, Rng, SystemRng};
use bitpro_base::seal::{Seal, SealKeys, Secret};
use bitpro_config::{Config, SealSource, SecretSource};
use bitpro_rates::{FixedRate, LiveRates, NoTrust, RateSource};
use bitpro_service::charges::{Charges, OpenError, Opening, Role};
use bitpro_store::mark_path;

/// An opened instance.
pub struct Instance {
    /// The charges and merchants.
    pub charges: Charges,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Exchange rates.
    pub rates: Arc<dyn RateSource>,
    /// The same, when they follow the market; somebody must make them follow it.
    pub market: Option<Arc<LiveRates>>,
}

/// Why an instance cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// The folder cannot be made.
    #[error("data_dir {path} cannot be made: {cause}")]
    Folder {
        /// The folder.
        path: String,
        /// What went wrong.
        cause: io::Error,
    },
    /// The key cannot be read or made.
    #[error("the key in {path}: {cause}")]
    Key {
        /// The file.
        path: String,
        /// What went wrong.
        cause: String,
    },
    /// The charges cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No exchange can be asked.
    #[error(transparent)]
    Rates(#[from] NoTrust),
}

impl Instance {
    /// Opens what `config` describes, as `role`.
    ///
    /// # Errors
    /// [`InstanceError`].
    pub async fn open(config: &Config, role: Role) -> Result<Self, InstanceError> {
        private::make_folder(&config.data_dir).map_err(|cause| InstanceError::Folder {
            path: config.data_dir.display().to_string(),
            cause,
        })?;
        refuse_mark_at_link(config)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let market = market(config, &clock)?;
        let rates: Arc<dyn RateSource> = match &market {
            Some(market) => Arc::clone(market) as Arc<dyn RateSource>,
            None => Arc::new(FixedRate(config.rates.fixed)),
        };
        let charges = Charges::open(Opening {
            database: config.database.clone(),
            network: config.network,
            secret: secret(&config.secret, &*rng)?.0,
            seal: Seal::new(&seal_keys(&config.seal_keys, &*rng)?),
            webhooks: config.webhooks.clone(),
            clock: Arc::clone(&clock),
            rng: Arc::clone(&rng),
            rates: Arc::clone(&rates),
            role,
        })
        .await?;
        Ok(Self {
            charges,
            clock,
            rng,
            rates,
            market,
        })
    }
}

/// An earlier release kept the mark beside the link to a database, where nobody looks for it any more: without it, addresses would be
/// skipped for nothing.
fn refuse_mark_at_link(config: &Config) -> Result<(), OpenError> {
    let Some(link) = &config.database_link else {
        return Ok(());
    };
    let [found, wanted] = [mark_path(link), mark_path(&config.database)];
    if found.exists() && !wanted.exists() {
        return Err(OpenError::MarkAtLink {
            found: found.display().to_string(),
            wanted: wanted.display().to_string(),
        });
    }
    Ok(())
}

fn market(config: &Config, clock: &Arc<dyn Clock>) -> Result<Option<Arc<LiveRates>>, NoTrust> {
    if config.rates.is_fixed {
        return Ok(None);
    }
    let market = LiveRates::new(config.rates.live.clone(), Arc::clone(clock))?;
    Ok(Some(Arc::new(market)))
}

/// The key, made and kept when it is to be kept and is not there yet.
fn secret(source: &SecretSource, rng: &dyn Rng) -> Result<Secret, InstanceError> {
    let path = match source {
        SecretSource::Given(secret) => return Ok(secret.clone()),
        SecretSource::Kept(path) => path,
    };
    kept(path, rng, "64 hexadecimal digits", |key| hex::encode(key.0))
}

/// The keys that secrets are sealed under, made and kept when they are to be kept and are not there yet.
fn seal_keys(source: &SealSource, rng: &dyn Rng) -> Result<SealKeys, InstanceError> {
    let path = match source {
        SealSource::Given(keys) => return Ok(keys.clone()),
        SealSource::Kept(path) => path,
    };
    kept(
        path,
        rng,
        "a version, a colon and 64 hexadecimal digits a line",
        |key| SealKeys::first(key).to_string(),
    )
}

/// What a file keeps; a missing file is made, with what `written` makes of a fresh key.
fn kept<T: FromStr>(
    path: &Path,
    rng: &dyn Rng,
    wanted: &str,
    written: impl FnOnce(Secret) -> String,
) -> Result<T, InstanceError> {
    let failed = |cause: String| InstanceError::Key {
        path: path.display().to_string(),
        cause,
    };
    private::tighten(path);
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = written(Secret(rng::key(rng)));
            make_file(path, &text).map_err(|error| failed(error.to_string()))?;
            text
        }
        Err(error) => return Err(failed(error.to_string())),
    };
    text.parse().map_err(|_| failed(format!("it does not hold {wanted}")))
}

fn make_file(path: &Path, text: &str) -> io::Result<()> {
    // Another process may be making it too: the one that comes second is told, and finds the other's key at its next start.
    let mut file = private::options().write(true).create_new(true).open(path)?;
    writeln!(file, "{}", text.trim_end())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_is_made_once_for_our_own_eyes_and_then_kept() {
        let folder = tempfile::tempdir().unwrap();
        let source = SecretSource::Kept(folder.path().join("secret.key"));
        let made = secret(&source, &SystemRng).unwrap();
        assert_eq!(secret(&source, &SystemRng).unwrap(), made);
        let mode = fs::metadata(folder.path().join("secret.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_keys_of_secrets_are_made_once_and_more_can_be_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.keys");
        let source = SealSource::Kept(path.clone());
        let made = seal_keys(&source, &SystemRng).unwrap();
        assert_eq!(seal_keys(&source, &SystemRng).unwrap(), made);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.clone() + &text.replace("1:", "2:")).unwrap();
        assert_eq!(Seal::new(&seal_keys(&source, &SystemRng).unwrap()).current(), 2);
    }

    #[test]
    fn a_damaged_key_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        fs::write(&path, "").unwrap();
        assert!(secret(&SecretSource::Kept(path.clone()), &SystemRng).is_err());
        assert_eq!(fs::read_to_string(path).unwrap(), "");
    }
}
