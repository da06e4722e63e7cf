//! The form of server-sent events (WHATWG HTML, section 9.2) and of their cursors (R31).

use bytes::Bytes;

/// A comment: it keeps proxies from cutting a silent line, and tells us when the client is gone.
pub const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// How long a browser waits before it comes back after a cut, in milliseconds.
const RETRY_MS: u32 = 1_000;

/// What a stream begins with.
#[must_use]
pub fn opening() -> Bytes {
    Bytes::from(format!("retry: {RETRY_MS}\n\n"))
}

/// A frame with the charge's view as it is after `sequence`; depth alone has no id (R31).
///
/// It has no type, so browsers hand it to `onmessage`: the page listens to nothing else.
#[must_use]
pub fn frame(epoch: &str, sequence: Option<u64>, json: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(json.len() + epoch.len() + 40);
    if let Some(sequence) = sequence {
        frame.extend_from_slice(b"id: ");
        frame.extend_from_slice(Cursor::text(epoch, sequence).as_bytes());
        frame.push(b'\n');
    }
    frame.extend_from_slice(b"data: ");
    frame.extend_from_slice(json);
    frame.extend_from_slice(b"\n\n");
    Bytes::from(frame)
}

/// A place in a charge's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// After this event.
    After(u64),
    /// None, or one of another epoch, which means nothing here.
    Unknown,
}

impl Cursor {
    /// Reads what [`Cursor::text`] wrote.
    #[must_use]
    pub fn read(text: Option<&str>, epoch: &str) -> Self {
        text.and_then(|text| {
            let (of, sequence) = text.rsplit_once('.')?;
            (of == epoch).then(|| sequence.parse().ok())?
        })
        // A number has other spellings, which nobody got from us.
        .filter(|sequence| text.is_some_and(|text| Self::text(epoch, *sequence) == text))
        .map_or(Self::Unknown, Self::After)
    }

    /// The cursor's text: `<epoch>.<sequence>`.
    #[must_use]
    pub fn text(epoch: &str, sequence: u64) -> String {
        format!("{epoch}.{sequence}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r31_depth_has_no_id() {
        assert_eq!(&frame("e1", Some(7), b"{}")[..], b"id: e1.7\ndata: {}\n\n");
        assert_eq!(&frame("e1", None, b"{}")[..], b"data: {}\n\n");
    }

    #[test]
    fn r31_a_cursor_of_another_epoch_means_nothing() {
        assert_eq!(Cursor::read(Some("e1.7"), "e1"), Cursor::After(7));
        for other in [
            Some("e2.7"),
            Some("7"),
            Some("e1."),
            Some("e1.x"),
            Some("e1.-1"),
            Some("e1.+7"),
            Some("e1.07"),
            Some("e1.18446744073709551616"),
            Some(""),
            None,
        ] {
            assert_eq!(Cursor::read(other, "e1"), Cursor::Unknown, "{other:?}");
        }
    }
}
