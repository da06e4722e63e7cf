//! The event object, and the body of a delivery around it.

use bitpro_base::instants::instant_millis;
use bitpro_charge::{Announcement, Timestamp};
use bytes::Bytes;
use serde::Serialize;

use super::charge::ChargeObject;
use super::text::json;

/// What a merchant is told: one webhook event, and one entry of the log of events (R36).
#[derive(Debug, Serialize)]
pub struct EventObject {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    /// The reference's own spelling.
    occured_at: String,
    data: ChargeObject,
}

impl EventObject {
    /// The event called `id`, that told `announcement` at `at`, with the charge as it stood there.
    #[must_use]
    pub fn new(id: [u8; 16], announcement: Announcement, at: Timestamp, data: ChargeObject) -> Self {
        Self {
            id: event_id(id),
            kind: announcement.as_str(),
            occured_at: instant_millis(at),
            data,
        }
    }

    /// Its bytes, which are the same at every attempt.
    #[must_use]
    pub fn to_json(&self) -> Bytes {
        json(self)
    }
}

/// The body of the delivery attempt number `attempt` (from 1) of `event`: attempts differ in that number, and in the event
/// that came to be delivered before this one, if any (R19, R35).
#[must_use]
pub fn delivery_body(attempt: u32, event: &[u8], superseded_by: Option<[u8; 16]>) -> Bytes {
    let newer = superseded_by.map(|newer| format!(",\"superseded_by\":\"{}\"", event_id(newer)));
    enveloped(attempt, event, newer.as_deref().unwrap_or_default())
}

/// The body of a test delivery: it says that it is one, and names no order.
#[must_use]
pub fn test_body(id: [u8; 16], announcement: Announcement, at: Timestamp) -> Bytes {
    let event = EventObject::new(id, announcement, at, ChargeObject::of_nothing(at)).to_json();
    enveloped(1, &event, ",\"test\":true")
}

/// The bytes of `event` with what is said around them; `more` are further members.
fn enveloped(attempt: u32, event: &[u8], more: &str) -> Bytes {
    let mut body = Vec::with_capacity(event.len() + 96);
    body.extend_from_slice(format!("{{\"delivery_attempt\":{attempt},\"event\":").as_bytes());
    body.extend_from_slice(event);
    body.extend_from_slice(more.as_bytes());
    body.push(b'}');
    body.into()
}

/// Written like any other id.
fn event_id(id: [u8; 16]) -> String {
    bitpro_charge::ChargeId(id).to_string()
}

#[cfg(test)]
mod tests {
    use bitpro_charge::{
        Amount, BlockHash, BlockRef, Cents, Charge, ChargeId, Event, Interval, LatePolicy, Loss, MerchantId, Outpoint,
        Payment, Place, Quote, Rate, State, Terms, Tiers, Verdict, Whereabouts,
    };
    use bitpro_store::{ChargeOrigin, Personal};

    use super::*;
    use crate::wire::ObjectContext;

    /// 2018-05-10T12:12:35Z.
    const CREATED: Timestamp = Timestamp(1_525_954_355_000);
    const EVENT: [u8; 16] = [
        0x67, 0xc0, 0xe8, 0x53, 0xbb, 0x77, 0x46, 0xce, 0xae, 0x20, 0x09, 0x01, 0x12, 0x99, 0xcb, 0x22,
    ];

    fn terms() -> Terms {
        Terms {
            price: Cents(4_200),
            amount: Amount::from_sat(49_409_323),
            forgiven: Amount::ZERO,
            quote: Quote {
                rate: Rate::from_cents_per_btc(8_500).unwrap(),
                source: "kraken 12:12:33Z".to_owned(),
                at: Timestamp(CREATED.0 - 2_000),
            },
            spread_bps: 0,
            created_at: CREATED,
            expires_at: CREATED.plus_secs(1_200),
            grace_secs: 90,
            settle_within_secs: 172_800,
            extension_secs: 600,
            tiers: Tiers::default(),
            late_policy: LatePolicy::Ask,
            rate_move_limit_bps: 200,
            dust_limit: Amount::from_sat(294),
        }
    }

    fn payment(first: &str, whereabouts: Whereabouts) -> Payment {
        let txid = format!("{first}c68db848026b167ceb584f8e0b466601663a9de739951f79cb964aea06fe3e");
        Payment {
            outpoint: Outpoint {
                txid: txid.parse().unwrap(),
                vout: 1,
            },
            value: Amount::from_sat(49_409_323),
            whereabouts,
            first_seen: Interval::at(Timestamp(CREATED.0 + 600_550)),
            replaced: Vec::new(),
            replaced_earlier: false,
            met_in_mempool: true,
            coinbase: false,
            merchant_total: Amount::from_sat(49_409_323),
            rate: None,
            rate_when_found: None,
            judgement: None,
            stalled: false,
        }
    }

    fn paid() -> Charge {
        let address = "1BTCADDR58375dace00e01c55b5d5a29c2".to_owned();
        let mut charge = Charge::new(ChargeId([1; 16]), MerchantId([2; 16]), address, terms());
        let block = Place::Block(BlockRef {
            height: 100,
            hash: BlockHash([9; 32]),
        });
        charge.apply(&Event::PaymentFound(payment("5e", Whereabouts::Live(block))));
        charge.apply(&Event::PaymentFound(payment("6e", Whereabouts::Gone(Loss::Replaced))));
        charge.apply(&Event::StateChanged {
            verdict: Verdict {
                state: State::Seen,
                reason: None,
            },
            tip: 100,
        });
        charge
    }

    fn event(charge: &Charge, personal: &Personal) -> Bytes {
        let context = ObjectContext {
            order_id: Some("A \"7\""),
            origin: ChargeOrigin::Api,
            personal,
            order_conflict: false,
            tip: 100,
            public_url: "https://pay.example",
        };
        let data = ChargeObject::of(charge, &context);
        EventObject::new(EVENT, Announcement::Seen, Timestamp(CREATED.0 + 600_550), data).to_json()
    }

    #[test]
    fn r35_payload_bytes_are_pinned() {
        let personal = Personal {
            buyer_email: Some("anna@shop.example".to_owned()),
            metadata: Some("{\"cart\":7}".to_owned()),
            notes: None,
        };
        let body = delivery_body(1, &event(&paid(), &personal), None);
        let expected = concat!(
            // The reference, with 8 places for its 9 (R11).
            r#"{"delivery_attempt":1,"event":{"id":"67c0e853-bb77-46ce-ae20-09011299cb22","type":"charge:seen","#,
            r#""occured_at":"2018-05-10T12:22:35.550Z","data":{"fiat_price":42.0,"#,
            r#""expires_at":"2018-05-10T12:32:35Z","created_at":"2018-05-10T12:12:35Z","#,
            r#""addresses":[{"address":"1BTCADDR58375dace00e01c55b5d5a29c2"}],"payments":[{"#,
            r#""txid":"5ec68db848026b167ceb584f8e0b466601663a9de739951f79cb964aea06fe3e","#,
            r#""value":"0.49409323","state":"confirmed","#,
            // Additive.
            r#""vout":1,"value_sat":49409323,"confirmations":1,"first_seen_at":"2018-05-10T12:22:35Z","#,
            r#""rate_cents_per_btc":null}],"#,
            r#""id":"01010101-0101-0101-0101-010101010101","state":"seen","reason":null,"sequence":3,"round":0,"#,
            r#""external_order_id":"A \"7\"","buyer_email":"anna@shop.example","fiat_currency":"eur","#,
            r#""fiat_price_cents":4200,"amount_sat":49409323,"received_sat":49409323,"remaining_sat":0,"#,
            r#""confirmations":1,"confirmations_required":1,"price_verified":true,"order_conflict":false,"#,
            r#""origin":"api","rate":{"cents_per_btc":8500,"source":"kraken 12:12:33Z","at":"2018-05-10T12:12:33Z","#,
            r#""spread_bps":0},"payments_total":1,"gone_payments":[{"#,
            r#""txid":"6ec68db848026b167ceb584f8e0b466601663a9de739951f79cb964aea06fe3e","value":"0.49409323","#,
            r#""state":"replaced","vout":1,"value_sat":49409323}],"gone_payments_total":1,"earlier_payments":[],"metadata":{"cart":7},"#,
            r#""url":"https://pay.example/app/checkout/02020202-0202-0202-0202-020202020202/"#,
            r#"01010101-0101-0101-0101-010101010101"}}}"#,
        );
        assert_eq!(std::str::from_utf8(&body).unwrap(), expected);
    }

    #[test]
    fn r35_attempts_differ_in_their_number_and_in_what_superseded_them() {
        let event = event(&paid(), &Personal::default());
        let first = delivery_body(1, &event, None);
        let third = String::from_utf8(delivery_body(3, &event, Some([3; 16])).to_vec()).unwrap();
        let undone = third
            .replacen("\"delivery_attempt\":3", "\"delivery_attempt\":1", 1)
            .replacen(",\"superseded_by\":\"03030303-0303-0303-0303-030303030303\"", "", 1);
        assert_eq!(undone.as_bytes(), &first[..]);
    }

    #[test]
    fn r11_at_most_100_payments_are_listed_and_the_totals_cover_all() {
        let mut charge = paid();
        for n in 0..150 {
            let mut more = payment("7e", Whereabouts::Live(Place::Mempool));
            more.outpoint.vout = n;
            charge.apply(&Event::PaymentFound(more));
        }
        let event: serde_json::Value = serde_json::from_slice(&event(&charge, &Personal::default())).unwrap();
        let data = &event["data"];
        assert_eq!(data["payments"].as_array().unwrap().len(), 100);
        assert_eq!(data["payments_total"], 151);
        assert_eq!(data["received_sat"], 151 * 49_409_323_u64);
    }

    #[test]
    fn a_test_delivery_says_so_and_names_no_order() {
        let body = test_body(EVENT, Announcement::Confirmed, CREATED);
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["test"], true);
        assert_eq!(body["event"]["type"], "charge:confirmed");
        let data = &body["event"]["data"];
        assert_eq!(data["external_order_id"], serde_json::Value::Null);
        assert_eq!(data["fiat_price"].to_string(), "0.0");
        // The same fields as in a true one, so that a receiver's parser is tested too.
        let true_one: serde_json::Value = serde_json::from_slice(&event(&paid(), &Personal::default())).unwrap();
        let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(data), names(&true_one["data"]));
    }
}
