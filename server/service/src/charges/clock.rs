//! The operator's word on the clock: the time that was seen was wrong, and the machine's clock is right (R32).

use bitpro_base::clock::Kept;
use bitpro_charge::{ChargeId, Observation, State, Timestamp};
use bitpro_store::Tx;
use tokio_util::sync::CancellationToken;

use super::command::commanded;
use super::{Charges, CommandError, Role};

/// How our time stands to the machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReport {
    /// Our time.
    pub now: Timestamp,
    /// The machine's clock.
    pub shown: Timestamp,
    /// How far our time is ahead, in seconds.
    pub ahead_secs: i64,
}

/// What became of the machine's clock being taken as right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// By how much our time stepped back, in seconds; zero: it was not ahead.
    pub stepped_secs: i64,
    /// Charges that waited for money until a deadline that nobody lives to see: they are withdrawn.
    pub withdrawn: Vec<ChargeId>,
    /// Charges with money that keep such a deadline: the merchant decides about them.
    pub kept: Vec<ChargeId>,
}

impl Charges {
    /// How our time stands to the machine's clock.
    #[must_use]
    pub fn clock_report(&self) -> ClockReport {
        let moment = self.moment();
        ClockReport {
            now: moment.now,
            shown: moment.shown,
            ahead_secs: moment.lead_ms() / 1_000,
        }
    }

    /// Has the running server begin anew by the machine's clock; whether this is the running server. Too much in it stands on the time
    /// that was seen, and all of it can be had again from the database.
    #[must_use]
    pub fn begin_anew(&self) -> bool {
        if self.inner.role == Role::Server {
            self.inner.begins_anew.cancel();
        }
        self.inner.role == Role::Server
    }

    /// Cancelled when the server is to begin anew.
    #[must_use]
    pub fn begins_anew(&self) -> CancellationToken {
        self.inner.begins_anew.clone()
    }

    /// Takes the machine's clock as right. Nothing else may run on this database meanwhile.
    ///
    /// # Errors
    /// [`CommandError::Store`]; nothing is changed then.
    pub async fn accept_clock(&self) -> Result<Accepted, CommandError> {
        let moment = self.moment();
        if moment.lead_ms() <= 0 {
            return Ok(Accepted::default());
        }
        let (now, shown) = (moment.now, moment.shown);
        let accepted = self
            .inner
            .store
            .write(move |tx| Box::pin(async move { accepted(tx, now, shown).await }))
            .await?;
        self.inner.clock.accept();
        tracing::warn!(
            stepped_secs = accepted.stepped_secs,
            withdrawn = accepted.withdrawn.len(),
            "the machine's clock was accepted: time went back"
        );
        Ok(accepted)
    }
}

async fn accepted(tx: &mut Tx, now: Timestamp, shown: Timestamp) -> Result<Accepted, CommandError> {
    let mut accepted = Accepted {
        stepped_secs: (now.0 - shown.0) / 1_000,
        ..Accepted::default()
    };
    for id in tx.charges_made_after(shown).await? {
        let charge = tx.charge(id).await?.ok_or(CommandError::UnknownCharge)?;
        if !charge.charge.deadline_observed {
            if charge.charge.state == State::Pending {
                let sequence = charge.charge.sequence;
                commanded(tx, id, &Observation::Cancel { sequence }, now, None).await?;
                accepted.withdrawn.push(id);
            } else {
                accepted.kept.push(id);
            }
        }
        // Money that comes from now on is seen before the instant at which the charge was made, and was sent for it all the same.
        commanded(tx, id, &Observation::ClockTakenBack { to: shown }, now, None).await?;
    }
    tx.step_back(shown, now.0 - shown.0).await?;
    tx.keep_time(Kept {
        seen: Some(shown),
        steady: Some(shown),
    })
    .await?;
    Ok(accepted)
}
