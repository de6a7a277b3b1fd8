//! The key of a tenant towards SAML providers: made when it is first needed, and the same from then on,
//! because their administrators copy its certificate by hand.

use std::sync::Arc;

use super::ctx::Ctx;
use super::error::DomainError;
use crate::crypto::certificate::CertifiedKey;
use crate::crypto::sealing::SealContext;
use crate::model::audit::Outcome;
use crate::model::ids::TenantId;
use crate::storage::saml_keys;

/// The tenant's key.
///
/// # Errors
/// The database is unavailable, or the key can't be unsealed with this master key.
pub async fn key(ctx: &Ctx<'_>) -> Result<Arc<CertifiedKey>, DomainError> {
    if let Some((sealed, certificate)) = saml_keys::find(&ctx.core.db.read().of(ctx.tenant_id())).await? {
        return opened(ctx, &sealed, certificate);
    }
    let (now, name) = (ctx.now(), ctx.tenant_id().to_string());
    let made = tokio::task::spawn_blocking(move || CertifiedKey::generate(&name, now));
    let made = made.await.map_err(|why| DomainError::Defect(why.to_string()))??;
    let sealed = ctx.core.sealer.seal(context(ctx.tenant_id()), made.pkcs8().expose(), &*ctx.core.entropy)?;
    let entry = ctx.audit("key.create", Some("key:saml".to_owned()), Outcome::Success, None);
    let input = (ctx.tenant_id(), sealed, made.certificate().to_owned(), now, entry);
    let kept = ctx.core.db.write(input, |tx, (tenant, sealed, certificate, now, entry)| {
        Box::pin(async move {
            let of = tx.of(*tenant);
            saml_keys::insert(&of, sealed, certificate, *now).await?;
            crate::storage::audit::append(tx, entry).await?;
            // Another copy may have been quicker; then its key is the one.
            Ok::<_, DomainError>(saml_keys::find(&of).await?)
        })
    });
    let (sealed, certificate) = kept.await?.ok_or_else(|| DomainError::Defect("no SAML key was kept".to_owned()))?;
    opened(ctx, &sealed, certificate)
}

fn opened(ctx: &Ctx<'_>, sealed: &[u8], certificate: String) -> Result<Arc<CertifiedKey>, DomainError> {
    let pkcs8 = ctx.core.sealer.open(context(ctx.tenant_id()), sealed)?;
    Ok(Arc::new(CertifiedKey::from_stored(pkcs8, certificate)?))
}

pub(super) fn context<'a>(tenant: TenantId) -> SealContext<'a> {
    SealContext { purpose: "SAML key", tenant: tenant.uuid(), name: "" }
}
