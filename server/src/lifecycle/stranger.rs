//! The end of a run that has met a node of another network.

use std::sync::{Arc, OnceLock};

use bitpro_node::{Condition, NodeError, NodeStatus};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Ends a run whose node turns out to be of another network. One that was met as the right one before is waited for instead: it is
/// being changed, and shoppers are served meanwhile.
pub(super) async fn end_at_stranger(
    mut status: watch::Receiver<NodeStatus>,
    stranger: Arc<OnceLock<NodeError>>,
    run: CancellationToken,
) {
    loop {
        let condition = status.borrow_and_update().condition.clone();
        match condition {
            Condition::Failing(error @ NodeError::WrongNetwork { .. }) => {
                // Nobody else sets it.
                let _ = stranger.set(error);
                return run.cancel();
            }
            Condition::Starting | Condition::Failing(_) | Condition::StoreFailing(_) | Condition::Stalled => {}
            Condition::Ready
            | Condition::Isolated
            | Condition::Syncing { .. }
            | Condition::LoadingMempool
            | Condition::CatchingUp { .. }
            | Condition::Held(_) => return,
        }
        tokio::select! {
            changed = status.changed() => if changed.is_err() { return },
            () = run.cancelled() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use bitpro_charge::{BlockHash, Network};

    use super::*;

    fn another_network() -> Condition {
        Condition::Failing(NodeError::WrongNetwork {
            configured: Network::Regtest,
            expected: BlockHash([1; 32]),
            genesis: BlockHash([2; 32]),
        })
    }

    /// Whether a run ends when its node shows these conditions one after the other.
    async fn ends(conditions: &[Condition]) -> bool {
        let status = watch::Sender::new(NodeStatus::starting());
        let (stranger, run) = (Arc::new(OnceLock::new()), CancellationToken::new());
        let looking = tokio::spawn(end_at_stranger(status.subscribe(), Arc::clone(&stranger), run.clone()));
        for condition in conditions {
            status.send_modify(|status| status.condition = condition.clone());
            // Until it has been looked at.
            tokio::task::yield_now().await;
        }
        drop(status);
        looking.await.unwrap();
        assert_eq!(stranger.get().is_some(), run.is_cancelled());
        run.is_cancelled()
    }

    #[tokio::test]
    async fn a_node_of_another_network_ends_the_run_unless_the_right_one_was_met_before() {
        let away = || Condition::Failing(NodeError::Unreachable("refused".to_owned()));
        assert!(ends(&[another_network()]).await);
        assert!(ends(&[away(), another_network()]).await);
        assert!(!ends(&[away()]).await);
        assert!(!ends(&[Condition::Ready, another_network()]).await);
        assert!(!ends(&[Condition::LoadingMempool, another_network()]).await);
    }
}
