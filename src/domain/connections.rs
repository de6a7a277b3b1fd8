//! Connections to providers elsewhere: made, found, changed.
//!
//! Whoever runs the other side of a connection decides who comes in by it, so what a connection gives
//! (roles of the tenant) is handed on like everything else: nobody gives what they lack.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::access::Powers;
use super::clients::check_web_uri;
use super::core::Core;
use super::ctx::Ctx;
use super::error::{DomainError, Invalid, Noun};
use super::users::invalid;
use crate::crypto::sealing::SealContext;
use crate::model::audit::Outcome;
use crate::model::change::ChangeKind;
use crate::model::connection::{Connection, ConnectionKind, ConnectionSettings, Mapping, Provider};
use crate::model::ids::{ConnectionId, OrganizationId, TenantId};
use crate::model::role::RoleScope;
use crate::model::secret::Secret;
use crate::model::text::DisplayName;
use crate::model::time::Timestamp;
use crate::storage::{StorageError, TenantTx, Tx, connections, identities, organizations, roles};

/// How many domains may lead to one connection, and how many values it may map.
const MOST: usize = 100;
/// The longest text of its settings, in bytes; SAML metadata apart.
const LONGEST: usize = 512;
/// The largest metadata, in bytes.
pub const MAX_METADATA: usize = 256 * 1024;

/// A connection that is to be made.
pub struct NewConnection {
    /// Whose members sign in by it; SAML needs one.
    pub organization: Option<OrganizationId>,
    /// What people know it by.
    pub name: String,
    /// How to reach it.
    pub provider: Provider,
    /// What is made of who comes from there.
    pub settings: ConnectionSettings,
    /// The domains of addresses that lead there.
    pub domains: Vec<String>,
    /// Our secret there.
    pub secret: Option<Secret<String>>,
}

/// What is to change about a connection; what is `None` stays.
#[derive(Default)]
pub struct ConnectionChange {
    /// What people know it by.
    pub name: Option<String>,
    /// Whether it lets anybody in.
    pub enabled: Option<bool>,
    /// How to reach it, of the same kind.
    pub provider: Option<Provider>,
    /// What is made of who comes from there.
    pub settings: Option<ConnectionSettings>,
    /// The domains of addresses that lead there.
    pub domains: Option<Vec<String>>,
    /// Our secret there.
    pub secret: Option<Secret<String>>,
}

/// Makes a connection.
///
/// # Errors
/// [`DomainError::Invalid`] names the field; [`DomainError::NotFound`] for the organization or a role;
/// [`DomainError::Taken`] for a workspace that has a SAML connection, or a domain that leads elsewhere;
/// [`DomainError::NotAllowed`] for a role that the caller could not give; or the database is unavailable.
pub async fn create(ctx: &Ctx<'_>, by: &Powers, new: NewConnection) -> Result<Connection, DomainError> {
    let now = ctx.now();
    let id = ConnectionId::from_uuid(ctx.core.entropy.uuid_v7(now));
    let connection = Connection {
        tenant: ctx.tenant_id(),
        id,
        organization: new.organization,
        name: new.name,
        enabled: true,
        provider: new.provider,
        settings: new.settings,
        domains: new.domains,
        sealed_secret: new.secret.map(|secret| seal(ctx, id, &secret)).transpose()?,
        created_at: now,
        updated_at: now,
    };
    let connection = checked(connection)?;
    let entry = ctx.audit("connection.create", Some(format!("connection:{id}")), Outcome::Success, None);
    ctx.core
        .db
        .write((connection, by.clone(), entry), |tx, (connection, by, entry)| {
            Box::pin(async move {
                let of = tx.of(connection.tenant);
                if let Some(organization) = connection.organization {
                    let found = organizations::find(&of, organization).await?;
                    found.ok_or(DomainError::NotFound(Noun::Organization))?;
                    if connection.provider.kind() == ConnectionKind::Saml
                        && connections::of_workspace(&of, organization).await?.is_some()
                    {
                        return Err(DomainError::Taken(Noun::Connection));
                    }
                }
                may_give(tx, &of, by, connection).await?;
                connections::insert(&of, connection).await.map_err(taken)?;
                of.changed(ChangeKind::Connection, "").await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok(connection.clone())
            })
        })
        .await
}

/// Changes a connection.
///
/// # Errors
/// As [`create`]; [`DomainError::NotFound`] for the connection; [`DomainError::NotAllowed`] for who would
/// become able to come in as somebody who may do more than they.
pub async fn update(
    ctx: &Ctx<'_>,
    by: &Powers,
    id: ConnectionId,
    change: ConnectionChange,
) -> Result<Connection, DomainError> {
    let sealed = change.secret.as_ref().map(|secret| seal(ctx, id, secret)).transpose()?;
    let entry = ctx.audit("connection.update", Some(format!("connection:{id}")), Outcome::Success, None);
    let input = (ctx.tenant_id(), id, change, sealed, by.clone(), ctx.now(), entry);
    ctx.core
        .db
        .write(input, |tx, (tenant, id, change, sealed, by, now, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                let found = connections::find_for_update(&of, *id).await?;
                let before = found.ok_or(DomainError::NotFound(Noun::Connection))?;
                let after = checked(mended(before.clone(), change, sealed.as_ref(), *now)?)?;
                let believes_otherwise = believes_otherwise(&before, &after);
                if believes_otherwise {
                    for user in identities::holders_of_roles(&of, *id).await? {
                        by.require_above_user(tx, *tenant, user, *now).await?;
                    }
                }
                if believes_otherwise || gives_otherwise(&before, &after) {
                    may_give(tx, &of, by, &after).await?;
                }
                connections::update(&of, &after).await.map_err(taken)?;
                of.changed(ChangeKind::Connection, "").await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok(after)
            })
        })
        .await
}

/// Whether it is now somebody else who says who comes in, or they are believed more: whoever changes that can
/// come in as anybody who came in before.
fn believes_otherwise(before: &Connection, after: &Connection) -> bool {
    before.provider != after.provider
        || before.settings.mapping.subject != after.settings.mapping.subject
        || after.settings.trusts_second_factor && !before.settings.trusts_second_factor
}

/// Whether it gives something that it did not give before. Taking is everybody's who could remove it.
fn gives_otherwise(before: &Connection, after: &Connection) -> bool {
    before.settings.mapping != after.settings.mapping || after.enabled && !before.enabled
}

fn mended(
    mut connection: Connection,
    change: &ConnectionChange,
    sealed: Option<&Vec<u8>>,
    now: Timestamp,
) -> Result<Connection, Invalid> {
    if let Some(provider) = &change.provider {
        if provider.kind() != connection.provider.kind() {
            return Err(Invalid::new("kind", "can't be changed; make another connection"));
        }
        connection.provider = provider.clone();
    }
    if let Some(name) = &change.name {
        connection.name.clone_from(name);
    }
    if let Some(settings) = &change.settings {
        connection.settings = settings.clone();
    }
    if let Some(domains) = &change.domains {
        connection.domains.clone_from(domains);
    }
    if let Some(sealed) = sealed {
        connection.sealed_secret = Some(sealed.clone());
    }
    connection.enabled = change.enabled.unwrap_or(connection.enabled);
    connection.updated_at = now;
    Ok(connection)
}

/// Removes a connection; who was linked by it is no longer.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn remove(ctx: &Ctx<'_>, id: ConnectionId) -> Result<(), DomainError> {
    let entry = ctx.audit("connection.remove", Some(format!("connection:{id}")), Outcome::Success, None);
    ctx.core
        .db
        .write((ctx.tenant_id(), id, entry), |tx, (tenant, id, entry)| {
            Box::pin(async move {
                let of = tx.of(*tenant);
                if !connections::delete(&of, *id).await? {
                    return Err(DomainError::NotFound(Noun::Connection));
                }
                of.changed(ChangeKind::Connection, "").await?;
                crate::storage::audit::append(tx, entry).await?;
                Ok(())
            })
        })
        .await
}

/// The connection of this id, enabled or not.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn find(ctx: &Ctx<'_>, id: ConnectionId) -> Result<Connection, DomainError> {
    let found = connections::find(&ctx.core.db.read().of(ctx.tenant_id()), id).await?;
    found.ok_or(DomainError::NotFound(Noun::Connection))
}

/// All connections of the tenant, in the order of their making.
///
/// # Errors
/// The database is unavailable.
pub async fn list(ctx: &Ctx<'_>) -> Result<Vec<Connection>, DomainError> {
    Ok(connections::list(&ctx.core.db.read().of(ctx.tenant_id())).await?)
}

/// The enabled connections of a tenant, a second old at most.
///
/// # Errors
/// The database is unavailable.
pub async fn live(core: &Core, tenant: TenantId) -> Result<Arc<Vec<Connection>>, DomainError> {
    core.connections
        .get(tenant, async |tenant| {
            let mut all = connections::list(&core.db.read().of(*tenant)).await?;
            all.retain(|connection| connection.enabled);
            Ok::<_, DomainError>(Arc::new(all))
        })
        .await
}

/// Whether members of an organization can sign in by a connection of its own.
///
/// # Errors
/// The database is unavailable.
pub async fn lead_to(ctx: &Ctx<'_>, organization: OrganizationId) -> Result<bool, DomainError> {
    let live = live(ctx.core, ctx.tenant_id()).await?;
    Ok(live.iter().any(|connection| connection.organization == Some(organization)))
}

/// The enabled SAML connection of a workspace.
///
/// # Errors
/// [`DomainError::NotFound`], or the database is unavailable.
pub async fn of_workspace(ctx: &Ctx<'_>, workspace: OrganizationId) -> Result<Connection, DomainError> {
    let found = connections::of_workspace(&ctx.core.db.read().of(ctx.tenant_id()), workspace).await?;
    found.filter(|connection| connection.enabled).ok_or(DomainError::NotFound(Noun::Connection))
}

/// What the settings name and is not there any more, in words.
///
/// # Errors
/// The database is unavailable.
pub async fn missing(ctx: &Ctx<'_>, connection: &Connection) -> Result<Vec<String>, DomainError> {
    let (rows, mut missing) = (ctx.core.db.read().of(ctx.tenant_id()), Vec::new());
    for code in connection.settings.mapping.roles.values().collect::<BTreeSet<_>>() {
        if roles::find_by_code(&rows, code).await?.is_none() {
            missing.push(format!("there is no role {code} any more, which the mapping gives"));
        }
    }
    if let Some(organization) = connection.organization
        && organizations::find(&rows, organization).await?.is_none_or(|organization| !organization.enabled)
    {
        missing.push("its organization is disabled".to_owned());
    }
    Ok(missing)
}

/// Our secret at the provider.
///
/// # Errors
/// It can't be unsealed.
pub fn secret(core: &Core, connection: &Connection) -> Result<Option<Secret<Vec<u8>>>, DomainError> {
    let name = connection.id.to_string();
    let context = seal_context(connection.tenant, &name);
    connection.sealed_secret.as_ref().map(|sealed| Ok(core.sealer.open(context, sealed)?)).transpose()
}

fn seal(ctx: &Ctx<'_>, id: ConnectionId, secret: &Secret<String>) -> Result<Vec<u8>, DomainError> {
    let name = id.to_string();
    let context = seal_context(ctx.tenant_id(), &name);
    Ok(ctx.core.sealer.seal(context, secret.expose().as_bytes(), &*ctx.core.entropy)?)
}

pub(super) fn seal_context(tenant: TenantId, name: &str) -> SealContext<'_> {
    SealContext { purpose: "connection secret", tenant: tenant.uuid(), name }
}

fn taken(error: StorageError) -> DomainError {
    match error {
        // One connection a workspace is looked at before; two at once lose here.
        StorageError::Duplicate(_) => DomainError::Taken(Noun::Domain),
        other => other.into(),
    }
}

/// The same with what is wrong refused and the rest in its one form.
pub(super) fn checked(mut connection: Connection) -> Result<Connection, DomainError> {
    let name: DisplayName = connection.name.parse().map_err(invalid("name"))?;
    name.as_str().clone_into(&mut connection.name);
    match &connection.provider {
        Provider::Saml(saml) => {
            if connection.organization.is_none() {
                return Err(Invalid::new("organization", "is required: a SAML connection is a workspace's").into());
            }
            if saml.metadata.len() > MAX_METADATA {
                return Err(Invalid::new("metadata", format!("must be at most {MAX_METADATA} bytes")).into());
            }
            short("entity_id", &saml.entity_id)?;
            few("return_to", saml.return_to.len())?;
            for uri in &saml.return_to {
                whole("return_to", uri)?;
            }
        }
        Provider::Oidc(oidc) => {
            whole("issuer", &oidc.issuer)?;
            short("client_id", &oidc.client_id)?;
            scopes(&oidc.scopes)?;
        }
        Provider::OAuth2(plain) => {
            check_web_uri("authorization_endpoint", &plain.authorization_endpoint)?;
            check_web_uri("token_endpoint", &plain.token_endpoint)?;
            check_web_uri("userinfo_endpoint", &plain.userinfo_endpoint)?;
            short("client_id", &plain.client_id)?;
            scopes(&plain.scopes)?;
            if connection.settings.mapping.subject.is_none() {
                let why = "is required: which member of the answer says who somebody is, stable and never given again";
                return Err(Invalid::new("subject", why).into());
            }
        }
    }
    mapping(&connection.settings.mapping)?;
    few("domains", connection.domains.len())?;
    let domains: BTreeSet<String> = connection.domains.iter().map(|text| domain(text)).collect::<Result<_, _>>()?;
    connection.domains = domains.into_iter().collect();
    Ok(connection)
}

fn whole(field: &'static str, uri: &str) -> Result<(), Invalid> {
    check_web_uri(field, uri)?;
    if uri.contains('#') { Err(Invalid::new(field, "has a fragment")) } else { Ok(()) }
}

fn short(field: &'static str, text: &str) -> Result<(), Invalid> {
    if text.is_empty() || text.len() > LONGEST || text.contains(char::is_control) {
        return Err(Invalid::new(field, format!("must be 1 to {LONGEST} bytes without control characters")));
    }
    Ok(())
}

fn few(field: &'static str, count: usize) -> Result<(), Invalid> {
    if count > MOST { Err(Invalid::new(field, format!("must be at most {MOST}"))) } else { Ok(()) }
}

fn scopes(scopes: &[String]) -> Result<(), Invalid> {
    few("scopes", scopes.len())?;
    let legal = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    if scopes.iter().all(|scope| !scope.is_empty() && scope.bytes().all(legal)) {
        return Ok(());
    }
    Err(Invalid::new("scopes", "must be scope names (RFC 6749 §3.3)"))
}

fn mapping(mapping: &Mapping) -> Result<(), Invalid> {
    let claims = [&mapping.subject, &mapping.email, &mapping.name, &mapping.username, &mapping.role];
    for claim in claims.into_iter().flatten() {
        short("mapping", claim)?;
    }
    few("memberships", mapping.memberships.len())?;
    few("roles", mapping.roles.len())?;
    for value in mapping.memberships.keys().chain(mapping.roles.keys()) {
        short("mapping", value)?;
    }
    Ok(())
}

/// A domain in its one form: lower case, in ASCII.
fn canonical(domain: &str) -> Option<String> {
    match url::Host::parse(domain.trim()).ok()? {
        // In addresses a percent sign is one.
        url::Host::Domain(plain) if !domain.contains('%') => Some(plain),
        _ => None,
    }
}

fn domain(text: &str) -> Result<String, Invalid> {
    canonical(text)
        .filter(|domain| domain.contains('.') && !domain.ends_with('.') && domain.len() <= 253)
        .ok_or_else(|| Invalid::new("domains", "must be domain names, such as example.com"))
}

/// The domain of an address as connections name it.
#[must_use]
pub fn domain_of(address: &str) -> Option<String> {
    canonical(address.rsplit_once('@')?.1)
}

/// Whether the caller may give what the connection gives: roles that they could give themselves.
async fn may_give(tx: &Tx, of: &TenantTx<'_>, by: &Powers, connection: &Connection) -> Result<(), DomainError> {
    let codes: BTreeSet<&String> = connection.settings.mapping.roles.values().collect();
    if codes.is_empty() {
        return Ok(());
    }
    let own = by.renewed(tx, connection.updated_at).await?;
    let mut ids = Vec::with_capacity(codes.len());
    for code in codes {
        let role = roles::find_by_code(of, code).await?.ok_or(DomainError::NotFound(Noun::Role))?;
        if role.scope == RoleScope::System {
            return Err(DomainError::NotAllowed("no provider elsewhere gives a role of the whole installation"));
        }
        ids.push(role.id);
    }
    let permissions = roles::permission_codes_of(of, &ids).await?;
    own.require_all(permissions.iter().map(String::as_str))
}
