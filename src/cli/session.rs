//! The database as a command uses it: the same start-up as the server's, and nobody served.

use std::path::Path;
use std::sync::Arc;

use super::failure::Failure;
use super::output::Output;
use super::welcome;
use crate::app::{self, Opened};
use crate::config::Loaded;
use crate::domain::{Core, Ctx, DomainError, Origin, Seams, tenants};
use crate::model::audit::Actor;
use crate::model::ids::TenantId;

/// An open database.
pub(super) struct Session {
    /// What the verbs run on.
    pub(super) core: Arc<Core>,
}

impl Session {
    /// Opens the database, works on it, and closes it after what is under way. An empty database is
    /// set up as the server's first start would do it.
    pub(super) async fn with<T>(
        loaded: Loaded,
        out: Output,
        work: impl AsyncFnOnce(&Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        Self::open(loaded, out).await?.used(work).await
    }

    /// The same where an empty database is to be set up by `work`.
    pub(super) async fn with_what_is_there<T>(
        loaded: Loaded,
        work: impl AsyncFnOnce(&Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        Self { core: app::prepare(Arc::new(loaded.config), Seams::default()).await? }.used(work).await
    }

    async fn used<T>(self, work: impl AsyncFnOnce(&Self) -> Result<T, Failure>) -> Result<T, Failure> {
        let done = work(&self).await;
        let db = self.core.db.clone();
        drop(self);
        db.close().await;
        done
    }

    async fn open(loaded: Loaded, out: Output) -> Result<Self, Failure> {
        let Opened { core, first_start } = app::open(Arc::new(loaded.config), Seams::default()).await?;
        if let Some(first) = &first_start {
            welcome::beside_an_answer(first, &core.config, out);
        }
        Ok(Self { core })
    }

    /// A call by the operator about this tenant, or about the default one.
    pub(super) async fn ctx(&self, tenant: Option<TenantId>) -> Result<Ctx<'_>, Failure> {
        let live = match tenant {
            Some(id) => tenants::live(&self.core, id).await.map_err(|error| named(error, &id))?,
            None => tenants::default(&self.core).await?,
        };
        Ok(Ctx::new(&self.core, live, Actor::Operator, Origin::default()))
    }
}

/// A refusal that says of what: "no such user: bob".
pub(super) fn named(error: DomainError, what: &dyn std::fmt::Display) -> Failure {
    match error {
        DomainError::NotFound(noun) => Failure::Refused(format!("no such {noun}: {what}")),
        other => other.into(),
    }
}

/// The text of a file that an argument names.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|why| Failure::Usage(format!("{}: {why}", path.display())))
}

/// Makes a folder that only its owner can look into, unless it is there.
pub(super) fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
