//! What is stored against what was found in chain and mempool: pure, so that every case can be written down.

use std::collections::{BTreeMap, HashMap, HashSet};

use bitpro_charge::{
    BlockHash, BlockRef, ChargeId, Loss, MerchantId, Network, Outpoint, Place, Timestamp, Txid, Whereabouts,
};
use bitpro_merchant::wallet::{DescriptorId, address_of};
use bitpro_node::survey::{FoundConflict, FoundOutput, MINERS_CLOCK_SECS};
use bitpro_store::Snapshot;
use bitpro_store::audit::{StoredAt, StoredScript};
use siphasher::sip::SipHasher13;

use super::difference::{Code, Difference};
use crate::charges::MOST_PAYMENTS;

/// What came into the mempool this short a time before the instant up to which it was read may have come just after: the node
/// records whole seconds.
const POOL_LAG_MILLIS: i64 = 2_000;

/// With more outputs than this, one transaction to one charge is compared by its sum: the last of the rows that are stored may stand for
/// more than one output.
pub(super) const SINGLE_OUTPUTS: usize = MOST_PAYMENTS - 1;

/// A difference, and the observation that would mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) difference: Difference,
    pub(super) remedy: Option<Remedy>,
}

/// An observation that was not made, or was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remedy {
    /// This output is there. It cannot be older than what it pays for.
    Sight { found: FoundOutput, since: Timestamp },
    /// This transaction is in no block.
    Unplace(Txid),
    /// This transaction cannot be mined any more.
    Lose { txid: Txid, loss: Loss, by: Option<Txid> },
}

/// Compares what was found with what is stored of the same scripts and transactions.
///
/// What was found in a block counts only if the charges stand on the same block: before they do, they are not behind.
pub(super) fn compare(found: &[FoundOutput], conflicts: &[FoundConflict], stored: &StoredAt) -> Vec<Finding> {
    let scripts: HashMap<&[u8], &StoredScript> = stored
        .scripts
        .iter()
        .map(|script| (script.script_pubkey.as_slice(), script))
        .collect();
    let charges: HashMap<i64, &Snapshot> = stored.charges.iter().map(|charge| (charge.num, charge)).collect();
    let mut findings = Vec::new();
    let mut paid: BTreeMap<(i64, Txid), Vec<&FoundOutput>> = BTreeMap::new();
    for output in found.iter().filter(|output| is_read(output.place, stored)) {
        // The look-up that found it compares 64 bits: it may be nobody's script (R34).
        let Some(script) = scripts.get(output.script_pubkey.as_slice()) else {
            continue;
        };
        match script.charge {
            Some((num, _)) => paid.entry((num, output.outpoint.txid)).or_default().push(output),
            None => findings.extend(of_early_money(output, script)),
        }
    }
    for ((num, txid), outputs) in paid {
        if let Some(charge) = charges.get(&num) {
            findings.extend(of_transaction(txid, &outputs, charge));
        }
    }
    for conflict in conflicts {
        if !is_read(Place::Block(conflict.block), stored) {
            continue;
        }
        for charge in &stored.charges {
            findings.extend(of_conflict(conflict, charge));
        }
    }
    findings
}

/// What pays an address that was passed over, or was given out with a charge that is not there any more: after a restore a shopper
/// may have paid a charge that was lost. It contradicts nothing, for others may have used the wallet before.
///
/// Nothing of it stands in the database but the address, so it is told with those who may know whose it is: the merchants that get
/// their addresses from there now, as `merchants_of` knows them.
pub(super) fn without_charge(
    found: &[FoundOutput],
    stored: &StoredAt,
    network: Network,
    merchants_of: impl Fn(DescriptorId) -> Vec<MerchantId>,
) -> Vec<(Outpoint, String)> {
    let orphans: HashMap<&[u8], &StoredScript> = stored
        .scripts
        .iter()
        .filter(|script| script.charge.is_none() && !script.is_ahead && !script.is_skipped)
        .map(|script| (script.script_pubkey.as_slice(), script))
        .collect();
    let mut without = Vec::new();
    for output in found.iter().filter(|output| is_read(output.place, stored)) {
        let Some(script) = orphans.get(output.script_pubkey.as_slice()) else {
            continue;
        };
        let merchants: Vec<String> = merchants_of(script.descriptor)
            .iter()
            .map(ToString::to_string)
            .collect();
        let says = format!(
            "{} pays {} sat to {} (index {} of descriptor {}, merchants: {}), which no charge has: a charge that a restore has lost, or \
             another program",
            place_in_words(output.place),
            output.value.to_sat(),
            address_of(&output.script_pubkey, network).unwrap_or_default(),
            script.index,
            script.descriptor.0,
            if merchants.is_empty() {
                "none now".to_owned()
            } else {
                merchants.join(", ")
            },
        );
        without.push((output.outpoint, says));
    }
    without
}

/// What of the mempool had to be seen by the instant up to which it was read.
pub(super) fn long_there(found: Vec<FoundOutput>, observed_until: Timestamp) -> Vec<FoundOutput> {
    let limit = Timestamp(observed_until.0.saturating_sub(POOL_LAG_MILLIS));
    found.into_iter().filter(|output| output.at <= limit).collect()
}

/// Whether the charges have read the place where something was found: of blocks too deep to be kept, it is certain.
fn is_read(place: Place, stored: &StoredAt) -> bool {
    match place {
        Place::Mempool => true,
        Place::Block(block) => stored.blocks.get(&block.height).is_none_or(|hash| *hash == block.hash),
    }
}

/// What one transaction pays one charge.
fn of_transaction(txid: Txid, outputs: &[&FoundOutput], charge: &Snapshot) -> Vec<Finding> {
    if outputs.len() <= SINGLE_OUTPUTS {
        return outputs.iter().filter_map(|output| of_output(output, charge)).collect();
    }
    let stored = charge
        .charge
        .payments
        .iter()
        .filter(|payment| payment.outpoint.txid == txid);
    let sum = stored.fold(0_u64, |sum, payment| sum.saturating_add(payment.value.to_sat()));
    let whole = outputs
        .iter()
        .fold(0_u64, |sum, output| sum.saturating_add(output.value.to_sat()));
    let mut findings: Vec<Finding> = outputs
        .iter()
        .filter_map(|output| of_output(output, charge))
        .filter(|finding| !matches!(finding.difference.code, Code::PaymentMissing | Code::PaymentValue))
        .collect();
    if let (true, Some(first)) = (sum != whole, outputs.first()) {
        let (code, id) = (Code::PaymentMissing, charge.charge.id);
        let reason = format!(
            "{} pays it {whole} sat with {} outputs of one transaction, but {sum} sat are stored",
            place_in_words(first.place),
            outputs.len()
        );
        findings.push(sighted(code, id, reason, first, charge));
    }
    findings
}

fn of_output(output: &FoundOutput, charge: &Snapshot) -> Option<Finding> {
    let id = charge.charge.id;
    let there = place_in_words(output.place);
    let sats = output.value.to_sat();
    let Some(payment) = charge.charge.payment(output.outpoint) else {
        if is_from_before(output, charge) {
            return None;
        }
        let reason = format!("{there} pays it {sats} sat, but no such payment is stored");
        return Some(sighted(Code::PaymentMissing, id, reason, output, charge));
    };
    if payment.value != output.value {
        let reason = format!("it is stored with {} sat, but pays {sats} sat", payment.value.to_sat());
        return Some(Finding {
            difference: Difference::of_charge(Code::PaymentValue, id, reason).about(output.outpoint),
            remedy: None,
        });
    }
    match payment.whereabouts {
        Whereabouts::Gone(loss) => {
            let reason = format!("it is stored as {}, but {there} contains it", loss.as_str());
            Some(sighted(Code::PaymentNotLost, id, reason, output, charge))
        }
        // A payment that is stored in a block is looked for in that block.
        Whereabouts::Live(_) if output.place == Place::Mempool => None,
        Whereabouts::Live(place) if place == output.place => None,
        Whereabouts::Live(place) => {
            let reason = format!("it is stored in {}, but {there} contains it", place_in_words(place));
            Some(sighted(Code::PaymentElsewhere, id, reason, output, charge))
        }
    }
}

/// Whether it is certain that a payment is older than the charge: then it is not the charge's, and may well have come before its
/// address was watched.
fn is_from_before(output: &FoundOutput, charge: &Snapshot) -> bool {
    let age = charge.charge.terms.created_at.as_secs() - output.at.as_secs();
    matches!(output.place, Place::Block(_)) && age > MINERS_CLOCK_SECS
}

fn sighted(code: Code, id: ChargeId, reason: String, output: &FoundOutput, charge: &Snapshot) -> Finding {
    Finding {
        difference: Difference::of_charge(code, id, reason).about(output.outpoint),
        remedy: Some(Remedy::Sight {
            found: output.clone(),
            since: charge.charge.terms.created_at,
        }),
    }
}

fn of_early_money(output: &FoundOutput, script: &StoredScript) -> Option<Finding> {
    if !script.is_ahead || script.is_skipped {
        return None;
    }
    let reason = format!(
        "index {} of descriptor {} was not issued, but {} pays it, and it is not held back",
        script.index,
        script.descriptor.0,
        place_in_words(output.place)
    );
    Some(Finding {
        difference: Difference::general(Code::UnissuedPaid, reason).about(output.outpoint),
        remedy: Some(Remedy::Sight {
            found: output.clone(),
            // It says nothing about the charges that the same transaction may pay.
            since: Timestamp(i64::MAX),
        }),
    })
}

fn of_conflict(conflict: &FoundConflict, charge: &Snapshot) -> Vec<Finding> {
    let victims = charge.charge.payments.iter().filter(|payment| {
        payment.outpoint.txid == conflict.victim && payment.whereabouts == Whereabouts::Live(Place::Mempool)
    });
    let finding = |outpoint: Outpoint| {
        let reason = format!(
            "it is stored as unconfirmed, but transaction {} in block {} replaced it",
            conflict.spender, conflict.block.height
        );
        Finding {
            difference: Difference::of_charge(Code::PaymentReplaced, charge.charge.id, reason).about(outpoint),
            remedy: Some(Remedy::Lose {
                txid: conflict.victim,
                loss: Loss::Replaced,
                by: Some(conflict.spender),
            }),
        }
    };
    victims.map(|payment| finding(payment.outpoint)).collect()
}

fn place_in_words(place: Place) -> String {
    match place {
        Place::Mempool => "the mempool".to_owned(),
        Place::Block(block) => format!("block {}", block.height),
    }
}

/// What was read of the chain, kept small: some 40 bytes a block and 10 an output.
pub(super) struct Scanned {
    key: [u8; 16],
    from: u32,
    blocks: Vec<BlockHash>,
    outputs: HashSet<u64>,
}

/// What is known of a payment that is stored in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// The block holds it.
    There,
    /// The block was read, and does not hold it.
    NotThere,
    /// Another block stands at that height.
    OtherBlock,
    /// Blocks of that height were not read.
    NotRead,
}

impl Scanned {
    /// Nothing yet, from block `from` on. Under a random `key`, nobody can choose outputs that meet in one hash.
    pub(super) fn new(from: u32, key: [u8; 16]) -> Self {
        Self {
            key,
            from,
            blocks: Vec::new(),
            outputs: HashSet::new(),
        }
    }

    /// Takes in the next blocks.
    pub(super) fn extend(&mut self, blocks: &[BlockRef], found: &[FoundOutput]) {
        self.blocks.extend(blocks.iter().map(|block| block.hash));
        for output in found {
            if let Place::Block(block) = output.place {
                self.outputs.insert(self.hash(output.outpoint, block));
            }
        }
    }

    /// What is known of `outpoint` in `block`.
    pub(super) fn seen(&self, outpoint: Outpoint, block: BlockRef) -> Seen {
        let index = block.height.checked_sub(self.from).map(usize::try_from);
        let Some(hash) = index.and_then(Result::ok).and_then(|index| self.blocks.get(index)) else {
            return Seen::NotRead;
        };
        match (*hash == block.hash, self.outputs.contains(&self.hash(outpoint, block))) {
            (false, _) => Seen::OtherBlock,
            (true, true) => Seen::There,
            (true, false) => Seen::NotThere,
        }
    }

    fn hash(&self, outpoint: Outpoint, block: BlockRef) -> u64 {
        let mut bytes = [0; 68];
        bytes[..32].copy_from_slice(&outpoint.txid.0);
        bytes[32..36].copy_from_slice(&outpoint.vout.to_le_bytes());
        bytes[36..].copy_from_slice(&block.hash.0);
        SipHasher13::new_with_key(&self.key).hash(&bytes)
    }
}

/// A payment that is stored in `block` and is not there.
pub(super) fn not_in_chain(
    charge: ChargeId,
    outpoint: Outpoint,
    block: BlockRef,
    seen: Seen,
    spender: Option<Txid>,
) -> Finding {
    let why = match seen {
        Seen::NotThere => "which does not contain it",
        Seen::There | Seen::OtherBlock | Seen::NotRead => "which is not in the chain",
    };
    let reason = format!("it is stored in block {} ({}), {why}", block.height, block.hash);
    let remedy = match spender {
        Some(spender) => Remedy::Lose {
            txid: outpoint.txid,
            loss: Loss::Replaced,
            by: Some(spender),
        },
        None => Remedy::Unplace(outpoint.txid),
    };
    Finding {
        difference: Difference::of_charge(Code::PaymentNotInChain, charge, reason).about(outpoint),
        remedy: Some(remedy),
    }
}

#[cfg(test)]
mod tests;
