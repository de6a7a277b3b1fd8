//! `idaas.md`: services, machine to machine.

use std::time::Duration;

use gatehouse::domain::access::Powers;
use gatehouse::domain::{DomainError, services, tokens};
use gatehouse::model::time::Timestamp;
use serde_json::{Value, json};

use crate::support::{Client, Setup, TestApp, both_engines, claims_of};

both_engines!(
    a_service_registers,
    registration_can_be_closed,
    a_service_gets_a_token_two_ways,
    failed_authentication_names_its_cause,
    a_token_is_validated,
    a_scope_is_granted_and_revoked,
    a_revoked_scope_stops_with_tokens_already_issued,
    who_has_lost_internal_admin_grants_nothing,
    a_service_asks_what_it_may_do,
    administration_takes_internal_admin,
    services_are_listed,
    what_a_service_does_is_logged,
    numbers_about_a_service,
    clean_up_is_a_literal,
);

const INTERNAL: &str = "/v1/internal/services";

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn admin(app: &TestApp) -> String {
    app.service_token("internal:admin").await
}

async fn a_service_registers(app: TestApp) {
    let body = json!({ "service_name": "billing", "description": "sends bills" });
    let made = app.post("", "/v1/internal/services/register", &body).await.body(201);
    assert_eq!(
        keys(&made),
        ["client_id", "client_secret", "created_at", "description", "message", "service_name", "warning"]
    );
    assert_eq!(made["service_name"], "billing");
    assert_eq!(made["description"], "sends bills");
    assert_eq!(made["message"], "Service registered successfully");
    assert_eq!(made["warning"], "Please save the client_secret securely. It will not be shown again.");
    assert_eq!(made["created_at"], json!(app.now().rfc3339()));
    assert!(made["client_id"].as_str().unwrap().starts_with("svc_"));
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    let client = Client { id: text("client_id"), secret: text("client_secret") };
    // A new one has no scopes, whatever it asks for.
    assert_eq!(app.credentials(&client).await.expect(200).str("scope"), "");
    let fields = [("grant_type", "client_credentials"), ("scope", "user:read")];
    app.basic("/oauth/token", &client.id, &client.secret, &fields).await.is_oauth_error(400, "invalid_scope");
    for (body, message) in [
        (json!({}), r#""service_name" is required"#),
        (json!({ "service_name": " " }), r#""service_name" is required"#),
        (json!({ "service_name": 1 }), r#""service_name" must be a string"#),
        (json!({ "service_name": "x", "description": {} }), r#""description" must be a string"#),
    ] {
        app.post("", "/v1/internal/services/register", &body).await.is_error(400, message);
    }
    // The description may be left out.
    app.post("", "/v1/internal/services/register", &json!({ "service_name": "bare" })).await.expect(201);
}

async fn registration_can_be_closed(setup: Setup) {
    let app = setup.start_with(|config| config.registration.open_services = false).await;
    let body = json!({ "service_name": "billing" });
    app.post("", "/v1/internal/services/register", &body).await.is_error(401, "Unauthorized");
    let reader = app.service_token("user:read").await;
    app.post(&reader, "/v1/internal/services/register", &body).await.is_error(403, "Forbidden");
    app.post(&admin(&app).await, "/v1/internal/services/register", &body).await.expect(201);
}

async fn a_service_gets_a_token_two_ways(app: TestApp) {
    let service = app.service("user:read auth:token").await;
    let body = json!({ "client_id": service.id, "client_secret": service.secret });
    let answer = app.post("", "/v1/internal/services/authenticate", &body).await.body(200);
    assert_eq!(keys(&answer), ["access_token", "expires_in", "scopes", "token_type"]);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 300);
    let mut scopes: Vec<&str> = answer["scopes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["auth:token", "user:read"]);
    let one = claims_of(answer["access_token"].as_str().unwrap());
    let other = claims_of(&app.token_of(&service).await);
    for claim in ["sub", "client_id", "scope", "iss", "aud", "iat", "exp"] {
        assert_eq!(one[claim], other[claim], "{claim}");
    }
    let bare = app.service("").await;
    let body = json!({ "client_id": bare.id, "client_secret": bare.secret });
    assert_eq!(app.post("", "/v1/internal/services/authenticate", &body).await.body(200)["scopes"], json!([]));
}

async fn failed_authentication_names_its_cause(app: TestApp) {
    let service = app.service("").await;
    let people = app.password_app("openid").await;
    let path = "/v1/internal/services/authenticate";
    let body = |id: &str, secret: &str| json!({ "client_id": id, "client_secret": secret });
    for unknown in ["svc_unknown", "a b", &people.id] {
        app.post("", path, &body(unknown, &people.secret)).await.is_error(401, "Client not found");
    }
    app.post("", path, &body(&service.id, "wrong")).await.is_error(401, "Invalid client credentials");
    app.post("", path, &json!({ "client_secret": "x" })).await.is_error(400, r#""client_id" is required"#);
    app.post("", path, &json!({ "client_id": "x" })).await.is_error(400, r#""client_secret" is required"#);
}

async fn a_token_is_validated(app: TestApp) {
    let service = app.service("user:read").await;
    let token = app.token_of(&service).await;
    let validate = async |token: &str| {
        app.post("", "/v1/internal/services/validate-token", &json!({ "token": token })).await.body(200)
    };
    let exp = claims_of(&token)["exp"].clone();
    let valid = json!({ "valid": true, "client_id": service.id, "scopes": ["user:read"], "exp": exp });
    assert_eq!(validate(&token).await, valid);
    let person = app.admin_token().await;
    for bad in ["x", "a.b.c", &token[..token.len() - 1], &person] {
        assert_eq!(validate(bad).await, json!({ "valid": false }), "{bad}");
    }
    app.basic("/oauth/revoke", &service.id, &service.secret, &[("token", &token)]).await.expect(200);
    assert_eq!(validate(&token).await, json!({ "valid": false }), "revoked");
    let token = app.token_of(&service).await;
    app.advance(Duration::from_secs(300));
    assert_eq!(validate(&token).await, json!({ "valid": false }), "expired");
    let missing = app.post("", "/v1/internal/services/validate-token", &json!({})).await;
    missing.is_error(400, r#""token" is required"#);
}

async fn a_scope_is_granted_and_revoked(app: TestApp) {
    let admin = admin(&app).await;
    let service = app.service("").await;
    let wish = json!({ "client_id": service.id, "scope_name": "user:read" });
    for _ in 0..2 {
        let answer = app.post(&admin, "/v1/internal/services/grant-scope", &wish).await.body(200);
        assert_eq!(answer, json!({ "message": "Scope granted successfully" }));
        assert_eq!(app.credentials(&service).await.expect(200).str("scope"), "user:read");
    }
    for _ in 0..2 {
        let answer = app.post(&admin, "/v1/internal/services/revoke-scope", &wish).await.body(200);
        assert_eq!(answer, json!({ "message": "Scope revoked successfully" }));
        assert_eq!(app.credentials(&service).await.expect(200).str("scope"), "");
    }
    for verb in ["grant-scope", "revoke-scope"] {
        let path = format!("{INTERNAL}/{verb}");
        let unknown = json!({ "client_id": "svc_unknown", "scope_name": "user:read" });
        app.post(&admin, &path, &unknown).await.is_error(404, "Client not found");
        let scope = json!({ "client_id": service.id, "scope_name": "no:such" });
        assert_eq!(app.post(&admin, &path, &scope).await.status, 400);
        let missing = json!({ "client_id": service.id });
        app.post(&admin, &path, &missing).await.is_error(400, r#""scope_name" is required"#);
    }
    // An app is no service.
    let people = app.password_app("openid").await;
    let wish = json!({ "client_id": people.id, "scope_name": "user:read" });
    app.post(&admin, "/v1/internal/services/grant-scope", &wish).await.is_error(404, "Client not found");
    let audit = "SELECT count(*) FROM audit_log WHERE action IN ('service.grant_scope', 'service.revoke_scope')";
    assert_eq!(app.sql().await.number(audit).await, 2, "a row for what changed, none for what did not");
}

async fn a_revoked_scope_stops_with_tokens_already_issued(app: TestApp) {
    let admin = admin(&app).await;
    let service = app.service("user:read tenant:read").await;
    let token = app.token_of(&service).await;
    app.get_as(&token, "/api/internal/users").await.expect(200);
    let wish = json!({ "client_id": service.id, "scope_name": "user:read" });
    app.post(&admin, "/v1/internal/services/revoke-scope", &wish).await.expect(200);
    app.get_as(&token, "/api/internal/users").await.is_error(403, "Forbidden");
    app.get_as(&token, "/api/internal/tenants").await.expect(200);
    let seen = app.post("", "/v1/internal/services/validate-token", &json!({ "token": token })).await.body(200);
    assert_eq!(seen["scopes"], json!(["tenant:read"]));
}

async fn who_has_lost_internal_admin_grants_nothing(app: TestApp) {
    let (boss, service) = (app.service("internal:admin").await, app.service("").await);
    let token = tokens::verify(&app.core, &app.token_of(&boss).await).await.unwrap();
    // A request that was let in the moment before.
    let powers = Powers::of(&app.core, &token).await.unwrap();
    let (ctx, id) = (app.ctx().await, service.id.parse().unwrap());
    services::set_scope(&ctx, powers.clone(), &id, "user:read", true).await.unwrap();
    services::set_scope(&ctx, Powers::operator(), &boss.id.parse().unwrap(), "internal:admin", false).await.unwrap();
    let refused = services::set_scope(&ctx, powers, &id, "user:write", true).await;
    assert!(matches!(refused, Err(DomainError::Forbidden("internal:admin"))), "{refused:?}");
    assert_eq!(services::find(&ctx, &id).await.unwrap().permissions.to_string(), "user:read");
}

async fn a_service_asks_what_it_may_do(app: TestApp) {
    let service = app.service("user:read").await;
    let token = app.token_of(&service).await;
    let path = "/v1/internal/services/check-permission";
    let wish = |id: &str, scope: &str| json!({ "client_id": id, "scope_name": scope });
    for (scope, held) in [("user:read", true), ("user:write", false), ("no:such", false)] {
        let answer = app.post(&token, path, &wish(&service.id, scope)).await.body(200);
        assert_eq!(answer, json!({ "has_permission": held }), "{scope}");
    }
    let other = app.service("user:write").await;
    app.post(&token, path, &wish(&other.id, "user:write")).await.is_error(403, "Forbidden");
    app.post(&token, path, &wish("svc_unknown", "user:write")).await.is_error(403, "Forbidden");
    let admin = admin(&app).await;
    assert_eq!(
        app.post(&admin, path, &wish(&other.id, "user:write")).await.body(200),
        json!({ "has_permission": true })
    );
    app.post(&admin, path, &wish("svc_unknown", "user:write")).await.is_error(404, "Client not found");
    app.post("", path, &wish(&other.id, "user:write")).await.is_error(401, "Unauthorized");
}

async fn administration_takes_internal_admin(app: TestApp) {
    let service = app.service("user:read system:admin").await;
    let (token, person) = (app.token_of(&service).await, app.admin_token().await);
    let wish = json!({ "client_id": service.id, "scope_name": "internal:admin" });
    let logs = format!("{INTERNAL}/{}/logs", service.id);
    let statistics = format!("{INTERNAL}/{}/statistics", service.id);
    for (method, path) in [
        ("POST", "/v1/internal/services/grant-scope"),
        ("POST", "/v1/internal/services/revoke-scope"),
        ("POST", "/v1/internal/services/cleanup-tokens"),
        ("GET", INTERNAL),
        ("GET", &logs),
        ("GET", &statistics),
    ] {
        let call = async |bearer: &str| match method {
            "GET" if bearer.is_empty() => app.get(path).await,
            "GET" => app.get_as(bearer, path).await,
            _ => app.post(bearer, path, &wish).await,
        };
        call("").await.is_error(401, "Unauthorized");
        call("nonsense").await.is_error(401, "Unauthorized");
        let refused = call(&token).await;
        refused.is_error(403, "Forbidden");
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(
            challenge.contains(r#"error="insufficient_scope""#) && challenge.contains("internal:admin"),
            "{challenge}"
        );
        call(&person).await.is_error(403, "Forbidden");
    }
    assert_eq!(app.credentials(&service).await.expect(200).str("scope").split(' ').count(), 2, "nothing was granted");
}

async fn services_are_listed(app: TestApp) {
    let admin_token = admin(&app).await;
    let body = json!({ "service_name": "billing", "description": "sends bills" });
    let made = app.post("", "/v1/internal/services/register", &body).await.body(201);
    app.password_app("openid").await;
    let listed = app.get_as(&admin_token, INTERNAL).await.body(200);
    assert_eq!(keys(&listed), ["services"]);
    let services = listed["services"].as_array().unwrap();
    assert_eq!(services.len(), 3, "that of the first start, the administrator's and this one, and no app: {listed}");
    let found = services.iter().find(|service| service["client_id"] == made["client_id"]).unwrap();
    let expected = json!({
        "client_id": made["client_id"], "service_name": "billing", "description": "sends bills",
        "created_at": made["created_at"],
    });
    assert_eq!(*found, expected);
    let text = listed.to_string();
    assert!(!text.contains("secret"), "{text}");
    // The control plane lists the same.
    assert_eq!(app.get_as(&admin_token, "/api/internal/admin/services").await.body(200), listed);
}

async fn what_a_service_does_is_logged(app: TestApp) {
    let admin = admin(&app).await;
    let service = app.service("user:read").await;
    let token = app.token_of(&service).await;
    app.get_as(&token, "/api/internal/users?search=secret").await.expect(200);
    app.advance(Duration::from_secs(1));
    app.get_as(&token, INTERNAL).await.expect(403);
    let request = app.request(reqwest::Method::GET, "/v1/users/me").bearer_auth(&token).header("user-agent", "other");
    app.send(request).await.expect(401);
    let path = format!("{INTERNAL}/{}/logs", service.id);
    let log = app.get_as(&admin, &path).await.body(200);
    let lines = log.as_array().unwrap();
    assert_eq!(lines.len(), 2, "what is not internal is not logged: {log}");
    let expected = [
        "client_id",
        "created_at",
        "endpoint",
        "id",
        "ip_address",
        "method",
        "response_time_ms",
        "status_code",
        "user_agent",
    ];
    assert_eq!(keys(&lines[0]), expected);
    assert_eq!(lines[0]["endpoint"], INTERNAL, "newest first");
    assert_eq!(lines[0]["status_code"], 403);
    assert_eq!(lines[1]["endpoint"], "/api/internal/users", "without the query");
    assert_eq!(lines[1]["status_code"], 200);
    assert_eq!(lines[1]["method"], "GET");
    assert_eq!(lines[1]["client_id"], json!(service.id));
    assert_eq!(lines[1]["ip_address"], "127.0.0.1");
    assert!(lines[0]["id"].as_i64() > lines[1]["id"].as_i64());
    assert!(lines[1]["response_time_ms"].is_i64());
    let one = |query: &str| format!("{path}?{query}");
    assert_eq!(app.get_as(&admin, &one("limit=1")).await.body(200), json!([lines[0]]));
    assert_eq!(app.get_as(&admin, &one("limit=1&offset=1")).await.body(200), json!([lines[1]]));
    assert_eq!(app.get_as(&admin, &one("offset=2")).await.body(200), json!([]));
    for bad in ["limit=x", "limit=-1", "offset=-1", "offset=x"] {
        assert_eq!(app.get_as(&admin, &one(bad)).await.status, 400, "{bad}");
    }
    let unknown = app.get_as(&admin, "/v1/internal/services/svc_unknown/logs").await;
    unknown.is_error(404, "Client not found");
}

async fn numbers_about_a_service(app: TestApp) {
    let admin = admin(&app).await;
    let service = app.service("user:read").await;
    let token = app.token_of(&service).await;
    let path = format!("{INTERNAL}/{}/statistics", service.id);
    let none = app.get_as(&admin, &path).await.body(200);
    let expected = ["avg_response_time", "client_id", "error_count", "since", "success_rate", "total_requests"];
    assert_eq!(keys(&none), expected);
    assert_eq!(none["total_requests"], 0);
    assert_eq!(none["error_count"], 0);
    for _ in 0..3 {
        app.get_as(&token, "/api/internal/users").await.expect(200);
    }
    app.get_as(&token, INTERNAL).await.expect(403);
    let some = app.get_as(&admin, &path).await.body(200);
    assert_eq!(some["client_id"], json!(service.id));
    assert_eq!(some["total_requests"], 4);
    assert_eq!(some["error_count"], 1);
    assert_eq!(some["success_rate"], 75.0);
    assert!(some["avg_response_time"].is_number());
    let since = Timestamp::parse_rfc3339(some["since"].as_str().unwrap()).unwrap();
    assert_eq!(app.now().since(since), Duration::from_secs(86_400), "24 hours unless said otherwise");
    app.advance(Duration::from_secs(1860));
    let (admin, at) = (self::admin(&app).await, |since: &str| format!("{path}?since={since}"));
    assert_eq!(app.get_as(&admin, &at("30m")).await.body(200)["total_requests"], 0);
    for since in ["32m", "7d", "2020-01-01T00:00:00Z"] {
        assert_eq!(app.get_as(&admin, &at(since)).await.body(200)["total_requests"], 4, "{since}");
    }
    for bad in ["x", "-1h", "24", "yesterday"] {
        assert_eq!(app.get_as(&admin, &at(bad)).await.status, 400, "{bad}");
    }
}

async fn clean_up_is_a_literal(app: TestApp) {
    let service = app.service("internal:admin").await;
    let token = app.token_of(&service).await;
    app.basic("/oauth/revoke", &service.id, &service.secret, &[("token", &token)]).await.expect(200);
    let revoked = "SELECT count(*) FROM revoked_tokens";
    assert_eq!(app.sql().await.number(revoked).await, 1);
    let clean = async || {
        app.post(&app.token_of(&service).await, "/v1/internal/services/cleanup-tokens", &json!({})).await.body(200)
    };
    assert_eq!(clean().await, json!({ "message": "Expired tokens cleaned up successfully" }));
    assert_eq!(app.sql().await.number(revoked).await, 1, "what has not expired is still needed");
    app.advance(Duration::from_secs(400));
    clean().await;
    assert_eq!(app.sql().await.number(revoked).await, 0);
}
