//! What the server does while time goes on: it polls, notes the time, and tells its webhooks.

use bitpro_node::Condition;

use super::World;
use crate::sim::{Broken, broken};

/// So many polls after a failed commit everything goes on.
const POLLS_TO_RECOVER: u32 = 3;

impl World {
    /// The server takes a step: it polls its node, and tells its webhooks.
    ///
    /// # Errors
    /// What is broken.
    pub fn tick(&mut self) -> Result<(), Broken> {
        let Some(server) = &mut self.server else {
            return Ok(());
        };
        server.watcher.poll();
        self.check_recovery()?;
        self.after_step()?;
        self.note_time()?;
        self.deliver()?;
        self.check_clock()?;
        self.look();
        self.check_cut_off()
    }

    /// The node has told something.
    ///
    /// # Errors
    /// What is broken.
    pub fn wake(&mut self) -> Result<(), Broken> {
        if let Some(server) = &mut self.server {
            server.watcher.wake();
        }
        self.after_step()
    }

    /// Lets the step end, and the server, if that was its last.
    ///
    /// # Errors
    /// When it does not start again.
    pub fn after_step(&mut self) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        if let Some(grave) = server.faults.buried() {
            self.crash(Some(grave));
            self.count("the server died at a commit");
            self.count("R30");
            return Ok(());
        }
        server.settle();
        if self.is_armed && !server.faults.is_armed() {
            self.is_armed = false;
            self.forget();
        }
        Ok(())
    }

    /// A commit that failed, or was answered with an error, costs a poll, and no more (R30).
    fn check_recovery(&mut self) -> Result<(), Broken> {
        let status = self.server.as_ref().map(|server| server.watcher.status());
        let is_failing = status
            .as_ref()
            .is_some_and(|status| matches!(status.condition, Condition::StoreFailing(_)));
        self.failing = if is_failing { self.failing + 1 } else { 0 };
        if self.failing > POLLS_TO_RECOVER {
            return broken(
                "r30 the watcher does not get over a failed commit",
                format!("{status:?}"),
            );
        }
        Ok(())
    }

    /// The chore of the minute, which goes by real time in a server.
    fn note_time(&mut self) -> Result<(), Broken> {
        let truth = self.around.clock.truth();
        let Some(server) = self.server.as_ref().filter(|_| truth - self.noted >= 60_000) else {
            return Ok(());
        };
        server.run(server.charges.is_writable());
        self.noted = truth;
        self.after_step()
    }

    fn deliver(&mut self) -> Result<(), Broken> {
        let mut gone = 0;
        for _ in 0..50 {
            let Some(server) = &mut self.server else { break };
            let attempts = server.attempts();
            if attempts.is_empty() {
                break;
            }
            for attempt in attempts {
                let answer = self.receivers.answer(&attempt, &mut self.dice);
                gone += u64::from(answer == Ok(410));
                server.sender.answered(attempt, answer);
            }
            self.after_step()?;
        }
        for _ in 0..gone {
            self.count("R20");
        }
        Ok(())
    }

    /// While a process lives, its time does not stand still (R32).
    fn check_clock(&mut self) -> Result<(), Broken> {
        let Some(server) = &self.server else { return Ok(()) };
        let (truth, now) = (self.around.clock.truth(), server.charges.now().0);
        if let Some((truth_before, before)) = self.before
            && now - before < truth - truth_before - 2_000
        {
            return broken(
                "r32 time stands still",
                format!(
                    "{} s went by, and {} s by the server",
                    (truth - truth_before) / 1_000,
                    (now - before) / 1_000
                ),
            );
        }
        self.before = Some((truth, now));
        Ok(())
    }
}
