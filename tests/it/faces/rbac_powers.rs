//! What nobody does through `/api/v1/roles` and `/api/v1/permissions` (`rbac.md`), whatever they hold.

use reqwest::Method;
use serde_json::{Value, json};

use super::rbac::{is_detail, make_role, send, somebody, texts};
use crate::support::{Answer, TestApp, both_engines};

both_engines!(the_systems_own_roles_stay, nobody_gives_a_role_what_they_lack);

async fn the_systems_own_roles_stay(app: TestApp) {
    let admin = app.admin_token().await;
    for id in ["ROLE_SUPER_ADMIN", "ROLE_ADMIN", "ROLE_USER"] {
        let path = format!("/api/v1/roles/{id}");
        let before = app.get_as(&admin, &path).await.body(200);
        for change in [
            json!({ "role_name": "Another" }),
            json!({ "role_code": "ANOTHER" }),
            json!({ "scope": "TENANT" }),
            json!({ "is_active": false }),
        ] {
            is_detail(&send(&app, &admin, Method::PUT, &path, change).await, 403, "权限不足");
        }
        is_detail(&send(&app, &admin, Method::DELETE, &path, Value::Null).await, 403, "权限不足");
        assert_eq!(app.get_as(&admin, &path).await.body(200), before);
        let described = send(&app, &admin, Method::PUT, &path, json!({ "description": "ours" })).await.body(200);
        assert_eq!(described["description"], "ours");
    }
    let everything = "/api/v1/roles/ROLE_SUPER_ADMIN/permissions";
    let body = json!({ "permission_ids": ["PERM_USER_READ"] });
    is_detail(&app.post(&admin, everything, &body).await, 403, "权限不足");
    let path = format!("{everything}/PERM_USER_READ");
    is_detail(&send(&app, &admin, Method::DELETE, &path, Value::Null).await, 403, "权限不足");
    // One that was made as the system's own is one.
    let body = json!({ "role_name": "x", "role_code": "OURS", "scope": "SYSTEM", "is_system_role": true });
    let made = app.post(&admin, "/api/v1/roles", &body).await.body(201);
    assert_eq!((&made["is_system_role"], &made["scope"]), (&json!(true), &json!("SYSTEM")));
    is_detail(&send(&app, &admin, Method::DELETE, "/api/v1/roles/ROLE_OURS", Value::Null).await, 403, "权限不足");
}

async fn nobody_gives_a_role_what_they_lack(app: TestApp) {
    let admin = app.admin_token().await;
    let (_, lesser) = somebody(&app, "lesser@example.org", &["admin"]).await;
    let refused = |answer: &Answer| is_detail(answer, 403, "权限不足");
    // Nothing that reaches over the installation.
    for body in [
        json!({ "role_name": "x", "role_code": "A", "scope": "SYSTEM" }),
        json!({ "role_name": "x", "role_code": "A", "scope": "TENANT", "is_system_role": true }),
    ] {
        refused(&app.post(&lesser, "/api/v1/roles", &body).await);
    }
    let body = json!({ "permission_name": "x", "permission_code": "a:b", "resource": "a", "action": "b",
        "is_system_permission": true });
    refused(&app.post(&lesser, "/api/v1/permissions", &body).await);
    // Nothing that they lack, also not beside what they hold; and then nothing at all.
    let id = make_role(&app, &lesser, "MINE", &["PERM_USER_READ"]).await;
    let path = format!("/api/v1/roles/{id}/permissions");
    let body = json!({ "permission_ids": ["PERM_USER_WRITE", "PERM_SYSTEM_ADMIN"] });
    refused(&app.post(&lesser, &path, &body).await);
    assert_eq!(texts(&app.get_as(&admin, &path).await.body(200), "id"), ["PERM_USER_READ"]);
    // What they made up themselves is theirs to make, not to hold.
    let body = json!({ "permission_name": "x", "permission_code": "a:b", "resource": "a", "action": "b" });
    app.post(&lesser, "/api/v1/permissions", &body).await.expect(201);
    refused(&app.post(&lesser, &path, &json!({ "permission_ids": ["PERM_A_B"] })).await);
    // No sleeping role is woken by who lacks what it permits.
    let strong = make_role(&app, &admin, "STRONG", &["PERM_SYSTEM_ADMIN"]).await;
    let path = format!("/api/v1/roles/{strong}");
    send(&app, &lesser, Method::PUT, &path, json!({ "is_active": false })).await.expect(200);
    refused(&send(&app, &lesser, Method::PUT, &path, json!({ "is_active": true })).await);
    assert_eq!(app.get_as(&admin, &path).await.body(200)["is_active"], false);
    send(&app, &admin, Method::PUT, &path, json!({ "is_active": true })).await.expect(200);
    // The system's own, and what reaches over the installation, is changed by who reaches as far.
    let body = json!({ "role_name": "x", "role_code": "WIDE", "scope": "SYSTEM" });
    app.post(&admin, "/api/v1/roles", &body).await.expect(201);
    for id in ["ROLE_USER", "ROLE_WIDE"] {
        let path = format!("/api/v1/roles/{id}/permissions");
        refused(&app.post(&lesser, &path, &json!({ "permission_ids": ["PERM_USER_READ"] })).await);
        let path = format!("/api/v1/roles/{id}");
        refused(&send(&app, &lesser, Method::PUT, &path, json!({ "description": "x" })).await);
        refused(&send(&app, &lesser, Method::DELETE, &path, Value::Null).await);
    }
    let body = json!({ "permission_ids": ["PERM_USER_READ"] });
    app.post(&admin, "/api/v1/roles/ROLE_USER/permissions", &body).await.expect(200);
    // A service gives what its scopes name and no more.
    let service = app.service_token("role:write role:read").await;
    let path = format!("/api/v1/roles/{id}/permissions");
    app.post(&service, &path, &json!({ "permission_ids": ["PERM_ROLE_READ"] })).await.expect(200);
    refused(&app.post(&service, &path, &json!({ "permission_ids": ["PERM_USER_WRITE"] })).await);
}
