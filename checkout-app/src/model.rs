//! What the page holds, and the one signal that its elements hang on.
//!
//! There is a single signal, and components take their part of it by function pointers: every further type of signal or
//! closure would bring its own copy of the reactive machinery into the browser's bundle.

use bitpro_charge::wire::ChargeView;
use leptos::prelude::*;

use crate::copy::{Lang, Words};
use crate::page::{ChargePage, PageState};
use crate::screen::Screen;

/// What was copied, for the feedback in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The price.
    Fiat,
    /// The amount in bitcoin.
    Btc,
    /// The address.
    Address,
    /// The number to quote, or whatever else the button of the next step does.
    Step,
}

impl Target {
    /// All targets.
    #[cfg(feature = "hydrate")]
    pub const ALL: [Self; 4] = [Self::Fiat, Self::Btc, Self::Address, Self::Step];

    /// The word in `data-press`, by which a press finds its target.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fiat => "fiat",
            Self::Btc => "btc",
            Self::Address => "address",
            Self::Step => "step",
        }
    }
}

/// A QR code as markup, and the text that it stands for.
///
/// Only the server draws codes: encoding would be an eighth of the browser's bundle, for a code that changes at most when a
/// part was paid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Code {
    /// What is encoded.
    pub text: String,
    /// The drawing.
    pub svg: String,
}

/// What changes while the page is open.
#[derive(Debug, Clone)]
pub struct Held {
    /// What came with the page.
    pub state: PageState,
    /// The charge as last heard of.
    pub view: ChargeView,
    /// The time by the server's clock.
    pub now: i64,
    /// The language.
    pub lang: Lang,
    /// As [`Shown::live`].
    pub live: Option<bool>,
    /// As [`Shown::copied`].
    pub copied: Option<(Target, bool)>,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The screen.
    pub screen: Screen,
    /// The QR code, drawn by the server; empty where there is none (yet).
    pub code: Code,
    /// The language.
    pub lang: Lang,
    /// Whether the page hears of changes; `None` until it is taken over.
    pub live: Option<bool>,
    /// The last copy, and whether it worked.
    pub copied: Option<(Target, bool)>,
}

/// The page. Both are handles, so this is copied freely.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    held: StoredValue<Held>,
    shown: RwSignal<Shown>,
}

impl Model {
    /// The model of a page as the server rendered it: its clock stands at the moment of the view, its code is drawn.
    #[must_use]
    pub fn new(state: PageState, code: Code) -> Self {
        let held = Held {
            view: state.page.view.clone(),
            now: state.page.view.now,
            lang: state.page.lang,
            live: None,
            copied: None,
            state,
        };
        let screen = held.screen();
        let shown = Shown {
            code,
            screen,
            lang: held.lang,
            live: held.live,
            copied: held.copied,
        };
        Self {
            held: StoredValue::new(held),
            shown: RwSignal::new(shown),
        }
    }

    /// A part of what is shown.
    pub fn text(self, of: fn(&Shown) -> String) -> impl Fn() -> String + Copy + Send + Sync + 'static {
        move || self.shown.with(of)
    }

    /// A part of what is shown about `about`.
    pub fn text_of<T: Copy + Send + Sync + 'static>(
        self,
        about: T,
        of: fn(&Shown, T) -> String,
    ) -> impl Fn() -> String + Copy + Send + Sync + 'static {
        move || self.shown.with(|shown| of(shown, about))
    }

    /// A condition on what is shown.
    pub fn is(self, of: fn(&Shown) -> bool) -> impl Fn() -> bool + Copy + Send + Sync + 'static {
        move || self.shown.with(of)
    }

    /// Something that never changes.
    pub fn fixed<T>(self, of: impl FnOnce(&ChargePage) -> T) -> T {
        self.held.with_value(|held| of(&held.state.page))
    }
}

#[cfg(feature = "hydrate")]
impl Model {
    /// What the page holds now.
    pub fn held<T>(self, of: impl FnOnce(&Held) -> T) -> T {
        self.held.with_value(of)
    }

    /// What is shown, with the caller woken at the next change.
    pub fn shown<T>(self, of: impl FnOnce(&Shown) -> T) -> T {
        self.shown.with(of)
    }

    /// What is shown, for once.
    pub fn shown_now<T>(self, of: impl FnOnce(&Shown) -> T) -> T {
        self.shown.with_untracked(of)
    }

    /// Changes what the page holds, and shows it if that makes a difference to the eye.
    pub fn change(self, change: impl FnOnce(&mut Held)) {
        self.held.update_value(change);
        self.refresh();
    }

    /// Shows a code that has come from the server.
    pub fn draw(self, code: Code) {
        self.shown.update(|shown| shown.code = code);
    }

    fn refresh(self) {
        let (screen, lang, live, copied) = self.held(|held| (held.screen(), held.lang, held.live, held.copied));
        self.shown.maybe_update(|shown| {
            let same = shown.screen == screen && shown.lang == lang && shown.live == live && shown.copied == copied;
            shown.screen = screen;
            shown.lang = lang;
            shown.live = live;
            shown.copied = copied;
            !same
        });
    }
}

impl Held {
    fn screen(&self) -> Screen {
        Screen::of(&self.state.page, self.state.framed, &self.view, self.now, self.lang)
    }
}

impl Shown {
    /// The drawing of the code, if it is the right one.
    pub fn svg(&self) -> &str {
        if self.code.text == self.screen.qr_text() {
            &self.code.svg
        } else {
            ""
        }
    }

    /// The words of the language.
    pub const fn words(&self) -> &'static Words {
        self.lang.words()
    }
}
