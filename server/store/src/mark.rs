//! The issuance mark: the highest index given out of each descriptor, in a file beside the database and in no backup of it
//! (R28). A restored database that is behind it jumps past, so that no address is ever given out twice. Beside them stands the number of
//! the last event that was told: a database that does not have it is from an earlier time, though no address was given out since (R31).
//!
//! The file is a row of slots of 64 bytes. A descriptor has two, written in turn, so that a torn write leaves the other.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use bitpro_base::private;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use crate::StoreError;

const SLOT: usize = 64;
/// The file grows by this much, so that a raise never changes its length and a sync needs no journal of the file system.
const BLOCK: usize = 4_096;
const HEADER: &[u8] = b"bitpro issuance mark 1\n";

/// The name of a descriptor.
type Key = [u8; 16];

/// The slot of the last event that was told, which is no descriptor's.
const TOLD: Key = *b"last event told\0";

/// The slot that says that the charges of the database were proved, which is no descriptor's.
const PROOFS: Key = *b"charges proved\0\0";

/// Whether a key is a descriptor's.
fn is_descriptor(key: &Key) -> bool {
    ![TOLD, PROOFS].contains(key)
}

/// Why the mark cannot be opened.
#[derive(Debug)]
pub(crate) enum MarkError {
    /// Another process holds it.
    InUse,
    /// It cannot be read or written, or is not one of ours.
    Failed(io::Error),
}

impl From<io::Error> for MarkError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The open mark. This process holds it alone.
pub(crate) struct IssuanceMark {
    path: PathBuf,
    file: Arc<Mutex<MarkFile>>,
    /// The last event that was noted.
    noted: AtomicU32,
    raises: Option<mpsc::Sender<Raise>>,
    thread: Option<JoinHandle<()>>,
}

struct Raise {
    marks: Vec<(Key, u32)>,
    /// Who waits for the disk; nobody, where the file system may write it when it likes.
    done: Option<oneshot::Sender<Result<(), StoreError>>>,
}

struct MarkFile {
    file: File,
    slots: HashMap<Key, Slot>,
    length: usize,
}

/// Where a descriptor's next write goes.
#[derive(Clone, Copy)]
struct Slot {
    /// Of its first slot; the second follows.
    offset: usize,
    highest: u32,
    /// What the one before the last write said, which the other slot holds.
    former: Option<u32>,
    writes: u64,
}

impl IssuanceMark {
    /// Opens the mark at `path` and takes hold of it. A file that is not there, or empty, is a missing mark.
    ///
    /// # Errors
    /// [`MarkError`].
    pub fn open(path: &Path) -> Result<Self, MarkError> {
        private::tighten(path);
        let mut file = private::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        private::hold_alone(&file).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => MarkError::InUse,
            _ => error.into(),
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let slots = read(&bytes)?;
        let noted = AtomicU32::new(slots.get(&TOLD).map_or(0, |slot| slot.highest));
        let file = Arc::new(Mutex::new(MarkFile {
            file,
            slots,
            length: bytes.len(),
        }));
        let (raises, taken) = mpsc::channel();
        let writing = Arc::clone(&file);
        let thread = std::thread::Builder::new()
            .name("issuance-mark".to_owned())
            .spawn(move || write_each(&writing, &taken))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            noted,
            raises: Some(raises),
            thread: Some(thread),
        })
    }

    /// Makes the file where it was missing, durably.
    ///
    /// # Errors
    /// The file system's.
    pub fn create(&self) -> Result<(), MarkError> {
        let mut file = self.file.lock();
        if file.length > 0 {
            return Ok(());
        }
        file.grow()?;
        file.write_at(0, HEADER)?;
        file.file.sync_all()?;
        // It may be on another disk, by a link.
        let path = self.path.canonicalize()?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Whether there was no mark when it was opened, and none was made since.
    pub fn is_missing(&self) -> bool {
        self.file.lock().length == 0
    }

    /// The descriptors of which addresses were given out.
    pub fn keys(&self) -> Vec<[u8; 16]> {
        let file = self.file.lock();
        file.slots.keys().copied().filter(is_descriptor).collect()
    }

    /// The highest index of a descriptor that was given out; `None` when the mark does not know.
    pub fn highest(&self, key: Key) -> Option<u32> {
        self.file.lock().slots.get(&key).map(|slot| slot.highest)
    }

    /// What the mark said of a descriptor before it was raised the last time. A raise and its commit go side by side, so a death between
    /// them leaves a database that stands here; one that is further behind is from an earlier time.
    pub fn former(&self, key: Key) -> Option<u32> {
        self.file.lock().slots.get(&key).and_then(|slot| slot.former)
    }

    /// The number of the last event that is known to have been told.
    pub fn told(&self) -> Option<i64> {
        self.highest(TOLD).map(i64::from)
    }

    /// Notes that the events up to `num` are committed. It survives the death of the process; nobody waits for the disk, so that the
    /// last seconds before a loss of power may be missing.
    pub fn note_told(&self, num: i64) {
        // A number beyond would be noted as the last one that fits: it is behind then, which only misses something.
        let num = u32::try_from(num).unwrap_or(u32::MAX);
        if num > self.noted.fetch_max(num, Ordering::Relaxed)
            && let Some(raises) = &self.raises
        {
            let _ = raises.send(Raise {
                marks: vec![(TOLD, num)],
                done: None,
            });
        }
    }

    /// Notes that the charges of the database are proved. It is there before anything is answered: a database without the proofs is from
    /// an earlier time then, or another hand took them away.
    pub async fn note_proofs(&self) -> Result<(), StoreError> {
        if self.highest(PROOFS).is_some() {
            return Ok(());
        }
        self.raise(vec![(PROOFS, 1)]).await
    }

    /// Begins to write and sync the highest indices given out; awaiting the answer waits for the disk. Lower ones than
    /// before change nothing.
    pub fn raise(&self, marks: Vec<(Key, u32)>) -> impl Future<Output = Result<(), StoreError>> + use<> {
        let (done, raised) = oneshot::channel();
        let sent = self.raises.as_ref().map(|raises| {
            raises.send(Raise {
                marks,
                done: Some(done),
            })
        });
        async move {
            if !matches!(sent, Some(Ok(()))) {
                return Err(StoreError::Closed);
            }
            raised.await.map_err(|_| StoreError::Closed)?
        }
    }
}

/// Whether the mark at `path` says that the charges of its database were proved. Nobody needs to hold it.
pub(crate) fn knows_of_proofs(path: &Path) -> bool {
    let slots = std::fs::read(path).ok().and_then(|bytes| read(&bytes).ok());
    slots.is_some_and(|slots| slots.contains_key(&PROOFS))
}

/// The highest indices that the mark at `path` knows, without taking hold of it: whoever writes it goes on. A file that is not
/// there knows none.
///
/// # Errors
/// The file system's, and a file that is none of ours.
pub fn look(path: &Path) -> io::Result<HashMap<[u8; 16], u32>> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    match read(&bytes) {
        Ok(slots) => Ok(slots
            .into_iter()
            .filter(|(key, _)| is_descriptor(key))
            .map(|(key, slot)| (key, slot.highest))
            .collect()),
        Err(MarkError::Failed(error)) => Err(error),
        Err(MarkError::InUse) => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl Drop for IssuanceMark {
    /// Lets go of the file before the next process, or the next test, asks for it.
    fn drop(&mut self) {
        self.raises = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_each(file: &Mutex<MarkFile>, raises: &mpsc::Receiver<Raise>) {
    while let Ok(Raise { marks, done }) = raises.recv() {
        let raised = file.lock().raise(&marks, done.is_some());
        let raised = raised.map_err(|error| StoreError::SyncFailed(format!("issuance mark: {error}")));
        match (done, raised) {
            // Whoever asked may be gone; what was written stands all the same.
            (Some(done), raised) => drop(done.send(raised)),
            (None, Err(error)) => tracing::warn!(%error, "the last event was not noted"),
            (None, Ok(())) => {}
        }
    }
}

impl MarkFile {
    fn raise(&mut self, marks: &[(Key, u32)], is_awaited: bool) -> io::Result<()> {
        let mut has_written = false;
        for &(key, index) in marks {
            let slot = match self.slots.get(&key) {
                Some(slot) if slot.highest >= index => continue,
                Some(slot) => *slot,
                None => self.new_slot()?,
            };
            let raised = Slot {
                highest: index,
                former: (slot.writes > 0).then_some(slot.highest),
                writes: slot.writes + 1,
                ..slot
            };
            let turn = if raised.writes.is_multiple_of(2) { 0 } else { SLOT };
            self.write_at(slot.offset + turn, &encode(key, &raised))?;
            self.slots.insert(key, raised);
            has_written = true;
        }
        if has_written && is_awaited {
            self.file.sync_data()?;
        }
        Ok(())
    }

    fn new_slot(&mut self) -> io::Result<Slot> {
        let last = self.slots.values().map(|slot| slot.offset).max();
        let offset = last.map_or(SLOT, |last| last + 2 * SLOT);
        while self.length < offset + 2 * SLOT {
            self.grow()?;
            self.file.sync_all()?;
        }
        Ok(Slot {
            offset,
            highest: 0,
            former: None,
            writes: 0,
        })
    }

    fn grow(&mut self) -> io::Result<()> {
        self.write_at(self.length, &[0; BLOCK])?;
        self.length += BLOCK;
        Ok(())
    }

    fn write_at(&mut self, offset: usize, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset as u64))?;
        self.file.write_all(bytes)
    }
}

fn encode(key: Key, slot: &Slot) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..16].copy_from_slice(&key);
    bytes[16..20].copy_from_slice(&slot.highest.to_be_bytes());
    bytes[20..28].copy_from_slice(&slot.writes.to_be_bytes());
    let check = Sha256::digest(&bytes[..28]);
    bytes[28..36].copy_from_slice(&check[..8]);
    bytes
}

/// The slots in a file. A torn one is passed over: its pair holds what was answered last.
fn read(bytes: &[u8]) -> Result<HashMap<Key, Slot>, MarkError> {
    let mut slots: HashMap<Key, Slot> = HashMap::new();
    if bytes.is_empty() {
        return Ok(slots);
    }
    if !bytes.starts_with(HEADER) {
        let error = io::Error::new(io::ErrorKind::InvalidData, "this is not an issuance mark");
        return Err(error.into());
    }
    let pairs = bytes[SLOT..].chunks_exact(2 * SLOT);
    for (pair, offset) in pairs.zip((SLOT..).step_by(2 * SLOT)) {
        for slot in pair.chunks_exact(SLOT) {
            let Some((key, highest, writes)) = decode(slot) else {
                continue;
            };
            let Some(known) = slots.get_mut(&key) else {
                let alone = Slot {
                    offset,
                    highest,
                    former: None,
                    writes,
                };
                slots.insert(key, alone);
                continue;
            };
            known.former = Some(known.highest.min(highest));
            known.highest = known.highest.max(highest);
            known.writes = known.writes.max(writes);
        }
    }
    Ok(slots)
}

fn decode(slot: &[u8]) -> Option<(Key, u32, u64)> {
    let key: Key = slot.get(..16)?.try_into().ok()?;
    let highest = u32::from_be_bytes(slot.get(16..20)?.try_into().ok()?);
    let writes = u64::from_be_bytes(slot.get(20..28)?.try_into().ok()?);
    let check = Sha256::digest(slot.get(..28)?);
    (writes > 0 && slot.get(28..36)? == &check[..8]).then_some((key, highest, writes))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn raise(mark: &IssuanceMark, key: Key, index: u32) {
        mark.raise(vec![(key, index)]).await.unwrap();
    }

    #[tokio::test]
    async fn r28_the_mark_knows_what_it_said_before_its_last_raise() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mark");
        let mark = IssuanceMark::open(&path).unwrap();
        mark.create().unwrap();
        raise(&mark, [1; 16], 5).await;
        assert_eq!(mark.former([1; 16]), None, "it was raised once");
        raise(&mark, [1; 16], 9).await;
        raise(&mark, [1; 16], 12).await;
        assert_eq!(mark.former([1; 16]), Some(9));
        drop(mark);
        let mark = IssuanceMark::open(&path).unwrap();
        assert_eq!((mark.former([1; 16]), mark.highest([1; 16])), (Some(9), Some(12)));
    }

    #[test]
    fn r31_the_last_event_is_noted_beside_the_descriptors_and_is_none_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mark");
        let mark = IssuanceMark::open(&path).unwrap();
        mark.create().unwrap();
        assert_eq!(mark.told(), None);
        for num in [7, 9, 8] {
            mark.note_told(num);
        }
        drop(mark);
        let mark = IssuanceMark::open(&path).unwrap();
        assert_eq!(mark.told(), Some(9));
        assert!(mark.keys().is_empty() && look(&path).unwrap().is_empty());
        mark.note_told(i64::MAX);
        drop(mark);
        let mark = IssuanceMark::open(&path).unwrap();
        assert_eq!(mark.told(), Some(i64::from(u32::MAX)));
    }

    #[tokio::test]
    async fn r28_the_mark_is_found_again_and_only_rises() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mark");
        {
            let mark = IssuanceMark::open(&path).unwrap();
            mark.create().unwrap();
            assert_eq!(mark.highest([1; 16]), None);
            for (key, index) in [(1, 0), (2, 7), (1, 5), (1, 3)] {
                raise(&mark, [key; 16], index).await;
            }
        }
        let mark = IssuanceMark::open(&path).unwrap();
        assert_eq!(mark.highest([1; 16]), Some(5));
        assert_eq!(mark.highest([2; 16]), Some(7));
    }

    #[tokio::test]
    async fn r28_a_torn_write_leaves_the_answer_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mark");
        let last_write = {
            let mark = IssuanceMark::open(&path).unwrap();
            mark.create().unwrap();
            raise(&mark, [1; 16], 41).await;
            raise(&mark, [1; 16], 42).await;
            mark.file.lock().slots[&[1; 16]].offset
        };
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[last_write + 18] ^= 0xff;
        std::fs::write(&path, bytes).unwrap();
        let mark = IssuanceMark::open(&path).unwrap();
        assert_eq!(mark.highest([1; 16]), Some(41));
    }

    #[tokio::test]
    async fn r28_more_descriptors_than_one_block_holds_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mark");
        {
            let mark = IssuanceMark::open(&path).unwrap();
            mark.create().unwrap();
            let marks = (0..100_u8).map(|n| ([n; 16], u32::from(n))).collect();
            mark.raise(marks).await.unwrap();
        }
        let mark = IssuanceMark::open(&path).unwrap();
        assert_eq!(mark.highest([99; 16]), Some(99));
        raise(&mark, [50; 16], 1_000).await;
        assert_eq!(mark.highest([50; 16]), Some(1_000));
    }

    #[test]
    fn r28_two_processes_cannot_hold_the_mark() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mark");
        let _held = IssuanceMark::open(&path).unwrap();
        assert!(matches!(IssuanceMark::open(&path), Err(MarkError::InUse)));
        std::fs::write(folder.path().join("other"), "hello").unwrap();
        assert!(matches!(
            IssuanceMark::open(&folder.path().join("other")),
            Err(MarkError::Failed(_))
        ));
    }
}
