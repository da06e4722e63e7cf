//! The pages without a charge to follow: forms, outcomes, notices, errors.

use super::head::head;
use super::html::Html;
use super::{RenderedPage, frame};
use crate::components::picture;
use crate::copy::Lang;
use crate::format;
use crate::icons;
use crate::page::{AmountForm, AmountRefused, Confirm, ErrorPage, FrameNotice, Framing, MerchantView, PaidOutcome};
use crate::screen::{Phase, Tone};
use crate::theme::Theme;

/// Asks for the amount.
pub fn amount_form(page: &AmountForm, framing: &Framing) -> RenderedPage {
    let words = page.lang.page_words();
    let mut card = Card::new(page.lang, Some(&page.merchant));
    card.html
        .raw("<form method=\"post\" action=\"")
        .text(&page.action)
        .raw("\">");
    hidden(&mut card.html, &page.hidden);
    card.html.element("h2 class=\"title\"", words.how_much);
    card.html.element("label for=\"amount\"", words.in_euros);
    card.html
        .raw("<div class=\"field\"><input id=\"amount\" name=\"")
        .raw(AmountForm::FIELD)
        .raw("\" inputmode=\"decimal\" autocomplete=\"transaction-amount\" required maxlength=\"24\" value=\"")
        .text(&page.typed)
        .raw("\" aria-describedby=\"hint\"");
    if page.refused.is_some() {
        card.html.raw(" aria-invalid=\"true\"");
    }
    card.html.raw("><span aria-hidden=\"true\">€</span></div>");
    match page.refused {
        None => card.html.element("p id=\"hint\" class=\"hint\"", words.for_example),
        Some(refused) => {
            let said = match refused {
                AmountRefused::NotAnAmount => words.not_an_amount.to_owned(),
                AmountRefused::TooSmall => words.too_small.to_owned(),
                AmountRefused::AboveLimit(cents) => (words.above_limit)(&format::euros(cents, page.lang)),
            };
            card.html
                .element("p id=\"hint\" class=\"hint refused\" role=\"alert\"", &said)
        }
    };
    card.html.element("button class=\"button\"", words.go_on).raw("</form>");
    card.order(page.order_id.as_deref());
    card.other_language(page.other_lang_url.as_deref());
    card.finish(&page.merchant.name, Tone::Calm, framing, true)
}

/// A button that makes the charge.
pub fn confirm(page: &Confirm, framing: &Framing) -> RenderedPage {
    let words = page.lang.page_words();
    let mut card = Card::new(page.lang, Some(&page.merchant));
    card.price(page.fiat_price_cents);
    card.html.element("p class=\"say\"", words.amount_is_fixed);
    card.html
        .raw("<form method=\"post\" action=\"")
        .text(&page.action)
        .raw("\">");
    hidden(&mut card.html, &page.hidden);
    card.html
        .element("button class=\"button\"", words.pay_with_bitcoin)
        .raw("</form>");
    card.order(page.order_id.as_deref());
    card.other_language(page.other_lang_url.as_deref());
    card.finish(&page.merchant.name, Tone::Calm, framing, true)
}

/// What became of a charge that somebody else paid into.
pub fn paid_outcome(page: &PaidOutcome, framing: &Framing) -> RenderedPage {
    let words = page.lang.page_words();
    let state = page.outcome.as_ref().map(|outcome| outcome.state.as_str());
    let is_short = page
        .outcome
        .as_ref()
        .is_some_and(|outcome| outcome.reason.as_deref() == Some("underpaid"));
    let (outcome, phase) = match state {
        None => (&words.outcome_unsaid, Phase::Seen),
        Some("confirmed") => (&words.outcome_confirmed, Phase::Confirmed),
        Some("seen") if !is_short => (&words.outcome_seen, Phase::Seen),
        Some(_) => (&words.outcome_open, Phase::Failed),
    };
    let mut card = Card::new(page.lang, Some(&page.merchant));
    card.price(Some(page.fiat_price_cents));
    card.state(phase, outcome.sentence);
    card.html.element("p class=\"say\"", outcome.meaning);
    card.way_back(page.merchant.site.as_deref());
    card.order(page.order_id.as_deref());
    card.other_language(page.other_lang_url.as_deref());
    if let Some(state) = state {
        card.root.raw(" data-state=\"").text(state).raw("\"");
    }
    card.finish(&page.merchant.name, phase.tone(), framing, false)
}

/// Framed from a place that is not on the list. It says nothing to the page around it: its silence is what makes the loader
/// name the domain in the console.
pub fn frame_notice(page: &FrameNotice) -> RenderedPage {
    let words = page.lang.page_words();
    let mut card = Card::new(page.lang, None);
    card.state(Phase::Failed, words.frame_title);
    card.html.element("p class=\"say\"", words.frame_shopper);
    let merchant = page
        .origin
        .as_deref()
        .map_or_else(|| words.frame_merchant_unknown.to_owned(), words.frame_merchant);
    card.for_the_shop(&merchant);
    card.root.raw(" data-error=\"frame-refused\"");
    let silent = Framing {
        framed: true,
        origins: Vec::new(),
    };
    card.finish(words.payment, Tone::Care, &silent, false)
}

/// Something is wrong.
pub fn error(page: &ErrorPage, framing: &Framing) -> RenderedPage {
    let words = page.lang.page_words();
    let trouble = page.problem.trouble(words);
    let named = page.problem.named(page.lang);
    let mut card = Card::new(page.lang, page.merchant.as_ref());
    card.state(Phase::Failed, &trouble.what.replace("{}", &named));
    card.html
        .element("p class=\"say\"", &trouble.shopper.replace("{}", &named));
    match (
        &page.retry_url,
        page.merchant.as_ref().and_then(|merchant| merchant.site.as_deref()),
    ) {
        (Some(url), _) => {
            card.html
                .raw("<p class=\"step\"><a class=\"button\" href=\"")
                .text(url)
                .raw("\">");
            card.html.text(words.try_again).raw("</a></p>");
        }
        (None, site) => card.way_back(site),
    }
    card.for_the_shop(trouble.merchant);
    card.order(page.order_id.as_deref());
    if let Some(request) = &page.request_id {
        card.html
            .raw("<dl class=\"rows\"><div>")
            .element("dt", words.request)
            .element("dd", request);
        card.html.raw("</div></dl>");
    }
    card.root.raw(" data-error=\"").raw(page.problem.code()).raw("\"");
    let name = page.merchant.as_ref().map_or(words.payment, |merchant| &merchant.name);
    card.finish(name, Tone::Care, framing, false)
}

fn hidden(html: &mut Html, fields: &[(String, String)]) {
    for (name, value) in fields {
        html.raw("<input type=\"hidden\" name=\"")
            .text(name)
            .raw("\" value=\"")
            .text(value)
            .raw("\">");
    }
}

/// The one design, with room for what a page has to say.
struct Card {
    lang: Lang,
    theme: Theme,
    root: Html,
    html: Html,
}

impl Card {
    fn new(lang: Lang, merchant: Option<&MerchantView>) -> Self {
        let mut html = Html::new();
        if let Some(merchant) = merchant {
            html.raw("<header class=\"shop\"><span class=\"logo\" aria-hidden=\"true\">")
                .raw(&picture(merchant));
            html.raw("</span>").element("h1", &merchant.name).raw("</header>");
        } else {
            html.element("h1 class=\"vh\"", lang.page_words().payment);
        }
        Self {
            lang,
            theme: Theme::of(merchant.and_then(|merchant| merchant.colour)),
            root: Html::new(),
            html,
        }
    }

    fn price(&mut self, cents: Option<u64>) {
        if let Some(cents) = cents {
            self.html.raw("<section class=\"amount\"><div class=\"fiat\">");
            self.html
                .element("span class=\"value\"", &format::euros(cents, self.lang))
                .raw("</div></section>");
        }
    }

    fn state(&mut self, phase: Phase, sentence: &str) {
        self.html
            .raw("<p class=\"state\"><span class=\"icon\" aria-hidden=\"true\">")
            .raw(icons::of_phase(phase));
        self.html.raw("</span>").element("span", sentence).raw("</p>");
    }

    fn for_the_shop(&mut self, text: &str) {
        if !text.is_empty() {
            self.html
                .raw("<section class=\"aside\">")
                .element("h2", self.lang.page_words().for_the_shop);
            self.html.element("p", text).raw("</section>");
        }
    }

    fn way_back(&mut self, site: Option<&str>) {
        if let Some(site) = site {
            self.html.raw("<p class=\"step\"><a class=\"button\" data-step=\"shop\" target=\"_top\" rel=\"noopener noreferrer\" href=\"");
            self.html
                .text(site)
                .raw("\">")
                .text(self.lang.words().back_to_shop)
                .raw("</a></p>");
        }
    }

    fn order(&mut self, order_id: Option<&str>) {
        if let Some(order_id) = order_id {
            self.html
                .raw("<dl class=\"rows\"><div>")
                .element("dt", self.lang.words().order)
                .element("dd", order_id);
            self.html.raw("</div></dl>");
        }
    }

    fn other_language(&mut self, url: Option<&str>) {
        if let Some(url) = url {
            self.html
                .raw("<nav class=\"languages\" aria-label=\"")
                .text(self.lang.words().language)
                .raw("\">");
            for lang in Lang::ALL {
                self.html.raw("<a href=\"");
                if lang == self.lang {
                    self.html.raw("\" aria-current=\"true");
                } else {
                    self.html.text(url);
                }
                let tag = lang.tag();
                self.html
                    .raw("\" hreflang=\"")
                    .raw(tag)
                    .raw("\" lang=\"")
                    .raw(tag)
                    .raw("\">")
                    .text(lang.name())
                    .raw("</a>");
            }
            self.html.raw("</nav>");
        }
    }

    fn finish(mut self, title: &str, tone: Tone, framing: &Framing, has_form: bool) -> RenderedPage {
        if framing.framed {
            self.root.raw(" data-framed");
        }
        RenderedPage {
            lang: self.lang,
            root_attributes: self.root.into_string(),
            title: title.to_owned(),
            head: head(title, tone, &self.theme, None),
            theme: self.theme.css(),
            scripts: frame::script(framing, None).into_iter().collect(),
            early: None,
            body: [
                "<main class=\"card plain\" data-tone=\"",
                tone.as_str(),
                "\">",
                &self.html.into_string(),
                "</main>",
            ]
            .concat(),
            state_json: None,
            has_form,
        }
    }
}
