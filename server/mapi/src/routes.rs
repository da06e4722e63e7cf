//! The table of routes: what is not in it is neither served nor documented.

use bitpro_merchant::keys::Scope;

use super::route::{Field, Route, Verb, optional, required};
use super::{charges, events, rate, webhooks};

/// Every call of the API.
pub(super) static ROUTES: &[Route] = &[
    Route {
        verb: Verb::Get,
        path: "/mapi/charges",
        name: "listCharges",
        scope: Scope::ChargesRead,
        summary: "List charges",
        description: "The merchant's charges, newest first. Past the end, the list is empty. Continue with next_cursor: unlike pages, it does not shift when charges are created meanwhile.",
        query: LIST,
        body: None,
        success: (200, "ChargeList"),
        problems: &[
            (400, "malformed-parameter"),
            (400, "malformed-cursor"),
            (409, "stale-cursor"),
        ],
        example: None,
        handler: charges::list,
    },
    Route {
        verb: Verb::Post,
        path: "/mapi/charges",
        name: "createCharge",
        scope: Scope::ChargesWrite,
        summary: "Create a charge",
        description: "Creates a charge with its own address. Send the shopper to its url. The price comes from your server, so price_verified is true. An invalid e-mail or language is ignored, so that it does not cost you a sale.",
        query: &[],
        body: Some(CREATE),
        success: (201, "Charge"),
        problems: &[
            (400, "malformed-price"),
            (400, "negative-price"),
            (400, "malformed-currency"),
            (400, "order-id-too-long"),
            (422, "zero-price"),
            (422, "price-above-limit"),
            (422, "price-too-small"),
            (422, "unsupported-currency"),
            (422, "metadata-too-large"),
            (422, "unlisted-domain"),
            (422, "out-of-bounds"),
            (503, "no-rate"),
        ],
        example: Some(r#"{"fiat_price_cents":4200,"external_order_id":"A-1001","lang":"en"}"#),
        handler: charges::create,
    },
    Route {
        verb: Verb::Get,
        path: "/mapi/charges/{id}",
        name: "showCharge",
        scope: Scope::ChargesRead,
        summary: "Show a charge",
        description: "One charge as it is now.",
        query: &[],
        body: None,
        success: (200, "Charge"),
        problems: &[(400, "malformed-charge-id"), (404, "unknown-charge")],
        example: None,
        handler: charges::show,
    },
    Route {
        verb: Verb::Post,
        path: "/mapi/charges/{id}/cancel",
        name: "cancelCharge",
        scope: Scope::ChargesWrite,
        summary: "Cancel a charge",
        description: "Cancels a charge that nobody has paid. Money that was seen first wins. Money that arrives later is never accepted automatically.",
        query: &[],
        body: Some(CANCEL),
        success: (200, "Charge"),
        problems: &[
            (404, "unknown-charge"),
            (409, "stale-sequence"),
            (409, "not-pending"),
            (409, "chain-held"),
        ],
        example: Some(r#"{"sequence":0}"#),
        handler: charges::cancel,
    },
    Route {
        verb: Verb::Post,
        path: "/mapi/charges/{id}/accept",
        name: "acceptCharge",
        scope: Scope::ChargesAccept,
        summary: "Accept what was paid",
        description: "Accepts the named payments, whatever their amount and time. If they do not add up to its amount, \
                      the charge needs less from then on: what they add up to, plus, if none of them counted before, what already \
                      counts. It still needs its confirmations. On a confirmed charge, you can only accept payments that do not \
                      count yet.",
        query: &[],
        body: Some(ACCEPT),
        success: (200, "Charge"),
        problems: &[
            (404, "unknown-charge"),
            (409, "stale-sequence"),
            (409, "no-live-payment"),
            (409, "nothing-to-accept"),
            (409, "chain-held"),
        ],
        example: Some(
            r#"{"sequence":3,"payments":["5ec68db848026b167ceb584f8e0b466601663a9de739951f79cb964aea06fe3e:0"]}"#,
        ),
        handler: charges::accept,
    },
    Route {
        verb: Verb::Get,
        path: "/mapi/events",
        name: "listEvents",
        scope: Scope::ChargesRead,
        summary: "Read the log of events",
        description: "Every event that webhooks are made of, oldest first, each with the charge as it was then. Keep next_cursor and start there next time: after an outage, you miss nothing.",
        query: EVENTS,
        body: None,
        success: (200, "EventList"),
        problems: &[(400, "malformed-cursor"), (409, "stale-cursor")],
        example: None,
        handler: events::list,
    },
    Route {
        verb: Verb::Get,
        path: "/mapi/rate",
        name: "showRate",
        scope: Scope::ChargesRead,
        summary: "Show the exchange rate",
        description: "The rate that a charge created now would use.",
        query: &[],
        body: None,
        success: (200, "Rate"),
        problems: &[(503, "no-rate")],
        example: None,
        handler: rate::show,
    },
    Route {
        verb: Verb::Get,
        path: "/mapi/webhooks",
        name: "listWebhooks",
        scope: Scope::WebhooksWrite,
        summary: "List webhooks",
        description: "The merchant's webhooks, oldest first, without their secrets.",
        query: &[],
        body: None,
        success: (200, "WebhookList"),
        problems: &[],
        example: None,
        handler: webhooks::list,
    },
    Route {
        verb: Verb::Post,
        path: "/mapi/webhooks",
        name: "createWebhook",
        scope: Scope::WebhooksWrite,
        summary: "Add a webhook",
        description: "Adds a webhook: one state, one URL. The answer contains the secret that signs deliveries. No other answer does. A merchant can have 50.",
        query: &[],
        body: Some(WEBHOOK),
        success: (201, "Webhook"),
        problems: &[
            (409, "webhook-exists"),
            (422, "unknown-state"),
            (422, "url-malformed"),
            (422, "url-not-https"),
            (422, "url-port"),
            (422, "url-credentials"),
            (422, "url-fragment"),
            (422, "url-not-public"),
            (422, "too-many-webhooks"),
        ],
        example: Some(r#"{"state":"charge:confirmed","url":"https://shop.example/hooks/bitpro"}"#),
        handler: webhooks::create,
    },
    Route {
        verb: Verb::Delete,
        path: "/mapi/webhooks/{id}",
        name: "removeWebhook",
        scope: Scope::WebhooksWrite,
        summary: "Remove a webhook",
        description: "Removes a webhook and cancels its pending deliveries. The answer shows it as it was.",
        query: &[],
        body: None,
        success: (200, "Webhook"),
        problems: UNKNOWN_WEBHOOK,
        example: None,
        handler: webhooks::remove,
    },
    Route {
        verb: Verb::Post,
        path: "/mapi/webhooks/{id}/rotate",
        name: "rotateWebhookSecret",
        scope: Scope::WebhooksWrite,
        summary: "Rotate a webhook's secret",
        description: "Creates a new secret and shows it. The previous secret also signs for overlap_secs, at most 30 days.",
        query: &[],
        body: Some(ROTATE),
        success: (200, "Webhook"),
        problems: &[
            (400, "malformed-webhook-id"),
            (404, "unknown-webhook"),
            (422, "out-of-bounds"),
        ],
        example: Some(r#"{"overlap_secs":86400}"#),
        handler: webhooks::rotate,
    },
    Route {
        verb: Verb::Post,
        path: "/mapi/webhooks/{id}/test",
        name: "testWebhook",
        scope: Scope::WebhooksWrite,
        summary: "Test a webhook",
        description: "Sends one delivery now that says \"test\": true and names no order. If the receiver fails, the call still succeeds: the answer says what happened. An Idempotency-Key has no effect here.",
        query: &[],
        body: Some(&[]),
        success: (200, "WebhookTest"),
        problems: UNKNOWN_WEBHOOK,
        example: Some("{}"),
        handler: webhooks::test,
    },
    Route {
        verb: Verb::Post,
        path: "/mapi/webhooks/{id}/redeliver",
        name: "redeliverWebhook",
        scope: Scope::WebhooksWrite,
        summary: "Deliver again",
        description: "Delivers failed events again, or one event whatever happened to it. This also resumes a webhook that was paused by a 410.",
        query: &[],
        body: Some(REDELIVER),
        success: (200, "Redelivery"),
        problems: &[
            (400, "malformed-webhook-id"),
            (404, "unknown-webhook"),
            (404, "unknown-event"),
        ],
        example: Some("{}"),
        handler: webhooks::redeliver,
    },
    Route {
        verb: Verb::Get,
        path: "/mapi/webhooks/{id}/deliveries",
        name: "listDeliveries",
        scope: Scope::WebhooksWrite,
        summary: "List a webhook's deliveries",
        description: "The deliveries of the last 90 days, newest first, each with its attempts: status, time taken, and the \
                      beginning of the answer.",
        query: DELIVERIES,
        body: None,
        success: (200, "DeliveryList"),
        problems: UNKNOWN_WEBHOOK,
        example: None,
        handler: webhooks::deliveries,
    },
];

const UNKNOWN_WEBHOOK: &[(u16, &str)] = &[(400, "malformed-webhook-id"), (404, "unknown-webhook")];

const WEBHOOK: &[Field] = &[
    required(
        "state",
        r#"{"enum":["charge:seen","charge:timedout","charge:confirmed","charge:failed","charge:reverted","charge:updated"]}"#,
        "The state that it reports.",
    ),
    required(
        "url",
        r#"{"type":"string","format":"uri","maxLength":2000}"#,
        "An https URL on port 443 or 8443, at a public address.",
    ),
];

const fn per_page(meaning: &'static str) -> Field {
    optional("per_page", r#"{"type":"integer","minimum":1,"maximum":100}"#, meaning)
}

const ROTATE: &[Field] = &[required(
    "overlap_secs",
    r#"{"type":"integer","minimum":0,"maximum":2592000}"#,
    "How long the previous secret also signs.",
)];

const REDELIVER: &[Field] = &[optional(
    "event_id",
    r#"{"type":"string","format":"uuid"}"#,
    "Only this event.",
)];

const DELIVERIES: &[Field] = &[
    optional(
        "before",
        r#"{"type":"integer","minimum":1,"maximum":4294967295}"#,
        "next_before of the last answer. Defaults to the newest.",
    ),
    per_page("Deliveries per answer. Defaults to 25."),
];

const LIST: &[Field] = &[
    optional(
        "page",
        r#"{"type":"integer","minimum":1,"maximum":4294967295}"#,
        "The page, from 1.",
    ),
    per_page("Charges per page. Defaults to 25."),
    optional(
        "cursor",
        r#"{"type":"string"}"#,
        "next_cursor of the previous page, instead of page.",
    ),
    optional(
        "state",
        r#"{"enum":["pending","seen","confirmed","timedout","failed"]}"#,
        "Only charges in this state.",
    ),
    optional(
        "external_order_id",
        r#"{"type":"string"}"#,
        "Only charges with this order id.",
    ),
    optional(
        "created_from",
        r#"{"type":"string","format":"date-time"}"#,
        "Only charges created at this time or later.",
    ),
    optional(
        "created_to",
        r#"{"type":"string","format":"date-time"}"#,
        "Only charges created before this time.",
    ),
];

const CREATE: &[Field] = &[
    required(
        "fiat_price_cents",
        r#"{"type":"integer","minimum":1}"#,
        "The price in cents.",
    ),
    optional(
        "fiat_currency",
        r#"{"type":"string","enum":["eur","EUR"]}"#,
        "eur, the only currency.",
    ),
    optional(
        "external_order_id",
        r#"{"type":"string","maxLength":200}"#,
        "Your order id.",
    ),
    optional("buyer_email", r#"{"type":"string"}"#, "The shopper's e-mail."),
    optional("lang", r#"{"type":"string"}"#, "The page's language: en or fr."),
    optional(
        "success_url",
        r#"{"type":"string","maxLength":2000}"#,
        "Where the page sends the shopper once paid, on one of your allowed domains. Not proof of payment.",
    ),
    optional(
        "metadata",
        r#"{"type":"object"}"#,
        "Your own object, at most 4,096 bytes of JSON, returned with the charge. Shoppers never see it.",
    ),
    optional(
        "window_secs",
        r#"{"type":"integer","minimum":300,"maximum":86400}"#,
        "How long the amount is held: from 300 to the larger of your settings window_secs and api_window_limit_secs.",
    ),
    optional(
        "confirmations",
        r#"{"type":"integer","minimum":1,"maximum":100}"#,
        "Confirmations to require: from what your settings require at this price, up to 100.",
    ),
];

const SEQUENCE: Field = required(
    "sequence",
    r#"{"type":"integer","minimum":0}"#,
    "The charge's sequence as you saw it. If the charge has changed since, nothing is done.",
);

const CANCEL: &[Field] = &[SEQUENCE];

const ACCEPT: &[Field] = &[
    SEQUENCE,
    required(
        "payments",
        r#"{"type":"array","minItems":1,"maxItems":100,"items":{"type":"string","pattern":"^[0-9a-fA-F]{64}:[0-9]{1,10}$"}}"#,
        "The payments to accept, as txid:vout.",
    ),
];

const EVENTS: &[Field] = &[
    optional(
        "after",
        r#"{"type":"string"}"#,
        "next_cursor of the last answer. Defaults to the beginning.",
    ),
    per_page("Events per answer. Defaults to 25."),
];
