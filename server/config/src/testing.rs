//! A configuration for tests.

#![allow(clippy::unwrap_used, reason = "what fails here fails a test")]

use crate::{Config, Limits};

/// The limits of a configuration that says nothing of them.
pub fn default_limits() -> Limits {
    let least = [("BITPRO_NETWORK", "regtest"), ("BITPRO_DATA_DIR", "/nowhere")];
    let least = least.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Config::from_sources(least, None, Some("/nowhere".as_ref()))
        .unwrap()
        .limits
}
