//! The merchants' servers: what they are told, and what they answer.

use std::collections::BTreeMap;

use bitpro_charge::ChargeId;
use bitpro_service::webhooks::{Attempt, FailureKind};

use super::dice::Dice;

/// How a receiver behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It takes everything.
    Well,
    /// It answers 500 now and then, or not at all.
    Flaky,
    /// It does not answer.
    Dead,
    /// It is gone for good (410).
    Gone,
}

/// One thing that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The event's id.
    pub event: String,
    /// As in `charge:confirmed`.
    pub kind: String,
    /// About which charge.
    pub charge: ChargeId,
    /// Its number among the charge's events.
    pub sequence: u64,
    /// Its round.
    pub round: u64,
    /// The state that it shows.
    pub state: String,
    /// When, by the server's clock.
    pub at: i64,
    /// Which attempt it was.
    pub attempt: u64,
    /// Whether it was taken.
    pub taken: bool,
}

/// A receiver.
#[derive(Debug)]
pub struct Receiver {
    /// Its address.
    pub url: String,
    /// How it behaves.
    pub mood: Mood,
    /// Whether it was ever gone for good: what waits for it then is told later, in another order.
    pub was_gone: bool,
    /// Everything that it was sent, in the order in which it came.
    pub heard: Vec<Heard>,
}

/// All receivers, by their address.
#[derive(Debug, Default)]
pub struct Receivers(pub BTreeMap<String, Receiver>);

impl Receivers {
    /// Adds a receiver.
    pub fn add(&mut self, url: &str) {
        self.0.entry(url.to_owned()).or_insert_with(|| Receiver {
            url: url.to_owned(),
            mood: Mood::Well,
            was_gone: false,
            heard: Vec::new(),
        });
    }

    /// What the receiver of an attempt answers.
    ///
    /// # Errors
    /// Why there is no answer.
    ///
    /// # Panics
    /// When the attempt is not a webhook's.
    pub fn answer(&mut self, attempt: &Attempt, dice: &mut Dice) -> Result<u16, FailureKind> {
        let body: serde_json::Value = serde_json::from_slice(&attempt.body).expect("a delivery is JSON");
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let receiver = self.0.get_mut(&*attempt.url).expect("only known receivers are told");
        let answer = match receiver.mood {
            Mood::Well => Ok(200),
            Mood::Flaky => match dice.below(4) {
                0 => Ok(500),
                1 => Err(FailureKind::Slow),
                _ => Ok(204),
            },
            Mood::Dead => Err(FailureKind::Refused),
            Mood::Gone => Ok(410),
        };
        let data = &body["event"]["data"];
        receiver.heard.push(Heard {
            event: text(&body["event"]["id"]),
            kind: text(&body["event"]["type"]),
            charge: text(&data["id"]).parse().unwrap_or(ChargeId([0; 16])),
            sequence: data["sequence"].as_u64().unwrap_or_default(),
            round: data["round"].as_u64().unwrap_or_default(),
            state: text(&data["state"]),
            at: attempt.at.0,
            attempt: body["delivery_attempt"].as_u64().unwrap_or_default(),
            taken: matches!(answer, Ok(200..=299)),
        });
        answer
    }
}
