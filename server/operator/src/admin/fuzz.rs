//! What comes through the socket of the command line: of the server's own user, but perhaps by a program of another version.

use bitpro_base::fuzzing::{Memory, Target, assert_fit_to_show};
use bitpro_base::links::LinkKey;
use bitpro_charge::{Cents, MerchantId, Timestamp};
use bitpro_web::checkout::params::Params;

use super::links::{LinkCommand, LinkToSign, sign_offline};
use super::socket::{name, understood};
use super::wire::{Command, Kind};

/// What is fuzzed here.
pub const TARGETS: &[Target] = &[Target::new(
    "admin-command",
    4_000,
    &[
        "{\"command\":\"",
        "list-merchants",
        "set-merchant",
        "\"edit\":{\"settings\":[[\"",
        "\"descriptor\":null",
        "\"logo\":\"",
        "\"link\":\"sign\"",
        "\"webhook\":\"add\"",
        "\"account\":\"disable\"",
        "\"force\":true",
        "\"merchant\":\"",
        "0f3a7c1e-5b7d-4f43-9d52-0a3c2f6e8b11",
        "\"price\":\"4200\"",
        "\"currency\":\"eur\"",
        "\"order_id\":\"",
        "\"buyer_email\":\"ada@shop.example\"",
        "\"lang\":\"fr\"",
        "\"expires\":1800000000",
        "\"valid_secs\":4294967295",
        "\"outpoints\":[",
        "\\u001b[2J",
        "\\ud83d\\ude00",
        "[[[[[[[[",
    ],
    admin_command,
)
.within(Memory {
    base: 128 * 1024,
    per_byte: 256,
    times: 16,
})];

/// A command that is understood is understood again when it is sent on, in one line; what is not is answered in a line. A link that is
/// signed is one that the checkout takes.
fn admin_command(input: &[u8]) {
    let command = match understood(input) {
        Ok(command) => command,
        Err(failure) => {
            assert_eq!(failure.kind, Kind::Invalid);
            return assert_fit_to_show(&failure.message);
        }
    };
    let line = serde_json::to_vec(&command).expect("a command is written");
    assert!(!line.contains(&b'\n'), "a command is a line");
    assert_eq!(understood(&line).as_ref(), Ok(&command));
    // The log names it without what stands in it.
    let name = name(&command);
    assert!(
        name.len() <= 24
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || b" -".contains(&byte))
    );
    if let Command::Link(LinkCommand::Sign(link)) = command {
        sign(&link);
    }
}

fn sign(link: &LinkToSign) {
    let (key, now) = (LinkKey::new([9; 32]), Timestamp::from_secs(1_700_000_000));
    let signed = match sign_offline(link, &key, now) {
        Ok(signed) => signed,
        Err(failure) => {
            assert_eq!(failure.kind, Kind::Invalid);
            return assert_fit_to_show(&failure.message);
        }
    };
    let merchant: MerchantId = link.merchant.parse().expect("it was read before");
    let written = signed["link"].as_str().expect("a link");
    let (path, query) = written.split_once('?').expect("a query");
    assert_eq!(path, format!("/app/checkout/{merchant}"));
    let params = Params::parse(query, Cents(u64::MAX)).expect("R21: a link that is signed is taken");
    let price = params.price.expect("R21: a signed link has a price");
    assert_eq!(price.0.to_string(), link.price.trim_start_matches('0'));
    let claim = params.claim.expect("a signed link is one");
    assert_eq!(claim.check(merchant, [&key], now), Ok(()), "R21: {written}");
}
