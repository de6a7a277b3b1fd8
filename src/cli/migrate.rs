//! `gatehouse migrate`: the schema.

use clap::{Args, Subcommand};
use migration::{Migrator, MigratorTrait as _};

use super::failure::Failure;
use super::output::Output;
use super::record::Record;
use crate::app::open_database;
use crate::config::Loaded;
use crate::storage::{StorageError, migrate};

/// What `gatehouse migrate` takes.
#[derive(Args)]
pub(super) struct MigrateArgs {
    #[command(subcommand)]
    command: Option<MigrateCommand>,
}

#[derive(Subcommand)]
enum MigrateCommand {
    /// Apply what is pending, in one transaction; safe from several copies at once (the default)
    Up,
    /// List every change and whether it was made; changes nothing
    Status,
}

pub(super) async fn run(args: MigrateArgs, loaded: &Loaded, out: Output) -> Result<(), Failure> {
    match args.command {
        None | Some(MigrateCommand::Up) => up(loaded, out).await,
        Some(MigrateCommand::Status) => status(loaded, out).await,
    }
}

async fn up(loaded: &Loaded, out: Output) -> Result<(), Failure> {
    let db = open_database(&loaded.config).await?;
    let applied = migrate::up(&db).await;
    db.close().await;
    let applied = applied.map_err(refused)?;
    let people = if applied.is_empty() {
        "nothing to do: the schema is current\n".to_owned()
    } else {
        applied.iter().map(|name| format!("applied {name}\n")).collect()
    };
    out.either(&serde_json::json!({ "applied": applied }), &people)
}

async fn status(loaded: &Loaded, out: Output) -> Result<(), Failure> {
    let known = match loaded.config.database.url.sqlite_path() {
        // Looking must not make the file.
        Some(path) if !path.exists() => {
            Migrator::get_migration_files().iter().map(|file| (file.name().to_owned(), false)).collect()
        }
        _ => {
            let db = open_database(&loaded.config).await?;
            let known = migrate::status(&db).await;
            db.close().await;
            known.map_err(refused)?
        }
    };
    let row =
        |(name, applied): &(String, bool)| Record::default().with("name", name.as_str()).with("applied", *applied);
    out.list(&["name", "applied"], &known.iter().map(row).collect::<Vec<_>>())
}

fn refused(error: StorageError) -> Failure {
    Failure::Refused(error.to_string())
}
