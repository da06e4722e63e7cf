//! The language switch.

use leptos::prelude::*;

use crate::copy::Lang;
use crate::model::Model;

/// A link for each language that the merchant offers. It works by itself; the taken-over page switches without loading.
pub fn footer(model: Model) -> impl IntoView {
    let languages = model.fixed(|page| page.languages.clone());
    let only_one = languages.len() < 2;
    let links = languages.into_iter().map(|lang| link(model, lang)).collect::<Vec<_>>();
    view! {
        <nav class="languages" aria-label=model.text(|shown| shown.words().language.to_owned()) hidden=only_one>
            {links}
        </nav>
    }
}

fn link(model: Model, lang: Lang) -> impl IntoView {
    view! {
        <a
            href=["?lang=", lang.tag()].concat()
            hreflang=lang.tag()
            lang=lang.tag()
            aria-current=model.text_of(lang, |shown, lang| (shown.lang == lang).to_string())
        >
            {lang.name()}
        </a>
    }
}
