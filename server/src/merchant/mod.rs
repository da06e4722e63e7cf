//! The merchant: who is paid, and what he chose.

mod colour;
mod language;
mod origin;
mod settings;
pub(crate) mod stored;

use std::sync::Arc;

use bitpro_charge::{MerchantId, Timestamp};
use bytes::Bytes;

pub use colour::{Colour, NotAColour};
pub use language::{Language, UnknownLanguage};
pub use origin::{AllowedOrigin, OriginError, frame_ancestors};
pub use settings::{SETTINGS, Setting, SettingError, Settings};

use crate::links::SealedLinkKey;
use crate::store::DescriptorId;

/// A merchant as he is now.
#[derive(Debug, Clone)]
pub struct Merchant {
    /// His identity, as in every link.
    pub id: MerchantId,
    /// What he chose.
    pub settings: Settings,
    /// The picture on the page.
    pub logo: Option<Logo>,
    /// Where new charges get their addresses from; `None` until he has given a descriptor.
    pub descriptor: Option<DescriptorId>,
    /// What his links are signed with, oldest first; the last one signs.
    pub link_keys: Vec<SealedLinkKey>,
    /// When he was added.
    pub created_at: Timestamp,
}

/// A picture for the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// `image/png`, `image/jpeg`, `image/webp`, told by the bytes and not by a name; SVG is not taken, for it can hold scripts.
    pub mime: &'static str,
    /// The file, at most [`Logo::MAX_BYTES`].
    pub bytes: Bytes,
}

impl Logo {
    /// A logo is shown at 40 px: more than this is a mistake.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// A logo from the bytes of a file.
    ///
    /// # Errors
    /// [`SettingError`] when it is too large or not a picture that every browser shows.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SettingError> {
        let refused = |wanted: &str| SettingError {
            setting: "logo".to_owned(),
            value: format!("{} bytes", bytes.len()),
            wanted: wanted.to_owned(),
        };
        if bytes.len() > Self::MAX_BYTES {
            return Err(refused("wanted a picture of at most 65536 bytes"));
        }
        let mime = match &bytes[..] {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "image/png",
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
            _ => return Err(refused("wanted a PNG, JPEG or WebP file")),
        };
        Ok(Self {
            mime,
            bytes: Bytes::from(bytes),
        })
    }
}

impl Merchant {
    /// Whether a page of `origin` may frame the checkout (R24, R41).
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        self.settings
            .allowed_origins
            .iter()
            .any(|allowed| allowed.allows(origin))
    }

    /// The value of `frame-ancestors` for this merchant's pages.
    #[must_use]
    pub fn frame_ancestors(&self) -> String {
        frame_ancestors(&self.settings.allowed_origins)
    }
}

/// Merchants by id, shared and never half updated.
pub(crate) type MerchantMap = std::collections::HashMap<MerchantId, Arc<Merchant>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_told_by_its_bytes() {
        let png = b"\x89PNG\r\n\x1a\nrest".to_vec();
        assert_eq!(Logo::from_bytes(png).unwrap().mime, "image/png");
        assert_eq!(
            Logo::from_bytes(b"RIFF1234WEBPVP8 ".to_vec()).unwrap().mime,
            "image/webp"
        );
        for bad in [b"<svg/>".to_vec(), Vec::new(), vec![0xff; Logo::MAX_BYTES + 1]] {
            assert_eq!(Logo::from_bytes(bad).unwrap_err().setting, "logo");
        }
    }
}
