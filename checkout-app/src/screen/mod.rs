//! The view-model: what stands on the page of a charge, as a pure function of the charge, the clock and the language.
//!
//! Components only put it into elements. Whatever the page says or offers is decided, and tested, here.

mod phase;
mod rows;
#[cfg(test)]
mod tests;

use bitpro_charge::wire::{ChargeView, NodeView, ProgressView};
use bitpro_charge::{Amount, bip21};

use crate::copy::{Lang, Told, Words};
use crate::format;
use crate::page::ChargePage;

pub use phase::{Phase, Tone};
pub use rows::Row;

/// From here on the time left is shown in seconds; before, seconds would only make people nervous.
const SECONDS_FROM: u32 = 5 * 60;

/// All that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// Where the shopper stands.
    pub phase: Phase,
    /// The public state, for `data-state`.
    pub state: String,
    /// Its reason, for `data-reason`; empty where there is none.
    pub reason: String,
    /// The state line.
    pub sentence: String,
    /// What it means; empty where there is a code to scan instead.
    pub meaning: &'static str,
    /// The tab's title.
    pub title: String,
    /// The price, to look at.
    pub fiat: String,
    /// What to send, to look at.
    pub btc: String,
    /// The same as a wallet reads it.
    pub plain_btc: String,
    /// Whether only a rest is asked for.
    pub is_rest: bool,
    /// How to pay, while paying makes sense.
    pub way: Option<Way>,
    /// "n of m", once enough is known.
    pub progress: Option<ProgressView>,
    /// The one next step.
    pub step: Step,
    /// The receipt, or what to quote.
    pub facts: Vec<Row>,
    /// The rest of what can be known.
    pub details: Vec<Row>,
    /// The address to pay to.
    pub address: String,
    /// That these coins are worth nothing; empty on mainnet.
    pub banner: String,
    /// Time left, while there is something to pay.
    pub time: Option<TimeLeft>,
}

/// How to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The link that opens a wallet.
    pub uri: String,
    /// The text of the QR code.
    pub qr_text: String,
}

/// The one obvious next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Open the wallet.
    Wallet(String),
    /// Make a new charge for the same order.
    StartAgain(String),
    /// Go back to the shop: its address, or only out of the frame.
    Shop(Option<String>),
    /// Keep the receipt.
    Print,
    /// Ask the merchant, and quote this.
    Quote(String),
}

/// Time left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeLeft {
    /// "expires in 12 min".
    pub text: String,
    /// For the bar, in thousandths of the window.
    pub permille: u32,
}

impl Screen {
    /// The screen of a page's charge `view` at `now` (Unix milliseconds by the server's clock) in `lang`.
    #[must_use]
    pub fn of(page: &ChargePage, framed: bool, view: &ChargeView, now: i64, lang: Lang) -> Self {
        let words = lang.words();
        let phase = Phase::of(view, now);
        let told = told(phase, view, words);
        let fiat = format::euros(view.fiat_price_cents, lang);
        let is_rest = phase == Phase::Partial;
        let asked = if is_rest { view.remaining_sat } else { view.amount_sat };
        let way = phase.is_payable().then(|| Way {
            uri: view.uri.clone().unwrap_or_default(),
            qr_text: bip21::qr_text(&view.address, Amount::from_sat(view.remaining_sat)),
        });
        Self {
            phase,
            state: view.state.clone(),
            reason: view.reason.clone().unwrap_or_default(),
            sentence: sentence(phase, view, told, words, lang),
            meaning: told.meaning,
            title: title(phase, told, &fiat, &page.merchant.name),
            fiat,
            btc: format::btc(asked, lang),
            plain_btc: format::plain_btc(asked),
            is_rest,
            step: step(page, framed, view, phase, way.as_ref()),
            way,
            progress: view.progress.filter(|_| matches!(phase, Phase::Seen | Phase::Stuck)),
            facts: rows::facts(view, phase, words, lang),
            details: rows::details(page, view, phase, words, lang),
            address: view.address.clone(),
            banner: match view.network.as_str() {
                "mainnet" => String::new(),
                network => (words.test_network)(network),
            },
            time: phase.is_payable().then(|| time_left(view, now, words)),
        }
    }
}

impl Screen {
    /// The text of the QR code; empty where there is nothing to pay.
    #[must_use]
    pub fn qr_text(&self) -> &str {
        self.way.as_ref().map_or("", |way| &way.qr_text)
    }
}

fn told(phase: Phase, view: &ChargeView, words: &'static Words) -> &'static Told {
    match phase {
        Phase::Waiting => match view.node {
            NodeView::Ready => &words.waiting,
            NodeView::Syncing => &words.syncing,
            NodeView::Away => &words.away,
        },
        Phase::WaitingAgain => &words.waiting_again,
        Phase::Partial => &words.partial_told,
        Phase::Closing => &words.closing,
        Phase::Seen if !phase::is_listening(view) => &words.seen_away,
        Phase::Seen => &words.seen_told,
        Phase::Stuck => &words.stuck,
        Phase::Confirmed => &words.confirmed,
        Phase::Overpaid => &words.overpaid,
        Phase::TimedOut => &words.timed_out,
        Phase::Late => &words.late,
        Phase::Underpaid => &words.underpaid_told,
        Phase::Replaced => &words.replaced,
        Phase::Dropped => &words.dropped,
        Phase::Reorged => &words.reorged,
        Phase::Cancelled => &words.cancelled,
        Phase::Failed => &words.failed,
    }
}

fn sentence(phase: Phase, view: &ChargeView, told: &Told, words: &Words, lang: Lang) -> String {
    let btc = |sat| format::btc(sat, lang);
    match (phase, view.progress) {
        (Phase::Partial, _) => {
            (words.partial)(&btc(view.received_sat), &btc(view.amount_sat), &btc(view.remaining_sat))
        }
        (Phase::Underpaid, _) => (words.underpaid)(&btc(view.received_sat), &btc(view.amount_sat)),
        (Phase::Seen, Some(progress)) if phase::is_listening(view) => (words.seen)(progress.have, progress.required),
        // Without a progress there is nothing to count, and the shopper may go all the same.
        (Phase::Seen, _) => words.seen_away.sentence.to_owned(),
        _ => told.sentence.to_owned(),
    }
}

/// The state first, so that it can be read in a narrow tab.
fn title(phase: Phase, told: &Told, fiat: &str, merchant: &str) -> String {
    let mark = match phase.tone() {
        Tone::Calm => "",
        Tone::Busy => "◔ ",
        Tone::Good => "✓ ",
        Tone::Care => "! ",
    };
    let subject = if told.title.is_empty() { fiat } else { told.title };
    [mark, subject, " · ", merchant].concat()
}

fn step(page: &ChargePage, framed: bool, view: &ChargeView, phase: Phase, way: Option<&Way>) -> Step {
    if let Some(way) = way {
        return Step::Wallet(way.uri.clone());
    }
    // Nothing was ever paid here, so nobody can pay twice by starting again (R22).
    let untouched = view.payments.is_empty() && view.gone_payments.is_empty();
    if let (Phase::TimedOut, true, Some(url)) = (phase, untouched, &page.start_again) {
        return Step::StartAgain(url.clone());
    }
    let preferred = if phase.tone() == Tone::Good {
        &page.success_url
    } else {
        &page.back_url
    };
    match preferred.as_ref().or(page.merchant.site.as_ref()) {
        Some(url) => Step::Shop(Some(url.clone())),
        None if framed => Step::Shop(None),
        None if phase.tone() == Tone::Good => Step::Print,
        None => Step::Quote(rows::to_quote(view).to_owned()),
    }
}

fn time_left(view: &ChargeView, now: i64, words: &Words) -> TimeLeft {
    let window = secs(view.expires_at - view.created_at).max(1);
    let left = secs(view.expires_at - now).min(window);
    let text = if left > SECONDS_FROM {
        (words.expires_in_minutes)(left.div_ceil(60))
    } else {
        (words.expires_in)(&format::clock(left))
    };
    let permille = u64::from(left) * 1_000 / u64::from(window);
    TimeLeft {
        text,
        permille: u32::try_from(permille).unwrap_or(1_000),
    }
}

/// Whole seconds of a span in milliseconds, rounded up; nothing for a span that is over.
fn secs(millis: i64) -> u32 {
    u32::try_from(millis.max(0).unsigned_abs().div_ceil(1_000)).unwrap_or(u32::MAX)
}
