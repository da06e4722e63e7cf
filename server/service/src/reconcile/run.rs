//! One comparison from beginning to end: the chain, the mempool, every charge, every script, what belongs to what.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bitpro_charge::{Outpoint, Place, Txid};
use bitpro_node::NodeError;
use bitpro_node::survey::{FoundConflict, FoundOutput, Survey};
use bitpro_store::StoreError;

use super::against_chain::{Finding, Remedy, Scanned, compare, without_charge};
use super::difference::{Code, Difference, Report};
use super::pace::{Pace, off_thread};
use super::repair::HeldBack;
use super::{Inner, ReconcileError, Request};

/// So many orphaned rows are told at the most.
const ORPHANS: usize = 100;

/// A comparison under way.
pub(super) struct Run<'i> {
    pub(super) inner: &'i Inner,
    pub(super) request: Request,
    pub(super) pace: Pace,
    pub(super) report: Report,
    /// The node, once it was met.
    pub(super) survey: Option<Arc<Survey>>,
    pub(super) scanned: Option<Scanned>,
    /// What the chain holds elsewhere than it is stored: told already.
    pub(super) elsewhere: HashSet<Outpoint>,
    /// What took the place of followed payments in the chain.
    pub(super) spenders: HashMap<Txid, Txid>,
    /// What the mempool holds; `None` while it was not read.
    pub(super) pool: Option<HashSet<Txid>>,
}

impl<'i> Run<'i> {
    pub(super) fn new(inner: &'i Inner, request: Request, pace: Pace) -> Self {
        Self {
            inner,
            request,
            pace,
            report: Report {
                complete: true,
                ..Report::default()
            },
            survey: None,
            scanned: None,
            elsewhere: HashSet::new(),
            spenders: HashMap::new(),
            pool: None,
        }
    }

    /// Compares everything.
    pub(super) async fn finish(mut self) -> Result<Report, ReconcileError> {
        if let Err(Break::Failed(error)) = self.look_at_node().await.or_else(|trouble| self.endure(trouble)) {
            return Err(error);
        }
        self.look_at_charges().await?;
        self.look_at_scripts().await?;
        self.look_at_counts().await?;
        for (table, row, parent) in self.inner.store.orphans(ORPHANS).await? {
            let row = row.map_or_else(String::new, |row| format!(" {row}"));
            let reason = format!("row{row} of {table} belongs to a row of {parent} that does not exist");
            self.report
                .add(Difference::general(Code::RowOrphaned, reason).about(format!("{table}{row}")));
        }
        Ok(self.report)
    }

    /// Rows in another state than their log says are told already, and would be counted wrongly.
    async fn look_at_counts(&mut self) -> Result<(), ReconcileError> {
        if self.report.has(Code::RowNotLog) || self.report.has(Code::RowUnreadable) {
            return Ok(());
        }
        let store = &self.inner.store;
        let wrong = store.wrong_counts().await?;
        let mut left = wrong.clone();
        if self.request.fix && !wrong.is_empty() {
            tracing::warn!("recounting the charges of each state");
            self.inner.charges.recount().await?;
            left = store.wrong_counts().await?;
        }
        for (state, counted, there) in wrong {
            let reason = format!("{counted} charges were counted as {state}, but there are {there}");
            let difference = Difference::general(Code::CountWrong, reason).about(&state);
            self.report.add(Difference {
                repaired: self.request.fix && left.iter().all(|(other, ..)| *other != state),
                ..difference
            });
        }
        Ok(())
    }

    /// A node that cannot be asked leaves the rest to be compared.
    pub(super) fn endure(&mut self, trouble: Break) -> Result<(), Break> {
        match trouble {
            Break::Node(error) => {
                self.report.complete = false;
                self.report.note(
                    "chain-not-read",
                    None,
                    format!("chain and mempool could not be read: {error}"),
                );
                Ok(())
            }
            failed @ Break::Failed(_) => Err(failed),
        }
    }

    /// Compares what was found with what is stored of it now.
    pub(super) async fn judge(
        &mut self,
        found: &[FoundOutput],
        conflicts: &[FoundConflict],
    ) -> Result<Vec<Finding>, ReconcileError> {
        if found.is_empty() && conflicts.is_empty() {
            return Ok(Vec::new());
        }
        let scripts: Vec<Vec<u8>> = found.iter().map(|output| output.script_pubkey.clone()).collect();
        let victims: Vec<Txid> = conflicts.iter().map(|conflict| conflict.victim).collect();
        let blocks = found.iter().filter_map(|output| match output.place {
            Place::Block(block) => Some(block.height),
            Place::Mempool => None,
        });
        let mut heights: Vec<u32> = blocks
            .chain(conflicts.iter().map(|conflict| conflict.block.height))
            .collect();
        heights.sort_unstable();
        heights.dedup();
        let store = &self.inner.store;
        let stored = store.stored_at(&scripts, &victims, &heights).await?;
        // Seldom is anything found, and the merchants are many.
        let merchants = LazyCell::new(|| self.inner.charges.merchants());
        let merchants_of = |descriptor| {
            let theirs = merchants
                .iter()
                .filter(|merchant| merchant.descriptor == Some(descriptor));
            theirs.map(|merchant| merchant.id).collect()
        };
        for (outpoint, says) in without_charge(found, &stored, self.inner.charges.network(), merchants_of) {
            self.report
                .note_once("payment-without-charge", format!("{outpoint}: {says}"));
        }
        Ok(compare(found, conflicts, &stored))
    }

    /// Tells of findings, repaired or not.
    pub(super) async fn conclude(
        &mut self,
        findings: Vec<Finding>,
        found: &[FoundOutput],
        conflicts: &[FoundConflict],
    ) -> Result<(), Break> {
        for finding in &findings {
            if finding.difference.code == Code::PaymentElsewhere
                && let Some(Remedy::Sight { found, .. }) = &finding.remedy
            {
                self.elsewhere.insert(found.outpoint);
            }
        }
        if !self.request.fix || findings.is_empty() {
            for finding in findings {
                self.report.add(finding.difference);
            }
            return Ok(());
        }
        let held_back = self.repair(&findings).await?;
        let left = self.judge(found, conflicts).await?;
        self.tell_what_is_left(findings, &left, &held_back);
        Ok(())
    }

    /// Tells which of the findings are left after a repair, and why.
    pub(super) fn tell_what_is_left(&mut self, findings: Vec<Finding>, left: &[Finding], held_back: &HeldBack) {
        for mut finding in findings {
            let is_left = left.iter().any(|other| other.difference.is_same(&finding.difference));
            finding.difference.repaired = !is_left;
            if let (true, Some(why)) = (is_left, held_back.why(&finding)) {
                finding.difference.reason = format!("{}; not repaired: {why}", finding.difference.reason);
            }
            self.report.add(finding.difference);
        }
    }

    /// Asks the node, off the runtime's threads.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Survey) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, Break> {
        let survey = self
            .survey
            .clone()
            .ok_or_else(|| Break::Node("it was not met".to_owned()))?;
        Ok(off_thread(move || question(&survey)).await??)
    }
}

/// Why a part of the comparison was broken off.
pub(super) enum Break {
    /// The node could not be asked: the rest goes on.
    Node(String),
    /// Nothing goes on.
    Failed(ReconcileError),
}

impl From<NodeError> for Break {
    fn from(error: NodeError) -> Self {
        Self::Node(error.to_string())
    }
}

impl From<ReconcileError> for Break {
    fn from(error: ReconcileError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Break {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}
