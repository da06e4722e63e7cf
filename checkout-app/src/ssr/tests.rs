use super::*;
use crate::page::{
    AmountForm, AmountRefused, ChargePage, Confirm, ErrorPage, FrameNotice, MerchantView, Outcome, PaidOutcome, Problem,
};
use crate::{read, sample};

const NONCE: &str = "bm9uY2U";
const HOSTILE: &str = "\"'><script>alert(1)</script>&amp;";

fn framing() -> Framing {
    Framing {
        framed: false,
        origins: vec!["https://shop.example".to_owned(), "https://*.shop.example".to_owned()],
    }
}

/// As Trunk writes it.
fn template() -> Template {
    let built = "<head><!--bitpro:head--><script type=\"module\" nonce=\"{{__TRUNK NONCE__}}\">import init from \
                 '/app/assets/bitpro-checkout-app-0123456789abcdef.js';await init('/app/assets/x_bg.wasm')</script>\
                 <link rel=\"modulepreload\" nonce=\"{{__TRUNK NONCE__}}\" href=\"/app/assets/x.js\"></head>";
    Template::parse(built).unwrap()
}

fn document(input: &PageInput) -> String {
    template().document(&render(input, &framing()), NONCE)
}

fn charge(change: impl FnOnce(&mut ChargePage)) -> PageInput {
    let mut page = sample::page();
    change(&mut page);
    PageInput::Charge(Box::new(page))
}

fn problems() -> [Problem; 16] {
    [
        Problem::UnknownMerchant,
        Problem::UnknownCharge,
        Problem::UnknownPage,
        Problem::BadPrice,
        Problem::PriceTooHigh(10_000_000),
        Problem::PriceTooLow,
        Problem::BadCurrency,
        Problem::OrderIdTooLong,
        Problem::RepeatedParameter(HOSTILE.to_owned()),
        Problem::Malformed(HOSTILE.to_owned()),
        Problem::BadSignature,
        Problem::LinkExpired,
        Problem::TooMany(7),
        Problem::RateAway,
        Problem::StorageAway,
        Problem::Internal,
    ]
}

/// Every kind of page in both languages, with hostile texts wherever a text comes from outside.
fn every_page() -> Vec<PageInput> {
    let merchant = MerchantView {
        name: HOSTILE.to_owned(),
        logo_url: Some(HOSTILE.to_owned()),
        site: Some(HOSTILE.to_owned()),
        ..sample::page().merchant
    };
    let mut pages = Vec::new();
    for lang in Lang::ALL {
        for (_, view) in sample::all() {
            pages.push(charge(|page| {
                page.lang = lang;
                page.view = view;
                page.view.order_id = Some(HOSTILE.to_owned());
                page.merchant = merchant.clone();
            }));
        }
        for refused in [
            None,
            Some(AmountRefused::NotAnAmount),
            Some(AmountRefused::TooSmall),
            Some(AmountRefused::AboveLimit(1)),
        ] {
            pages.push(PageInput::AmountForm(AmountForm {
                merchant: merchant.clone(),
                lang,
                other_lang_url: Some(HOSTILE.to_owned()),
                action: HOSTILE.to_owned(),
                hidden: vec![(HOSTILE.to_owned(), HOSTILE.to_owned())],
                typed: HOSTILE.to_owned(),
                refused,
                order_id: Some(HOSTILE.to_owned()),
            }));
        }
        pages.push(PageInput::Confirm(Confirm {
            merchant: merchant.clone(),
            lang,
            other_lang_url: Some(HOSTILE.to_owned()),
            action: HOSTILE.to_owned(),
            hidden: vec![(HOSTILE.to_owned(), HOSTILE.to_owned())],
            fiat_price_cents: Some(4_200),
            order_id: Some(HOSTILE.to_owned()),
        }));
        pages.push(outcome(lang, "seen", HOSTILE));
        pages.push(PageInput::FrameNotice(FrameNotice {
            lang,
            origin: Some(HOSTILE.to_owned()),
        }));
        for problem in problems() {
            pages.push(PageInput::Error(ErrorPage {
                problem,
                lang,
                merchant: Some(merchant.clone()),
                retry_url: None,
                order_id: Some(HOSTILE.to_owned()),
                request_id: Some(HOSTILE.to_owned()),
            }));
        }
    }
    pages
}

fn outcome(lang: Lang, state: &str, order_id: &str) -> PageInput {
    PageInput::PaidOutcome(PaidOutcome {
        merchant: sample::page().merchant,
        lang,
        other_lang_url: None,
        outcome: Some(Outcome {
            state: state.to_owned(),
            reason: None,
        }),
        fiat_price_cents: 4_200,
        order_id: Some(order_id.to_owned()),
    })
}

#[test]
fn no_page_needs_more_than_the_strict_policy_allows() {
    for page in every_page() {
        let html = document(&page);
        assert!(!html.contains(" style="), "{html}");
        assert!(!html.contains(" onclick") && !html.contains(" onload"), "{html}");
        for (at, _) in html.match_indices("<script").chain(html.match_indices("<style")) {
            let tag = html[at..].split_once('>').unwrap().0;
            let is_state = tag.contains("application/json");
            assert!(is_state || tag.contains("nonce=\"bm9uY2U\""), "{tag}");
        }
        let rendered = render(&page, &framing());
        assert_eq!(rendered.has_form, html.contains("<form"));
    }
}

#[test]
fn no_text_from_outside_becomes_markup() {
    for page in every_page() {
        let html = document(&page);
        assert!(!html.contains("<script>"), "{html}");
        assert!(!html.contains("alert(1)</script>"), "{html}");
        // The one quoted attribute or literal that it stands in is never left.
        assert!(!html.contains("\"\"'>"), "{html}");
    }
}

#[test]
fn the_state_in_the_document_is_the_page_that_was_rendered() {
    for (name, view) in sample::all() {
        let mut page = sample::page();
        page.merchant.colour = None;
        page.view = view;
        let html = document(&PageInput::Charge(Box::new(page.clone())));
        let (_, rest) = html.split_once(&format!("id=\"{}\">", crate::STATE_ELEMENT)).unwrap();
        let (json, _) = rest.split_once("</script>").unwrap();
        let state = read::page_state(json).expect(name);
        assert_eq!((state.page, state.framed), (page, false), "{name}");
    }
}

#[test]
fn the_root_carries_state_and_reason_and_the_title_leads_with_them() {
    for (name, view) in sample::all() {
        let (state, reason) = (view.state.clone(), view.reason.clone().unwrap_or_default());
        let html = document(&charge(|page| page.view = view));
        let root = format!("<!doctype html><html lang=\"en\" data-state=\"{state}\" data-reason=\"{reason}\">");
        assert!(html.starts_with(&root), "{name}: {}", &html[..120]);
    }
}

#[test]
fn a_page_without_scripts_looks_again_while_something_is_expected() {
    for (name, refresh) in [
        ("waiting", Some("15")),
        ("closing", Some("15")),
        ("seen", Some("30")),
        ("confirmed", None),
        ("timedout", None),
        ("late", None),
    ] {
        let (_, view) = sample::all().into_iter().find(|(other, _)| *other == name).unwrap();
        let html = document(&charge(|page| page.view = view));
        let meta =
            refresh.map(|seconds| format!("<noscript><meta http-equiv=\"refresh\" content=\"{seconds}\"></noscript>"));
        match meta {
            Some(meta) => assert!(html.contains(&meta), "{name}"),
            None => assert!(!html.contains("http-equiv"), "{name}"),
        }
    }
}

#[test]
fn r22_the_outcome_shows_neither_address_nor_code() {
    for state in ["seen", "confirmed", "failed"] {
        let html = document(&outcome(Lang::En, state, "A-1001"));
        assert!(
            !html.contains("bitcoin:") && !html.contains("bcrt1") && !html.contains("class=\"code\""),
            "{html}"
        );
        assert!(html.contains("A-1001") && html.contains(&format!("data-state=\"{state}\"")));
    }
}

#[test]
fn r24_the_frame_notice_has_nothing_of_the_merchant_and_says_nothing_to_the_page_around_it() {
    let notice = PageInput::FrameNotice(FrameNotice {
        lang: Lang::En,
        origin: Some("https://elsewhere.example".to_owned()),
    });
    let page = render(&notice, &framing());
    assert!(page.body.contains("https://elsewhere.example"));
    assert!(!page.body.contains("Maison Lumen"));
    assert_eq!((page.scripts, page.state_json), (Vec::new(), None));
}

#[test]
fn every_problem_has_a_code_of_its_own_and_names_what_it_is_about() {
    let mut codes = std::collections::HashSet::new();
    for problem in problems() {
        let code = problem.code();
        assert!(codes.insert(code), "{code}");
        for lang in Lang::ALL {
            let html = document(&PageInput::Error(ErrorPage {
                problem: problem.clone(),
                lang,
                merchant: None,
                retry_url: None,
                order_id: None,
                request_id: None,
            }));
            assert!(html.contains(&format!("data-error=\"{code}\"")), "{html}");
            assert!(!html.contains("{}"), "{html}");
        }
    }
}

#[test]
fn the_first_response_fits_eight_kilobytes() {
    let longest = "bcrt1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqvg32hk";
    let html = document(&charge(|page| {
        page.lang = Lang::Fr;
        page.view.address = longest.to_owned();
        page.view.uri = Some(format!("bitcoin:{longest}?amount=0.00067372&label=Maison%20Lumen"));
    }));
    let mut compressed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams {
        quality: 5,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut html.as_bytes(), &mut compressed, &params).unwrap();
    assert!(compressed.len() < 8_000, "{} of {}", compressed.len(), html.len());
}
