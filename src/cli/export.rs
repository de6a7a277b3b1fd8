//! `gatehouse export`: a tenant, or everything, as one file of JSON lines.

use std::fs::OpenOptions;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use super::output::Output;
use super::record::Record;
use super::session::Session;
use crate::config::Loaded;
use crate::domain::transfer::{self, Counts, Left, TransferError};
use crate::model::ids::TenantId;

/// What `gatehouse export` takes.
#[derive(Args)]
pub(super) struct ExportArgs {
    /// The file to write, which must not exist yet; - is standard output
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Only this tenant, tnt_… [default: the whole installation]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
    /// Also what the database keeps sealed, in the clear: private signing keys, secrets of authenticator
    /// apps, secrets that clients sign with
    #[arg(long)]
    include_secrets: bool,
}

pub(super) async fn run(args: ExportArgs, loaded: Loaded, out: Output) -> Result<(), Failure> {
    let to_file = (args.file != Path::new("-")).then_some(args.file.as_path());
    let left = Session::with(loaded, out, async |session| {
        let mut to: Box<dyn Write + Send> = match to_file {
            Some(path) => Box::new(BufWriter::new(new_private_file(path)?)),
            None => Box::new(BufWriter::new(std::io::stdout())),
        };
        let done = transfer::export(&session.core, args.tenant, args.include_secrets, &mut *to).await;
        if let (Err(_), Some(path)) = (&done, to_file) {
            let _ = std::fs::remove_file(path); // half a file is none
        }
        Ok(done?)
    })
    .await?;
    if let Some(path) = to_file {
        out.record(&counted(Record::default().with("file", path.display().to_string()), &left.written))?;
    }
    say(&left, out);
    Ok(())
}

/// Readable by nobody else: it holds what passwords are checked against.
fn new_private_file(path: &Path) -> Result<std::fs::File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|why| match why.kind() {
        ErrorKind::AlreadyExists => {
            Failure::Refused(format!("{} exists already, and an export overwrites nothing", path.display()))
        }
        _ => Failure::Refused(format!("{}: {why}", path.display())),
    })
}

/// How many lines of each kind.
pub(super) fn counted(record: Record, counts: &Counts) -> Record {
    counts.iter().fold(record, |record, (kind, n)| record.with(*kind, *n))
}

fn say(left: &Left, out: Output) {
    let note = |n: u64, what: &str| {
        if n > 0 {
            out.note(&format!("Left out, since --include-secrets was not given: {n} {what}"));
        }
    };
    note(left.signing_keys, "signing keys; tokens that they signed end with the move");
    note(left.totp, "authenticator apps; their owners sign in with a passkey or a recovery code, and set one up anew");
    note(left.saml_keys, "keys towards SAML providers, which must be given the metadata anew after the move");
    note(left.connection_secrets, "secrets at providers elsewhere; set them with the management API after the move");
    note(left.client_secrets, "secrets that clients sign with (client_secret_jwt); rotate them after the move");
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::File(error) => error.into(),
            TransferError::Domain(error) => error.into(),
            TransferError::Line { .. } => Self::Refused(error.to_string()),
        }
    }
}
