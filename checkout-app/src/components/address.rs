//! The address to pay to; later, in the same room, what to keep of the payment.

use leptos::prelude::*;

use super::copy_target::copy_target;
use super::rows::{escaped, rows};
use crate::model::{Model, Target};

/// The address in groups of four, or the facts.
pub fn address(model: Model) -> impl IntoView {
    view! {
        <section class="address">
            <div hidden=model.is(|shown| shown.screen.way.is_none())>
                <h2>{model.text(|shown| shown.words().address.to_owned())}</h2>
                {copy_target(
                    model,
                    Target::Address,
                    "whole",
                    |shown| grouped(&shown.screen.address),
                    |shown| shown.words().copy_address.to_owned(),
                )}
            </div>
            <dl class="rows" inner_html=model.text(|shown| rows(&shown.screen.facts))></dl>
        </section>
    }
}

/// Groups of four characters that a line can break between, and that are selected without spaces.
fn grouped(address: &str) -> String {
    let mut html = String::with_capacity(address.len() * 6);
    let characters: Vec<char> = address.chars().collect();
    for group in characters.chunks(4) {
        html.push_str("<span>");
        html.push_str(&escaped(&group.iter().collect::<String>()));
        html.push_str("</span><wbr>");
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_four_hold_no_space() {
        assert_eq!(grouped("bc1qxy"), "<span>bc1q</span><wbr><span>xy</span><wbr>");
    }
}
