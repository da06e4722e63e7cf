//! The payment page: rendered by the server (feature `ssr`), taken over in the browser (feature `hydrate`).
//!
//! What stands on the page of a charge is decided by [`screen::Screen::of`], a pure function; components put it into elements,
//! the same in both places. The server's side is [`ssr`], the browser's `hydrate`.

// `shrink.mjs` takes `Debug` out of the bundle, with the messages of panics; a text made by it would be a trap.
#![cfg_attr(feature = "hydrate", warn(clippy::use_debug))]

pub mod copy;
pub mod follow;
pub mod format;
pub mod icons;
pub mod json;
pub mod page;
pub mod price;
pub mod read;
pub mod screen;

#[cfg(any(test, feature = "sample"))]
pub mod sample;

#[cfg(any(feature = "ssr", feature = "hydrate"))]
mod app;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
mod components;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
mod model;

#[cfg(feature = "hydrate")]
mod browser;
#[cfg(feature = "hydrate")]
pub mod hydrate;
#[cfg(feature = "hydrate")]
mod stream;

#[cfg(feature = "ssr")]
pub mod qr;
#[cfg(feature = "ssr")]
pub mod ssr;
#[cfg(feature = "ssr")]
pub mod theme;

/// The id of the script element that carries a [`page::PageState`] as JSON.
pub const STATE_ELEMENT: &str = "bitpro-state";
