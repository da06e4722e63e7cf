//! E-mail: who it is from, and how it leaves.

use std::fmt;
use std::path::{Path, PathBuf};

use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use url::Url;

use super::reader::Reader;
use super::values::{PublicUrl, is_loopback};

/// How letters leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailConfig {
    /// Who they are from.
    pub from: Mailbox,
    /// The way out.
    pub transport: MailTransport,
}

/// The way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailTransport {
    /// Nothing leaves: each letter becomes a file in this folder.
    Files(PathBuf),
    /// A mail server takes them.
    Smtp(Smtp),
}

/// A mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct Smtp {
    /// Its name, which its certificate has to carry.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub protection: Protection,
    /// User and password, if it asks for them.
    pub credentials: Option<(String, String)>,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte.
    Tls,
    /// TLS after a greeting, and nothing without it.
    StartTls,
    /// None: on this machine only.
    Nothing,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither user nor password is ever printed.
        write!(f, "Smtp({}:{}, {:?})", self.host, self.port, self.protection)
    }
}

/// What is configured of e-mail; `None` only together with an error in the reader.
pub(super) fn mail(reader: &mut Reader, data_dir: Option<&Path>, public_url: Option<&PublicUrl>) -> Option<MailConfig> {
    let from = if reader.is_written("mail_from") {
        reader.parsed("mail_from", mailbox)
    } else {
        Some(default_from(public_url))
    };
    let errors_before = reader.errors.len();
    let transport = match reader.secret_text("smtp_url") {
        Some((text, origin)) => {
            let server = smtp(text.trim());
            if server.is_none() {
                reader.wrong("smtp_url", String::new(), origin, None);
            }
            server.map(MailTransport::Smtp)
        }
        None if reader.errors.len() > errors_before => None,
        None => data_dir.map(|folder| MailTransport::Files(folder.join("mail"))),
    };
    Some(MailConfig {
        from: from?,
        transport: transport?,
    })
}

/// An address, with or without a name before it.
pub(super) fn mailbox(text: &str) -> Option<Mailbox> {
    if text.chars().any(char::is_control) {
        return None;
    }
    text.parse().ok()
}

pub(super) fn address(text: &str) -> Option<String> {
    let mailbox = mailbox(text).filter(|mailbox| mailbox.name.is_none())?;
    Some(mailbox.email.to_string())
}

/// Shops without a name in their public address are tried out on one machine.
fn default_from(public_url: Option<&PublicUrl>) -> Mailbox {
    let host = public_url.map_or("localhost", PublicUrl::host);
    let is_name = matches!(url::Host::parse(host), Ok(url::Host::Domain(_)));
    let address = if is_name {
        format!("bitpro@{host}").parse().ok()
    } else {
        None
    };
    Mailbox::new(
        None,
        address.unwrap_or_else(|| "bitpro@localhost".parse().expect("localhost is a domain")),
    )
}

fn smtp(text: &str) -> Option<Smtp> {
    let url = Url::parse(text).ok()?;
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    // Brackets belong to the text of a URL, not to the address in it.
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    let (protection, usual_port) = match url.scheme() {
        "smtps" => (Protection::Tls, 465),
        "smtp" if is_loopback_name(&host) => (Protection::Nothing, 25),
        "smtp" => (Protection::StartTls, 587),
        _ => return None,
    };
    let decoded = |part: &str| percent_decode_str(part).decode_utf8().ok().map(String::from);
    let credentials = match (url.username(), url.password()) {
        ("", None) => None,
        (user, Some(password)) if !user.is_empty() => Some((decoded(user)?, decoded(password)?)),
        _ => return None,
    };
    (is_bare && !host.is_empty()).then_some(Smtp {
        host,
        port: url.port().unwrap_or(usual_port),
        protection,
        credentials,
    })
}

/// The host of an address whose scheme is none of the web's is a plain text to the parser.
fn is_loopback_name(host: &str) -> bool {
    let bracketed = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    Url::parse(&format!("http://{bracketed}/")).is_ok_and(|url| is_loopback(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_is_protected_unless_it_is_this_machine() {
        for (text, host, port, protection) in [
            ("smtps://mail.example", "mail.example", 465, Protection::Tls),
            ("smtps://127.0.0.1:1465", "127.0.0.1", 1465, Protection::Tls),
            ("smtp://mail.example", "mail.example", 587, Protection::StartTls),
            ("smtp://mail.example:25/", "mail.example", 25, Protection::StartTls),
            ("smtp://192.0.2.1", "192.0.2.1", 587, Protection::StartTls),
            ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, Protection::Nothing),
            ("smtp://localhost", "localhost", 25, Protection::Nothing),
            ("smtp://[::1]:1025", "::1", 1025, Protection::Nothing),
        ] {
            let expected = Smtp {
                host: host.to_owned(),
                port,
                protection,
                credentials: None,
            };
            assert_eq!(smtp(text), Some(expected), "{text}");
        }
        for bad in [
            "mail.example",
            "http://mail.example",
            "smtp://mail.example/path",
            "smtp://user@mail.example",
            "smtp://mail.example?tls=none",
            "smtps://",
        ] {
            assert_eq!(smtp(bad), None, "{bad}");
        }
    }

    #[test]
    fn user_and_password_may_hold_any_character_and_are_never_printed() {
        let read = smtp("smtps://shop%40mail.example:p%2Fw%3A1@mail.example").unwrap();
        assert_eq!(
            read.credentials,
            Some(("shop@mail.example".to_owned(), "p/w:1".to_owned()))
        );
        assert_eq!(format!("{read:?}"), "Smtp(mail.example:465, Tls)");
    }

    #[test]
    fn letters_are_from_the_public_host_by_default() {
        let from = |url: &str| default_from(Some(&url.parse().unwrap())).to_string();
        assert_eq!(from("https://pay.example"), "bitpro@pay.example");
        assert_eq!(from("http://[::1]:8080"), "bitpro@localhost");
        assert_eq!(from("http://192.0.2.1"), "bitpro@localhost");
        assert_eq!(default_from(None).to_string(), "bitpro@localhost");
    }

    #[test]
    fn an_address_holds_no_second_line() {
        assert!(mailbox("Shop <pay@shop.example>").is_some());
        assert!(mailbox("Shop\r\nBcc: x@y.example <pay@shop.example>").is_none());
        assert_eq!(address("a@b.example"), Some("a@b.example".to_owned()));
        assert_eq!(address("A <a@b.example>"), None);
    }
}
