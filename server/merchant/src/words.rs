//! Two languages, side by side: a text that is missing in one does not compile.

mod roles;

use bitpro_checkout_app::copy::Lang;
pub use roles::{role_name, role_powers};

use crate::Language;

/// The same in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// French.
    pub fr: &'static str,
}

impl Words {
    /// The text in `language`.
    #[must_use]
    pub const fn of(self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Fr => self.fr,
        }
    }
}

/// A language of the merchant's settings as the page has it.
#[must_use]
pub const fn lang(language: Language) -> Lang {
    match language {
        Language::En => Lang::En,
        Language::Fr => Lang::Fr,
    }
}

/// A text in both languages.
#[must_use]
pub const fn words(en: &'static str, fr: &'static str) -> Words {
    Words { en, fr }
}
