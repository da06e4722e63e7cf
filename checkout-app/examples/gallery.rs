//! Writes every page in every situation and language as HTML files, to be looked at: `cargo run -p bitpro-checkout-app
//! --features ssr,sample --example gallery -- <folder> [<index.html>]`.
//!
//! The files are documents as the server sends them; with the `index.html` that Trunk built they also start the browser's part,
//! provided that something serves it.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use bitpro_checkout_app::copy::Lang;
use bitpro_checkout_app::page::{
    AmountForm, AmountRefused, Confirm, ErrorPage, FrameNotice, Framing, Outcome, PageInput, PaidOutcome, Problem,
};
use bitpro_checkout_app::sample;
use bitpro_checkout_app::ssr::{Template, render};

const NONCE: &str = "Z2FsbGVyeQ";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("name a folder to write to")?;
    let folder = Path::new(&folder);
    let template = match env::args().nth(2) {
        Some(index) => Template::parse(&fs::read_to_string(index)?)?,
        None => Template::without_script(),
    };
    fs::create_dir_all(folder)?;
    for lang in Lang::ALL {
        for (name, input) in all(lang) {
            for framed in [false, true] {
                let framing = Framing {
                    framed,
                    origins: vec!["https://shop.example".to_owned()],
                };
                let page = render(&input, &framing);
                let html = template.document(&page, NONCE);
                let end = if framed { "-framed" } else { "" };
                fs::write(folder.join(format!("{name}-{}{end}.html", lang.tag())), html)?;
            }
        }
    }
    Ok(())
}

fn all(lang: Lang) -> Vec<(String, PageInput)> {
    let page = sample::page();
    let charges = sample::all().into_iter().map(|(name, view)| {
        let mut page = page.clone();
        page.lang = lang;
        page.view = view;
        (name.to_owned(), PageInput::Charge(Box::new(page)))
    });
    let colours = [
        ("yellow", [0xff, 0xd4, 0x00]),
        ("black", [0; 3]),
        ("white", [0xff; 3]),
        ("red", [0xd1, 0x2a, 0x2a]),
    ];
    let coloured = colours.map(|(name, colour)| {
        let mut page = page.clone();
        page.lang = lang;
        page.merchant.colour = Some(colour);
        (format!("colour-{name}"), PageInput::Charge(Box::new(page)))
    });
    let merchant = page.merchant.clone();
    let other_lang_url = Some("?lang=fr".to_owned());
    let order_id = Some("A-1001".to_owned());
    let form = |typed: &str, refused| {
        PageInput::AmountForm(AmountForm {
            merchant: merchant.clone(),
            lang,
            other_lang_url: other_lang_url.clone(),
            action: "/app/checkout/x".to_owned(),
            hidden: vec![("external_order_id".to_owned(), "A-1001".to_owned())],
            typed: typed.to_owned(),
            refused,
            order_id: order_id.clone(),
        })
    };
    let outcome = |state: &str| {
        PageInput::PaidOutcome(PaidOutcome {
            merchant: merchant.clone(),
            lang,
            other_lang_url: other_lang_url.clone(),
            outcome: Some(Outcome {
                state: state.to_owned(),
                reason: None,
            }),
            fiat_price_cents: 4_200,
            order_id: order_id.clone(),
        })
    };
    let problems = [
        Problem::UnknownMerchant,
        Problem::UnknownCharge,
        Problem::BadPrice,
        Problem::PriceTooHigh(10_000_000),
        Problem::RepeatedParameter("fiat_price_cents".to_owned()),
        Problem::TooMany(7),
        Problem::RateAway,
        Problem::Internal,
    ];
    let errors = problems.into_iter().map(|problem| {
        let name = format!("error-{}", problem.code());
        let known = !matches!(problem, Problem::UnknownMerchant);
        let retry = matches!(problem, Problem::TooMany(_) | Problem::RateAway | Problem::Internal);
        let page = ErrorPage {
            problem,
            lang,
            merchant: known.then(|| merchant.clone()),
            retry_url: retry.then(|| "?".to_owned()),
            order_id: None,
            request_id: Some("01J9Z8K3Q4".to_owned()),
        };
        (name, PageInput::Error(page))
    });
    let others = [
        ("form", form("", None)),
        ("form-refused", form("4,2,0", Some(AmountRefused::NotAnAmount))),
        (
            "confirm",
            PageInput::Confirm(Confirm {
                merchant: merchant.clone(),
                lang,
                other_lang_url: other_lang_url.clone(),
                action: "/app/checkout/x".to_owned(),
                hidden: Vec::new(),
                fiat_price_cents: Some(4_200),
                order_id: order_id.clone(),
            }),
        ),
        ("outcome-seen", outcome("seen")),
        ("outcome-confirmed", outcome("confirmed")),
        ("outcome-failed", outcome("failed")),
        (
            "frame-notice",
            PageInput::FrameNotice(FrameNotice {
                lang,
                origin: Some("https://elsewhere.example".to_owned()),
            }),
        ),
    ];
    charges
        .chain(coloured)
        .chain(others.map(|(name, input)| (name.to_owned(), input)))
        .chain(errors)
        .collect()
}
