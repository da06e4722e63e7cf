//! The harness: real nodes, the real binary, real HTTP, and a clock that tests can move.
//!
//! Everything that is started here ends with its guard, and with this process however that ends. The demo is the same
//! harness, left running.

pub mod app;
pub mod branch;
pub mod checkout;
pub mod clock;
pub mod coins;
pub mod exchanges;
pub mod guide;
pub mod letters;
pub mod litestream;
pub mod mapi;
pub mod merchant;
pub mod node;
pub mod pair;
pub mod ports;
pub mod process;
pub mod proxy;
pub mod receiver;
pub mod relay;
pub mod rpc;
pub mod scene;
pub mod sim;
pub mod sse;
pub mod wait;
pub mod wallet;

pub use app::{App, Setup};
pub use checkout::{Charge, Checkout};
pub use clock::Clock;
pub use coins::{Coin, Coins};
pub use letters::Letters;
pub use litestream::Litestream;
pub use mapi::Api;
pub use merchant::Merchant;
pub use node::{Node, Role};
pub use pair::Pair;
pub use proxy::{Proxy, ProxyKind};
pub use relay::Relay;
pub use scene::Scene;
pub use wait::{eventually, eventually_within};
pub use wallet::Wallet;
