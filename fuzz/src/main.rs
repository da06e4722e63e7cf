//! libFuzzer around one target: `BITPRO_FUZZ_TARGET` names it, the arguments are libFuzzer's own. With `list` for a name it says what
//! targets there are: name and longest input, and below them, each behind a tab, words in the form of libFuzzer's dictionaries.
#![no_main]

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::OnceLock;

use bitpro_base::fuzzing::Target;
use bitpro_server::fuzz::{self, TARGETS};

static TARGET: OnceLock<&'static Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(
    init: {
        let name = std::env::var("BITPRO_FUZZ_TARGET").unwrap_or_default();
        if name == "list" {
            let told = std::io::stdout().write_all(list().as_bytes());
            std::process::exit(i32::from(told.is_err()));
        }
        let target = fuzz::target(&name).expect("BITPRO_FUZZ_TARGET names a target");
        TARGET.get_or_init(|| target);
    },
    |input: &[u8]| {
        TARGET.get().expect("set at the start").try_with(input);
    }
);

fn list() -> String {
    let mut list = String::new();
    for target in TARGETS.iter().copied().flatten() {
        let _ = writeln!(list, "{} {}", target.name, target.longest);
        for word in target.words {
            let escaped: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
            let _ = writeln!(list, "\t\"{escaped}\"");
        }
    }
    list
}
