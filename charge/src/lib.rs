//! The domain of the checkout: what a charge is, and every rule about its money and its time.
//!
//! Nothing here reads a clock, draws a random number, or does I/O: time, rates and the chain come in as
//! arguments, decisions go out as events. The same code therefore runs in the server, in the browser and
//! in a test that replays a year in a millisecond.
//!
//! The one path through it: [`decide()`] turns an [`Observation`] about a [`Charge`] into [`Event`]s, and
//! [`Charge::apply`] folds events back into the charge. Rules are cited by their number (R1 to R44).

mod apply;
pub mod bip21;
mod counting;
mod decide;
mod event;
mod ids;
mod lineage;
mod marks;
mod money;
mod observation;
mod payment;
mod rate;
mod receipted;
mod refusal;
mod state;
mod terms;
mod time;
pub mod wire;
mod work;

pub use apply::Charge;
pub use bitcoin_units::Amount;
pub use decide::decide;
pub use event::{Announcement, Event, Recorded, Verdict};
pub use ids::{BlockHash, BlockRef, ChargeId, IdError, MerchantId, Network, Outpoint, Txid};
pub use money::{Cents, PriceError};
pub use observation::{Context, Found, Gone, Observation, Sighting};
pub use payment::{Judgement, Loss, Payment, Place, Whereabouts};
pub use rate::{Quote, Rate, RateError};
pub use refusal::Refusal;
pub use state::{Progress, Reason, State};
pub use terms::{LatePolicy, Terms, TermsError, Tiers, Tolerance};
pub use time::{Interval, Timestamp};
