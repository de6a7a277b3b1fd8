//! Tenants, users, clients, roles, keys, tokens, audit, access log, and what copies share.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, binary, binary_null, boolean, integer, integer_null, string,
    string_null, text, text_null, uuid, uuid_null,
};

use super::tables::{named, owned, plain, reference, unique};

/// The first schema.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        append_only(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in NAMES.iter().rev() {
            manager.drop_table(Table::drop().table(Alias::new(*name)).to_owned()).await?;
        }
        if manager.get_database_backend() == sea_orm_migration::sea_orm::DbBackend::Postgres {
            manager.get_connection().execute_unprepared("DROP FUNCTION refuse_change()").await?;
        }
        Ok(())
    }
}

/// Audit rows may be written and, when their time is over, deleted; never changed.
async fn append_only(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let statements: &[&str] = match manager.get_database_backend() {
        sea_orm_migration::sea_orm::DbBackend::Sqlite => {
            &["CREATE TRIGGER audit_log_append_only BEFORE UPDATE ON audit_log \
             BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END"]
        }
        _ => &[
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
            "CREATE TRIGGER audit_log_append_only BEFORE UPDATE ON audit_log \
             FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        ],
    };
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}

/// Every table, each after those that it refers to.
const NAMES: &[&str] = &[
    "tenants",
    "installation",
    "tenant_keys",
    "users",
    "user_identifiers",
    "lockouts",
    "permissions",
    "roles",
    "role_permissions",
    "role_assignments",
    "clients",
    "client_permissions",
    "signing_keys",
    "token_families",
    "opaque_tokens",
    "revoked_tokens",
    "used_assertions",
    "audit_log",
    "access_log",
    "changes",
    "leases",
];

fn tables() -> Vec<TableCreateStatement> {
    let of_user = |table| reference(table, &["tenant_id", "user_id"], "users", &["tenant_id", "id"]);
    let of_client = |table| reference(table, &["tenant_id", "client_id"], "clients", &["tenant_id", "id"]);
    let of_role = |table| reference(table, &["tenant_id", "role_id"], "roles", &["tenant_id", "id"]);
    let of_permission = |table| reference(table, &["tenant_id", "permission_id"], "permissions", &["tenant_id", "id"]);
    vec![
        named("tenants")
            .col(uuid("id").primary_key())
            .col(string("name"))
            .col(boolean("is_default"))
            .col(boolean("enabled"))
            .col(text("settings"))
            .col(big_integer("created_at"))
            .to_owned(),
        // One row, by its primary key: whoever inserts it has made the installation.
        named("installation")
            .col(integer("id").primary_key())
            .col(uuid("default_tenant_id"))
            .col(binary("key_check"))
            .col(big_integer("created_at"))
            .foreign_key(&mut reference("installation", &["default_tenant_id"], "tenants", &["id"]))
            .to_owned(),
        // Looked up by digest before any tenant is known, so the digest is the key.
        named("tenant_keys")
            .col(binary("digest").primary_key())
            .col(uuid("tenant_id"))
            .col(string("kind"))
            .col(string_null("public_text"))
            .col(big_integer_null("expires_at"))
            .col(big_integer("created_at"))
            .foreign_key(&mut reference("tenant_keys", &["tenant_id"], "tenants", &["id"]))
            .to_owned(),
        owned("users", &["id"])
            .col(uuid("id"))
            .col(string_null("email"))
            .col(boolean("email_verified"))
            .col(string_null("username"))
            .col(string_null("name"))
            .col(text_null("password_hash"))
            .col(text("profile"))
            .col(boolean("enabled"))
            .col(boolean("has_second_factor"))
            .col(integer("token_epoch"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .to_owned(),
        // Usernames and addresses in one name space, by canonical form.
        owned("user_identifiers", &["canonical"])
            .col(string("canonical"))
            .col(uuid("user_id"))
            .foreign_key(&mut of_user("user_identifiers"))
            .to_owned(),
        // By the digest of the canonical form, for accounts that exist and for those that don't.
        owned("lockouts", &["account"])
            .col(binary("account"))
            .col(integer("failures"))
            .col(big_integer("window_ends_at"))
            .col(big_integer("locked_until"))
            .to_owned(),
        owned("permissions", &["id"])
            .col(string("id"))
            .col(string("code"))
            .col(string("name"))
            .col(text_null("description"))
            .col(boolean("is_system"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .to_owned(),
        owned("roles", &["id"])
            .col(string("id"))
            .col(string("code"))
            .col(string("name"))
            .col(text_null("description"))
            .col(string("scope"))
            .col(boolean("is_system"))
            .col(boolean("is_active"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .to_owned(),
        owned("role_permissions", &["role_id", "permission_id"])
            .col(string("role_id"))
            .col(string("permission_id"))
            .foreign_key(&mut of_role("role_permissions"))
            .foreign_key(&mut of_permission("role_permissions"))
            .to_owned(),
        owned("role_assignments", &["id"])
            .col(uuid("id"))
            .col(uuid("user_id"))
            .col(string("role_id"))
            .col(string("granted_by"))
            .col(big_integer("granted_at"))
            .col(big_integer_null("expires_at"))
            .foreign_key(&mut of_user("role_assignments"))
            .foreign_key(&mut of_role("role_assignments"))
            .to_owned(),
        owned("clients", &["id"])
            .col(string("id"))
            .col(string("name"))
            .col(text_null("description"))
            .col(boolean("enabled"))
            .col(string("auth_method"))
            .col(binary_null("secret_digest"))
            .col(binary_null("previous_secret_digest"))
            .col(big_integer_null("previous_secret_expires_at"))
            .col(binary_null("sealed_secret"))
            .col(text_null("jwks"))
            .col(text("grant_types"))
            .col(text("redirect_uris"))
            .col(text("post_logout_redirect_uris"))
            .col(text("scope"))
            .col(text_null("default_audience"))
            .col(text("audiences"))
            .col(string("access_token_format"))
            .col(string("signing_alg"))
            .col(integer_null("access_token_ttl"))
            .col(integer_null("refresh_token_ttl"))
            .col(big_integer("created_at"))
            .to_owned(),
        owned("client_permissions", &["client_id", "permission_id"])
            .col(string("client_id"))
            .col(string("permission_id"))
            .col(string("granted_by"))
            .col(big_integer("granted_at"))
            .foreign_key(&mut of_client("client_permissions"))
            .foreign_key(&mut of_permission("client_permissions"))
            .to_owned(),
        owned("signing_keys", &["kid"])
            .col(string("kid"))
            .col(string("alg"))
            .col(string("state"))
            .col(text("public_jwk"))
            .col(binary("sealed_private"))
            .col(big_integer("created_at"))
            .col(big_integer_null("activated_at"))
            .col(big_integer_null("retired_at"))
            .to_owned(),
        owned("token_families", &["id"])
            .col(uuid("id"))
            .col(string("client_id"))
            .col(uuid("user_id"))
            .col(text("scope"))
            .col(text_null("audience"))
            .col(text("amr"))
            .col(big_integer("auth_time"))
            .col(integer("generation"))
            .col(big_integer("rotated_at"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("revoked_at"))
            .col(string_null("revocation_reason"))
            .col(big_integer("created_at"))
            .foreign_key(&mut of_client("token_families"))
            .foreign_key(&mut of_user("token_families"))
            .to_owned(),
        owned("opaque_tokens", &["digest"])
            .col(binary("digest"))
            .col(text("claims"))
            .col(big_integer("expires_at"))
            .to_owned(),
        // `token` is a jti, or a family's id: one row ends them all.
        owned("revoked_tokens", &["token"]).col(string("token")).col(big_integer("expires_at")).to_owned(),
        owned("used_assertions", &["client_id", "digest"])
            .col(string("client_id"))
            .col(binary("digest"))
            .col(big_integer("expires_at"))
            .foreign_key(&mut of_client("used_assertions"))
            .to_owned(),
        // Rows outlive whom they speak of, so they refer to nothing.
        named("audit_log")
            .col(big_pk_auto("id"))
            .col(uuid("tenant_id"))
            .col(big_integer("at"))
            .col(string("actor"))
            .col(string("action"))
            .col(string_null("target"))
            .col(string_null("address"))
            .col(string_null("request_id"))
            .col(string("outcome"))
            .col(text_null("detail"))
            .to_owned(),
        named("access_log")
            .col(big_pk_auto("id"))
            .col(uuid("tenant_id"))
            .col(string("client_id"))
            .col(string("endpoint"))
            .col(string("method"))
            .col(integer("status"))
            .col(big_integer("response_time_ms"))
            .col(string_null("address"))
            .col(string_null("user_agent"))
            .col(big_integer("at"))
            .to_owned(),
        // What each copy must notice; read from where it last stopped, cleaned after minutes.
        named("changes")
            .col(big_pk_auto("seq"))
            .col(uuid_null("tenant_id"))
            .col(string("kind"))
            .col(string("key"))
            .to_owned(),
        named("leases")
            .col(string("name").primary_key())
            .col(string("holder"))
            .col(big_integer("fence"))
            .col(big_integer("expires_at"))
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        plain("installation", &["default_tenant_id"]),
        plain("tenant_keys", &["tenant_id", "kind"]),
        plain("users", &["id"]),
        plain("user_identifiers", &["tenant_id", "user_id"]),
        plain("lockouts", &["window_ends_at"]),
        unique("permissions", &["tenant_id", "code"]),
        unique("roles", &["tenant_id", "code"]),
        plain("role_permissions", &["tenant_id", "permission_id"]),
        unique("role_assignments", &["tenant_id", "user_id", "role_id"]),
        plain("role_assignments", &["tenant_id", "role_id"]),
        plain("client_permissions", &["tenant_id", "permission_id"]),
        plain("token_families", &["tenant_id", "client_id"]),
        plain("token_families", &["tenant_id", "user_id"]),
        plain("token_families", &["expires_at"]),
        plain("token_families", &["revoked_at"]),
        plain("opaque_tokens", &["expires_at"]),
        plain("revoked_tokens", &["expires_at"]),
        plain("used_assertions", &["expires_at"]),
        plain("audit_log", &["tenant_id", "id"]),
        plain("audit_log", &["at"]),
        plain("access_log", &["tenant_id", "client_id", "id"]),
        plain("access_log", &["at"]),
    ]
}
