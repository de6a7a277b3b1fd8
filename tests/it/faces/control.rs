//! `/api/internal/*` with a service token (`idaas.md`), in the list shapes of `workspace.md`.

use std::time::Duration;

use gatehouse::domain::clients::{self, ClientChange};
use gatehouse::domain::users;
use serde_json::{Value, json};

use crate::support::{ADMIN_EMAIL, TestApp, both_engines, claims_of};

both_engines!(
    users_are_listed,
    lists_are_narrowed,
    a_user_is_shown,
    a_user_is_made,
    tenants_are_listed,
    a_token_on_behalf_of_a_user,
    nobody_hands_on_what_they_lack,
    the_control_plane_acts_for_users_of_any_tenant,
    a_missing_scope_is_named,
    a_service_of_a_tenant_sees_its_tenant_alone,
    errors_have_the_callers_shape,
);

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn users_are_listed(app: TestApp) {
    for n in 0..5 {
        app.user(&format!("{n}@example.org"), "123456").await;
        app.advance(Duration::from_millis(3));
    }
    let token = app.service_token("user:read").await;
    let page = app.get_as(&token, "/api/internal/users").await.body(200);
    assert_eq!(keys(&page), ["page", "per_page", "total", "users"]);
    assert_eq!((&page["total"], &page["page"], &page["per_page"]), (&json!(6), &json!(1), &json!(20)));
    let listed = page["users"].as_array().unwrap();
    assert_eq!(keys(&listed[0]), ["created_at", "email", "id", "is_active", "name", "role"]);
    let admin = listed.iter().find(|user| user["email"] == ADMIN_EMAIL).unwrap();
    assert_eq!(
        (&admin["role"], &admin["is_active"], &admin["name"]),
        (&json!("super_admin"), &json!(true), &json!("Administrator"))
    );
    assert!(listed.iter().filter(|user| user["role"] == "user").count() == 5);
    let mut seen = Vec::new();
    for n in 1..=4 {
        let page = app.get_as(&token, &format!("/api/internal/users?page={n}&per_page=2")).await.body(200);
        assert_eq!((&page["total"], &page["page"], &page["per_page"]), (&json!(6), &json!(n), &json!(2)));
        seen.extend(page["users"].as_array().unwrap().clone());
    }
    assert_eq!(seen, *listed, "the pages are the list");
    let most = app.get_as(&token, "/api/internal/users?per_page=100").await;
    assert_eq!(most.body(200)["per_page"], 100);
    let more = app.get_as(&token, "/api/internal/users?per_page=101").await;
    assert!(more.status == 400 || more.json()["per_page"] == 100, "{more:?}");
    for bad in ["page=0", "page=x", "per_page=0", "per_page=-1", "is_active=maybe"] {
        assert_eq!(app.get_as(&token, &format!("/api/internal/users?{bad}")).await.status, 400, "{bad}");
    }
}

async fn lists_are_narrowed(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    app.tenant_user(&tenant, "theirs@example.org", "123456").await;
    let gone = app.user("gone@example.org", "123456").await;
    users::set_enabled(&app.ctx().await, gone.id, false).await.unwrap();
    let token = app.service_token("user:read").await;
    let found = async |query: &str| -> Vec<String> {
        let page = app.get_as(&token, &format!("/api/internal/users?{query}")).await.body(200);
        let mut emails: Vec<String> =
            page["users"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect();
        assert_eq!(page["total"], json!(emails.len()));
        emails.sort();
        emails
    };
    assert_eq!(found("").await, ["admin@example.org", "gone@example.org", "theirs@example.org"]);
    assert_eq!(found("search=THEIRS").await, ["theirs@example.org"]);
    assert_eq!(found("search=Administrator").await, ["admin@example.org"]);
    assert_eq!(found("search=%25").await, Vec::<String>::new(), "a per cent sign is no wild card");
    assert_eq!(found("search=_").await, Vec::<String>::new(), "nor is an underscore");
    assert_eq!(found("role=super_admin").await, ["admin@example.org"]);
    assert_eq!(found("is_active=false").await, ["gone@example.org"]);
    assert_eq!(found(&format!("tenant_id={}", tenant.id)).await, ["theirs@example.org"]);
    assert_eq!(found(&format!("tenant_id={}&is_active=false", tenant.id)).await, Vec::<String>::new());
    let unknown = "/api/internal/users?tenant_id=tnt_00000000000000000000000000000000";
    app.get_as(&token, unknown).await.is_error(404, "tenant not found");
}

async fn a_user_is_shown(app: TestApp) {
    let user = app.user("alice@example.org", "123456").await;
    let token = app.service_token("user:read").await;
    let expected = json!({
        "id": user.id.to_string(), "email": "alice@example.org", "name": "Someone", "role": "user", "workspaces": [],
    });
    for id in [user.id.to_string(), user.id.uuid().to_string()] {
        assert_eq!(app.get_as(&token, &format!("/api/internal/users/{id}")).await.body(200), expected);
    }
    for unknown in ["usr_00000000000000000000000000000000", "00000000-0000-0000-0000-000000000000", "usr_1", "1"] {
        app.get_as(&token, &format!("/api/internal/users/{unknown}")).await.is_error(404, "user not found");
    }
}

async fn a_user_is_made(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let token = app.service_token("user:write").await;
    let body = json!({ "email": "alice@example.org", "password": "123456", "name": "Alice", "profile": { "a": 1 } });
    let made = app.post(&token, "/api/internal/users", &body).await.body(201);
    assert_eq!((&made["email"], &made["name"], &made["profile"]), (&body["email"], &body["name"], &body["profile"]));
    assert_eq!((&made["role"], &made["is_active"]), (&json!("user"), &json!(true)));
    app.post(&token, "/api/internal/users", &body).await.is_error(409, "email already registered");
    // In another tenant the address is free, and the person signs in there.
    let mut there = body.clone();
    there["tenant_id"] = json!(tenant.id);
    app.post(&token, "/api/internal/users", &there).await.expect(201);
    let login = json!({ "email": "alice@example.org", "password": "123456" });
    app.post(&tenant.public, "/v1/auth/login", &login).await.expect(200);
    // Without a password there is none that fits.
    app.post(&token, "/api/internal/users", &json!({ "email": "bare@example.org", "tenant_id": tenant.id }))
        .await
        .expect(201);
    for password in ["", "x", "null"] {
        let login = json!({ "email": "bare@example.org", "password": password });
        assert!(matches!(app.post(&tenant.public, "/v1/auth/login", &login).await.status, 400 | 401));
    }
    for (body, message) in [
        (json!({}), r#""email" is required"#),
        (json!({ "email": "x" }), r#""email" is not a valid email"#),
        (json!({ "email": "b@example.org", "password": "12345" }), r#""password" must be at least 6 characters"#),
        (json!({ "email": "b@example.org", "name": 1 }), r#""name" must be a string"#),
    ] {
        app.post(&token, "/api/internal/users", &body).await.is_error(400, message);
    }
    let unknown = json!({ "email": "c@example.org", "tenant_id": "tnt_00000000000000000000000000000000" });
    app.post(&token, "/api/internal/users", &unknown).await.is_error(404, "tenant not found");
}

async fn tenants_are_listed(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let token = app.service_token("tenant:read").await;
    let page = app.get_as(&token, "/api/internal/tenants").await.body(200);
    assert_eq!(keys(&page), ["page", "per_page", "tenants", "total"]);
    assert_eq!(page["total"], 2);
    let found = page["tenants"].as_array().unwrap().iter().find(|one| one["id"] == json!(tenant.id)).unwrap();
    let expected = json!({
        "id": tenant.id, "name": "Acme", "api_public_key": tenant.public, "created_at": app.now().rfc3339(),
    });
    assert_eq!(*found, expected);
    assert!(!page.to_string().contains("sec_"), "{page}");
    assert_eq!(
        app.get_as(&token, "/api/internal/tenants?page=2&per_page=1").await.body(200)["tenants"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

async fn a_token_on_behalf_of_a_user(app: TestApp) {
    let user = app.user("alice@example.org", "123456").await;
    let service = app.service("auth:token user:read").await;
    let token = app.token_of(&service).await;
    let wish = json!({ "user_id": user.id.to_string(), "scope": "user:read openid", "expires_in": 60 });
    let answer = app.post(&token, "/api/internal/auth/token", &wish).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(keys(&body), ["access_token", "expires_in", "scope", "token_type"]);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(60)));
    let access = body["access_token"].as_str().unwrap();
    let claims = claims_of(access);
    assert_eq!(claims["sub"], json!(user.id.to_string()));
    assert_eq!(claims["act"], json!({ "sub": service.id }), "RFC 8693 §4.1");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
    assert_eq!(app.get_as(access, "/v1/users/me").await.body(200)["id"], json!(user.id.to_string()));
    let audit = "SELECT count(*) FROM audit_log WHERE action = 'token.on_behalf'";
    assert_eq!(app.sql().await.number(audit).await, 1);
    // At most an hour, whatever is asked for.
    let long = json!({ "user_id": user.id.to_string(), "expires_in": 1_000_000 });
    let answer = app.post(&token, "/api/internal/auth/token", &long).await;
    assert!(answer.status == 400 || answer.json()["expires_in"].as_i64().unwrap() <= 3600, "{answer:?}");
    for (body, status) in [
        (json!({}), 400),
        (json!({ "user_id": "usr_00000000000000000000000000000000" }), 404),
        (json!({ "user_id": user.id.to_string(), "expires_in": 0 }), 400),
        (json!({ "user_id": user.id.to_string(), "expires_in": "60" }), 400),
        (json!({ "user_id": user.id.to_string(), "scope": "\"" }), 400),
    ] {
        assert_eq!(app.post(&token, "/api/internal/auth/token", &body).await.status, status, "{body}");
    }
    // It ends with the user, and none is made for a disabled one.
    users::set_enabled(&app.ctx().await, user.id, false).await.unwrap();
    app.get_as(access, "/v1/users/me").await.is_error(401, "user not authenticated");
    app.post(&token, "/api/internal/auth/token", &wish).await.is_error(404, "user not found");
}

async fn nobody_hands_on_what_they_lack(app: TestApp) {
    let user = app.user("alice@example.org", "123456").await;
    let token = app.service_token("auth:token").await;
    for (asked, got) in
        [("user:read", ""), ("internal:admin auth:token", "auth:token"), ("openid system:admin", "openid")]
    {
        let wish = json!({ "user_id": user.id.to_string(), "scope": asked });
        let body = app.post(&token, "/api/internal/auth/token", &wish).await.body(200);
        assert_eq!(body["scope"], json!(got), "of {asked}");
        let claims = claims_of(body["access_token"].as_str().unwrap());
        assert_eq!(claims.get("scope").and_then(|scope| scope.as_str()).unwrap_or_default(), got);
    }
    // And a user's token opens no door that asks for a service's scope.
    let rich = app.service_token("auth:token user:read internal:admin").await;
    let wish = json!({ "user_id": user.id.to_string(), "scope": "user:read internal:admin" });
    let access = app.post(&rich, "/api/internal/auth/token", &wish).await.expect(200).str("access_token");
    assert_eq!(app.get_as(&access, "/api/internal/users").await.status, 403);
    assert_eq!(app.get_as(&access, "/v1/internal/services").await.status, 403);
}

async fn the_control_plane_acts_for_users_of_any_tenant(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let (id, _) = app.tenant_user(&tenant, "ada@acme.example", "123456").await;
    let service = app.service("auth:token").await;
    let token = app.token_of(&service).await;
    let wish = json!({ "user_id": id });
    let access = app.post(&token, "/api/internal/auth/token", &wish).await.expect(200).str("access_token");
    let claims = claims_of(&access);
    assert_eq!((&claims["iss"], &claims["act"]["sub"]), (&json!(tenant.issuer), &json!(service.id)));
    assert_eq!(app.get_as(&access, "/v1/users/me").await.body(200)["id"], json!(id));
    // The service can end it at its own issuer, and it ends with the service.
    let ended = app.post(&token, "/api/internal/auth/token", &wish).await.expect(200).str("access_token");
    app.basic("/oauth/revoke", &service.id, &service.secret, &[("token", &ended)]).await.expect(200);
    app.get_as(&ended, "/v1/users/me").await.is_error(401, "user not authenticated");
    let change = ClientChange { enabled: Some(false), ..ClientChange::default() };
    clients::update(&app.ctx().await, &service.id.parse().unwrap(), change).await.unwrap();
    app.get_as(&access, "/v1/users/me").await.is_error(401, "user not authenticated");
}

async fn a_missing_scope_is_named(app: TestApp) {
    let every = "user:read user:write tenant:read auth:token internal:admin";
    for (method, path, scope) in [
        ("GET", "/api/internal/users", "user:read"),
        ("GET", "/api/internal/users/usr_1", "user:read"),
        ("POST", "/api/internal/users", "user:write"),
        ("GET", "/api/internal/tenants", "tenant:read"),
        ("POST", "/api/internal/auth/token", "auth:token"),
        ("GET", "/api/internal/admin/services", "internal:admin"),
    ] {
        let rest: Vec<&str> = every.split(' ').filter(|other| *other != scope).collect();
        let token = app.service_token(&rest.join(" ")).await;
        let answer =
            if method == "GET" { app.get_as(&token, path).await } else { app.post(&token, path, &json!({})).await };
        answer.is_error(403, "Forbidden");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains(r#"error="insufficient_scope""#) && challenge.contains(scope), "{challenge}");
        let token = app.service_token(scope).await;
        let answer =
            if method == "GET" { app.get_as(&token, path).await } else { app.post(&token, path, &json!({})).await };
        assert_ne!(answer.status, 403, "{path}: {answer:?}");
    }
}

async fn a_service_of_a_tenant_sees_its_tenant_alone(app: TestApp) {
    let (tenant, other) = (app.tenant("Acme").await, app.tenant("Other").await);
    let (id, _) = app.tenant_user(&other, "theirs@example.org", "123456").await;
    app.tenant_user(&tenant, "ours@example.org", "123456").await;
    let service = app.service_of(&tenant, "user:read user:write tenant:read auth:token").await;
    let fields = [("grant_type", "client_credentials")];
    let path = format!("/t/{}/oauth/token", tenant.id);
    let token = app.basic(&path, &service.id, &service.secret, &fields).await.expect(200).str("access_token");
    let page = app.get_as(&token, "/api/internal/users").await.body(200);
    assert_eq!(page["total"], 1);
    assert_eq!(page["users"][0]["email"], "ours@example.org");
    app.get_as(&token, &format!("/api/internal/users?tenant_id={}", other.id)).await.is_error(404, "tenant not found");
    app.get_as(&token, &format!("/api/internal/users/{id}")).await.is_error(404, "user not found");
    let listed = app.get_as(&token, "/api/internal/tenants").await.body(200);
    assert_eq!((&listed["total"], &listed["tenants"][0]["id"]), (&json!(1), &json!(tenant.id)));
    let there = json!({ "email": "new@example.org", "tenant_id": other.id });
    app.post(&token, "/api/internal/users", &there).await.is_error(404, "tenant not found");
    let wish = json!({ "user_id": id });
    app.post(&token, "/api/internal/auth/token", &wish).await.is_error(404, "user not found");
}

async fn errors_have_the_callers_shape(app: TestApp) {
    // Who proved to be no service reads the shape of workspace.md.
    for bearer in ["", "nonsense"] {
        let answer = if bearer.is_empty() {
            app.get("/api/internal/users").await
        } else {
            app.get_as(bearer, "/api/internal/users").await
        };
        let body = answer.body(401);
        assert_eq!(keys(&body), ["detail", "error_code", "status_code"]);
        assert_eq!((&body["error_code"], &body["status_code"]), (&json!("UNAUTHORIZED"), &json!(401)));
    }
    let service = app.service_token("user:read").await;
    let answer = app.get_as(&service, "/api/internal/nothing").await;
    assert_eq!((answer.status, keys(&answer.json())), (404, vec!["error"]), "{answer:?}");
    let answer = app.get("/api/internal/nothing").await;
    assert_eq!((answer.status, keys(&answer.json())), (404, vec!["detail", "error_code", "status_code"]), "{answer:?}");
}
