//! What narrows the list: read from the query, shown in a form, kept in every link.

use bitpro_charge::State;
use bitpro_merchant::times;
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Language, Permission};
use bitpro_service::charges::{Place, Search};
use jiff::civil::Date;
use maud::{Markup, html};

use super::needle;
use super::wording::state_word;
use crate::form::Form;
use crate::route::{Member, Request};

const SEARCH: Words = words("Search", "Rechercher");
const BY_ALL: Words = words(
    "Order ID, address, transaction ID or e-mail",
    "N° de commande, adresse, identifiant de transaction ou e-mail",
);
const BY_OTHERS: Words = words(
    "Order ID, address or transaction ID",
    "N° de commande, adresse ou identifiant de transaction",
);
const STATE: Words = words("State", "État");
const ANY_STATE: Words = words("All", "Tous");
const FROM: Words = words("From", "Du");
const TO: Words = words("To", "Au");
const APPLY: Words = words("Apply", "Appliquer");
const CLEAR: Words = words("Show all", "Tout afficher");
const NOT_A_DAY: Words = words("Enter a date like 2026-05-14.", "Saisissez une date comme 2026-05-14.");
const NOT_A_STATE: Words = words("Choose a state from the list.", "Choisissez un état dans la liste.");
const BACKWARDS: Words = words(
    "Choose a day that is not before the first one.",
    "Choisissez un jour qui ne précède pas le premier.",
);

/// What narrows the list, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    needle: String,
    state: String,
    from: String,
    to: String,
}

/// What is wrong with what was typed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    state: Option<Words>,
    from: Option<Words>,
    to: Option<Words>,
}

impl Filters {
    /// Reads the query.
    #[must_use]
    pub fn read(query: &Form) -> Self {
        let text = |name| query.text(name).to_owned();
        Self {
            needle: text("q"),
            state: text("state"),
            from: text("from"),
            to: text("to"),
        }
    }

    /// Whether anything narrows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The search that is meant by `member`.
    ///
    /// # Errors
    /// [`Faults`] when a field is not what it should be.
    pub fn search(&self, request: &Request, member: &Member) -> Result<Search, Faults> {
        let mut faults = Faults::default();
        let zone = &member.merchant.settings.time_zone;
        let state = (!self.state.is_empty()).then(|| self.state.parse::<State>());
        if matches!(state, Some(Err(()))) {
            faults.state = Some(NOT_A_STATE);
        }
        let (from, to) = (day(&self.from), day(&self.to));
        faults.from = from.is_err().then_some(NOT_A_DAY);
        faults.to = to.is_err().then_some(NOT_A_DAY);
        let (from, to) = (from.ok().flatten(), to.ok().flatten());
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            faults.to = Some(BACKWARDS);
        }
        if faults.state.is_some() || faults.from.is_some() || faults.to.is_some() {
            return Err(faults);
        }
        Ok(Search {
            merchant: member.merchant.id,
            needle: needle::read(
                &self.needle,
                request.app.charges.network(),
                member.role.may(Permission::SeeBuyers),
            ),
            state: state.and_then(Result::ok),
            from: from.and_then(|day| times::start_of(day, zone)),
            // The last day is meant whole.
            to: to.and_then(times::after).and_then(|day| times::start_of(day, zone)),
        })
    }

    /// `path` with these filters, and where the list goes on.
    #[must_use]
    pub fn link(&self, path: &str, after: Option<&str>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("q", self.needle.as_str()),
            ("state", &self.state),
            ("from", &self.from),
            ("to", &self.to),
            ("after", after.unwrap_or_default()),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        if query.is_empty() {
            return path.to_owned();
        }
        format!("{path}?{query}")
    }

    /// What narrows, for the audit log. The log is kept for ever, so what was searched for, which may be a buyer's address,
    /// is not told.
    #[must_use]
    pub fn told(&self) -> String {
        let needle = if self.needle.is_empty() { "" } else { "…" };
        [
            ("q", needle),
            ("state", &self.state),
            ("from", &self.from),
            ("to", &self.to),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name} = {value}"))
        .collect::<Vec<_>>()
        .join(", ")
    }

    /// The form, which asks for `path` anew.
    #[must_use]
    pub fn form(&self, path: &str, member: &Member, language: Language, faults: Faults) -> Markup {
        let by = if member.role.may(Permission::SeeBuyers) {
            BY_ALL
        } else {
            BY_OTHERS
        };
        html! {
            form.filters.panel method="get" action=(path) role="search" {
                div.wide {
                    label for="q" { (SEARCH.of(language)) }
                    input #q name="q" type="search" value=(self.needle) maxlength="320" autocomplete="off"
                        aria-describedby="q-hint";
                    p.hint #q-hint { (by.of(language)) }
                }
                div {
                    label for="state" { (STATE.of(language)) }
                    select #state name="state" aria-invalid=[invalid(faults.state)] aria-describedby=[described(faults.state, "state-wrong")] {
                        option value="" selected[self.state.is_empty()] { (ANY_STATE.of(language)) }
                        @for state in State::ALL {
                            option value=(state) selected[self.state == state.as_str()] { (state_word(state).of(language)) }
                        }
                    }
                    (wrong(faults.state, "state-wrong", language))
                }
                (day_field("from", FROM, &self.from, faults.from, language))
                (day_field("to", TO, &self.to, faults.to, language))
                div.actions {
                    button type="submit" { (APPLY.of(language)) }
                    @if !self.is_empty() {
                        a.button href=(path) { (CLEAR.of(language)) }
                    }
                }
            }
        }
    }
}

fn day(text: &str) -> Result<Option<Date>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    times::date(text).map(Some).ok_or(())
}

fn day_field(name: &str, label: Words, value: &str, fault: Option<Words>, language: Language) -> Markup {
    let about = format!("{name}-wrong");
    html! {
        div {
            label for=(name) { (label.of(language)) }
            input id=(name) name=(name) type="date" value=(value) aria-invalid=[invalid(fault)]
                aria-describedby=[described(fault, &about)];
            (wrong(fault, &about, language))
        }
    }
}

fn invalid(fault: Option<Words>) -> Option<&'static str> {
    fault.map(|_| "true")
}

fn described(fault: Option<Words>, id: &str) -> Option<&str> {
    fault.map(|_| id)
}

fn wrong(fault: Option<Words>, id: &str, language: Language) -> Markup {
    html! {
        @if let Some(fault) = fault {
            p.wrong id=(id) { (fault.of(language)) }
        }
    }
}

/// Where a list goes on, as links carry it. One of another epoch means nothing here (R31).
#[must_use]
pub fn place_to(epoch: &str, place: Place) -> String {
    format!("{epoch}.{}.{}", place.created_at.0, place.num)
}

/// The place that `text` stands for; `None` leads to the beginning.
#[must_use]
pub fn place_from(epoch: &str, text: &str) -> Option<Place> {
    let mut parts = text.split('.');
    let (of, created_at, num) = (parts.next()?, parts.next()?, parts.next()?);
    if of != epoch || parts.next().is_some() {
        return None;
    }
    Some(Place {
        created_at: bitpro_charge::Timestamp(created_at.parse().ok()?),
        num: num.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use bitpro_charge::Timestamp;

    use super::*;

    #[test]
    fn links_keep_what_narrows_and_nothing_that_does_not() {
        let filters = Filters::read(&Form::read(b"q=+A%261+&state=seen&from=&after=x&other=1"));
        assert_eq!(filters.link("/d", Some("e.1.2")), "/d?q=A%261&state=seen&after=e.1.2");
        assert_eq!(Filters::default().link("/d", None), "/d");
    }

    #[test]
    fn r31_a_place_of_another_epoch_leads_to_the_beginning() {
        let place = Place {
            created_at: Timestamp(17),
            num: 4,
        };
        assert_eq!(place_from("aa", &place_to("aa", place)), Some(place));
        for bad in ["", "bb.17.4", "aa.17", "aa.17.x", "aa.17.4.1"] {
            assert_eq!(place_from("aa", bad), None, "{bad}");
        }
    }
}
