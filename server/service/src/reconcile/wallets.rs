//! Scripts, counters and the issuance mark: every script follows from its descriptor, and nothing is given out twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bitpro_merchant::wallet::{DescriptorId, Receive};
use bitpro_node::view::ScriptId;
use bitpro_store::audit::{StoredDescriptor, StoredScript};
use bitpro_store::mark;
use tokio::time::Instant;

use super::ReconcileError;
use super::difference::{Code, Difference};
use super::pace::off_thread;
use super::run::Run;

/// So many scripts are derived at a time.
const SCRIPTS: u32 = 500;
/// The mark is written while the database commits: a moment later both are there.
const MARK_PAUSE: Duration = Duration::from_secs(1);

type Receives = HashMap<DescriptorId, Receive>;

impl Run<'_> {
    /// Derives every script again, and looks at counters and mark.
    pub(super) async fn look_at_scripts(&mut self) -> Result<(), ReconcileError> {
        let store = &self.inner.store;
        let (descriptors, wallets) = store.wallets().await?;
        for descriptor in &descriptors {
            if !self.inner.charges.is_own_descriptor(&descriptor.text, &descriptor.mac) {
                let reason = "its text was not written by this server: money may go to a stranger";
                self.report.add(
                    Difference::general(Code::WalletChanged, reason).about(format!("descriptor {}", descriptor.id.0)),
                );
            }
        }
        for wallet in wallets {
            let text = descriptors
                .iter()
                .find(|descriptor| descriptor.id == wallet.descriptor)
                .map_or("", |descriptor| descriptor.text.as_str());
            if !self.inner.charges.is_own_wallet(wallet.merchant, text, &wallet.mac) {
                let reason = "this server did not assign this descriptor to the merchant: money may go to a stranger";
                self.report.add(
                    Difference::general(Code::WalletChanged, reason).about(format!("merchant {}", wallet.merchant)),
                );
            }
        }
        let receives: Receives = descriptors
            .iter()
            .filter_map(|descriptor| Some((descriptor.id, self.inner.charges.receive_of(&descriptor.text)?)))
            .collect();
        let highest = self.derive_again(Arc::new(receives)).await?;
        // Counters and mark only rise: read after the scripts, they are above them.
        let (descriptors, _) = self.inner.store.wallets().await?;
        self.look_at_counters(&descriptors, &highest).await
    }

    /// The highest index of each descriptor that was given out.
    async fn derive_again(&mut self, receives: Arc<Receives>) -> Result<HashMap<DescriptorId, u32>, ReconcileError> {
        let mut highest: HashMap<DescriptorId, u32> = HashMap::new();
        let mut after = ScriptId(0);
        loop {
            let started = Instant::now();
            let page = self.inner.store.scripts_after(after, SCRIPTS).await?;
            let Some(last) = page.last() else {
                return Ok(highest);
            };
            after = last.id;
            for script in page.iter().filter(|script| script.charge.is_some()) {
                let index = highest.entry(script.descriptor).or_insert(script.index);
                *index = script.index.max(*index);
            }
            self.report.scripts += u64::try_from(page.len()).unwrap_or(u64::MAX);
            let receives = Arc::clone(&receives);
            for difference in off_thread(move || underived(&page, &receives)).await? {
                self.report.add(difference);
            }
            self.pace.after(started).await;
        }
    }

    async fn look_at_counters(
        &mut self,
        descriptors: &[StoredDescriptor],
        highest: &HashMap<DescriptorId, u32>,
    ) -> Result<(), ReconcileError> {
        let mut marks = mark::look(&self.inner.mark);
        for attempt in 0..2 {
            let behind = behind_mark(&self.keyed(descriptors), highest, marks.as_ref().ok());
            if behind.is_empty() {
                break;
            }
            if attempt == 0 {
                tokio::time::sleep(MARK_PAUSE).await;
                marks = mark::look(&self.inner.mark);
                continue;
            }
            for difference in behind {
                self.report.add(difference);
            }
        }
        for descriptor in descriptors {
            if let Some(&index) = highest
                .get(&descriptor.id)
                .filter(|index| **index >= descriptor.next_index)
            {
                let reason = format!(
                    "index {index} was issued, but the next one would be {}: an address could be issued twice",
                    descriptor.next_index
                );
                self.report.add(
                    Difference::general(Code::CounterBehind, reason).about(format!("descriptor {}", descriptor.id.0)),
                );
            }
        }
        Ok(())
    }

    /// Descriptors with their names in the issuance mark.
    fn keyed(&self, descriptors: &[StoredDescriptor]) -> Vec<(DescriptorId, [u8; 16])> {
        descriptors
            .iter()
            .filter_map(|descriptor| {
                let receive = self.inner.charges.receive_of(&descriptor.text)?;
                Some((descriptor.id, receive.key()))
            })
            .collect()
    }
}

/// The scripts that are not what their descriptors make of their indices.
fn underived(scripts: &[StoredScript], receives: &Receives) -> Vec<Difference> {
    let is_derived = |script: &StoredScript| {
        let derived = receives
            .get(&script.descriptor)
            .and_then(|receive| receive.derive(script.index));
        derived.is_some_and(|derived| derived.script == script.script_pubkey)
    };
    scripts
        .iter()
        .filter(|script| !is_derived(script))
        .map(|script| {
            let reason = format!(
                "the script does not follow from index {} of descriptor {}: money to it may go to a stranger",
                script.index, script.descriptor.0
            );
            let subject = format!("script {}", script.id.0);
            match script.charge {
                Some((_, charge)) => Difference::of_charge(Code::ScriptNotDerived, charge, reason).about(subject),
                None => Difference::general(Code::ScriptNotDerived, reason).about(subject),
            }
        })
        .collect()
}

/// The descriptors of which more was given out than the mark knows; all, where it cannot be read.
fn behind_mark(
    descriptors: &[(DescriptorId, [u8; 16])],
    highest: &HashMap<DescriptorId, u32>,
    marks: Option<&HashMap<[u8; 16], u32>>,
) -> Vec<Difference> {
    let mut behind = Vec::new();
    for (id, key) in descriptors {
        let Some(&index) = highest.get(id) else { continue };
        let marked = marks.and_then(|marks| marks.get(key)).copied();
        if marked.is_some_and(|marked| marked >= index) {
            continue;
        }
        let marked = marked.map_or_else(|| "knows none".to_owned(), |marked| format!("is at {marked}"));
        let reason = format!("index {index} was issued, but the issuance mark {marked}");
        behind.push(Difference::general(Code::MarkBehind, reason).about(format!("descriptor {}", id.0)));
    }
    behind
}
