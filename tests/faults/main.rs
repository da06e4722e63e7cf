//! The fault suite: the real server on real nodes, hurt in every way that we could think of, and looked at after each.
//!
//! A fault is a name and a function; it leaves the world healthy, and then the invariants are checked. Without arguments each fault is
//! done once, in a fixed order. `--minutes N` does them at random until the time is up, `--seed S` again as before, `--only A,B` those
//! alone, `--list` nothing but their names.

mod arguments;
mod disk;
mod faults;
mod invariants;
mod run;
mod world;

use std::process::ExitCode;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("faults: {error}");
            return ExitCode::FAILURE;
        }
    };
    if arguments.list {
        for fault in faults::ALL {
            eprintln!("{}", fault.name);
        }
        return ExitCode::SUCCESS;
    }
    // A mount of a test must end with the test, however that ends; this comes back when it cannot be had.
    disk::become_owner_of_mounts();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("faults: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    if runtime.block_on(run::run(&arguments)) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
