//! How much each key may ask (R25): only requests with a right signature count, so that nobody else can use it up.

use bitpro_charge::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Buckets, RetryAfter, Standing};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The budgets of all keys.
#[derive(Debug)]
pub struct KeyLimit {
    buckets: Buckets<i64>,
    per_minute: u32,
    burst: u32,
}

impl KeyLimit {
    /// Budgets that refill by `per_minute` and hold `burst`.
    #[must_use]
    pub fn new(per_minute: u32, burst: u32) -> Self {
        Self {
            buckets: Buckets::new("api_key", per_minute, burst),
            per_minute,
            burst,
        }
    }

    /// Takes one request from a key's budget.
    pub fn take(&self, key: i64, now: Timestamp) -> Result<Standing, RetryAfter> {
        self.buckets.take_and_tell(key, now)
    }

    /// Writes the policy and where the key stands (draft-ietf-httpapi-ratelimit-headers-10). The quota is what a full budget
    /// holds, its window the time in which an empty one fills.
    pub fn tell(&self, headers: &mut HeaderMap, standing: Standing) {
        let window = (u64::from(self.burst) * 60).div_ceil(u64::from(self.per_minute.max(1)));
        let policy = format!("\"key\";q={};w={window}", self.burst);
        let limit = format!("\"key\";r={};t={}", standing.left, standing.full_in_secs);
        for (name, value) in [(POLICY, policy), (LIMIT, limit)] {
            let value = HeaderValue::try_from(value).expect("words and digits make a header");
            headers.insert(name, value);
        }
    }
}
