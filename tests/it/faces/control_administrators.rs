//! `/api/internal/*` for administrators (`workspace.md`).

use gatehouse::domain::memberships;
use gatehouse::domain::organizations::NewOrganization;
use gatehouse::domain::users;
use serde_json::{Value, json};

use super::workspace_accounts::{is_uuid, refused, roles_of};
use crate::support::routes::PASSWORD;
use crate::support::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp, both_engines};

both_engines!(
    users_are_listed_for_administrators,
    a_user_is_shown_with_their_workspaces,
    an_administrator_makes_a_user,
    the_rest_is_open_to_them_but_acting_for_others,
    who_is_no_administrator_is_refused,
    an_administrator_of_a_tenant_sees_that_tenant,
    health_is_for_everybody,
);

async fn token(app: &TestApp, email: &str, password: &str) -> String {
    let body = json!({ "email": email, "password": password });
    app.post("", "/api/auth/login", &body).await.expect(200).str("access_token")
}

async fn admin(app: &TestApp) -> String {
    token(app, ADMIN_EMAIL, ADMIN_PASSWORD).await
}

async fn users_are_listed_for_administrators(app: TestApp) {
    let alice = app.user("alice@example.org", PASSWORD).await;
    roles_of(&app, &alice, "admin").await;
    let root = users::find_by_identifier(&app.ctx().await, ADMIN_EMAIL).await.unwrap();
    roles_of(&app, &root, "admin").await;
    let gone = app.user("gone@example.org", PASSWORD).await;
    users::set_enabled(&app.ctx().await, gone.id, false).await.unwrap();
    for bearer in [admin(&app).await, token(&app, "alice@example.org", PASSWORD).await] {
        let get = async |query: &str| app.get_as(&bearer, &format!("/api/internal/users?{query}")).await;
        let page = get("").await.body(200);
        let members: Vec<&str> = page.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["page", "per_page", "total", "users"]);
        assert_eq!((&page["total"], &page["page"], &page["per_page"]), (&json!(3), &json!(1), &json!(20)));
        let shown = page["users"].as_array().unwrap().iter().find(|user| user["email"] == "alice@example.org").unwrap();
        let expected = json!({ "id": alice.id.uuid().to_string(), "email": "alice@example.org", "name": "Someone",
            "role": "admin", "is_active": true, "created_at": alice.created_at.rfc3339() });
        assert_eq!(*shown, expected);
        assert_eq!(get("per_page=1000").await.body(200)["per_page"], 100, "at most");
        let emails = async |query: &str| -> Vec<Value> {
            let page = get(query).await.body(200);
            page["users"].as_array().unwrap().iter().map(|user| user["email"].clone()).collect()
        };
        assert_eq!(emails("is_active=false").await, [json!("gone@example.org")]);
        // By what they are shown as, which is the highest that they hold.
        assert_eq!(emails("role=super_admin").await, [json!(ADMIN_EMAIL)]);
        assert_eq!(emails("role=admin").await, [json!("alice@example.org")]);
        assert_eq!(emails("role=user").await, [json!("gone@example.org")]);
        assert_eq!(emails("role=none").await, [] as [Value; 0]);
        assert_eq!(emails("search=ALICE").await, [json!("alice@example.org")]);
        assert_eq!(emails("page=2&per_page=2").await.len(), 1);
        for bad in ["page=0", "page=x", "per_page=0", "is_active=maybe"] {
            refused(&get(bad).await, 422, "VALIDATION_ERROR");
        }
        refused(&get("tenant_id=tnt_1").await, 404, "NOT_FOUND");
    }
}

async fn a_user_is_shown_with_their_workspaces(app: TestApp) {
    let user = app.user("alice@example.org", PASSWORD).await;
    let new = NewOrganization { name: "Acme", ..NewOrganization::default() };
    let made = memberships::found(&app.ctx().await, user.id, &new).await.unwrap().organization;
    let (admin, service) = (admin(&app).await, app.service_token("user:read").await);
    let workspaces = json!([{ "id": made.id.uuid().to_string(), "name": "Acme", "slug": "acme", "role": "owner" }]);
    for path in [user.id.uuid().to_string(), user.id.to_string()] {
        let path = format!("/api/internal/users/{path}");
        for (bearer, id) in [(&admin, user.id.uuid().to_string()), (&service, user.id.to_string())] {
            let expected = json!({ "id": id, "email": "alice@example.org", "name": "Someone", "role": "user",
                "workspaces": workspaces });
            assert_eq!(app.get_as(bearer, &path).await.body(200), expected);
        }
    }
    for unknown in ["usr_1", "00000000-0000-0000-0000-000000000000", "x"] {
        refused(&app.get_as(&admin, &format!("/api/internal/users/{unknown}")).await, 404, "NOT_FOUND");
    }
}

async fn an_administrator_makes_a_user(app: TestApp) {
    let admin = admin(&app).await;
    let body = json!({ "email": "new@example.org", "password": PASSWORD, "name": "New" });
    let made = app.post(&admin, "/api/internal/users", &body).await.body(201);
    is_uuid(&made["id"]);
    refused(&app.post(&admin, "/api/internal/users", &body).await, 409, "CONFLICT");
    let answer = app.post(&admin, "/api/internal/users", &json!({ "email": "x" })).await;
    refused(&answer, 422, "VALIDATION_ERROR");
    assert_eq!(answer.json()["errors"][0]["field"], "email");
    token(&app, "new@example.org", PASSWORD).await;
}

async fn the_rest_is_open_to_them_but_acting_for_others(app: TestApp) {
    let admin = admin(&app).await;
    assert_eq!(app.get_as(&admin, "/api/internal/tenants").await.body(200)["total"], 1);
    app.get_as(&admin, "/api/internal/admin/services").await.expect(200);
    let user = app.user("alice@example.org", PASSWORD).await;
    let wish = json!({ "user_id": user.id.to_string() });
    refused(&app.post(&admin, "/api/internal/auth/token", &wish).await, 403, "FORBIDDEN");
    refused(&app.get_as(&admin, "/api/internal/nothing").await, 404, "NOT_FOUND");
}

async fn who_is_no_administrator_is_refused(app: TestApp) {
    let alice = app.user("alice@example.org", PASSWORD).await;
    let bearer = token(&app, "alice@example.org", PASSWORD).await;
    for path in ["users", "users/x", "tenants", "admin/services"] {
        let path = format!("/api/internal/{path}");
        refused(&app.get_as(&bearer, &path).await, 403, "FORBIDDEN");
        refused(&app.get(&path).await, 401, "UNAUTHORIZED");
        refused(&app.get_as("nonsense", &path).await, 401, "UNAUTHORIZED");
    }
    // What they become counts for the token that they have; and no longer once they are it no longer.
    roles_of(&app, &alice, "admin").await;
    app.get_as(&bearer, "/api/internal/users").await.expect(200);
    users::set_enabled(&app.ctx().await, alice.id, false).await.unwrap();
    refused(&app.get_as(&bearer, "/api/internal/users").await, 401, "UNAUTHORIZED");
    // A token that a service got for an administrator carries what its scope names.
    let admin = users::find_by_identifier(&app.ctx().await, ADMIN_EMAIL).await.unwrap();
    let service = app.service_token("auth:token user:read").await;
    let of = async |scope: &str| {
        let wish = json!({ "user_id": admin.id.to_string(), "scope": scope });
        app.post(&service, "/api/internal/auth/token", &wish).await.expect(200).str("access_token")
    };
    refused(&app.get_as(&of("openid").await, "/api/internal/users").await, 403, "FORBIDDEN");
    app.get_as(&of("user:read").await, "/api/internal/users").await.expect(200);
}

async fn an_administrator_of_a_tenant_sees_that_tenant(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let (id, token) = app.tenant_user(&tenant, "theirs@example.org", PASSWORD).await;
    let operator = gatehouse::domain::access::Powers::operator();
    let ctx = app.ctx_of(&tenant).await;
    let role = vec!["ROLE_SUPER_ADMIN".parse().unwrap()];
    gatehouse::domain::roles::assign(&ctx, &operator, id.parse().unwrap(), role, None).await.unwrap();
    let page = app.get_as(&token, "/api/internal/users").await.body(200);
    assert_eq!((&page["total"], &page["users"][0]["email"]), (&json!(1), &json!("theirs@example.org")));
    let ours = users::find_by_identifier(&app.ctx().await, ADMIN_EMAIL).await.unwrap();
    for path in [format!("users/{}", ours.id), format!("users?tenant_id={}", app.ctx().await.tenant_id())] {
        refused(&app.get_as(&token, &format!("/api/internal/{path}")).await, 404, "NOT_FOUND");
    }
    assert_eq!(app.get_as(&token, "/api/internal/tenants").await.body(200)["tenants"][0]["id"], json!(tenant.id));
}

async fn health_is_for_everybody(app: TestApp) {
    let expected =
        json!({ "status": "healthy", "database": "connected", "redis": "not_configured", "celery": "running" });
    let admin = admin(&app).await;
    assert_eq!(app.get("/api/internal/system/health").await.body(200), expected);
    assert_eq!(app.get_as(&admin, "/api/internal/system/health").await.body(200), expected);
}
