//! The head of every page.

use super::html::Html;
use crate::icons;
use crate::screen::Tone;
use crate::theme::{Theme, hex};

/// The head's markup: how the page fits the screen, its title and icon. `refresh` reloads it after so many seconds where no
/// script runs.
pub fn head(title: &str, tone: Tone, theme: &Theme, refresh: Option<u32>) -> String {
    let mut head = Html::new();
    head.raw("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    head.raw("<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"robots\" content=\"noindex\">");
    // Telephone numbers are not what strings of digits are here.
    head.raw("<meta name=\"format-detection\" content=\"telephone=no\">");
    for (ground, scheme) in theme.ground.iter().zip(["light", "dark"]) {
        head.raw("<meta name=\"theme-color\" media=\"(prefers-color-scheme:");
        head.raw(scheme);
        head.raw(")\" content=\"");
        head.raw(&hex(*ground));
        head.raw("\">");
    }
    head.raw("<title>");
    head.text(title);
    head.raw("</title><link rel=\"icon\" href=\"");
    head.text(&icons::favicon(tone));
    head.raw("\">");
    if let Some(seconds) = refresh {
        head.raw("<noscript><meta http-equiv=\"refresh\" content=\"");
        head.raw(&seconds.to_string());
        head.raw("\"></noscript>");
    }
    head.into_string()
}
