//! Texts that others chose, made fit for a letter: one line, no control characters, short, and nothing in them that a mail
//! program makes a link of. Anyone can write such a text and have us send it to a stranger.

use bitpro_base::name::{NAME_CHARS, is_unseen};

/// The most characters of what describes a client.
const LONGEST_CLIENT: usize = 120;
/// The most characters of an address.
const LONGEST_ADDRESS: usize = 254;
/// The most characters of an order id.
const LONGEST_ORDER_ID: usize = 40;
/// Forbids a break and shows nothing; no mail program takes a domain with it for one.
const WORD_JOINER: char = '\u{2060}';

/// One line of at most `most` characters, without what cannot be seen.
pub fn line(text: &str, most: usize) -> String {
    let shown = text
        .chars()
        .map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_unseen(*c));
    let mut line = String::new();
    let mut length = 0;
    for c in shown {
        if c == ' ' && (line.is_empty() || line.ends_with(' ')) {
            continue;
        }
        if length == most {
            line.truncate(line.trim_end().len());
            line.push('…');
            return line;
        }
        line.push(c);
        length += 1;
    }
    line.truncate(line.trim_end().len());
    line
}

/// The name of a person or a shop.
pub fn name(text: &str) -> String {
    unlinked(&unquoted(text, NAME_CHARS))
}

/// Another person's e-mail address.
pub fn address(text: &str) -> String {
    unlinked(&line(text, LONGEST_ADDRESS))
}

/// What stands for an order, without anything that could be a sentence or an address.
pub fn order_id(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '#' | '.'))
        .collect();
    unlinked(&line(&kept, LONGEST_ORDER_ID))
}

/// Where somebody is, as their browser describes itself: anything can stand in it.
pub fn client(text: &str) -> String {
    unlinked(&unquoted(text, LONGEST_CLIENT))
}

/// One line without what begins an address or a mark of HTML. What is unseen goes first: it could part what is looked for.
fn unquoted(text: &str, most: usize) -> String {
    let is_kept = |c: &char| !is_unseen(*c) && !matches!(c, '<' | '>' | '@' | '\\');
    let kept: String = text.chars().filter(is_kept).collect();
    line(&kept.replace("://", " "), most)
}

/// The text with every dot before a letter, as before the last part of a domain, kept from making one.
fn unlinked(text: &str) -> String {
    let mut unlinked = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        unlinked.push(c);
        if c == '.' && chars.peek().is_some_and(|next| next.is_alphabetic()) {
            unlinked.push(WORD_JOINER);
        }
    }
    unlinked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_short_line() {
        assert_eq!(line("  Anna\r\nBcc: x@y.example\t\0 ", 60), "Anna Bcc: x@y.example");
        assert_eq!(line("a\u{202e}b\u{200b}c", 60), "abc");
        assert_eq!(line("abcdef", 6), "abcdef");
        assert_eq!(line("abcdefg", 6), "abcdef…");
        assert_eq!(line("abcde fg", 6), "abcde…");
    }

    #[test]
    fn nothing_in_a_name_becomes_a_link() {
        assert_eq!(
            name("Win at https://evil.example/<b>"),
            "Win at https evil.\u{2060}example/b"
        );
        assert_eq!(name("J. R. Tolkien"), "J. R. Tolkien");
        assert_eq!(name(&"x".repeat(100)).chars().count(), NAME_CHARS + 1);
        assert!(!name("a@evil.example").contains('@'));
        assert_eq!(
            client("203.0.113.7, Mozilla/5.0 (see http://evil.example)"),
            "203.0.113.7, Mozilla/5.0 (see http evil.\u{2060}example)"
        );
    }

    #[test]
    fn what_is_unseen_hides_no_address() {
        for hidden in [":\u{200b}//", ":/\u{2060}/", "\u{ad}://", ":<//"] {
            let text = format!("http{hidden}evil.example");
            for cleaned in [name(&text), client(&text)] {
                assert!(!cleaned.contains("://"), "{cleaned:?}");
            }
        }
    }

    #[test]
    fn an_order_id_is_no_sentence() {
        assert_eq!(order_id("A-17_#3.b"), "A-17_#3.\u{2060}b");
        assert_eq!(
            order_id("pay again: https://evil.example"),
            "payagainhttpsevil.\u{2060}example"
        );
        assert_eq!(order_id("<script>\r\n"), "script");
    }
}
