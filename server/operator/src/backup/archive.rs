//! Writing and reading the archive. Nothing in it is believed before its length and hash fit the manifest.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bitpro_base::private;
use bitpro_charge::{Network, Timestamp};
use bitpro_store::folder_of;
use sha2::{Digest as _, Sha256};

use super::sealed::{LEAST_PASSPHRASE, MAGIC, Opening, Sealing};
use super::target::{self, PARTIAL};
use super::{
    BackupError, DATABASE, FORMAT, FileEntry, Keys, LONGEST_TEXT, MANIFEST, Manifest, SEAL_KEYS, SECRET_KEY, leftovers,
};

/// The first bytes of a database (SQLite's file format, 1.3).
const DATABASE_MAGIC: &[u8] = b"SQLite format 3\0";
/// Bytes that are copied at once.
const PIECE: usize = 64 * 1024;

/// What a backup is made of.
pub struct Contents<'a> {
    /// A copy of the database that nobody writes to.
    pub database: &'a Path,
    /// The keys, where they are to go along.
    pub keys: Option<&'a Keys>,
    /// The instance's network.
    pub network: Network,
    /// The time.
    pub now: Timestamp,
    /// Seals the archive.
    pub passphrase: Option<&'a str>,
    /// Random bytes for the seal.
    pub salt: [u8; 16],
    /// The files of the instance, its database first: none of them is written over.
    pub own: &'a [PathBuf],
}

/// What was read out of a backup.
pub(super) struct Unpacked {
    /// What the backup says of itself; a bare database says nothing.
    pub(super) manifest: Option<Manifest>,
    pub(super) database: PathBuf,
    pub(super) keys: Option<Keys>,
    /// Whether the passphrase opened it.
    pub(super) is_sealed: bool,
}

/// Writes a backup to `to`. The file appears whole or not at all; an earlier backup that is there already is replaced, and nothing else.
///
/// # Errors
/// [`BackupError`].
pub fn pack(to: &Path, contents: &Contents<'_>) -> Result<Manifest, BackupError> {
    if contents.keys.is_some() && contents.passphrase.is_none() {
        return Err(BackupError::KeysInTheOpen);
    }
    if let Some(passphrase) = contents.passphrase
        && passphrase.chars().count() < LEAST_PASSPHRASE
    {
        return Err(BackupError::WeakPassphrase {
            least: LEAST_PASSPHRASE,
        });
    }
    target::refuse(to, contents.own)?;
    // Whoever removes what a dead command has left sees that somebody is at work on it.
    let copy = File::open(contents.database).map_err(BackupError::at(contents.database))?;
    private::hold(&copy).map_err(BackupError::at(contents.database))?;
    let manifest = manifest_of(contents)?;
    let partial = with_ending(to, PARTIAL);
    let file = begin(to, &partial)?;
    let written = write(&file, contents, &manifest)
        .map_err(BackupError::at(to))
        // It took a while: somebody may have put something there.
        .and_then(|()| target::refuse(to, contents.own))
        .and_then(|()| {
            let moved = fs::rename(&partial, to).and_then(|()| sync_folder_of(to));
            moved.map_err(BackupError::at(to))
        });
    if let Err(error) = written {
        let _ = fs::remove_file(&partial);
        return Err(error);
    }
    Ok(manifest)
}

/// Makes the file that is written to, and holds it. What commands that died have left in its place, or beside it, goes first.
fn begin(to: &Path, partial: &Path) -> Result<File, BackupError> {
    leftovers::clear_partial(folder_of(to));
    match fs::symlink_metadata(partial) {
        // One that died before its first bytes.
        Ok(found) if found.is_file() && found.len() == 0 && !leftovers::is_held(partial) => {
            fs::remove_file(partial).map_err(BackupError::at(partial))?;
        }
        Ok(_) if leftovers::is_held(partial) => return Err(BackupError::TargetBusy(to.display().to_string())),
        Ok(_) => return Err(BackupError::TargetIsNoBackup(partial.display().to_string())),
        Err(_) => {}
    }
    let file = private_file(partial).map_err(BackupError::at(partial))?;
    private::hold(&file).map_err(BackupError::at(partial))?;
    Ok(file)
}

fn manifest_of(contents: &Contents<'_>) -> Result<Manifest, BackupError> {
    let mut database = File::open(contents.database).map_err(BackupError::at(contents.database))?;
    let (size, sha256) =
        copy(&mut database, &mut io::sink()).map_err(|broken| broken.between(contents.database, contents.database))?;
    let mut files = vec![FileEntry {
        name: DATABASE.to_owned(),
        size,
        sha256,
    }];
    for (name, text) in contents.keys.map(key_files).into_iter().flatten() {
        files.push(FileEntry {
            name: name.to_owned(),
            size: u64::try_from(text.len()).unwrap_or(u64::MAX),
            sha256: hex::encode(Sha256::digest(text)),
        });
    }
    Ok(Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        network: contents.network.as_str().to_owned(),
        taken_at: contents.now.0,
        files,
    })
}

fn key_files(keys: &Keys) -> [(&'static str, &str); 2] {
    [(SECRET_KEY, &keys.secret), (SEAL_KEYS, &keys.seals)]
}

fn write(file: &File, contents: &Contents<'_>, manifest: &Manifest) -> io::Result<()> {
    let out = BufWriter::new(file);
    let out = match contents.passphrase {
        Some(passphrase) => append(Sealing::new(out, passphrase, contents.salt)?, contents, manifest)?.finish()?,
        None => append(out, contents, manifest)?,
    };
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

fn append<W: Write>(out: W, contents: &Contents<'_>, manifest: &Manifest) -> io::Result<W> {
    let seconds = contents.now.as_secs().unsigned_abs();
    let mut archive = tar::Builder::new(out);
    let mut add = |name: &str, size: u64, from: &mut dyn Read| {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(seconds);
        archive.append_data(&mut header, name, from)
    };
    let text = serde_json::to_vec_pretty(manifest)?;
    add(MANIFEST, u64::try_from(text.len()).unwrap_or(u64::MAX), &mut &text[..])?;
    let size = manifest.files.first().map_or(0, |entry| entry.size);
    add(DATABASE, size, &mut File::open(contents.database)?.take(size))?;
    for (name, text) in contents.keys.map(key_files).into_iter().flatten() {
        add(
            name,
            u64::try_from(text.len()).unwrap_or(u64::MAX),
            &mut text.as_bytes(),
        )?;
    }
    archive.into_inner()
}

/// Reads a backup into `folder`, which must be empty and ours.
///
/// # Errors
/// [`BackupError`].
pub(super) fn unpack(from: &Path, folder: &Path, passphrase: Option<&str>) -> Result<Unpacked, BackupError> {
    let mut file = BufReader::new(File::open(from).map_err(BackupError::at(from))?);
    let mut head = [0; MAGIC.len()];
    let has_head = file.read_exact(&mut head).is_ok();
    let is_sealed = has_head && head == *MAGIC;
    // Whoever gives a passphrase relies on the seal, which anybody could leave out.
    if passphrase.is_some() && !is_sealed {
        return Err(BackupError::NotSealed(from.display().to_string()));
    }
    if has_head && head.starts_with(DATABASE_MAGIC) {
        return copy_database(from, folder);
    }
    match (is_sealed, passphrase) {
        (true, Some(passphrase)) => {
            let opening = Opening::new(file, passphrase)?;
            let unpacked = read(opening, from, folder).map_err(|error| match error {
                // A wrong passphrase shows at the first byte, a changed file somewhere behind it; either way it is the seal that says so.
                BackupError::File { cause, .. } if cause.kind() == io::ErrorKind::InvalidData => {
                    BackupError::DoesNotOpen
                }
                error => error,
            })?;
            Ok(Unpacked { is_sealed, ..unpacked })
        }
        (true, None) => Err(BackupError::PassphraseWanted),
        (false, _) => {
            let file = File::open(from).map_err(BackupError::at(from))?;
            read(BufReader::new(file), from, folder).map_err(|error| match error {
                BackupError::File { cause, .. } if cause.kind() == io::ErrorKind::InvalidData => {
                    BackupError::Damaged(from.display().to_string(), NO_ARCHIVE.to_owned())
                }
                error => error,
            })
        }
    }
}

/// Takes a bare database file, as a replicator gives it back.
fn copy_database(from: &Path, folder: &Path) -> Result<Unpacked, BackupError> {
    let log = with_ending(from, "-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        // Half of it may stand in that log, and somebody may be writing to it.
        return Err(BackupError::Damaged(
            from.display().to_string(),
            format!(
                "it is a database that is in use, or was not closed: {} is next to it",
                log.display()
            ),
        ));
    }
    let database = folder.join(DATABASE);
    let mut file = File::open(from).map_err(BackupError::at(from))?;
    let mut to = private_file(&database).map_err(BackupError::at(&database))?;
    copy(&mut file, &mut to).map_err(|broken| broken.between(from, &database))?;
    to.sync_all().map_err(BackupError::at(&database))?;
    Ok(Unpacked {
        manifest: None,
        database,
        keys: None,
        is_sealed: false,
    })
}

fn read<R: Read>(archive: R, from: &Path, folder: &Path) -> Result<Unpacked, BackupError> {
    let damaged = |why: &str| BackupError::Damaged(from.display().to_string(), why.to_owned());
    let mut archive = tar::Archive::new(archive);
    // As they stand there: what we write has no long names and no extensions, and a length that one of those promises is of bytes
    // that nobody has sent.
    let mut entries = archive.entries().map_err(BackupError::at(from))?.raw(true);
    let first = entries
        .next()
        .ok_or_else(|| damaged("it is empty"))?
        .map_err(|error| unreadable(from, error))?;
    let manifest = read_manifest(first, from)?;
    let mut keys = (None, None);
    let database = folder.join(DATABASE);
    let mut names: Vec<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(damaged("its manifest names a file twice"));
    }
    for entry in &manifest.files {
        let mut file = entries
            .next()
            .ok_or_else(|| damaged("it ends before its last file"))?
            .map_err(|error| unreadable(from, error))?;
        // A sparse file is a few bytes that unpack to any number of them, a link is none at all.
        let is_plain = file.header().entry_type().is_file();
        if !is_plain || file.path_bytes() != entry.name.as_bytes() || file.size() != entry.size {
            return Err(damaged("its files are not those of its manifest"));
        }
        let (size, sha256) = match entry.name.as_str() {
            DATABASE => {
                let mut to = private_file(&database).map_err(BackupError::at(&database))?;
                let copied = copy(&mut file, &mut to).map_err(|broken| broken.between(from, &database))?;
                to.sync_all().map_err(BackupError::at(&database))?;
                copied
            }
            name @ (SECRET_KEY | SEAL_KEYS) => {
                let mut text = Vec::new();
                let copied = copy(&mut file.by_ref().take(LONGEST_TEXT), &mut text)
                    .map_err(|broken| broken.between(from, from))?;
                let text = String::from_utf8(text).map_err(|_| damaged("a key file is no text"))?;
                let kept = if name == SECRET_KEY { &mut keys.0 } else { &mut keys.1 };
                *kept = Some(text);
                copied
            }
            _ => return Err(damaged("it holds a file that does not belong in it")),
        };
        if size != entry.size || sha256 != entry.sha256 {
            return Err(damaged(&format!("{} was changed or cut off", entry.name)));
        }
    }
    if !database.is_file() {
        return Err(damaged("it holds no database"));
    }
    Ok(Unpacked {
        manifest: Some(manifest),
        database,
        keys: keys.0.zip(keys.1).map(|(secret, seals)| Keys { secret, seals }),
        is_sealed: false,
    })
}

fn read_manifest<R: Read>(mut entry: tar::Entry<'_, R>, from: &Path) -> Result<Manifest, BackupError> {
    /// Enough to know whether the rest can be read.
    #[derive(serde::Deserialize)]
    struct Shape {
        format: u32,
    }
    let damaged = |why: &str| BackupError::Damaged(from.display().to_string(), why.to_owned());
    let is_manifest = entry.header().entry_type().is_file() && entry.path_bytes() == MANIFEST.as_bytes();
    if !is_manifest || entry.size() > LONGEST_TEXT {
        return Err(damaged("it does not begin with a manifest"));
    }
    let mut text = Vec::new();
    entry.read_to_end(&mut text).map_err(|error| unreadable(from, error))?;
    let shape: Shape = serde_json::from_slice(&text).map_err(|_| damaged("its manifest cannot be read"))?;
    if shape.format > FORMAT {
        return Err(BackupError::Newer(shape.format));
    }
    serde_json::from_slice(&text).map_err(|_| damaged("its manifest cannot be read"))
}

/// What is said of a file whose bytes make no sense.
const NO_ARCHIVE: &str = "it is no archive that `bitpro backup` wrote, or its bytes were changed";

/// `tar` reports what is no archive as an error of the file system; a seal that does not open has a kind of its own and keeps it. The
/// text of the error is not passed on: it quotes the file, which may hold anything, such as commands to the terminal.
fn unreadable(from: &Path, error: io::Error) -> BackupError {
    let why = match error.kind() {
        io::ErrorKind::InvalidData => return BackupError::at(from)(io::ErrorKind::InvalidData.into()),
        _ if error.raw_os_error().is_some() => return BackupError::at(from)(error),
        io::ErrorKind::UnexpectedEof => "it was cut off",
        _ => NO_ARCHIVE,
    };
    BackupError::Damaged(from.display().to_string(), why.to_owned())
}

/// Which side of a copy failed: a full disk says nothing about the file that is read.
pub(super) enum Broken {
    Reading(io::Error),
    Writing(io::Error),
}

impl Broken {
    pub(super) fn between(self, from: &Path, to: &Path) -> BackupError {
        match self {
            Self::Reading(error) => unreadable(from, error),
            Self::Writing(error) => BackupError::at(to)(error),
        }
    }
}

/// Copies everything, and says how much it was and what it hashes to.
pub(super) fn copy(from: &mut dyn Read, to: &mut dyn Write) -> Result<(u64, String), Broken> {
    let mut hash = Sha256::new();
    let mut size = 0_u64;
    let mut piece = vec![0; PIECE];
    loop {
        let read = match from.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(Broken::Reading)?,
        };
        if read == 0 {
            return Ok((size, hex::encode(hash.finalize())));
        }
        hash.update(&piece[..read]);
        to.write_all(&piece[..read]).map_err(Broken::Writing)?;
        size += u64::try_from(read).unwrap_or(u64::MAX);
    }
}

/// A new file for our own eyes.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// `path` with something at its end.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Makes a rename in the folder of `path` durable.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}
