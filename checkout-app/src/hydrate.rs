//! The browser's part: takes over the page that the server rendered.

use leptos::mount::hydrate_body;
use leptos::prelude::*;

use crate::STATE_ELEMENT;
use crate::app::app;
use crate::model::Model;
use crate::{browser, read, stream};

/// Hydrates the page from the state in the document. Without that state there is nothing to take over.
pub fn start() {
    let Some(state) = document()
        .get_element_by_id(STATE_ELEMENT)
        .and_then(|element| element.text_content())
        .and_then(|json| read::page_state(&json))
    else {
        return;
    };
    hydrate_body(move || {
        let model = Model::new(state, browser::drawn_code());
        browser::keep_in_step(model);
        browser::listen(model);
        stream::follow(model);
        app(model)
    });
    // From here on the style sheet shows what needs a script, and the small script does not reload the page any more.
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-live", "");
    }
}
