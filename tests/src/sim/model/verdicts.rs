//! What the model compares a charge with.

use bitpro_charge::{Reason, State};

use super::{Case, Pay, Truth};
use crate::sim::{Broken, broken};

impl Case<'_> {
    /// Compares the charge with the truth.
    ///
    /// # Errors
    /// What is broken.
    pub fn check(&self) -> Result<(), Broken> {
        self.check_received()?;
        self.check_sights()?;
        self.check_state()?;
        self.check_reason()
    }

    /// What is there must be what was received (R11).
    fn check_received(&self) -> Result<(), Broken> {
        let least: u64 = self
            .pays
            .iter()
            .filter(|pay| Self::is_there(pay))
            .map(|pay| pay.value)
            .sum();
        let floating: u64 = self
            .pays
            .iter()
            .filter(|pay| pay.truth == Truth::Floating)
            .map(|pay| pay.value)
            .sum();
        let received = self.charge.received().to_sat();
        if received < least {
            return broken(
                "r06 money on the chain is not seen",
                format!("{received} of {least} received"),
            );
        }
        if received > least + floating {
            return broken(
                "r11 money is counted that is not there",
                format!("{received} received, {least} there and {floating} perhaps"),
            );
        }
        Ok(())
    }

    /// First sights say what was truly seen, and as precisely as it was (R5).
    fn check_sights(&self) -> Result<(), Broken> {
        for payment in &self.charge.payments {
            let same = |pay: &&Pay| pay.vout == payment.outpoint.vout && payment.value.to_sat() == pay.value;
            // The model knows no ids: where two payments of the charge look alike, nobody can say which one is meant.
            let alike = self
                .charge
                .payments
                .iter()
                .filter(|other| other.outpoint.vout == payment.outpoint.vout && other.value == payment.value);
            if alike.count() > 1 {
                continue;
            }
            let mut fitting = self.pays.iter().filter(same);
            let (Some(pay), None) = (fitting.next(), fitting.next()) else {
                continue;
            };
            // How old the block before it was, the model does not know any more.
            if pay.truth == Truth::Unmade {
                continue;
            }
            let (earliest, latest) = (payment.first_seen.earliest.0, payment.first_seen.latest.0);
            if earliest < pay.after - self.slack || latest > pay.by + self.slack || earliest > latest {
                return broken(
                    "r05 a first sight is not what was seen",
                    format!(
                        "seen from {} to {}, told from {earliest} to {latest}",
                        pay.after, pay.by
                    ),
                );
            }
        }
        Ok(())
    }

    fn check_state(&self) -> Result<(), Broken> {
        let state = self.charge.state;
        let deep = self.counted(|pay| self.is_deep(pay), true);
        let all = self.counted(|_| true, false);
        let told = |what: &str| {
            format!(
                "{state} ({:?}); need {}, deep {}..{}, counted {}..{}, {what}",
                self.charge.reason,
                self.need(),
                deep.least,
                deep.most,
                all.least,
                all.most
            )
        };
        if (deep.least >= self.need() || self.is_taken_by_hand()) && state != State::Confirmed {
            return broken("r01 what is paid and deep is not confirmed", told("must be confirmed"));
        }
        if state == State::Confirmed && deep.most < self.least_need() {
            return broken("r01 confirmed without the money", told("must not be confirmed"));
        }
        if all.least >= self.need() && !matches!(state, State::Seen | State::Confirmed) {
            return broken("r01 what is paid is not seen", told("must be seen"));
        }
        let is_over = self.now > self.deadline() + i64::from(self.charge.terms.grace_secs) * 1_000 + self.slack;
        if is_over && all.most < self.least_need() && matches!(state, State::Pending | State::Seen) {
            return broken("r04 a deadline is not observed", told("must have ended"));
        }
        if !is_over && all.most == 0 && self.accepted.is_empty() && state == State::Seen {
            return broken("r01 seen without money", told("must be pending"));
        }
        self.check_end(state, &told)
    }

    fn check_end(&self, state: State, told: &impl Fn(&str) -> String) -> Result<(), Broken> {
        let matters = |pay: &&Pay| pay.value >= self.significant();
        let there = self.pays.iter().filter(|pay| Self::is_there(pay));
        if state == State::TimedOut && there.clone().any(|pay| matters(&pay)) {
            return broken("r01 timed out with money there", told("must be failed"));
        }
        if state == State::Failed && self.pays.is_empty() && !self.missed_some && !self.cancelled {
            return broken("r03 failed although nobody ever paid", told("must not be failed"));
        }
        if state == State::TimedOut && self.cancelled {
            return broken("r15 cancelled, and timed out", told("must be failed"));
        }
        Ok(())
    }

    /// Whether more than was asked for is as deep as all of it is worth at the least (R9).
    fn is_more_and_deep(&self) -> bool {
        let terms = &self.charge.terms;
        let there: u64 = self
            .pays
            .iter()
            .filter(|pay| Self::is_there(pay))
            .map(|pay| pay.value)
            .sum();
        let worth = u128::from(there) * u128::from(terms.quote.rate.cents_per_btc()) / 100_000_000;
        let tiers = &terms.tiers;
        let depth = match worth {
            _ if worth > u128::from(tiers.medium_limit.0) + 1 => tiers.large,
            _ if worth > u128::from(tiers.small_limit.0) + 1 => tiers.medium,
            _ => 1,
        };
        let is_deep = |pay: &&Pay| matches!(pay.truth, Truth::Mined(confirmations) if confirmations >= depth);
        let deep: u64 = self.pays.iter().filter(is_deep).map(|pay| pay.value).sum();
        deep > terms.amount.to_sat()
    }

    fn check_reason(&self) -> Result<(), Broken> {
        let any = |truth: Truth| self.pays.iter().any(|pay| pay.truth == truth);
        let is_wrong = match self.charge.reason {
            // It may be the proof that the model has not seen.
            Some(Reason::Replaced | Reason::Dropped | Reason::Reorged) if self.missed_some => false,
            Some(Reason::Replaced) => !self.pays.iter().any(|pay| pay.had_rival),
            Some(Reason::Dropped) => !any(Truth::Floating) && !any(Truth::Replaced),
            Some(Reason::Reorged) => !any(Truth::Unmade),
            Some(Reason::Cancelled) => !self.cancelled,
            Some(Reason::Manual) => self.accepted.is_empty(),
            Some(Reason::Late) => self
                .pays
                .iter()
                .all(|pay| self.is_surely_in_time(pay) && !self.is_maybe_stuck(pay)),
            Some(Reason::Overpaid) => !self.is_more_and_deep(),
            Some(Reason::Underpaid | Reason::Exact | Reason::Stuck) | None => false,
        };
        if is_wrong {
            return broken("r03 a reason without its proof", format!("{:?}", self.charge.reason));
        }
        Ok(())
    }
}
