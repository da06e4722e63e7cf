//! What fuzzing needs to see of letters.

use bitpro_charge::Timestamp;
use bitpro_merchant::letters::{Letter, clean};

use super::message;

/// The text as each kind of text of others stands in a letter.
pub fn cleaned(text: &str) -> [String; 3] {
    [clean::name(text), clean::order_id(text), clean::client(text)]
}

/// The letter as it goes over the wire.
pub fn written(letter: &Letter, at: Timestamp) -> Result<Vec<u8>, String> {
    let from = "Shop <pay@shop.example>".parse().expect("a test's own address");
    message::message(letter, &from, [7; 16], at).map(|message| message.formatted())
}
