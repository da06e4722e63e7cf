//! What a page of the checkout is made of: the server's input to rendering, and what the browser is given to take over.

use bitpro_charge::wire::ChargeView;
use serde::Serialize;

use crate::copy::Lang;

/// Where a page is shown, and who may show it in a frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Framing {
    /// It is shown in a frame (`Sec-Fetch-Dest: iframe`).
    pub framed: bool,
    /// Origins that may frame it (R41), as `https://shop.example` or `https://*.shop.example`: the only ones that the page
    /// talks to.
    pub origins: Vec<String>,
}

/// The merchant, as far as the shopper sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MerchantView {
    /// The id in the page's URL.
    pub id: String,
    /// The shop's name.
    pub name: String,
    /// The logo's address on this server; without one the name's initial stands in.
    pub logo_url: Option<String>,
    /// The shop's colour as red, green, blue; without one the page's own.
    pub colour: Option<[u8; 3]>,
    /// The shop's address, for the way back.
    pub site: Option<String>,
}

/// The page of one charge: rendered by the server, then sent to the browser as JSON to go on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChargePage {
    /// The charge.
    pub view: ChargeView,
    /// Whose it is.
    pub merchant: MerchantView,
    /// The language to begin with.
    pub lang: Lang,
    /// The epoch of stream cursors (R31). The browser asks for the stream at `<path>/events?after=<epoch>.<sequence>`.
    pub epoch: String,
    /// The charge's own path without a query: `/app/checkout/<merchant>/<charge>`; the stream is at `<path>/events`, the
    /// poll at `<path>/status`.
    pub path: String,
    /// Where a new charge for the same order is made; offered only while no payment of this one is known (R22).
    pub start_again: Option<String>,
    /// The explorer's address of a transaction, with `{txid}` in it.
    pub explorer: Option<String>,
    /// Where to go once the charge is paid; the shop's site when there is no better place.
    pub success_url: Option<String>,
    /// Where to go when it is not; the shop's site when there is no better place.
    pub back_url: Option<String>,
    /// The languages that the merchant offers, `lang` among them.
    pub languages: Vec<Lang>,
}

/// What the browser is given to go on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageState {
    /// The page.
    pub page: ChargePage,
    /// It is shown in a frame.
    pub framed: bool,
}

/// A price, asked for because the link has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmountForm {
    /// Whose page it is.
    pub merchant: MerchantView,
    /// The language.
    pub lang: Lang,
    /// The same page in the other language.
    pub other_lang_url: Option<String>,
    /// Where the form posts to. The field's name is [`AmountForm::FIELD`]; [`crate::price::cents`] reads it.
    pub action: String,
    /// What goes along unseen, such as the order id.
    pub hidden: Vec<(String, String)>,
    /// What was typed before, when it was refused.
    pub typed: String,
    /// Why it was refused.
    pub refused: Option<AmountRefused>,
    /// The order id, if the link has one.
    pub order_id: Option<String>,
}

impl AmountForm {
    /// The name of the field with the amount in euros as the shopper typed it.
    pub const FIELD: &str = "amount";
}

/// Why a typed amount is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountRefused {
    /// Not an amount in euros and cents.
    NotAnAmount,
    /// Too small to be paid on the chain.
    TooSmall,
    /// Above the merchant's limit, in cents.
    AboveLimit(u64),
}

/// A button that posts, before a charge is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// Whose page it is.
    pub merchant: MerchantView,
    /// The language.
    pub lang: Lang,
    /// The same page in the other language.
    pub other_lang_url: Option<String>,
    /// Where the button posts to.
    pub action: String,
    /// What goes along unseen.
    pub hidden: Vec<(String, String)>,
    /// The price in cents.
    pub fiat_price_cents: Option<u64>,
    /// The order id, if the link has one.
    pub order_id: Option<String>,
}

/// What became of a charge that another shopper paid into: no address, no code (R22).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOutcome {
    /// Whose page it is.
    pub merchant: MerchantView,
    /// The language.
    pub lang: Lang,
    /// The same page in the other language.
    pub other_lang_url: Option<String>,
    /// What became of it; `None` for whoever may know no more than that there is a payment.
    pub outcome: Option<Outcome>,
    /// The price in cents.
    pub fiat_price_cents: u64,
    /// The order id.
    pub order_id: Option<String>,
}

/// What became of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The charge's public state.
    pub state: String,
    /// The charge's reason.
    pub reason: Option<String>,
}

/// Framed from a place that is not on the merchant's list (R24): nothing of the merchant stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameNotice {
    /// The language.
    pub lang: Lang,
    /// The origin to add to the list, where the browser told it.
    pub origin: Option<String>,
}

/// Something is wrong, and this page says what, who can mend it, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorPage {
    /// What is wrong.
    pub problem: Problem,
    /// The language.
    pub lang: Lang,
    /// Whose page it is, where that much is known.
    pub merchant: Option<MerchantView>,
    /// The same request again, where that can help.
    pub retry_url: Option<String>,
    /// The order id, to quote to the merchant.
    pub order_id: Option<String>,
    /// The request's id, to quote to whoever runs the server.
    pub request_id: Option<String>,
}

/// What can be wrong with a request for a page (R38).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No such merchant, or the id is malformed.
    UnknownMerchant,
    /// No such charge, or not this merchant's.
    UnknownCharge,
    /// No such page at all.
    UnknownPage,
    /// The price is negative, fractional, zero, or no number.
    BadPrice,
    /// The price is above the merchant's limit, in cents.
    PriceTooHigh(u64),
    /// The price is so small that its amount could not be spent.
    PriceTooLow,
    /// A currency other than the euro.
    BadCurrency,
    /// The order id is longer than 200 characters.
    OrderIdTooLong,
    /// This parameter stands in the link more than once.
    RepeatedParameter(String),
    /// This parameter or the request as a whole cannot be read.
    Malformed(String),
    /// The link's signature is missing or wrong.
    BadSignature,
    /// The signed link has run out.
    LinkExpired,
    /// Too many requests; try again after so many seconds.
    TooMany(u32),
    /// No fresh exchange rate.
    RateAway,
    /// Charges cannot be stored now.
    StorageAway,
    /// The server's own fault.
    Internal,
}

/// Any page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageInput {
    /// A charge.
    Charge(Box<ChargePage>),
    /// The amount is asked for.
    AmountForm(AmountForm),
    /// A button that makes the charge.
    Confirm(Confirm),
    /// The outcome of somebody else's payment.
    PaidOutcome(PaidOutcome),
    /// Framing refused.
    FrameNotice(FrameNotice),
    /// An error.
    Error(ErrorPage),
}
