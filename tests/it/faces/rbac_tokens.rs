//! `/api/v1/auth/*` (`rbac.md`): what a token is worth, whose it is, and the next one.

use std::time::Duration;

use gatehouse::domain::clients::NewClient;
use gatehouse::domain::users;
use gatehouse::model::client::AuthMethod;
use reqwest::Method;
use serde_json::{Value, json};

use super::rbac::{is_detail, send, somebody};
use crate::support::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp, both_engines, claims_of, password_app, unsigned};

both_engines!(a_token_is_worth_something, whose_a_token_is, tokens_are_renewed, whose_refresh_tokens_are_used);

async fn validate(app: &TestApp, token: &str) -> Value {
    app.post("", "/api/v1/auth/validate-token", &json!({ "token": token })).await.body(200)
}

fn nothing() -> Value {
    json!({ "valid": false, "expired": false, "expires_at": null, "issued_at": null, "user_id": null,
        "user_type": null, "time_until_expiry": null })
}

async fn a_token_is_worth_something(app: TestApp) {
    let admin = app.admin_token().await;
    let claims = claims_of(&admin);
    let at = app.now();
    let life = Duration::from_secs(3600);
    let expected = json!({ "valid": true, "expired": false, "expires_at": (at + life).rfc3339(),
        "issued_at": at.rfc3339(), "user_id": claims["sub"], "user_type": "ADMIN", "time_until_expiry": 3600 });
    assert_eq!(validate(&app, &admin).await, expected);
    app.advance(Duration::from_secs(3599));
    assert_eq!(validate(&app, &admin).await["time_until_expiry"], 1);
    app.advance(Duration::from_secs(1));
    let mut expired = expected;
    expired["valid"] = json!(false);
    expired["expired"] = json!(true);
    expired["time_until_expiry"] = json!(0);
    assert_eq!(validate(&app, &admin).await, expired);
    // The signature is another's: nothing is said, however old.
    let (message, _) = admin.rsplit_once('.').unwrap();
    let other = app.admin_token().await;
    let (_, signature) = other.rsplit_once('.').unwrap();
    for garbage in [
        "x",
        "a.b.c",
        &format!("{message}.{signature}"),
        &unsigned(&json!({ "alg": "none", "typ": "at+jwt" }), &claims),
        "pub_x",
        "日",
    ] {
        assert_eq!(validate(&app, garbage).await, nothing(), "{garbage}");
    }
    // One that was ended, or whose person is out, is worth nothing; and no more is said.
    let (id, token) = somebody(&app, "alice@example.org", &[]).await;
    assert_eq!(validate(&app, &token).await["user_type"], "TENANT");
    users::set_enabled(&app.ctx().await, id.parse().unwrap(), false).await.unwrap();
    assert_eq!(validate(&app, &token).await, nothing());
    // Of any tenant, and of a service.
    let tenant = app.tenant("Acme").await;
    let (id, token) = app.tenant_user(&tenant, "far@example.org", "open sesame").await;
    let told = validate(&app, &token).await;
    assert_eq!((&told["valid"], &told["user_id"], &told["user_type"]), (&json!(true), &json!(id), &json!("TENANT")));
    let service = app.service("user:read").await;
    let token = app.token_of(&service).await;
    let told = validate(&app, &token).await;
    assert_eq!(
        (&told["valid"], &told["user_id"], &told["user_type"]),
        (&json!(true), &json!(service.id), &json!("TENANT"))
    );
    app.basic("/oauth/revoke", &service.id, &service.secret, &[("token", &token)]).await.expect(200);
    assert_eq!(validate(&app, &token).await, nothing());
    let missing = app.post("", "/api/v1/auth/validate-token", &json!({})).await;
    is_detail(&missing, 400, "「token」为必填项");
}

async fn whose_a_token_is(app: TestApp) {
    const PATH: &str = "/api/v1/auth/user-info";
    let nobody = json!({ "authenticated": false, "user": null });
    assert_eq!(app.get(PATH).await.body(200), nobody);
    for bad in ["x", "a.b.c"] {
        assert_eq!(app.get_as(bad, PATH).await.body(200), nobody);
    }
    let admin = app.admin_token().await;
    let told = app.get_as(&admin, PATH).await.body(200);
    let sub = &claims_of(&admin)["sub"];
    let mut every: Vec<&str> = gatehouse::model::permission::SEEDED.iter().map(|(code, _)| *code).collect();
    every.sort_unstable();
    assert_eq!(
        told,
        json!({ "authenticated": true, "user": { "user_id": sub, "user_type": "ADMIN", "subject": sub,
            "permissions": every, "roles": ["super_admin"],
            "expires_at": (app.now() + Duration::from_secs(3600)).rfc3339() } })
    );
    let service = app.service("user:write user:read").await;
    let token = app.token_of(&service).await;
    let told = app.get_as(&token, PATH).await.body(200);
    assert_eq!(
        (&told["user"]["user_id"], &told["user"]["user_type"], &told["user"]["permissions"], &told["user"]["roles"]),
        (&json!(service.id), &json!("TENANT"), &json!(["user:read", "user:write"]), &json!([]))
    );
    app.advance(Duration::from_secs(3600));
    assert_eq!(app.get_as(&admin, PATH).await.body(200), nobody);
}

/// A client that keeps no secret, and a refresh token of it.
async fn public_refresh_token(app: &TestApp) -> String {
    let public = NewClient { auth_method: AuthMethod::None, ..password_app("openid") };
    let client = app.client(public).await;
    let grant = [
        ("grant_type", "password"),
        ("username", ADMIN_EMAIL),
        ("password", ADMIN_PASSWORD),
        ("client_id", &*client.id),
    ];
    app.form("/oauth/token", &grant).await.expect(200).str("refresh_token")
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    app.post("", "/api/v1/auth/refresh-token", &json!({ "refresh_token": token })).await
}

async fn tokens_are_renewed(app: TestApp) {
    let first = public_refresh_token(&app).await;
    let answer = refresh(&app, &first).await.body(200);
    let members: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["access_token", "expires_in", "refresh_token", "token_type"]);
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("bearer"), &json!(3600)));
    let (access, second) = (answer["access_token"].as_str().unwrap(), answer["refresh_token"].as_str().unwrap());
    assert_ne!(first, second);
    send(&app, access, Method::GET, "/api/v1/roles", Value::Null).await.expect(200);
    let third = refresh(&app, second).await.expect(200).str("refresh_token");
    // Replayed, the old one ends the whole family; at once, unlike at `/oauth/token`.
    is_detail(&refresh(&app, &first).await, 401, "无效的访问令牌");
    is_detail(&refresh(&app, &third).await, 401, "无效的访问令牌");
    is_detail(&app.get_as(access, "/api/v1/roles").await, 401, "无效的访问令牌");
}

async fn whose_refresh_tokens_are_used(app: TestApp) {
    // One of a client with a secret takes the secret (RFC 6749 §6), and is not used up here.
    let people = app.password_app("openid").await;
    let bound = app.sign_in(&people, ADMIN_EMAIL, ADMIN_PASSWORD).await.expect(200).str("refresh_token");
    is_detail(&refresh(&app, &bound).await, 401, "无效的访问令牌");
    app.refresh(&people, &bound).await.expect(200);
    for bad in ["x", "ghr_x", "日"] {
        is_detail(&refresh(&app, bad).await, 401, "无效的访问令牌");
    }
    for bad in [json!({}), json!({ "refresh_token": "" }), json!({ "refresh_token": 1 })] {
        app.post("", "/api/v1/auth/refresh-token", &bad).await.expect(400);
    }
    // One of a person who is out is none.
    let token = public_refresh_token(&app).await;
    somebody(&app, "second@example.org", &["super_admin"]).await;
    let ctx = app.ctx().await;
    let boss = users::find_by_identifier(&ctx, ADMIN_EMAIL).await.unwrap().id;
    users::set_enabled(&ctx, boss, false).await.unwrap();
    is_detail(&refresh(&app, &token).await, 401, "无效的访问令牌");
}
