//! The root of the charge's page.

use leptos::prelude::*;

use crate::page::ChargePage;

/// The page of one charge, the same on the server and in the browser.
#[component]
pub fn App(
    /// What the page begins with.
    page: ChargePage,
) -> impl IntoView {
    let (count, set_count) = signal(0);
    view! {
        <main>
            <h1>{page.merchant.name}</h1>
            <p>{page.view.address}</p>
            <button on:click=move |_| set_count.update(|n| *n += 1)>{count}</button>
        </main>
    }
}
