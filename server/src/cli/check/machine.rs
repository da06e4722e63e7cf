//! What the machine has to give: a folder that can be written, room on its disk, an address to listen at, enough open files; and what it
//! must not show to others.

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use bitpro_config::{Config, KeySource, SETTINGS};
use bitpro_node::{CheckLine, Level};
use rustix::fs::{Access, access, statvfs};

use crate::lifecycle::{FILES_FOR_ELSE, listen, open_files};

/// Below this much room, in bytes, it is time to act; a day of a busy shop takes less.
const LITTLE_ROOM: u64 = 1024 * 1024 * 1024;
/// Below this, charges may soon not be stored any more.
const NO_ROOM: u64 = 100 * 1024 * 1024;

/// The lines about this machine; `serves` is whether the running server has the addresses already.
pub(super) fn lines(config: &Config, file: Option<&Path>, serves: bool) -> Vec<CheckLine> {
    let mut lines = vec![folder(&config.data_dir, "data_dir")];
    let beside = config.database.parent().filter(|folder| *folder != config.data_dir);
    lines.extend(beside.map(|beside| folder(beside, "database")));
    lines.extend(owner(config));
    lines.extend(privacy(config, file));
    lines.extend(room(config));
    lines.push(address(config.listen, "listen", serves));
    lines.extend(config.metrics_listen.map(|at| address(at, "metrics_listen", serves)));
    lines.push(files(config.limits.max_connections));
    lines
}

/// Whether the server can write there. Nothing is written to find out.
fn folder(path: &Path, setting: &'static str) -> CheckLine {
    let shown = path.display();
    let failure = |text: String| CheckLine::new("folder", Level::Failure, text).with_setting(setting);
    let (nearest, is_there) = nearest(path);
    match fs::metadata(&nearest) {
        Ok(found) if !found.is_dir() => return failure(format!("{} is not a folder", nearest.display())),
        Err(error) => return failure(format!("{} cannot be looked at: {error}", nearest.display())),
        Ok(_) => {}
    }
    match access(&nearest, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) if is_there => CheckLine::new("folder", Level::Fine, format!("{shown} can be written")),
        Ok(()) => {
            let text = format!("{shown} does not exist yet; the first start creates it");
            CheckLine::new("folder", Level::Fine, text)
        }
        Err(error) if is_there => failure(format!("{shown} cannot be written: {error}")),
        Err(error) => failure(format!(
            "{shown} does not exist and cannot be created: {}: {error}",
            nearest.display()
        )),
    }
}

/// The folder itself, or the nearest one above it that there is.
fn nearest(path: &Path) -> (PathBuf, bool) {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let there = absolute.ancestors().find(|folder| folder.symlink_metadata().is_ok());
    let there = there.unwrap_or(Path::new("/")).to_path_buf();
    let is_there = there == absolute;
    (there, is_there)
}

/// A check by another user than the server's says little: what this one may do, that one may not.
fn owner(config: &Config) -> Option<CheckLine> {
    let found = fs::metadata(&config.data_dir).ok()?;
    let ours = rustix::process::geteuid().as_raw();
    (found.uid() != ours).then(|| {
        let text = format!(
            "{} belongs to the user with number {}, and this check runs as {ours}: run it as the server's user, or it says little",
            config.data_dir.display(),
            found.uid()
        );
        CheckLine::new("user", Level::Warning, text)
    })
}

/// Files and folders that others may read and should not.
fn privacy(config: &Config, file: Option<&Path>) -> Vec<CheckLine> {
    let mut lines = Vec::new();
    let data_dir = (config.data_dir.as_path(), "data_dir", 0o077, Level::Warning);
    let database = (config.database.as_path(), "database", 0o077, Level::Warning);
    let mut looked_at = vec![data_dir, database];
    if let KeySource::Kept(path) = &config.secret {
        looked_at.push((path.as_path(), "secret_key_file", 0o077, Level::Failure));
    }
    if let KeySource::Kept(path) = &config.seal_keys {
        looked_at.push((path.as_path(), "seal_keys_file", 0o077, Level::Failure));
    }
    let holds_secrets = file.is_some_and(holds_secrets);
    if let Some(file) = file.filter(|_| holds_secrets) {
        looked_at.push((file, "configuration", 0o007, Level::Failure));
    }
    for (path, name, bits, level) in looked_at {
        let Ok(found) = fs::metadata(path) else {
            continue;
        };
        let mode = found.permissions().mode() & 0o7777;
        if mode & bits != 0 {
            let (shown, wanted) = (path.display(), mode & !bits);
            let text = format!("other users can read {shown} (mode {mode:04o}): chmod {wanted:04o} {shown}");
            let line = CheckLine::new("permissions", level, text);
            lines.push(match name {
                "configuration" => line,
                name => line.with_setting(name),
            });
        }
    }
    if lines.is_empty() {
        let text = "database, keys and configuration are for the server's user alone";
        lines.push(CheckLine::new("permissions", Level::Fine, text));
    }
    lines
}

/// Whether a secret is written in the file itself.
fn holds_secrets(file: &Path) -> bool {
    let table = fs::read_to_string(file)
        .ok()
        .and_then(|text| text.parse::<toml::Table>().ok());
    let is_secret = |name: &String| SETTINGS.iter().any(|setting| setting.secret && setting.name == name);
    table.is_some_and(|table| table.keys().any(is_secret))
}

/// How much more can be stored.
fn room(config: &Config) -> Option<CheckLine> {
    let folder = config.database.parent().unwrap_or(&config.data_dir);
    let disk = statvfs(&nearest(folder).0).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let taken = fs::metadata(&config.database).map_or(0, |found| found.len());
    let text = format!("{} free at {}", megabytes(free), folder.display());
    Some(if free < NO_ROOM {
        let text = format!("{text}: soon no charge can be stored; make room");
        CheckLine::new("disk", Level::Failure, text).with_setting("data_dir")
    } else if free < LITTLE_ROOM.max(taken) {
        let text = format!(
            "{text}: a backup needs as much as the database ({}); make room",
            megabytes(taken)
        );
        CheckLine::new("disk", Level::Warning, text).with_setting("data_dir")
    } else {
        CheckLine::new("disk", Level::Fine, text)
    })
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

/// Whether the address can be listened at.
fn address(at: SocketAddr, setting: &'static str, serves: bool) -> CheckLine {
    let fine = |text: String| CheckLine::new("port", Level::Fine, text);
    if serves {
        return fine(format!("{at}: the running server has it ({setting})"));
    }
    match listen(at) {
        Ok(_) => fine(format!("{at} is free ({setting})")),
        Err(error) => {
            let why = match error.kind() {
                ErrorKind::AddrInUse => "another program listens there".to_owned(),
                ErrorKind::AddrNotAvailable => "this machine does not have this address".to_owned(),
                ErrorKind::PermissionDenied => "ports below 1024 are for root; put a proxy in front".to_owned(),
                _ => error.to_string(),
            };
            CheckLine::new("port", Level::Failure, format!("{at} cannot be listened at: {why}")).with_setting(setting)
        }
    }
}

/// Whether there are files for all connections. It is the limit of this shell; a service has its own.
fn files(max_connections: usize) -> CheckLine {
    let Some(files) = open_files() else {
        return CheckLine::new(
            "files",
            Level::Fine,
            "this system does not say how many files may be open",
        );
    };
    if files >= max_connections.saturating_add(FILES_FOR_ELSE) {
        return CheckLine::new("files", Level::Fine, format!("{files} may be open"));
    }
    let room = files.saturating_sub(FILES_FOR_ELSE);
    let text = format!(
        "{files} may be open here, enough for {room} connections: raise the limit (LimitNOFILE in systemd, ulimit -n in this \
         shell); a service has a limit of its own"
    );
    CheckLine::new("files", Level::Warning, text).with_setting("max_connections")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn config(settings: &[(&str, &str)]) -> Config {
        let written = settings
            .iter()
            .map(|(name, value)| (format!("BITPRO_{}", name.to_uppercase()), (*value).to_owned()));
        Config::from_sources(written, None, Some(Path::new("/nowhere"))).unwrap()
    }

    fn in_folder(folder: &Path) -> Config {
        config(&[("network", "regtest"), ("data_dir", folder.to_str().unwrap())])
    }

    #[test]
    fn a_folder_that_is_not_there_is_looked_for_where_it_would_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let line = super::folder(&folder.path().join("a/b"), "data_dir");
        assert_eq!(line.level, Level::Fine, "{line:?}");
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let line = super::folder(&file.join("a"), "data_dir");
        assert_eq!(
            (line.level, line.setting),
            (Level::Failure, Some("data_dir")),
            "{line:?}"
        );
    }

    #[test]
    fn keys_that_others_can_read_are_a_failure_with_the_command_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("secret.key");
        fs::write(&key, "").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        let config = in_folder(folder.path());
        let told = privacy(&config, None);
        let line = told.iter().find(|line| line.level == Level::Failure).unwrap();
        assert!(
            line.text.contains("chmod 0600") && line.text.contains("secret.key"),
            "{}",
            line.text
        );
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(privacy(&config, None).iter().all(|line| line.level < Level::Failure));
    }

    #[test]
    fn a_configuration_with_secrets_in_it_is_not_for_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let config = in_folder(folder.path());
        let file = folder.path().join("bitpro.toml");
        let failures = |text: &str, mode: u32| {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let lines = privacy(&config, Some(&file));
            lines.iter().filter(|line| line.level == Level::Failure).count()
        };
        assert_eq!(failures("network = \"regtest\"\n", 0o644), 0);
        assert_eq!(failures("node_rpc_password = \"x\"\n", 0o644), 1);
        assert_eq!(failures("node_rpc_password = \"x\"\n", 0o640), 0);
    }

    #[tokio::test]
    async fn an_address_that_somebody_has_is_named_with_its_setting() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = taken.local_addr().unwrap();
        let line = address(at, "listen", false);
        assert_eq!((line.level, line.setting), (Level::Failure, Some("listen")));
        assert!(line.text.contains("another program"), "{}", line.text);
        assert_eq!(address(at, "listen", true).level, Level::Fine);
        drop(taken);
        assert_eq!(address(at, "listen", false).level, Level::Fine);
    }

    #[test]
    fn too_few_files_are_told_with_how_many_connections_they_are_enough_for() {
        let line = files(usize::MAX);
        assert_eq!((line.level, line.setting), (Level::Warning, Some("max_connections")));
        assert_eq!(files(0).level, Level::Fine);
    }
}
