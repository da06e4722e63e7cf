//! A merchant's colour: three bytes, never a piece of CSS.

use std::fmt;
use std::str::FromStr;

/// Red, green, blue. Parsed here, so that nothing else can reach a style sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// The text is not `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAColour;

impl Default for Colour {
    /// A quiet blue.
    fn default() -> Self {
        Self([0x1f, 0x5a, 0xa6])
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl FromStr for Colour {
    type Err = NotAColour;

    fn from_str(text: &str) -> Result<Self, NotAColour> {
        let digits = text.strip_prefix('#').ok_or(NotAColour)?;
        let mut bytes = [0; 3];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| NotAColour)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_six_hexadecimal_digits_are_a_colour() {
        assert_eq!("#FF8000".parse(), Ok(Colour([255, 128, 0])));
        assert_eq!(Colour([255, 128, 0]).to_string(), "#ff8000");
        for bad in ["ff8000", "#fff", "#ff80000", "#gg8000", "red", "#é8000"] {
            assert_eq!(bad.parse::<Colour>(), Err(NotAColour), "{bad}");
        }
    }
}
