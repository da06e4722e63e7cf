//! What is answered: the members of each object, from the schemas of the OpenAPI document, and an example of each answer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::escaped;
use crate::openapi::SCHEMAS;

/// An example of each object, by its name. A test holds their shapes against what is really answered.
const EXAMPLES: &str = include_str!("answers.json");

/// The objects in the order of the page.
const ORDER: [&str; 17] = [
    "Charge",
    "Address",
    "Payment",
    "GonePayment",
    "QuotedRate",
    "ChargeList",
    "Event",
    "EventList",
    "Rate",
    "Webhook",
    "WebhookList",
    "WebhookTest",
    "Redelivery",
    "Delivery",
    "Attempt",
    "DeliveryList",
    "Problem",
];

/// The example of the object called `name`; where it holds another one, that is put in its place.
pub(crate) fn example(name: &str) -> Option<String> {
    let examples: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(EXAMPLES).expect("the file is JSON, as a test knows");
    let mut text = examples.get(name)?.get().replace("\n  ", "\n");
    for inner in ["Event", "Charge"] {
        let place = format!("\"{inner}\"");
        let Some(at) = text.find(&place).filter(|_| inner != name) else {
            continue;
        };
        let line = text[..at].rsplit('\n').next().unwrap_or_default();
        let indent = " ".repeat(line.len() - line.trim_start().len());
        let whole = example(inner)?.replace('\n', &format!("\n{indent}"));
        text = text.replacen(&place, &whole, 1);
    }
    Some(text)
}

/// The part of the page with all objects.
pub(super) fn section(page: &mut String) {
    page.push_str(
        "<h2 id=\"objects\">Objects</h2><p>Amounts are whole numbers: cents, and satoshis where the name ends with <code>_sat</code>. \
         Times are in UTC. More members may be added: ignore those that you do not know.</p>",
    );
    let schemas: Map<String, Value> = serde_json::from_str(SCHEMAS).expect("the file is JSON, as a test knows");
    for name in ORDER {
        let members = schemas[name]["properties"].as_object();
        write!(
            page,
            "<h3 id=\"{name}\">{name}</h3><table><thead><tr><th>Member</th><th>Type</th><th>Meaning</th></tr></thead><tbody>"
        )
        .expect("writing to a String cannot fail");
        for (member, schema) in members.into_iter().flatten() {
            let meaning = schema["description"].as_str().unwrap_or_default();
            write!(
                page,
                "<tr><td><code>{member}</code></td><td>{}</td><td>{}</td></tr>",
                kind(schema),
                escaped(meaning)
            )
            .expect("writing to a String cannot fail");
        }
        page.push_str("</tbody></table>");
    }
}

/// A schema in words.
fn kind(schema: &Value) -> String {
    if let Some(path) = schema["$ref"].as_str() {
        let name = path.rsplit('/').next().unwrap_or_default();
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    let values = schema["enum"].as_array().map(Vec::as_slice);
    let constant = schema.get("const").map(std::slice::from_ref);
    if let Some(values) = values.or(constant) {
        let texts = values.iter().filter_map(Value::as_str);
        return texts
            .map(|text| format!("<code>{text}</code>"))
            .collect::<Vec<_>>()
            .join(", ");
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("list of {}", kind_of_items(schema)),
        Value::String(kind) => named(kind, schema),
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            kinds.map(|kind| named(kind, schema)).collect::<Vec<_>>().join(" or ")
        }
        _ => String::new(),
    }
}

fn kind_of_items(schema: &Value) -> String {
    match schema["items"]["type"].as_str() {
        Some(kind) => format!("{}s", named(kind, &schema["items"])),
        None => kind(&schema["items"]),
    }
}

fn named(kind: &str, schema: &Value) -> String {
    match (kind, schema["format"].as_str()) {
        ("string", Some("date-time")) => "time".to_owned(),
        ("string", Some("uuid")) => "UUID".to_owned(),
        ("string", Some("uri")) => "URL".to_owned(),
        _ => kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::ROUTES;

    #[test]
    fn every_object_has_its_place_and_every_member_its_meaning() {
        let schemas: Map<String, Value> = serde_json::from_str(SCHEMAS).unwrap();
        let mut names: Vec<&str> = schemas.keys().map(String::as_str).collect();
        let mut order = ORDER;
        names.sort_unstable();
        order.sort_unstable();
        assert_eq!(names, order);
        let mut page = String::new();
        section(&mut page);
        assert!(!page.contains("<td></td><td>"), "a member has no type");
    }

    #[test]
    fn every_answer_has_an_example() {
        for route in ROUTES {
            let text = example(route.success.1).unwrap();
            let value: Value = serde_json::from_str(&text).unwrap();
            assert!(value.is_object(), "{}", route.success.1);
        }
    }
}
