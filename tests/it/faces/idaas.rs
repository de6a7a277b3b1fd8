//! `idaas.md`: health, tenants, and the users of a tenant.

use std::time::Duration;

use gatehouse::domain::clients::NewClient;
use gatehouse::domain::{tenants, users};
use gatehouse::model::tenant::TenantKeyKind;
use gatehouse::model::time::Timestamp;
use serde_json::{Value, json};

use crate::support::{Setup, TestApp, both_engines, claims_of, password_app, register};

both_engines!(
    health_is_a_literal,
    a_tenant_is_made_and_shown,
    a_tenant_needs_a_name,
    tenant_creation_can_be_closed,
    a_person_registers,
    registration_says_what_is_wrong,
    an_address_is_taken_once,
    profiles_are_kept_as_they_are,
    a_person_signs_in,
    every_failed_sign_in_says_the_same,
    the_person_sees_themselves,
    a_token_ends_with_what_it_stands_on,
    users_are_listed_by_page,
    a_user_is_shown_to_their_tenant_alone,
    keys_open_what_they_are_for,
    keys_can_be_rolled_over,
);

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn is_a_moment(value: &Value, now: Timestamp) {
    assert_eq!(value, &json!(now.rfc3339()), "RFC 3339");
}

async fn health_is_a_literal(app: TestApp) {
    let answer = app.get("/health").await.expect(200);
    assert_eq!(answer.text, r#"{"status":"ok"}"#);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

async fn a_tenant_is_made_and_shown(app: TestApp) {
    let body = app.post("", "/v1/tenants", &json!({ "name": "Acme" })).await.body(201);
    assert_eq!(keys(&body), ["created_at", "id", "name", "public_key", "secret_key"]);
    assert_eq!(body["name"], "Acme");
    is_a_moment(&body["created_at"], app.now());
    let text = |member: &str| body[member].as_str().unwrap().to_owned();
    let (id, public, secret) = (text("id"), text("public_key"), text("secret_key"));
    assert!(id.starts_with("tnt_") && public.starts_with("pub_") && secret.starts_with("sec_"), "{body}");

    let shown = app.get(&format!("/v1/tenants/{id}")).await.body(200);
    assert_eq!(keys(&shown), ["api_public_key", "api_secret_key_hash", "created_at", "id", "name"]);
    assert_eq!(shown["id"], json!(id));
    assert_eq!(shown["name"], "Acme");
    assert_eq!(shown["api_public_key"], json!(public));
    assert_eq!(shown["created_at"], body["created_at"]);
    // A fingerprint: not the key, not what is stored of it, and no good for signing in.
    let fingerprint = shown["api_secret_key_hash"].as_str().unwrap();
    assert!(fingerprint.len() >= 32 && !secret.contains(fingerprint));
    let stored = gatehouse::crypto::digest::Digest::of(secret.as_bytes()).hex();
    assert_ne!(fingerprint, stored, "the stored verifier");
    assert!(!app.sql().await.dump(&[]).await.join("\n").to_lowercase().contains(fingerprint));
    for key in [fingerprint.to_owned(), format!("sec_{fingerprint}"), stored] {
        app.get_as(&key, "/v1/users").await.is_error(401, "tenant not found");
    }
    for unknown in ["tnt_00000000000000000000000000000000", "tnt_x", "acme", "usr_00000000000000000000000000000000"] {
        app.get(&format!("/v1/tenants/{unknown}")).await.is_error(404, "tenant not found");
    }
}

async fn a_tenant_needs_a_name(app: TestApp) {
    for body in [json!({}), json!({ "name": "" }), json!({ "name": "  " }), json!({ "name": null })] {
        app.post("", "/v1/tenants", &body).await.is_error(400, r#""name" is required"#);
    }
    app.post("", "/v1/tenants", &json!({ "name": 1 })).await.is_error(400, r#""name" must be a string"#);
    assert_eq!(app.post("", "/v1/tenants", &json!({ "name": "x".repeat(1000) })).await.status, 400);
    assert_eq!(app.sql().await.number("SELECT count(*) FROM tenants").await, 1, "none of these made one");
}

async fn tenant_creation_can_be_closed(setup: Setup) {
    let app = setup.start_with(|config| config.registration.open_tenants = false).await;
    let body = json!({ "name": "Acme" });
    app.post("", "/v1/tenants", &body).await.is_error(401, "Unauthorized");
    app.post("nonsense", "/v1/tenants", &body).await.is_error(401, "Unauthorized");
    let reader = app.service_token("tenant:read").await;
    let refused = app.post(&reader, "/v1/tenants", &body).await;
    refused.is_error(403, "Forbidden");
    assert!(refused.header("www-authenticate").unwrap().contains(r#"error="insufficient_scope""#), "{refused:?}");
    let writer = app.service_token("tenant:write").await;
    app.post(&writer, "/v1/tenants", &body).await.expect(201);
}

async fn a_person_registers(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    for key in [&tenant.public, &tenant.secret] {
        let body =
            json!({ "email": format!("{}@example.org", &key[..3]), "password": "123456", "profile": { "a": 1 } });
        let made = app.post(key, "/v1/auth/register", &body).await.body(201);
        assert_eq!(keys(&made), ["created_at", "email", "id", "profile"]);
        assert!(made["id"].as_str().unwrap().starts_with("usr_"));
        assert_eq!(made["email"], body["email"]);
        assert_eq!(made["profile"], json!({ "a": 1 }));
        is_a_moment(&made["created_at"], app.now());
    }
    let bare = json!({ "email": "bare@example.org", "password": "123456" });
    assert_eq!(app.post(&tenant.public, "/v1/auth/register", &bare).await.body(201)["profile"], json!({}));
    for key in ["", "pub_x", "nonsense", &tenant.id] {
        app.post(key, "/v1/auth/register", &bare).await.is_error(401, "tenant not found");
    }
}

async fn registration_says_what_is_wrong(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    for (body, message) in [
        (json!({}), r#""email" is required"#),
        (json!({ "email": "a@example.org" }), r#""password" is required"#),
        (json!({ "email": "", "password": "123456" }), r#""email" is required"#),
        (json!({ "email": "a@example.org", "password": "" }), r#""password" is required"#),
        (json!({ "email": "a@example.org", "password": "12345" }), r#""password" must be at least 6 characters"#),
        (json!({ "email": "nonsense", "password": "123456" }), r#""email" is not a valid email"#),
        (json!({ "email": "a@b@c", "password": "123456" }), r#""email" is not a valid email"#),
        (json!({ "email": "a b@example.org", "password": "123456" }), r#""email" is not a valid email"#),
        (json!({ "email": 1, "password": "123456" }), r#""email" must be a string"#),
        (json!({ "email": "a@example.org", "password": 123_456 }), r#""password" must be a string"#),
        (json!({ "email": "a@example.org", "password": "123456", "profile": [] }), r#""profile" must be an object"#),
        (json!({ "email": "a@example.org", "password": "123456", "profile": "x" }), r#""profile" must be an object"#),
    ] {
        app.post(&tenant.public, "/v1/auth/register", &body).await.is_error(400, message);
    }
    // Six characters are six characters in any script.
    let body = json!({ "email": "a@example.org", "password": "密码密码密码" });
    app.post(&tenant.public, "/v1/auth/register", &body).await.expect(201);
    assert_eq!(app.sql().await.number("SELECT count(*) FROM users").await, 2, "the administrator and this one");
}

async fn an_address_is_taken_once(app: TestApp) {
    let (tenant, other) = (app.tenant("Acme").await, app.tenant("Other").await);
    let body = |email: &str| json!({ "email": email, "password": "123456" });
    app.post(&tenant.public, "/v1/auth/register", &body("Alice@example.org")).await.expect(201);
    for same in
        ["Alice@example.org", "alice@example.org", "ALICE@EXAMPLE.ORG", " alice@example.org", "ａlice@example.org"]
    {
        let answer = app.post(&tenant.public, "/v1/auth/register", &body(same)).await;
        answer.is_error(409, "email already registered");
    }
    // Each tenant has a user space of its own.
    app.post(&other.public, "/v1/auth/register", &body("alice@example.org")).await.expect(201);
}

async fn profiles_are_kept_as_they_are(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let profile = json!({ "z": [1, 2.5, null, true], "ü": { "nested": { "deep": "\u{1F600}" } }, "": "", "n": -0.125 });
    let body = json!({ "email": "a@example.org", "password": "123456", "profile": profile });
    let id = app.post(&tenant.public, "/v1/auth/register", &body).await.expect(201).str("id");
    assert_eq!(app.get_as(&tenant.secret, &format!("/v1/users/{id}")).await.body(200)["profile"], profile);
    // 16 KiB fit, one byte more does not.
    for (size, status) in [(16 * 1024, 201), (16 * 1024 + 1, 400)] {
        let profile = json!({ "x": "y".repeat(size - r#"{"x":""}"#.len()) });
        assert_eq!(profile.to_string().len(), size);
        let body = json!({ "email": format!("{size}@example.org"), "password": "123456", "profile": profile });
        app.post(&tenant.public, "/v1/auth/register", &body).await.expect(status);
    }
}

async fn a_person_signs_in(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let body = json!({ "email": "Alice@example.org", "password": "123456", "profile": { "a": 1 } });
    let made = app.post(&tenant.public, "/v1/auth/register", &body).await.body(201);
    for key in [&tenant.public, &tenant.secret] {
        let login = json!({ "email": "alice@EXAMPLE.org", "password": "123456" });
        let answer = app.post(key, "/v1/auth/login", &login).await.body(200);
        assert_eq!(keys(&answer), ["token", "user"]);
        assert_eq!(answer["user"], made);
        let claims = claims_of(answer["token"].as_str().unwrap());
        assert_eq!(claims["iss"], json!(tenant.issuer));
        assert_eq!(claims["sub"], made["id"]);
        assert_eq!(claims["tenant_id"], json!(tenant.id));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 86_400);
    }
    for (body, message) in [
        (json!({ "password": "123456" }), r#""email" is required"#),
        (json!({ "email": "alice@example.org" }), r#""password" is required"#),
    ] {
        app.post(&tenant.public, "/v1/auth/login", &body).await.is_error(400, message);
    }
}

async fn every_failed_sign_in_says_the_same(app: TestApp) {
    let (tenant, other) = (app.tenant("Acme").await, app.tenant("Other").await);
    let (id, _) = app.tenant_user(&tenant, "disabled@example.org", "123456").await;
    users::set_enabled(&app.ctx_of(&tenant).await, id.parse().unwrap(), false).await.unwrap();
    app.tenant_user(&tenant, "alice@example.org", "123456").await;
    for (key, email, password) in [
        (&tenant.public, "alice@example.org", "wrong password"),
        (&tenant.public, "nobody@example.org", "123456"),
        (&tenant.public, "not an address", "123456"),
        (&tenant.public, "disabled@example.org", "123456"),
        (&other.public, "alice@example.org", "123456"),
        (&tenant.public, "alice@example.org", &*"x".repeat(10_000)),
    ] {
        let answer = app.post(key, "/v1/auth/login", &json!({ "email": email, "password": password })).await;
        answer.is_error(401, "invalid email or password");
    }
    let login = json!({ "email": "alice@example.org", "password": "123456" });
    app.post("pub_unknown", "/v1/auth/login", &login).await.is_error(401, "tenant not found");
}

async fn the_person_sees_themselves(app: TestApp) {
    let (tenant, other) = (app.tenant("Acme").await, app.tenant("Other").await);
    let (id, token) = app.tenant_user(&tenant, "alice@example.org", "123456").await;
    let me = app.get_as(&token, "/v1/users/me").await.body(200);
    assert_eq!(keys(&me), ["created_at", "email", "id", "profile"]);
    assert_eq!(me["id"], json!(id));
    let service = app.service_token("user:read internal:admin").await;
    for bearer in ["nonsense", &tenant.public, &tenant.secret, &other.secret, &service, &token[1..]] {
        app.get_as(bearer, "/v1/users/me").await.is_error(401, "user not authenticated");
    }
    let answer = app.get("/v1/users/me").await;
    answer.is_error(401, "user not authenticated");
    let challenge = answer.header("www-authenticate").unwrap();
    // RFC 6750 §3.1: no error code where no token was sent.
    assert!(challenge.starts_with("Bearer") && !challenge.contains("error"), "{challenge}");
    app.advance(Duration::from_secs(86_399));
    app.get_as(&token, "/v1/users/me").await.expect(200);
    app.advance(Duration::from_secs(1));
    app.get_as(&token, "/v1/users/me").await.is_error(401, "user not authenticated");
}

async fn a_token_ends_with_what_it_stands_on(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let (id, token) = app.tenant_user(&tenant, "alice@example.org", "123456").await;
    let ctx = app.ctx_of(&tenant).await;
    users::set_enabled(&ctx, id.parse().unwrap(), false).await.unwrap();
    app.get_as(&token, "/v1/users/me").await.is_error(401, "user not authenticated");
    users::set_enabled(&ctx, id.parse().unwrap(), true).await.unwrap();
    app.get_as(&token, "/v1/users/me").await.is_error(401, "user not authenticated");
    let (_, token) = app.tenant_user(&tenant, "bob@example.org", "123456").await;
    let bob = users::find_by_identifier(&ctx, "bob@example.org").await.unwrap().id;
    users::set_password(&ctx, bob, "654321", 6).await.unwrap();
    app.get_as(&token, "/v1/users/me").await.is_error(401, "user not authenticated");
    // Who typed their password into an app may see themselves through it.
    let people = register(&ctx, password_app("openid")).await;
    let fields = [("grant_type", "password"), ("username", "bob@example.org"), ("password", "654321")];
    let path = format!("/t/{}/oauth/token", tenant.id);
    let answer = app.basic(&path, &people.id, &people.secret, &fields).await.expect(200);
    app.get_as(&answer.str("access_token"), "/v1/users/me").await.expect(200);
}

async fn users_are_listed_by_page(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let mut made = Vec::new();
    for n in 0..7 {
        let body = json!({ "email": format!("{n}@example.org"), "password": "123456" });
        made.push(app.post(&tenant.public, "/v1/auth/register", &body).await.body(201));
        app.advance(Duration::from_millis(3));
    }
    let all = app.get_as(&tenant.secret, "/v1/users").await.body(200);
    assert_eq!(keys(&all), ["users"], "nothing more remains, so there is no cursor");
    assert_eq!(all["users"], json!(made), "in the order in which they were made");
    let (mut found, mut path, mut pages) = (Vec::new(), "/v1/users?limit=3".to_owned(), 0);
    loop {
        let page = app.get_as(&tenant.secret, &path).await.body(200);
        pages += 1;
        found.extend(page["users"].as_array().unwrap().clone());
        let Some(cursor) = page.get("next_cursor") else { break };
        path = format!("/v1/users?limit=3&cursor={}", cursor.as_str().unwrap());
    }
    assert_eq!((found, pages), (made, 3));
    app.get_as(&tenant.secret, "/v1/users?limit=1000").await.expect(200);
    for bad in ["limit=0", "limit=-1", "limit=x", "cursor=x", "limit=3&limit=4"] {
        let answer = app.get_as(&tenant.secret, &format!("/v1/users?{bad}")).await;
        assert_eq!(answer.status, 400, "{bad}: {answer:?}");
    }
}

async fn a_user_is_shown_to_their_tenant_alone(app: TestApp) {
    let (tenant, other) = (app.tenant("Acme").await, app.tenant("Other").await);
    let (id, token) = app.tenant_user(&tenant, "alice@example.org", "123456").await;
    let shown = app.get_as(&tenant.secret, &format!("/v1/users/{id}")).await.body(200);
    assert_eq!(shown, app.get_as(&token, "/v1/users/me").await.body(200));
    // A user of another tenant counts as none.
    app.get_as(&other.secret, &format!("/v1/users/{id}")).await.is_error(404, "user not found");
    for unknown in ["usr_00000000000000000000000000000000", "usr_x", "1", &tenant.id] {
        app.get_as(&tenant.secret, &format!("/v1/users/{unknown}")).await.is_error(404, "user not found");
    }
    assert_eq!(app.get_as(&other.secret, "/v1/users").await.body(200), json!({ "users": [] }));
}

async fn keys_open_what_they_are_for(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let (id, token) = app.tenant_user(&tenant, "alice@example.org", "123456").await;
    for path in ["/v1/users".to_owned(), format!("/v1/users/{id}")] {
        for bearer in [&tenant.public, &token, "nonsense", &format!("{}x", tenant.secret), &tenant.secret[..52]] {
            app.get_as(bearer, &path).await.is_error(401, "tenant not found");
        }
        let answer = app.get(&path).await;
        answer.is_error(401, "tenant not found");
        for scheme in ["Basic", "bearer_", "Token"] {
            let request =
                app.request(reqwest::Method::GET, &path).header("authorization", format!("{scheme} {}", tenant.secret));
            app.send(request).await.is_error(401, "tenant not found");
        }
        let request =
            app.request(reqwest::Method::GET, &path).header("authorization", format!("bearer {}", tenant.secret));
        app.send(request).await.expect(200);
    }
    // A service of the tenant is no key of the tenant.
    let service = register(&app.ctx_of(&tenant).await, NewClient::service("a service")).await;
    let fields = [("grant_type", "client_credentials")];
    let path = format!("/t/{}/oauth/token", tenant.id);
    let access = app.basic(&path, &service.id, &service.secret, &fields).await.expect(200).str("access_token");
    app.get_as(&access, "/v1/users").await.is_error(401, "tenant not found");
}

async fn keys_can_be_rolled_over(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let overlap = Duration::from_secs(3600);
    let ctx = app.ctx_of(&tenant).await;
    let new = tenants::rotate_key(&ctx, TenantKeyKind::Secret, overlap).await.unwrap().expose().clone();
    for key in [&tenant.secret, &new] {
        app.get_as(key, "/v1/users").await.expect(200);
    }
    app.advance(overlap);
    app.get_as(&tenant.secret, "/v1/users").await.is_error(401, "tenant not found");
    app.get_as(&new, "/v1/users").await.expect(200);
    // Without overlap the old key ends at once; the other kind is not touched.
    let newest = tenants::rotate_key(&ctx, TenantKeyKind::Secret, Duration::ZERO).await.unwrap().expose().clone();
    app.get_as(&new, "/v1/users").await.is_error(401, "tenant not found");
    app.get_as(&newest, "/v1/users").await.expect(200);
    let body = json!({ "email": "a@example.org", "password": "123456" });
    app.post(&tenant.public, "/v1/auth/register", &body).await.expect(201);
}
