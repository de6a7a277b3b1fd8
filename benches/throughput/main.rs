//! What gatehouse does in a second, against what this machine could do at best.
//!
//!     cargo bench --bench throughput -- [--write] [--quick] [--only WORD] [--binary FILE]
//!
//! Prints one table; with `--write` it also goes into `docs/performance.md`. `--only` keeps the
//! scenarios whose name contains the word; `--quick` measures a tenth as long, to see that it works.
//!
//! Every figure is a ratio within one run: two sides take turns in short rounds, so that whatever
//! else the machine does meets both. The server is a process of its own, so is what it is compared
//! with, and the load generator is this process: what each costs is read from the kernel's accounts.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods, // it waits, on purpose
    reason = "a program that measures: what goes wrong ends it, and it speaks on the terminal"
)]

#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
mod browser;
#[cfg(target_os = "linux")]
mod commits;
#[cfg(target_os = "linux")]
mod large;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod postgres;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod scenario_code;
#[cfg(target_os = "linux")]
mod scenario_documents;
#[cfg(target_os = "linux")]
mod scenario_introspection;
#[cfg(target_os = "linux")]
mod scenario_login;
#[cfg(target_os = "linux")]
mod scenario_machine;
#[cfg(target_os = "linux")]
mod scenario_pages;
#[cfg(target_os = "linux")]
mod scenario_refresh;
#[cfg(target_os = "linux")]
mod scenario_scale;
#[cfg(target_os = "linux")]
mod scenario_storm;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod statements;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
mod wire;

#[cfg(target_os = "linux")]
fn main() {
    run::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("the benchmarks read Linux's accounts of processes and run on Linux only");
}
