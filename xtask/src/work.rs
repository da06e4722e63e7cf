//! What a command has to do before it can begin: a list of jobs, each with the time that it usually takes, done in order under one bar.

use crate::failure::Result;
use crate::progress;

/// One job. The seconds are measured on two idle cores; the bar corrects itself on slower machines.
pub struct Job<'w> {
    what: String,
    seconds: u32,
    run: Box<dyn FnOnce() -> Result<()> + 'w>,
}

/// Jobs that are still to be done, in their order.
#[derive(Default)]
pub struct Work<'w>(Vec<Job<'w>>);

impl<'w> Work<'w> {
    /// Adds a job that usually takes so many `seconds`.
    pub fn add(&mut self, what: impl Into<String>, seconds: u32, run: impl FnOnce() -> Result<()> + 'w) {
        self.0.push(Job {
            what: what.into(),
            seconds,
            run: Box::new(run),
        });
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Does everything, and stops at the first failure.
    ///
    /// # Errors
    /// That of the job.
    pub fn run(self) -> Result<()> {
        let plan = self.0.iter().map(|job| (job.what.clone(), job.seconds)).collect();
        let showing = progress::begin(plan);
        for job in self.0 {
            progress::next();
            (job.run)()?;
        }
        drop(showing);
        Ok(())
    }
}
