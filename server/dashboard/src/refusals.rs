//! Why there is no page of the dashboard: its own refusals beside those of all surfaces, in words for people who run a shop.

use bitpro_base::seal::SealError;
use bitpro_limits::RetryAfter;
use bitpro_merchant::words::{Words, words};
use bitpro_service::accounts::AccountError;
use bitpro_store::StoreError;
use bitpro_web::refusal::{Refusal as Shared, SOON};
use http::StatusCode;

/// A refusal of the dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// What every surface may refuse.
    Shared(Shared),
    /// The member's role does not allow it.
    NotAllowed,
    /// A form that was sent from another site's page, or from none.
    ForeignForm,
    /// A form of a session that has ended.
    StaleForm,
    /// Passwords are not taken where they could be read on their way.
    NeedsHttps,
    /// The account has as many exports under way as it may.
    TooManyExports,
}

impl Refusal {
    /// Nothing is at this path, for whoever asks.
    pub const UNKNOWN_PAGE: Self = Self::Shared(Shared::UnknownPage);
    /// Nobody has this id, or nobody whom whoever asks may know of.
    pub const UNKNOWN_MERCHANT: Self = Self::Shared(Shared::UnknownMerchant);
    /// No charge of this merchant has this id.
    pub const UNKNOWN_CHARGE: Self = Self::Shared(Shared::UnknownCharge);
    /// The server is busy.
    pub const BUSY: Self = Self::Shared(Shared::Busy);

    /// The body of a form cannot be read.
    #[must_use]
    pub const fn malformed_form(status: StatusCode) -> Self {
        Self::Shared(Shared::MalformedForm(status))
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Shared(shared) => shared.status(),
            Self::NotAllowed | Self::ForeignForm | Self::StaleForm | Self::NeedsHttps => StatusCode::FORBIDDEN,
            Self::TooManyExports => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// What is wrong, in kebab-case; stable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Shared(shared) => shared.code(),
            Self::NotAllowed => "not-allowed",
            Self::ForeignForm => "foreign-form",
            Self::StaleForm => "stale-form",
            Self::NeedsHttps => "needs-https",
            Self::TooManyExports => "too-many-exports",
        }
    }

    /// When to come back, in seconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Shared(shared) => shared.retry_after(),
            Self::TooManyExports => Some(SOON),
            Self::NotAllowed | Self::ForeignForm | Self::StaleForm | Self::NeedsHttps => None,
        }
    }
}

impl From<Shared> for Refusal {
    fn from(shared: Shared) -> Self {
        Self::Shared(shared)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Shared(error.into())
    }
}

impl From<SealError> for Refusal {
    fn from(error: SealError) -> Self {
        Self::Shared(error.into())
    }
}

impl From<RetryAfter> for Refusal {
    fn from(error: RetryAfter) -> Self {
        Self::Shared(error.into())
    }
}

impl From<AccountError> for Refusal {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::TooMany(secs) => Self::Shared(Shared::TooMany(secs)),
            AccountError::UnknownMerchant => Self::UNKNOWN_MERCHANT,
            AccountError::Store(error) => error.into(),
            AccountError::Sealed(error) => error.into(),
            AccountError::Busy => Self::BUSY,
            AccountError::Closed => Self::NotAllowed,
            _ => Self::UNKNOWN_PAGE,
        }
    }
}

/// What is said.
pub(super) struct Said {
    pub(super) title: Words,
    pub(super) text: Words,
}

/// What is said of a refusal.
pub(super) fn said_of(refusal: &Refusal) -> Said {
    let said = |title, text| Said { title, text };
    match refusal {
        Refusal::NotAllowed => said(
            words("Your role does not allow this", "Votre rôle ne le permet pas"),
            words(
                "Ask an owner of the team.",
                "Adressez-vous à un propriétaire de l’équipe.",
            ),
        ),
        Refusal::ForeignForm | Refusal::StaleForm => said(
            words("This form is out of date", "Ce formulaire n’est plus valable"),
            words(
                "Your session changed after you opened the page. Nothing was changed. Open the page again.",
                "Votre session a changé depuis l’ouverture de la page. Rien n’a été modifié. Rouvrez la page.",
            ),
        ),
        Refusal::NeedsHttps => said(
            words("The dashboard needs https", "Le tableau de bord exige https"),
            words(
                "Bitpro does not accept passwords over a connection that others can read. Set public_url, or dashboard_url, to an https address.",
                "Bitpro n’accepte pas de mot de passe sur une connexion que d’autres peuvent lire. Donnez à public_url, ou à dashboard_url, une adresse https.",
            ),
        ),
        Refusal::Shared(Shared::TooMany(_)) => said(
            words("Too many attempts", "Trop de tentatives"),
            words("Wait a minute, then try again.", "Attendez une minute, puis réessayez."),
        ),
        Refusal::TooManyExports => said(
            words("Two exports are still running", "Deux exports sont encore en cours"),
            words(
                "Wait until one of them is complete, then try again.",
                "Attendez que l’un d’eux soit terminé, puis réessayez.",
            ),
        ),
        Refusal::Shared(Shared::MalformedForm(_)) => said(
            words("The form cannot be read", "Le formulaire est illisible"),
            words(
                "It is too large or damaged. Nothing was changed.",
                "Il est trop volumineux ou endommagé. Rien n’a été modifié.",
            ),
        ),
        _ if refusal.status().is_server_error() => said(
            words("Temporarily unavailable", "Temporairement indisponible"),
            words(
                "The server cannot do this now. Try again in a minute.",
                "Le serveur ne peut pas faire cela maintenant. Réessayez dans une minute.",
            ),
        ),
        _ => said(
            words("Page not found", "Page introuvable"),
            words(
                "This page does not exist, or you don’t have access to it.",
                "Cette page n’existe pas, ou vous n’y avez pas accès.",
            ),
        ),
    }
}
