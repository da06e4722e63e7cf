//! The parameters of a query: each known, each once, each UTF-8. A filter that is not understood must not list everything.

use std::collections::BTreeMap;
use std::str::FromStr;

use bitpro_service::charges::LONGEST_PAGE;
use bitpro_web::checkout::params::pairs;

use super::problem::Problem;

/// Entries on a page, when the caller does not say (R36).
const USUAL_PAGE: u32 = 25;

/// The parameters that were given.
#[derive(Debug)]
pub(super) struct Query(BTreeMap<&'static str, String>);

impl Query {
    /// Reads `encoded`; an empty parameter is absent.
    pub(super) fn read(encoded: &str, known: &[&'static str]) -> Result<Self, Problem> {
        let mut given = BTreeMap::new();
        for (name, value) in pairs(encoded) {
            let Some(name) = known.iter().find(|known| known.as_bytes() == name) else {
                let name = String::from_utf8_lossy(&name).into_owned();
                let title = format!("{name:?} is not a parameter of this call.");
                return Err(Problem::malformed("unknown-parameter", title).about(&name));
            };
            let value = String::from_utf8(value)
                .ok()
                .filter(|value| !value.chars().any(char::is_control));
            let value = value.ok_or_else(|| {
                let title = format!("{name} is not UTF-8, or contains control characters.");
                Problem::malformed("malformed-parameter", title).about(name)
            })?;
            if given.insert(*name, value).is_some() {
                let title = format!("{name} appears in the query more than once.");
                return Err(Problem::malformed("repeated-parameter", title).about(name));
            }
        }
        given.retain(|_, value| !value.is_empty());
        Ok(Self(given))
    }

    /// The parameter's text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The parameter as a number within bounds.
    pub(super) fn number(&self, name: &str, least: u32, most: u32) -> Result<Option<u32>, Problem> {
        let wanted = format!("{name} is not a whole number from {least} to {most}.");
        let within = |number: &u32| (least..=most).contains(number);
        self.parsed(name, &wanted, |text| plain(text).filter(within))
    }

    /// How many entries of a list are asked for (R36).
    pub(super) fn per_page(&self) -> Result<u32, Problem> {
        Ok(self.number("per_page", 1, LONGEST_PAGE)?.unwrap_or(USUAL_PAGE))
    }

    /// The parameter as `parse` reads it.
    pub(super) fn parsed<T>(
        &self,
        name: &str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        match self.text(name) {
            None => Ok(None),
            Some(text) => match parse(text) {
                Some(value) => Ok(Some(value)),
                None => Err(Problem::malformed("malformed-parameter", wanted).about(name)),
            },
        }
    }

    /// What was given, for the links to other pages.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

/// A number in plain digits: no sign, no blank.
fn plain<T: FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}
