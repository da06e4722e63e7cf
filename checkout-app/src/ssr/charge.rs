//! The page of a charge.

use leptos::prelude::*;

use super::RenderedPage;
use super::frame::{self, Spoken};
use super::head::head;
use super::html::Html;
use crate::app::app;
use crate::follow::{self, Cursor};
use crate::model::{Code, Model};
use crate::page::{ChargePage, Framing, PageState};
use crate::qr;
use crate::screen::{Phase, Screen};
use crate::theme::Theme;

/// A page that cannot listen looks again after so many seconds: soon while the shopper is about to pay, calmly while the
/// network confirms.
const fn again_after(phase: Phase) -> Option<u32> {
    match phase {
        Phase::Seen | Phase::Stuck => Some(30),
        phase if phase.is_open() => Some(15),
        _ => None,
    }
}

/// Renders it.
pub fn render(page: &ChargePage, framing: &Framing) -> RenderedPage {
    let screen = Screen::of(page, framing.framed, &page.view, page.view.now, page.lang);
    let theme = Theme::of(page.merchant.colour);
    let again_after = again_after(screen.phase);
    let state = PageState {
        page: page.clone(),
        framed: framing.framed,
    };
    let json = serde_json::to_string(&state).expect("texts and integers always serialize");
    let code = Code {
        svg: qr::svg(screen.qr_text()),
        text: screen.qr_text().to_owned(),
    };
    // The owner ends the signals' lives with this response.
    let owner = Owner::new();
    let body = owner.with(|| app(Model::new(state, code)).to_html());
    drop(owner);

    let mut root = Html::new();
    root.raw(" data-state=\"")
        .text(&screen.state)
        .raw("\" data-reason=\"")
        .text(&screen.reason)
        .raw("\"");
    if framing.framed {
        root.raw(" data-framed");
    }
    let cursor = Cursor::of(&page.epoch, page.view.sequence);
    let spoken = Spoken {
        charge: &page.view.id,
        order_id: page.view.order_id.as_deref(),
        again_after,
    };
    RenderedPage {
        lang: page.lang,
        root_attributes: root.into_string(),
        head: head(&screen.title, screen.phase.tone(), &theme, again_after),
        title: screen.title,
        theme: theme.css(),
        scripts: frame::script(framing, Some(&spoken)).into_iter().collect(),
        early: Some(frame::early(&follow::address(&page.path, &cursor))),
        body,
        // `<` cannot end the script element when it is not there; in JSON it only ever stands inside a text.
        state_json: Some(json.replace('<', "\\u003c")),
        has_form: false,
    }
}
