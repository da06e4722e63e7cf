//! The part of ZMTP 3.0 (rfc.zeromq.org/spec/23) that it takes to hear a publisher: greeting, one command each, one subscription, and
//! then messages of several frames.
//!
//! Whoever sends a length is not believed before the bytes are there. Libraries reserve what a frame says that it has; eleven bytes that
//! promise more than there is memory would end the whole server.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest message, all frames together: a transaction has less than four million bytes, for a block weighs no more.
pub(super) const LONGEST_MESSAGE: usize = 4_200_000;
/// The most frames of a message; the node sends three.
pub(super) const MOST_FRAMES: usize = 8;
/// Bytes that are read at once.
const PIECE: usize = 16 * 1024;
const GREETING: usize = 64;
/// Where the version stands in the greeting, and the 20 bytes of the mechanism.
const VERSION: usize = 10;
const MECHANISM: std::ops::Range<usize> = 12..32;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// What a publisher sends after its greeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// A command: its name, its length before it, and what belongs to it.
    Command(Bytes),
    /// The frames of a message.
    Message(Vec<Bytes>),
}

/// What was sent cannot be understood, or is longer than anything that the node sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no ZMTP 3.0: {0}")]
pub(super) struct Broken(&'static str);

impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        Self::new(io::ErrorKind::InvalidData, broken)
    }
}

/// Puts frames together.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    frames: Vec<Bytes>,
    held: usize,
}

impl Decoder {
    /// The next command or message in `buffer`; `None` when more bytes are wanted.
    ///
    /// # Errors
    /// [`Broken`]. Nothing that follows can be understood then.
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Heard>, Broken> {
        loop {
            let Some((flags, head, length)) = head(buffer)? else {
                return Ok(None);
            };
            if length > LONGEST_MESSAGE - self.held {
                return Err(Broken("a message is too long"));
            }
            if buffer.len() - head < length {
                return Ok(None);
            }
            let frame = buffer.split_to(head + length).freeze().slice(head..);
            if flags & COMMAND != 0 {
                if flags & MORE != 0 || !self.frames.is_empty() {
                    return Err(Broken("a command within a message"));
                }
                return Ok(Some(Heard::Command(frame)));
            }
            if self.frames.len() == MOST_FRAMES {
                return Err(Broken("a message has too many frames"));
            }
            self.held += frame.len();
            self.frames.push(frame);
            if flags & MORE == 0 {
                self.held = 0;
                return Ok(Some(Heard::Message(std::mem::take(&mut self.frames))));
            }
        }
    }
}

/// A frame's flags, the length of its head, and that of its body.
fn head(buffer: &[u8]) -> Result<Option<(u8, usize, usize)>, Broken> {
    let Some((&flags, rest)) = buffer.split_first() else {
        return Ok(None);
    };
    if flags & !(MORE | LONG | COMMAND) != 0 {
        return Err(Broken("unknown flags"));
    }
    if flags & LONG == 0 {
        return Ok(rest.first().map(|&length| (flags, 2, usize::from(length))));
    }
    let Some(length) = rest.first_chunk::<8>() else {
        return Ok(None);
    };
    let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| Broken("a message is too long"))?;
    Ok(Some((flags, 9, length)))
}

/// A connection on which one topic is heard.
#[derive(Debug)]
pub(super) struct Subscription<S> {
    stream: S,
    buffer: BytesMut,
    decoder: Decoder,
    topic: &'static str,
}

impl Subscription<TcpStream> {
    /// Connects to `endpoint`, as in `tcp://127.0.0.1:28332`, and subscribes to `topic`.
    ///
    /// # Errors
    /// Those of the connection, and `InvalidData` for what is no publisher.
    pub(super) async fn connect(endpoint: &str, topic: &'static str) -> io::Result<Self> {
        let address = endpoint
            .strip_prefix("tcp://")
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no tcp:// address"))?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Self::open(stream, topic).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Subscription<S> {
    /// Greets whoever is at the other end of `stream`, and subscribes to `topic`.
    ///
    /// # Errors
    /// See [`Subscription::connect`].
    pub(super) async fn open(stream: S, topic: &'static str) -> io::Result<Self> {
        let mut opened = Self {
            stream,
            buffer: BytesMut::new(),
            decoder: Decoder::default(),
            topic,
        };
        opened.stream.write_all(&greeting()).await?;
        opened.stream.write_all(&ready()).await?;
        while opened.buffer.len() < GREETING {
            opened.read().await?;
        }
        check_greeting(&opened.buffer.split_to(GREETING))?;
        match opened.heard().await? {
            Heard::Command(command) if command.starts_with(b"\x05READY") => {}
            _ => return Err(Broken("the publisher is not ready").into()),
        }
        let length = u8::try_from(topic.len() + 1).map_err(io::Error::other)?;
        let subscribe = [&[0, length, 1], topic.as_bytes()].concat();
        opened.stream.write_all(&subscribe).await?;
        Ok(opened)
    }

    /// The frames of the next message of the topic. It can be dropped while it waits: nothing is lost then.
    ///
    /// # Errors
    /// Those of the connection, which has ended then.
    pub(super) async fn next(&mut self) -> io::Result<Vec<Bytes>> {
        loop {
            match self.heard().await? {
                Heard::Message(frames) if frames.first().is_some_and(|topic| topic == self.topic.as_bytes()) => {
                    return Ok(frames);
                }
                // What else may be published there is not for us, and of commands none concerns a subscriber any more.
                Heard::Message(_) | Heard::Command(_) => {}
            }
        }
    }

    async fn heard(&mut self) -> io::Result<Heard> {
        loop {
            if let Some(heard) = self.decoder.next(&mut self.buffer)? {
                return Ok(heard);
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        self.buffer.reserve(PIECE);
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

/// Version 3.0, without encryption, as a client.
fn greeting() -> [u8; GREETING] {
    let mut greeting = [0; GREETING];
    greeting[0] = 0xff;
    greeting[VERSION - 1] = 0x7f;
    greeting[VERSION] = 3;
    greeting[MECHANISM][..4].copy_from_slice(b"NULL");
    greeting
}

fn ready() -> Vec<u8> {
    let body = [&b"\x05READY\x0bSocket-Type\0\0\0\x03SUB"[..]].concat();
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    [&[COMMAND, length], &body[..]].concat()
}

fn check_greeting(greeting: &[u8]) -> Result<(), Broken> {
    if greeting.first() != Some(&0xff) || greeting.get(VERSION - 1) != Some(&0x7f) {
        return Err(Broken("another greeting"));
    }
    if greeting.get(VERSION).is_none_or(|version| *version < 3) {
        return Err(Broken("an older version"));
    }
    let mut null = [0; 20];
    null[..4].copy_from_slice(b"NULL");
    if greeting.get(MECHANISM) != Some(&null[..]) {
        return Err(Broken("another mechanism"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::DuplexStream;

    use super::*;

    fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
        match u8::try_from(body.len()) {
            Ok(length) => [&[flags, length], body].concat(),
            Err(_) => [
                &[flags | LONG][..],
                &u64::try_from(body.len()).unwrap().to_be_bytes(),
                body,
            ]
            .concat(),
        }
    }

    fn decoded(bytes: &[u8]) -> Result<Vec<Heard>, Broken> {
        let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::from(bytes));
        let mut heard = Vec::new();
        while let Some(next) = decoder.next(&mut buffer)? {
            heard.push(next);
        }
        Ok(heard)
    }

    /// The publisher's side of the opening, as libzmq speaks it.
    async fn publish(mut stream: DuplexStream, bytes: &[u8]) -> Vec<u8> {
        let mut greeting = greeting();
        greeting[VERSION + 1] = 1;
        stream.write_all(&greeting).await.unwrap();
        let ready = frame(COMMAND, b"\x05READY\x0bSocket-Type\0\0\0\x03PUB");
        stream.write_all(&ready).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut said = Vec::new();
        // 64 of greeting, 27 of readiness, and the subscription.
        while said.len() < GREETING + 27 + 11 {
            let read = stream.read_buf(&mut said).await.unwrap();
            assert!(read > 0);
        }
        said
    }

    #[tokio::test]
    async fn a_topic_is_subscribed_to_and_heard() {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let long = vec![7; 300];
        let messages = [
            frame(MORE, b"sequence"),
            frame(MORE, &long),
            frame(0, &[1, 0, 0, 0]),
            frame(COMMAND, b"\x04PING\0\0"),
            frame(MORE, b"rawtx"),
            frame(0, b"not for us"),
            frame(0, b"sequence"),
        ];
        let messages = messages.concat();
        let (said, heard) = tokio::join!(publish(theirs, &messages), async {
            let mut opened = Subscription::open(ours, "sequence").await.unwrap();
            (opened.next().await.unwrap(), opened.next().await.unwrap())
        });
        assert!(said.ends_with(b"\0\x09\x01sequence"), "{said:?}");
        assert_eq!(heard.0, [&b"sequence"[..], &long, &[1, 0, 0, 0]]);
        assert_eq!(heard.1, [&b"sequence"[..]]);
    }

    #[test]
    fn a_length_is_not_believed_before_the_bytes_are_there() {
        for length in [u64::MAX, 1 << 62, 1 << 40, u64::try_from(LONGEST_MESSAGE).unwrap() + 1] {
            let bytes = [&[LONG][..], &length.to_be_bytes()].concat();
            assert_eq!(decoded(&bytes), Err(Broken("a message is too long")), "{length}");
        }
        // The longest one is waited for in a buffer that grows with what comes.
        let bytes = [&[LONG][..], &u64::try_from(LONGEST_MESSAGE).unwrap().to_be_bytes()].concat();
        let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::from(&bytes[..]));
        assert_eq!(decoder.next(&mut buffer), Ok(None));
        assert!(buffer.capacity() < 1_024, "{}", buffer.capacity());
    }

    #[test]
    fn frames_without_end_are_no_message() {
        let most = [frame(MORE, b"a").repeat(MOST_FRAMES - 1), frame(0, b"a")].concat();
        assert_eq!(decoded(&most).unwrap().len(), 1);
        let more = frame(MORE, b"a").repeat(MOST_FRAMES + 1);
        assert_eq!(decoded(&more), Err(Broken("a message has too many frames")));
        let half = vec![0; LONGEST_MESSAGE / 2 + 1];
        let both = [frame(MORE, &half), frame(0, &half)].concat();
        assert_eq!(decoded(&both), Err(Broken("a message is too long")));
    }

    #[tokio::test]
    async fn what_is_no_publisher_is_refused() {
        let other_version = {
            let mut greeting = greeting();
            greeting[VERSION] = 2;
            greeting
        };
        let other_mechanism = {
            let mut greeting = greeting();
            greeting[MECHANISM][..5].copy_from_slice(b"CURVE");
            greeting
        };
        let not_ready = [&greeting()[..], &frame(COMMAND, b"\x05ERROR\x03why")].concat();
        let message_first = [&greeting()[..], &frame(0, b"sequence")].concat();
        for bytes in [
            &b"HTTP/1.1 400 Bad Request\r\ncontent-length: 40\r\n\r\n                                        "[..],
            &other_version,
            &other_mechanism,
            &not_ready,
            &message_first,
            &greeting()[..20],
        ] {
            let (ours, mut theirs) = tokio::io::duplex(1 << 12);
            theirs.write_all(bytes).await.unwrap();
            // Nothing more will come; what we say is still taken.
            theirs.shutdown().await.unwrap();
            assert!(Subscription::open(ours, "sequence").await.is_err(), "{bytes:?}");
        }
    }
}
