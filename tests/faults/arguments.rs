//! What the suite is asked for.

use std::str::FromStr;

use anyhow::{Context as _, Result, bail};

use crate::faults::{self, Fault};

/// The seed of a run that names none: the bounded run is the same each time.
const USUAL_SEED: u64 = 0x0b17_9200;

/// What the suite is asked for.
pub struct Arguments {
    /// For how long faults are drawn at random; `None`: each once, in order.
    pub minutes: Option<u64>,
    /// What decides all that is random.
    pub seed: u64,
    /// These alone.
    pub chosen: Vec<&'static Fault>,
    /// Name them only.
    pub list: bool,
}

impl Arguments {
    /// Reads the command line.
    ///
    /// # Errors
    /// When an argument, a number or the name of a fault is unknown.
    pub fn read(mut given: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = Self {
            minutes: None,
            seed: USUAL_SEED,
            chosen: faults::ALL.iter().collect(),
            list: false,
        };
        let mut has_seed = false;
        while let Some(argument) = given.next() {
            match argument.as_str() {
                "--minutes" => arguments.minutes = Some(number(&argument, given.next())?),
                "--seed" => {
                    arguments.seed = number(&argument, given.next())?;
                    has_seed = true;
                }
                "--only" => {
                    let names = given.next().context("--only needs names, separated by commas")?;
                    arguments.chosen = names.split(',').map(named).collect::<Result<_>>()?;
                }
                "--list" => arguments.list = true,
                other => bail!("`{other}` is no argument; there are --minutes N, --seed S, --only NAMES, --list"),
            }
        }
        if arguments.minutes.is_some() && !has_seed {
            arguments.seed = fresh_seed();
        }
        Ok(arguments)
    }
}

fn number<T: FromStr>(name: &str, text: Option<String>) -> Result<T> {
    let text = text.with_context(|| format!("{name} needs a number"))?;
    let number = text.parse().ok();
    number.with_context(|| format!("{name} needs a number, and `{text}` is none"))
}

fn named(name: &str) -> Result<&'static Fault> {
    let known = faults::ALL.iter().find(|fault| fault.name == name);
    known.with_context(|| {
        let all: Vec<&str> = faults::ALL.iter().map(|fault| fault.name).collect();
        format!("`{name}` is no fault; there are {}", all.join(", "))
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one draw that is not repeated: it is printed, and by it everything else can be"
)]
fn fresh_seed() -> u64 {
    u64::from(rand::random::<u32>())
}
