//! Letters as they wait in the outbox, below the seal.

use bitpro_merchant::letters::Letter;
use serde::{Deserialize, Serialize};

use super::{BadDocument, expect_version};

#[derive(Serialize, Deserialize)]
struct StoredLetter {
    version: u32,
    to: String,
    subject: String,
    text: String,
    html: String,
}

/// The document for a letter.
pub(crate) fn letter_to(letter: &Letter) -> Vec<u8> {
    let stored = StoredLetter {
        version: 1,
        to: letter.to.clone(),
        subject: letter.subject.clone(),
        text: letter.text.clone(),
        html: letter.html.clone(),
    };
    serde_json::to_vec(&stored).expect("texts always serialize")
}

/// The letter in a document.
///
/// # Errors
/// [`BadDocument`].
pub fn letter_from(document: &[u8]) -> Result<Letter, BadDocument> {
    let stored: StoredLetter = serde_json::from_slice(document)?;
    expect_version(stored.version)?;
    Ok(Letter {
        to: stored.to,
        subject: stored.subject,
        text: stored.text,
        html: stored.html,
    })
}
