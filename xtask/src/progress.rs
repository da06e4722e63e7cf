//! How far the work is: one line that is drawn again on a terminal, plain lines now and then elsewhere.
//!
//! There is one terminal, so there is one bar for the process; what runs deep below tells it how far a build is.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::proc::say;
use crate::stopwatch::{Stopwatch, readable};

/// A step without units is never shown as done before it is.
const MOST_BY_TIME: u64 = 950;
/// Work that takes less than this needs no bar and no plan.
const WORTH_A_PLAN: u32 = 20;
/// How often plain lines say how far the work is.
const PLAIN_EVERY: Duration = Duration::from_secs(30);

static LINE: Mutex<Option<Line>> = Mutex::new(None);

/// The bar is shown as long as this lives.
#[must_use]
pub struct Showing(());

impl Drop for Showing {
    fn drop(&mut self) {
        if let Some(line) = line().take() {
            line.bar.finish_and_clear();
        }
    }
}

struct Line {
    plan: Plan,
    bar: ProgressBar,
    whole: Stopwatch,
    step: Stopwatch,
    is_drawn: bool,
    said: Duration,
}

/// The arithmetic: steps with their seconds, and where in them the work is.
struct Plan {
    steps: Vec<(String, u32)>,
    /// How many were begun; the last of them is at work.
    begun: usize,
    /// How far the one at work is, in thousandths.
    thousandths: u64,
}

/// Begins to show work of such steps, each with its usual seconds.
pub fn begin(steps: Vec<(String, u32)>) -> Showing {
    let plan = Plan {
        steps,
        begun: 0,
        thousandths: 0,
    };
    let worth = plan.total() >= WORTH_A_PLAN;
    if worth {
        say(&plan.told());
    }
    let is_drawn = worth && io::stderr().is_terminal();
    let bar = if is_drawn {
        ProgressBar::new(plan.total().into()).with_style(style())
    } else {
        ProgressBar::hidden()
    };
    *line() = Some(Line {
        plan,
        bar,
        whole: Stopwatch::start(),
        step: Stopwatch::start(),
        is_drawn,
        said: Duration::ZERO,
    });
    Showing(())
}

/// The next step begins.
pub fn next() {
    let mut guard = line();
    let Some(line) = guard.as_mut() else { return };
    line.plan.begun += 1;
    line.plan.thousandths = 0;
    line.step = Stopwatch::start();
    line.draw();
}

/// A step goes on; `last` is the last line of what works, which may count its units.
pub fn report(last: &str) {
    let mut guard = line();
    let Some(line) = guard.as_mut() else { return };
    let units = units_in(last);
    line.plan.advance(units, line.step.elapsed());
    line.draw();
    let elapsed = line.whole.elapsed();
    if !line.is_drawn && elapsed >= line.said + PLAIN_EVERY {
        line.said = elapsed;
        let text = format!("  {} %, {}", line.plan.percent(), line.plan.now(elapsed));
        drop(guard);
        say(&text);
    }
}

/// Prints by `print` without the bar being in the way.
pub fn aside(print: impl FnOnce()) {
    let bar = line().as_ref().map(|line| line.bar.clone());
    match bar {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

fn line() -> MutexGuard<'static, Option<Line>> {
    // Nothing that holds the lock can leave the line half changed.
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("[{bar:24}] {percent:>3} % {wide_msg}")
        .map_or_else(|_| ProgressStyle::default_bar(), |style| style.progress_chars("=> "))
}

impl Line {
    fn draw(&self) {
        self.bar.set_position(self.plan.done().into());
        self.bar.set_message(self.plan.now(self.whole.elapsed()));
    }
}

impl Plan {
    fn total(&self) -> u32 {
        self.steps.iter().map(|(_, seconds)| seconds).sum()
    }

    /// Seconds of the plan that are done.
    fn done(&self) -> u32 {
        let Some(before) = self.begun.checked_sub(1) else {
            return 0;
        };
        let whole: u32 = self.steps[..before].iter().map(|(_, seconds)| seconds).sum();
        let at_work = self.steps.get(before).map_or(0, |(_, seconds)| u64::from(*seconds));
        whole + u32::try_from(at_work * self.thousandths / 1000).unwrap_or(0)
    }

    fn percent(&self) -> u32 {
        (self.done() * 100).checked_div(self.total()).unwrap_or(100)
    }

    /// Units say how far the step is; without them it is the time that it usually takes.
    fn advance(&mut self, units: Option<(u64, u64)>, elapsed: Duration) {
        let seconds = self.begun.checked_sub(1).and_then(|at| self.steps.get(at));
        let usual = seconds.map_or(1, |(_, seconds)| u64::from(*seconds).max(1)) * 1000;
        let by_time = u64::try_from(elapsed.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_mul(1000)
            / usual;
        let now = match units {
            Some((done, all)) => done * 1000 / all,
            None => by_time.min(MOST_BY_TIME),
        };
        // A build that goes through several lists of units never seems to go back.
        self.thousandths = now.clamp(self.thousandths, 1000);
    }

    /// What is being done, and how long the rest will take if the machine goes on as it did.
    fn now(&self, elapsed: Duration) -> String {
        let step = self.begun.checked_sub(1).and_then(|at| self.steps.get(at));
        let what = step.map_or("", |(what, _)| what.as_str());
        let left = readable(self.left(elapsed));
        format!("{what} ({} of {}), about {left} left", self.begun, self.steps.len())
    }

    fn left(&self, elapsed: Duration) -> Duration {
        let (done, total) = (self.done(), self.total());
        let rest = Duration::from_secs((total - done).into());
        // Before some of the plan is done, nothing is known of this machine.
        if done < WORTH_A_PLAN {
            return rest;
        }
        (rest * u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX).max(1)) / done
    }

    fn told(&self) -> String {
        let names: Vec<&str> = self.steps.iter().map(|(what, _)| what.as_str()).collect();
        let usual = readable(Duration::from_secs(self.total().into()));
        format!("to do, about {usual} on two idle cores: {}", names.join("; "))
    }
}

/// The units that cargo (`Building [==>  ] 112/340: serde, syn`) and ninja (`[12/600] Building CXX object …`) count.
fn units_in(line: &str) -> Option<(u64, u64)> {
    let line = line.trim_start();
    if !line.starts_with("Building [") && !line.starts_with('[') {
        return None;
    }
    line.split_whitespace().find_map(|word| {
        let (done, all) = word.trim_matches(['[', ']', ':']).split_once('/')?;
        let (done, all) = (done.parse::<u64>().ok()?, all.parse::<u64>().ok()?);
        (all > 0 && done <= all).then_some((done, all))
    })
}

/// Whether a line of a log only says how far cargo is.
pub fn is_only_progress(line: &str) -> bool {
    line.trim_start().starts_with("Building [")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            steps: vec![("trunk".to_owned(), 200), ("the server".to_owned(), 300)],
            begun: 1,
            thousandths: 0,
        }
    }

    #[test]
    fn cargo_and_ninja_tell_their_units() {
        assert_eq!(
            units_in("    Building [===>    ] 112/340: serde, syn(build)"),
            Some((112, 340))
        );
        assert_eq!(units_in("[12/600] Building CXX object src/a/1.cpp.o"), Some((12, 600)));
        assert_eq!(units_in("   Compiling serde v1.0.2"), None);
        assert_eq!(units_in("Get:1 bookworm/main amd64 1/2"), None);
    }

    #[test]
    fn a_step_goes_on_by_its_units_and_never_back() {
        let mut plan = plan();
        plan.advance(Some((50, 100)), Duration::from_secs(1));
        assert_eq!((plan.done(), plan.percent()), (100, 20));
        plan.advance(Some((1, 400)), Duration::from_secs(2));
        assert_eq!(plan.done(), 100);
    }

    #[test]
    fn a_step_without_units_goes_on_by_the_time_and_ends_by_itself() {
        let mut plan = plan();
        plan.advance(None, Duration::from_secs(20));
        assert_eq!(plan.done(), 20);
        plan.advance(None, Duration::from_secs(9_000));
        assert_eq!(plan.done(), 190);
    }

    #[test]
    fn a_slow_machine_is_believed() {
        let mut plan = plan();
        assert_eq!(plan.left(Duration::from_secs(1)), Duration::from_secs(500));
        plan.advance(Some((1, 2)), Duration::ZERO);
        assert_eq!(plan.left(Duration::from_secs(200)), Duration::from_secs(800));
        assert_eq!(
            plan.now(Duration::from_secs(200)),
            "trunk (1 of 2), about 13 min 20 s left"
        );
    }
}
