//! Whose page this is.

use leptos::prelude::*;

use crate::model::Model;
use crate::page::MerchantView;

/// The merchant's logo or initial, and their name.
pub fn shop(model: Model) -> impl IntoView {
    let (name, picture) = model.fixed(|page| (page.merchant.name.clone(), picture(&page.merchant)));
    view! {
        <header class="shop">
            <span class="logo" aria-hidden="true" inner_html=picture></span>
            <h1>
                <span class="vh">{model.text(|shown| shown.words().payment_to.to_owned())}" "</span>
                {name}
            </h1>
        </header>
    }
}

/// The logo has a fixed box, so that its arrival moves nothing. Its address is one of ours.
pub fn picture(merchant: &MerchantView) -> String {
    match &merchant.logo_url {
        Some(url) => [
            "<img src=\"",
            &super::rows::escaped(url),
            "\" alt=\"\" width=\"40\" height=\"40\">",
        ]
        .concat(),
        None => {
            // The style sheet raises it: upper case takes 10 KB of tables.
            let initial = merchant.name.chars().find(|c| !c.is_ascii_punctuation() && *c != ' ');
            super::rows::escaped(&initial.map(String::from).unwrap_or_default())
        }
    }
}
