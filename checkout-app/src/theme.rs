//! The merchant's colour, made into colours that can be read: on it, with it, and behind it.
//!
//! Contrast is that of WCAG 2.2 (success criteria 1.4.3 and 1.4.11).

#![expect(
    clippy::float_arithmetic,
    reason = "luminance is defined by real numbers; no money is near"
)]

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// The colour of merchants without one.
const DEFAULT: Rgb = [0x2b, 0x4f, 0xd8];
const WHITE: Rgb = [0xff; 3];
const BLACK: Rgb = [0; 3];
/// The card in light and in dark, as in the style sheet.
const CARD: [Rgb; 2] = [WHITE, [0x16, 0x18, 0x1d]];
/// The ground behind it, before the tint.
const GROUND: [Rgb; 2] = [[0xf7, 0xf8, 0xfa], [0x0b, 0x0c, 0x0f]];
/// Text needs this much.
const TEXT: f64 = 4.5;

/// The colours made of the merchant's one; pairs are light and dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// The merchant's colour, for surfaces.
    pub brand: Rgb,
    /// Text on it.
    pub on_brand: Rgb,
    /// The colour as near to it as can be read on the card: links, focus rings, the edge of the button.
    pub accent: [Rgb; 2],
    /// Behind the card.
    pub ground: [Rgb; 2],
}

impl Theme {
    /// The theme of a merchant's colour.
    #[must_use]
    pub fn of(colour: Option<Rgb>) -> Self {
        let brand = colour.unwrap_or(DEFAULT);
        // White on a colour looks better than black; black takes over where white could not be read.
        let on_brand = if contrast(brand, WHITE) >= TEXT { WHITE } else { BLACK };
        Self {
            brand,
            on_brand,
            accent: [readable(brand, BLACK, CARD[0]), readable(brand, WHITE, CARD[1])],
            ground: [mix(GROUND[0], brand, 6), mix(GROUND[1], brand, 8)],
        }
    }

    /// The custom properties for the style sheet.
    #[must_use]
    pub fn css(&self) -> String {
        let Self {
            brand,
            on_brand,
            accent,
            ground,
        } = self;
        format!(
            ":root{{--brand:{};--on-brand:{};--accent:{};--ground:{}}}@media screen and (prefers-color-scheme:dark){{:root{{--accent:{};--ground:{}}}}}",
            hex(*brand),
            hex(*on_brand),
            hex(accent[0]),
            hex(ground[0]),
            hex(accent[1]),
            hex(ground[1])
        )
    }
}

/// As `#rrggbb`.
#[must_use]
pub fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The contrast ratio of two colours, from 1 to 21.
#[must_use]
pub fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: Rgb) -> f64 {
    let [r, g, b] = colour.map(|channel| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// `colour`, moved toward `end` in small steps until it can be read on `card`.
fn readable(colour: Rgb, end: Rgb, card: Rgb) -> Rgb {
    (0..=100)
        .step_by(4)
        .map(|percent| mix(colour, end, percent))
        .find(|mixed| contrast(*mixed, card) >= TEXT)
        .unwrap_or(end)
}

/// `percent` of `other` in `colour`.
fn mix(colour: Rgb, other: Rgb, percent: u16) -> Rgb {
    let channel = |a: u8, b: u8| {
        let mixed = (u16::from(a) * (100 - percent) + u16::from(b) * percent) / 100;
        u8::try_from(mixed).expect("a mean of two bytes is a byte")
    };
    let [r, g, b] = colour;
    let [other_r, other_g, other_b] = other;
    [channel(r, other_r), channel(g, other_g), channel(b, other_b)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((contrast(WHITE, BLACK) - 21.0).abs() < 1e-9);
        assert!((contrast(WHITE, WHITE) - 1.0).abs() < 1e-9);
        // #767676 is the well-known lightest grey that passes on white.
        assert!(contrast([0x76; 3], WHITE) >= 4.5);
        assert!(contrast([0x77; 3], WHITE) < 4.5);
    }

    #[test]
    fn whatever_the_colour_everything_on_it_and_of_it_can_be_read() {
        for r in (0..=255).step_by(15) {
            for g in (0..=255).step_by(15) {
                for b in (0..=255).step_by(15) {
                    let colour = [r, g, b];
                    let theme = Theme::of(Some(colour));
                    assert_eq!(theme.brand, colour);
                    assert!(contrast(theme.brand, theme.on_brand) >= TEXT, "{colour:?}");
                    for (accent, card) in theme.accent.into_iter().zip(CARD) {
                        assert!(contrast(accent, card) >= TEXT, "{colour:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_is_left_alone() {
        let blue = [0x1d, 0x4e, 0xd8];
        assert_eq!(Theme::of(Some(blue)).accent[0], blue);
    }

    #[test]
    fn the_css_names_all_colours() {
        let css = Theme::of(None).css();
        assert!(
            css.starts_with(":root{--brand:#2b4fd8;--on-brand:#ffffff;--accent:#2b4fd8;--ground:#"),
            "{css}"
        );
    }
}
