//! The server, as far as it is simulated: charges with their store, watcher, sender of webhooks. No thread of it outlives a step.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash as _;
use bitpro_base::seal::Secret;
use bitpro_base::seal::{Seal, SealKeys};
use bitpro_charge::Network;
use bitpro_node::api::Waiter;
use bitpro_node::{NodeAuth, NodeConfig, Stepped};
use bitpro_service::charges::{Charges, OpenError, Opening, Role};
use bitpro_service::webhooks::{Attempt, SteppedSender};
use tokio::runtime::{Builder, Runtime};

use super::doubles::{SimClock, SimFaults, SimRates, SimRng};
use super::node::SimNode;

/// The network of the simulation: one whose node has a clock of its own.
pub const NETWORK: Network = Network::Signet;
/// The server's own address.
pub const URL: &str = "https://pay.example";
/// Tasks that always run: the store's writer and its chores, the care of its readers, and who records what came of deliveries.
const RESIDENTS: usize = 4;

/// How often the processor is left to other threads before it is waited for them by the clock.
const PATIENCE: u64 = 50;

/// What outlives a server.
#[derive(Clone)]
pub struct Surroundings {
    /// The node.
    pub node: SimNode,
    /// The clock.
    pub clock: Arc<SimClock>,
    /// The market.
    pub rates: Arc<SimRates>,
    /// Chance.
    pub rng: Arc<SimRng>,
}

/// A running server.
pub struct Server {
    /// The charges.
    pub charges: Charges,
    /// The watcher.
    pub watcher: Stepped<Charges, SimNode>,
    /// The sender.
    pub sender: SteppedSender,
    /// What befalls its commits.
    pub faults: Arc<SimFaults>,
    runtime: Arc<Runtime>,
}

impl Server {
    /// Starts a server on a database.
    ///
    /// # Errors
    /// [`OpenError`]
    ///
    /// # Panics
    /// When the machine gives no runtime.
    pub fn start(around: &Surroundings, database: &Path, vouched: Option<BlockHash>) -> Result<Self, OpenError> {
        around.clock.forget();
        // Without sockets it waits on a plain lock: much cheaper than a poll, and it waits at every statement.
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime for one thread");
        let runtime = Arc::new(runtime);
        let faults = Arc::new(SimFaults::new(database));
        let opening = opening(around, database);
        let (charges, sender) = runtime.block_on(async {
            let fatal = Arc::new(|error: &_| panic!("a sync failed: {error}"));
            let charges = Charges::open_among(opening, fatal, Arc::clone(&faults) as Arc<_>).await?;
            let sender = SteppedSender::new(charges.clone(), URL).await;
            Ok::<_, OpenError>((charges, sender))
        })?;
        let watcher = Stepped::new(
            NodeConfig {
                accept_block: vouched.map(|hash| bitpro_charge::BlockHash(hash.to_byte_array())),
                ..config()
            },
            Arc::new(charges.clone()),
            Arc::new(around.node.clone()),
            Arc::clone(&around.clock) as Arc<_>,
            Waiter::Itself(Arc::clone(&runtime)),
        );
        let server = Self {
            charges,
            watcher,
            sender,
            faults,
            runtime,
        };
        server.settle();
        Ok(server)
    }

    /// Does something with the charges, and what follows from it.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let done = self.runtime.block_on(work);
        self.settle();
        done
    }

    /// Lets everything be done that was begun.
    pub fn settle(&self) {
        self.runtime.block_on(async {
            for round in 0_u64.. {
                for _ in 0..4 {
                    tokio::task::yield_now().await;
                }
                let is_busy = self.runtime.metrics().num_alive_tasks() > RESIDENTS || self.sender.unrecorded() > 0;
                if !is_busy {
                    return;
                }
                // Addresses are derived, and the database works, on threads of their own: mostly the processor is all they need.
                if round < PATIENCE {
                    std::thread::yield_now();
                } else {
                    tokio::time::sleep(Duration::from_micros(30)).await;
                }
            }
        });
    }

    /// The attempts of the sender that are due.
    pub fn attempts(&mut self) -> Vec<Attempt> {
        let Self { sender, runtime, .. } = self;
        runtime.block_on(sender.take())
    }

    /// Ends in order.
    pub fn stop(self) {
        let Self {
            charges,
            watcher,
            sender,
            runtime,
            ..
        } = self;
        watcher.close();
        drop(sender);
        runtime.block_on(charges.close());
    }
}

fn opening(around: &Surroundings, database: &Path) -> Opening {
    Opening {
        database: database.to_owned(),
        network: NETWORK,
        secret: [7; 32],
        seal: Seal::new(&SealKeys::first(Secret([9; 32]))),
        webhooks: bitpro_base::policy::Policy::default(),
        clock: Arc::clone(&around.clock) as Arc<_>,
        rng: Arc::clone(&around.rng) as Arc<_>,
        rates: Arc::clone(&around.rates) as Arc<_>,
        role: Role::Server,
    }
}

fn config() -> NodeConfig {
    let auth = NodeAuth::Password {
        user: String::new(),
        password: String::new(),
    };
    let url = "http://127.0.0.1:1".parse().expect("written as a URL");
    NodeConfig {
        // Between two looks here lies what a watcher that polls all the time would have seen in many.
        asleep_after: Duration::MAX,
        ..NodeConfig::new(url, auth, NETWORK)
    }
}
