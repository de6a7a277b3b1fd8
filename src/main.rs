//! `gatehouse`: arguments and environment in, an exit code out. Everything else is the library's.

use std::process::ExitCode;

#[allow(clippy::disallowed_methods)] // the one place that reads the process environment
fn main() -> ExitCode {
    gatehouse::cli::run(std::env::args_os(), std::env::vars_os())
}
