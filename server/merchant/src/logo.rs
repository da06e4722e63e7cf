//! The picture on the page. What somebody uploads is never served: it is decoded within bounds and written anew.

mod bare;

use std::io::Cursor;

use bytes::Bytes;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use tokio::sync::Semaphore;

use super::SettingError;

/// A picture for the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// `image/png` for what was uploaded here; what an earlier release stored may be `image/jpeg` or `image/webp`.
    pub mime: &'static str,
    /// The file.
    pub bytes: Bytes,
}

/// The longest side in pixels: the page shows it at 40, and some screens have four times as many.
const SIDE: u32 = 160;
/// The longest side in pixels of what is uploaded, asked before anything is decoded.
const UPLOADED_SIDE: u32 = 2_048;
/// The memory that decoding may take, in bytes: a picture of the longest sides at eight bytes a pixel, and a little.
const DECODING: u64 = 40 * 1024 * 1024;

/// How many pictures are decoded at once: that bounds the memory of all of them.
static DECODERS: Semaphore = Semaphore::const_new(2);

impl Logo {
    /// The largest file that is taken, in bytes.
    pub const MAX_BYTES: usize = 1024 * 1024;

    /// The logo made of an uploaded file: its first frame, made small, without whatever else the file held. It is made on a
    /// thread that may block.
    ///
    /// # Errors
    /// [`SettingError`] when the file is too large, or no PNG, JPEG or WebP picture. SVG is not taken, for it can hold scripts.
    ///
    /// # Panics
    /// When it is called outside a Tokio runtime.
    pub async fn from_upload(bytes: Vec<u8>) -> Result<Self, SettingError> {
        let size = bytes.len();
        let permit = DECODERS.acquire().await.expect("the semaphore is never closed");
        let made = tokio::task::spawn_blocking(move || {
            // A decoder goes on when nobody waits for it any more, and counts as long as it does.
            let _permit = permit;
            Self::made_of(&bytes)
        })
        .await;
        // A decoder that panics has met a picture that it does not know.
        made.unwrap_or_else(|_| Err(refused(size, "wanted a picture that can be decoded")))
    }

    /// A logo made of an uploaded picture, or why it is none.
    ///
    /// # Errors
    /// [`SettingError`], when it is too large or cannot be decoded.
    pub fn made_of(bytes: &[u8]) -> Result<Self, SettingError> {
        let refused = |wanted| refused(bytes.len(), wanted);
        if bytes.len() > Self::MAX_BYTES {
            return Err(refused("wanted a picture of at most 1 MiB"));
        }
        let plain = bare::without_extras(bytes).ok_or_else(|| refused("wanted a picture that can be decoded"))?;
        let decoded = decode(&plain)
            .ok_or_else(|| refused("wanted a PNG, JPEG or WebP picture of at most 2048 pixels in width and height"))?;
        let fits = decoded.width() <= SIDE && decoded.height() <= SIDE;
        let small = if fits { decoded } else { decoded.thumbnail(SIDE, SIDE) };
        let mut file = Cursor::new(Vec::new());
        small
            .into_rgba8()
            .write_to(&mut file, ImageFormat::Png)
            .map_err(|_| refused("wanted a picture that can be written as PNG"))?;
        Ok(Self {
            mime: "image/png",
            bytes: file.into_inner().into(),
        })
    }

    /// A logo as it is stored.
    pub fn from_stored(bytes: Vec<u8>) -> Option<Self> {
        let mime = match &bytes[..] {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "image/png",
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
            _ => return None,
        };
        Some(Self {
            mime,
            bytes: Bytes::from(bytes),
        })
    }
}

/// The first frame of a picture in one of the three formats, told by its bytes and not by a name.
fn decode(bytes: &[u8]) -> Option<DynamicImage> {
    let reader = || {
        let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
        let mut limits = Limits::default();
        limits.max_image_width = Some(UPLOADED_SIDE);
        limits.max_image_height = Some(UPLOADED_SIDE);
        limits.max_alloc = Some(DECODING);
        reader.limits(limits);
        Some(reader)
    };
    let known = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP];
    if !known.contains(&reader()?.format()?) {
        return None;
    }
    // A format whose decoder heeds no limits is kept out by its own word on its size.
    let (width, height) = reader()?.into_dimensions().ok()?;
    if width == 0 || height == 0 || width > UPLOADED_SIDE || height > UPLOADED_SIDE {
        return None;
    }
    reader()?.decode().ok()
}

fn refused(size: usize, wanted: &str) -> SettingError {
    SettingError {
        setting: "logo".to_owned(),
        known: None,
        value: format!("{size} bytes"),
        wanted: wanted.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use image::RgbaImage;

    use super::*;

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let plain = RgbaImage::from_pixel(width, height, image::Rgba([200, 30, 60, 255]));
        let mut file = Cursor::new(Vec::new());
        let picture = DynamicImage::from(plain);
        // JPEG knows no transparency.
        picture.to_rgb8().write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    #[test]
    fn each_format_is_written_anew_as_a_small_png() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let logo = Logo::made_of(&picture(800, 400, format)).unwrap();
            assert_eq!(logo.mime, "image/png", "{format:?}");
            let again = decode(&logo.bytes).unwrap();
            assert_eq!((again.width(), again.height()), (160, 80), "{format:?}");
            assert_eq!(Logo::from_stored(logo.bytes.to_vec()), Some(logo));
        }
    }

    #[test]
    fn a_small_picture_keeps_its_size() {
        let logo = Logo::made_of(&picture(3, 2, ImageFormat::Png)).unwrap();
        let again = decode(&logo.bytes).unwrap();
        assert_eq!((again.width(), again.height()), (3, 2));
    }

    #[test]
    fn what_is_behind_the_picture_is_left_behind() {
        let mut file = picture(3, 2, ImageFormat::Png);
        file.extend_from_slice(b"<script>alert(1)</script>");
        let logo = Logo::made_of(&file).unwrap();
        assert!(!logo.bytes.windows(6).any(|bytes| bytes == b"script"));
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_refused() {
        let mut bomb = picture(3, 2, ImageFormat::Png);
        // Width and height stand in the first chunk, at bytes 16 to 23.
        bomb[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        let broad = picture(UPLOADED_SIDE + 1, 1, ImageFormat::Png);
        for bad in [
            &b"<svg/>"[..],
            b"",
            b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
            b"\x89PNG\r\n\x1a\nrest",
            &bomb,
            &broad,
            &vec![0; Logo::MAX_BYTES + 1],
        ] {
            assert_eq!(Logo::made_of(bad).unwrap_err().setting, "logo");
        }
    }

    #[test]
    fn a_colour_profile_that_unpacks_to_a_thousand_times_its_size_is_not_unpacked() {
        let file = picture(3, 2, ImageFormat::Png);
        let bomb = bare::tests::with_chunk(&file, b"iCCP", &[0x61; 900 * 1024]);
        assert!(bomb.len() <= Logo::MAX_BYTES);
        // What the decoder is given has no profile, so no decoder has to be trusted to leave it alone.
        assert_eq!(
            bare::without_extras(&bomb).unwrap(),
            bare::without_extras(&file).unwrap()
        );
        assert_eq!(Logo::made_of(&bomb), Logo::made_of(&file));
    }
}
