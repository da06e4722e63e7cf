//! Fuzzing: what strangers send, held against what must be true of it whatever it is.
//!
//! A target takes any bytes, and panics when a property does not hold: what is taken reads back as the same, two readers that must agree
//! agree, nothing costs more than the input is long. The unit tests give each target its corpus (`fuzz/corpus`) and changes of it;
//! `cargo xtask fuzz` lets libFuzzer look for new ones by what they reach. docs/tests.md says how to add a target.

mod addresses;
mod headers;
mod mail;
mod shop;
#[cfg(test)]
mod tests;
mod wallet;

use bitpro_base::fuzzing::Target;

/// All targets.
pub const TARGETS: &[&[Target]] = &[
    addresses::TARGETS,
    mail::TARGETS,
    shop::TARGETS,
    headers::TARGETS,
    wallet::TARGETS,
    bitpro_service::accounts::passkeys::fuzz::TARGETS,
    bitpro_operator::admin::fuzz::TARGETS,
    bitpro_operator::backup::fuzz::TARGETS,
    bitpro_config::fuzz::TARGETS,
    bitpro_dashboard::fuzz::TARGETS,
    bitpro_mapi::fuzz::TARGETS,
    bitpro_node::fuzz::TARGETS,
    bitpro_rates::fuzz::TARGETS,
    bitpro_service::webhooks::fuzz::TARGETS,
];

/// The target called `name`.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().copied().flatten().find(|target| target.name == name)
}
