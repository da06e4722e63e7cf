//! Sealing an archive with a passphrase: Argon2id (RFC 9106) makes the key, XChaCha20-Poly1305 in libsodium's `secretstream`
//! construction seals the chunks, so that a chunk that is missing, doubled, moved or cut off at the end is noticed.

use std::io::{self, Read, Write};

use argon2::{Algorithm, Argon2, Params, Version};
use orion::aead::SecretKey;
use orion::aead::streaming::{ABYTES, Nonce, StreamOpener, StreamSealer, StreamTag};

use super::BackupError;

/// The first bytes of a sealed backup.
pub(super) const MAGIC: &[u8] = b"bitpro sealed backup 1\n";
/// Fewer characters could be tried out by whoever has the file.
pub(super) const LEAST_PASSPHRASE: usize = 12;
/// Plain bytes of a chunk: the memory that reading an archive of any size takes.
const CHUNK: usize = 64 * 1024;
const SALT: usize = 16;
const NONCE: usize = 24;
/// RFC 9106, section 4, second recommendation: 64 MiB, three passes, four lanes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

fn key(passphrase: &str, salt: &[u8; SALT]) -> SecretKey {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).expect("the RFC's parameters are within the bounds");
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut key)
        .expect("a salt of 16 bytes and a key of 32 are within the bounds");
    SecretKey::from_slice(&key).expect("32 bytes are a key")
}

/// Seals what is written to it. [`Sealing::finish`] writes the mark of the end, without which nothing opens.
pub(super) struct Sealing<W: Write> {
    out: W,
    sealer: StreamSealer,
    chunk: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    /// Begins with the head.
    ///
    /// # Errors
    /// The writer's.
    pub(super) fn new(mut out: W, passphrase: &str, salt: [u8; SALT]) -> io::Result<Self> {
        let (sealer, nonce) = StreamSealer::new(&key(passphrase, &salt)).map_err(io::Error::other)?;
        out.write_all(MAGIC)?;
        out.write_all(&salt)?;
        out.write_all(nonce.as_ref())?;
        Ok(Self {
            out,
            sealer,
            chunk: Vec::with_capacity(CHUNK),
        })
    }

    /// Seals the rest, and gives the writer back.
    ///
    /// # Errors
    /// The writer's.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.seal(&StreamTag::Finish)?;
        Ok(self.out)
    }

    fn seal(&mut self, tag: &StreamTag) -> io::Result<()> {
        let sealed = self.sealer.seal_chunk(&self.chunk, tag).map_err(io::Error::other)?;
        self.chunk.clear();
        let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&sealed)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK {
            self.seal(&StreamTag::Message)?;
        }
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Opens what it reads. Bytes that were changed are an error of the kind `InvalidData`, and so is an end that comes too early.
pub(super) struct Opening<R: Read> {
    from: R,
    opener: StreamOpener,
    open: Vec<u8>,
    read: usize,
    is_finished: bool,
}

impl<R: Read> Opening<R> {
    /// Begins behind the magic bytes.
    ///
    /// # Errors
    /// [`BackupError::DoesNotOpen`] when the head is cut off.
    pub(super) fn new(mut from: R, passphrase: &str) -> Result<Self, BackupError> {
        let mut salt = [0; SALT];
        let mut nonce = [0; NONCE];
        from.read_exact(&mut salt).map_err(|_| BackupError::DoesNotOpen)?;
        from.read_exact(&mut nonce).map_err(|_| BackupError::DoesNotOpen)?;
        let nonce = Nonce::from_slice(&nonce).map_err(|_| BackupError::DoesNotOpen)?;
        let opener = StreamOpener::new(&key(passphrase, &salt), &nonce).map_err(|_| BackupError::DoesNotOpen)?;
        Ok(Self {
            from,
            opener,
            open: Vec::new(),
            read: 0,
            is_finished: false,
        })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let mut length = [0; 4];
        self.from.read_exact(&mut length).map_err(|_| broken())?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| broken())?;
        // A length is not authenticated: it must not make us ask for more memory than a chunk can take.
        if !(ABYTES..=CHUNK + ABYTES).contains(&length) {
            return Err(broken());
        }
        let mut sealed = vec![0; length];
        self.from.read_exact(&mut sealed).map_err(|_| broken())?;
        let (open, tag) = self.opener.open_chunk(&sealed).map_err(|_| broken())?;
        self.is_finished = tag == StreamTag::Finish;
        self.open = open;
        self.read = 0;
        Ok(())
    }
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.open.len() {
            if self.is_finished {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let taken = into.len().min(self.open.len() - self.read);
        into[..taken].copy_from_slice(&self.open[self.read..self.read + taken]);
        self.read += taken;
        Ok(taken)
    }
}

fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}
