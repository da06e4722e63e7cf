//! The document around a page: the start script that Trunk built, the style sheet, and the nonce of one response.

use std::fmt;

use super::RenderedPage;

/// What Trunk writes wherever a nonce belongs.
const TRUNK_NONCE: &str = "{{__TRUNK NONCE__}}";
/// Where in Trunk's output its own part of the head begins.
const HEAD_MARK: &str = "<!--bitpro:head-->";

const STYLES: &str = include_str!("../../../static/checkout.css");

/// The parts of every document that do not change while the server runs.
#[derive(Debug, Clone)]
pub struct Template {
    /// Trunk's script and preload links, cut at each nonce.
    start: Vec<String>,
    styles: String,
}

/// The built `index.html` is not the one of this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemplateError;

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the built index.html has no `{HEAD_MARK}` before its `</head>`: build the page again"
        )
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// Takes what is needed from the `index.html` that Trunk built.
    ///
    /// # Errors
    /// [`TemplateError`] when its marks are missing.
    pub fn parse(index_html: &str) -> Result<Self, TemplateError> {
        let (_, rest) = index_html.split_once(HEAD_MARK).ok_or(TemplateError)?;
        let (start, _) = rest.split_once("</head>").ok_or(TemplateError)?;
        Ok(Self {
            start: start.trim().split(TRUNK_NONCE).map(str::to_owned).collect(),
            ..Self::without_script()
        })
    }

    /// A template without the browser's part: pages work, by reloading themselves. They open no stream, which nobody would read.
    #[must_use]
    pub fn without_script() -> Self {
        Self {
            start: Vec::new(),
            styles: minified(STYLES),
        }
    }

    /// The whole document. `nonce` is base64 and new for every response; the same value stands in the response's
    /// `Content-Security-Policy`.
    #[must_use]
    pub fn document(&self, page: &RenderedPage, nonce: &str) -> String {
        self.written(page, nonce, true)
    }

    /// The same without its style sheet, for a script that reads the page and shows nothing of it. A parser in the browser holds
    /// the style sheet against the policy of the page that reads, where this response's nonce is a stranger's.
    #[must_use]
    pub fn unstyled_document(&self, page: &RenderedPage, nonce: &str) -> String {
        self.written(page, nonce, false)
    }

    fn written(&self, page: &RenderedPage, nonce: &str, is_styled: bool) -> String {
        let mut html =
            String::with_capacity(self.styles.len() + page.head.len() + page.body.len() + page.theme.len() + 2_048);
        html.push_str("<!doctype html><html lang=\"");
        html.push_str(page.lang.tag());
        html.push('"');
        html.push_str(&page.root_attributes);
        html.push_str("><head><meta charset=\"utf-8\">");
        html.push_str(&page.head);
        let early = page.early.iter().filter(|_| !self.start.is_empty());
        for script in page.scripts.iter().chain(early) {
            html.push_str("<script nonce=\"");
            html.push_str(nonce);
            html.push_str("\">");
            html.push_str(script);
            html.push_str("</script>");
        }
        if is_styled {
            html.push_str("<style nonce=\"");
            html.push_str(nonce);
            html.push_str("\">");
            html.push_str(&page.theme);
            html.push_str(&self.styles);
            html.push_str("</style>");
        }
        if page.state_json.is_some() {
            // Nothing is painted before its end is there, so that nothing moves: it comes in one flight anyway. (HTML, "expect".)
            html.push_str("<link rel=\"expect\" blocking=\"render\" href=\"#");
            html.push_str(crate::STATE_ELEMENT);
            html.push_str("\">");
            html.push_str(&self.start.join(nonce));
        }
        html.push_str("</head><body>");
        html.push_str(&page.body);
        if let Some(state) = &page.state_json {
            html.push_str("<script type=\"application/json\" id=\"");
            html.push_str(crate::STATE_ELEMENT);
            html.push_str("\">");
            html.push_str(state);
            html.push_str("</script>");
        }
        html.push_str("</body></html>");
        html
    }
}

/// The style sheet without comments and without the white space that no browser needs.
fn minified(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        squeeze(before, &mut out);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    squeeze(rest, &mut out);
    out
}

fn squeeze(css: &str, out: &mut String) {
    for line in css.lines() {
        let line = line.trim();
        let line = match line.strip_suffix(" {") {
            Some(selector) => {
                out.push_str(selector);
                "{"
            }
            None => line,
        };
        match line.split_once(": ") {
            Some((property, value)) if line.ends_with(';') && !property.contains(' ') => {
                out.push_str(property);
                out.push(':');
                out.push_str(value);
            }
            _ => {
                // A selector or value that goes on in the next line keeps its separator.
                let glued = out.is_empty() || out.ends_with(['{', '}', ';', ',', '(']);
                if !glued && !line.is_empty() && !line.starts_with(['{', '}', ')']) {
                    out.push(' ');
                }
                out.push_str(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::Lang;

    #[test]
    fn every_nonce_of_trunk_becomes_that_of_the_response() {
        let built = format!(
            "<head>{HEAD_MARK}<script type=\"module\" nonce=\"{TRUNK_NONCE}\">go()</script><link nonce=\"{TRUNK_NONCE}\"></head>"
        );
        let template = Template::parse(&built).unwrap();
        let page = RenderedPage {
            lang: Lang::En,
            root_attributes: String::new(),
            title: String::new(),
            head: String::new(),
            theme: String::new(),
            scripts: vec!["1".to_owned()],
            early: None,
            body: "<main></main>".to_owned(),
            state_json: Some("{}".to_owned()),
            has_form: false,
        };
        let html = template.document(&page, "abc");
        assert!(!html.contains("TRUNK"), "{html}");
        assert_eq!(html.matches("nonce=\"abc\"").count(), 4, "{html}");
    }

    #[test]
    fn without_the_browsers_part_no_stream_is_opened_for_it() {
        let page = RenderedPage {
            lang: Lang::En,
            root_attributes: String::new(),
            title: String::new(),
            head: String::new(),
            theme: String::new(),
            scripts: vec!["look_again()".to_owned()],
            early: Some("open_the_stream()".to_owned()),
            body: "<main></main>".to_owned(),
            state_json: Some("{}".to_owned()),
            has_form: false,
        };
        let alone = Template::without_script().document(&page, "abc");
        assert!(
            alone.contains("look_again()") && !alone.contains("open_the_stream()"),
            "{alone}"
        );
        let built = format!("<head>{HEAD_MARK}<script type=\"module\">go()</script></head>");
        let whole = Template::parse(&built).unwrap().document(&page, "abc");
        assert!(
            whole.contains("look_again()") && whole.contains("open_the_stream()"),
            "{whole}"
        );
    }

    #[test]
    fn a_foreign_index_html_is_refused() {
        assert_eq!(Template::parse("<html></html>").unwrap_err(), TemplateError);
    }

    #[test]
    fn the_style_sheet_loses_only_what_no_browser_needs() {
        assert_eq!(
            minified(
                "/* a */\na,\nb > c {\n  margin: 0 auto;\n  font:\n    1rem x;\n}\n@media (x: y) {\n  a:hover {\n    b: c;\n  }\n}\n"
            ),
            "a,b > c{margin:0 auto;font: 1rem x;}@media (x: y){a:hover{b:c;}}"
        );
    }
}
