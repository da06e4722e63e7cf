//! The shopper's side over HTTP, against a real database.

mod frame;
mod link;
mod page;
mod stream;

use crate::testing::TestApp;

async fn charges_made(app: &TestApp) -> usize {
    let page = app
        .charges
        .list(bitpro_service::charges::Filter::default(), None, 100)
        .await
        .unwrap();
    page.charges.len()
}

/// The value of a hidden field of a form.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let field = page
        .split("<input")
        .find(|field| field.contains(&format!("name=\"{name}\"")))
        .unwrap();
    let (_, value) = field.split_once("value=\"").unwrap();
    value.split('"').next().unwrap()
}
