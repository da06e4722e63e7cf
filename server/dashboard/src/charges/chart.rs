//! A bar chart as SVG, drawn by the server; a table beside it says the same.

use maud::{Markup, html};

/// The width of one bar with its gap, and of the bar.
const STEP: u64 = 10;
const WIDTH: u64 = 8;
/// The height of the highest bar.
const HEIGHT: u64 = 100;

/// One bar.
pub(super) struct Bar {
    /// Its height, in the unit of the chart.
    pub(super) height: u64,
    /// What it says when it is pointed at.
    pub(super) says: String,
}

/// A chart called `title`, whose scale ends at `top`, written `top_text`; below it the first and the last of what the bars
/// stand for.
pub(super) fn bars(title: &str, bars: Vec<Bar>, top: u64, top_text: &str, (first, last): (&str, &str)) -> Markup {
    let width = STEP * u64::try_from(bars.len()).unwrap_or_default();
    html! {
        figure.chart {
            figcaption { (title) span.hint { " · " (top_text) } }
            svg role="img" aria-label=(title) viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" {
                @for (bar, x) in bars.iter().zip((0..).step_by(10)) {
                    @let tall = scaled(bar.height, top);
                    // The ground below every day, so that one without anything can be pointed at, too.
                    rect.ground x=(x) y="0" width=(WIDTH) height=(HEIGHT) {
                        title { (bar.says) }
                    }
                    rect.value x=(x) y=(HEIGHT - tall) width=(WIDTH) height=(tall) {
                        title { (bar.says) }
                    }
                }
            }
            div.ends aria-hidden="true" { span { (first) } span { (last) } }
        }
    }
}

/// How tall a bar is; one that is not zero can be seen.
fn scaled(height: u64, top: u64) -> u64 {
    if height == 0 || top == 0 {
        return 0;
    }
    let scaled = u128::from(height.min(top)) * u128::from(HEIGHT) / u128::from(top);
    u64::try_from(scaled).unwrap_or(HEIGHT).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_fills_the_chart_and_the_lowest_can_be_seen() {
        assert_eq!(scaled(0, 100), 0);
        assert_eq!(scaled(1, u64::MAX), 1);
        assert_eq!(scaled(50, 100), 50);
        assert_eq!(scaled(7, 7), 100);
        assert_eq!(scaled(9, 7), 100);
        assert_eq!(scaled(0, 0), 0);
    }

    #[test]
    fn what_a_bar_says_is_text() {
        let bar = Bar {
            height: 1,
            says: "<script>".to_owned(),
        };
        let drawn = bars("Volume", vec![bar], 1, "€1", ("a", "b")).into_string();
        assert!(drawn.contains("&lt;script&gt;") && !drawn.contains("style="), "{drawn}");
    }
}
