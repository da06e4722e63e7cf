//! Backups of a real database, and what may be wrong with one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bitpro_base::private;
use bitpro_base::rng::SystemRng;
use bitpro_charge::{Network, Timestamp};
use bitpro_config::{Config, SealSource, Signup};
use bitpro_service::accounts::{Accounts, Email};
use bitpro_service::charges::{MerchantChanges, Role};
use bitpro_store::testing::{facts, meddle};
use tempfile::TempDir;

use super::*;
use crate::admin::{Command, execute};
use crate::instance::Instance;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const PASSPHRASE: &str = "correct horse battery staple";

/// An instance in a folder of its own, configured as an operator would.
struct Place {
    folder: TempDir,
    config: Config,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = configured(folder.path(), "regtest");
        Self { folder, config }
    }

    /// A copy of the database, made as the running server makes it.
    async fn copy(&self) -> PathBuf {
        let instance = Instance::open(&self.config, Role::Server).await.unwrap();
        let accounts = Accounts::new(instance.charges.clone(), Signup::Approval, "http://localhost", None);
        let reply = execute(&accounts, Command::CopyDatabase).await.unwrap();
        instance.charges.close().await;
        PathBuf::from(reply["path"].as_str().unwrap())
    }

    /// A backup of the instance.
    async fn backup(&self, passphrase: Option<&str>, with_keys: bool) -> PathBuf {
        let copy = self.copy().await;
        let to = self.folder.path().join("backup");
        let keys = Keys {
            secret: fs::read_to_string(self.config.data_dir.join("secret.key")).unwrap(),
            seals: fs::read_to_string(self.config.data_dir.join("seal.keys")).unwrap(),
        };
        pack(&to, &contents(&copy, with_keys.then_some(&keys), passphrase)).unwrap();
        to
    }

    async fn restore(&self, from: &Path, passphrase: Option<&str>, replace: bool) -> Result<Restored, BackupError> {
        restore(from, &self.config, passphrase, replace, NOW, &SystemRng).await
    }
}

fn configured(folder: &Path, network: &str) -> Config {
    let settings = [
        ("BITPRO_NETWORK", network.to_owned()),
        ("BITPRO_DATA_DIR", folder.join("data").display().to_string()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    Config::from_sources(Vec::from(settings), None, Some(folder)).unwrap()
}

fn contents<'a>(database: &'a Path, keys: Option<&'a Keys>, passphrase: Option<&'a str>) -> Contents<'a> {
    Contents {
        database,
        keys,
        network: Network::Regtest,
        now: NOW,
        passphrase,
        salt: [3; 16],
        own: &[],
    }
}

async fn epoch(config: &Config) -> String {
    let instance = Instance::open(config, Role::Server).await.unwrap();
    let epoch = instance.charges.epoch();
    instance.charges.close().await;
    epoch
}

#[tokio::test]
async fn a_sealed_backup_with_keys_is_all_that_a_new_machine_needs() {
    let old = Place::new();
    let backup = old.backup(Some(PASSPHRASE), true).await;
    assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    let new = Place::new();
    let restored = new.restore(&backup, Some(PASSPHRASE), false).await.unwrap();
    assert!(!restored.has_mark, "R28: nobody knows here what was given out since");
    let mode = fs::metadata(&new.config.data_dir).unwrap().permissions().mode();
    assert_eq!(
        mode & 0o077,
        0,
        "nobody else looks into the folder that a restore makes"
    );
    for key in ["secret.key", "seal.keys"] {
        let [there, here] = [&old, &new].map(|place| fs::read_to_string(place.config.data_dir.join(key)).unwrap());
        assert_eq!(there, here);
    }
    assert_ne!(
        epoch(&new.config).await,
        epoch(&old.config).await,
        "R31: old cursors mean nothing here"
    );
}

#[tokio::test]
async fn r31_a_restore_opens_no_door_that_was_closed_since_the_backup() {
    use bitpro_store::testing::{count, meddle};

    const DOORS: [&str; 4] = ["sessions", "account_tokens", "invitations", "pending_wallets"];
    let place = Place::new();
    let instance = Instance::open(&place.config, Role::Server).await.unwrap();
    let accounts = Accounts::new(instance.charges.clone(), Signup::Approval, "http://localhost", None);
    let named = MerchantChanges {
        settings: bitpro_merchant::SettingsPatch::read(&[("name", "Tea")]).unwrap(),
        ..MerchantChanges::default()
    };
    let merchant = instance.charges.add_merchant(named).await.unwrap();
    let ada = Email::read("ada@tea.example").unwrap();
    accounts.adopt(merchant, &ada).await.unwrap();
    instance.charges.close().await;
    let database = &place.config.database;
    for statement in [
        "UPDATE accounts SET device_epoch = 7",
        "INSERT INTO sessions VALUES (x'01', x'01', 1, 0, 0, 0, NULL, '', '')",
        "DELETE FROM account_tokens",
        "INSERT INTO account_tokens VALUES (x'01', 1, 'password', '', 9000000000000)",
        "INSERT INTO invitations VALUES (x'01', x'01', 1, 'eve@tea.example', 'owner', 1, 9000000000000)",
        "INSERT INTO pending_wallets VALUES (1, 'tr()', x'01', 'ada@tea.example', '', 0, 0)",
    ] {
        meddle(database, statement).await;
    }
    let backup = place.backup(None, false).await;
    for door in DOORS {
        assert_eq!(
            count(database, door).await,
            1,
            "a backup and an ordinary start end nothing"
        );
    }
    place.restore(&backup, None, true).await.unwrap();
    epoch(&place.config).await;
    for door in DOORS {
        assert_eq!(count(database, door).await, 0, "{door}");
    }
    assert_eq!(
        count(database, "members").await,
        1,
        "nobody knows who was removed since"
    );
    assert_eq!(
        count(database, "accounts WHERE device_epoch > 7").await,
        1,
        "no browser is known"
    );
    let known = count(database, "accounts WHERE device_epoch > 8").await;
    assert_eq!(known, 1, "nor by a mark that was given after the backup");
    // It is done once.
    meddle(
        database,
        "INSERT INTO sessions VALUES (x'02', x'02', 1, 0, 0, 0, NULL, '', '')",
    )
    .await;
    epoch(&place.config).await;
    assert_eq!(count(database, "sessions").await, 1);
}

/// An archive of these entries: name, kind, what the head says of the length, and the bytes.
fn archive_of(entries: &[(&str, tar::EntryType, u64, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, kind, size, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_path(name).unwrap();
        header.set_entry_type(*kind);
        header.set_size(u64::try_from(bytes.len()).unwrap());
        if *kind == tar::EntryType::GNUSparse {
            let gnu = header.as_gnu_mut().unwrap();
            let number = |number: u64| {
                let mut octal = [0; 12];
                octal[..11].copy_from_slice(format!("{number:011o}").as_bytes());
                octal
            };
            gnu.sparse[0].offset = number(size - 512);
            gnu.sparse[0].numbytes = number(512);
            gnu.realsize = number(*size);
        }
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(bytes);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1_024, 0);
    archive
}

fn manifest_of_databases(size: u64, count: usize) -> Vec<u8> {
    let entry = FileEntry {
        name: DATABASE.to_owned(),
        size,
        sha256: "00".repeat(32),
    };
    let manifest = Manifest {
        format: FORMAT,
        version: "0.1.0".to_owned(),
        network: "regtest".to_owned(),
        taken_at: 0,
        files: vec![entry; count],
    };
    serde_json::to_vec(&manifest).unwrap()
}

#[test]
fn a_file_that_unpacks_to_more_than_it_is_writes_nothing() {
    use tar::EntryType as Kind;
    let (gibibyte, block) = (1 << 30, [7; 512]);
    let manifest = manifest_of_databases(gibibyte, 1);
    let sparse = archive_of(&[
        (MANIFEST, Kind::Regular, 0, &manifest),
        (DATABASE, Kind::GNUSparse, gibibyte, &block),
    ]);
    let twice = manifest_of_databases(512, 2);
    let twice = archive_of(&[
        (MANIFEST, Kind::Regular, 0, &twice),
        (DATABASE, Kind::Regular, 512, &block),
        (DATABASE, Kind::Regular, 512, &block),
    ]);
    let long_name = archive_of(&[
        ("a", Kind::GNULongName, 0, &block),
        (MANIFEST, Kind::Regular, 0, &manifest),
    ]);
    for bytes in [sparse, twice, long_name] {
        let folder = tempfile::tempdir().unwrap();
        let (from, into) = (folder.path().join("backup"), folder.path().join("into"));
        fs::create_dir(&into).unwrap();
        fs::write(&from, bytes).unwrap();
        let refused = archive::unpack(&from, &into, None).err();
        assert!(matches!(refused, Some(BackupError::Damaged(..))), "{refused:?}");
        assert_eq!(fs::read_dir(&into).unwrap().count(), 0, "nothing was written");
    }
}

#[tokio::test]
async fn r28_a_restore_leaves_the_issuance_mark_where_it_is() {
    let place = Place::new();
    let backup = place.backup(None, false).await;
    let mark = place.config.data_dir.join("bitpro.db.issued");
    let before = fs::read(&mark).unwrap();
    let restored = place.restore(&backup, None, true).await.unwrap();
    assert!(restored.has_mark);
    assert_eq!(fs::read(&mark).unwrap(), before);
    let kept = restored.kept.unwrap();
    assert!(kept.is_file(), "what was there before is kept");
    assert!(
        !place.config.data_dir.join("bitpro.db-wal").exists(),
        "no log of another database is left"
    );
}

#[tokio::test]
async fn what_may_never_end_is_not_read_for_a_backup() {
    let place = Place::new();
    let named = |name: &str| place.folder.path().join(name);
    let made = std::process::Command::new("mkfifo").arg(named("pipe")).status();
    assert!(made.unwrap().success());
    fs::create_dir(named("folder")).unwrap();
    std::os::unix::fs::symlink(named("pipe"), named("link")).unwrap();
    let before = listing(place.folder.path());
    for from in [named("pipe"), named("link"), named("folder"), "/dev/zero".into()] {
        let refused = place.restore(&from, None, true).await.err();
        assert!(matches!(refused, Some(BackupError::NoFile(_))), "{from:?}: {refused:?}");
    }
    assert_eq!(listing(place.folder.path()), before, "nothing was changed");
}

#[tokio::test]
async fn a_database_that_is_there_is_not_replaced_unasked() {
    let place = Place::new();
    let backup = place.backup(None, false).await;
    let before = fs::read(&place.config.database).unwrap();
    let refused = place.restore(&backup, None, false).await;
    assert!(matches!(refused, Err(BackupError::Occupied(_))));
    assert_eq!(fs::read(&place.config.database).unwrap(), before);
}

#[tokio::test]
async fn whoever_gives_a_passphrase_gets_nothing_restored_that_is_not_sealed() {
    let place = Place::new();
    let sealed = place.folder.path().join("sealed");
    fs::rename(place.backup(Some(PASSPHRASE), false).await, &sealed).unwrap();
    let open = place.backup(None, false).await;
    let bare = place.copy().await;
    let before = fs::read(&place.config.database).unwrap();
    for put_there in [&open, &bare] {
        let refused = place.restore(put_there, Some(PASSPHRASE), true).await.err().unwrap();
        assert!(refused.to_string().starts_with("backup-not-sealed: "), "{refused}");
    }
    assert_eq!(fs::read(&place.config.database).unwrap(), before);
    assert!(place.restore(&sealed, Some(PASSPHRASE), true).await.unwrap().was_sealed);
    assert!(!place.restore(&open, None, true).await.unwrap().was_sealed);
}

#[tokio::test]
async fn keys_come_out_of_a_sealed_backup_only() {
    use std::io::Read as _;

    let made = Place::new();
    let backup = made.backup(Some(PASSPHRASE), true).await;
    let mut file = fs::File::open(&backup).unwrap();
    let mut magic = vec![0; sealed::MAGIC.len()];
    file.read_exact(&mut magic).unwrap();
    let mut archive = Vec::new();
    let mut opening = sealed::Opening::new(file, PASSPHRASE).unwrap();
    opening.read_to_end(&mut archive).unwrap();
    // What any hand can make: a database, and the keys that fit it.
    let place = Place::new();
    let planted = place.folder.path().join("planted");
    fs::write(&planted, archive).unwrap();
    let refused = place.restore(&planted, None, false).await.err().unwrap();
    assert!(matches!(refused, BackupError::KeysNotSealed(_)), "{refused}");
    assert!(!place.config.database.exists() && !place.config.data_dir.join("secret.key").exists());
}

#[tokio::test]
async fn configured_seal_keys_that_are_not_those_of_the_backup_are_refused() {
    let made = Place::new();
    let backup = made.backup(Some(PASSPHRASE), true).await;
    let mut place = Place::new();
    place.config.seal_keys = SealSource::Given(format!("1:{}", "5b".repeat(31) + "00").parse().unwrap());
    let refused = place.restore(&backup, Some(PASSPHRASE), false).await.err().unwrap();
    assert!(matches!(refused, BackupError::OtherKeys(_)), "{refused}");
    assert!(!place.config.database.exists());
}

#[tokio::test]
async fn a_running_server_is_not_restored_under_its_feet() {
    let place = Place::new();
    let backup = place.backup(None, false).await;
    let running = Instance::open(&place.config, Role::Server).await.unwrap();
    let refused = place.restore(&backup, None, true).await;
    assert!(matches!(refused, Err(BackupError::InUse(_))));
    running.charges.close().await;
}

#[tokio::test]
async fn nothing_is_touched_of_a_database_that_another_program_has_open() {
    let place = Place::new();
    let backup = place.backup(None, false).await;
    let account = place.config.data_dir.join(".bitpro.db-litestream");
    fs::create_dir(&account).unwrap();
    let tool = Instance::open(&place.config, Role::Tool).await.unwrap();
    let refused = place.restore(&backup, None, true).await;
    assert!(matches!(refused, Err(BackupError::InUse(_))));
    assert!(account.exists(), "the replicator goes on");
    tool.charges.close().await;
}

#[tokio::test]
async fn a_sealed_backup_opens_by_its_passphrase_alone_and_only_unchanged() {
    let place = Place::new();
    let backup = place.backup(Some(PASSPHRASE), false).await;
    let whole = fs::read(&backup).unwrap();
    assert!(
        !whole.windows(6).any(|bytes| bytes == b"SQLite"),
        "nothing of the database is in the open"
    );
    let elsewhere = Place::new();
    let refused = elsewhere.restore(&backup, None, false).await;
    assert!(matches!(refused, Err(BackupError::PassphraseWanted)));
    let refused = elsewhere.restore(&backup, Some("another passphrase"), false).await;
    assert!(matches!(refused, Err(BackupError::DoesNotOpen)));
    for damage in [
        |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1),
        |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2),
        |bytes: &mut Vec<u8>| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        },
        // The salt is no part of the cipher text, and yet cannot be changed.
        |bytes: &mut Vec<u8>| bytes[sealed::MAGIC.len()] ^= 1,
    ] {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        fs::write(&backup, bytes).unwrap();
        let refused = elsewhere.restore(&backup, Some(PASSPHRASE), false).await;
        assert!(matches!(refused, Err(BackupError::DoesNotOpen)));
        assert!(!elsewhere.config.database.exists());
    }
}

#[tokio::test]
async fn a_damaged_backup_changes_nothing() {
    let place = Place::new();
    let backup = place.backup(None, false).await;
    let whole = fs::read(&backup).unwrap();
    for damage in [
        |bytes: &mut Vec<u8>| bytes.clear(),
        |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2),
        |bytes: &mut Vec<u8>| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        },
        |bytes: &mut Vec<u8>| bytes.splice(..4, *b"what").for_each(drop),
    ] {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        fs::write(&backup, bytes).unwrap();
        let elsewhere = Place::new();
        let refused = elsewhere.restore(&backup, None, false).await;
        assert!(matches!(refused, Err(BackupError::Damaged(..))));
        let left: Vec<_> = fs::read_dir(&elsewhere.config.data_dir).unwrap().collect();
        assert!(left.is_empty(), "{left:?} was left behind");
    }
}

#[tokio::test]
async fn a_backup_of_another_network_is_refused() {
    let place = Place::new();
    let backup = place.backup(None, false).await;
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), "signet");
    let refused = restore(&backup, &config, None, false, NOW, &SystemRng).await;
    assert!(matches!(refused, Err(BackupError::WrongNetwork { .. })));
}

#[tokio::test]
async fn other_keys_than_the_databases_are_refused_before_anything_is_replaced() {
    let place = Place::new();
    let backup = place.backup(None, false).await;
    let elsewhere = Place::new();
    let refused = elsewhere.restore(&backup, None, false).await;
    assert!(matches!(refused, Err(BackupError::MissingKeys(_))));
    elsewhere.copy().await;
    let refused = elsewhere.restore(&backup, None, true).await;
    assert!(matches!(refused, Err(BackupError::OtherKeys(_))));
}

#[tokio::test]
async fn keys_and_weak_passphrases_make_no_backup() {
    let place = Place::new();
    let copy = place.copy().await;
    let keys = Keys {
        secret: String::new(),
        seals: String::new(),
    };
    let to = place.folder.path().join("none");
    let refused = pack(&to, &contents(&copy, Some(&keys), None));
    assert!(matches!(refused, Err(BackupError::KeysInTheOpen)));
    let refused = pack(&to, &contents(&copy, None, Some("short")));
    assert!(matches!(refused, Err(BackupError::WeakPassphrase { .. })));
    assert!(!to.exists());
}

#[tokio::test]
async fn a_backup_of_a_later_version_says_so() {
    let place = Place::new();
    let copy = place.copy().await;
    let to = place.folder.path().join("later");
    let mut archive = tar::Builder::new(fs::File::create(&to).unwrap());
    let text = format!("{{\"format\": {}}}", FORMAT + 1);
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    archive.append_data(&mut header, MANIFEST, text.as_bytes()).unwrap();
    archive.append_path_with_name(&copy, DATABASE).unwrap();
    archive.finish().unwrap();
    let refused = place.restore(&to, None, true).await;
    assert!(matches!(refused, Err(BackupError::Newer(2))));
}

#[tokio::test]
async fn copies_that_a_killed_backup_left_go_with_the_next_one_and_at_the_servers_start() {
    let place = Place::new();
    let first = place.copy().await;
    let journal = archive::with_ending(&first, "-journal");
    fs::write(&journal, "half a page").unwrap();
    let long_ago = UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    for left in [&first, &journal] {
        let file = fs::File::options().write(true).open(left).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    // Somebody packs it for hours.
    let packing = fs::File::open(&first).unwrap();
    private::hold(&packing).unwrap();
    let second = place.copy().await;
    assert!(first.is_file() && journal.is_file());
    drop(packing);
    let third = place.copy().await;
    assert!(!first.exists() && !journal.exists());
    assert!(second.is_file() && third.is_file(), "they may be handed over just now");
    let packing = fs::File::open(&second).unwrap();
    private::hold(&packing).unwrap();
    leftovers::clear(&place.config.database);
    assert!(second.is_file() && !third.exists());
    assert!(place.config.database.is_file());
}

#[tokio::test]
async fn the_beginning_of_a_killed_backup_goes_with_the_next_one_of_whatever_name() {
    let place = Place::new();
    let backup = place.backup(None, false).await;
    let whole = fs::read(&backup).unwrap();
    let named = |name: &str| place.folder.path().join(name);
    let [left, empty, held, foreign] =
        ["monday.partial", "backup.partial", "tuesday.partial", "thesis.partial"].map(named);
    fs::write(&left, &whole[..8_192]).unwrap();
    fs::write(&empty, "").unwrap();
    fs::write(&held, &whole[..8_192]).unwrap();
    fs::write(&foreign, "chapter one").unwrap();
    let writing = fs::File::open(&held).unwrap();
    private::hold(&writing).unwrap();
    place.backup(None, false).await;
    assert!(!left.exists() && !empty.exists());
    assert!(held.exists(), "another backup is at work on it");
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "chapter one");
    let copy = place.copy().await;
    let busy = pack(&named("tuesday"), &contents(&copy, None, None));
    assert!(matches!(busy, Err(BackupError::TargetBusy(_))));
    let taken = pack(&named("thesis"), &contents(&copy, None, None));
    assert!(matches!(taken, Err(BackupError::TargetIsNoBackup(_))));
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "chapter one");
}

#[tokio::test]
async fn a_backup_is_written_over_an_earlier_one_and_over_nothing_else() {
    let place = Place::new();
    let earlier = place.backup(None, false).await;
    let sealed = place.folder.path().join("sealed");
    let copy = place.copy().await;
    pack(&sealed, &contents(&copy, None, Some(PASSPHRASE))).unwrap();
    for backup in [&earlier, &sealed] {
        pack(backup, &contents(&copy, None, None)).unwrap();
    }
    let named = |name: &str| place.folder.path().join(name);
    fs::write(named("text"), "a diary").unwrap();
    fs::write(named("empty"), "").unwrap();
    fs::write(
        named("archive"),
        archive_of(&[("photo", tar::EntryType::Regular, 0, b"x")]),
    )
    .unwrap();
    std::os::unix::fs::symlink(&earlier, named("link")).unwrap();
    std::os::unix::fs::symlink(named("nowhere"), named("dangling")).unwrap();
    fs::create_dir(named("folder")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(named("socket")).unwrap();
    let before: Vec<_> = listing(place.folder.path());
    for target in ["text", "empty", "archive", "link", "dangling", "folder", "socket"].map(named) {
        let refused = pack(&target, &contents(&copy, None, None));
        assert!(
            matches!(refused, Err(BackupError::TargetIsNoBackup(_))),
            "{target:?}: {refused:?}"
        );
    }
    for target in ["monday.partial/", "monday/", "monday/.", "folder/", "folder/..", ".."] {
        let refused = pack(&named(target), &contents(&copy, None, None));
        assert!(
            matches!(refused, Err(BackupError::TargetIsFolder(_))),
            "{target:?}: {refused:?}"
        );
    }
    let unfinished = pack(&named("monday.partial"), &contents(&copy, None, None));
    assert!(matches!(unfinished, Err(BackupError::TargetIsUnfinished(_))));
    let device = pack(Path::new("/dev/null"), &contents(&copy, None, None));
    assert!(matches!(device, Err(BackupError::TargetIsNoBackup(_))));
    assert_eq!(listing(place.folder.path()), before, "nothing was changed");
    assert_eq!(fs::read_to_string(named("text")).unwrap(), "a diary");
}

/// Name and length of what is in a folder.
fn listing(folder: &Path) -> Vec<(PathBuf, u64)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut found: Vec<_> = entries
        .map(|entry| (entry.path(), entry.metadata().unwrap().len()))
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn a_backup_is_written_over_no_file_of_the_instance_whatever_its_name() {
    let place = Place::new();
    let earlier = place.backup(None, false).await;
    let copy = place.copy().await;
    // Even where such a file looks like a backup.
    let passphrase = place.folder.path().join("passphrase");
    fs::copy(&earlier, &passphrase).unwrap();
    let own = target::files_of(&place.config, [passphrase.as_path()]);
    let contents = Contents {
        own: &own,
        ..contents(&copy, None, None)
    };
    let data = &place.config.data_dir;
    let (linked_folder, hard_link) = (place.folder.path().join("linked"), place.folder.path().join("hard"));
    std::os::unix::fs::symlink(data, &linked_folder).unwrap();
    fs::hard_link(&passphrase, &hard_link).unwrap();
    let beside = |ending: &str| archive::with_ending(&place.config.database, ending);
    let mut targets = vec![
        passphrase.clone(),
        hard_link,
        linked_folder.join("bitpro.db"),
        linked_folder.join("../data/bitpro.db"),
        data.join("secret.key"),
        data.join("seal.keys"),
        data.join("admin.sock"),
        data.join("admin.new"),
        data.join("mail"),
        data.join(".restoring-backup"),
    ];
    targets.extend(["", "-wal", "-shm", "-journal", ".issued", ".nonces", ".copy-1"].map(beside));
    let before = listing(data);
    for target in targets {
        let refused = pack(&target, &contents);
        assert!(
            matches!(refused, Err(BackupError::TargetInUse(_))),
            "{target:?}: {refused:?}"
        );
    }
    assert_eq!(listing(data), before);
    pack(&data.join("bitpro.backup"), &contents).unwrap();
}

#[tokio::test]
async fn every_restore_keeps_what_was_there_before_it() {
    let place = Place::new();
    let backup = place.backup(None, false).await;
    let mut kept = Vec::new();
    for number in 1..=3 {
        meddle(&place.config.database, "DELETE FROM meta WHERE name = 'restore'").await;
        let statement: &'static str = [
            "",
            "INSERT INTO meta VALUES ('restore', '1')",
            "INSERT INTO meta VALUES ('restore', '2')",
            "INSERT INTO meta VALUES ('restore', '3')",
        ][number];
        meddle(&place.config.database, statement).await;
        let restored = place.restore(&backup, None, true).await.unwrap();
        kept.push(restored.kept.unwrap());
    }
    let names = ["", "-2", "-3"]
        .map(|ending| archive::with_ending(&place.config.database, &format!(".before-restore{ending}")));
    assert_eq!(kept, names);
    for (path, number) in kept.iter().zip(1..) {
        let fact = ("restore".to_owned(), number.to_string());
        assert!(
            facts(path).await.contains(&fact),
            "{} is another database",
            path.display()
        );
    }
}

#[tokio::test]
async fn a_refused_file_is_named_and_never_quoted() {
    let place = Place::new();
    let backup = place.backup(None, false).await;
    let whole = fs::read(&backup).unwrap();
    // Lengths, names, checksums, the manifest: wherever the reader stumbles.
    for at in (0..1_600).step_by(7) {
        let mut bytes = whole.clone();
        let end = bytes.len().min(at + 10);
        bytes[at..end].copy_from_slice(&b"\x1b]0;owned\x07"[..end - at]);
        fs::write(&backup, bytes).unwrap();
        if let Err(error) = place.restore(&backup, None, true).await {
            let said = error.to_string();
            assert!(!said.contains("owned") && !said.contains('\x1b'), "{said:?}");
        }
    }
}

#[test]
fn a_full_disk_is_not_blamed_on_the_backup() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from_raw_os_error(28))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (from, to) = (Path::new("/backup/good"), Path::new("/data/.restoring-1/bitpro.db"));
    let broken = archive::copy(&mut &b"bytes"[..], &mut Full).err().unwrap();
    let said = broken.between(from, to).to_string();
    assert!(
        said.contains("the disk is full") && said.contains("/data/.restoring-1"),
        "{said}"
    );
    assert!(!said.contains("/backup/good"), "{said}");
}

#[tokio::test]
async fn a_database_behind_a_link_is_restored_where_the_link_leads() {
    let place = Place::new();
    let backup = place.backup(None, false).await;
    let disk = place.folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let there = disk.join("shop.db");
    for ending in ["", ".issued"] {
        let moved = archive::with_ending(&there, ending);
        fs::rename(archive::with_ending(&place.config.database, ending), moved).unwrap();
    }
    std::os::unix::fs::symlink(&there, &place.config.database).unwrap();
    let before = fs::metadata(&there).unwrap().len();
    let restored = place.restore(&backup, None, true).await.unwrap();
    assert!(restored.has_mark);
    assert!(fs::symlink_metadata(&place.config.database).unwrap().is_symlink());
    assert!(fs::symlink_metadata(&there).unwrap().is_file());
    let kept = restored.kept.unwrap();
    assert_eq!(kept.parent(), Some(disk.canonicalize().unwrap().as_path()));
    assert_eq!(fs::metadata(kept).unwrap().len(), before);
}

#[tokio::test]
async fn a_bare_database_is_restored_like_a_backup() {
    let place = Place::new();
    let before = epoch(&place.config).await;
    let copy = place.copy().await;
    let restored = place.restore(&copy, None, true).await.unwrap();
    assert!(restored.manifest.is_none() && restored.has_mark);
    assert_ne!(epoch(&place.config).await, before, "R31: old cursors mean nothing here");
    // Elsewhere it is held to the keys there, and to the network.
    let refused = Place::new().restore(&copy, None, false).await;
    assert!(matches!(refused, Err(BackupError::MissingKeys(_))));
    let folder = tempfile::tempdir().unwrap();
    let refused = restore(
        &copy,
        &configured(folder.path(), "signet"),
        None,
        false,
        NOW,
        &SystemRng,
    )
    .await;
    assert!(matches!(refused, Err(BackupError::WrongNetwork { .. })));
}

#[tokio::test]
async fn a_database_that_somebody_may_be_writing_to_is_no_backup() {
    let place = Place::new();
    let copy = place.copy().await;
    fs::write(archive::with_ending(&copy, "-wal"), "not all of it is in the file").unwrap();
    let refused = place.restore(&copy, None, true).await;
    assert!(matches!(refused, Err(BackupError::Damaged(..))));
    let other = Place::new();
    let running = Instance::open(&other.config, Role::Server).await.unwrap();
    let refused = place.restore(&other.config.database, None, true).await;
    assert!(matches!(refused, Err(BackupError::Damaged(..))));
    running.charges.close().await;
}

#[tokio::test]
async fn r28_a_mark_that_is_not_there_was_lost_however_young_the_restored_database_is() {
    let old = Place::new();
    let backup = old.backup(Some(PASSPHRASE), true).await;
    let new = Place::new();
    new.restore(&backup, Some(PASSPHRASE), false).await.unwrap();
    let facts = facts(&new.config.database).await;
    assert!(facts.contains(&("mark".to_owned(), "made".to_owned())), "{facts:?}");
    assert!(
        facts.contains(&("restored".to_owned(), format!("{} 0", NOW.0))),
        "R17: {facts:?}"
    );
}

#[tokio::test]
async fn what_a_restore_that_died_left_behind_goes_with_the_next_and_so_does_a_replicators_account() {
    let place = Place::new();
    let backup = place.backup(None, false).await;
    let [left, held, account] =
        [".restoring-left", ".restoring-held", ".bitpro.db-litestream"].map(|name| place.config.data_dir.join(name));
    for folder in [&left, &held, &account] {
        fs::create_dir(folder).unwrap();
    }
    let at_work = fs::File::open(&held).unwrap();
    private::hold(&at_work).unwrap();
    place.restore(&backup, None, true).await.unwrap();
    assert!(!left.exists() && !account.exists());
    assert!(held.exists(), "another restore is at work in it");
    drop(at_work);
    leftovers::clear(&place.config.database);
    assert!(!held.exists());
}

#[tokio::test]
async fn a_restore_that_died_before_its_rename_keeps_no_server_from_starting() {
    let place = Place::new();
    place.copy().await;
    let database = &place.config.database;
    let aside = archive::with_ending(database, ".before-restore");
    fs::hard_link(database, &aside).unwrap();
    let tool = Instance::open(&place.config, Role::Tool).await.unwrap();
    tool.charges.close().await;
    let server = Instance::open(&place.config, Role::Server).await.unwrap();
    server.charges.close().await;
    assert!(!aside.exists() && database.is_file());
}

#[tokio::test]
async fn two_servers_do_not_run_on_one_database_by_whatever_name() {
    let place = Place::new();
    place.copy().await;
    let named = |name: &str| {
        let settings = [
            ("BITPRO_NETWORK", "regtest".to_owned()),
            ("BITPRO_DATA_DIR", place.config.data_dir.display().to_string()),
            ("BITPRO_DATABASE", place.folder.path().join(name).display().to_string()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value));
        Config::from_sources(Vec::from(settings), None, Some(place.folder.path())).unwrap()
    };
    let link = place.folder.path().join("link.db");
    std::os::unix::fs::symlink("data/bitpro.db", &link).unwrap();
    let by_link = named("link.db");
    let running = Instance::open(&place.config, Role::Server).await.unwrap();
    let refused = Instance::open(&by_link, Role::Server).await.err().unwrap();
    assert!(refused.to_string().contains("in use by another server"), "{refused}");
    running.charges.close().await;
    drop(running);
    let running = Instance::open(&by_link, Role::Server).await.unwrap();
    running.charges.close().await;
    drop(running);
    let beside_link = listing(place.folder.path()).into_iter().map(|(path, _)| path);
    let beside_link: Vec<_> = beside_link
        .filter(|path| path.display().to_string().contains("link.db"))
        .collect();
    assert_eq!(beside_link, [link], "mark, journal and log are beside the file itself");

    fs::hard_link(&place.config.database, place.folder.path().join("hard.db")).unwrap();
    for (config, role) in [
        (named("hard.db"), Role::Server),
        (place.config.clone(), Role::Server),
        (named("hard.db"), Role::Tool),
    ] {
        let refused = Instance::open(&config, role).await.err().unwrap();
        assert!(refused.to_string().contains("hard link"), "{refused}");
    }
    fs::remove_file(place.folder.path().join("hard.db")).unwrap();
    let running = Instance::open(&place.config, Role::Server).await.unwrap();
    running.charges.close().await;
}

#[tokio::test]
async fn a_mark_beside_a_link_of_an_earlier_release_is_not_taken_for_a_lost_one() {
    let place = Place::new();
    place.copy().await;
    let there = place.folder.path().join("disk.db");
    fs::rename(&place.config.database, &there).unwrap();
    std::os::unix::fs::symlink(&there, &place.config.database).unwrap();
    let config = configured(place.folder.path(), "regtest");
    let refused = Instance::open(&config, Role::Server).await.err().unwrap();
    assert!(refused.to_string().contains("disk.db.issued"), "{refused}");
    fs::rename(
        config.data_dir.join("bitpro.db.issued"),
        place.folder.path().join("disk.db.issued"),
    )
    .unwrap();
    let running = Instance::open(&config, Role::Server).await.unwrap();
    running.charges.close().await;
}

#[tokio::test]
async fn a_database_of_a_later_version_is_not_restored() {
    let place = Place::new();
    let copy = place.copy().await;
    meddle(
        &copy,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, x'00', 0)",
    )
    .await;
    let before = [&copy, &place.config.database].map(|path| fs::read(path).unwrap());
    let refused = place.restore(&copy, None, true).await.err().unwrap();
    assert!(refused.to_string().contains("later version"), "{refused}");
    assert!(!refused.to_string().contains("damaged"), "{refused}");
    assert!(before == [&copy, &place.config.database].map(|path| fs::read(path).unwrap()));
}
