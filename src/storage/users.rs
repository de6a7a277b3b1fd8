//! Users, and the names by which they sign in.

use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait as _, LockType, SelectStatement};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, JoinType, Order, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, RelationTrait, Select,
};

use super::column::{corrupt, total};
use super::db::{Rows, TenantRows, TenantTx};
use super::entity::{memberships, role_assignments, roles, user_identifiers, users};
use super::error::StorageError;
use super::search;
use crate::model::ids::{OrganizationId, TenantId, UserId};
use crate::model::page::{Counted, PageNumber, Window};
use crate::model::time::Timestamp;
use crate::model::user::User;

/// Which users a list shows.
#[derive(Clone, Debug)]
pub struct UserFilter {
    /// Part of the address, username or name, in whatever case and width of letters.
    pub search: Option<String>,
    /// The code of a role that they hold at `now`.
    pub role: Option<String>,
    /// Codes of roles none of which they hold at `now`.
    pub none_of: &'static [&'static str],
    /// Whether they are enabled.
    pub is_active: Option<bool>,
    /// An organization that they belong to.
    pub organization: Option<OrganizationId>,
    /// The present moment.
    pub now: Timestamp,
}

pub(in crate::storage) fn noun(row: users::Model) -> Result<User, StorageError> {
    Ok(User {
        tenant: TenantId::from_uuid(row.tenant_id),
        id: UserId::from_uuid(row.id),
        external_sub: row.external_sub,
        email: row.email,
        email_verified: row.email_verified,
        username: row.username,
        name: row.name,
        password_hash: row.password_hash,
        profile: serde_json::from_str(&row.profile).map_err(|why| corrupt("users", "profile", why))?,
        enabled: row.enabled,
        has_second_factor: row.has_second_factor,
        verification_due: row.verification_due,
        token_epoch: row.token_epoch,
        created_at: Timestamp::from_millis(row.created_at),
        updated_at: Timestamp::from_millis(row.updated_at),
    })
}

pub(in crate::storage) fn row(tenant: TenantId, user: &User) -> users::Model {
    users::Model {
        tenant_id: tenant.uuid(),
        id: user.id.uuid(),
        external_sub: user.external_sub.clone(),
        email: user.email.clone(),
        email_verified: user.email_verified,
        username: user.username.clone(),
        name: user.name.clone(),
        password_hash: user.password_hash.clone(),
        profile: user.profile.to_string(),
        enabled: user.enabled,
        has_second_factor: user.has_second_factor,
        verification_due: user.verification_due,
        token_epoch: user.token_epoch,
        created_at: user.created_at.millis(),
        updated_at: user.updated_at.millis(),
        search_text: Some(search_text(user)),
    }
}

/// What they are found by.
fn search_text(user: &User) -> String {
    search::text([&user.email, &user.username, &user.name].map(|name| name.as_deref().unwrap_or_default()))
}

fn of_tenant(rows: &TenantRows<'_>) -> Select<users::Entity> {
    users::Entity::find().filter(users::Column::TenantId.eq(rows.tenant().uuid()))
}

/// Adds a user, without the names by which they sign in.
///
/// # Errors
/// The id exists already, or the database is unavailable.
pub async fn insert(tx: &TenantTx<'_>, user: &User) -> Result<(), StorageError> {
    let row = row(tx.tenant(), user).into_active_model();
    users::Entity::insert(row).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Reserves a name, in its canonical form, for a user.
///
/// # Errors
/// `Duplicate` if somebody has it; or the database is unavailable.
pub async fn insert_identifier(tx: &TenantTx<'_>, canonical: &str, user: UserId) -> Result<(), StorageError> {
    let row = user_identifiers::Model {
        tenant_id: tx.tenant().uuid(),
        canonical: canonical.to_owned(),
        user_id: user.uuid(),
    };
    user_identifiers::Entity::insert(row.into_active_model()).exec_without_returning(&tx.raw()).await?;
    Ok(())
}

/// Frees all names of a user.
///
/// # Errors
/// The database is unavailable.
pub async fn delete_identifiers(tx: &TenantTx<'_>, user: UserId) -> Result<(), StorageError> {
    user_identifiers::Entity::delete_many()
        .filter(user_identifiers::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(user_identifiers::Column::UserId.eq(user.uuid()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// Deletes a user with everything that is their own.
///
/// # Errors
/// The database is unavailable.
pub async fn delete(tx: &TenantTx<'_>, id: UserId) -> Result<(), StorageError> {
    users::Entity::delete_many()
        .filter(users::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(users::Column::Id.eq(id.uuid()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// One user.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find(rows: &TenantRows<'_>, id: UserId) -> Result<Option<User>, StorageError> {
    of_tenant(rows).filter(users::Column::Id.eq(id.uuid())).one(&rows.raw()).await?.map(noun).transpose()
}

/// One user, whom nobody else changes until this transaction ends: read this way what is written
/// back, or what must still be so when the transaction commits.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_for_update(tx: &TenantTx<'_>, id: UserId) -> Result<Option<User>, StorageError> {
    let query = of_tenant(tx).filter(users::Column::Id.eq(id.uuid())).lock(LockType::NoKeyUpdate);
    query.one(&tx.raw()).await?.map(noun).transpose()
}

/// The user who has a name, given in its canonical form.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_by_identifier(rows: &TenantRows<'_>, canonical: &str) -> Result<Option<User>, StorageError> {
    users::Entity::find()
        .join(JoinType::InnerJoin, user_identifiers::Relation::User.def().rev())
        .filter(user_identifiers::Column::TenantId.eq(rows.tenant().uuid()))
        .filter(user_identifiers::Column::Canonical.eq(canonical))
        .one(&rows.raw())
        .await?
        .map(noun)
        .transpose()
}

/// The user whom other systems know by this name.
///
/// # Errors
/// The database is unavailable, or the row is damaged.
pub async fn find_by_external_sub(rows: &TenantRows<'_>, sub: &str) -> Result<Option<User>, StorageError> {
    of_tenant(rows).filter(users::Column::ExternalSub.eq(sub)).one(&rows.raw()).await?.map(noun).transpose()
}

/// The users of a tenant that have what a filter searches for.
async fn searched(rows: &TenantRows<'_>, filter: &UserFilter) -> Result<Select<users::Entity>, StorageError> {
    let found = search::find(users::Column::SearchText, filter.search.as_deref(), rows.unscoped()).await?;
    let is_narrow = filter.role.is_some() || filter.organization.is_some() || found.is_narrow;
    let of_tenant = search::of_tenant(users::Column::TenantId, rows, is_narrow);
    Ok(users::Entity::find().filter(of_tenant).filter(found.condition))
}

/// Part of the users that a filter lets through, in the order in which they were made; and how many there
/// are in all.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn window(rows: &TenantRows<'_>, filter: &UserFilter, window: Window) -> Result<Counted<User>, StorageError> {
    let query = searched(rows, filter).await?.filter(condition(filter));
    let by_age = [users::Column::CreatedAt, users::Column::Id];
    part(rows.unscoped(), query, by_age, |row| (row.created_at, row.id), window).await
}

/// Up to `limit` users after one that a filter lets through, by id. Who holds a role or belongs to an organization
/// is gone through by them, so that neither those who don't nor the other ones who do are looked at.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn filtered_after(
    rows: &TenantRows<'_>,
    filter: &UserFilter,
    after: Option<UserId>,
    limit: u64,
) -> Result<Vec<User>, StorageError> {
    let tenant = rows.tenant().uuid();
    let rest = UserFilter { role: None, organization: None, ..filter.clone() };
    let mut query = searched(rows, filter).await?.filter(condition(&rest));
    let mut id = Expr::col((users::Entity, users::Column::Id));
    if let Some(organization) = filter.organization {
        use memberships::{Column, Entity, Relation};
        query = query
            .join(JoinType::InnerJoin, Relation::User.def().rev())
            .filter(Column::TenantId.eq(tenant))
            .filter(Column::OrganizationId.eq(organization.uuid()));
        id = Expr::col((Entity, Column::UserId));
    }
    if let Some(code) = &filter.role {
        use role_assignments::{Column, Entity, Relation};
        let Some(role) = super::roles::find_by_code(rows, code).await? else { return Ok(Vec::new()) };
        query = query
            .join(JoinType::InnerJoin, Relation::User.def().rev())
            .filter(Column::TenantId.eq(tenant))
            .filter(Column::RoleId.eq(role.id.as_str()))
            .filter(super::roles::counts_at(filter.now));
        id = Expr::col((Entity, Column::UserId));
    }
    if let Some(after) = after {
        query = query.filter(id.clone().gt(after.uuid()));
    }
    query.order_by(id, Order::Asc).limit(limit).all(&rows.raw()).await?.into_iter().map(noun).collect()
}

/// Up to `limit` users after one, by id.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn list_after(rows: &TenantRows<'_>, after: Option<UserId>, limit: u64) -> Result<Vec<User>, StorageError> {
    let mut query = of_tenant(rows).order_by_asc(users::Column::Id).limit(limit);
    if let Some(after) = after {
        query = query.filter(users::Column::Id.gt(after.uuid()));
    }
    query.all(&rows.raw()).await?.into_iter().map(noun).collect()
}

/// Writes everything about a user but the names in `user_identifiers`. The token epoch only ever
/// rises. What is written must have been read by [`find_for_update`], or a change made by another
/// copy at the same time is lost.
///
/// # Errors
/// The database is unavailable.
pub async fn update(tx: &TenantTx<'_>, user: &User) -> Result<(), StorageError> {
    let mut row = row(tx.tenant(), user).into_active_model().reset_all();
    row.tenant_id = NotSet;
    row.id = NotSet;
    row.token_epoch = NotSet;
    row.created_at = NotSet;
    let epoch = user.token_epoch;
    let later: CaseStatement =
        Expr::case(users::Column::TokenEpoch.lt(epoch), epoch).finally(Expr::col(users::Column::TokenEpoch));
    users::Entity::update_many()
        .set(row)
        .col_expr(users::Column::TokenEpoch, later.into())
        .filter(users::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(users::Column::Id.eq(user.id.uuid()))
        .exec(&tx.raw())
        .await?;
    Ok(())
}

/// Sets the password hash; with `replacing` only if that is still the present one. Says whether it did.
///
/// # Errors
/// The database is unavailable.
pub async fn set_password_hash(
    tx: &TenantTx<'_>,
    user: UserId,
    new: &str,
    replacing: Option<&str>,
    updated_at: Timestamp,
) -> Result<bool, StorageError> {
    let mut query = users::Entity::update_many()
        .col_expr(users::Column::PasswordHash, Expr::value(new))
        .col_expr(users::Column::UpdatedAt, Expr::value(updated_at.millis()))
        .filter(users::Column::TenantId.eq(tx.tenant().uuid()))
        .filter(users::Column::Id.eq(user.uuid()));
    if let Some(old) = replacing {
        query = query.filter(users::Column::PasswordHash.eq(old));
    }
    Ok(query.exec(&tx.raw()).await?.rows_affected == 1)
}

/// One page of the users that a filter lets through, by id, and how many there are in all.
///
/// # Errors
/// The database is unavailable, or a row is damaged.
pub async fn page(rows: &TenantRows<'_>, filter: &UserFilter, page: PageNumber) -> Result<Counted<User>, StorageError> {
    paged(rows.unscoped(), searched(rows, filter).await?.filter(condition(filter)), page).await
}

/// One page of what a query finds, by id, and how many there are in all.
pub(in crate::storage) async fn paged(
    rows: Rows<'_>,
    query: Select<users::Entity>,
    page: PageNumber,
) -> Result<Counted<User>, StorageError> {
    let by_id = [users::Column::Id, users::Column::TenantId];
    part(rows, query, by_id, |row| (row.id, row.tenant_id), page.window()).await
}

/// Part of what a query finds, in an order, and how many there are in all. Whole rows are read of the part alone: those
/// before it are passed over in an index.
async fn part<K: Ord>(
    rows: Rows<'_>,
    query: Select<users::Entity>,
    order: [users::Column; 2],
    place: fn(&users::Model) -> K,
    window: Window,
) -> Result<Counted<User>, StorageError> {
    let keys = query.clone().select_only().columns([users::Column::TenantId, users::Column::Id]);
    let keys = order.into_iter().fold(keys, QueryOrder::order_by_asc).limit(window.limit).offset(window.offset);
    let mut found = users::Entity::find().filter(is_among(keys.into_query())).all(&rows.raw()).await?;
    found.sort_unstable_by_key(place);
    let total = total(rows, query, window, found.len()).await?;
    Ok(Counted { rows: found.into_iter().map(noun).collect::<Result<_, _>>()?, total })
}

/// A filter as a condition on `users`, but for what it searches for.
pub(in crate::storage) fn condition(filter: &UserFilter) -> Condition {
    let mut all = Condition::all();
    if let Some(code) = &filter.role {
        all = all.add(is_among(holders(code, filter.now)));
    }
    for code in filter.none_of {
        all = all.add(is_among(holders(code, filter.now)).not());
    }
    if let Some(active) = filter.is_active {
        let enabled = users::Column::Enabled.into_expr();
        // Said as the index of the few says it.
        all = all.add(if active { enabled } else { enabled.not() });
    }
    if let Some(organization) = filter.organization {
        all = all.add(is_among(members(organization)));
    }
    all
}

/// Whether a user is one of these, by tenant and id.
fn is_among(these: SelectStatement) -> Expr {
    let key = [users::Column::TenantId, users::Column::Id].map(|column| Expr::col((users::Entity, column)));
    Expr::tuple(key).in_subquery(these)
}

/// Who belongs to an organization.
fn members(organization: OrganizationId) -> SelectStatement {
    use memberships::{Column, Entity};
    let members = Entity::find().select_only().columns([Column::TenantId, Column::UserId]);
    members.filter(Column::OrganizationId.eq(organization.uuid())).into_query()
}

/// Who holds a role that has not run out.
fn holders(code: &str, now: Timestamp) -> SelectStatement {
    use role_assignments::{Column, Entity, Relation};
    let holders = Entity::find().select_only().columns([Column::TenantId, Column::UserId]);
    holders
        .join(JoinType::InnerJoin, Relation::Role.def())
        .filter(roles::Column::Code.eq(code))
        .filter(super::roles::counts_at(now))
        .into_query()
}
