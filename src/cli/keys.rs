//! `gatehouse keys`: what a tenant signs with.

use clap::Subcommand;

use super::failure::Failure;
use super::names::one_of;
use super::output::Output;
use super::record::Record;
use super::session::Session;
use super::user::Of;
use crate::config::Loaded;
use crate::domain::keys::{self, Rotation};
use crate::domain::{Ctx, DomainError};
use crate::model::ids::KeyId;
use crate::model::signing_key::{KeyState, SigningAlg, SigningKey};

/// `gatehouse keys …`
#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// List the keys that sign, will sign, or still verify
    List {
        #[command(flatten)]
        of: Of,
        /// Also those that were removed
        #[arg(long)]
        all: bool,
    },
    /// Have the next key sign, as soon as every client can have seen it
    Rotate {
        #[command(flatten)]
        of: Of,
        /// Of this algorithm only [default: of each]
        #[arg(long, value_parser = one_of!(SigningAlg))]
        alg: Option<SigningAlg>,
        /// At once, even if clients have not seen the next key yet: for a key that leaked
        #[arg(long)]
        now: bool,
    },
    /// Remove a key that no longer signs; what it signed fails from then on
    Retire {
        /// The key's kid; put -- before one that begins with a dash
        #[arg(allow_hyphen_values = true)]
        kid: KeyId,
        #[command(flatten)]
        of: Of,
    },
}

const COLUMNS: &[&str] = &["kid", "alg", "state", "created_at", "activated_at", "retired_at"];

pub(super) async fn run(command: KeysCommand, loaded: Loaded, out: Output) -> Result<(), Failure> {
    Session::with(loaded, out, async |session| act(session, command, out).await).await
}

async fn act(session: &Session, command: KeysCommand, out: Output) -> Result<(), Failure> {
    match command {
        KeysCommand::List { of, all } => {
            let found = keys::list(&session.ctx(of.tenant).await?).await?;
            let shown = found.iter().filter(|key| all || key.state != KeyState::Removed);
            out.list(COLUMNS, &shown.map(record).collect::<Vec<_>>())
        }
        KeysCommand::Rotate { of, alg, now } => rotate(&session.ctx(of.tenant).await?, alg, now, out).await,
        KeysCommand::Retire { kid, of } => {
            let ctx = session.ctx(of.tenant).await?;
            keys::retire(&ctx, &kid).await.map_err(|error| not_retiring(error, &kid))?;
            let found = keys::list(&ctx).await?;
            found.iter().find(|key| key.kid == kid).map_or(Ok(()), |key| out.record(&record(key)))
        }
    }
}

async fn rotate(ctx: &Ctx<'_>, alg: Option<SigningAlg>, now: bool, out: Output) -> Result<(), Failure> {
    let algs = alg.map_or_else(|| SigningAlg::ALL.to_vec(), |alg| vec![alg]);
    let (mut rows, mut waiting) = (Vec::new(), false);
    for alg in algs {
        let (kid, state, from) = match keys::rotate(ctx, alg, now).await? {
            Rotation::Activated(kid) => (kid, KeyState::Active, ctx.now()),
            Rotation::Scheduled(kid, from) => (kid, KeyState::Next, from),
        };
        waiting |= state == KeyState::Next;
        let row = Record::default().with("kid", kid.as_str()).with("alg", alg.as_str());
        rows.push(row.with("state", state.as_str()).with("signs_from", from.rfc3339()));
    }
    out.list(&["kid", "alg", "state", "signs_from"], &rows)?;
    if waiting {
        out.note("The next key signs once every client can have seen it: the server switches by itself; --now does it at once.");
    }
    Ok(())
}

fn not_retiring(error: DomainError, kid: &KeyId) -> Failure {
    match error {
        DomainError::NotFound(_) => Failure::Refused(format!(
            "no retiring key {kid}: only a key that no longer signs can be removed; \
             `gatehouse keys rotate --now` makes the next one sign in its place"
        )),
        other => other.into(),
    }
}

fn record(key: &SigningKey) -> Record {
    Record::default()
        .with("kid", key.kid.as_str())
        .with("alg", key.alg.as_str())
        .with("state", key.state.as_str())
        .with("created_at", key.created_at.rfc3339())
        .with("activated_at", key.activated_at.map(|at| at.rfc3339()))
        .with("retired_at", key.retired_at.map(|at| at.rfc3339()))
}
