//! `gatehouse import`: reads what `gatehouse export` wrote, or people from another system.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Seek as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::export::counted;
use super::failure::Failure;
use super::names::one_of;
use super::output::Output;
use super::record::Record;
use super::session::{Session, private_folder};
use crate::config::Loaded;
use crate::domain::transfer::{self, Imported, Wish};
use crate::model::ids::TenantId;
use crate::model::transfer::OnConflict;

/// What `gatehouse import` takes.
#[derive(Args)]
#[command(after_help = ABOUT)]
pub(super) struct ImportArgs {
    /// The file to read; - is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Everything becomes this tenant's, tnt_… [default: the tenants that the file names; its default
    /// tenant becomes the default one here]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
    /// What becomes of what is there already
    #[arg(long, value_parser = one_of!(OnConflict), default_value = "fail")]
    on_conflict: OnConflict,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

const ABOUT: &str = "Every line is checked before the first is written. Up to 1,000 lines are taken whole or not at all; \
     of a longer file each 1,000 are, and after a refusal --on-conflict skip goes on where it ended.\n\n\
     An export of a whole installation that is read into an empty database makes that installation again, with its \
     own default tenant. People from elsewhere need two lines and more:\n\
     {\"gatehouse\":\"export\",\"version\":1,\"installation\":false,\"secrets\":false}\n\
     {\"kind\":\"user\",\"email\":\"ada@example.org\",\"password_hash\":\"$2b$12$…\"}";

pub(super) async fn run(args: ImportArgs, loaded: Loaded, out: Output) -> Result<(), Failure> {
    let file = if args.file == Path::new("-") {
        spooled(&loaded.config.secrets.data_dir)?
    } else {
        File::open(&args.file).map_err(|why| Failure::Usage(format!("{}: {why}", args.file.display())))?
    };
    let mut from = BufReader::new(file);
    let header = transfer::header(&mut from)?;
    let wish = Wish { into: args.tenant, on_conflict: args.on_conflict, rehearse: args.dry_run };
    let work = async |session: &Session| {
        if let Some(tenant) = args.tenant {
            session.ctx(Some(tenant)).await?;
        }
        Ok(transfer::import(&session.core, &mut from, wish).await?)
    };
    let done = if header.makes_installation() && args.tenant.is_none() {
        Session::with_what_is_there(loaded, work).await?
    } else {
        Session::with(loaded, out, work).await?
    };
    show(&done, args.dry_run, out)
}

/// Standard input as a file that has no name, since it is read twice.
fn spooled(folder: &Path) -> Result<File, Failure> {
    private_folder(folder)?;
    let path = folder.join(format!("import-{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path)?;
    std::fs::remove_file(&path)?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file)?;
    file.rewind()?;
    Ok(file)
}

fn show(done: &Imported, dry_run: bool, out: Output) -> Result<(), Failure> {
    let total = |counts: &transfer::Counts| counts.values().sum::<u64>();
    let record = Record::default().with("dry_run", dry_run).with("written", total(&done.written));
    let record = record.with("passed_over", total(&done.passed_over)).with("left_out", total(&done.left_out));
    out.record(&counted(record, &done.written))?;
    if done.only_checked {
        out.note("The file has more lines than one transaction takes: each line was checked by itself only.");
    }
    for (kind, n) in &done.left_out {
        out.note(&format!("Left out: {n} × {kind}, which count only in the tenant that they were made in"));
    }
    Ok(())
}
