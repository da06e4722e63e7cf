//! What all clients of ours have in common when they ask servers of others: whom they trust, what they call themselves, and how much they
//! read at the most.

mod bounded;
mod line;

use rustls::{ClientConfig, RootCertStore};

pub use bounded::Bounded;
pub use line::{Line, Silence};

/// Some exchanges refuse clients without a name.
pub const NAME: &str = concat!("bitpro/", env!("CARGO_PKG_VERSION"));

/// TLS for a client that trusts `roots`.
pub fn tls(roots: RootCertStore) -> ClientConfig {
    // The provider is named here, so that it does not depend on what other parts of the process have installed.
    let provider = rustls::crypto::ring::default_provider();
    ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The certificate authorities that this machine trusts, or those in the file that `SSL_CERT_FILE` names.
#[must_use]
pub fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate authority could not be read");
    }
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    if unusable > 0 {
        tracing::debug!(unusable, "certificate authorities of an unknown kind were left out");
    }
    roots
}

/// The error with what caused it: the client's own words are only "client error (Connect)".
pub fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
