//! Rows by the page and whole, for export and import: whatever table they are of, they are read in the
//! order of their key and written with their id.

use sea_orm::sea_query::{self, Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, Iterable as _, PrimaryKeyToColumn as _, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::column::{digest, millis, moment, parsed};
use super::db::{TenantRows, TenantTx};
use super::entity::{
    api_clients, client_permissions, clients, connections, identities, memberships, modules, organizations, passkeys,
    permissions, recovery_codes, role_assignments, role_permissions, roles, scoped_grants, sites, systems,
    totp_factors, users,
};
use super::error::StorageError;
use crate::model::api_client::ApiClient;
use crate::model::catalogue::{Module, Site, System};
use crate::model::client::Client;
use crate::model::connection::{Connection, Identity};
use crate::model::factors::{Passkey, RecoveryCode, TotpFactor};
use crate::model::ids::{
    AssignmentId, ClientId, ModuleId, OrganizationId, PermissionId, RoleId, ScopedGrantId, SiteId, TenantId, UserId,
};
use crate::model::organization::{Membership, Organization};
use crate::model::permission::Permission;
use crate::model::role::{Role, RoleAssignment};
use crate::model::scoped_grant::{GrantTarget, ScopedGrant};
use crate::model::time::Timestamp;
use crate::model::transfer::OnConflict;
use crate::model::user::User;

/// A noun that is one row of a table of a tenant.
pub trait Written: Send + Sync {
    /// Its table.
    #[doc(hidden)]
    type Entity: EntityTrait<ActiveModel: ActiveModelTrait<Entity = Self::Entity> + Send>;

    /// Its row.
    #[doc(hidden)]
    fn row(&self, tenant: TenantId) -> <Self::Entity as EntityTrait>::ActiveModel;
}

/// The same where the row is all there is to it.
pub trait Whole: Written + Sized {
    /// From its row.
    ///
    /// # Errors
    /// The row is damaged.
    #[doc(hidden)]
    fn noun(row: <Self::Entity as EntityTrait>::Model) -> Result<Self, StorageError>;
}

/// Up to `limit` of a tenant after one, in the order of their key.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn page<N: Whole>(rows: &TenantRows<'_>, after: Option<&N>, limit: u64) -> Result<Vec<N>, StorageError> {
    let mut key = <N::Entity as EntityTrait>::PrimaryKey::iter().map(|part| part.into_column());
    let Some(tenant) = key.next() else { return Ok(Vec::new()) };
    let rest: Vec<_> = key.collect();
    let column = |column| Expr::col((N::Entity::default(), column));
    let mut query = N::Entity::find().filter(column(tenant).eq(rows.tenant().uuid())).limit(limit);
    if let Some(last) = after.map(|noun| noun.row(rows.tenant())) {
        let values = rest.iter().filter_map(|part| last.get(*part).into_value()).map(Expr::val);
        query = query.filter(Expr::tuple(rest.iter().map(|part| column(*part))).gt(Expr::tuple(values)));
    }
    for part in rest {
        query = query.order_by_asc(part);
    }
    query.all(&rows.raw()).await?.into_iter().map(N::noun).collect()
}

/// Writes one; says whether it did, which it does not where one of this key is there and stays.
///
/// # Errors
/// `Duplicate` if it is there and must not be, or if something else of it is taken; `DanglingReference`;
/// or the database is unavailable.
pub async fn put<N: Written>(tx: &TenantTx<'_>, noun: &N, on: OnConflict) -> Result<bool, StorageError> {
    let key = || <N::Entity as EntityTrait>::PrimaryKey::iter().map(|part| part.into_column());
    let mut insert = N::Entity::insert(noun.row(tx.tenant()));
    match on {
        OnConflict::Fail => {}
        // Whatever else of it is taken.
        OnConflict::Skip => insert = insert.on_conflict(sea_query::OnConflict::new().do_nothing().to_owned()),
        OnConflict::Update => {
            let is_key = |column: &<N::Entity as EntityTrait>::Column| key().any(|part| same(&part, column));
            let rest: Vec<_> = <N::Entity as EntityTrait>::Column::iter().filter(|column| !is_key(column)).collect();
            insert = insert.on_conflict(sea_query::OnConflict::columns(key()).update_columns(rest).to_owned());
        }
    }
    Ok(insert.exec_without_returning(&tx.raw()).await? == 1)
}

fn same<C: sea_orm::IdenStatic>(a: &C, b: &C) -> bool {
    a.as_str() == b.as_str()
}

/// Which permission each role of a tenant holds, both by id, sorted.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn role_permissions(rows: &TenantRows<'_>) -> Result<Vec<(RoleId, PermissionId)>, StorageError> {
    use role_permissions::Column;
    let found: Vec<(String, String)> = role_permissions::Entity::find()
        .select_only()
        .columns([Column::RoleId, Column::PermissionId])
        .filter(Expr::col(Column::TenantId).eq(rows.tenant().uuid()))
        .into_tuple()
        .all(&rows.raw())
        .await?;
    let pair = |(role, permission): (String, String)| {
        let role = parsed("role_permissions", "role_id", &role)?;
        Ok((role, parsed("role_permissions", "permission_id", &permission)?))
    };
    let mut pairs = found.into_iter().map(pair).collect::<Result<Vec<_>, StorageError>>()?;
    // Sorted here, because databases differ in how they order texts.
    pairs.sort_unstable();
    Ok(pairs)
}

/// Has a role permit these things and nothing else.
///
/// # Errors
/// `DanglingReference` if there is no such permission; or the database is unavailable.
pub async fn set_role_permissions(
    tx: &TenantTx<'_>,
    role: &RoleId,
    permissions: &[PermissionId],
) -> Result<(), StorageError> {
    use role_permissions::Column;
    role_permissions::Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::RoleId.eq(role.as_str()))
        .exec(&tx.raw())
        .await?;
    super::roles::insert_permissions(tx, role, permissions).await
}

/// Has a client hold these permissions and nothing else.
///
/// # Errors
/// The database is unavailable.
pub async fn set_client_permissions(
    tx: &TenantTx<'_>,
    client: &ClientId,
    permissions: &[PermissionId],
    by: &str,
    at: Timestamp,
) -> Result<(), StorageError> {
    use client_permissions::Column;
    client_permissions::Entity::delete_many()
        .filter(Column::TenantId.eq(tx.tenant().uuid()))
        .filter(Column::ClientId.eq(client.as_str()))
        .exec(&tx.raw())
        .await?;
    for permission in permissions {
        super::clients::grant_permission(tx, client, permission, by, at).await?;
    }
    Ok(())
}

/// Notes that a user has a second factor.
///
/// # Errors
/// The database is unavailable.
pub async fn protect(tx: &TenantTx<'_>, user: UserId) -> Result<(), StorageError> {
    users::Entity::update_many()
        .col_expr(users::Column::HasSecondFactor, Expr::value(true))
        .filter(users::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(users::Column::Id.eq(user.uuid()))
        .filter(users::Column::HasSecondFactor.eq(false))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// A noun and its row, each written as the other.
macro_rules! written {
    ($noun:ident, $table:ident, $row:expr) => {
        impl Written for $noun {
            type Entity = $table::Entity;
            fn row(&self, tenant: TenantId) -> $table::ActiveModel {
                let row: fn(TenantId, &Self) -> _ = $row;
                row(tenant, self).into_active_model()
            }
        }
    };
    ($noun:ident, $table:ident, $row:expr, $read:expr) => {
        written!($noun, $table, $row);
        impl Whole for $noun {
            fn noun(row: $table::Model) -> Result<Self, StorageError> {
                let read: fn($table::Model) -> _ = $read;
                read(row)
            }
        }
    };
}

written!(Permission, permissions, super::permissions::row);
written!(Client, clients, super::clients::row);
written!(Role, roles, |tenant, role| roles::Model {
    tenant_id: tenant.uuid(),
    id: role.id.as_str().to_owned(),
    code: role.code.clone(),
    name: role.name.clone(),
    description: role.description.clone(),
    scope: role.scope.as_str().to_owned(),
    is_system: role.is_system,
    is_active: role.is_active,
    created_at: role.created_at.millis(),
    updated_at: role.updated_at.millis(),
});
written!(User, users, super::users::row, super::users::noun);
written!(
    RoleAssignment,
    role_assignments,
    |tenant, held| role_assignments::Model {
        tenant_id: tenant.uuid(),
        id: held.id.uuid(),
        user_id: held.user.uuid(),
        role_id: held.role.as_str().to_owned(),
        granted_by: held.granted_by.clone(),
        granted_at: held.granted_at.millis(),
        expires_at: millis(held.expires_at),
    },
    |row| Ok(RoleAssignment {
        id: AssignmentId::from_uuid(row.id),
        user: UserId::from_uuid(row.user_id),
        role: parsed("role_assignments", "role_id", &row.role_id)?,
        granted_by: row.granted_by,
        granted_at: Timestamp::from_millis(row.granted_at),
        expires_at: moment(row.expires_at),
    })
);
written!(
    Passkey,
    passkeys,
    |tenant, passkey| passkeys::Model {
        tenant_id: tenant.uuid(),
        credential_id: passkey.credential_id.clone(),
        user_id: passkey.user.uuid(),
        name: passkey.name.clone(),
        credential: passkey.credential.clone(),
        created_at: passkey.created_at.millis(),
        last_used_at: millis(passkey.last_used_at),
    },
    |row| Ok(super::passkeys::noun(row))
);
written!(
    TotpFactor,
    totp_factors,
    |tenant, factor| totp_factors::Model {
        tenant_id: tenant.uuid(),
        user_id: factor.user.uuid(),
        sealed_secret: factor.sealed_secret.clone(),
        last_step: factor.last_step,
        created_at: factor.created_at.millis(),
        confirmed_at: millis(factor.confirmed_at),
    },
    |row| Ok(super::totp::noun(row))
);
written!(
    RecoveryCode,
    recovery_codes,
    |tenant, code| recovery_codes::Model {
        tenant_id: tenant.uuid(),
        user_id: code.user.uuid(),
        digest: code.digest.to_vec(),
        created_at: code.created_at.millis(),
        used_at: millis(code.used_at),
    },
    |row| Ok(RecoveryCode {
        user: UserId::from_uuid(row.user_id),
        digest: digest("recovery_codes", "digest", &row.digest)?,
        created_at: Timestamp::from_millis(row.created_at),
        used_at: moment(row.used_at),
    })
);
written!(Organization, organizations, super::organizations::row, |row| Ok(super::organizations::noun(row)));
written!(
    Membership,
    memberships,
    |tenant, membership| memberships::Model {
        tenant_id: tenant.uuid(),
        id: membership.id.uuid(),
        organization_id: membership.organization.uuid(),
        user_id: membership.user.uuid(),
        role: membership.role.as_str().to_owned(),
        created_at: membership.created_at.millis(),
    },
    |row| super::memberships::noun(&row)
);
written!(Connection, connections, super::connections::row);
written!(Identity, identities, super::identities::row, |row| Ok(super::identities::noun(row)));
written!(System, systems, super::systems::row, |row| Ok(super::systems::noun(row)));
written!(Module, modules, super::modules::row, |row| Ok(super::modules::noun(row)));
written!(Site, sites, super::sites::row, |row| Ok(super::sites::noun(row)));
written!(ApiClient, api_clients, |_, client| super::api_clients::row(client), super::api_clients::noun);
written!(
    ScopedGrant,
    scoped_grants,
    |tenant, grant| scoped_grants::Model {
        tenant_id: tenant.uuid(),
        id: grant.id.uuid(),
        user_id: grant.user.uuid(),
        scope_type: grant.target.scope_type.as_str().to_owned(),
        scope: grant.target.scope.clone(),
        module: grant.target.module.clone(),
        action: grant.target.action.clone(),
        organization_id: grant.organization.map(OrganizationId::uuid),
        site_id: grant.site.map(SiteId::uuid),
        module_id: grant.module.map(ModuleId::uuid),
        granted_by: grant.granted_by.clone(),
        granted_at: grant.granted_at.millis(),
    },
    |row| Ok(ScopedGrant {
        id: ScopedGrantId::from_uuid(row.id),
        user: UserId::from_uuid(row.user_id),
        target: GrantTarget {
            scope_type: parsed("scoped_grants", "scope_type", &row.scope_type)?,
            scope: row.scope,
            module: row.module,
            action: row.action,
        },
        organization: row.organization_id.map(OrganizationId::from_uuid),
        site: row.site_id.map(SiteId::from_uuid),
        module: row.module_id.map(ModuleId::from_uuid),
        granted_by: row.granted_by,
        granted_at: Timestamp::from_millis(row.granted_at),
    })
);
