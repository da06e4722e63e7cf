//! Why a receiver gave no answer: a kind, which is all that merchants are told, and the causes as the machine says them, which go to
//! the operator's log. Causes name addresses and resolvers of the operator's own network, and where a webhook leads is for others
//! to choose.

use std::error::Error;
use std::fmt;
use std::io;

use bitpro_base::http_client::with_causes;
use hyper_util::client::legacy;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// It did not come in time.
    Slow,
    /// The name leads nowhere.
    UnknownName,
    /// The name leads into a network that is not public.
    NotPublic,
    /// Nothing listens there.
    Refused,
    /// The host, or its network, cannot be reached.
    Unreachable,
    /// The certificate is expired, for another name, or of an unknown issuer.
    Untrusted,
    /// There is no TLS, or none that both sides speak.
    NoTls,
    /// The receiver hung up before it had answered.
    BrokenOff,
    /// What came is no answer of HTTP.
    Unreadable,
}

impl FailureKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Slow,
        Self::UnknownName,
        Self::NotPublic,
        Self::Refused,
        Self::Unreachable,
        Self::Untrusted,
        Self::NoTls,
        Self::BrokenOff,
        Self::Unreadable,
    ];

    /// What is stored of a failure: it never changes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slow => "too slow",
            Self::UnknownName => "unknown host name",
            Self::NotPublic => "no public address",
            Self::Refused => "connection refused",
            Self::Unreachable => "host not reachable",
            Self::Untrusted => "certificate not trusted",
            Self::NoTls => "no TLS connection",
            Self::BrokenOff => "connection broken off",
            Self::Unreadable => "no answer of HTTP",
        }
    }

    /// A failure of this kind.
    pub(super) fn by(self, causes: String) -> Failure {
        Failure { kind: self, causes }
    }

    /// The kind of a stored failure. Earlier releases stored the causes behind it, or nothing else.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            let rest = text.strip_prefix(kind.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(": "))
        })
    }

    /// A stored failure as merchants' programs are told of it.
    pub(super) fn told(text: &str) -> String {
        Self::read(text).map_or("no answer", Self::as_str).to_owned()
    }
}

/// Why there is no answer, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    causes: String,
}

impl Failure {
    /// A failure of which nothing more is known.
    pub(super) const fn of(kind: FailureKind) -> Self {
        Self {
            kind,
            causes: String::new(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.causes)
    }
}

/// Why a request failed.
pub(super) fn why(error: &legacy::Error) -> Failure {
    let usual = if error.is_connect() {
        FailureKind::Unreachable
    } else {
        FailureKind::BrokenOff
    };
    of(error).unwrap_or(usual).by(with_causes(error))
}

/// The kind by the first of the causes that tells.
fn of(error: &(dyn Error + 'static)) -> Option<FailureKind> {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    causes.find_map(|cause| {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return of_io(error);
        }
        let error = cause.downcast_ref::<hyper::Error>()?;
        if error.is_parse() {
            return Some(FailureKind::Unreadable);
        }
        error.is_incomplete_message().then_some(FailureKind::BrokenOff)
    })
}

fn of_io(error: &io::Error) -> Option<FailureKind> {
    // What an error of this type carries is none of its sources.
    if let Some(inner) = error.get_ref() {
        if let Some(error) = inner.downcast_ref::<rustls::Error>() {
            return Some(match error {
                rustls::Error::InvalidCertificate(_) => FailureKind::Untrusted,
                _ => FailureKind::NoTls,
            });
        }
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            return of_io(error);
        }
    }
    match error.kind() {
        io::ErrorKind::TimedOut => Some(FailureKind::Slow),
        // It was longer than any answer that is wanted.
        io::ErrorKind::InvalidData => Some(FailureKind::Unreadable),
        io::ErrorKind::NotFound => Some(FailureKind::UnknownName),
        io::ErrorKind::PermissionDenied => Some(FailureKind::NotPublic),
        io::ErrorKind::ConnectionRefused => Some(FailureKind::Refused),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some(FailureKind::Unreachable),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(FailureKind::BrokenOff),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_failure_is_read_back_and_told_without_its_causes() {
        for kind in FailureKind::ALL {
            assert_eq!(FailureKind::read(kind.as_str()), Some(kind));
            let of_earlier_release = kind.by("10.0.0.7: b".to_owned()).to_string();
            assert_eq!(FailureKind::told(&of_earlier_release), kind.as_str());
        }
        assert_eq!(FailureKind::told("dns error: db.internal has 10.0.0.7"), "no answer");
    }
}
