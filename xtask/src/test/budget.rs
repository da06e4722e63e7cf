//! The minute budget of every suite, read from the table that people read: docs/tests.md.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::iter::Sum;
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::workspace::Workspace;

/// Which of the two budgets counts.
#[derive(Clone, Copy, Debug)]
pub enum Machine {
    /// Something had to be installed, or nothing was compiled yet.
    New,
    /// All tools and dependencies were there.
    Warm,
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::New => "new",
            Self::Warm => "warm",
        })
    }
}

/// A budget: tenths of a minute, so that what takes seconds does not count as minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minutes(u64);

impl Minutes {
    /// The same as a duration.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 * 6)
    }

    fn parse(text: &str) -> Option<Self> {
        let (whole, tenths) = text.split_once('.').unwrap_or((text, "0"));
        let tenths: u64 = tenths.parse().ok().filter(|&tenths| tenths < 10)?;
        Some(Self(whole.parse::<u64>().ok()? * 10 + tenths))
    }
}

impl fmt::Display for Minutes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (self.0 / 10, self.0 % 10) {
            (whole, 0) => whole.to_string(),
            (whole, tenths) => format!("{whole}.{tenths}"),
        };
        formatter.pad(&text)
    }
}

impl Sum for Minutes {
    fn sum<I: Iterator<Item = Self>>(minutes: I) -> Self {
        Self(minutes.map(|minutes| minutes.0).sum())
    }
}

/// Minutes by suite.
#[derive(Debug)]
pub struct Budgets(BTreeMap<String, Pair>);

#[derive(Debug)]
struct Pair {
    warm: Minutes,
    new: Minutes,
}

impl Budgets {
    /// Reads docs/tests.md.
    ///
    /// # Errors
    /// When it cannot be read or a row of its table is malformed.
    pub fn read(workspace: &Workspace) -> Result<Self> {
        let path = workspace.root.join("docs/tests.md");
        let text = fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
        Self::parse(&text)
    }

    /// The budget of a suite; zero for one that the table does not know, which a test excludes.
    pub fn minutes(&self, suite: &str, machine: Machine) -> Minutes {
        self.0.get(suite).map_or_else(Minutes::default, |pair| pair.of(machine))
    }

    /// Rows look like ``| `clippy` | 0.5 | 6 | … |``: suite, minutes on a warm machine, minutes on a new one, what it shows.
    fn parse(text: &str) -> Result<Self> {
        let mut budgets = BTreeMap::new();
        for line in text.lines().filter(|line| line.starts_with("| `")) {
            let malformed = || Failure::new(format!("docs/tests.md has a malformed row: {line}"));
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let mut cell = || cells.next().ok_or_else(malformed);
            let suite = cell()?.trim_matches('`').to_owned();
            let warm = Minutes::parse(cell()?).ok_or_else(malformed)?;
            let new = Minutes::parse(cell()?).ok_or_else(malformed)?;
            budgets.insert(suite, Pair { warm, new });
        }
        Ok(Self(budgets))
    }
}

impl Pair {
    const fn of(&self, machine: Machine) -> Minutes {
        match machine {
            Machine::New => self.new,
            Machine::Warm => self.warm,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::suites::SUITES;
    use super::*;

    #[test]
    fn every_suite_has_a_budget_and_the_sums_fit() {
        let budgets = Budgets::parse(include_str!("../../../docs/tests.md")).expect("the table is well-formed");
        let mut written: Vec<&str> = budgets.0.keys().map(String::as_str).collect();
        let mut suites: Vec<&str> = SUITES.iter().map(|suite| suite.name).chain(["setup"]).collect();
        written.sort_unstable();
        suites.sort_unstable();
        assert_eq!(written, suites);
        let total = |machine| budgets.0.values().map(|pair| pair.of(machine)).sum::<Minutes>();
        assert!(
            total(Machine::Warm) <= Minutes(250),
            "{} minutes on a warm machine",
            total(Machine::Warm)
        );
        assert!(
            total(Machine::New) <= Minutes(800),
            "{} minutes on a new machine",
            total(Machine::New)
        );
    }

    #[test]
    fn a_row_without_minutes_is_refused() {
        assert!(Budgets::parse("| `fmt` | soon | 1 | style |").is_err());
        assert!(Budgets::parse("| `fmt` | 0.25 | 1 | style |").is_err());
    }

    #[test]
    fn minutes_are_read_and_shown_with_tenths() {
        for (text, secs) in [("7", 420), ("0.3", 18), ("12.5", 750)] {
            let minutes = Minutes::parse(text).expect("it is a number with tenths");
            assert_eq!(
                (minutes.to_string(), minutes.duration().as_secs()),
                (text.to_owned(), secs)
            );
        }
    }
}
