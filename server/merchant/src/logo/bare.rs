//! A picture without whatever is not the picture. Profiles and texts may be packed, a megabyte of them unpacks to a gigabyte, and
//! none of it is looked at; and a JPEG of a few bytes may ask for the whole picture to be gone through thousands of times.

use std::borrow::Cow;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";
/// What a PNG is drawn from: size, palette, transparency, pixels, end.
const DRAWN: [&[u8; 4]; 5] = [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"];
/// Passes over the picture that a JPEG may have: usual encoders make ten.
pub(crate) const MOST_JPEG_SCANS: usize = 32;

/// The file with nothing but what is drawn. `None` for one that cannot be, or is too much work.
pub(super) fn without_extras(file: &[u8]) -> Option<Cow<'_, [u8]>> {
    if file.starts_with(PNG) {
        return bare_png(file).map(Cow::Owned);
    }
    if file.starts_with(JPEG) && scans(file) > MOST_JPEG_SCANS {
        return None;
    }
    Some(Cow::Borrowed(file))
}

/// The chunks that are drawn, up to the end. What a chunk's checksum says is for the decoder to judge.
fn bare_png(file: &[u8]) -> Option<Vec<u8>> {
    let mut bare = PNG.to_vec();
    let mut rest = &file[PNG.len()..];
    loop {
        let (size, _) = rest.split_first_chunk::<4>()?;
        let size = usize::try_from(u32::from_be_bytes(*size)).ok()?;
        // Size, name, and checksum are twelve bytes around the chunk.
        let (chunk, behind) = rest.split_at_checked(size.checked_add(12)?)?;
        let name = &chunk[4..8];
        if DRAWN.iter().any(|drawn| *drawn == name) {
            bare.extend_from_slice(chunk);
        }
        if name == b"IEND" {
            return Some(bare);
        }
        rest = behind;
    }
}

/// How often a JPEG begins a pass. Within the pixels this marker cannot stand; elsewhere it makes the count only larger.
fn scans(file: &[u8]) -> usize {
    file.windows(2).filter(|pair| *pair == [0xff, 0xda]).count()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The file with one more chunk behind its first, with a checksum that nobody has made.
    pub(in super::super) fn with_chunk(file: &[u8], name: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        let (head, rest) = file.split_at(PNG.len() + 25);
        let size = u32::try_from(inside.len()).unwrap().to_be_bytes();
        [head, &size, name, inside, &[0; 4], rest].concat()
    }

    #[test]
    fn a_png_keeps_what_is_drawn_and_loses_the_rest() {
        let chunk = |name: &[u8; 4], inside: &[u8]| {
            let size = u32::try_from(inside.len()).unwrap().to_be_bytes();
            [&size[..], name, inside, b"sum!"].concat()
        };
        let drawn = [chunk(b"IHDR", &[1; 13]), chunk(b"IDAT", b"pixels"), chunk(b"IEND", b"")];
        let plain = [PNG, &drawn.concat()].concat();
        for extra in [
            b"iCCP", b"zTXt", b"iTXt", b"tEXt", b"eXIf", b"acTL", b"fdAT", b"gAMA", b"abcd",
        ] {
            assert_eq!(without_extras(&with_chunk(&plain, extra, b"packed")).unwrap(), plain);
        }
        let with_palette = with_chunk(&with_chunk(&plain, b"tRNS", b"t"), b"PLTE", b"p");
        assert_eq!(without_extras(&with_palette).unwrap(), with_palette);
        assert_eq!(without_extras(&[&plain[..], b"<script>"].concat()).unwrap(), plain);
    }

    #[test]
    fn a_png_that_is_cut_off_or_lies_about_its_sizes_is_none() {
        assert_eq!(without_extras(PNG), None);
        assert_eq!(without_extras(&[PNG, &[0xff; 40]].concat()), None);
        assert_eq!(without_extras(&[PNG, &[0, 0, 0, 9], b"IHDR"].concat()), None);
    }

    #[test]
    fn a_jpeg_of_thousands_of_passes_is_refused_before_it_is_decoded() {
        let pass = [0xff, 0xda, 0, 2];
        let most = [JPEG, &pass.repeat(MOST_JPEG_SCANS)].concat();
        assert!(without_extras(&most).is_some());
        assert_eq!(without_extras(&[&most[..], &pass].concat()), None);
    }
}
