//! The condition of the node, for `/readyz`, `bitpro check`, the log and the page.

use std::fmt;

use bitpro_charge::wire::NodeView;
use bitpro_charge::{BlockHash, BlockRef, Timestamp};

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
            hole: None,
        }
    }

    /// Whether payments are noticed at once and nothing asks for the operator.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.condition == Condition::Ready && self.hole.is_none()
    }
}

/// What the watcher can do with the node. Each change is told once in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Nothing is known yet.
    Starting,
    /// In step with the chain.
    Ready,
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
}

impl Condition {
    /// What the shopper is told: [`NodeView::Syncing`] promises that payments will be noticed by themselves.
    #[must_use]
    pub const fn for_shoppers(&self) -> NodeView {
        match self {
            Self::Ready => NodeView::Ready,
            Self::Starting | Self::Syncing { .. } | Self::LoadingMempool | Self::CatchingUp { .. } => NodeView::Syncing,
            Self::Failing(NodeError::WarmingUp(_)) => NodeView::Syncing,
            Self::Failing(_) | Self::Held(_) | Self::StoreFailing(_) => NodeView::Away,
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
            Self::Syncing { blocks, headers } => {
                write!(
                    f,
                    "the node is syncing: {blocks} of {headers} blocks; payments are noticed when it is done"
                )
            }
            Self::LoadingMempool => f.write_str("the node is loading its mempool"),
            Self::CatchingUp { height, target } => write!(f, "reading missed blocks: {height} of {target}"),
            Self::Failing(error) => error.fmt(f),
            Self::Held(hold) => hold.fmt(f),
            Self::StoreFailing(error) => write!(f, "what the node says cannot be stored: {error}"),
        }
    }
}

/// Why the node's chain is not followed (R6), and what the operator has to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// The node's best chain has no more work than the one that the charges stand on.
    LessWork {
        /// Where the charges stand.
        stored: BlockRef,
        /// Where the node stands.
        node: BlockRef,
    },
    /// The node has never seen the block that the charges stand on.
    UnknownTip {
        /// Where the charges stand.
        stored: BlockRef,
        /// Where the node stands.
        node: BlockRef,
    },
    /// The node's chain parts from ours too far down.
    DeepReorg {
        /// Where the charges stand.
        stored: BlockRef,
        /// Where the node stands.
        node: BlockRef,
        /// The highest common block's height; `None` when it is below everything that is kept.
        fork: Option<u32>,
        /// The limit of the configuration.
        limit: u32,
    },
}

impl Hold {
    /// The node's tip, which the operator may vouch for.
    #[must_use]
    pub const fn node_tip(&self) -> BlockHash {
        match self {
            Self::LessWork { node, .. } | Self::UnknownTip { node, .. } | Self::DeepReorg { node, .. } => node.hash,
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LessWork { stored, node } => write!(
                f,
                "all events are held: the node is at block {} with no more work than block {} that the charges stand on. It ends \
                 by itself when the node has more work",
                at(node),
                at(stored)
            )?,
            Self::UnknownTip { stored, node } => write!(
                f,
                "all events are held: the node at block {} has never seen block {} that the charges stand on. Is it the right \
                 node?",
                at(node),
                at(stored)
            )?,
            Self::DeepReorg {
                stored,
                node,
                fork,
                limit,
            } => {
                write!(
                    f,
                    "all events are held: the node's chain at block {} leaves ours at block {} ",
                    at(node),
                    at(stored)
                )?;
                match fork {
                    Some(fork) => write!(
                        f,
                        "{} blocks down, and the limit is {limit}",
                        stored.height.saturating_sub(*fork)
                    )?,
                    None => f.write_str("below everything that is kept")?,
                }
            }
        }
        write!(
            f,
            "; to follow this chain nevertheless, set `accept_block` to {}",
            self.node_tip()
        )
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
            Self::Silent => "ZMQ is silent although the node moves: the node is polled",
        })
    }
}

fn at(block: &BlockRef) -> String {
    format!("{} ({})", block.height, block.hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(height: u32) -> BlockRef {
        BlockRef {
            height,
            hash: BlockHash([u8::try_from(height).unwrap(); 32]),
        }
    }

    #[test]
    fn r06_a_hold_says_what_the_operator_has_to_decide() {
        let holds = [
            Hold::LessWork {
                stored: block(9),
                node: block(8),
            },
            Hold::UnknownTip {
                stored: block(9),
                node: block(10),
            },
            Hold::DeepReorg {
                stored: block(90),
                node: block(91),
                fork: Some(70),
                limit: 10,
            },
            Hold::DeepReorg {
                stored: block(90),
                node: block(91),
                fork: None,
                limit: 10,
            },
        ];
        for hold in holds {
            let told = hold.to_string();
            assert!(told.contains("all events are held"), "{told}");
            assert!(
                told.contains(&format!("accept_block` to {}", hold.node_tip())),
                "{told}"
            );
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
}
