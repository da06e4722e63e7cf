//! What the page does in a browser beyond its own elements: the clipboard, the tab, the clock.

use gloo_net::http::Request;
use js_sys::Date;
use leptos::prelude::*;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Document, DomParser, Element, HtmlDocument, HtmlElement, HtmlTextAreaElement, MouseEvent, SupportedType, Window,
};

use crate::copy::Lang;
use crate::icons;
use crate::model::{Code, Model, Target};
use crate::screen::{Screen, Step};

/// How long "copied" stands.
const FEEDBACK_MILLIS: i32 = 2_000;
/// Between two attempts to get a code.
const CODE_AGAIN_MILLIS: i32 = 2_000;

/// Copies what `target` names, and says in place whether it worked; the step may be to print instead.
fn copy(model: Model, target: Target) {
    if target == Target::Step && model.shown_now(|shown| shown.screen.step == Step::Print) {
        // Printing can be refused in a sandboxed frame; there is nothing better to offer then.
        let _ = window().print();
        return;
    }
    let text = text_of(model, target);
    spawn_local(async move {
        let worked = write(&text).await;
        model.change(|held| held.copied = Some((target, worked)));
        after(FEEDBACK_MILLIS, move || {
            model.change(|held| {
                if held.copied.is_some_and(|(shown, _)| shown == target) {
                    held.copied = None;
                }
            });
        });
    });
}

fn text_of(model: Model, target: Target) -> String {
    match target {
        Target::Fiat => model.held(|held| crate::format::plain_euros(held.view.fiat_price_cents)),
        Target::Btc => model.shown_now(|shown| shown.screen.plain_btc.clone()),
        Target::Address => model.held(|held| held.view.address.clone()),
        Target::Step => model.shown_now(|shown| match &shown.screen.step {
            Step::Quote(text) => text.clone(),
            _ => String::new(),
        }),
    }
}

/// The clipboard is missing over plain HTTP and may be denied in frames; the old command then often still works.
async fn write(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    if clipboard.is_object() && JsFuture::from(clipboard.write_text(text)).await.is_ok() {
        return true;
    }
    write_by_command(text).unwrap_or(false)
}

fn write_by_command(text: &str) -> Result<bool, JsValue> {
    let document: HtmlDocument = document().unchecked_into();
    let area: HtmlTextAreaElement = document.create_element("textarea")?.unchecked_into();
    area.set_class_name("vh");
    area.set_value(text);
    let focused = document.active_element();
    if let Some(body) = document.body() {
        body.append_child(&area)?;
    }
    area.select();
    let worked = document.exec_command("copy")?;
    area.remove();
    if let Some(focused) = focused {
        focused.unchecked_into::<HtmlElement>().focus()?;
    }
    Ok(worked)
}

/// Listens to presses, with one listener for the whole page: in the bundle each further one weighs half a kilobyte.
pub fn listen(model: Model) {
    let on_click = Closure::<dyn Fn(MouseEvent)>::new(move |event: MouseEvent| {
        let Some(element) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else {
            return;
        };
        let found = |selector, name| element.closest(selector).ok().flatten()?.get_attribute(name);
        if let Some(word) = found("[data-press]", "data-press") {
            // Text can be selected by hand; the press that ends a selection is not meant to copy everything.
            let selects = found("button", "type").is_none() && is_selecting();
            if let Some(target) = Target::ALL
                .into_iter()
                .find(|target| target.as_str() == word && !selects)
            {
                copy(model, target);
            }
        } else if let Some(lang) = found("[hreflang]", "hreflang").and_then(|tag| Lang::of_tag(&tag)) {
            switch_language(model, lang, &event);
        }
    });
    // Listening fails for no name that is a text.
    let _ = document().add_event_listener_with_callback("click", on_click.as_ref().unchecked_ref());
    on_click.forget();
}

fn is_selecting() -> bool {
    let selection = window().get_selection().ok().flatten();
    selection.is_some_and(|selection| !selection.is_collapsed())
}

/// Changes the language in place, and in the address, so that a reload keeps it (R40).
fn switch_language(model: Model, lang: Lang, event: &MouseEvent) {
    if event.ctrl_key() || event.meta_key() || event.shift_key() {
        return;
    }
    event.prevent_default();
    model.change(|held| held.lang = lang);
    if let Ok(history) = window().history() {
        let query = ["?lang=", lang.tag()].concat();
        // Without an address of its own the switch still holds until the next load.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&query));
    }
}

/// Milliseconds since the Unix epoch by the browser's clock, which may be wrong: only differences of it are used.
pub fn own_clock() -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds, far below 2^53")]
    {
        Date::now() as i64
    }
}

/// Calls `then` once, after `millis`.
pub fn after(millis: i32, then: impl FnOnce() + 'static) {
    let callback = Closure::once_into_js(then);
    // Fails for no function.
    let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(callback.unchecked_ref(), millis);
}

/// The code that the server drew into this document.
pub fn drawn_code() -> Code {
    code_in(&document())
}

fn code_in(page: &Document) -> Code {
    let Ok(Some(element)) = page.query_selector(".code") else {
        return Code::default();
    };
    Code {
        text: element.get_attribute("data-text").unwrap_or_default(),
        svg: element.inner_html(),
    }
}

async fn fetch_code(model: Model, text: String) {
    let url = model.fixed(|page| page.path.clone());
    let page = fetch(&url).await.unwrap_or_default();
    let parsed = DomParser::new().and_then(|parser| parser.parse_from_string(&page, SupportedType::TextHtml));
    let code = parsed.map(|page| code_in(&page)).unwrap_or_default();
    if code.text == text {
        model.draw(code);
        return;
    }
    // The page may have moved on, or the network may be away: look again while this code is still wanted.
    after(CODE_AGAIN_MILLIS, move || {
        if model.shown_now(|shown| shown.screen.qr_text() == text && shown.code.text != text) {
            spawn_local(fetch_code(model, text));
        }
    });
}

/// Fetches a text of this server; `None` when the network is away, or the server refuses.
pub async fn fetch(url: &str) -> Option<String> {
    // gloo-net's own builder would put the address together anew, which weighs 870 bytes.
    let request = web_sys::Request::new_with_str(url).ok()?;
    let response = Request::from(request).send().await.ok()?;
    if !response.ok() {
        return None;
    }
    response.text().await.ok()
}

/// Keeps what is not among the page's elements in step with the screen: the document's attributes, the tab, and the code,
/// which the server draws whenever it renders this page. One effect does it all, for each brings a copy of its machinery along.
pub fn keep_in_step(model: Model) {
    let root = document().document_element();
    Effect::new(move |_| {
        model.shown(|shown| {
            if let Some(root) = &root {
                set(root, "lang", shown.lang.tag());
                set(root, "data-state", &shown.screen.state);
                set(root, "data-reason", &shown.screen.reason);
                show_in_tab(&shown.screen);
            }
            let wanted = shown.screen.qr_text();
            if !wanted.is_empty() && shown.code.text != wanted {
                spawn_local(fetch_code(model, wanted.to_owned()));
            }
        });
    });
}

fn show_in_tab(screen: &Screen) {
    let document = document();
    if document.title() != screen.title {
        document.set_title(&screen.title);
    }
    if let Ok(Some(icon)) = document.query_selector("link[rel=icon]") {
        set(&icon, "href", &icons::favicon(screen.phase.tone()));
    }
}

fn set(element: &Element, name: &str, value: &str) {
    if element.get_attribute(name).as_deref() != Some(value) {
        // Fails only for names that are not names.
        let _ = element.set_attribute(name, value);
    }
}

fn window() -> Window {
    leptos::prelude::window()
}
