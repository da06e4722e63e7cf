//! The words of the wire, pinned: merchants, databases and pages hold them.

use bitpro_charge::{
    Announcement, Cents, Event, IdError, Interval, Judgement, Loss, Network, Outpoint, Place, PriceError, RateError,
    Reason, Refusal, State, TermsError, Timestamp, Txid, Verdict,
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
        (Refusal::NothingToAccept.to_string(), "counts already"),
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

#[test]
fn only_a_fall_from_a_promise_is_a_reversal() {
    let reversals: Vec<_> = State::ALL
        .into_iter()
        .flat_map(|from| {
            State::ALL
                .into_iter()
                .filter(move |to| to.is_reversal_of(from))
                .map(move |to| (from, to))
        })
        .collect();
    let expected = [
        (State::Seen, State::Pending),
        (State::Seen, State::TimedOut),
        (State::Seen, State::Failed),
        (State::Confirmed, State::Pending),
        (State::Confirmed, State::Seen),
        (State::Confirmed, State::TimedOut),
        (State::Confirmed, State::Failed),
    ];
    assert_eq!(reversals, expected);
}

#[test]
fn an_event_is_stored_under_its_own_name() {
    let outpoint = Outpoint {
        txid: Txid([1; 32]),
        vout: 0,
    };
    let verdict = Verdict {
        state: State::Pending,
        reason: None,
    };
    let kinds = [
        Event::PaymentMoved {
            outpoint,
            place: Place::Mempool,
        },
        Event::FirstSeenCorrected {
            outpoint,
            first_seen: Interval::at(Timestamp(0)),
        },
        Event::PaymentLost {
            outpoint,
            loss: Loss::Dropped,
        },
        Event::ConfirmationsRaised { required: 3 },
        Event::DeadlineObserved {
            observed_until: Timestamp(0),
        },
        Event::Stalled { outpoints: vec![] },
        Event::Judged {
            outpoint,
            judgement: Judgement::Taken,
            compared: None,
        },
        Event::Accepted {
            outpoints: vec![],
            suffices: None,
        },
        Event::Cancelled { at: Timestamp(0) },
        Event::MadeEarlier { at: Timestamp(0) },
        Event::StateChanged { verdict, tip: 0 },
        Event::Restored { sequence: 1 },
        Event::Announced {
            announcement: Announcement::Seen,
            tip: 0,
        },
    ]
    .map(|event| event.kind());
    let words = [
        "payment_moved",
        "first_seen_corrected",
        "payment_lost",
        "confirmations_raised",
        "deadline_observed",
        "stalled",
        "judged",
        "accepted",
        "cancelled",
        "made_earlier",
        "state_changed",
        "restored",
        "announced",
    ];
    assert_eq!(kinds, words);
}
