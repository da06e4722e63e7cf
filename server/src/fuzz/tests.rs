//! The bounded run: every target takes its corpus, and changes of it that are the same in every run.

use std::fs;
use std::path::PathBuf;

use bitpro_base::fuzzing::Target;

use super::{TARGETS, target};

/// How many changes of its corpus a target takes: a few with the unit tests, more in the suite `fuzz`.
const INPUTS: &str = "BITPRO_FUZZ_INPUTS";
const USUAL_INPUTS: u64 = 200;
/// Bytes of the largest corpus of a target, and of its largest file: what a person still looks through.
const LARGEST_CORPUS: u64 = 96 * 1024;
const LARGEST_FILE: u64 = 8 * 1024;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(name)
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder(name))
        .unwrap_or_else(|error| panic!("fuzz/corpus/{name}: {error}"))
        .map(|file| file.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Numbers that are the same in every run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// One of `corpus`, changed in one to four places.
fn changed(corpus: &[Vec<u8>], words: &[&str], dice: &mut Dice) -> Vec<u8> {
    let mut input = corpus[dice.below(corpus.len())].clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(input.len() + 1);
        let until = at + dice.below((input.len() - at + 1).min(16));
        let is_inside = at < input.len();
        match dice.below(8) {
            0 if is_inside => input[at] ^= 1 << dice.below(8),
            1 if is_inside => input[at] = u8::try_from(dice.below(256)).unwrap(),
            2 => drop(input.drain(at..until)),
            3 => input.insert(at, u8::try_from(dice.below(256)).unwrap()),
            4 | 5 if !words.is_empty() => {
                let word = words[dice.below(words.len())].bytes();
                drop(input.splice(at..until, word));
            }
            6 => {
                let other = &corpus[dice.below(corpus.len())];
                let from = dice.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => {
                let again = input[at..until].to_vec();
                for _ in 0..=dice.below(40) {
                    drop(input.splice(at..at, again.iter().copied()));
                }
            }
        }
    }
    input
}

fn run(name: &str) {
    let Target { words, .. } = target(name).unwrap_or_else(|| panic!("{name} is no target"));
    let target = target(name).unwrap();
    let corpus = corpus(name);
    for input in &corpus {
        target.try_with(input);
    }
    let inputs = std::env::var(INPUTS)
        .ok()
        .map_or(USUAL_INPUTS, |inputs| inputs.parse().unwrap());
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for number in 0..inputs {
        let input = changed(&corpus, words, &mut dice);
        let tried = std::panic::catch_unwind(|| target.try_with(&input));
        assert!(
            tried.is_ok(),
            "{name}, input {number}: {:?}",
            String::from_utf8_lossy(&input)
        );
    }
}

/// A test for each target, so that they run beside each other.
macro_rules! targets {
    ($($test:ident: $name:literal,)*) => {
        const TESTED: &[&str] = &[$($name),*];
        $(
            #[test]
            fn $test() {
                run($name);
            }
        )*
    };
}

targets! {
    accept: "accept",
    accept_encoding: "accept-encoding",
    accept_language: "accept-language",
    admin_command: "admin-command",
    allowed_origin: "allowed-origin",
    api_cursor: "api-cursor",
    api_query: "api-query",
    backup: "backup",
    block: "block",
    configuration: "configuration",
    descriptor: "descriptor",
    email: "email",
    exchange: "exchange",
    forwarded: "forwarded",
    hmac_header: "hmac-header",
    host: "host",
    json_body: "json-body",
    last_event_id: "last-event-id",
    letter: "letter",
    link_query: "link-query",
    node_answer: "node-answer",
    passkey_json: "passkey-json",
    passkey_made: "passkey-made",
    passkey_signed: "passkey-signed",
    picture: "picture",
    search: "search",
    settings: "settings",
    settings_form: "settings-form",
    spreadsheet: "spreadsheet",
    transaction: "transaction",
    typed_amount: "typed-amount",
    upload: "upload",
    webhook_answer: "webhook-answer",
    webhook_url: "webhook-url",
    zmq: "zmq",
}

#[test]
fn every_target_is_tested_and_has_a_small_corpus() {
    let mut names: Vec<&str> = TARGETS.iter().copied().flatten().map(|target| target.name).collect();
    names.sort_unstable();
    assert_eq!(names, TESTED);
    for name in names {
        let files = fs::read_dir(folder(name)).unwrap();
        let sizes: Vec<u64> = files.map(|file| file.unwrap().metadata().unwrap().len()).collect();
        assert!(!sizes.is_empty(), "{name}");
        assert!(sizes.iter().all(|size| *size <= LARGEST_FILE), "{name}");
        assert!(sizes.iter().sum::<u64>() <= LARGEST_CORPUS, "{name}");
    }
    let folders = fs::read_dir(folder("")).unwrap().count();
    assert_eq!(folders, TESTED.len(), "a folder of no target");
}
