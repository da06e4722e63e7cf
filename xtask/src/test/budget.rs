//! The minute budget of every suite, read from the table that people read: docs/tests.md.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

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

/// Minutes by suite.
#[derive(Debug)]
pub struct Budgets(BTreeMap<String, Minutes>);

#[derive(Debug)]
struct Minutes {
    warm: u64,
    new: u64,
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
    pub fn minutes(&self, suite: &str, machine: Machine) -> u64 {
        self.0.get(suite).map_or(0, |minutes| minutes.of(machine))
    }

    /// Rows look like ``| `clippy` | 1 | 6 | … |``: suite, minutes on a warm machine, minutes on a new one, what it shows.
    fn parse(text: &str) -> Result<Self> {
        let mut budgets = BTreeMap::new();
        for line in text.lines().filter(|line| line.starts_with("| `")) {
            let malformed = || Failure::new(format!("docs/tests.md has a malformed row: {line}"));
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let mut cell = || cells.next().ok_or_else(malformed);
            let suite = cell()?.trim_matches('`').to_owned();
            let warm = cell()?.parse().map_err(|_| malformed())?;
            let new = cell()?.parse().map_err(|_| malformed())?;
            budgets.insert(suite, Minutes { warm, new });
        }
        Ok(Self(budgets))
    }
}

impl Minutes {
    fn of(&self, machine: Machine) -> u64 {
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
        let total = |machine| budgets.0.values().map(|minutes| minutes.of(machine)).sum::<u64>();
        assert!(
            total(Machine::Warm) <= 25,
            "{} minutes on a warm machine",
            total(Machine::Warm)
        );
        assert!(
            total(Machine::New) <= 80,
            "{} minutes on a new machine",
            total(Machine::New)
        );
    }

    #[test]
    fn a_row_without_minutes_is_refused() {
        assert!(Budgets::parse("| `fmt` | soon | 1 | style |").is_err());
    }
}
