//! A letter as it goes over the wire.

use std::error::Error;
use std::time::{Duration, SystemTime};

use bitpro_charge::Timestamp;
use bitpro_merchant::letters::Letter;
use lettre::Message;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

/// Says that nobody wrote the letter, so that nobody's absence is answered to it (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// The message of `letter`. Its identity is the row's, so that whoever gets it twice can see that it is one.
///
/// # Errors
/// Says what is wrong, without the address.
pub(super) fn message(letter: &Letter, from: &Mailbox, id: [u8; 16], at: Timestamp) -> Result<Message, String> {
    let to = letter.to.parse().map_err(|_| "its address is none".to_owned())?;
    let millis = u64::try_from(at.0).unwrap_or(0);
    let date = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(letter.subject.clone())
        .date(date)
        .message_id(Some(format!("<{}@{}>", hex::encode(id), from.email.domain())))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(
            letter.text.clone(),
            letter.html.clone(),
        ))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(to: &str, subject: &str) -> Letter {
        Letter {
            to: to.to_owned(),
            subject: subject.to_owned(),
            text: "Bonjour é\n".to_owned(),
            html: "<p>Bonjour é</p>".to_owned(),
        }
    }

    fn written(letter: &Letter) -> Result<String, String> {
        let from = "Shop <pay@shop.example>".parse().unwrap();
        let message = message(letter, &from, [7; 16], Timestamp(1_795_577_580_000))?;
        Ok(String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn a_message_has_both_parts_and_an_identity_of_its_own() {
        let text = written(&letter("anna@shop.example", "Reçu")).unwrap();
        for line in [
            "From: Shop <pay@shop.example>\r\n",
            "To: anna@shop.example\r\n",
            "Subject: =?utf-8?b?UmXDp3U=?=\r\n",
            "Date: Wed, 25 Nov 2026 03:33:00 +0000\r\n",
            "Message-ID: <07070707070707070707070707070707@shop.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "MIME-Version: 1.0\r\n",
            "Content-Type: multipart/alternative;",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: text/html; charset=utf-8\r\n",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
    }

    #[test]
    fn no_header_can_be_smuggled_in() {
        let text = written(&letter("anna@shop.example", "Hi\r\nBcc: eve@evil.example")).unwrap();
        assert!(!text.contains("\nBcc:"), "{text}");
        for to in [
            "anna@shop.example\r\nBcc: eve@evil.example",
            "anna@shop.example, eve@evil.example",
            "nobody",
            "",
        ] {
            assert!(written(&letter(to, "Hi")).is_err(), "{to}");
        }
    }
}
