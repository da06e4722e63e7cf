//! The calls and the shapes of answers, so that an SDK that lacks one fails its own tests.

use serde_json::{Map, Value, json};

use super::hold;
use crate::route::Field;
use crate::routes::ROUTES;

fn names(fields: &[Field]) -> Vec<&'static str> {
    fields.iter().map(|field| field.name).collect()
}

#[test]
fn calls_and_shapes_are_what_the_vectors_say() {
    let calls: Vec<Value> = ROUTES
        .iter()
        .map(|route| {
            json!({
                "name": route.name,
                "method": route.verb.as_str(),
                "path": route.path,
                "query": names(route.query),
                "body": route.body.map(names),
                "answer": route.success.1,
            })
        })
        .collect();
    let schemas: Map<String, Value> = serde_json::from_str(include_str!("../../schemas.json")).unwrap();
    let shapes: Map<String, Value> = schemas
        .into_iter()
        .map(|(name, schema)| {
            let members: Vec<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
            (name, json!({"members": members, "required": schema["required"]}))
        })
        .collect();
    hold(
        "shapes.json",
        &json!({"media_type": crate::MEDIA_TYPE, "calls": calls, "shapes": shapes}),
    );
}
