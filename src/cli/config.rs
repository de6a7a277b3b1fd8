//! `gatehouse config`: what the configuration says, and whether it is usable.

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::output::Output;
use crate::config::Loaded;

/// What `gatehouse config` takes.
#[derive(Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: Option<ConfigCommand>,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Say everything that is wrong with it, or that nothing is; touches nothing
    Check,
    /// Print the effective values, secrets masked, and where each came from (the default)
    Show,
}

pub(super) fn run(args: &ConfigArgs, loaded: &Loaded, out: Output) -> Result<(), Failure> {
    match args.command {
        // What is wrong was said when it was loaded.
        Some(ConfigCommand::Check) => out.either(&serde_json::json!({ "ok": true }), "the configuration is usable\n"),
        None | Some(ConfigCommand::Show) => out.either(&loaded.show(), &loaded.table()),
    }
}
