//! The parts of the page, in the order in which they stand on a phone.

mod address;
mod amount;
mod copy_target;
mod details;
mod footer;
mod rows;
mod shop;
mod stage;
mod state_line;
mod step;
mod time_left;

pub use address::address;
pub use amount::amount;
pub use details::{banner, details};
pub use footer::footer;
#[cfg(feature = "ssr")]
pub use rows::escaped;
#[cfg(feature = "ssr")]
pub use shop::picture;
pub use shop::shop;
pub use stage::stage;
pub use state_line::state_line;
pub use step::step;
pub use time_left::time_left;
