//! The rules about money that need no I/O, each by its number.

#[path = "../common/mod.rs"]
mod common;

mod amounts;
mod by_hand;
mod fee_raised;
mod first_sight;
mod inheritance;
mod receipts;
mod settlement;
mod state;
mod told;
