//! The examples of answers at `/docs`, held against what is really answered.

use super::*;
use crate::docs::example;

/// Whether `documented` has the shape of `answered`; what may be null in one of them may be.
fn hold(at: &str, documented: &Value, answered: &Value) {
    match (documented, answered) {
        (Value::Object(wanted), Value::Object(found)) => {
            let names = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(wanted), names(found), "{at}");
            for (name, value) in wanted {
                hold(&format!("{at}.{name}"), value, &found[name]);
            }
        }
        (Value::Array(wanted), Value::Array(found)) => {
            for (value, other) in wanted.iter().zip(found) {
                hold(&format!("{at}[]"), value, other);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ => assert_eq!(
            std::mem::discriminant(documented),
            std::mem::discriminant(answered),
            "{at} is {documented} in the documentation and {answered} in truth"
        ),
    }
}

fn documented(name: &str) -> Value {
    serde_json::from_str(&example(name).unwrap()).unwrap()
}

#[tokio::test]
async fn charges_and_events_are_answered_as_documented() {
    let shop = Shop::usual().await;
    let charge = shop.make("A-1001").await;
    let page = charge["url"].as_str().unwrap().replace("http://localhost:8080", "");
    shop.app.pay(&page).await;
    let path = format!("/mapi/charges/{}", charge["id"].as_str().unwrap());
    for (name, target) in [
        ("Charge", path.as_str()),
        ("ChargeList", "/mapi/charges"),
        ("EventList", "/mapi/events"),
        ("Rate", "/mapi/rate"),
    ] {
        let (status, answered) = shop.told(&shop.get(target)).await;
        assert_eq!(status, 200, "{answered}");
        hold(name, &documented(name), &answered);
    }
    let (_, problem) = shop.post("/mapi/charges", &json!({})).await;
    hold("Problem", &documented("Problem"), &problem);
}

#[tokio::test]
async fn webhooks_are_answered_as_documented() {
    let shop = Shop::open(&[], "charges:write,webhooks:write").await;
    let body = json!({"state": "charge:failed", "url": "https://shop.example/hooks/bitpro"});
    let (status, webhook) = shop.post("/mapi/webhooks", &body).await;
    assert_eq!(status, 201, "{webhook}");
    hold("Webhook", &documented("Webhook"), &webhook);
    let charge = shop.make("A-1001").await;
    let cancel = format!("/mapi/charges/{}/cancel", charge["id"].as_str().unwrap());
    shop.post(&cancel, &json!({"sequence": 0})).await;
    let path = format!("/mapi/webhooks/{}", webhook["id"].as_str().unwrap());
    for (name, ask) in [
        ("WebhookList", shop.get("/mapi/webhooks")),
        ("DeliveryList", shop.get(&format!("{path}/deliveries"))),
        ("Redelivery", shop.ask(Method::POST, &format!("{path}/redeliver"), "{}")),
    ] {
        let (status, answered) = shop.told(&ask).await;
        assert_eq!(status, 200, "{answered}");
        hold(name, &documented(name), &answered);
    }
}
