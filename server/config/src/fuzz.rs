//! The configuration file, as an operator may have written it.

use bitpro_base::fuzzing::{Memory, Target, text};

use super::{Config, ConfigError, Origin, SETTINGS, source};

/// What is fuzzed here.
pub const TARGETS: &[Target] = &[Target::new(
    "configuration",
    2_000,
    &[
        "network = \"regtest\"\n",
        "data_dir = \"/srv\"\n",
        "listen = ",
        "\"127.0.0.1:8080\"",
        "public_url = \"https://pay.example\"\n",
        "secret_key = \"",
        "trusted_proxies = [",
        "\"10.0.0.0/8\"",
        "webhook_allow_http = ",
        "explorer_url = \"https://x/{txid}\"",
        "log = \"info\"",
        "mail",
        "smtp_",
        "rates = ",
        "reorg_limit = ",
        "= \"",
        "\"\n",
        "[a]",
        "'''",
        "é",
        "1e400",
        "-1",
        "0x",
        "inf",
    ],
    configuration,
)
.within(Memory {
    base: 2 * 1024 * 1024,
    per_byte: 512,
    times: 16,
})];

/// What is taken says the same in the environment; what is refused is named by its setting and its place, without a secret.
fn configuration(input: &[u8]) {
    let Some(text) = text(input) else { return };
    // Files that it names are read: none is what it says when there is none.
    if text.contains("_file") || text.contains("cookie") {
        return;
    }
    let home = Some("/nowhere".as_ref());
    let mut errors = Vec::new();
    let mut written = source::Written::new();
    source::from_text(text, "bitpro.toml", &mut written, &mut errors);
    let environment: Vec<(String, String)> = written
        .iter()
        .map(|(name, (value, _))| (format!("BITPRO_{}", name.to_ascii_uppercase()), value.clone()))
        .collect();
    let secret = written.get("secret_key").map(|(secret, _)| secret.trim().to_owned());
    written.retain(|_, (value, _)| !value.trim().is_empty());
    match Config::from_written(written, errors, home, false) {
        Ok(config) => {
            let again = Config::from_sources(environment, None, home).expect("the environment says the same");
            assert_eq!(format!("{again:?}"), format!("{config:?}"));
        }
        Err(refused) => {
            assert!(!refused.0.is_empty());
            for error in &refused.0 {
                assert_names_its_place(error, secret.as_deref());
            }
        }
    }
}

fn assert_names_its_place(error: &ConfigError, secret: Option<&str>) {
    let said = error.to_string();
    match error {
        ConfigError::Wrong { setting, origin, .. } => {
            assert!(said.contains(setting.name), "{said}");
            assert!(matches!(origin, Origin::File(_) | Origin::Default), "{said}");
        }
        ConfigError::Missing { setting, .. } => assert!(said.contains(setting.name), "{said}"),
        ConfigError::Unknown { name, .. } => assert!(said.contains(name.as_str()), "{said}"),
        ConfigError::Contradiction(text) => {
            assert!(SETTINGS.iter().any(|setting| text.contains(setting.name)), "{said}")
        }
        ConfigError::File { .. } => assert!(said.contains("bitpro.toml"), "{said}"),
    }
    // Shorter ones are part of any sentence.
    if let Some(secret) = secret.filter(|secret| secret.len() >= 24) {
        assert!(
            matches!(error, ConfigError::Unknown { .. }) || !said.contains(secret),
            "{said}"
        );
    }
}
