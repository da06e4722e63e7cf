//! The words of the wire, pinned: merchants, databases and pages hold them.

use bitpro_charge::{
    Announcement, Cents, IdError, Loss, Network, Outpoint, PriceError, RateError, Reason, Refusal, State, TermsError,
    Txid,
};

#[test]
fn states_are_the_api_references_words() {
    assert_eq!(
        State::ALL.map(State::as_str),
        ["pending", "seen", "confirmed", "timedout", "failed"]
    );
    for state in State::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
        assert_eq!(state.to_string(), state.as_str());
    }
    assert_eq!("Pending".parse::<State>(), Err(()));
}

#[test]
fn reasons_are_pinned() {
    let words = [
        "exact",
        "underpaid",
        "overpaid",
        "late",
        "replaced",
        "dropped",
        "reorged",
        "manual",
        "cancelled",
        "stuck",
    ];
    assert_eq!(Reason::ALL.map(Reason::as_str), words);
    for reason in Reason::ALL {
        assert_eq!(reason.as_str().parse(), Ok(reason));
        assert_eq!(reason.to_string(), reason.as_str());
    }
    assert_eq!("".parse::<Reason>(), Err(()));
    assert_eq!(
        [Loss::Replaced, Loss::Dropped, Loss::Reorged].map(Loss::as_str),
        ["replaced", "dropped", "reorged"]
    );
}

#[test]
fn announcements_are_the_webhooks_names() {
    let words = [
        "charge:seen",
        "charge:timedout",
        "charge:confirmed",
        "charge:failed",
        "charge:reverted",
        "charge:updated",
    ];
    assert_eq!(Announcement::ALL.map(Announcement::as_str), words);
}

#[test]
fn r42_every_network_but_mainnet_is_a_sandbox() {
    let networks = [Network::Mainnet, Network::Testnet4, Network::Signet, Network::Regtest];
    assert_eq!(
        networks.map(Network::as_str),
        ["mainnet", "testnet4", "signet", "regtest"]
    );
    assert_eq!(networks.map(Network::is_sandbox), [false, true, true, true]);
    for network in networks {
        assert_eq!(network.to_string().parse(), Ok(network));
    }
    assert_eq!("testnet".parse::<Network>(), Err(IdError::Network));
}

#[test]
fn errors_say_what_is_wrong_and_what_would_be_right() {
    let limit = bitpro_charge::Amount::from_sat(294);
    let amount = bitpro_charge::Amount::from_sat(10);
    let texts = [
        (IdError::Uuid.to_string(), "36 characters"),
        (IdError::Hash.to_string(), "64 hexadecimal digits"),
        (IdError::Outpoint.to_string(), "txid:vout"),
        (IdError::Network.to_string(), "regtest"),
        (PriceError::NotWhole.to_string(), "whole number"),
        (PriceError::Zero.to_string(), "zero"),
        (PriceError::Negative.to_string(), "negative"),
        (PriceError::AboveLimit(10_000_000).to_string(), "EUR 100000.00"),
        (RateError::Zero.to_string(), "zero"),
        (RateError::TooLarge.to_string(), "more bitcoin than exists"),
        (TermsError::Rate(RateError::Zero).to_string(), "zero"),
        (TermsError::Dust { amount, limit }.to_string(), "294 sat"),
        (Refusal::Stale(7).to_string(), "7"),
        (Refusal::NoLiveMoney.to_string(), "no live payment"),
        (Refusal::NotPending.to_string(), "only a pending charge"),
        (Cents(4_205).to_string(), "EUR 42.05"),
    ];
    for (text, part) in texts {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn an_outpoint_needs_both_its_parts() {
    let txid = Txid([7; 32]).to_string();
    for bad in [
        "",
        ":",
        &txid,
        &format!("{txid}:"),
        &format!("{txid}:x"),
        &format!("{}:0", &txid[1..]),
    ] {
        assert_eq!(bad.parse::<Outpoint>(), Err(IdError::Outpoint), "{bad}");
    }
}
