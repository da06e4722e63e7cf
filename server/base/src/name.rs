//! Names that people give: to themselves, shops, keys and passkeys. They stand on pages beside what is ours, so nothing in one
//! may be unseen, or turn the direction of what stands beside it.

/// The longest name, in characters.
pub const NAME_CHARS: usize = 60;

/// Whether a name can stand on pages and in letters: 1 to [`NAME_CHARS`] characters, all of which are seen.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=NAME_CHARS).contains(&text.chars().count())
        && seen(text).all(|(_, is_seen)| is_seen)
        && !text.trim().is_empty()
}

/// The characters of a text, each with whether it is seen: a joiner is when it has something to join.
fn seen(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = None;
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        let c = chars.next()?;
        let is_seen = match c {
            NON_JOINER | JOINER => [before, chars.peek().copied()]
                .into_iter()
                .all(|beside| beside.is_some_and(is_joined)),
            _ => !c.is_control() && !is_unseen(c),
        };
        before = Some(c);
        Some((c, is_seen))
    })
}

/// A text that strangers chose, with everything in it that cannot be seen written out by `as_text`: it goes to a terminal, which obeys
/// control characters, or stands in a line of ours, whose direction a mark would turn.
pub fn written_out(text: &str, as_text: impl Fn(char) -> String) -> String {
    let mut shown = String::with_capacity(text.len());
    for (c, is_seen) in seen(text) {
        if is_seen {
            shown.push(c);
        } else {
            shown.push_str(&as_text(c));
        }
    }
    shown
}

/// The same as Rust writes them, as in `\u{202e}`.
pub fn escaped(text: &str) -> String {
    written_out(text, |c| c.escape_default().to_string())
}

/// Marks that turn the direction of a text, or show nothing by themselves: Unicode's format characters (`Cf`), separators of lines
/// and paragraphs, and fillers.
pub const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// The most characters of a stranger's text that an error message repeats.
const REPEATED_CHARS: usize = 200;

/// A stranger's text in an error message: one short line, for it goes to pages, to the log and to terminals, where a control character
/// moves the cursor.
pub fn repeated(text: &str) -> String {
    let is_shown = |c: char| !c.is_control() && !is_unseen(c);
    let line = text.chars().map(|c| if is_shown(c) { c } else { ' ' });
    line.take(REPEATED_CHARS).collect()
}

/// Keeps two letters from being joined, as Persian needs it within words.
const NON_JOINER: char = '\u{200c}';
/// Joins two signs to one, as in scripts of India and in emoji.
const JOINER: char = '\u{200d}';

/// Whether a joiner beside this character has something to do: none joins letters of Latin, Greek or Cyrillic, so one that stands
/// among them could only make a name that looks like another.
fn is_joined(c: char) -> bool {
    c >= '\u{590}' && !c.is_whitespace() && !is_unseen(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_scripts_are_names() {
        for name in [
            "Ada",
            "Café de l’Été",
            "شرکت می\u{200c}خواهم",
            "क\u{94d}\u{200d}ष",
            "👩\u{200d}🔬 Labs",
            "🏳\u{fe0f}\u{200d}🌈",
            "日本 店",
            "J. R. R.",
        ] {
            assert!(is_name(name), "{name:?}");
        }
        assert!(is_name(&"é".repeat(60)) && !is_name(&"é".repeat(61)));
    }

    #[test]
    fn what_is_unseen_is_written_out_and_nothing_else_is() {
        assert_eq!(
            escaped("x\u{202e}y\u{1b}[1m\u{200b}z\u{2066}"),
            "x\\u{202e}y\\u{1b}[1m\\u{200b}z\\u{2066}"
        );
        for mark in ('\u{200b}'..='\u{200f}')
            .chain('\u{202a}'..='\u{202e}')
            .chain('\u{2066}'..='\u{2069}')
        {
            assert_eq!(escaped(&format!("A{mark}1")), format!("A{}1", mark.escape_unicode()));
        }
        for text in ["A-1001", "شرکت می\u{200c}خواهم", "👩\u{200d}🔬 Labs", "日本 店", "é\\"] {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn what_is_unseen_stands_in_no_name() {
        for name in [
            "",
            " ",
            "Sh\u{202e}op",
            "Sh\u{200b}op",
            "Sh\u{200d}op",
            "Sh\u{200c}op",
            "\u{200d}👩",
            "👩\u{200d}",
            "می\u{200c}\u{200c}خ",
            "Shop\u{2066}",
            "\u{feff}Shop",
            "Sh\u{ad}op",
            "Shop\u{2028}",
            "\u{3164}",
            "\u{2800}",
            "S\u{e0068}",
            "a\tb",
            "a\u{0}b",
            "a\u{85}b",
        ] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
