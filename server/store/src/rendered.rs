//! The public view of a charge as JSON, kept until something in it changes: a status read is then a copy.

use std::fmt::Write as _;
use std::sync::Arc;

use bitpro_charge::Timestamp;
use bitpro_charge::wire::{ChargeView, NodeView};
use bytes::Bytes;
use parking_lot::RwLock;

/// What a rendering depends on beside the charge. The time itself is put in at each read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderKey {
    /// Height of the tip.
    pub tip: u32,
    /// The node's condition.
    pub node: NodeView,
    /// Whether the shopper should still pay: it ends with the deadline, without an event.
    pub payable: bool,
    /// Rises whenever a merchant is changed.
    pub merchants: u64,
}

/// A place for the rendering.
#[derive(Debug, Default)]
pub struct Rendered(RwLock<Option<(RenderKey, Arc<Parts>)>>);

/// The JSON before and after the time.
#[derive(Debug)]
pub struct Parts {
    head: Box<str>,
    tail: Box<str>,
}

/// The member that is cut out. No string before it can contain it unescaped, for only fixed words and hexadecimal digits
/// stand there.
const NOW: &str = "\"now\":";

impl Rendered {
    /// The view under `key` at `now`; `view` makes it when the kept one is of another key.
    pub fn json(&self, key: RenderKey, now: Timestamp, view: impl FnOnce() -> ChargeView) -> Bytes {
        let kept = match &*self.0.read() {
            Some((kept_key, parts)) if *kept_key == key => Some(Arc::clone(parts)),
            _ => None,
        };
        let parts = kept.unwrap_or_else(|| {
            let parts = Arc::new(Parts::of(&view()));
            *self.0.write() = Some((key, Arc::clone(&parts)));
            parts
        });
        parts.at(now)
    }
}

impl Parts {
    fn of(view: &ChargeView) -> Self {
        let json = serde_json::to_string(view).expect("a view of texts and numbers always serializes");
        let (head, rest) = json.split_once(NOW).expect("every view has the time in it");
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '-')
            .unwrap_or(rest.len());
        Self {
            head: format!("{head}{NOW}").into(),
            tail: rest[digits..].into(),
        }
    }

    fn at(&self, now: Timestamp) -> Bytes {
        let mut json = String::with_capacity(self.head.len() + 20 + self.tail.len());
        json.push_str(&self.head);
        write!(json, "{}", now.0).expect("writing to a String cannot fail");
        json.push_str(&self.tail);
        Bytes::from(json)
    }
}
