//! Each call in each language. A test runs every one of them against a server.

use crate::route::{Route, Verb};

use super::{CHARGE, WEBHOOK};

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Language {
    /// As tests and programs call it.
    pub(super) name: &'static str,
    /// As people call it.
    pub(super) title: &'static str,
    /// What stands before each of its samples.
    pub(super) client: &'static str,
    /// What the client is.
    pub(super) about: &'static str,
}

/// The languages, in the order of the page.
pub(super) const LANGUAGES: [Language; 5] = [
    Language {
        name: "shell",
        title: "Shell",
        client: include_str!("../../../../docs/api/client.sh"),
        about: "A function for bash. It needs openssl, hexdump, uuidgen and curl, and verifies no answer.",
    },
    Language {
        name: "ruby",
        title: "Ruby",
        client: include_str!("../../../../docs/api/client.rb"),
        about: "A class; it needs nothing but the standard library.",
    },
    Language {
        name: "python",
        title: "Python",
        client: r#"import os

from bitpro import Bitpro

bitpro = Bitpro(os.environ["BITPRO_URL"], os.environ["BITPRO_ID"], os.environ["BITPRO_SECRET"])
"#,
        about: "With the SDK <code>bitpro-checkout</code>, in the folder <code>sdk/python</code> of the project.",
    },
    Language {
        name: "php",
        title: "PHP",
        client: r"<?php
require 'vendor/autoload.php';

$bitpro = new Bitpro\Bitpro(getenv('BITPRO_URL'), getenv('BITPRO_ID'), getenv('BITPRO_SECRET'));
",
        about: "With the SDK <code>bitpro/checkout</code>, in the folder <code>sdk/php</code> of the project.",
    },
    Language {
        name: "javascript",
        title: "JavaScript",
        client: r#"import { Bitpro } from "bitpro-checkout";

const { BITPRO_URL, BITPRO_ID, BITPRO_SECRET } = process.env;
const bitpro = new Bitpro({ url: BITPRO_URL, keyId: BITPRO_ID, secret: BITPRO_SECRET });
"#,
        about: "With the SDK <code>bitpro-checkout</code>, in the folder <code>sdk/typescript</code> of the project.",
    },
];

/// The call of `route` in `language`.
pub(super) fn sample(route: &Route, language: &str) -> String {
    match language {
        "shell" => shell(route),
        "ruby" => ruby(route),
        _ => {
            let [python, php, javascript] = by_sdk(route.name);
            let sample = match language {
                "python" => python,
                "php" => php,
                _ => javascript,
            };
            sample.replace("CHARGE_ID", CHARGE).replace("WEBHOOK_ID", WEBHOOK)
        }
    }
}

fn path(route: &Route) -> String {
    let id = if route.path.starts_with("/mapi/webhooks") {
        WEBHOOK
    } else {
        CHARGE
    };
    route.path.replace("{id}", id)
}

/// A query that shows what can be asked.
fn query(route: &Route) -> &'static str {
    match route.name {
        "listCharges" => "page=1",
        "listEvents" => "per_page=100",
        _ => "",
    }
}

fn shell(route: &Route) -> String {
    let (verb, path, query) = (route.verb.as_str(), path(route), query(route));
    match route.example {
        Some(body) if route.verb == Verb::Post => {
            format!("BITPRO_IDEMPOTENCY_KEY=$(uuidgen) bitpro {verb} {path} '' \\\n  '{body}'")
        }
        _ if query.is_empty() => format!("bitpro {verb} {path}"),
        _ => format!("bitpro {verb} {path} '{query}'"),
    }
}

fn ruby(route: &Route) -> String {
    let (verb, path, query) = (route.verb.as_str(), path(route), query(route));
    let call = match route.example {
        Some(body) if route.verb == Verb::Post => format!(
            "bitpro.call('{verb}', '{path}', '',\n            {body},\n            idempotency_key: SecureRandom.uuid)",
            body = body.replace("\":", "\" => ")
        ),
        _ if query.is_empty() => format!("bitpro.call('{verb}', '{path}')"),
        _ => format!("bitpro.call('{verb}', '{path}', '{query}')"),
    };
    format!(
        "bitpro = Bitpro.new(ENV['BITPRO_URL'], ENV['BITPRO_ID'], ENV['BITPRO_SECRET'])\nputs JSON.generate({call})"
    )
}

/// The call by the SDKs: Python, PHP, JavaScript.
fn by_sdk(call: &str) -> [&'static str; 3] {
    match call {
        "listCharges" => [
            "for charge in bitpro.charges.list(state=\"pending\"):\n    print(charge.id, charge.external_order_id)",
            "foreach ($bitpro->charges->list(state: 'pending') as $charge) {\n    echo \"$charge->id $charge->external_order_id\\n\";\n}",
            "for await (const charge of bitpro.charges.list({ state: \"pending\" })) {\n  console.log(charge.id, charge.external_order_id);\n}",
        ],
        "createCharge" => [
            "charge = bitpro.charges.create(fiat_price_cents=4200, external_order_id=\"A-1001\", lang=\"en\")\nprint(charge.url)",
            "$charge = $bitpro->charges->create(4200, external_order_id: 'A-1001', lang: 'en');\necho $charge->url;",
            "const charge = await bitpro.charges.create({ fiat_price_cents: 4200, external_order_id: \"A-1001\", lang: \"en\" });\nconsole.log(charge.url);",
        ],
        "showCharge" => [
            "charge = bitpro.charges.get(\"CHARGE_ID\")\nprint(charge.id, charge.state)",
            "$charge = $bitpro->charges->get('CHARGE_ID');\necho \"$charge->id $charge->state\";",
            "const charge = await bitpro.charges.get(\"CHARGE_ID\");\nconsole.log(charge.id, charge.state);",
        ],
        "cancelCharge" => [
            "charge = bitpro.charges.cancel(\"CHARGE_ID\", sequence=0)\nprint(charge.reason)",
            "$charge = $bitpro->charges->cancel('CHARGE_ID', sequence: 0);\necho $charge->reason;",
            "const charge = await bitpro.charges.cancel(\"CHARGE_ID\", 0);\nconsole.log(charge.reason);",
        ],
        "acceptCharge" => [
            "payment = \"5ec68db848026b167ceb584f8e0b466601663a9de739951f79cb964aea06fe3e:0\"\ncharge = bitpro.charges.accept(\"CHARGE_ID\", sequence=3, payments=[payment])\nprint(charge.reason)",
            "$payment = '5ec68db848026b167ceb584f8e0b466601663a9de739951f79cb964aea06fe3e:0';\n$charge = $bitpro->charges->accept('CHARGE_ID', sequence: 3, payments: [$payment]);\necho $charge->reason;",
            "const payment = \"5ec68db848026b167ceb584f8e0b466601663a9de739951f79cb964aea06fe3e:0\";\nconst sequence = 3;\nconst charge = await bitpro.charges.accept(\"CHARGE_ID\", sequence, [payment]);\nconsole.log(charge.reason);",
        ],
        "listEvents" => [
            "for page in bitpro.events.pages(per_page=100):\n    print(len(page.events), \"events; go on after\", page.next_cursor)",
            "foreach ($bitpro->events->pages(per_page: 100) as $page) {\n    echo count($page->events), \" events; go on after $page->next_cursor\\n\";\n}",
            "for await (const page of bitpro.events.pages({ per_page: 100 })) {\n  console.log(page.events.length, \"events; go on after\", page.next_cursor);\n}",
        ],
        "showRate" => [
            "print(bitpro.rate().cents_per_btc)",
            "echo $bitpro->rate()->cents_per_btc;",
            "const rate = await bitpro.rate();\nconsole.log(rate.cents_per_btc);",
        ],
        "listWebhooks" => [
            "for webhook in bitpro.webhooks.list():\n    print(webhook.id, webhook.state, webhook.url)",
            "foreach ($bitpro->webhooks->list() as $webhook) {\n    echo \"$webhook->id $webhook->state $webhook->url\\n\";\n}",
            "for (const webhook of await bitpro.webhooks.list()) {\n  console.log(webhook.id, webhook.state, webhook.url);\n}",
        ],
        "createWebhook" => [
            "webhook = bitpro.webhooks.create(\"charge:confirmed\", \"https://shop.example/hooks/bitpro\")\nprint(webhook.secret)",
            "$webhook = $bitpro->webhooks->create('charge:confirmed', 'https://shop.example/hooks/bitpro');\necho $webhook->secret;",
            "const webhook = await bitpro.webhooks.create(\"charge:confirmed\", \"https://shop.example/hooks/bitpro\");\nconsole.log(webhook.secret);",
        ],
        "removeWebhook" => [
            "print(bitpro.webhooks.remove(\"WEBHOOK_ID\").url)",
            "echo $bitpro->webhooks->remove('WEBHOOK_ID')->url;",
            "const webhook = await bitpro.webhooks.remove(\"WEBHOOK_ID\");\nconsole.log(webhook.url);",
        ],
        "rotateWebhookSecret" => [
            "webhook = bitpro.webhooks.rotate(\"WEBHOOK_ID\", overlap_secs=86400)\nprint(webhook.secret)",
            "$webhook = $bitpro->webhooks->rotate('WEBHOOK_ID', overlap_secs: 86400);\necho $webhook->secret;",
            "const webhook = await bitpro.webhooks.rotate(\"WEBHOOK_ID\", 86400);\nconsole.log(webhook.secret);",
        ],
        "testWebhook" => [
            "test = bitpro.webhooks.test(\"WEBHOOK_ID\")\nprint(test.event_id, test.status or test.failure)",
            "$test = $bitpro->webhooks->test('WEBHOOK_ID');\necho $test->event_id, ' ', $test->status ?? $test->failure;",
            "const test = await bitpro.webhooks.test(\"WEBHOOK_ID\");\nconsole.log(test.event_id, test.status ?? test.failure);",
        ],
        "redeliverWebhook" => [
            "print(bitpro.webhooks.redeliver(\"WEBHOOK_ID\").due)",
            "echo $bitpro->webhooks->redeliver('WEBHOOK_ID')->due;",
            "const redelivery = await bitpro.webhooks.redeliver(\"WEBHOOK_ID\");\nconsole.log(redelivery.due);",
        ],
        "listDeliveries" => [
            "page = bitpro.webhooks.deliveries(\"WEBHOOK_ID\")\nprint(len(page.deliveries), \"deliveries\")",
            "$page = $bitpro->webhooks->deliveries('WEBHOOK_ID');\necho count($page->deliveries), ' deliveries';",
            "const page = await bitpro.webhooks.deliveries(\"WEBHOOK_ID\");\nconsole.log(page.deliveries.length, \"deliveries\");",
        ],
        _ => ["", "", ""],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::ROUTES;

    #[test]
    fn every_call_has_a_sample_in_every_language() {
        for route in ROUTES {
            for language in LANGUAGES {
                assert!(
                    !sample(route, language.name).is_empty(),
                    "{} in {}",
                    route.name,
                    language.title
                );
            }
        }
    }
}
