//! The binary `bitpro`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bitpro_server::cli::run()
}
