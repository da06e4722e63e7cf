//! The part of a comparison that reads the chain and the mempool.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bitpro_charge::{BlockRef, Outpoint, Place, Txid};
use bitpro_node::ChargesPort as _;
use bitpro_node::survey::{FoundOutput, Survey};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::against_chain::{Finding, Remedy, SINGLE_OUTPUTS, Scanned, long_there};
use super::pace::off_thread;
use super::run::{Break, Run};
use super::{ReconcileError, Since};
use crate::charges::ObserveError;

/// So many blocks are read at a time.
const BLOCKS: u32 = 10;
/// So often the node is asked for the block that the charges stand on: in a reorg, one of the two is ahead for a moment.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

impl Run<'_> {
    /// Meets the node and compares chain and mempool with what is stored.
    pub(super) async fn look_at_node(&mut self) -> Result<(), Break> {
        let charges = &self.inner.charges;
        let Some(tip) = charges.stored_tip() else {
            self.report.note(
                "nothing-observed",
                None,
                "no node was observed yet: there is nothing to compare",
            );
            return Ok(());
        };
        let known = charges.known_txs().await.map_err(|error| match error {
            ObserveError::Store(error) => Break::Failed(error.into()),
            error => Break::Node(error.to_string()),
        })?;
        let (config, runtime, moment) = (self.inner.node.clone(), Handle::current(), charges.moment());
        let survey = Arc::new(off_thread(move || Survey::open(&config, runtime, moment, known)).await??);
        self.survey = Some(Arc::clone(&survey));
        let Some(to) = self.common_tip(tip.block).await? else {
            self.report.complete = false;
            let says = format!(
                "the node's chain does not contain block {} ({}), which the charges are based on: it is behind, or on another chain",
                tip.block.height, tip.block.hash
            );
            self.report.note("other-chain", None, says);
            return Ok(());
        };
        self.look_at_chain(to).await?;
        self.look_at_mempool().await
    }

    /// The block on which the charges stand, once the node has it, too.
    async fn common_tip(&self, mut tip: BlockRef) -> Result<Option<BlockRef>, Break> {
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(PAUSE).await;
                tip = self.inner.charges.stored_tip().map_or(tip, |tip| tip.block);
            }
            if self.ask(move |survey| survey.is_in_chain(tip)).await? {
                return Ok(Some(tip));
            }
        }
        Ok(None)
    }

    async fn look_at_chain(&mut self, to: BlockRef) -> Result<(), Break> {
        let from = self.first_height(to).await?;
        let standing = self.ask(Survey::standing).await?;
        if standing.tip.height > to.height {
            let says = format!(
                "blocks above {} were not checked: the charges have not reached them yet",
                to.height
            );
            self.report.note("blocks-ahead", None, says);
        }
        let first = from.max(standing.lowest);
        if first > from {
            self.look_at_pruned(from, first.min(to.height + 1)).await?;
        }
        self.report.from_height = Some(first);
        self.report.to_height = Some(to.height);
        let key = self.inner.charges.random();
        self.scanned = Some(Scanned::new(first, key));
        let mut next = first;
        while next <= to.height {
            let started = Instant::now();
            let last = to.height.min(next.saturating_add(BLOCKS - 1));
            let script = self.inner.charges.watch();
            let facts = self.ask(move |survey| survey.blocks(next, last, script)).await?;
            if let Some(scanned) = &mut self.scanned {
                scanned.extend(&facts.blocks, &facts.found);
            }
            for conflict in &facts.conflicts {
                self.spenders.insert(conflict.victim, conflict.spender);
            }
            let findings = self.judge(&facts.found, &facts.conflicts).await?;
            self.conclude(findings, &facts.found, &facts.conflicts).await?;
            next = last + 1;
            self.pace.after(started).await;
        }
        Ok(())
    }

    /// Where the chain is begun to be looked through.
    async fn first_height(&self, to: BlockRef) -> Result<u32, Break> {
        if let Some(from) = self.request.from {
            return if from <= to.height {
                Ok(from)
            } else {
                Err(Break::Failed(ReconcileError::TooHigh { from, tip: to.height }))
            };
        }
        let (moving, first) = self.inner.store.oldest().await?;
        let since = match self.request.since {
            Since::TheFirst => first,
            Since::TheOldestOpen => moving,
        };
        match since {
            Some(since) => Ok(self.ask(move |survey| survey.height_at(since)).await?.min(to.height)),
            // Nothing can move: the newest blocks are looked at all the same.
            None => Ok(to.height.saturating_sub(BLOCKS - 1)),
        }
    }

    /// Of blocks that the node has deleted, only what nobody has spent can still be found.
    async fn look_at_pruned(&mut self, from: u32, below: u32) -> Result<(), Break> {
        let says = format!(
            "blocks {from} to {} are deleted by the node: only payments that nobody has spent could be looked for in the UTXO \
             set, and a payment that is stored there was not looked for",
            below - 1
        );
        self.report.note("blocks-pruned", None, says);
        let ranges = self.inner.charges.watched_ranges().await?;
        let mut found = self.ask(move |survey| survey.unspent_below(below, ranges)).await?;
        found.retain(|output| matches!(output.place, Place::Block(block) if block.height >= from));
        // Of what came by so many outputs that it is stored as a sum, some may be spent.
        let found = without_sums(found);
        let findings = self.judge(&found, &[]).await?;
        self.conclude(findings, &found, &[]).await
    }

    async fn look_at_mempool(&mut self) -> Result<(), Break> {
        let pace = self.pace;
        let script = self.inner.charges.watch();
        let facts = self
            .ask(move |survey| {
                let mut started = Instant::now();
                survey.pool(script, || pace.block_after(&mut started))
            })
            .await?;
        self.pool = Some(facts.txids);
        let Some(observed_until) = self.inner.charges.observed_until() else {
            return Ok(());
        };
        let found = long_there(facts.found, observed_until);
        let findings = self.judge(&found, &[]).await?;
        // What left the mempool meanwhile proves nothing.
        let txids: Vec<Txid> = findings.iter().filter_map(txid_of).collect();
        let script = self.inner.charges.watch();
        let still = self.ask(move |survey| survey.in_pool(&txids, script)).await?;
        let still: HashSet<Outpoint> = still.into_iter().map(|output| output.outpoint).collect();
        let found: Vec<FoundOutput> = found
            .into_iter()
            .filter(|output| still.contains(&output.outpoint))
            .collect();
        let findings = self.judge(&found, &[]).await?;
        self.conclude(findings, &found, &[]).await
    }
}

/// Without the outputs of transactions that have so many that they may be stored as a sum.
fn without_sums(mut found: Vec<FoundOutput>) -> Vec<FoundOutput> {
    let mut numbers: HashMap<Txid, usize> = HashMap::new();
    for output in &found {
        *numbers.entry(output.outpoint.txid).or_default() += 1;
    }
    found.retain(|output| numbers[&output.outpoint.txid] <= SINGLE_OUTPUTS);
    found
}

fn txid_of(finding: &Finding) -> Option<Txid> {
    match &finding.remedy {
        Some(Remedy::Sight { found, .. }) => Some(found.outpoint.txid),
        _ => None,
    }
}
