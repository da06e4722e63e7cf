//! The payment page: rendered by the server (feature `ssr`), taken over in the browser (feature `hydrate`).

pub mod copy;
pub mod format;
pub mod page;
pub mod price;
pub mod qr;

#[cfg(any(feature = "ssr", feature = "hydrate"))]
mod app;
#[cfg(feature = "hydrate")]
pub mod hydrate;
#[cfg(feature = "ssr")]
pub mod ssr;

/// The id of the script element that carries a [`page::ChargePage`] as JSON.
pub const STATE_ELEMENT: &str = "bitpro-state";
