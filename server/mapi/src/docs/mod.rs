//! The page at `/docs`: the way to a first charge, and every call of the table with its answer and an example in each language. A test
//! runs each of them.

mod objects;
mod samples;

use std::fmt::Write as _;

use bitpro_web::Fixed;

use super::guides;
use super::openapi::problems;
use super::route::{Field, Route};
use super::routes::ROUTES;
use samples::LANGUAGES;

pub(super) use objects::example;

/// Stands for a charge's id in the examples.
const CHARGE: &str = "CHARGE_ID";
/// The same for a webhook's.
const WEBHOOK: &str = "WEBHOOK_ID";

/// What `GET /docs` answers, of the server at `url`.
pub(super) fn page(url: &str) -> Fixed {
    guides::page("Merchant API", &body(url))
}

fn body(url: &str) -> String {
    let mut page = String::from("<h1>Merchant API</h1>");
    quick_start(&mut page, url);
    page.push_str("<h2 id=\"calls\">Calls</h2><ul class=\"calls\">");
    for Route { name, summary, .. } in ROUTES {
        push(&mut page, format_args!("<li><a href=\"#{name}\">{summary}</a></li>"));
    }
    page.push_str(
        "</ul><p>More: <a href=\"#objects\">objects</a>, <a href=\"#errors\">errors and repetitions</a>, \
         <a href=\"#signing\">signing</a>, <a href=\"#clients\">clients</a>, \
         <a href=\"/mapi/openapi.json\">OpenAPI document</a>.</p>",
    );
    for route in ROUTES {
        section(&mut page, route);
    }
    objects::section(&mut page);
    page.push_str(ERRORS);
    push(
        &mut page,
        format_args!("{SIGNING_START}{}{SIGNING_END}", super::MEDIA_TYPE),
    );
    clients(&mut page);
    page
}

/// Writing to a text cannot fail.
fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("writing to a String cannot fail");
}

/// From nothing to an order that can be shipped.
fn quick_start(page: &mut String, url: &str) {
    push(
        page,
        format_args!(
            "<h2 id=\"quick-start\">Quick start</h2><ol>\
             <li>Create an API key in the dashboard under Settings, API keys. Its secret is shown once. The id of the first key is the merchant's id. \
             (The operator can also use <code>bitpro key add MERCHANT_ID</code>.)</li>\
             <li>Tell your program: <code>BITPRO_URL={url}</code>, and <code>BITPRO_ID</code> and <code>BITPRO_SECRET</code> of the key.</li>\
             <li>Create a charge with one of the <a href=\"#clients\">clients</a>, and send the shopper to its <code>url</code>:</li></ol>"
        ),
    );
    if let Some(create) = ROUTES.iter().find(|route| route.name == "createCharge") {
        for language in LANGUAGES {
            // Shell and Ruby have the client in a file of its own, further down.
            let client = match language.name {
                "shell" | "ruby" => "",
                _ => language.client,
            };
            let code = format!("{client}{}", samples::sample(create, language.name));
            folded(page, "start", language.title, "", &code);
        }
    }
    page.push_str(
        "<ol start=\"4\"><li>Add a webhook for <code>charge:confirmed</code> in the dashboard under Settings, Webhooks, and \
         <a href=\"/docs/webhooks\">verify what arrives</a>.</li>\
         <li>Ship when a verified webhook, or <a href=\"#showCharge\">the API</a>, says <code>confirmed</code> for your order id at your price. \
         A page, a redirect or a browser's message is not proof of payment.</li></ol>",
    );
}

/// One language's code, of a group of which one is open at a time.
fn folded(page: &mut String, group: &str, title: &str, attributes: &str, code: &str) {
    let open = if title == "Shell" { " open" } else { "" };
    push(
        page,
        format_args!(
            "<details name=\"{group}\"{open}><summary>{title}</summary><pre tabindex=\"0\"{attributes}>{}</pre></details>",
            escaped(code)
        ),
    );
}

fn section(page: &mut String, route: &Route) {
    let Route {
        name,
        path,
        summary,
        description,
        success: (status, object),
        ..
    } = route;
    let verb = route.verb.as_str();
    let scope = route.scope.as_str();
    push(
        page,
        format_args!(
            "<h2 id=\"{name}\">{summary}</h2><p><code>{verb} {path}</code>, scope <code>{scope}</code></p><p>{description}</p>"
        ),
    );
    fields(page, "Parameter", route.query);
    fields(page, "Field", route.body.unwrap_or_default());
    for language in LANGUAGES {
        let attributes = format!(" data-language=\"{}\" data-call=\"{name}\"", language.name);
        let code = samples::sample(route, language.name);
        folded(page, name, language.title, &attributes, &code);
    }
    push(
        page,
        format_args!("<p>Answer: {status} with a <a href=\"#{object}\">{object}</a>.</p>"),
    );
    if let Some(text) = example(object) {
        push(
            page,
            format_args!(
                "<details><summary>Example of the answer</summary><pre tabindex=\"0\">{}</pre></details>",
                escaped(&text)
            ),
        );
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
    push(
        page,
        format_args!("<table><thead><tr><th>{heading}</th><th>Needed</th><th>Meaning</th></tr></thead><tbody>"),
    );
    for field in fields {
        let needed = if field.is_required { "required" } else { "optional" };
        push(
            page,
            format_args!(
                "<tr><td><code>{}</code></td><td>{needed}</td><td>{}</td></tr>",
                field.name,
                escaped(field.meaning)
            ),
        );
    }
    page.push_str("</tbody></table>");
}

/// What stands before the samples of each language.
fn clients(page: &mut String) {
    page.push_str(
        "<h2 id=\"clients\">Clients</h2><p>The samples above go on from these lines. For Postman and Bruno, \
         <code>sdk/postman</code> of the project makes a collection that signs by itself.</p>",
    );
    for language in LANGUAGES {
        let name = language.name;
        push(
            page,
            format_args!("<h3 id=\"{name}\">{}</h3><p>{}</p>", language.title, language.about),
        );
        push(
            page,
            format_args!(
                "<pre tabindex=\"0\" data-language=\"{name}\" data-client>{}</pre>",
                escaped(language.client)
            ),
        );
    }
}

const ERRORS: &str = "<h2 id=\"errors\">Errors and repetitions</h2><ul>\
    <li>Problems follow RFC 9457: the object <a href=\"#Problem\">Problem</a>. Branch on <code>code</code>, which is stable.</li>\
    <li>Give each <code>POST</code> an <code>Idempotency-Key</code>. If no answer arrives, repeat the request with the same key: it is \
    carried out once, and for 24 hours the answer is the same. Sign each attempt again. The SDKs do so by themselves.</li>\
    <li><code>RateLimit-Policy</code> and <code>RateLimit</code> say how many requests your key has left. Further requests get 429 with \
    <code>Retry-After</code>.</li></ul>";

const SIGNING_START: &str = "<h2 id=\"signing\">Signing</h2><p>For a client of your own; the <a href=\"#clients\">clients</a> do all this. Requests are \
    signed by <a href=\"https://github.com/acquia/http-hmac-spec\">Acquia HTTP HMAC 2.0</a> with the realm <code>Bitpro</code>. The \
    project's folder <code>sdk/vectors</code> has examples for your tests.</p><ul>\
    <li>Sign the host (with the port, if the request has one), path and query exactly as you send them.</li>\
    <li>The timestamp may be up to 900 seconds off. Use each nonce once.</li>\
    <li>If a request has a body, send its hash in <code>X-Authorization-Content-SHA256</code>. A body has at most 65,536 bytes and no \
    Content-Encoding.</li>\
    <li>Every answer to a known key is signed in <code>X-Server-Authorization-HMAC-SHA256</code>, including problems. Check it.</li>\
    <li><code>Accept: ";
const SIGNING_END: &str =
    "</code> selects the version. Without it, or with <code>application/json</code>, you get the same one.</li></ul>";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_start_comes_first_and_every_link_within_the_page_leads_somewhere() {
        let page = body("https://pay.example");
        let start = page.find("id=\"quick-start\"").unwrap();
        assert!(start < page.find("id=\"signing\"").unwrap() && start < page.find("id=\"calls\"").unwrap());
        for link in page.split("href=\"#").skip(1) {
            let name = link.split('"').next().unwrap();
            assert_eq!(page.matches(&format!("id=\"{name}\"")).count(), 1, "{name}");
        }
        assert!(!page.contains("<th></th>") && !page.contains("<pre>"));
    }
}
