//! `gatehouse backup`: a consistent copy of the embedded database.

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::output::Output;
use super::record::Record;
use super::session::Session;
use crate::config::{Loaded, MasterKeySource};

/// What `gatehouse backup` takes.
#[derive(Args)]
pub(super) struct BackupArgs {
    /// The file to write; it must not exist yet
    file: PathBuf,
}

pub(super) async fn run(args: BackupArgs, loaded: Loaded, out: Output) -> Result<(), Failure> {
    // What can't be copied is not set up either.
    match loaded.config.database.url.sqlite_path() {
        None => {
            let why = "PostgreSQL is backed up by its own means, such as pg_dump; this copies the embedded database";
            return Err(Failure::Refused(why.to_owned()));
        }
        Some(path) if !path.exists() => {
            return Err(Failure::Refused(format!("there is no database at {} to copy", path.display())));
        }
        Some(_) => {}
    }
    let key = loaded.config.secrets.master_key_source();
    Session::with(loaded, out, async |session| {
        session.core.backup(&args.file).await.map_err(|why| Failure::Refused(why.to_string()))
    })
    .await?;
    let bytes = std::fs::metadata(&args.file).map(|file| file.len())?;
    out.record(&Record::default().with("file", args.file.display().to_string()).with("bytes", bytes))?;
    if let MasterKeySource::File(path) | MasterKeySource::MadeOnce(path) = key {
        out.note(&format!(
            "The copy can only be used with the master key: keep {} too, apart from it.",
            path.display()
        ));
    }
    Ok(())
}
