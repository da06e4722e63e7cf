//! The OpenAPI document, made of the table of routes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::response::Response;
use bitpro_web::Fixed;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::route::{Field, Route, Verb};
use super::routes::ROUTES;
use super::{MEDIA_TYPE, REALM};

/// Shapes of answers; a test compares them with what is really answered.
pub(super) const SCHEMAS: &str = include_str!("schemas.json");

/// Problems that every call may end with.
const COMMON: [(u16, &str); 14] = [
    (400, "unknown-parameter"),
    (400, "malformed-parameter"),
    (400, "repeated-parameter"),
    (401, "authorization-malformed"),
    (401, "timestamp-skew"),
    (401, "signature-invalid"),
    (401, "nonce-replayed"),
    (403, "missing-scope"),
    (406, "unknown-version"),
    (413, "body-too-large"),
    (415, "unsupported-encoding"),
    (421, "unknown-host"),
    (429, "too-many-requests"),
    (503, "storage-unavailable"),
];
/// Problems of calls with a body.
const OF_BODIES: [(u16, &str); 7] = [
    (400, "malformed-body"),
    (400, "unknown-field"),
    (400, "missing-field"),
    (400, "malformed-field"),
    (400, "malformed-idempotency-key"),
    (409, "idempotency-key-reused"),
    (415, "unsupported-media-type"),
];

static DOCUMENT: LazyLock<Fixed> = LazyLock::new(|| Fixed::new("application/json", document().to_string()));

/// `GET /mapi/openapi.json`
pub(super) async fn show(headers: HeaderMap) -> Response {
    DOCUMENT.answer(&headers)
}

/// The problems of a route, by status.
pub(super) fn problems(route: &Route) -> BTreeMap<u16, Vec<&'static str>> {
    let of_bodies = OF_BODIES.iter().filter(|_| route.body.is_some());
    let mut problems: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for &(status, code) in route.problems.iter().chain(of_bodies).chain(&COMMON) {
        let codes = problems.entry(status).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    problems
}

/// The document.
pub(super) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.verb.as_str().to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bitpro merchant API",
            "version": "20180503",
            "description": "What a shop's server may ask, signed by its key (Acquia HTTP HMAC 2.0). See /docs.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "hmac": [] }],
        "paths": paths,
        "components": {
            "schemas": serde_json::from_str::<Value>(SCHEMAS).expect("the file is JSON, as a test knows"),
            "securitySchemes": {
                "hmac": {
                    "type": "http",
                    "scheme": "acquia-http-hmac",
                    "description": format!("Acquia HTTP HMAC 2.0 with the realm {REALM}; see /docs."),
                },
            },
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.summary,
        "description": format!("{}\n\nScope: {}.", route.description, route.scope.as_str()),
        "parameters": parameters(route),
        "responses": responses(route),
    });
    if let Some(fields) = route.body {
        let schema = body(fields);
        let mut content = json!({ "schema": schema });
        if let Some(example) = route.example {
            content["example"] = parsed(example);
        }
        operation["requestBody"] = json!({
            "required": fields.iter().any(|field| field.is_required),
            "content": { "application/json": content },
        });
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let mut parameters = Vec::new();
    if route.path.contains("{id}") {
        parameters.push(json!({
            "name": "id",
            "in": "path",
            "required": true,
            "schema": { "type": "string", "format": "uuid" },
        }));
    }
    parameters.extend(route.query.iter().map(|field| {
        json!({
            "name": field.name,
            "in": "query",
            "required": field.is_required,
            "description": field.meaning,
            // An empty one is as good as none.
            "allowEmptyValue": true,
            "schema": parsed(field.schema),
        })
    }));
    if route.verb == Verb::Post {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "The same key and request get the same answer for 24 hours; another request with it is refused.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        }));
    }
    parameters
}

fn body(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            let mut schema = parsed(field.schema);
            if !field.is_required {
                take_null(&mut schema);
            }
            schema["description"] = json!(field.meaning);
            (field.name.to_owned(), schema)
        })
        .collect();
    let required = fields.iter().filter(|field| field.is_required);
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required.map(|field| field.name).collect::<Vec<_>>(),
        "properties": properties,
    })
}

/// Lets a schema take `null`, which is as good as leaving the field out.
fn take_null(schema: &mut Value) {
    if let Value::String(name) = schema["type"].take() {
        schema["type"] = json!([name, "null"]);
    }
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
}

fn responses(route: &Route) -> Value {
    let (status, schema) = route.success;
    let schema = json!({ "schema": { "$ref": format!("#/components/schemas/{schema}") } });
    let mut responses = json!({
        status.to_string(): {
            "description": "Done.",
            "content": { MEDIA_TYPE: schema, "application/json": schema },
        },
    });
    for (status, codes) in problems(route) {
        responses[status.to_string()] = json!({
            "description": format!("Codes: {}.", codes.join(", ")),
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        });
    }
    responses
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("what the table holds is JSON, as a test knows")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_table_is_in_the_document_once() {
        let document = document();
        for route in ROUTES {
            let operation = &document["paths"][route.path][route.verb.as_str().to_ascii_lowercase()];
            assert_eq!(operation["operationId"], route.name);
            let schema = &document["components"]["schemas"][route.success.1];
            assert!(schema.is_object(), "{}", route.success.1);
        }
        let mut names: Vec<&str> = ROUTES.iter().map(|route| route.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROUTES.len());
    }
}
