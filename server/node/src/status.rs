//! The condition of the node, for `/readyz`, `bitpro check`, the log and the page.

use std::fmt;

use bitpro_charge::wire::NodeView;
use bitpro_charge::{BlockRef, Timestamp};

use super::error::NodeError;
use super::view::Hole;

/// Everything that is known of the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// What the watcher can do with it.
    pub condition: Condition,
    /// The height of the node's own tip.
    pub node_height: Option<u32>,
    /// The tip that the charges stand on.
    pub tip: Option<BlockRef>,
    /// The instant up to which chain and mempool were fully read (R4).
    pub observed_until: Option<Timestamp>,
    /// Where wake-ups come from.
    pub zmq: ZmqState,
    /// What reaches the node of what others tell.
    pub hearing: Hearing,
    /// The miner's time of the node's tip, where the network is expected to have a new block now and then.
    pub tip_time: Option<Timestamp>,
    /// Blocks that could not be read and that nobody has vouched for.
    pub hole: Option<Hole>,
}

impl NodeStatus {
    /// Before anything is known.
    #[must_use]
    pub const fn starting() -> Self {
        Self {
            condition: Condition::Starting,
            node_height: None,
            tip: None,
            observed_until: None,
            zmq: ZmqState::Absent,
            hearing: Hearing::Everything,
            tip_time: None,
            hole: None,
        }
    }

    /// Whether payments are noticed at once and nothing asks for the operator.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.condition == Condition::Ready && self.hole.is_none()
    }

    /// For how long the network has had no block that the node knows, when that is far longer than it should be.
    #[must_use]
    pub fn stale_secs(&self, now: Timestamp) -> Option<u32> {
        let age = self.tip_time?.secs_until(now);
        (age > STALE_SECS).then_some(age)
    }
}

/// Two hours without a block happen once in three years by chance; a node that is cut off, or misled, comes to it every time.
const STALE_SECS: u32 = 2 * 60 * 60;

/// What reaches the node of what others tell. What it does not hear proves nothing (R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearing {
    /// Every transaction and every block.
    Everything,
    /// Nothing: it has no peers.
    Nothing,
    /// Everything again. What was told while it had no peers is told by nobody a second time: it is known with the next block.
    Again,
    /// Blocks: it takes no transactions from its peers.
    BlocksOnly,
}

impl fmt::Display for Hearing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Everything => "the node receives transactions and blocks",
            Self::Nothing => {
                "the node has no peers: it receives no payments and no blocks, and until then nothing times out or fails"
            }
            Self::Again => {
                "the node has peers again: what was paid meanwhile shows with the next block, and nothing times out or fails \
                 until then"
            }
            Self::BlocksOnly => {
                "the node accepts no transactions from its peers (-blocksonly): payments show only once they are in a block, and nothing \
                 times out or fails before a second block has come; start it without -blocksonly"
            }
        })
    }
}

/// What the watcher can do with the node. Each change is told once in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Nothing is known yet.
    Starting,
    /// In step with the chain.
    Ready,
    /// In step with what it knows of the chain, but the node has no peers.
    Isolated,
    /// The node is loading, or far behind the network itself: nothing is concluded meanwhile (R3).
    Syncing {
        /// Blocks that it has.
        blocks: u32,
        /// Headers that it knows.
        headers: i64,
    },
    /// The node is reading the mempool that it saved at its last stop.
    LoadingMempool,
    /// We are reading the blocks that we missed.
    CatchingUp {
        /// How far we are.
        height: u32,
        /// Where the node is.
        target: u32,
    },
    /// The node does not give what is needed.
    Failing(NodeError),
    /// The node's chain is not followed before the operator has decided (R6).
    Held(Hold),
    /// The charges cannot be stored.
    StoreFailing(String),
    /// The watcher itself does not come round, whatever holds it up.
    Stalled,
}

impl Condition {
    /// What the shopper is told: [`NodeView::Syncing`] promises that payments will be noticed by themselves.
    #[must_use]
    pub const fn for_shoppers(&self) -> NodeView {
        match self {
            Self::Ready => NodeView::Ready,
            Self::Starting | Self::Syncing { .. } | Self::LoadingMempool | Self::CatchingUp { .. } => NodeView::Syncing,
            Self::Failing(NodeError::WarmingUp(_)) => NodeView::Syncing,
            Self::Isolated | Self::Failing(_) | Self::Held(_) | Self::StoreFailing(_) | Self::Stalled => NodeView::Away,
        }
    }

    /// Whether going from `before` to this is worth a line in the log: progress is not.
    #[must_use]
    pub(super) fn is_news_after(&self, before: &Self) -> bool {
        match (before, self) {
            (Self::Syncing { .. }, Self::Syncing { .. }) | (Self::CatchingUp { .. }, Self::CatchingUp { .. }) => false,
            (Self::Failing(NodeError::Unreachable(_)), Self::Failing(NodeError::Unreachable(_))) => false,
            (Self::Failing(NodeError::WarmingUp(_)), Self::Failing(NodeError::WarmingUp(_))) => false,
            (before, after) => before != after,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("not asked yet"),
            Self::Ready => f.write_str("in step with the chain"),
            Self::Isolated => Hearing::Nothing.fmt(f),
            Self::Syncing { blocks, headers } => {
                write!(
                    f,
                    "the node is syncing: {blocks} of {headers} blocks; payments are noticed once it is done"
                )
            }
            Self::LoadingMempool => f.write_str("the node is loading its mempool"),
            Self::CatchingUp { height, target } => write!(f, "reading missed blocks: {height} of {target}"),
            Self::Failing(error) => error.fmt(f),
            Self::Held(hold) => hold.fmt(f),
            Self::StoreFailing(error) => write!(f, "cannot store what the node reports: {error}"),
            Self::Stalled => f.write_str(
                "the watcher has made no progress for a minute or more, so no payment is noticed; if this lasts, restart the server",
            ),
        }
    }
}

/// Why the node's chain is not followed (R6), and what the operator has to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Where the charges stand.
    pub stored: BlockRef,
    /// Where the node stands.
    pub node: BlockRef,
    /// Why.
    pub reason: HoldReason,
}

/// What is wrong with the node's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldReason {
    /// It has no more work than the one that the charges stand on.
    LessWork,
    /// It shares no block with the one that the charges stand on, as far as that is kept.
    NothingShared,
    /// The node has never seen the block that the charges stand on.
    UnknownTip,
    /// It leaves ours this many blocks below the tip, which is more than the limit of the configuration.
    DeepReorg {
        /// How many of our blocks are not in it.
        depth: u32,
        /// How many may be.
        limit: u32,
    },
}

impl HoldReason {
    /// Whether the operator can vouch for such a chain. One with less work is never followed.
    #[must_use]
    pub const fn can_be_accepted(self) -> bool {
        matches!(self, Self::UnknownTip | Self::DeepReorg { .. })
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stored, node, reason } = self;
        write!(
            f,
            "all events are held: the charges are based on block {} ({}), and the node, at block {} ({}), ",
            stored.height, stored.hash, node.height, node.hash
        )?;
        match reason {
            HoldReason::LessWork => {
                f.write_str("has no more work than that; its chain is followed as soon as it has more")?
            }
            HoldReason::NothingShared => {
                f.write_str(
                    "shares no block with the stored part of their chain: is it the right node for this database?",
                )?;
            }
            HoldReason::UnknownTip => f.write_str("has never seen it: is it the right node?")?,
            HoldReason::DeepReorg { depth, limit } => {
                write!(f, "leaves their chain {depth} blocks down, where the limit is {limit}")?;
            }
        }
        if reason.can_be_accepted() {
            write!(f, "; to follow it anyway, set `accept_block` to {}", node.hash)?;
        }
        Ok(())
    }
}

/// Where wake-ups come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZmqState {
    /// The node publishes nothing that helps, or ZMQ is switched off: it is polled.
    Absent,
    /// Being connected.
    Connecting,
    /// Notifications arrive.
    Live,
    /// Connected, but the node has moved and said nothing: it is polled until something is heard.
    Silent,
}

impl fmt::Display for ZmqState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "no ZMQ notifications: the node is polled",
            Self::Connecting => "ZMQ is not connected: the node is polled",
            Self::Live => "ZMQ notifications arrive",
            Self::Silent => "ZMQ is silent although the node changes: the node is polled",
        })
    }
}

#[cfg(test)]
mod tests {
    use bitpro_charge::BlockHash;

    use super::*;

    fn block(height: u32) -> BlockRef {
        BlockRef {
            height,
            hash: BlockHash([u8::try_from(height).unwrap(); 32]),
        }
    }

    #[test]
    fn r06_a_hold_says_what_the_operator_has_to_decide() {
        let told = |reason| {
            Hold {
                stored: block(9),
                node: block(8),
                reason,
            }
            .to_string()
        };
        let vouching = format!("set `accept_block` to {}", block(8).hash);
        for reason in [HoldReason::UnknownTip, HoldReason::DeepReorg { depth: 11, limit: 10 }] {
            assert!(told(reason).contains("all events are held"), "{}", told(reason));
            assert!(told(reason).ends_with(&vouching), "{}", told(reason));
        }
        for reason in [HoldReason::LessWork, HoldReason::NothingShared] {
            assert!(!told(reason).contains("accept_block"), "{}", told(reason));
        }
    }

    #[test]
    fn progress_is_no_news() {
        let syncing = |blocks| Condition::Syncing { blocks, headers: 100 };
        assert!(!syncing(2).is_news_after(&syncing(1)));
        assert!(syncing(2).is_news_after(&Condition::Starting));
        assert!(Condition::Ready.is_news_after(&syncing(2)));
        assert!(!Condition::Ready.is_news_after(&Condition::Ready));
    }

    #[test]
    fn a_tip_is_stale_after_two_hours_where_blocks_are_expected() {
        let mut status = NodeStatus::starting();
        let now = Timestamp::from_secs(1_000_000);
        assert_eq!(status.stale_secs(now), None, "on a private chain");
        status.tip_time = Some(Timestamp::from_secs(1_000_000 - 7_200));
        assert_eq!(status.stale_secs(now), None);
        status.tip_time = Some(Timestamp::from_secs(1_000_000 - 7_201));
        assert_eq!(status.stale_secs(now), Some(7_201));
        // A miner's clock may be ahead.
        status.tip_time = Some(Timestamp::from_secs(1_000_100));
        assert_eq!(status.stale_secs(now), None);
    }
}
