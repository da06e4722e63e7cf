//! A QR code as the outline of its dark modules.

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the code; ISO/IEC 18004 asks for four.
const QUIET_ZONE: usize = 4;

/// A code ready to be drawn as one stroked path in an SVG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Width and height in modules, quiet zone included.
    pub size: usize,
    /// Path data: horizontal strokes of width 1 through the middles of the modules.
    pub path: String,
}

/// The drawing of `text`'s code; nothing for an empty text.
#[must_use]
pub fn svg(text: &str) -> String {
    let Some(code) = (!text.is_empty()).then(|| code(text)).flatten() else {
        return String::new();
    };
    let size = code.size.to_string();
    [
        "<svg viewBox=\"0 0 ",
        &size,
        " ",
        &size,
        "\" shape-rendering=\"crispEdges\"><path stroke=\"#000\" d=\"",
        &code.path,
        "\"/></svg>",
    ]
    .concat()
}

/// Encodes `text`; `None` if it is too long for any code, which a payment link never is.
#[must_use]
pub fn code(text: &str) -> Option<Code> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let modules = code.to_colors();
    let mut path = String::with_capacity(4_096);
    for (y, row) in modules.chunks(width).enumerate() {
        let mut x = 0;
        let mut pen = None;
        while x < width {
            let dark = row[x..].iter().take_while(|&&m| m == Color::Dark).count();
            if dark > 0 {
                match pen {
                    None => {
                        path.push('M');
                        push(&mut path, x + QUIET_ZONE);
                        path.push(' ');
                        push(&mut path, y + QUIET_ZONE);
                        path.push_str(".5");
                    }
                    Some(end) => {
                        path.push('m');
                        push(&mut path, x - end);
                        path.push_str(" 0");
                    }
                }
                path.push('h');
                push(&mut path, dark);
                pen = Some(x + dark);
            }
            x += dark.max(1);
        }
    }
    Some(Code {
        size: width + 2 * QUIET_ZONE,
        path,
    })
}

fn push(path: &mut String, n: usize) {
    path.push_str(&n.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws a path back into modules, row by row.
    fn drawn(code: &Code) -> Vec<Vec<bool>> {
        let mut dark = vec![vec![false; code.size]; code.size];
        for row in code.path.split('M').skip(1) {
            let (start, strokes) = row.split_once(".5").unwrap();
            let (x, y) = start.split_once(' ').unwrap();
            let (mut x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            for stroke in strokes.split_terminator('m') {
                let (skip, length) = stroke.split_once('h').unwrap();
                x += skip.strip_suffix(" 0").map_or(0, |skip| skip.parse::<usize>().unwrap());
                let length: usize = length.parse().unwrap();
                dark[y][x..x + length].fill(true);
                x += length;
            }
        }
        dark
    }

    #[test]
    fn the_path_draws_every_dark_module_and_a_quiet_zone_of_four() {
        let text = "bitcoin:BCRT1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KYGT080?amount=0.00042";
        let code = code(text).unwrap();
        let plain = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let drawn = drawn(&code);
        for y in 0..code.size {
            for x in 0..code.size {
                let inside = (QUIET_ZONE..code.size - QUIET_ZONE).contains(&x)
                    && (QUIET_ZONE..code.size - QUIET_ZONE).contains(&y);
                let expected = inside && plain[(x - QUIET_ZONE, y - QUIET_ZONE)] == Color::Dark;
                assert_eq!(drawn[y][x], expected, "{x},{y}");
            }
        }
    }

    #[test]
    fn a_text_too_long_for_any_code_is_none() {
        assert_eq!(code(&"x".repeat(5_000)), None);
    }
}
