//! What all pages of the settings share: the second navigation, what was just done, and who asks.

use bitpro_merchant::Permission;
use bitpro_merchant::words::{Words, words};
use http::StatusCode;
use maud::{Markup, html};

use crate::layout;
use crate::refusals::Refusal;
use crate::route::{Member, Reply, Request, changed, see_other};

/// A page of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    General,
    Look,
    Domains,
    Webhooks,
    Keys,
    Links,
    Wallet,
}

impl Tab {
    const ALL: [Self; 7] = [
        Self::General,
        Self::Wallet,
        Self::Domains,
        Self::Look,
        Self::Webhooks,
        Self::Keys,
        Self::Links,
    ];

    /// Its path below the merchant's.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::General => "/settings",
            Self::Look => "/settings/look",
            Self::Domains => "/settings/domains",
            Self::Webhooks => "/settings/webhooks",
            Self::Keys => "/settings/keys",
            Self::Links => "/settings/links",
            Self::Wallet => "/settings/wallet",
        }
    }

    const fn label(self) -> Words {
        match self {
            Self::General => words("General", "Général"),
            Self::Look => words("Branding", "Apparence"),
            Self::Domains => words("Domains", "Domaines"),
            Self::Webhooks => words("Webhooks", "Webhooks"),
            Self::Keys => words("API keys", "Clés d’API"),
            Self::Links => words("Link signing", "Signature des liens"),
            Self::Wallet => words("Wallet", "Portefeuille"),
        }
    }

    /// What is needed to change something there.
    pub(super) const fn permission(self) -> Permission {
        match self {
            Self::General | Self::Look | Self::Domains => Permission::Settings,
            Self::Webhooks | Self::Keys | Self::Links => Permission::Keys,
            Self::Wallet => Permission::Money,
        }
    }

    /// Who can change something there.
    const fn who(self) -> Words {
        match self.permission() {
            Permission::Settings => words(
                "You can view these settings. Only owners and managers can change them.",
                "Vous pouvez consulter ces réglages. Seuls les propriétaires et les gérants peuvent les modifier.",
            ),
            Permission::Keys => words(
                "You can view these settings. Only owners and developers can change them.",
                "Vous pouvez consulter ces réglages. Seuls les propriétaires et les développeurs peuvent les modifier.",
            ),
            _ => words(
                "You can view this page. Only owners can change the wallet.",
                "Vous pouvez consulter cette page. Seuls les propriétaires peuvent changer de portefeuille.",
            ),
        }
    }
}

/// The address of the page that `tail` names below the merchant's, as `/settings/look`.
pub(crate) fn below(member: &Member, tail: &str) -> String {
    format!("/dashboard/{}{tail}", member.merchant.id)
}

/// Whether who asks may change something on the page.
pub(super) fn may_change(member: &Member, tab: Tab) -> bool {
    member.role.may(tab.permission())
}

/// A page of the settings with `content`. `done` has what can be said after a change, by the word of `?done=`.
pub(super) fn page(
    request: &Request,
    status: StatusCode,
    tab: Tab,
    done: &[(&str, Words)],
    content: &Markup,
) -> Result<Reply, Refusal> {
    let lang = request.language;
    let member = request.member()?;
    let word = request.query.text("done");
    let said = done
        .iter()
        .find(|(known, _)| *known == word && status == StatusCode::OK);
    let whole = html! {
        nav.tabs aria-label=(SETTINGS.of(lang)) {
            @for other in Tab::ALL {
                a href=(below(member, other.path())) aria-current=[(other == tab).then_some("page")] { (other.label().of(lang)) }
            }
        }
        @if let Some((word, said)) = said {
            p.note.good role="status" data-done=(word) {
                (said.of(lang)) " " a href=(below(member, "")) { (OVERVIEW.of(lang)) }
            }
        }
        @if !may_change(member, tab) { p.note { (tab.who().of(lang)) } }
        (content)
    };
    Ok(layout::page(request, status, tab.label().of(lang), &whole))
}

/// Leads back to a page after a change, which says there that `word` was done; `what` is for the audit log.
pub(super) fn done(member: &Member, tab: Tab, word: &str, what: impl Into<String>) -> Reply {
    changed(&format!("{}?done={word}", below(member, tab.path())), what)
}

/// The same after a form that said what was so already: it leaves no line in the log.
pub(super) fn unchanged(member: &Member, tab: Tab, word: &str) -> Reply {
    see_other(&format!("{}?done={word}", below(member, tab.path()))).unchanged()
}

const OVERVIEW: Words = words("Back to the overview", "Retour à la vue d’ensemble");
const SETTINGS: Words = words("Settings", "Réglages");
