//! Reading and writing single values.

use std::str::FromStr;

use url::Url;

pub(super) fn site(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "https" | "http") && url.host().is_some();
    // Shoppers follow it: what would log them in somewhere is not to stand there.
    let is_open = url.username().is_empty() && url.password().is_none();
    // What is kept counts, not what was typed: a byte beyond ASCII is kept as three.
    (is_web && is_open && url.as_str().len() <= 2_000).then(|| url.to_string())
}

/// Nothing for an empty text, else what `parse` makes of it.
pub(super) fn optional<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() {
        return Some(None);
    }
    parse(text).map(Some)
}

pub(super) fn number<N: FromStr + PartialOrd>(text: &str, least: N, most: N) -> Option<N> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|n| (least..=most).contains(n))
}

pub(super) fn list<T: FromStr + PartialEq>(text: &str, sizes: std::ops::RangeInclusive<usize>) -> Option<Vec<T>> {
    let mut list: Vec<T> = Vec::new();
    for word in words(text) {
        let item = word.parse().ok()?;
        if !list.contains(&item) {
            list.push(item);
        }
    }
    sizes.contains(&list.len()).then_some(list)
}

pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '\n', '\t', '\r']).filter(|word| !word.is_empty())
}

pub(super) fn joined<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(" ")
}

/// The inverse of [`yes_or_no`].
pub(super) fn is_yes(text: &str) -> Option<bool> {
    [true, false].into_iter().find(|&yes| yes_or_no(yes) == text)
}

pub(super) const fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
