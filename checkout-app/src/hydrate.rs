//! The browser's part: takes over the page that the server rendered.

use leptos::mount;
use leptos::prelude::*;

use crate::STATE_ELEMENT;
use crate::app::App;
use crate::page::ChargePage;

/// Hydrates the page from the state in the document. Without that state there is nothing to take over.
pub fn start() {
    let Some(page) = document()
        .get_element_by_id(STATE_ELEMENT)
        .and_then(|element| element.text_content())
        .and_then(|json| serde_json::from_str::<ChargePage>(&json).ok())
    else {
        return;
    };
    mount::hydrate_body(move || view! { <App page=page/> });
}
