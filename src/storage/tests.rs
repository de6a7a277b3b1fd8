//! Every statement on a real database: SQLite always, PostgreSQL too where `GATEHOUSE_TEST_POSTGRES`
//! names a server on which databases may be created (`postgres://user@host/postgres`).

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait as _, Database};
use uuid::Uuid;

use super::audit::AuditFilter;
use super::users::UserFilter;
use super::*;
use crate::config::DatabaseConfig;
use crate::model::access_log::AccessLogEntry;
use crate::model::audit::{AuditEntry, Outcome};
use crate::model::authorization::ClaimsRequest;
use crate::model::change::ChangeKind;
use crate::model::client::{AccessTokenFormat, AuthMethod, Client, ClientSecrets, GrantType};
use crate::model::client_settings::ClientSettings;
use crate::model::ids::{AssignmentId, ClientId, FamilyId, RoleId, TenantId, UserId};
use crate::model::page::PageNumber;
use crate::model::permission::Permission;
use crate::model::role::{Role, RoleAssignment, RoleScope};
use crate::model::scope::OAuthScope;
use crate::model::signing_key::{KeyState, SigningAlg, SigningKey};
use crate::model::tenant::{Tenant, TenantKey, TenantKeyKind, TenantSettings};
use crate::model::time::Timestamp;
use crate::model::token::{OpaqueToken, RevocationReason, TokenFamily};
use crate::model::user::User;

mod plans;
mod search;

async fn open(url: &str) -> Db {
    let config = DatabaseConfig {
        url: url.parse().unwrap(),
        pool_size: 4,
        acquire_timeout: Duration::from_secs(20),
        ..DatabaseConfig::default()
    };
    Db::open(&config).await.unwrap()
}

/// Runs a test on each database there is, its schema made.
async fn on_each<F: Future<Output = ()>>(test: impl Fn(Db) -> F) {
    for (url, _folder) in empty_databases().await {
        let db = open(&url).await;
        migrate::up(&db).await.unwrap();
        test(db).await;
    }
}

async fn empty_databases() -> Vec<(String, tempfile::TempDir)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let folder = || tempfile::tempdir().unwrap();
    let here = folder();
    let mut urls = vec![(format!("sqlite://{}", here.path().join("test.db").display()), here)];
    #[allow(clippy::disallowed_methods)] // there is no configuration in a unit test
    if let Ok(server) = std::env::var("GATEHOUSE_TEST_POSTGRES") {
        let name = format!("gatehouse_unit_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let admin = Database::connect(&server).await.unwrap();
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        let mut url: url::Url = server.parse().unwrap();
        url.set_path(&name);
        urls.push((url.to_string(), folder()));
    }
    urls
}

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

const TENANT: TenantId = TenantId::from_uuid(Uuid::from_u128(1));
const OTHER: TenantId = TenantId::from_uuid(Uuid::from_u128(2));
const USER: UserId = UserId::from_uuid(Uuid::from_u128(0x10));
const FAMILY: FamilyId = FamilyId::from_uuid(Uuid::from_u128(0x20));

fn tenant(id: TenantId) -> Tenant {
    Tenant {
        id,
        name: "Ünïcode GmbH".to_owned(),
        is_default: id == TENANT,
        enabled: true,
        settings: TenantSettings { password_min_length: Some(14), ..TenantSettings::default() },
        created_at: at(1),
    }
}

fn user(tenant: TenantId, id: UserId, email: &str, name: &str) -> User {
    User {
        tenant,
        id,
        email: Some(email.to_owned()),
        email_verified: true,
        username: None,
        name: Some(name.to_owned()),
        password_hash: Some("$argon2id$old".to_owned()),
        profile: serde_json::json!({ "locale": "de", "n": [1, 2] }),
        enabled: true,
        external_sub: None,
        has_second_factor: false,
        verification_due: false,
        token_epoch: 3,
        created_at: at(1),
        updated_at: at(1),
    }
}

fn client(tenant: TenantId, id: &str, grants: &[GrantType]) -> Client {
    Client {
        tenant,
        id: id.parse().unwrap(),
        name: "App".to_owned(),
        description: None,
        enabled: true,
        auth_method: AuthMethod::ClientSecretBasic,
        secrets: Some(ClientSecrets { current: [7; 32], previous: Some(([8; 32], at(99))), sealed: Some(vec![1, 2]) }),
        jwks: None,
        grant_types: grants.to_vec(),
        redirect_uris: vec!["https://app.example/cb?x=\"1\"".to_owned()],
        post_logout_redirect_uris: vec![],
        scope: "openid profile".parse().unwrap(),
        permissions: OAuthScope::empty(),
        default_audience: Some("https://api.example".to_owned()),
        audiences: vec!["https://api.example".to_owned()],
        access_token_format: AccessTokenFormat::Jwt,
        signing_alg: SigningAlg::Es256,
        access_token_ttl: Some(Duration::from_secs(300)),
        refresh_token_ttl: None,
        settings: ClientSettings { first_party: true, ..ClientSettings::default() },
        created_at: at(1),
    }
}

fn family(id: FamilyId) -> TokenFamily {
    TokenFamily {
        tenant: TENANT,
        id,
        client: "app".parse().unwrap(),
        user: USER,
        scope: "openid".parse().unwrap(),
        audience: None,
        amr: vec!["pwd".to_owned()],
        auth_time: at(1),
        session: None,
        organization: None,
        acr: None,
        claims: ClaimsRequest::default(),
        generation: 1,
        rotated_at: at(1),
        expires_at: at(100),
        revoked: None,
        created_at: at(1),
    }
}

fn app() -> ClientId {
    "app".parse().unwrap()
}

/// Writes in one transaction; the closure borrows nothing but the transaction.
async fn write<T, F>(db: &Db, work: F) -> Result<T, StorageError>
where
    T: Send + 'static,
    F: for<'a> Fn(&'a Tx) -> db::Work<'a, Result<T, StorageError>> + Send + Sync + 'static,
{
    db.write((), move |tx, ()| work(tx)).await
}

/// Two tenants; in the first a user and a client.
async fn fill(db: &Db) {
    write(db, |tx| {
        Box::pin(async move {
            for id in [TENANT, OTHER] {
                tenants::insert(&tx.of(id), &tenant(id)).await?;
            }
            let of = tx.of(TENANT);
            users::insert(&of, &user(TENANT, USER, "Ann@Example.org", "Ann 100%")).await?;
            users::insert_identifier(&of, "ann@example.org", USER).await?;
            clients::insert(&of, &client(TENANT, "app", &[GrantType::AuthorizationCode])).await
        })
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn five_copies_may_make_the_schema_at_once() {
    for (url, _folder) in empty_databases().await {
        let copies = join_all((0..5).map(|_| open(&url))).await;
        assert!(!migrate::is_current(&copies[0]).await.unwrap());
        assert!(migrate::status(&copies[0]).await.unwrap().iter().all(|(_, applied)| !applied));
        let all = join_all(copies.iter().map(migrate::up)).await;
        let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        assert_eq!(all.iter().filter(|applied| !applied.is_empty()).count(), 1, "{all:?}");
        assert!(migrate::is_current(&copies[1]).await.unwrap());
    }
}

/// Each round has a new file: the race is in who makes it a write-ahead-logged one.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn many_may_open_a_new_file_at_once() {
    for _ in 0..20 {
        let here = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", here.path().join("test.db").display());
        let copies = (0..8).map(|_| {
            tokio::spawn({
                let url = url.clone();
                async move { open(&url).await }
            })
        });
        for copy in join_all(copies).await {
            copy.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_left_alone() {
    on_each(|db| async move {
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_from_the_future', 1)";
        let writer = db.sqlite_writer().map_or(db.pool(), |writer| writer.connection());
        writer.execute_unprepared(newer).await.unwrap();
        for refused in [migrate::up(&db).await.map(|_| ()), migrate::is_current(&db).await.map(|_| ())] {
            let text = refused.unwrap_err().to_string();
            assert!(text.contains("newer than this program") && text.contains("m9999_from_the_future"), "{text}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_what_is_read() {
    on_each(|db| async move {
        fill(&db).await;
        let rows = db.read().of(TENANT);
        let other = db.read().of(OTHER);
        assert_eq!(tenants::find(&rows).await.unwrap().unwrap(), tenant(TENANT));
        assert_eq!(unscoped::default_tenant(db.read()).await.unwrap().unwrap().id, TENANT);

        let ann = users::find_by_identifier(&rows, "ann@example.org").await.unwrap().unwrap();
        assert_eq!(
            (ann.id, ann.token_epoch, ann.profile),
            (USER, 3, serde_json::json!({ "locale": "de", "n": [1, 2] }))
        );
        assert!(users::find_by_identifier(&other, "ann@example.org").await.unwrap().is_none());
        assert!(users::find(&other, USER).await.unwrap().is_none());
        assert!(unscoped::find_user(db.read(), USER).await.unwrap().is_some());

        let found = clients::find(&rows, &app()).await.unwrap().unwrap();
        let made = client(TENANT, "app", &[GrantType::AuthorizationCode]);
        assert_eq!(found.secrets, made.secrets);
        assert_eq!(found.redirect_uris, made.redirect_uris);
        assert_eq!((found.scope, found.access_token_ttl), (made.scope, made.access_token_ttl));
        assert_eq!(found.grant_types, made.grant_types);
        assert!(clients::find(&other, &app()).await.unwrap().is_none());
        assert!(clients::services(&rows).await.unwrap().is_empty());
        assert_eq!(clients::list(&rows).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_belongs_to_one_user() {
    on_each(|db| async move {
        fill(&db).await;
        let taken = write(&db, |tx| {
            Box::pin(async move { users::insert_identifier(&tx.of(TENANT), "ann@example.org", USER).await })
        });
        assert!(matches!(taken.await, Err(StorageError::Duplicate(_))));
        let nobody = UserId::from_uuid(Uuid::from_u128(0xdead));
        let dangling = write(&db, move |tx| {
            Box::pin(async move { users::insert_identifier(&tx.of(TENANT), "bob", nobody).await })
        });
        assert!(matches!(dangling.await, Err(StorageError::DanglingReference(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_change_by_condition_and_their_epoch_only_rises() {
    on_each(|db| async move {
        fill(&db).await;
        let swapped = write(&db, |tx| {
            Box::pin(async move {
                let of = tx.of(TENANT);
                let wrong = users::set_password_hash(&of, USER, "x", Some("$other"), at(2)).await?;
                let right = users::set_password_hash(&of, USER, "$new", Some("$argon2id$old"), at(2)).await?;
                let mut ann = users::find_for_update(&of, USER).await?.unwrap();
                ann.token_epoch = 5;
                ann.name = None;
                users::update(&of, &ann).await?;
                ann.token_epoch = 4;
                users::update(&of, &ann).await?;
                Ok((wrong, right))
            })
        });
        assert_eq!(swapped.await.unwrap(), (false, true));
        let ann = users::find(&db.read().of(TENANT), USER).await.unwrap().unwrap();
        assert_eq!((ann.password_hash.as_deref(), ann.token_epoch, ann.name), (Some("$new"), 5, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_part_of_a_name() {
    on_each(|db| async move {
        fill(&db).await;
        write(&db, |tx| {
            Box::pin(async move {
                for n in 0..3_u128 {
                    let id = UserId::from_uuid(Uuid::from_u128(0x30 + n));
                    users::insert(&tx.of(TENANT), &user(TENANT, id, &format!("u{n}@b.example"), "Jörg_1000")).await?;
                    let id = UserId::from_uuid(Uuid::from_u128(0x40 + n));
                    users::insert(&tx.of(OTHER), &user(OTHER, id, &format!("u{n}@b.example"), "Zoë!")).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let filter = |search: &str| UserFilter {
            search: Some(search.to_owned()),
            role: None,
            none_of: &[],
            is_active: Some(true),
            organization: None,
            now: at(5),
        };
        let page = PageNumber { page: 1, per_page: 2 };
        let rows = db.read().of(TENANT);
        for (text, total) in
            [("EXAMPLE", 4), ("b.example", 3), ("100%", 1), ("G_1", 3), ("_n", 0), ("JöRG", 3), ("!", 0), ("'", 0)]
        {
            let found = users::page(&rows, &filter(text), page).await.unwrap();
            assert_eq!((found.total, found.rows.len() as u64), (total, total.min(2)), "{text}");
        }
        assert_eq!(unscoped::users(db.read(), &filter("!"), page).await.unwrap().total, 3);
        assert_eq!(unscoped::count_users(db.read()).await.unwrap(), 7);
        let second = users::page(&rows, &filter("b.example"), PageNumber { page: 2, per_page: 2 }).await.unwrap();
        assert_eq!(second.rows.len(), 1);
        let after = users::list_after(&rows, Some(USER), 2).await.unwrap();
        assert_eq!(after.iter().map(|user| user.id.uuid().as_u128()).collect::<Vec<_>>(), [0x30, 0x31]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_permissions_count_while_they_are_held() {
    on_each(|db| async move {
        fill(&db).await;
        let role: RoleId = "ROLE_X".parse().unwrap();
        let id = role.clone();
        write(&db, move |tx| {
            let role = id.clone();
            Box::pin(async move {
                let of = tx.of(TENANT);
                let permission = |n: u32, code: &str| Permission {
                    id: format!("PERM_{n}").parse().unwrap(),
                    name: code.to_owned(),
                    code: code.parse().unwrap(),
                    description: None,
                    is_system: false,
                    created_at: at(1),
                    updated_at: at(1),
                };
                let all = [permission(1, "user:write"), permission(2, "Org:read"), permission(3, "user:read")];
                permissions::insert_many(&of, &all).await?;
                let noun = Role {
                    id: role.clone(),
                    code: "x".to_owned(),
                    name: "X".to_owned(),
                    description: None,
                    scope: RoleScope::Global,
                    is_system: false,
                    is_active: true,
                    created_at: at(1),
                    updated_at: at(1),
                };
                roles::insert(&of, &noun).await?;
                let ids: Vec<_> = all.iter().map(|permission| permission.id.clone()).collect();
                roles::insert_permissions(&of, &role, &ids).await?;
                roles::insert_permission(&of, &role, &ids[0]).await?;
                for n in 1..3 {
                    let assignment = RoleAssignment {
                        id: AssignmentId::from_uuid(Uuid::from_u128(n)),
                        user: USER,
                        role: role.clone(),
                        granted_by: "operator".to_owned(),
                        granted_at: at(1),
                        expires_at: Some(at(10)),
                    };
                    roles::assign(&of, &[assignment]).await?;
                }
                assert!(clients::grant_permission(&of, &app(), &ids[0], "operator", at(1)).await?);
                assert!(!clients::grant_permission(&of, &app(), &ids[0], "operator", at(1)).await?);
                assert!(clients::grant_permission(&of, &app(), &ids[2], "operator", at(1)).await?);
                Ok(())
            })
        })
        .await
        .unwrap();
        let rows = db.read().of(TENANT);
        let held = roles::held_by_user(&rows, USER, at(9)).await.unwrap();
        assert_eq!((held.len(), held[0].code.as_str(), held[0].expires_at), (1, "x", Some(at(10))));
        assert!(roles::held_by_user(&rows, USER, at(10)).await.unwrap().is_empty());
        let mut codes = held[0].permissions.clone();
        codes.sort_unstable();
        assert_eq!(codes, ["Org:read", "user:read", "user:write"]);
        assert_eq!(roles::lasting_holders(&rows, &role).await.unwrap(), 0);
        let of_users = unscoped::role_codes_of_users(db.read(), &[USER], at(9)).await.unwrap();
        assert_eq!(of_users[&USER], ["x"]);
        let filter = |now| {
            let role = Some("x".to_owned());
            UserFilter { search: None, role, none_of: &[], is_active: None, organization: None, now }
        };
        let page = PageNumber { page: 1, per_page: 9 };
        assert_eq!(users::page(&rows, &filter(at(9)), page).await.unwrap().total, 1);
        assert_eq!(users::page(&rows, &filter(at(10)), page).await.unwrap().total, 0);
        assert_eq!(
            clients::find(&rows, &app()).await.unwrap().unwrap().permissions.to_string(),
            "user:read user:write"
        );
        let taken = write(&db, move |tx| {
            let role = role.clone();
            Box::pin(async move {
                let of = tx.of(TENANT);
                Ok((roles::unassign(&of, USER, &role).await?, roles::unassign(&of, USER, &role).await?))
            })
        });
        assert_eq!(taken.await.unwrap(), (true, false));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_refreshes_rotates_the_family() {
    on_each(|db| async move {
        fill(&db).await;
        write(&db, |tx| Box::pin(async move { tokens::insert_family(&tx.of(TENANT), &family(FAMILY)).await }))
            .await
            .unwrap();
        let rotate = |client: &'static str, from, now| {
            write(&db, move |tx| {
                Box::pin(async move {
                    tokens::rotate_family(&tx.of(TENANT), FAMILY, &client.parse().unwrap(), from, at(now), at(200))
                        .await
                })
            })
        };
        assert!(!rotate("other", 1, 10).await.unwrap());
        assert!(!rotate("app", 2, 10).await.unwrap());
        assert!(!rotate("app", 1, 100).await.unwrap());
        let tries = join_all((0..20).map(|_| rotate("app", 1, 10))).await;
        assert_eq!(tries.into_iter().filter(|done| *done.as_ref().unwrap()).count(), 1);
        let rotated = tokens::find_family(&db.read().of(TENANT), FAMILY).await.unwrap().unwrap();
        assert_eq!((rotated.generation, rotated.rotated_at, rotated.expires_at), (2, at(10), at(200)));

        let end = |reason| {
            write(&db, move |tx| {
                Box::pin(async move { tokens::revoke_families_of_user(&tx.of(TENANT), USER, at(20), reason).await })
            })
        };
        assert_eq!(end(RevocationReason::UserChanged).await.unwrap(), [FAMILY]);
        assert!(end(RevocationReason::Replayed).await.unwrap().is_empty());
        let ended = tokens::find_family(&db.read().of(TENANT), FAMILY).await.unwrap().unwrap();
        assert_eq!(ended.revoked, Some((at(20), RevocationReason::UserChanged)));
        assert!(!rotate("app", 2, 30).await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_stays_revoked_for_the_longer_of_two_times() {
    on_each(|db| async move {
        fill(&db).await;
        let opaque = OpaqueToken { digest: [9; 32], tenant: TENANT, claims: "{}".to_owned(), expires_at: at(50) };
        write(&db, move |tx| {
            let opaque = opaque.clone();
            Box::pin(async move {
                let of = tx.of(TENANT);
                tokens::insert_opaque(&of, &opaque).await?;
                for until in [50, 90, 60] {
                    tokens::revoke(&of, "jti", at(until)).await?;
                }
                tokens::insert_family(&of, &family(FAMILY)).await
            })
        })
        .await
        .unwrap();
        let rows = db.read().of(TENANT);
        assert!(tokens::any_revoked(&rows, &["other", "jti"]).await.unwrap());
        assert!(!tokens::any_revoked(&rows, &["other"]).await.unwrap());
        assert!(!tokens::any_revoked(&rows, &[]).await.unwrap());
        assert!(!tokens::any_revoked(&db.read().of(OTHER), &["jti"]).await.unwrap());
        assert_eq!(tokens::find_opaque(&rows, &[9; 32]).await.unwrap().unwrap().expires_at, at(50));

        let clean = |now, limit| {
            write(&db, move |tx| {
                Box::pin(async move { unscoped::delete_expired(tx, at(now), Duration::from_secs(10), limit).await })
            })
        };
        assert_eq!(clean(89, 0).await.unwrap(), 0);
        assert_eq!(clean(89, 10).await.unwrap(), 1); // the reference token
        assert!(tokens::any_revoked(&rows, &["jti"]).await.unwrap());
        assert_eq!(clean(109, 10).await.unwrap(), 1); // the revocation; the family stays ten seconds more
        assert_eq!(clean(110, 10).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_counts_once() {
    on_each(|db| async move {
        fill(&db).await;
        let uses = join_all((0..20).map(|_| {
            write(&db, |tx| {
                Box::pin(async move { assertions::use_once(&tx.of(TENANT), &app(), &[1; 32], at(9)).await })
            })
        }))
        .await;
        assert_eq!(uses.into_iter().filter(|first| *first.as_ref().unwrap()).count(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_counted_in_windows() {
    on_each(|db| async move {
        fill(&db).await;
        let attempt = |now, until| {
            write(&db, move |tx| {
                Box::pin(async move { lockouts::count_attempt(&tx.of(TENANT), &[1; 32], at(now), at(until)).await })
            })
        };
        let counts = join_all((0..20).map(|_| attempt(1, 10))).await;
        let mut counts: Vec<_> = counts.into_iter().map(|count| count.unwrap().failures).collect();
        counts.sort_unstable();
        assert_eq!(counts, (1..=20).collect::<Vec<_>>());
        assert_eq!(attempt(9, 18).await.unwrap().failures, 21);
        assert_eq!(attempt(10, 19).await.unwrap().failures, 1); // the window had ended
        write(&db, |tx| Box::pin(async move { lockouts::lock(&tx.of(TENANT), &[1; 32], at(40)).await })).await.unwrap();
        let locked = attempt(30, 39).await.unwrap();
        assert_eq!(locked, lockouts::Attempts { failures: 2, locked_until: at(40) });
        assert_eq!(attempt(40, 49).await.unwrap().failures, 1);
        assert!(lockouts::find(&db.read().of(OTHER), &[1; 32]).await.unwrap().is_none());
        write(&db, |tx| Box::pin(async move { lockouts::clear(&tx.of(TENANT), &[1; 32]).await })).await.unwrap();
        assert!(lockouts::find(&db.read().of(TENANT), &[1; 32]).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_has_one_holder_and_a_rising_fence() {
    on_each(|db| async move {
        let take = |holder: &'static str, now, until| {
            write(&db, move |tx| Box::pin(async move { leases::take(tx, "keys", holder, at(now), at(until)).await }))
        };
        assert_eq!(take("a", 1, 10).await.unwrap(), Some(1));
        assert_eq!(take("b", 2, 11).await.unwrap(), None);
        assert_eq!(take("a", 3, 12).await.unwrap(), Some(1));
        assert_eq!(take("b", 12, 20).await.unwrap(), Some(2));
        write(&db, |tx| Box::pin(async move { leases::release(tx, "keys", "a").await })).await.unwrap();
        assert_eq!(take("a", 13, 20).await.unwrap(), None);
        write(&db, |tx| Box::pin(async move { leases::release(tx, "keys", "b").await })).await.unwrap();
        assert_eq!(take("a", 13, 20).await.unwrap(), Some(3));
        let all = join_all(["p", "q", "r", "s", "t", "u"].map(|holder| take(holder, 20, 30))).await;
        assert_eq!(all.into_iter().filter_map(Result::unwrap).collect::<Vec<_>>(), [4]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_move_through_their_states_once() {
    on_each(|db| async move {
        fill(&db).await;
        let moved = write(&db, |tx| {
            Box::pin(async move {
                let of = tx.of(TENANT);
                signing_keys::lock(&of).await?;
                let key = signing_key(TENANT, "k1", KeyState::Next);
                signing_keys::insert(&of, &key).await?;
                let mut moved = vec![];
                for (from, to) in [
                    (KeyState::Active, KeyState::Retiring),
                    (KeyState::Next, KeyState::Active),
                    (KeyState::Next, KeyState::Active),
                    (KeyState::Active, KeyState::Retiring),
                    (KeyState::Retiring, KeyState::Removed),
                ] {
                    moved.push(signing_keys::advance(&of, &key.kid, from, to, at(5)).await?);
                    signing_keys::mark_due(&of, SigningAlg::Es256, at(4)).await?;
                }
                Ok(moved)
            })
        });
        assert_eq!(moved.await.unwrap(), [false, true, false, true, true]);
        let keys = signing_keys::list(&db.read().of(TENANT)).await.unwrap();
        assert_eq!(keys[0].state, KeyState::Removed);
        assert_eq!((keys[0].activated_at, keys[0].retired_at), (Some(at(5)), Some(at(5))));
        assert!(keys[0].sealed_private.is_empty());
    })
    .await;
}

fn signing_key(tenant: TenantId, kid: &str, state: KeyState) -> SigningKey {
    SigningKey {
        tenant,
        kid: kid.parse().unwrap(),
        alg: SigningAlg::Es256,
        state,
        public_jwk: "{}".to_owned(),
        sealed_private: vec![1],
        created_at: at(1),
        activated_at: (state != KeyState::Next).then_some(at(100)),
        retired_at: (state == KeyState::Retiring).then_some(at(200)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_are_found_when_their_keys_want_a_step() {
    on_each(|db| async move {
        fill(&db).await;
        write(&db, |tx| {
            Box::pin(async move {
                let (complete, bare) = (tx.of(TENANT), tx.of(OTHER));
                for (kid, state) in [("a", KeyState::Active), ("n", KeyState::Next), ("r", KeyState::Retiring)] {
                    signing_keys::insert(&complete, &signing_key(TENANT, kid, state)).await?;
                }
                signing_keys::insert(&bare, &signing_key(OTHER, "b", KeyState::Active)).await
            })
        })
        .await
        .unwrap();
        let due = async |aged, faded, after| {
            unscoped::tenants_with_keys_due(db.read(), at(aged), at(faded), after, 9).await.unwrap()
        };
        assert_eq!(due(99, 199, None).await, [OTHER], "it has no next key");
        assert_eq!(due(100, 199, None).await, [TENANT, OTHER], "the active one is old enough");
        assert_eq!(due(99, 200, None).await, [TENANT, OTHER], "the retiring one is old enough");
        assert_eq!(due(100, 200, Some(TENANT)).await, [OTHER]);
        write(&db, |tx| {
            Box::pin(async move { signing_keys::mark_due(&tx.of(TENANT), SigningAlg::Es256, at(1)).await })
        })
        .await
        .unwrap();
        assert_eq!(due(99, 199, None).await, [TENANT, OTHER], "somebody asked for it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_are_listed_with_their_newest_public_key() {
    on_each(|db| async move {
        fill(&db).await;
        write(&db, |tx| {
            Box::pin(async move {
                let of = tx.of(TENANT);
                for n in 1..4_u8 {
                    let kind = if n == 3 { TenantKeyKind::Secret } else { TenantKeyKind::Public };
                    let public_text = (n < 3).then(|| format!("pub_{n}"));
                    let key =
                        TenantKey { kind, digest: [n; 32], public_text, expires_at: None, created_at: at(n.into()) };
                    if n == 2 {
                        tenants::expire_keys(&of, TenantKeyKind::Public, at(60)).await?;
                    }
                    tenants::insert_key(&of, &key).await?;
                }
                let mut renamed = tenant(TENANT);
                renamed.name = "Renamed".to_owned();
                tenants::update(&of, &renamed).await
            })
        })
        .await
        .unwrap();
        let page = unscoped::tenants(db.read(), PageNumber { page: 1, per_page: 9 }).await.unwrap();
        let listed: Vec<_> = page.rows.iter().map(|(tenant, key)| (tenant.name.as_str(), key.as_deref())).collect();
        assert_eq!((page.total, listed), (2, vec![("Renamed", Some("pub_2")), ("Ünïcode GmbH", None)]));
        let keys = tenants::keys(&db.read().of(TENANT)).await.unwrap();
        assert_eq!(keys.iter().map(|key| key.expires_at).collect::<Vec<_>>(), [None, None, Some(at(60))]);
        let (owner, key) = unscoped::tenant_of_key(db.read(), &[3; 32]).await.unwrap().unwrap();
        assert_eq!((owner, key.kind), (TENANT, TenantKeyKind::Secret));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_appended_read_backwards_and_cut() {
    on_each(|db| async move {
        let entry = |n: u16| AccessLogEntry {
            id: 0,
            tenant: TENANT,
            client: app(),
            endpoint: "/x".to_owned(),
            method: "GET".to_owned(),
            status: if n.is_multiple_of(4) { 404 } else { 200 },
            response_time_ms: i64::from(n % 2),
            address: (n == 7).then(|| "::1".to_owned()),
            user_agent: None,
            at: at(n.into()),
        };
        let entries: Vec<_> = (0..1200).map(entry).collect();
        write(&db, move |tx| {
            let entries = entries.clone();
            Box::pin(async move {
                access_log::append(tx, &entries).await?;
                for n in 0..3 {
                    let entry = AuditEntry {
                        tenant: TENANT,
                        at: at(n),
                        actor: "system".to_owned(),
                        action: "x.y",
                        target: None,
                        address: None,
                        request_id: None,
                        outcome: Outcome::Success,
                        detail: None,
                    };
                    audit::append(tx, &entry).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let rows = db.read().of(TENANT);
        let newest = access_log::of_client(&rows, &app(), 2, 1).await.unwrap();
        assert_eq!(newest.iter().map(|entry| entry.at).collect::<Vec<_>>(), [at(1198), at(1197)]);
        let statistics = access_log::statistics(&rows, &app(), at(400)).await.unwrap();
        assert_eq!((statistics.total, statistics.errors), (800, 200));
        assert!((statistics.mean_response_ms - 0.5).abs() < 1e-9);
        assert_eq!(access_log::statistics(&rows, &app(), at(9999)).await.unwrap().total, 0);
        let last = audit::filtered(&rows, &AuditFilter::default(), None, 2).await.unwrap();
        assert_eq!(last.iter().map(|(_, entry)| entry.at).collect::<Vec<_>>(), [at(2), at(1)]);
        let before = audit::filtered(&rows, &AuditFilter::default(), Some(last[1].0), 2).await.unwrap();
        assert_eq!(before.len(), 1);
        assert!(audit::filtered(&db.read().of(OTHER), &AuditFilter::default(), None, 2).await.unwrap().is_empty());
        let cut = write(&db, |tx| {
            Box::pin(async move {
                Ok((audit::delete_before(tx, at(2), 1).await?, access_log::delete_before(tx, at(100), 1000).await?))
            })
        });
        assert_eq!(cut.await.unwrap(), (1, 100));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_is_made_once() {
    on_each(|db| async move {
        fill(&db).await;
        assert!(installation::find(db.read()).await.unwrap().is_none());
        let made = installation::Installation { default_tenant: TENANT, key_check: vec![1], created_at: at(1) };
        let all = join_all((0..5).map(|_| {
            let made = made.clone();
            db.write(made, |tx, made| Box::pin(async move { installation::insert(tx, made).await }))
        }))
        .await;
        assert_eq!(all.iter().filter(|done| done.is_ok()).count(), 1);
        assert!(all.iter().all(|done| matches!(done, Ok(()) | Err(StorageError::Duplicate(_)))));
        assert_eq!(installation::find(db.read()).await.unwrap(), Some(made));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_writes_shares_success_and_keeps_failures_apart() {
    on_each(|db| async move {
        fill(&db).await;
        let all = join_all((0..200_u32).map(|n| {
            db.write(n, |tx, n| {
                Box::pin(async move {
                    let of = tx.of(TENANT);
                    tokens::revoke(&of, &format!("jti{n}"), at(1)).await?;
                    of.changed(ChangeKind::Token, &format!("jti{n}")).await?;
                    match n {
                        13 => users::insert_identifier(&of, "ann@example.org", USER).await,
                        66 => panic!("a defect, as it is meant to be here"),
                        _ => Ok(()),
                    }
                })
            })
        }))
        .await;
        let rows = db.read().of(TENANT);
        for (n, done) in all.iter().enumerate() {
            match n {
                13 => assert!(matches!(done, Err(StorageError::Duplicate(_))), "{done:?}"),
                66 => assert!(matches!(done, Err(StorageError::Unavailable(_))), "{done:?}"),
                _ => assert!(done.is_ok(), "{n}: {done:?}"),
            }
            let there = tokens::any_revoked(&rows, &[&format!("jti{n}")]).await.unwrap();
            assert_eq!(there, done.is_ok(), "{n}");
        }
        let newest = changes::newest(db.read()).await.unwrap();
        let feed = changes::since(db.read(), 0, 1000).await.unwrap();
        assert_eq!(feed.len(), 198);
        assert_eq!(feed.last().map(|(seq, _)| *seq), Some(newest));
        db.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_what_was_under_way_and_nothing_after_it() {
    on_each(|db| async move {
        if db.engine() == Engine::Postgres {
            return; // there a transaction ends when it is told to
        }
        fill(&db).await;
        // The file may grow no more. Nothing less than its present size can be set.
        write(&db, |tx| {
            Box::pin(async move { Ok(tx.raw().execute_unprepared("PRAGMA max_page_count = 1").await.map(drop)?) })
        })
        .await
        .unwrap();
        let too_much = write(&db, |tx| {
            Box::pin(async move {
                for n in 0..10_000 {
                    tokens::revoke(&tx.of(TENANT), &format!("jti{n}"), at(1)).await?;
                }
                Ok(())
            })
        })
        .await;
        assert!(matches!(too_much, Err(StorageError::Unavailable(_))), "{too_much:?}");
        write(&db, |tx| Box::pin(async move { tokens::revoke(&tx.of(TENANT), "after", at(1)).await })).await.unwrap();
        let rows = db.read().of(TENANT);
        assert!(tokens::any_revoked(&rows, &["after"]).await.unwrap(), "what was acknowledged is there");
        assert!(!tokens::any_revoked(&rows, &["jti0"]).await.unwrap());
        db.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_a_whole_database_and_overwrites_nothing() {
    on_each(|db| async move {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("a 'quoted' copy.db");
        if db.engine() == Engine::Postgres {
            assert!(backup::to_file(&db, &copy).await.unwrap_err().to_string().contains("pg_dump"));
            assert!(matches!(backup::integrity(&db).await, Err(StorageError::Unsupported(_))));
            return;
        }
        fill(&db).await;
        backup::to_file(&db, &copy).await.unwrap();
        let again = backup::to_file(&db, &copy).await.unwrap_err().to_string();
        assert!(again.contains("exists already"), "{again}");
        assert!(backup::integrity(&db).await.unwrap().is_empty());
        let plain = folder.path().join("copy.db");
        std::fs::rename(&copy, &plain).unwrap();
        let restored = open(&format!("sqlite://{}", plain.display())).await;
        assert!(migrate::is_current(&restored).await.unwrap());
        assert!(users::find(&restored.read().of(TENANT), USER).await.unwrap().is_some());
    })
    .await;
}
