//! One figure: what was measured, beside what, and what it had to reach.

use serde::Serialize;

use crate::samples::Samples;

/// A line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Its name; `--only` takes it.
    pub name: &'static str,
    /// What it is, in words.
    pub what: &'static str,
    /// What its numbers are, as in `ms`.
    pub unit: &'static str,
    /// The numbers, by what they are.
    pub measured: Vec<Number>,
    /// How many measurements they come from.
    pub samples: usize,
    /// What they stand beside, measured in the same run.
    pub baseline: Option<Baseline>,
    /// The first number, divided by the baseline.
    pub ratio: Option<f64>,
    /// The least that counts as done.
    pub floor: Vec<Bound>,
    /// What we are here for.
    pub goal: Vec<Bound>,
    /// How the numbers stand to these.
    pub verdict: Verdict,
    /// What a reader should know beside.
    pub notes: Vec<String>,
}

/// A number with what it is.
#[derive(Debug, Clone, Serialize)]
pub struct Number {
    /// `p50`, `p99`, `max`, or a word.
    pub label: &'static str,
    /// The number.
    pub value: f64,
}

/// A number to compare with, in the row's unit.
#[derive(Debug, Clone, Serialize)]
pub struct Baseline {
    /// What it is.
    pub what: String,
    /// The number.
    pub value: f64,
}

/// What one of the numbers must reach.
#[derive(Debug, Clone, Serialize)]
pub struct Bound {
    /// Which number.
    pub label: &'static str,
    /// Whether it must be at most, or at least, `limit`.
    pub side: Side,
    /// The limit.
    pub limit: f64,
}

/// On which side of a limit is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Less is better.
    AtMost,
    /// More is better.
    AtLeast,
}

/// How a figure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every goal is reached.
    Goal,
    /// Every floor is reached.
    Floor,
    /// A floor is not reached.
    BelowFloor,
    /// Nothing was asked of it.
    Told,
}

/// `label` must be at most `limit`.
pub const fn at_most(label: &'static str, limit: f64) -> Bound {
    Bound {
        label,
        side: Side::AtMost,
        limit,
    }
}

/// `label` must be at least `limit`.
pub const fn at_least(label: &'static str, limit: f64) -> Bound {
    Bound {
        label,
        side: Side::AtLeast,
        limit,
    }
}

impl Row {
    /// A row without numbers yet.
    pub const fn new(name: &'static str, what: &'static str, unit: &'static str) -> Self {
        Self {
            name,
            what,
            unit,
            measured: Vec::new(),
            samples: 0,
            baseline: None,
            ratio: None,
            floor: Vec::new(),
            goal: Vec::new(),
            verdict: Verdict::Told,
            notes: Vec::new(),
        }
    }

    /// With the median and the 99th percentile of many measurements.
    pub fn latency(self, samples: &Samples) -> Self {
        let count = samples.count();
        self.number("p50", samples.median())
            .number("p99", samples.p99())
            .out_of(count)
    }

    /// With the median and the worst of few measurements.
    pub fn rounds(self, samples: &Samples) -> Self {
        let count = samples.count();
        self.number("p50", samples.median())
            .number("max", samples.max())
            .out_of(count)
    }

    /// With the median and the least of few rates.
    pub fn rates(self, samples: &Samples) -> Self {
        let count = samples.count();
        self.number("p50", samples.median())
            .number("min", samples.min())
            .out_of(count)
    }

    /// With one more number.
    pub fn number(mut self, label: &'static str, value: f64) -> Self {
        self.measured.push(Number { label, value });
        self.samples = self.samples.max(1);
        self
    }

    /// With the count of its measurements.
    pub const fn out_of(mut self, samples: usize) -> Self {
        self.samples = samples;
        self
    }

    /// With what it stands beside.
    pub fn beside(mut self, what: impl Into<String>, value: f64) -> Self {
        self.ratio = self.measured.first().map(|first| first.value / value);
        self.baseline = Some(Baseline {
            what: what.into(),
            value,
        });
        self
    }

    /// With a remark.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// With what it had to reach, and so with its verdict.
    pub fn bars(mut self, floor: impl Into<Vec<Bound>>, goal: impl Into<Vec<Bound>>) -> Self {
        self.floor = floor.into();
        self.goal = goal.into();
        let reaches = |bounds: &[Bound]| bounds.iter().all(|bound| self.reaches(bound));
        self.verdict = match (reaches(&self.floor), reaches(&self.goal)) {
            (true, true) => Verdict::Goal,
            (true, false) => Verdict::Floor,
            (false, _) => Verdict::BelowFloor,
        };
        self
    }

    /// A number that is missing reaches nothing.
    fn reaches(&self, bound: &Bound) -> bool {
        let number = self.measured.iter().find(|number| number.label == bound.label);
        number.is_some_and(|number| match bound.side {
            Side::AtMost => number.value <= bound.limit,
            Side::AtLeast => number.value >= bound.limit,
        })
    }
}

impl Verdict {
    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Goal => "goal",
            Self::Floor => "floor",
            Self::BelowFloor => "BELOW FLOOR",
            Self::Told => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(p50: f64, p99: f64) -> Row {
        Row::new("x", "", "ms")
            .number("p50", p50)
            .number("p99", p99)
            .bars([at_most("p99", 50.0)], [at_most("p50", 3.0), at_most("p99", 15.0)])
    }

    #[test]
    fn a_goal_wants_all_its_numbers() {
        assert_eq!(row(3.0, 15.0).verdict, Verdict::Goal);
        assert_eq!(row(3.1, 15.0).verdict, Verdict::Floor);
        assert_eq!(row(1.0, 50.1).verdict, Verdict::BelowFloor);
    }

    #[test]
    fn a_number_that_is_missing_reaches_nothing() {
        let row = Row::new("x", "", "1/s").bars([at_least("p50", 1.0)], [at_least("p50", 2.0)]);
        assert_eq!(row.verdict, Verdict::BelowFloor);
    }

    #[test]
    fn the_ratio_is_that_of_the_first_number() {
        assert_eq!(row(3.0, 15.0).beside("half", 1.5).ratio, Some(2.0));
    }
}
