//! The pages under `/docs`: the reference and the guides of this repository, so that an integrator needs nothing else.

use std::sync::OnceLock;

use axum::extract::{Path, State};
use axum::response::Response;
use bitpro_web::app::App;
use bitpro_web::checkout::document::Visit;
use bitpro_web::headers::fixed_policy;
use bitpro_web::refusal::Refusal;
use bitpro_web::{Context, Fixed};
use http::{HeaderMap, header};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

/// A guide, by the name in its address.
struct Guide {
    name: &'static str,
    title: &'static str,
    text: &'static str,
    page: OnceLock<Fixed>,
}

static GUIDES: [Guide; 5] = [
    Guide {
        name: "widget",
        title: "Button and link",
        text: include_str!("../../../docs/widget.md"),
        page: OnceLock::new(),
    },
    Guide {
        name: "signed-links",
        title: "Signed links",
        text: include_str!("../../../docs/signed-links.md"),
        page: OnceLock::new(),
    },
    Guide {
        name: "api",
        title: "API guide",
        text: include_str!("../../../docs/api.md"),
        page: OnceLock::new(),
    },
    Guide {
        name: "webhooks",
        title: "Webhooks",
        text: include_str!("../../../docs/webhooks.md"),
        page: OnceLock::new(),
    },
    Guide {
        name: "limits",
        title: "Limits",
        text: include_str!("../../../docs/limits.md"),
        page: OnceLock::new(),
    },
];

const STYLE: &str = include_str!("docs/docs.css");

/// `GET /docs/{guide}`
pub(super) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
    context: Context,
    headers: HeaderMap,
) -> Response {
    match GUIDES.iter().find(|guide| guide.name == name) {
        Some(guide) => {
            let made = guide.page.get_or_init(|| page(guide.title, &markup(guide.text)));
            answer(made, &headers)
        }
        None => app.refuse(&Visit::new(context, headers, None), Refusal::UnknownPage),
    }
}

/// A page under `/docs` with `body`, which is markup of ours.
pub(super) fn page(title: &str, body: &str) -> Fixed {
    Fixed::new("text/html; charset=utf-8", document(title, body))
}

/// Such a page as the answer to a request with these headers.
pub(super) fn answer(page: &Fixed, headers: &HeaderMap) -> Response {
    let mut response = page.answer(headers);
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, fixed_policy(STYLE));
    response
}

fn document(title: &str, body: &str) -> String {
    // What is too wide scrolls by itself, and must be reachable by the keyboard then.
    let body = body
        .replace("<pre>", "<pre tabindex=\"0\">")
        .replace("<table>", "<table tabindex=\"0\">");
    let links: String = GUIDES
        .iter()
        .map(|guide| format!("<a href=\"/docs/{}\">{}</a>", guide.name, guide.title))
        .collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Bitpro \
         Checkout</title><style>{STYLE}</style></head><body><header><p>Bitpro Checkout</p><nav \
         aria-label=\"Documentation\"><a href=\"/docs\">Merchant API</a>{links}</nav></header><main>{body}</main></body></html>"
    )
}

/// Markdown of ours as HTML. Links to other files of the repository lead to their pages here, or nowhere.
fn markup(text: &str) -> String {
    let mut leads = Vec::new();
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => {
            let target = target(&dest_url);
            leads.push(target.is_some());
            target.map(|target| {
                Event::Start(Tag::Link {
                    link_type,
                    dest_url: target.into(),
                    title,
                    id,
                })
            })
        }
        Event::End(TagEnd::Link) => leads.pop().unwrap_or_default().then_some(event),
        other => Some(other),
    });
    let mut page = String::with_capacity(text.len() * 2);
    html::push_html(&mut page, events);
    page
}

fn target(link: &str) -> Option<String> {
    if link.contains("://") {
        return Some(link.to_owned());
    }
    let (name, _) = link.split_once(".md")?;
    let guide = GUIDES.iter().find(|guide| guide.name == name)?;
    Some(format!("/docs/{}", guide.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guide_is_a_page_whose_links_lead_somewhere() {
        for guide in &GUIDES {
            let page = markup(guide.text);
            assert!(page.starts_with("<h1>"), "{}", guide.name);
            assert!(!page.contains(".md\""), "{}", guide.name);
            assert!(
                !page.contains("style="),
                "{}: the page's policy allows no styles in the markup",
                guide.name
            );
        }
    }

    #[test]
    fn the_style_of_a_page_is_the_one_that_its_policy_names() {
        let page = document("Merchant API", "<h1>Merchant API</h1>");
        let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        let policy = fixed_policy(style);
        let answer = answer(&super::page("Merchant API", ""), &HeaderMap::new());
        assert_eq!(answer.headers()[header::CONTENT_SECURITY_POLICY], policy);
        assert!(!page.contains("<script") && !policy.to_str().unwrap().contains("unsafe"));
    }

    #[test]
    fn links_between_guides_are_kept_and_others_lose_only_their_link() {
        assert_eq!(
            markup("[a](signed-links.md), [b](operating.md), [c](https://x.example)"),
            "<p><a href=\"/docs/signed-links\">a</a>, b, <a href=\"https://x.example\">c</a></p>\n"
        );
    }
}
