//! Icons and figures as inline SVG. They take the colour of the text around them, and are never the only sign of anything.

use bitpro_charge::wire::ProgressView;

use crate::screen::{Phase, Tone};

macro_rules! icon {
    ($paths:literal) => {
        concat!(
            "<svg viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" stroke-linecap=\"round\" stroke-linejoin=\"round\">",
            $paths,
            "</svg>"
        )
    };
}

const CLOCK: &str = icon!("<circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"M12 7v5l3 2\"/>");
const HALF: &str =
    icon!("<circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"M12 3a9 9 0 0 1 0 18z\" fill=\"currentColor\"/>");
const DOTS: &str = icon!("<circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"M8 12h.01M12 12h.01M16 12h.01\"/>");
const CHECK_RING: &str = icon!("<circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"m8 12.2 2.8 2.8L16 9.6\"/>");
const WARNING: &str = icon!("<path d=\"M12 4 2.8 20h18.4zM12 10v4M12 17h.01\"/>");
const CROSSED: &str = icon!("<circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"m9 9 6 6m0-6-6 6\"/>");
const CHECK: &str = icon!("<path d=\"m5 12.5 4.5 4.5L19 7.5\"/>");
/// Both copy icons in one: the style sheet shows the check mark after a copy.
pub const COPY: &str = icon!(
    "<g><rect x=\"9\" y=\"9\" width=\"11\" height=\"11\" rx=\"2\"/><path d=\"M5 15H4V6a2 2 0 0 1 2-2h9v1\"/></g><path d=\"m5 12.5 4.5 4.5L19 7.5\"/>"
);

/// The icon of the state line.
#[must_use]
pub const fn of_phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting | Phase::WaitingAgain | Phase::TimedOut | Phase::Late => CLOCK,
        Phase::Partial => HALF,
        Phase::Closing | Phase::Seen | Phase::Stuck => DOTS,
        Phase::Confirmed | Phase::Overpaid => CHECK_RING,
        Phase::Underpaid | Phase::Replaced | Phase::Dropped | Phase::Reorged | Phase::Failed => WARNING,
        Phase::Cancelled => CROSSED,
    }
}

/// The large figure in the place of the code: a ring of confirmations, or the state's icon on a disc.
#[must_use]
pub fn figure(phase: Phase, progress: Option<ProgressView>) -> String {
    match progress {
        Some(progress) => ring(progress),
        None if phase.is_payable() => String::new(),
        None if phase.tone() == Tone::Good => on_disc(CHECK),
        None => on_disc(of_phase(phase)),
    }
}

fn on_disc(icon: &str) -> String {
    ["<div class=\"disc\">", icon, "</div>"].concat()
}

/// The tab's icon, as an address that needs no request.
#[must_use]
pub fn favicon(tone: Tone) -> String {
    let (colour, path) = match tone {
        Tone::Calm => ("4b5563", "M16 9v7l5 3"),
        Tone::Busy => ("2563eb", "M9 16h.01M16 16h.01M23 16h.01"),
        Tone::Good => ("15803d", "m9.5 16.5 4.5 4.5 9-9.5"),
        Tone::Care => ("b45309", "M16 8v9M16 23h.01"),
    };
    [
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Ccircle cx='16' cy='16' r='16' fill='%23",
        colour,
        "'/%3E%3Cpath fill='none' stroke='%23fff' stroke-width='3.5' stroke-linecap='round' stroke-linejoin='round' d='",
        path,
        "'/%3E%3C/svg%3E",
    ]
    .concat()
}

/// A ring of as many arcs as confirmations are needed; of one arc when they are too many to tell apart.
fn ring(ProgressView { have, required }: ProgressView) -> String {
    let (arcs, done) = if required <= 12 {
        (required.max(1), have.min(required))
    } else {
        (1, 0)
    };
    // The circle counts as 360 units long, so that arcs come in whole numbers.
    let step = 360 / arcs;
    let gap = if arcs == 1 { 0 } else { 14 };
    let mut svg = String::from(
        "<svg class=\"ring\" viewBox=\"0 0 96 96\" fill=\"none\" stroke-width=\"6\" stroke-linecap=\"round\">",
    );
    for arc in 0..arcs {
        let class = if arc < done { "done" } else { "open" };
        push_arc(&mut svg, class, arc * step + gap / 2, step - gap);
    }
    if arcs == 1 && required > 1 {
        push_arc(&mut svg, "done", 0, 360 * have.min(required) / required);
    }
    svg.push_str("<text x=\"48\" y=\"56\" text-anchor=\"middle\">");
    svg.push_str(&have.to_string());
    svg.push_str("<tspan> / ");
    svg.push_str(&required.to_string());
    svg.push_str("</tspan></text></svg>");
    svg
}

fn push_arc(svg: &mut String, class: &str, start: u32, length: u32) {
    svg.push_str("<circle class=\"");
    svg.push_str(class);
    svg.push_str(
        "\" cx=\"48\" cy=\"48\" r=\"42\" pathLength=\"360\" transform=\"rotate(-90 48 48)\" stroke-dasharray=\"",
    );
    svg.push_str(&length.to_string());
    svg.push_str(" 360\" stroke-dashoffset=\"-");
    svg.push_str(&start.to_string());
    svg.push_str("\"/>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arcs(have: u32, required: u32) -> (usize, usize) {
        let svg = ring(ProgressView { have, required });
        (svg.matches("\"done\"").count(), svg.matches("\"open\"").count())
    }

    #[test]
    fn a_ring_has_an_arc_for_every_confirmation() {
        assert_eq!(arcs(0, 1), (0, 1));
        assert_eq!(arcs(1, 3), (1, 2));
        assert_eq!(arcs(6, 6), (6, 0));
    }

    #[test]
    fn many_confirmations_are_one_arc_that_grows() {
        assert_eq!(arcs(50, 100), (1, 1));
        let svg = ring(ProgressView {
            have: 25,
            required: 100,
        });
        assert!(svg.contains("stroke-dasharray=\"90 360\""), "{svg}");
        assert!(svg.contains(">25<tspan> / 100</tspan>"), "{svg}");
    }
}
