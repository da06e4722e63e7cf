//! Judging from one cheap question a second whether something was missed (R7): with ZMQ, whether it can still be trusted; without,
//! whether the mempool has changed.

use super::rpc::answers::MempoolState;

/// What is known at a poll.
#[derive(Debug)]
pub(super) struct Poll<'a> {
    /// The mempool at the poll before; `None` at the first one.
    pub before: Option<&'a MempoolState>,
    /// The mempool now.
    pub now: &'a MempoolState,
    /// The mempool's size by the notifications.
    pub mirrored: usize,
    /// Whether both topics are connected and none of them was found silent.
    pub is_fed: bool,
    /// Whether anything was heard since the poll before.
    pub heard: bool,
}

/// What a poll says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Everything that has happened is known.
    Current,
    /// Something was missed: read everything.
    Reread,
    /// The node has moved and nothing was heard: read everything, and doubt the notifications.
    Silence,
}

impl Poll<'_> {
    pub(super) fn verdict(&self) -> Verdict {
        let has_changed = self.before != Some(self.now);
        match (self.is_fed, has_changed, self.heard) {
            (false, false, _) => Verdict::Current,
            (false, true, _) => Verdict::Reread,
            (true, true, false) => Verdict::Silence,
            // Nothing moves and nothing is under way: then the count must be right, or the last messages were lost.
            (true, false, false) if self.mirrored != self.now.size => Verdict::Reread,
            (true, _, _) => Verdict::Current,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mempool(size: usize) -> MempoolState {
        MempoolState {
            loaded: true,
            size,
            bytes: 100 * u64::try_from(size).unwrap(),
            total_fee: 1.into(),
        }
    }

    fn verdict(before: Option<usize>, now: usize, mirrored: usize, is_fed: bool, heard: bool) -> Verdict {
        let before = before.map(mempool);
        Poll {
            before: before.as_ref(),
            now: &mempool(now),
            mirrored,
            is_fed,
            heard,
        }
        .verdict()
    }

    #[test]
    fn without_notifications_every_change_is_read() {
        assert_eq!(verdict(None, 0, 0, false, false), Verdict::Reread);
        assert_eq!(verdict(Some(3), 4, 3, false, false), Verdict::Reread);
        assert_eq!(verdict(Some(4), 4, 4, false, false), Verdict::Current);
    }

    #[test]
    fn r07_a_change_that_nobody_told_of_means_silence() {
        assert_eq!(verdict(Some(3), 4, 3, true, false), Verdict::Silence);
        assert_eq!(verdict(Some(3), 4, 4, true, true), Verdict::Current);
        assert_eq!(verdict(Some(4), 4, 4, true, false), Verdict::Current);
    }

    #[test]
    fn r07_a_lost_last_message_shows_in_the_count_once_nothing_moves() {
        assert_eq!(verdict(Some(4), 4, 3, true, false), Verdict::Reread);
        assert_eq!(
            verdict(Some(4), 4, 3, true, true),
            Verdict::Current,
            "messages may be under way"
        );
    }
}
