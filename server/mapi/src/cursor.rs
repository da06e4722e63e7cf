//! Opaque places in lists: base64 of a place and of the epoch in which it means something (R31).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;

use super::problem::Problem;

/// A cursor for `place` on page `page` of a list.
pub(super) fn write(list: char, epoch: &str, place: i64, page: u32) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}.{epoch}.{place}.{page}"))
}

/// The place and the page that `text` stands for.
///
/// # Errors
/// 400 when it is none of this list, 409 when it is of another epoch: the database was restored since.
pub(super) fn read(list: char, epoch: &str, text: &str) -> Result<(i64, u32), Problem> {
    let malformed = || Problem::malformed("malformed-cursor", "The cursor does not come from this list.");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?;
    let decoded = String::from_utf8(bytes).map_err(|_| malformed())?;
    let parts: Vec<&str> = decoded.split('.').collect();
    let [name, of_epoch, place, page] = parts[..] else {
        return Err(malformed());
    };
    let place: i64 = place.parse().map_err(|_| malformed())?;
    let page: u32 = page.parse().map_err(|_| malformed())?;
    // Numbers have other spellings, and base64 other ends, which nobody got from us.
    let is_ours = write(list, of_epoch, place, page) == text;
    if name.chars().ne([list]) || place < 0 || page == 0 || !is_ours {
        return Err(malformed());
    }
    if of_epoch != epoch {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "stale-cursor",
            "The cursor is from before the database was restored. Start again without it.",
        ));
    }
    Ok((place, page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r31_a_cursor_of_another_epoch_is_no_silence() {
        let cursor = write('c', "aa", 7, 2);
        assert_eq!(read('c', "aa", &cursor).unwrap(), (7, 2));
        assert_eq!(read('c', "bb", &cursor).unwrap_err().code, "stale-cursor");
        for bad in [
            "",
            "x",
            &cursor[1..],
            &write('e', "aa", 7, 2),
            &write('c', "aa", -1, 1),
            &write('c', "aa", 1, 0),
            &URL_SAFE_NO_PAD.encode("c.aa.+7.2"),
            &URL_SAFE_NO_PAD.encode("c.aa.7.02"),
        ] {
            assert_eq!(read('c', "aa", bad).unwrap_err().code, "malformed-cursor", "{bad}");
        }
    }
}
