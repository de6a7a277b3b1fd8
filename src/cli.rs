//! The command line: `gatehouse [serve]`, and what an operator does to the database directly.
//!
//! Every command is who, parse, call a verb, print: the same verbs that the faces call, on the same
//! database, whether a server runs or not.

mod api_client;
mod backup;
mod catalog;
mod client;
mod config;
mod connection;
mod export;
mod failure;
mod import;
mod keys;
mod migrate;
mod names;
mod openapi;
mod output;
mod record;
mod serve;
mod session;
mod tenant;
#[cfg(test)]
mod tests;
mod user;
mod welcome;

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand};

use crate::config::{ConfigFile, Loaded, Sources};
use failure::Failure;
use output::Output;

/// An identity provider in one program: OAuth 2, OpenID Connect, tokens for machines.
///
/// Without a command it serves. Everything can be set by flags, by GATEHOUSE_… variables and in
/// gatehouse.toml, in this order of strength; `gatehouse config show` tells what counts.
#[derive(Parser)]
#[command(name = "gatehouse", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    serve: serve::ServeArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 refused, with the reason on standard error; \
     2 wrong usage or configuration, and nothing was touched.";

/// What every command takes.
#[derive(Args)]
struct Global {
    /// Configuration file; must exist [default: gatehouse.toml, if it exists]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Options for every command")]
    config: Option<PathBuf>,
    /// Database, such as sqlite://data/gatehouse.db or postgres://user:password@host/name
    #[arg(long, global = true, value_name = "URL", help_heading = "Options for every command")]
    database_url: Option<String>,
    /// The address the world uses, such as https://id.example.org
    #[arg(long, global = true, value_name = "URL", help_heading = "Options for every command")]
    issuer: Option<String>,
    /// Answer in JSON on standard output; errors are JSON too, on standard error
    #[arg(long, global = true, help_heading = "Options for every command")]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (the default)
    Serve(serve::ServeArgs),
    /// Bring the schema up to date, or show where it stands
    Migrate(migrate::MigrateArgs),
    /// Check the configuration, or show what counts and where it came from
    Config(config::ConfigArgs),
    /// Tenants: separate spaces of users, clients and keys
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// Users of a tenant
    #[command(subcommand)]
    User(user::UserCommand),
    /// OAuth clients: apps, and services that act for themselves
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// API clients: trusted systems with a key pair
    #[command(subcommand)]
    ApiClient(api_client::ApiClientCommand),
    /// The catalogue: systems with modules, companies with sites
    #[command(subcommand)]
    Catalog(catalog::CatalogCommand),
    /// Connections: providers elsewhere by whom people sign in here
    #[command(subcommand)]
    Connection(connection::ConnectionCommand),
    /// Signing keys of a tenant
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Write a consistent copy of the embedded database to a file, also while the server runs
    Backup(backup::BackupArgs),
    /// Write a tenant or everything to a file of JSON lines, passwords as their hashes
    Export(export::ExportArgs),
    /// Read such a file, or people from another system
    Import(import::ImportArgs),
    /// Print the OpenAPI document
    Openapi,
}

/// The definition of the command line.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs one command and says what to exit with: 0 when it was done, 1 when it was refused, 2 for
/// wrong usage or configuration.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return output::usage(&error, arguments.iter().any(|argument| argument == "--json")),
    };
    let out = Output::new(cli.global.json);
    match dispatch(cli, environment, out) {
        Ok(code) => code,
        Err(failure) => out.failure(&failure),
    }
}

fn dispatch(
    cli: Cli,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    out: Output,
) -> Result<ExitCode, Failure> {
    let mut bind = cli.serve.bind;
    let command = match cli.command {
        None => Command::Serve(serve::ServeArgs { bind: None }),
        Some(Command::Serve(own)) => {
            bind = own.bind.or(bind);
            Command::Serve(serve::ServeArgs { bind: None })
        }
        Some(other) if bind.is_none() => other,
        Some(_) => return Err(Failure::Usage("--bind belongs to serve, and not to this command".to_owned())),
    };
    if matches!(command, Command::Openapi) {
        return openapi::run().map(|()| ExitCode::SUCCESS);
    }
    let loaded = load(cli.global, bind, environment)?;
    match command {
        Command::Serve(_) => serve::run(loaded, out),
        command => wait_for(act(command, loaded, out))?.map(|()| ExitCode::SUCCESS),
    }
}

async fn act(command: Command, loaded: Loaded, out: Output) -> Result<(), Failure> {
    match command {
        Command::Serve(_) | Command::Openapi => Ok(()), // dispatched before
        Command::Migrate(args) => migrate::run(args, &loaded, out).await,
        Command::Config(args) => config::run(&args, &loaded, out),
        Command::Tenant(command) => tenant::run(command, loaded, out).await,
        Command::User(command) => user::run(command, loaded, out).await,
        Command::Client(command) => client::run(command, loaded, out).await,
        Command::ApiClient(command) => api_client::run(command, loaded, out).await,
        Command::Catalog(command) => catalog::run(command, loaded, out).await,
        Command::Connection(command) => connection::run(command, loaded, out).await,
        Command::Keys(command) => keys::run(command, loaded, out).await,
        Command::Backup(args) => backup::run(args, loaded, out).await,
        Command::Export(args) => export::run(args, loaded, out).await,
        Command::Import(args) => import::run(args, loaded, out).await,
    }
}

fn load(
    global: Global,
    bind: Option<String>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, Failure> {
    let given = [("bind", bind), ("issuer", global.issuer), ("database_url", global.database_url)];
    let flags = given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    // What is not Unicode stays recognisably wrong.
    let text = |text: OsString| text.into_string().unwrap_or_else(|bytes| bytes.to_string_lossy().into_owned());
    let env = environment.into_iter().map(|(name, value)| (text(name), text(value))).collect();
    Ok(crate::config::load(&Sources { flags, env, file: ConfigFile::chosen(global.config) })?)
}

/// Runs a command that serves nobody.
fn wait_for<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|why| Failure::Refused(format!("starting the runtime: {why}")))?;
    Ok(runtime.block_on(work))
}
