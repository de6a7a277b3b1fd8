//! Lists and look-ups go by an index: what each function asks is explained by the database.

use std::sync::{Arc, Mutex};

use sea_orm::{Statement, TransactionTrait as _};

use super::*;
use crate::model::ids::OrganizationId;
use crate::model::organization::MembershipRole;
use crate::model::page::Window;
use crate::model::scoped_grant::{GrantScope, GrantTarget};

/// The tables that grow with what an installation is used for.
const LARGE: &[&str] = &[
    "users",
    "user_identifiers",
    "role_assignments",
    "memberships",
    "invitations",
    "identities",
    "organizations",
    "sites",
    "systems",
    "modules",
    "scoped_grants",
    "sessions",
    "token_families",
    "audit_log",
    "access_log",
    "tenants",
    "tenant_keys",
];

/// How much of a table a question may go through.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// What it asks for, however much else the tenant has.
    Narrow,
    /// The tenant's rows, by an index, as far as the page or the total wants it.
    Walk,
}

/// What is wrong with a step of SQLite's plan.
fn is_wrong_in_sqlite(step: &str, way: Way) -> bool {
    let mut words = step.split(' ');
    let (verb, table) = (words.next(), words.next().unwrap_or_default());
    if !LARGE.contains(&table) {
        return false;
    }
    let by_index = step.contains(" USING ");
    match verb {
        Some("SCAN") => !by_index || way == Way::Narrow && !step.contains("ix_users_disabled"),
        _ => way == Way::Narrow && step.ends_with("(tenant_id=?)") && !step.contains("ix_users_disabled"),
    }
}

async fn plan(db: &Db, asked: Statement) -> Vec<String> {
    let how = if db.engine() == Engine::Sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
    let sql = format!("{how} {}", asked.sql);
    let explain = Statement { sql, ..asked };
    let transaction = db.pool().begin().await.unwrap();
    if db.engine() == Engine::Postgres {
        transaction.execute_unprepared("SET LOCAL enable_seqscan = off").await.unwrap();
    }
    let rows = transaction.query_all_raw(explain).await.unwrap();
    let column = if db.engine() == Engine::Sqlite { "detail" } else { "QUERY PLAN" };
    rows.iter().map(|row| row.try_get("", column).unwrap()).collect()
}

async fn check(db: &Db, what: &str, way: Way, asked: Vec<Statement>) {
    assert!(!asked.is_empty(), "{what}: nothing was asked");
    for statement in asked {
        let (sql, steps) = (statement.sql.clone(), plan(db, statement).await);
        let is_wrong = match db.engine() {
            Engine::Sqlite => {
                let sorts = steps.iter().any(|step| step == "USE TEMP B-TREE FOR ORDER BY");
                // Whoever sorts must have few rows to sort.
                let way = if sorts { Way::Narrow } else { way };
                steps.iter().any(|step| is_wrong_in_sqlite(step, way))
            }
            Engine::Postgres => LARGE.iter().any(|table| {
                steps
                    .iter()
                    .any(|step| step.trim_start_matches([' ', '-', '>']).starts_with(&format!("Seq Scan on {table} ")))
            }),
        };
        assert!(!is_wrong, "{what}: {sql}\n{}", steps.join("\n"));
    }
}

fn none() -> UserFilter {
    UserFilter { search: None, role: None, none_of: &[], is_active: None, organization: None, now: at(1) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_goes_by_an_index() {
    on_each(|mut db| async move {
        fill(&db).await;
        let role = "ROLE_X".parse::<RoleId>().unwrap();
        write(&db, {
            let role = role.clone();
            move |tx| {
                let role = role.clone();
                Box::pin(async move {
                    let made = Role {
                        id: role,
                        code: "x".to_owned(),
                        name: "X".to_owned(),
                        description: None,
                        scope: RoleScope::Global,
                        is_system: false,
                        is_active: true,
                        created_at: at(1),
                        updated_at: at(1),
                    };
                    roles::insert(&tx.of(TENANT), &made).await
                })
            }
        })
        .await
        .unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        db.on_statement(move |statement| heard.lock().unwrap().push(statement.clone()));
        let rows = db.read().of(TENANT);
        let organization = OrganizationId::from_uuid(Uuid::from_u128(0x70));
        let connection = crate::model::ids::ConnectionId::from_uuid(Uuid::from_u128(0x71));
        let window = Window { limit: 100, offset: 900 };
        let page = PageNumber { page: 10, per_page: 100 };
        let search = |text: &str| UserFilter { search: Some(text.to_owned()), ..none() };
        let of_role = || UserFilter { role: Some("x".to_owned()), ..none() };
        let target = |scope_type| GrantTarget {
            scope_type,
            scope: "s".to_owned(),
            module: "m".to_owned(),
            action: "view".to_owned(),
        };
        let audit = |change: fn(&mut AuditFilter)| {
            let mut filter = AuditFilter::default();
            change(&mut filter);
            filter
        };
        macro_rules! check {
            ($($way:ident $what:literal: $call:expr;)*) => { $(
                $call.await.unwrap();
                let statements = std::mem::take(&mut *asked.lock().unwrap());
                check(&db, $what, Way::$way, statements).await;
                asked.lock().unwrap().clear(); // how it was explained
            )* };
        }
        check! {
            Walk "members": users::window(&rows, &none(), window);
            Narrow "members by keyword": users::window(&rows, &search("example"), window);
            Narrow "members by a Chinese character": users::window(&rows, &search("陳"), window);
            Narrow "members by a letter": users::window(&rows, &search("x"), window);
            Walk "users by page": users::page(&rows, &none(), page);
            Walk "users of all tenants": unscoped::users(db.read(), &none(), page);
            Narrow "users of all tenants by a text": unscoped::users(db.read(), &search("example"), page);
            Narrow "users of all tenants by role": unscoped::users(db.read(), &of_role(), page);
            Narrow "disabled ones": unscoped::users(db.read(), &UserFilter { is_active: Some(false), ..none() }, page);
            Walk "enabled ones": users::page(&rows, &UserFilter { is_active: Some(true), ..none() }, page);
            Walk "who is not of a role": users::page(&rows, &UserFilter { none_of: &["x"], ..none() }, page);
            Narrow "users by role": users::page(&rows, &of_role(), page);
            Walk "users after one": users::filtered_after(&rows, &none(), None, 51);
            Narrow "users after one by a text": users::filtered_after(&rows, &search("example"), Some(USER), 51);
            Narrow "users after one by role": users::filtered_after(&rows, &of_role(), Some(USER), 51);
            Narrow "users after one, disabled":
                users::filtered_after(&rows, &UserFilter { is_active: Some(false), ..none() }, Some(USER), 51);
            Narrow "users after one by organization":
                users::filtered_after(&rows, &UserFilter { organization: Some(organization), ..none() }, Some(USER), 51);
            Narrow "roles of a page of users": unscoped::role_codes_of_users(db.read(), &[USER], at(1));
            Narrow "a user by an old name": users::find_by_external_sub(&rows, "hr-1");
            Narrow "a user by name": users::find_by_identifier(&rows, "ann@example.org");
            Walk "companies": organizations::search(&rows, None, window);
            Narrow "companies by keyword": organizations::search(&rows, Some("acme"), window);
            Narrow "companies after one by keyword": organizations::list_after(&rows, Some("acme"), Some(organization), 51);
            Walk "companies after one": organizations::list_after(&rows, None, None, 51);
            Narrow "a company": organizations::find_by_slug(&rows, "acme");
            Walk "sites": sites::window(&rows, None, window);
            Narrow "sites of a company": sites::window(&rows, Some("CP1"), window);
            Walk "sites after one": sites::list_after(&rows, None, 51);
            Narrow "a site by key or code": sites::find_named(&rows, "x");
            Walk "systems": systems::window(&rows, window);
            Walk "modules": modules::window(&rows, None, window);
            Narrow "a module by key or code": modules::find_named(&rows, "x");
            Narrow "members of an organization": memberships::of_organization_after(&rows, organization, None, 51);
            Narrow "owners": memberships::count_of_role(&rows, organization, MembershipRole::Owner);
            Narrow "organizations of a user": memberships::of_user(&rows, USER);
            Narrow "invitations": invitations::list_open(&rows, organization, at(1));
            Narrow "a snapshot": scoped_grants::active_of_user(&rows, USER);
            Narrow "a check at a company": scoped_grants::reach(&rows, USER, &target(GrantScope::Company));
            Narrow "a check at a site": scoped_grants::reach(&rows, USER, &target(GrantScope::Site));
            Narrow "roles of a user": roles::assignments_of(&rows, USER);
            Narrow "what a user holds": roles::held_by_user(&rows, USER, at(1));
            Narrow "lasting holders": roles::lasting_holders(&rows, &role);
            Narrow "sessions": sessions::of_user(&rows, USER, at(1));
            Narrow "identities": identities::of_user(&rows, USER);
            Narrow "holders of a connection": identities::holders_of_roles(&rows, connection);
            Walk "tenants": unscoped::tenants(db.read(), page);
            Walk "tenants after one": unscoped::tenants_after(db.read(), Some(TENANT), 51);
            Narrow "what a service did": access_log::of_client(&rows, &app(), 50, 100);
            Narrow "statistics of a service": access_log::statistics(&rows, &app(), at(1));
            Walk "audit": audit::filtered(&rows, &AuditFilter::default(), Some(7), 51);
            Narrow "audit by actor": audit::filtered(&rows, &audit(|filter| filter.actor = Some("user:x".to_owned())), Some(7), 51);
            Narrow "audit by action": audit::filtered(&rows, &audit(|filter| filter.action = Some("x.y".to_owned())), None, 51);
            Narrow "audit by target": audit::filtered(&rows, &audit(|filter| filter.target = Some("user:x".to_owned())), None, 51);
            Narrow "audit by request": audit::filtered(&rows, &audit(|filter| filter.request_id = Some("x".to_owned())), None, 51);
            Narrow "audit by outcome": audit::filtered(&rows, &audit(|filter| filter.outcome = Some(Outcome::Failure)), None, 51);
            Narrow "audit by time": audit::filtered(&rows, &audit(|filter| filter.until = Some(at(9))), None, 51);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_through_everything_is_noticed() {
    on_each(|db| async move {
        let statement =
            Statement::from_string(db.pool().get_database_backend(), "SELECT * FROM users WHERE name = 'x'");
        let steps = plan(&db, statement).await;
        let is_noticed = match db.engine() {
            Engine::Sqlite => steps.iter().any(|step| is_wrong_in_sqlite(step, Way::Walk)),
            Engine::Postgres => steps.iter().any(|step| step.contains("Seq Scan on users ")),
        };
        assert!(is_noticed, "{steps:?}");
    })
    .await;
}
