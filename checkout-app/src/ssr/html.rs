//! Markup put together by hand, for the pages that never change once they are sent.

/// A text of markup that grows.
#[derive(Debug, Default)]
pub struct Html(String);

impl Html {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(String::new())
    }

    /// Adds markup.
    pub fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text, which cannot become markup.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&crate::components::escaped(text));
        self
    }

    /// Adds `<tag>text</tag>`; `tag` may have attributes.
    pub fn element(&mut self, tag: &str, text: &str) -> &mut Self {
        let name = tag.split(' ').next().unwrap_or(tag);
        self.raw("<").raw(tag).raw(">").text(text).raw("</").raw(name).raw(">")
    }

    /// The markup.
    pub fn into_string(self) -> String {
        self.0
    }
}
