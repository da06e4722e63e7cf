//! The page at `/docs`: how to sign, and every call of the table with examples. A test runs each of them.

use std::fmt::Write as _;

use bitpro_web::Fixed;

use super::guides;
use super::openapi::problems;
use super::route::{Field, Route, Verb};
use super::routes::ROUTES;

const SHELL: &str = include_str!("../../../docs/api/client.sh");
const RUBY: &str = include_str!("../../../docs/api/client.rb");
/// Stands for a charge's id in the examples.
pub(super) const CHARGE: &str = "CHARGE_ID";
/// The same for a webhook's.
const WEBHOOK: &str = "WEBHOOK_ID";

/// What `GET /docs` answers, of the server at `url`.
pub(super) fn page(url: &str) -> Fixed {
    guides::page("Merchant API", &body(url))
}

fn body(url: &str) -> String {
    let mut page = format!("<h1>Merchant API</h1>{}<h2>Calls</h2><ul class=\"calls\">", intro(url));
    for Route { name, summary, .. } in ROUTES {
        write!(page, "<li><a href=\"#{name}\">{summary}</a></li>").expect("writing to a String cannot fail");
    }
    page.push_str("</ul><h2 id=\"shell\">Shell client</h2><pre data-language=\"shell\" data-client>");
    page.push_str(&escaped(SHELL));
    page.push_str("</pre><h2 id=\"ruby\">Ruby client</h2><pre data-language=\"ruby\" data-client>");
    page.push_str(&escaped(RUBY));
    page.push_str("</pre>");
    for route in ROUTES {
        section(&mut page, route);
    }
    page
}

fn intro(url: &str) -> String {
    format!(
        "<p>The API is at <code>{url}</code>. Its OpenAPI document is at <a href=\"/mapi/openapi.json\">/mapi/openapi.json</a>.</p>\
         <h2>Signing</h2><p>Requests are signed by <a href=\"https://github.com/acquia/http-hmac-spec\">Acquia HTTP HMAC 2.0</a> with the realm \
         <code>Bitpro</code>. Create a key in the dashboard under Settings, API keys; the operator can use <code>bitpro key add MERCHANT_ID</code>. The id of the first key is the merchant's id. Its secret is shown once.</p><ul>\
         <li>Sign the host (with the port, if the request has one), path and query exactly as you send them.</li>\
         <li>The timestamp may be up to 900 seconds off. Use each nonce once.</li>\
         <li>If a request has a body, send its hash in <code>X-Authorization-Content-SHA256</code>. A body has at most 65,536 bytes and no Content-Encoding.</li>\
         <li>Every answer to a known key is signed in <code>X-Server-Authorization-HMAC-SHA256</code>, including problems. Check it, as the Ruby client does.</li>\
         <li><code>Accept: {}</code> selects the version. Without it, or with <code>application/json</code>, you get the same one.</li>\
         <li>Give each <code>POST</code> an <code>Idempotency-Key</code>. If no answer arrives, repeat the request with the same key: it is carried out once, and for 24 hours the answer is the same. Sign each attempt again.</li>\
         <li><code>RateLimit-Policy</code> and <code>RateLimit</code> say how many requests your key has left. Further requests get 429 with <code>Retry-After</code>.</li>\
         <li>Problems follow RFC 9457. Branch on <code>code</code>, which is stable.</li>\
         <li>A page, a redirect or a browser's message is not proof of payment. Ask the API, or <a href=\"/docs/webhooks\">verify the webhook</a>, and compare amount and order id with your own.</li></ul>",
        super::MEDIA_TYPE
    )
}

fn section(page: &mut String, route: &Route) {
    let Route {
        name,
        path,
        summary,
        description,
        ..
    } = route;
    let verb = route.verb.as_str();
    let scope = route.scope.as_str();
    write!(
        page,
        "<h2 id=\"{name}\">{summary}</h2><p><code>{verb} {path}</code>, scope <code>{scope}</code></p><p>{description}</p>"
    )
    .expect("writing to a String cannot fail");
    fields(page, "Parameter", route.query);
    fields(page, "Field", route.body.unwrap_or_default());
    for (language, example) in [("shell", shell(route)), ("ruby", ruby(route))] {
        write!(
            page,
            "<pre data-language=\"{language}\" data-call=\"{name}\">{}</pre>",
            escaped(&example)
        )
        .expect("writing to a String cannot fail");
    }
    page.push_str("<p>Problems: ");
    let codes: Vec<String> = problems(route)
        .into_iter()
        .map(|(status, codes)| format!("{status} <code>{}</code>", codes.join("</code>, <code>")))
        .collect();
    page.push_str(&codes.join("; "));
    page.push_str(".</p>");
}

fn fields(page: &mut String, heading: &str, fields: &[Field]) {
    if fields.is_empty() {
        return;
    }
    write!(page, "<table><tr><th>{heading}</th><th></th><th>Meaning</th></tr>")
        .expect("writing to a String cannot fail");
    for field in fields {
        let needed = if field.is_required { "required" } else { "" };
        write!(
            page,
            "<tr><td><code>{}</code></td><td>{needed}</td><td>{}</td></tr>",
            field.name,
            escaped(field.meaning)
        )
        .expect("writing to a String cannot fail");
    }
    page.push_str("</table>");
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
