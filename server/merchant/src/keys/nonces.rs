//! Nonces that were used: in memory for the look-up, and in a journal beside the database, so that a request cannot be
//! replayed after a restart either (R33).
//!
//! A record is appended without a sync: it survives the death of the process, but not of the machine. For that, the journal's
//! head holds a *ceiling*, which is synced: no request with a later timestamp was admitted without a sync of its own. After
//! a boot without an orderly end before it, timestamps up to the ceiling are refused.
//!
//! Timestamps are those of other clocks, and they are kept beside the reading of ours that they were judged by. How long a nonce is
//! remembered goes by the monotonic clock: our time may leap, and what leaps would be forgotten while it can still be sent again.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bitpro_base::clock::Moment;
use bitpro_base::private;
use bitpro_charge::Timestamp;
use parking_lot::Mutex;

/// How long a nonce is remembered, in milliseconds.
const KEPT_MS: i64 = super::NONCE_SECS as i64 * 1_000;
/// A timestamp further ahead than this is synced by itself, so that a client whose clock is fast does not raise the ceiling.
const USUAL_AHEAD_MS: i64 = 60_000;
/// A floor further ahead of the machine's clock than this was written by a clock that was wrong: a ceiling is never so far beyond a right one.
const MOST_AHEAD_MS: i64 = 2 * (USUAL_AHEAD_MS + STEP_MS);
/// How far the ceiling goes beyond what is needed now: it is raised that seldom.
const STEP_MS: i64 = 60_000;

const MAGIC: [u8; 8] = *b"BPNONCE1";
/// Magic, boot, whether it was closed in order, ceiling, floor.
const HEAD: usize = 8 + 16 + 8 + 8 + 8;
/// Key, nonce, time of receipt: the reading that the request was judged by.
const RECORD: usize = 8 + 16 + 8;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceError {
    /// The key has used this nonce before.
    Replayed,
    /// The machine stopped without warning and may have forgotten nonces of that time; later timestamps are fine.
    Forgotten {
        /// The last timestamp that is refused, in milliseconds.
        until: Timestamp,
    },
    /// The journal cannot be written, so nothing can be promised.
    NotKept,
}

/// The journal cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the journal of nonces {path}: {cause}")]
pub struct NoncesError {
    path: String,
    cause: io::Error,
}

/// The used nonces. A cheap handle.
#[derive(Clone)]
pub struct Nonces(Arc<Shared>);

struct Shared {
    /// In milliseconds.
    ceiling: AtomicI64,
    floor: i64,
    /// When the journal was opened, on the monotonic clock in milliseconds.
    opened: i64,
    seen: Mutex<Seen>,
    journal: Mutex<Journal>,
}

type Entry = (i64, [u8; 16]);
/// An entry with its time of receipt in milliseconds.
type Record = (i64, Entry);

#[derive(Default)]
struct Seen {
    entries: HashSet<Entry>,
    /// By age: since when on the monotonic clock, and the reading at the receipt.
    by_age: VecDeque<(i64, Record)>,
}

struct Journal {
    path: PathBuf,
    file: File,
    head: Head,
    /// When the next file is begun, on the monotonic clock in milliseconds.
    turns_at: i64,
}

#[derive(Clone, Copy)]
struct Head {
    boot: [u8; 16],
    is_closed: bool,
    ceiling: i64,
    floor: i64,
}

impl Nonces {
    /// Opens the journal beside `database`. `known` are nonces that stand in the database: key, nonce, time of receipt.
    /// `may_miss` says whether keys were in use before, so that a missing journal means forgotten nonces.
    ///
    /// # Errors
    /// [`NoncesError`].
    pub fn open(
        database: &Path,
        known: impl IntoIterator<Item = (i64, [u8; 16], Timestamp)>,
        may_miss: bool,
        now: Moment,
    ) -> Result<Self, NoncesError> {
        let mut name = database.as_os_str().to_owned();
        name.push(".nonces");
        let path = PathBuf::from(name);
        Self::open_at(&path, known, may_miss, now, boot()).map_err(|cause| NoncesError {
            path: path.display().to_string(),
            cause,
        })
    }

    fn open_at(
        path: &Path,
        known: impl IntoIterator<Item = (i64, [u8; 16], Timestamp)>,
        may_miss: bool,
        now: Moment,
        boot: Option<[u8; 16]>,
    ) -> io::Result<Self> {
        private::tighten(path);
        private::tighten(&before(path));
        let started = running(now);
        let (kept, mut records) = read(path)?;
        if let Some((_, before)) = read(&before(path)).ok().filter(|(head, _)| head.is_some()) {
            records.extend(before);
        }
        let floor = match kept {
            Some(head) if head.is_closed || boot == Some(head.boot) => head.floor,
            Some(head) => head.floor.max(head.ceiling),
            None if may_miss => now.now.0,
            None => 0,
        };
        records.extend(known.into_iter().map(|(key, nonce, at)| (at.0, (key, nonce))));
        records.sort_unstable();
        let mut seen = Seen::default();
        for (at, entry) in records.into_iter().filter(|(at, _)| at + KEPT_MS > now.outside.0) {
            if seen.entries.insert(entry) {
                // It may be older than this process, but not by which clock.
                seen.by_age.push_back((started, (at, entry)));
            }
        }
        let head = Head {
            boot: boot.unwrap_or_default(),
            is_closed: false,
            ceiling: kept.map_or(0, |head| head.ceiling),
            floor,
        };
        let file = private::options().create(true).truncate(false).write(true).open(path)?;
        head.write(&file)?;
        let end = file.metadata()?.len();
        // A record that was cut off by the end of the process would shift all that follow.
        let whole = HEAD as u64 + (end - HEAD as u64) / RECORD as u64 * RECORD as u64;
        file.set_len(whole)?;
        file.sync_all()?;
        let journal = Journal {
            file: OpenOptions::new().append(true).open(path)?,
            path: path.to_owned(),
            head,
            turns_at: started + KEPT_MS,
        };
        Ok(Self(Arc::new(Shared {
            ceiling: AtomicI64::new(head.ceiling),
            floor,
            opened: started,
            seen: Mutex::new(seen),
            journal: Mutex::new(journal),
        })))
    }

    /// Takes the nonce of a request whose signature is right; `signed_at` is its timestamp. Only the first one who takes
    /// it gets it.
    ///
    /// # Errors
    /// [`NonceError`].
    pub async fn take(&self, key: i64, nonce: [u8; 16], signed_at: Timestamp, now: Moment) -> Result<(), NonceError> {
        let (at, age) = (now.closest(signed_at), running(now));
        if let Some(until) = self.0.floor(now).filter(|until| signed_at <= *until) {
            return Err(NonceError::Forgotten { until });
        }
        if !self.0.seen.lock().insert((at.0, (key, nonce)), now) {
            return Err(NonceError::Replayed);
        }
        let is_far_ahead = signed_at.0 > at.0 + USUAL_AHEAD_MS;
        let needs_raise = at.0 + USUAL_AHEAD_MS > self.0.ceiling.load(Ordering::Acquire);
        let mut record = [0; RECORD];
        record[..8].copy_from_slice(&key.to_le_bytes());
        record[8..24].copy_from_slice(&nonce);
        record[24..].copy_from_slice(&at.0.to_le_bytes());
        let kept = if is_far_ahead || needs_raise {
            let shared = Arc::clone(&self.0);
            let work = move || shared.keep_synced(&record, at.0, age, is_far_ahead);
            tokio::task::spawn_blocking(work)
                .await
                .unwrap_or_else(|error| Err(io::Error::other(error)))
        } else {
            self.0.journal.lock().append(&record, age)
        };
        kept.map_err(|error| {
            tracing::error!(%error, "cannot store a nonce: the request is refused");
            NonceError::NotKept
        })
    }

    /// Ends the journal in order: everything in it is synced, and the next start need not doubt it.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn close(&self) -> io::Result<()> {
        let mut journal = self.0.journal.lock();
        journal.file.sync_all()?;
        journal.head.is_closed = true;
        journal.write_head()
    }
}

impl Shared {
    /// Up to which timestamp nonces may have been forgotten, if any such can still be sent again.
    ///
    /// The floor is a reading of a clock that may have been wrong, such as of a new machine before it was set. It does not keep everybody
    /// out until time gets there: what was signed before this process began is refused, and nothing more.
    fn floor(&self, now: Moment) -> Option<Timestamp> {
        let age = running(now) - self.opened;
        if age > KEPT_MS {
            // Whatever was signed before is too old by now.
            return None;
        }
        if self.floor > now.outside.0 + MOST_AHEAD_MS {
            return Some(Timestamp(now.outside.0 - age));
        }
        Some(Timestamp(self.floor))
    }

    /// Appends, and raises the ceiling when it is near; syncs what is far ahead.
    fn keep_synced(&self, record: &[u8; RECORD], at: i64, age: i64, is_far_ahead: bool) -> io::Result<()> {
        let mut journal = self.journal.lock();
        journal.append(record, age)?;
        if at + USUAL_AHEAD_MS > self.ceiling.load(Ordering::Acquire) {
            journal.head.ceiling = at + USUAL_AHEAD_MS + STEP_MS;
            // The head's sync is the file's, and so the record's too.
            journal.write_head()?;
            self.ceiling.store(journal.head.ceiling, Ordering::Release);
            return Ok(());
        }
        // Whoever waited here while another raised the ceiling needs no sync of its own.
        if is_far_ahead { journal.file.sync_data() } else { Ok(()) }
    }
}

impl Seen {
    fn insert(&mut self, record: Record, now: Moment) -> bool {
        let age = running(now);
        // Those that are put back are as young as the new ones, so that this ends.
        while let Some(&(since, old)) = self.by_age.front()
            && since + KEPT_MS <= age
        {
            self.by_age.pop_front();
            // One that was judged by a clock ahead would be fresh again once the machine's clock gets there.
            if old.0 + KEPT_MS > now.outside.0 {
                self.by_age.push_back((age, old));
            } else {
                self.entries.remove(&old.1);
            }
        }
        let is_new = self.entries.insert(record.1);
        if is_new {
            self.by_age.push_back((age, record));
        }
        is_new
    }
}

impl Journal {
    fn append(&mut self, record: &[u8; RECORD], age: i64) -> io::Result<()> {
        if age >= self.turns_at {
            self.turn(age)?;
        }
        self.file.write_all(record)
    }

    /// Begins a new file. What the one before the last holds is forgotten by then.
    fn turn(&mut self, age: i64) -> io::Result<()> {
        fs::rename(&self.path, before(&self.path))?;
        let file = private::options().create_new(true).write(true).open(&self.path)?;
        self.head.write(&file)?;
        file.sync_all()?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        self.turns_at = age + KEPT_MS;
        Ok(())
    }

    fn write_head(&self) -> io::Result<()> {
        // Not through the appending handle: on Linux that one appends wherever it is told to write.
        let file = OpenOptions::new().write(true).open(&self.path)?;
        self.head.write(&file)?;
        file.sync_data()
    }
}

impl Head {
    fn write(&self, file: &File) -> io::Result<()> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.boot);
        bytes.extend_from_slice(&u64::from(self.is_closed).to_le_bytes());
        bytes.extend_from_slice(&self.ceiling.to_le_bytes());
        bytes.extend_from_slice(&self.floor.to_le_bytes());
        file.write_all_at(&bytes, 0)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let number = |at: usize| Some(i64::from_le_bytes(rest.get(at..at + 8)?.try_into().ok()?));
        Some(Self {
            boot: rest.get(..16)?.try_into().ok()?,
            is_closed: number(16)? != 0,
            ceiling: number(24)?,
            floor: number(32)?,
        })
    }
}

/// Head and records of a journal; no head when there is none, or an empty one.
fn read(path: &Path) -> io::Result<(Option<Head>, Vec<Record>)> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(mut file) => file.read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((None, Vec::new())),
        Err(error) => return Err(error),
    };
    if bytes.is_empty() {
        return Ok((None, Vec::new()));
    }
    let head = Head::read(&bytes).ok_or_else(|| io::Error::other("it is not a journal of nonces"))?;
    let records = bytes[HEAD..].chunks_exact(RECORD).map(|record| {
        let number = |bytes: &[u8]| i64::from_le_bytes(bytes.try_into().expect("eight bytes were cut"));
        let nonce = record[8..24].try_into().expect("sixteen bytes were cut");
        (number(&record[24..]), (number(&record[..8]), nonce))
    });
    Ok((Some(head), records.collect()))
}

/// The monotonic clock in milliseconds.
fn running(now: Moment) -> i64 {
    i64::try_from(now.running.as_millis()).unwrap_or(i64::MAX)
}

fn before(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".before");
    PathBuf::from(name)
}

/// What the system calls this run of the machine; `None` where it has no name, and then only an orderly end is trusted.
fn boot() -> Option<[u8; 16]> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    text.trim().parse().ok().map(|bitpro_charge::ChargeId(id)| id)
}

#[cfg(test)]
mod tests;
