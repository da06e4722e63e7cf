//! The merchant: who is paid, what they chose, which wallet and keys are theirs, and how they and their shoppers are spoken to.

#![warn(missing_docs)]

mod colour;
pub mod keys;
mod language;
pub mod letters;
mod logo;
mod origin;
mod role;
mod settings;
pub mod stored;
pub mod times;
pub mod urls;
pub mod wallet;
pub mod words;
mod zone;

use std::sync::Arc;

use bitpro_base::links::SealedLinkKey;
use bitpro_charge::{MerchantId, Timestamp};
pub use colour::{Colour, NotAColour};
pub use language::{Language, UnknownLanguage};
pub use logo::Logo;
pub use origin::{AllowedOrigin, OriginError, frame_ancestors};
pub use role::{Permission, Role, UnknownRole};
pub use settings::{MOST_ORIGINS, SETTINGS, Setting, SettingError, SettingName, Settings, SettingsPatch};
pub use zone::{UnknownZone, Zone};

use crate::wallet::DescriptorId;

/// A merchant as they are now.
#[derive(Debug, Clone)]
pub struct Merchant {
    /// The id, as in every link.
    pub id: MerchantId,
    /// What they chose.
    pub settings: Settings,
    /// The picture on the page.
    pub logo: Option<Logo>,
    /// Where new charges get their addresses from; `None` until they have given a descriptor.
    pub descriptor: Option<DescriptorId>,
    /// What their links are signed with, oldest first; the last one signs.
    pub link_keys: Vec<SealedLinkKey>,
    /// When they were added.
    pub created_at: Timestamp,
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
pub type MerchantMap = std::collections::HashMap<MerchantId, Arc<Merchant>>;
