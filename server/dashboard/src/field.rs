//! One way to draw a labelled field: its hint, what is wrong with it, and what was typed, kept.

use bitpro_merchant::Language;
use bitpro_merchant::words::{Words, words};
use maud::{Markup, html};

/// What is wrong in a form, by the name of the field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors(Vec<(String, String)>);

impl Errors {
    /// Nothing is wrong.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// One thing is wrong.
    #[must_use]
    pub fn of(name: &str, message: impl Into<String>) -> Self {
        let mut errors = Self::none();
        errors.add(name, message);
        errors
    }

    /// Notes that something is wrong with the field called `name`; what was noted of it first stays.
    pub fn add(&mut self, name: &str, message: impl Into<String>) {
        if self.get(name).is_none() {
            self.0.push((name.to_owned(), message.into()));
        }
    }

    /// What is wrong with the field called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, message)| message.as_str())
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says above the form that nothing was changed; nothing when nothing is wrong.
    #[must_use]
    pub fn summary(&self, language: Language) -> Markup {
        html! {
            @if !self.is_empty() {
                p.note.bad role="alert" { (NOTHING_CHANGED.of(language)) }
            }
        }
    }
}

const NOTHING_CHANGED: Words = words(
    "Nothing was changed. Correct the fields marked below.",
    "Rien n’a été modifié. Corrigez les champs signalés ci-dessous.",
);

/// A field of a form. It is drawn by [`Field::input`], [`Field::textarea`], [`Field::select`] or [`Field::checkbox`].
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    name: &'a str,
    id: &'a str,
    label: &'a str,
    kind: &'a str,
    value: &'a str,
    hint: Option<&'a str>,
    error: Option<&'a str>,
    unit: Option<&'a str>,
    autocomplete: Option<&'a str>,
    inputmode: Option<&'a str>,
    longest: Option<u32>,
    is_required: bool,
    is_locked: bool,
}

impl<'a> Field<'a> {
    /// A line of text called `name` in the form, and `label` on the page.
    #[must_use]
    pub const fn new(name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            id: name,
            label,
            kind: "text",
            value: "",
            hint: None,
            error: None,
            unit: None,
            autocomplete: None,
            inputmode: None,
            longest: None,
            is_required: false,
            is_locked: false,
        }
    }

    /// The element's id, where the name is not unique on the page.
    #[must_use]
    pub const fn id(mut self, id: &'a str) -> Self {
        self.id = id;
        self
    }

    /// Another type of input, as `email`. What stands in a `password` is never sent back.
    #[must_use]
    pub const fn kind(mut self, kind: &'a str) -> Self {
        self.kind = kind;
        self
    }

    /// What stands in it.
    #[must_use]
    pub const fn value(mut self, value: &'a str) -> Self {
        self.value = value;
        self
    }

    /// What helps to fill it in.
    #[must_use]
    pub const fn hint(mut self, hint: &'a str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// What is wrong with it, if anything.
    #[must_use]
    pub fn errors(mut self, errors: &'a Errors) -> Self {
        self.error = errors.get(self.name);
        self
    }

    /// What the number in it counts, as `minutes`: said with the label.
    #[must_use]
    pub const fn unit(mut self, unit: &'a str) -> Self {
        self.unit = Some(unit);
        self
    }

    /// What a browser may fill in, as `current-password`.
    #[must_use]
    pub const fn autocomplete(mut self, autocomplete: &'a str) -> Self {
        self.autocomplete = Some(autocomplete);
        self
    }

    /// The keyboard of a telephone, as `numeric`.
    #[must_use]
    pub const fn inputmode(mut self, inputmode: &'a str) -> Self {
        self.inputmode = Some(inputmode);
        self
    }

    /// The most characters that it takes.
    #[must_use]
    pub const fn longest(mut self, characters: u32) -> Self {
        self.longest = Some(characters);
        self
    }

    /// It has to be filled in.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// It is shown and cannot be changed when `is_locked`: for who may read only.
    #[must_use]
    pub const fn locked(mut self, is_locked: bool) -> Self {
        self.is_locked = is_locked;
        self
    }

    /// Drawn as one line.
    #[must_use]
    pub fn input(self) -> Markup {
        let value = (self.kind != "password").then_some(self.value);
        self.around(&html! {
            input id=(self.id) name=(self.name) type=(self.kind) value=[value] required[self.is_required]
                disabled[self.is_locked] maxlength=[self.longest] autocomplete=[self.autocomplete]
                inputmode=[self.inputmode] aria-describedby=[self.described_by()] aria-invalid=[self.invalid()];
        })
    }

    /// Drawn as some lines of plain text.
    #[must_use]
    pub fn textarea(self, rows: u32) -> Markup {
        self.around(&html! {
            textarea id=(self.id) name=(self.name) rows=(rows) required[self.is_required] disabled[self.is_locked]
                maxlength=[self.longest] autocomplete=[self.autocomplete] spellcheck="false"
                aria-describedby=[self.described_by()] aria-invalid=[self.invalid()] {
                // A browser drops the first line break.
                "\n" (self.value)
            }
        })
    }

    /// Drawn as some lines to be copied, which cannot be changed and belong to no form.
    #[must_use]
    pub fn shown(self, rows: u32) -> Markup {
        self.around(&html! {
            textarea.copy id=(self.id) rows=(rows) readonly spellcheck="false" autocomplete="off"
                aria-describedby=[self.described_by()] {
                "\n" (self.value)
            }
        })
    }

    /// Drawn as a choice of `options`: value and words.
    #[must_use]
    pub fn select(self, options: &[(&str, &str)]) -> Markup {
        self.around(&html! {
            select id=(self.id) name=(self.name) required[self.is_required] disabled[self.is_locked]
                autocomplete=[self.autocomplete] aria-describedby=[self.described_by()] aria-invalid=[self.invalid()] {
                @for (value, words) in options {
                    option value=(value) selected[*value == self.value] { (words) }
                }
            }
        })
    }

    /// Drawn as a box, ticked when `is_ticked`; it sends the field's value, or `yes`.
    #[must_use]
    pub fn checkbox(self, is_ticked: bool) -> Markup {
        let value = if self.value.is_empty() { "yes" } else { self.value };
        html! {
            div.field.tick {
                input id=(self.id) name=(self.name) type="checkbox" value=(value) checked[is_ticked]
                    required[self.is_required] disabled[self.is_locked]
                    aria-describedby=[self.described_by()] aria-invalid=[self.invalid()];
                label for=(self.id) { (self.label) }
                (self.below())
            }
        }
    }

    fn around(&self, control: &Markup) -> Markup {
        html! {
            div.field {
                label for=(self.id) {
                    (self.label)
                    @if let Some(unit) = self.unit { " " span.unit { "(" (unit) ")" } }
                }
                (control)
                (self.below())
            }
        }
    }

    fn below(&self) -> Markup {
        html! {
            @if let Some(error) = self.error { p.wrong id={ (self.id) "-error" } { (error) } }
            @if let Some(hint) = self.hint { p.hint id={ (self.id) "-hint" } { (hint) } }
        }
    }

    fn described_by(&self) -> Option<String> {
        let error = self.error.map(|_| format!("{}-error", self.id));
        let hint = self.hint.map(|_| format!("{}-hint", self.id));
        match (error, hint) {
            (Some(error), Some(hint)) => Some(format!("{error} {hint}")),
            (error, hint) => error.or(hint),
        }
    }

    fn invalid(&self) -> Option<&'static str> {
        self.error.map(|_| "true")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_keeps_what_was_typed_and_says_what_is_wrong_with_it() {
        let errors = Errors::of("name", "It is empty.");
        let drawn = Field::new("name", "Name")
            .value("<b>\"&")
            .hint("As shoppers see it.")
            .errors(&errors)
            .required()
            .input()
            .into_string();
        assert_eq!(
            drawn,
            "<div class=\"field\"><label for=\"name\">Name</label>\
             <input id=\"name\" name=\"name\" type=\"text\" value=\"&lt;b&gt;&quot;&amp;\" required \
             aria-describedby=\"name-error name-hint\" aria-invalid=\"true\">\
             <p class=\"wrong\" id=\"name-error\">It is empty.</p>\
             <p class=\"hint\" id=\"name-hint\">As shoppers see it.</p></div>"
        );
    }

    #[test]
    fn a_field_without_a_fault_is_not_marked() {
        let errors = Errors::of("other", "It is empty.");
        let drawn = Field::new("name", "Name").errors(&errors).input().into_string();
        assert!(!drawn.contains("aria-"), "{drawn}");
    }

    #[test]
    fn a_password_is_never_sent_back() {
        let drawn = Field::new("password", "Password")
            .kind("password")
            .value("secret")
            .input();
        assert!(!drawn.into_string().contains("secret"));
    }

    #[test]
    fn a_text_of_lines_keeps_its_first_empty_one_and_ends_nowhere_early() {
        let drawn = Field::new("text", "Text")
            .value("\n</textarea>x")
            .textarea(3)
            .into_string();
        assert!(drawn.contains(">\n\n&lt;/textarea&gt;x</textarea>"), "{drawn}");
    }

    #[test]
    fn a_choice_marks_what_was_chosen() {
        let drawn = Field::new("lang", "Language").value("fr");
        let drawn = drawn.select(&[("en", "English"), ("fr", "French")]).into_string();
        assert!(
            drawn.contains("<option value=\"fr\" selected>French</option>"),
            "{drawn}"
        );
        assert_eq!(drawn.matches("selected").count(), 1);
    }

    #[test]
    fn what_is_wrong_first_is_what_is_said() {
        let mut errors = Errors::none();
        assert!(errors.is_empty() && errors.summary(Language::En).into_string().is_empty());
        errors.add("name", "first");
        errors.add("name", "second");
        assert_eq!(errors.get("name"), Some("first"));
        assert!(errors.summary(Language::Fr).into_string().contains(NOTHING_CHANGED.fr));
    }
}
