//! `bitpro backup` and `bitpro restore`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bitpro_base::clock::{Clock as _, SystemClock};
use bitpro_base::instants::instant;
use bitpro_base::rng::{Rng as _, SystemRng};
use bitpro_config::{Config, SealSource, SecretSource, file_to_read};
use bitpro_operator::admin::Command;
use bitpro_operator::backup::{self, BackupError, Contents, Keys, Restored, target};
use clap::Args;
use serde_json::{Value, json};

use super::{CONFLICT, FAILED, INVALID, code_of, fail, prepared, prepared_for, print, remote};

/// What to back up, and where.
#[derive(Debug, Args)]
pub(super) struct BackupArguments {
    /// The file to write. It appears whole or not at all. An earlier backup of that name is replaced, any other file is not.
    file: PathBuf,
    /// Include the secret key and the seal keys. Requires --passphrase-file.
    #[arg(long)]
    with_keys: bool,
    /// Encrypt the backup with the passphrase in the first line of this file, 12 characters or more.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArguments {
    /// The backup, or a database file from a replicator.
    file: PathBuf,
    /// The file whose first line is the backup's passphrase.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Replace the existing database. It is kept next to the restored one, with `.before-restore` in its name.
    #[arg(long)]
    replace: bool,
    #[arg(long)]
    json: bool,
}

/// Makes a backup: by the running server, or here when none runs.
pub(super) fn backup(file: Option<&Path>, wanted: &BackupArguments) -> ExitCode {
    let (config, runtime) = match prepared(file) {
        Ok(prepared) => prepared,
        Err(code) => return code,
    };
    let own = own_files(&config, file, wanted.passphrase_file.as_deref());
    if let Err(error) = target::refuse(&wanted.file, &own) {
        return refuse(&error);
    }
    let secrets = passphrase(wanted.passphrase_file.as_deref())
        .and_then(|passphrase| Ok((passphrase, wanted.with_keys.then(|| keys(&config)).transpose()?)));
    let (passphrase, keys) = match secrets {
        Ok(secrets) => secrets,
        Err(error) => return refuse(&error),
    };
    let reply = match runtime.block_on(remote::carry_out(&config, &Command::CopyDatabase)) {
        Ok(reply) => reply,
        Err(failure) => return fail(code_of(failure.kind), &failure.message),
    };
    let copy = PathBuf::from(reply["path"].as_str().unwrap_or_default());
    let made = backup::pack(
        &wanted.file,
        &Contents {
            database: &copy,
            keys: keys.as_ref(),
            network: config.network,
            now: SystemClock::default().now(),
            passphrase: passphrase.as_deref(),
            salt: SystemRng.bytes(),
            own: &own,
        },
    );
    let _ = fs::remove_file(&copy);
    match made {
        Ok(manifest) => {
            let size = fs::metadata(&wanted.file).map_or(0, |file| file.len());
            let value = json!({
                "file": wanted.file.display().to_string(),
                "bytes": size,
                "taken_at": instant(manifest.taken_at()),
                "sealed": passphrase.is_some(),
                "keys": keys.is_some(),
            });
            show(&value, wanted.json);
            if !wanted.json && keys.is_none() {
                print::out("keep the secret key and the seal keys elsewhere: the database does not open without them");
            }
            ExitCode::SUCCESS
        }
        Err(error) => refuse(&error),
    }
}

/// The files that this command must not write over.
fn own_files(config: &Config, file: Option<&Path>, passphrase: Option<&Path>) -> Vec<PathBuf> {
    let written = file_to_read(file).filter(|path| !path.as_os_str().is_empty());
    target::files_of(config, [written.as_deref(), passphrase].into_iter().flatten())
}

pub(super) fn restore(file: Option<&Path>, wanted: &RestoreArguments) -> ExitCode {
    let (config, runtime) = match prepared_for(Config::load_without_keys(file)) {
        Ok(prepared) => prepared,
        Err(code) => return code,
    };
    let passphrase = match passphrase(wanted.passphrase_file.as_deref()) {
        Ok(passphrase) => passphrase,
        Err(error) => return refuse(&error),
    };
    let now = SystemClock::default().now();
    let restoring = backup::restore(
        &wanted.file,
        &config,
        passphrase.as_deref(),
        wanted.replace,
        now,
        &SystemRng,
    );
    match runtime.block_on(restoring) {
        Ok(restored) => {
            show(&document(&restored), wanted.json);
            if !wanted.json {
                print::out(next_steps(&restored));
                print::out(TAKEN_AWAY_SINCE);
            }
            ExitCode::SUCCESS
        }
        Err(error) => refuse(&error),
    }
}

fn document(restored: &Restored) -> Value {
    json!({
        "known_until": restored.known_until.map(instant),
        "made_by": restored.manifest.as_ref().map(|manifest| &manifest.version),
        "sealed": restored.was_sealed,
        "charges": restored.charges,
        "open_charges": restored.open,
        "deliveries_to_repeat": restored.deliveries,
        "chain_read_up_to": restored.height,
        "issuance_mark": if restored.has_mark { "present" } else { "missing" },
        "kept": restored.kept.as_ref().map(|path| path.display().to_string()),
    })
}

/// What a backup cannot know.
const TAKEN_AWAY_SINCE: &str = "that start also ends all sessions, links in letters, invitations, known browsers and changes of wallets that wait; members, \
passwords, second factors, keys, webhooks and wallets are those of the backup: look at what was removed or revoked since \
(docs/operating.md, \"Backup and restore\")";

/// What the operator should know of the next start.
const fn next_steps(restored: &Restored) -> &'static str {
    if restored.has_mark {
        "when it starts, the server reads the chain from there on, and skips every address that the issuance mark knows"
    } else {
        "the issuance mark is missing: when it starts, the server scans the chain before it issues an address, and skips 1,000"
    }
}

fn show(value: &Value, json: bool) {
    if json {
        print::out(&serde_json::to_string_pretty(value).expect("a JSON value always serializes"));
        return;
    }
    for (name, value) in value
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
    {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        print::out(&format!("{name:<20} {text}"));
    }
}

fn refuse(error: &BackupError) -> ExitCode {
    let code = match error {
        BackupError::WeakPassphrase { .. }
        | BackupError::KeysInTheOpen
        | BackupError::PassphraseWanted
        | BackupError::NotSealed(_)
        | BackupError::KeysNotSealed(_)
        | BackupError::TargetInUse(_)
        | BackupError::TargetIsNoBackup(_)
        | BackupError::TargetIsUnfinished(_)
        | BackupError::TargetIsFolder(_)
        | BackupError::NoFile(_) => INVALID,
        BackupError::Occupied(_) | BackupError::InUse(_) | BackupError::TargetBusy(_) => CONFLICT,
        _ => FAILED,
    };
    fail(code, &error.to_string())
}

/// The first line of a file.
fn passphrase(file: Option<&Path>) -> Result<Option<String>, BackupError> {
    let Some(path) = file else {
        return Ok(None);
    };
    let text = fs::read_to_string(path).map_err(|cause| BackupError::File {
        path: path.display().to_string(),
        cause,
    })?;
    Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
}

/// The instance's keys, from where the server has them.
fn keys(config: &Config) -> Result<Keys, BackupError> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|cause| BackupError::File {
            path: path.display().to_string(),
            cause,
        })
    };
    Ok(Keys {
        secret: match &config.secret {
            SecretSource::Given(secret) => hex::encode(secret.0),
            SecretSource::Kept(path) => read(path)?,
        },
        seals: match &config.seal_keys {
            SealSource::Given(keys) => keys.to_string(),
            SealSource::Kept(path) => read(path)?,
        },
    })
}
