//! `/api/admin/v1/*`: who may do what, where, and how often.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::domain::users::NewPassword;
use reqwest::Method;
use serde_json::{Value, json};

use super::admin::{EVERYTHING, call, delete, get, patch, post, problem};
use crate::support::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp, both_engines, make_user, password_app, register};

both_engines!(
    nobody_administers_who_may_do_more,
    nobody_makes_who_may_do_more,
    nobody_administers_a_client_that_may_do_more,
    the_last_super_administrator_stays,
    a_token_held_for_somebody_carries_what_its_scope_names,
    a_tenant_s_administrators_see_their_tenant_alone,
    cursors_are_those_that_were_given,
    the_same_request_is_done_once,
    of_twenty_at_once_one_user_is_made,
    a_failed_request_frees_its_key,
);

/// A person who holds a role, and their token of a face's own sign-in.
async fn holder(app: &TestApp, name: &str, role: &str) -> (String, String) {
    let ctx = app.ctx().await;
    let email = format!("{name}@example.org");
    let user = make_user(&ctx, &email, NewPassword::Plain("a quiet harbour", 6), &[role.to_owned()]).await;
    let client = register(&ctx, password_app("openid")).await;
    let token = app.sign_in(&client, &email, "a quiet harbour").await.expect(200).str("access_token");
    (user.id.to_string(), token)
}

async fn admin_id(app: &TestApp) -> String {
    let token = app.service_token("user:read").await;
    get(app, &token, "/users?role=super_admin").await.body(200)["items"][0]["id"].as_str().unwrap().to_owned()
}

const BEYOND: &str = "nobody administers or makes who may do more than they may themselves";

async fn nobody_administers_who_may_do_more(app: TestApp) {
    let (_, token) = holder(&app, "ann", "admin").await;
    let (bob, _) = holder(&app, "bob", "admin").await;
    let chief = admin_id(&app).await;
    for (method, tail, body) in [
        (Method::POST, "/password", Some(json!({ "password": "taken over now" }))),
        (Method::PATCH, "", Some(json!({ "email": "ann+chief@example.org" }))),
        (Method::PATCH, "", Some(json!({ "is_active": false }))),
        (Method::POST, "/unlock", None),
        (Method::DELETE, "/factors", None),
        (Method::POST, "/end-sessions", None),
        (Method::DELETE, "", None),
    ] {
        let path = |id: &str| format!("/users/{id}{tail}");
        let refused = call(&app, &token, method.clone(), &path(&chief), body.as_ref()).await;
        assert_eq!(problem(&refused, 403), BEYOND, "{method} {tail}");
        // An equal is another matter.
        if method != Method::DELETE && body.as_ref().is_none_or(|body| body.get("email").is_none()) {
            let done = call(&app, &token, method, &path(&bob), body.as_ref()).await;
            assert!(done.status < 300, "{done:?}");
        }
    }
    let client = app.password_app("openid").await;
    app.sign_in(&client, ADMIN_EMAIL, ADMIN_PASSWORD).await.expect(200);
}

async fn nobody_makes_who_may_do_more(app: TestApp) {
    let (_, token) = holder(&app, "ann", "admin").await;
    let wish = |role: &str| json!({ "username": format!("made_{role}"), "roles": [role] });
    assert_eq!(problem(&post(&app, &token, "/users", wish("super_admin")).await, 403), BEYOND);
    let made = post(&app, &token, "/users", wish("admin")).await.body(201);
    assert_eq!(made["roles"], json!(["admin"]));
    let service = app.service_token("user:read user:write").await;
    assert_eq!(
        problem(&post(&app, &service, "/users", json!({ "username": "x", "roles": ["admin"] })).await, 403),
        BEYOND
    );
    post(&app, &service, "/users", json!({ "username": "x", "roles": ["user"] })).await.expect(201);
    let found = get(&app, &service, "/users?search=made_super").await.body(200);
    assert_eq!(found["items"], json!([]), "nothing is left of what was refused");
}

async fn nobody_administers_a_client_that_may_do_more(app: TestApp) {
    let token = app.service_token("internal:admin user:read").await;
    let (strong, weak) = (app.service("system:admin").await, app.service("user:read").await);
    let strong_path = format!("/clients/{}", strong.id);
    for (method, path, body) in [
        (Method::POST, format!("{strong_path}/rotate-secret"), Some(json!({}))),
        (Method::PATCH, strong_path.clone(), Some(json!({ "auth_method": "client_secret_post" }))),
        (Method::DELETE, strong_path.clone(), None),
        (Method::DELETE, format!("{strong_path}/permissions/system:admin"), None),
        (Method::PUT, format!("{strong_path}/permissions/user:read"), None),
        (Method::PUT, format!("/clients/{}/permissions/user:write", weak.id), None),
        (Method::PATCH, format!("/clients/{}", weak.id), Some(json!({ "scope": "user:read user:write" }))),
        (Method::POST, "/clients".to_owned(), Some(json!({ "name": "x", "scope": "user:write" }))),
    ] {
        let refused = call(&app, &token, method.clone(), &path, body.as_ref()).await;
        assert_eq!(problem(&refused, 403), BEYOND, "{method} {path}");
    }
    app.credentials(&strong).await.expect(200);
    post(&app, &token, "/clients", json!({ "name": "x", "scope": "user:read" })).await.expect(201);
    post(&app, &token, &format!("/clients/{}/rotate-secret", weak.id), json!({})).await.expect(200);
}

async fn the_last_super_administrator_stays(app: TestApp) {
    let token = app.admin_token().await;
    let chief = admin_id(&app).await;
    let refused = patch(&app, &token, &format!("/users/{chief}"), json!({ "is_active": false })).await;
    problem(&refused, 403);
    problem(&delete(&app, &token, &format!("/users/{chief}")).await, 403);
    let wish = json!({ "username": "second", "roles": ["super_admin"] });
    post(&app, &token, "/users", wish).await.expect(201);
    patch(&app, &token, &format!("/users/{chief}"), json!({ "is_active": false })).await.expect(200);
}

async fn a_token_held_for_somebody_carries_what_its_scope_names(app: TestApp) {
    let service = app.service_token("auth:token user:read").await;
    let chief = admin_id(&app).await;
    let token = async |scope: &str| {
        let wish = json!({ "user_id": chief, "scope": scope });
        app.post(&service, "/api/internal/auth/token", &wish).await.expect(200).str("access_token")
    };
    problem(&get(&app, &token("").await, "/users").await, 403);
    let narrow = token("user:read").await;
    get(&app, &narrow, "/users").await.expect(200);
    problem(&get(&app, &narrow, "/tenants").await, 403);
    problem(&post(&app, &narrow, "/users", json!({ "username": "x" })).await, 403);
}

async fn a_tenant_s_administrators_see_their_tenant_alone(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let service = app.service_of(&tenant, EVERYTHING).await;
    let own = [("grant_type", "client_credentials")];
    let path = format!("/t/{}/oauth/token", tenant.id);
    let token = app.basic(&path, &service.id, &service.secret, &own).await.expect(200).str("access_token");
    let chief = admin_id(&app).await;
    assert_eq!(get(&app, &token, "/users").await.body(200)["items"], json!([]));
    problem(&get(&app, &token, &format!("/users/{chief}")).await, 404);
    let tenants = get(&app, &token, "/tenants").await.body(200);
    assert_eq!((tenants["items"].as_array().unwrap().len(), &tenants["items"][0]["id"]), (1, &json!(tenant.id)));
    let ctx = app.ctx().await;
    let default = ctx.tenant_id().to_string();
    let made_up = "tnt_00000000000000000000000000000000";
    for path in
        ["/users", "/clients", "/audit", "/keys", "/settings/tenant", "/organizations", "/api-clients", "/systems"]
    {
        let told = async |id: &str| {
            let refused = get(&app, &token, &format!("{path}?tenant_id={id}")).await;
            (problem(&refused, 404), refused.json()["errors"].clone())
        };
        assert_eq!(told(&default).await, told(made_up).await, "{path}");
        get(&app, &token, &format!("{path}?tenant_id={}", tenant.id)).await.expect(200);
    }
    problem(&get(&app, &token, &format!("/tenants/{default}")).await, 404);
    get(&app, &token, &format!("/tenants/{}", tenant.id)).await.expect(200);
    // The installation is not theirs, nor is the tenant's own row.
    problem(&get(&app, &token, "/settings").await, 403);
    problem(&post(&app, &token, "/tenants", json!({ "name": "x" })).await, 403);
    problem(&patch(&app, &token, &format!("/tenants/{}", tenant.id), json!({ "enabled": false })).await, 403);
    patch(&app, &token, "/settings/tenant", json!({ "access_token_ttl": 60 })).await.expect(200);
    // Whoever administers the default tenant reaches it.
    let control = app.service_token(EVERYTHING).await;
    let made =
        post(&app, &control, &format!("/users?tenant_id={}", tenant.id), json!({ "username": "ann" })).await.body(201);
    let id = made["id"].as_str().unwrap();
    get(&app, &token, &format!("/users/{id}")).await.expect(200);
    problem(&get(&app, &control, &format!("/users/{id}")).await, 404);
    get(&app, &control, &format!("/users/{id}?tenant_id={}", tenant.id)).await.expect(200);
}

async fn cursors_are_those_that_were_given(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    for n in 0..4 {
        post(&app, &token, "/users", json!({ "username": format!("user{n}") })).await.expect(201);
        post(&app, &token, "/clients", json!({ "name": "x" })).await.expect(201);
    }
    let page = get(&app, &token, "/users?limit=1").await.body(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    get(&app, &token, &format!("/users?limit=3&cursor={cursor}")).await.expect(200);
    let flipped: String = cursor.chars().rev().collect();
    let raw = gatehouse::crypto::digest::base64url(b"usr_00000000000000000000000000000000");
    for (path, cursor) in [
        ("/users", &*flipped),
        ("/users", &cursor[..cursor.len() - 1]),
        ("/users", &raw),
        ("/users", "usr_00000000000000000000000000000000"),
        ("/clients", cursor),
        ("/users?is_active=true", cursor),
    ] {
        let sign = if path.contains('?') { '&' } else { '?' };
        let refused = get(&app, &token, &format!("{path}{sign}cursor={cursor}")).await;
        assert_eq!(problem(&refused, 400), "\"cursor\" is not one that this list gave", "{path} {cursor}");
    }
    let tenant = app.tenant("Acme").await;
    problem(&get(&app, &token, &format!("/users?tenant_id={}&cursor={cursor}", tenant.id)).await, 400);
    assert!(!cursor.contains("usr_"));
    for limit in ["0", "-1", "x"] {
        problem(&get(&app, &token, &format!("/users?limit={limit}")).await, 400);
    }
    assert!(get(&app, &token, "/users?limit=1000").await.status == 200, "what is above the most is the most");
}

async fn under_key(app: &TestApp, token: &str, key: &str, path: &str, body: &Value) -> Answer {
    let request = app.request(Method::POST, &format!("/api/admin/v1{path}")).bearer_auth(token);
    app.send(request.header("Idempotency-Key", key).json(body)).await
}

async fn the_same_request_is_done_once(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let wish = json!({ "name": "a service", "scope": "user:read" });
    let first = under_key(&app, &token, "key-1", "/clients", &wish).await.body(201);
    let again = under_key(&app, &token, "key-1", "/clients", &wish).await.body(201);
    assert_eq!(first, again, "the secret too");
    let listed = get(&app, &token, "/clients?limit=200").await.body(200);
    let made = listed["items"].as_array().unwrap().iter().filter(|client| client["id"] == first["id"]).count();
    assert_eq!(made, 1);
    // Another request under it, another caller, another key.
    let other = json!({ "name": "another" });
    problem(&under_key(&app, &token, "key-1", "/clients", &other).await, 422);
    problem(&under_key(&app, &token, "key-1", "/organizations", &other).await, 422);
    let somebody = app.service_token(EVERYTHING).await;
    let theirs = under_key(&app, &somebody, "key-1", "/clients", &wish).await.body(201);
    assert_ne!(theirs["id"], first["id"]);
    assert_ne!(under_key(&app, &token, "key-2", "/clients", &wish).await.body(201)["id"], first["id"]);
    // What is kept is sealed, and not kept for ever.
    let rows = app.sql().await.dump(&["clients"]).await.join("\n");
    assert!(!rows.contains(first["client_secret"].as_str().unwrap()));
    app.advance(Duration::from_secs(86_401));
    let token = app.service_token(EVERYTHING).await;
    gatehouse::domain::upkeep::clean(&app.core).await.unwrap();
    assert_eq!(app.sql().await.number("SELECT count(*) FROM idempotent_requests").await, 0);
    under_key(&app, &token, "key-1", "/clients", &wish).await.expect(201);
    let long = "k".repeat(256);
    for bad in ["", "with space", &long] {
        let refused = under_key(&app, &token, bad, "/clients", &wish).await;
        assert!(problem(&refused, 400).contains("Idempotency-Key"), "{bad}");
    }
}

async fn of_twenty_at_once_one_user_is_made(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let copies = app.copies().await;
    let answers = join_all((0..20).map(|n| {
        let (app, token) = (copies[n % 2].clone(), token.clone());
        async move { under_key(&app, &token, "once", "/users", &json!({ "name": "Ann", "username": "ann" })).await }
    }))
    .await;
    let mut statuses = BTreeMap::<u16, usize>::new();
    for answer in &answers {
        *statuses.entry(answer.status).or_default() += 1;
        if answer.status == 409 {
            assert_eq!(problem(answer, 409), "a request with this Idempotency-Key is being done");
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
    }
    assert!(statuses.keys().all(|status| [201, 409].contains(status)) && statuses.contains_key(&201), "{statuses:?}");
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(made.iter().all(|answer| answer.text == made[0].text));
    let found = get(&copies[0], &token, "/users?search=ann").await.body(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

async fn a_failed_request_frees_its_key(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    problem(&under_key(&app, &token, "key", "/users", &json!({ "email": "x" })).await, 400);
    let made = under_key(&app, &token, "key", "/users", &json!({ "email": "x@example.org" })).await.body(201);
    let again = under_key(&app, &token, "key", "/users", &json!({ "email": "x@example.org" })).await.body(201);
    assert_eq!(made, again);
}
