//! A watcher without a thread of its own: it takes a step when it is told to, and tells no time but by its clock.

use std::sync::Arc;

use bitpro_base::clock::Clock;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::super::api::{NodeApi, Waiter};
use super::super::config::NodeConfig;
use super::super::port::ChargesPort;
use super::super::status::NodeStatus;
use super::Watcher;
use super::agenda::Agenda;

/// A watcher that is driven by its owner: by the simulation, which has no time to wait.
pub struct Stepped<P: ChargesPort, N: NodeApi> {
    watcher: Watcher<P, N>,
    status: watch::Receiver<NodeStatus>,
}

impl<P: ChargesPort, N: NodeApi> Stepped<P, N> {
    /// A watcher that has not done anything yet.
    #[must_use]
    pub fn new(config: NodeConfig, port: Arc<P>, node: Arc<N>, clock: Arc<dyn Clock>, waiter: Waiter) -> Self {
        let (sender, status) = watch::channel(NodeStatus::starting());
        let watcher = Watcher::new(config, port, node, clock, waiter, CancellationToken::new(), sender);
        Self { watcher, status }
    }

    /// The clock has struck: takes in the notifications that wait, and polls.
    pub fn poll(&mut self) {
        self.step(Agenda {
            poll: true,
            ..Agenda::default()
        });
    }

    /// Notifications have come.
    pub fn wake(&mut self) {
        self.step(Agenda::default());
    }

    /// What is known of the node.
    #[must_use]
    pub fn status(&self) -> NodeStatus {
        self.status.borrow().clone()
    }

    /// Ends in order.
    pub fn close(mut self) {
        self.watcher.farewell();
    }

    fn step(&mut self, mut agenda: Agenda) {
        self.watcher.take_in_waiting(&mut agenda);
        if let Err(trouble) = self.watcher.work(agenda) {
            self.watcher.endure(trouble);
        }
    }
}
