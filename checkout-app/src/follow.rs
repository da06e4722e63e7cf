//! The rules of following a charge from afar: what counts as news, where to go on, how long to wait.

use bitpro_charge::wire::ChargeView;

/// A stream that has not opened by then is helped out by polling: a seventh tab under HTTP/1.1 has no connection left for
/// it, and some proxies hold streams back.
pub const OPENS_WITHIN: u32 = 3_000;
/// Between two polls.
pub const POLL_EVERY: u32 = 4_000;
/// A page that nobody has looked at for so long gives its connection back …
pub const RELEASE_AFTER: u32 = 60_000;
/// … and polls at this pace, for the title of its tab.
pub const POLL_HIDDEN_EVERY: u32 = 15_000;
/// The longest pause between two attempts.
const LONGEST: u32 = 30_000;

/// Where the page stands in the stream, as `<epoch>.<sequence>` (R31).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// The cursor of a view that came with the page.
    #[must_use]
    pub fn of(epoch: &str, sequence: u64) -> Self {
        Self([epoch, ".", &sequence.to_string()].concat())
    }

    /// As it stands in the stream's URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Goes on to the id of a frame. Frames that only count confirmations have none. True when the epoch is another one: the
    /// server was restored from a backup, and what it says now is the truth even if it is older.
    pub fn advance(&mut self, id: &str) -> bool {
        if id.is_empty() {
            return false;
        }
        let epoch = |cursor: &str| {
            cursor
                .rsplit_once('.')
                .map_or(String::new(), |(epoch, _)| epoch.to_owned())
        };
        let renewed = epoch(id) != epoch(&self.0);
        id.clone_into(&mut self.0);
        renewed
    }
}

/// Where the stream of the charge at `path` is, from `cursor` on.
#[must_use]
pub fn address(path: &str, cursor: &Cursor) -> String {
    [path, "/events?after=", cursor.as_str()].concat()
}

/// Whether `other` says more than `known`. Between two events of a charge only confirmations and the node change, and there
/// the server's later word counts.
#[must_use]
pub const fn is_news(known: &ChargeView, other: &ChargeView) -> bool {
    other.sequence > known.sequence || (other.sequence == known.sequence && other.now >= known.now)
}

/// The pause before attempt number `attempt` (from 0), in milliseconds: doubling, at least half of it and at most all of it,
/// as `chance` (0 to 999) has it, so that the pages of a restarted server do not come back all at once.
#[must_use]
pub fn pause(attempt: u32, chance: u32) -> u32 {
    let longest = 1_000_u32
        .checked_shl(attempt.min(10))
        .map_or(LONGEST, |pause| pause.min(LONGEST));
    longest / 2 + longest / 2 * chance.min(999) / 999
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_page_never_goes_back_in_sequence_nor_in_the_servers_time() {
        let at = |sequence, now| {
            let mut view = sample::view();
            view.sequence = sequence;
            view.now = now;
            view
        };
        assert!(is_news(&at(3, 10), &at(4, 5)));
        assert!(is_news(&at(3, 10), &at(3, 10)));
        assert!(is_news(&at(3, 10), &at(3, 11)));
        assert!(!is_news(&at(3, 10), &at(3, 9)));
        assert!(!is_news(&at(3, 10), &at(2, 99)));
    }

    #[test]
    fn r31_a_new_epoch_is_noticed_and_frames_without_id_do_not_move_the_cursor() {
        let mut cursor = Cursor::of("9f2c", 3);
        assert_eq!(cursor.as_str(), "9f2c.3");
        assert!(!cursor.advance(""));
        assert_eq!(cursor.as_str(), "9f2c.3");
        assert!(!cursor.advance("9f2c.4"));
        assert!(cursor.advance("a000.1"));
        assert_eq!(cursor.as_str(), "a000.1");
    }

    #[test]
    fn pauses_double_with_jitter_up_to_half_a_minute() {
        assert_eq!((pause(0, 0), pause(0, 999)), (500, 1_000));
        assert_eq!((pause(2, 0), pause(2, 999)), (2_000, 4_000));
        assert_eq!((pause(40, 0), pause(u32::MAX, u32::MAX)), (15_000, 30_000));
    }
}
