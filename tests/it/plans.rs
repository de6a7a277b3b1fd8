//! No request reads a table from one end to the other.

use std::time::Duration;

use gatehouse::domain::api_clients::{self, NewApiClient};
use gatehouse::domain::organizations::{self, NewOrganization};
use serde_json::json;

use crate::support::{Engine, Setup, Sql, drive, within};

/// The tables that grow with what an installation is used for.
const LARGE: [&str; 15] = [
    "users",
    "user_identifiers",
    "role_assignments",
    "memberships",
    "organizations",
    "sites",
    "systems",
    "modules",
    "scoped_grants",
    "token_families",
    "sessions",
    "identities",
    "invitations",
    "audit_log",
    "access_log",
];

/// How often each of them was read from one end to the other. Known once those who read are gone.
async fn scans(sql: &Sql) -> Vec<String> {
    let names = LARGE.map(|name| format!("'{name}'")).join(",");
    let query =
        format!("SELECT relname || ' ' || seq_scan FROM pg_stat_user_tables WHERE relname IN ({names}) ORDER BY 1");
    sql.texts(&query).await
}

/// PostgreSQL counts it, and reads so only where it must once that is made dear.
#[test]
fn every_request_goes_by_an_index_on_postgres() {
    drive(Engine::Postgres, |setup: Setup| async move {
        let sql = setup.sql().await;
        let name = setup.database_url().rsplit('/').next().unwrap().to_owned();
        sql.run(&format!("ALTER DATABASE {name} SET enable_seqscan = off")).await;
        let app = setup.start().await;
        let ctx = app.ctx().await;
        let made =
            api_clients::create(&ctx, NewApiClient { name: "HR".to_owned(), ..Default::default() }).await.unwrap();
        let acme = NewOrganization { name: "Acme", ..Default::default() };
        let company = organizations::create(&ctx, &acme).await.unwrap().id;
        app.stop().await;
        let before = scans(&sql).await;
        let app = setup.start().await;

        let grant = json!({ "authentik_sub": "hr-1", "email": "ann@example.org", "scope_type": "site",
            "scope_id": "tw-main", "module": "campaign", "action": "view" });
        let with_keys = |method: &str, path: &str| {
            let request = app.request(method.parse().unwrap(), path);
            request.header("x-client-key", &made.client.client_key).header("x-api-key", made.secret.expose())
        };
        app.send(with_keys("POST", "/admin/permissions/grant").json(&grant)).await.expect(200);
        for path in [
            "/internal/permissions/hr-1/snapshot",
            "/internal/members?keyword=ann%40ex&limit=5",
            "/internal/members?offset=3",
            "/internal/companies",
            "/internal/companies?keyword=acme",
            "/internal/sites?offset=3",
            "/internal/sites?company_key=CP20260101X0001",
            "/internal/modules",
            "/internal/systems",
        ] {
            app.send(with_keys("GET", path)).await.expect(200);
        }
        let token = app.admin_token().await;
        let members = app.send(with_keys("GET", "/internal/members?keyword=ann%40ex")).await.body(200);
        let user = format!("usr_{}", members["items"][0]["id"].as_str().unwrap().replace('-', ""));
        for path in [
            "/api/auth/me",
            "/me",
            "/me/permissions/snapshot",
            "/api/v1/roles",
            "/api/v1/roles?role_name=admin",
            "/api/v1/permissions?resource=user",
            &format!("/api/v1/users/{user}/roles"),
            &format!("/api/v1/users/{user}/permissions"),
            "/api/internal/users?search=ann%40ex&page=2",
            "/api/internal/users?role=admin",
            "/api/internal/users?role=user",
            "/api/internal/users?is_active=false",
            &format!("/api/internal/users/{user}"),
            "/api/admin/v1/users",
            "/api/admin/v1/users?search=ann%40ex",
            "/api/admin/v1/users?role=admin&is_active=true",
            "/api/admin/v1/users?is_active=false",
            &format!("/api/admin/v1/users?organization={company}"),
            &format!("/api/admin/v1/users/{user}/sessions"),
            "/api/admin/v1/organizations",
            &format!("/api/admin/v1/organizations/{company}/members"),
            "/api/admin/v1/sites",
            "/api/admin/v1/modules",
            "/api/admin/v1/systems",
            "/api/admin/v1/audit",
            "/api/admin/v1/audit?actor=operator",
            "/api/admin/v1/audit?action=user.create&target=user%3Ausr_1",
            "/api/admin/v1/audit?since=2026-01-01T00:00:00Z",
        ] {
            app.get_as(&token, path).await.expect(200);
        }
        app.stop().await;
        assert_eq!(scans(&sql).await, before);
        // It would be counted.
        let other = setup.sql().await;
        other.run("SELECT count(*) FROM users WHERE name = 'x'").await;
        other.close().await;
        within(Duration::from_secs(5), "what was read is counted", async || scans(&sql).await != before).await;
    });
}
