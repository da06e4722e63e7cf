//! What a storm was, and what it took: time, memory, bytes.

use anyhow::{Context as _, Result, anyhow};
use bitcoin::Transaction;
use bitcoin::consensus::encode::{deserialize, serialize};

use crate::row::{Row, at_most};
use crate::samples::Samples;
use crate::stopwatch::{now, since};

/// How often the same is decoded, for a time that can be told.
const DECODED: usize = 5;
const MIB: f64 = 1_048_576.0;

/// What was fed, and what it took.
pub struct Fed {
    /// Each view, in milliseconds.
    pub took: Vec<f64>,
    /// Decoding all of it once, in milliseconds.
    decoding: f64,
    written: u64,
}

impl Fed {
    /// Before anything is fed: decodes it all.
    ///
    /// # Errors
    /// When Linux does not tell of this process.
    pub fn begin<'t>(transactions: impl IntoIterator<Item = &'t Transaction>) -> Result<Self> {
        let raw: Vec<Vec<u8>> = transactions.into_iter().map(serialize).collect();
        let mut decoding = Vec::new();
        for _ in 0..DECODED {
            let begun = now();
            for bytes in &raw {
                let decoded: Transaction = deserialize(bytes)?;
                std::hint::black_box(decoded.compute_txid());
            }
            decoding.push(since(begun));
        }
        // From here on the peak is that of what follows.
        std::fs::write("/proc/self/clear_refs", "5")?;
        Ok(Self {
            took: Vec::new(),
            decoding: Samples::of(decoding).context("nothing was decoded")?.median(),
            written: of_this_process("io", "wchar:")?,
        })
    }

    /// The row of it. `fdatasync` is what one takes, in milliseconds: each view is durable before it is answered.
    pub fn row(self, name: &'static str, what: &'static str, fdatasync: f64) -> Row {
        let least = self.took.iter().fold(self.decoding, |least, _| least + fdatasync);
        let row = self
            .measured(name, what)
            .beside("decoding the same transactions, and one fdatasync a view", least)
            .bars([at_most("all", 20.0 * least)], [at_most("all", 3.0 * least)])
            .note(format!(
                "decoding alone {:.2} ms, fdatasync {fdatasync:.2} ms",
                self.decoding
            ));
        self.with_what_it_took(row)
    }

    /// The row of views that each move so many charges, where making as many at once takes `making`, in milliseconds.
    #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a figure for people")]
    pub fn row_of_charges(self, name: &'static str, what: &'static str, making: f64, charges: usize) -> Row {
        let all: f64 = self.took.iter().sum();
        let beside = self.took.iter().fold(0.0, |beside, _| beside + making);
        let each = 1_000.0 * all / (self.took.len() * charges) as f64;
        let row = self
            .measured(name, what)
            .beside("making as many charges at once, for each view", beside)
            .note(format!(
                "{each:.0} µs for each charge's event, committed; decoding alone {:.2} ms",
                self.decoding
            ));
        self.with_what_it_took(row)
    }

    fn measured(&self, name: &'static str, what: &'static str) -> Row {
        Row::new(name, what, "ms")
            .number("all", self.took.iter().sum())
            .number("longest", self.took.iter().copied().fold(0.0, f64::max))
            .out_of(self.took.len())
    }

    fn with_what_it_took(&self, row: Row) -> Row {
        let written = of_this_process("io", "wchar:").map(|after| after - self.written);
        match (of_this_process("status", "VmHWM:"), written) {
            (Ok(peak), Ok(written)) => row.note(format!(
                "{:.0} MiB at the peak, the whole process; {:.1} MiB written meanwhile, the charges made beside it included",
                mib(peak * 1_024),
                mib(written)
            )),
            _ => row,
        }
    }
}

/// A number that Linux tells of this process.
fn of_this_process(file: &str, name: &str) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/self/{file}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| anyhow!("/proc/self/{file} has no {name}"))
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a figure for people")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB
}
