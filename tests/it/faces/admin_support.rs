//! `/api/admin/v1/*`: what an operator does for people who can't get in, or were never asked.

use gatehouse::domain::users::NewPassword;
use reqwest::Method;
use serde_json::{Value, json};

use super::admin::{EVERYTHING, call, delete, get, post, problem};
use crate::factors::{with_app, with_passkey};
use crate::support::{Setup, TestApp, both_engines, by_name, make_user};

both_engines!(
    a_locked_account_is_seen_and_opened,
    lost_factors_are_removed,
    links_are_mailed,
    invitations_are_made_again_and_withdrawn,
    a_password_is_as_long_as_the_tenant_wants,
);

async fn a_locked_account_is_seen_and_opened(setup: Setup) {
    let app = setup.start_with(|config| config.lockout.failures = 2).await;
    let token = app.service_token(EVERYTHING).await;
    let id = app.user("ann@example.org", "a quiet harbour").await.id.to_string();
    let client = app.password_app("openid").await;
    for _ in 0..3 {
        app.sign_in(&client, "ann@example.org", "wrong").await.is_oauth_error(400, "invalid_grant");
    }
    let locked = get(&app, &token, &format!("/users/{id}")).await.body(200);
    let until = (app.now() + app.config.lockout.duration).rfc3339();
    assert_eq!(locked["locked_until"], until);
    assert_eq!(get(&app, &token, "/users?search=ann").await.body(200)["items"], json!([locked]));
    call(&app, &token, Method::POST, &format!("/users/{id}/unlock"), None).await.expect(204);
    assert_eq!(get(&app, &token, &format!("/users/{id}")).await.body(200)["locked_until"], Value::Null);
    app.sign_in(&client, "ann@example.org", "a quiet harbour").await.expect(200);
}

async fn lost_factors_are_removed(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let token = app.service_token(EVERYTHING).await;
    let ann = app.user("ann@example.org", "a quiet harbour").await;
    with_app(&app, &ann).await;
    with_passkey(&app.ctx().await, &ann).await;
    let path = format!("/users/{}/factors", ann.id);
    let shown = get(&app, &token, &path).await.body(200);
    assert_eq!((&shown["totp"], &shown["passkeys"][0]["name"]), (&json!(true), &json!("My phone")));
    assert!(shown["recovery_codes_left"].as_u64().unwrap() > 0, "{shown}");
    let client = app.password_app("openid").await;
    app.sign_in(&client, "ann@example.org", "a quiet harbour").await.is_oauth_error(400, "invalid_grant");
    for _ in 0..2 {
        delete(&app, &token, &path).await.expect(204);
    }
    let none = json!({ "totp": false, "passkeys": [], "recovery_codes_left": 0 });
    assert_eq!(get(&app, &token, &path).await.body(200), none);
    app.sign_in(&client, "ann@example.org", "a quiet harbour").await.expect(200);
    app.mail_to("ann@example.org", "takes your password alone").await;
    let log = get(&app, &token, &format!("/audit?action=factor.remove_all&target=user:{}", ann.id)).await.body(200);
    assert_eq!(log["items"].as_array().unwrap().len(), 1, "{log}");
}

async fn links_are_mailed(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let made = post(&app, &token, "/users", json!({ "email": "ann@example.org" })).await.body(201);
    let path = format!("/users/{}/mail", made["id"].as_str().unwrap());
    post(&app, &token, &path, json!({ "kind": "verify_email" })).await.expect(202);
    let link = app.mail_to("ann@example.org", "").await.link.unwrap();
    assert!(link.contains("/verify-email?token="), "{link}");
    post(&app, &token, &path, json!({ "kind": "reset_password" })).await.expect(202);
    let link = app.mail_to("ann@example.org", "").await.link.unwrap();
    assert!(link.contains("/reset-password?token="), "{link}");
    for wrong in [json!({}), json!({ "kind": "new_device" })] {
        problem(&post(&app, &token, &path, wrong).await, 400);
    }
    let proved = json!({ "email": "bob@example.org", "email_verified": true });
    let proved = post(&app, &token, "/users", proved).await.expect(201).str("id");
    let silent = post(&app, &token, "/users", json!({ "username": "eve" })).await.expect(201).str("id");
    for (id, why) in [(proved, "the address is proved already"), (silent, "the user has no address")] {
        let refused = post(&app, &token, &format!("/users/{id}/mail"), json!({ "kind": "verify_email" })).await;
        assert_eq!(problem(&refused, 409), why);
    }
}

async fn invitations_are_made_again_and_withdrawn(app: TestApp) {
    let service = app.service(EVERYTHING).await;
    let token = app.token_of(&service).await;
    let organization = post(&app, &token, "/organizations", json!({ "name": "Acme" })).await.expect(201).str("id");
    let path = format!("/organizations/{organization}/invitations");
    let wish = json!({ "email": "ann@example.org", "role": "owner" });
    let first = post(&app, &token, &path, wish.clone()).await.body(201);
    let (at, until) = (app.now(), app.now() + app.config.tokens.invitation_link);
    let expected = json!({ "id": first["id"], "email": "ann@example.org", "role": "owner",
        "invited_by": format!("client:{}", service.id), "created_at": at.rfc3339(), "expires_at": until.rfc3339() });
    assert_eq!(first, expected);
    let old = app.mail_to("ann@example.org", "Acme").await.link.unwrap();
    // Asked again, the link from before leads nowhere.
    let second = post(&app, &token, &path, wish).await.body(201);
    let new = app.mail_to("ann@example.org", "Acme").await.link.unwrap();
    assert_ne!(old, new);
    assert_eq!(get(&app, &token, &path).await.body(200)["items"], json!([second]));
    problem(&delete(&app, &token, &format!("{path}/{}", first["id"].as_str().unwrap())).await, 404);
    let elsewhere = post(&app, &token, "/organizations", json!({ "name": "Beta" })).await.expect(201).str("id");
    let id = second["id"].as_str().unwrap();
    problem(&delete(&app, &token, &format!("/organizations/{elsewhere}/invitations/{id}")).await, 404);
    delete(&app, &token, &format!("{path}/{id}")).await.expect(204);
    assert_eq!(get(&app, &token, &path).await.body(200)["items"], json!([]));
    for (wrong, status) in
        [(json!({ "email": "x", "role": "member" }), 400), (json!({ "email": "a@b.example", "role": "king" }), 400)]
    {
        problem(&post(&app, &token, &path, wrong).await, status);
    }
}

async fn a_password_is_as_long_as_the_tenant_wants(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let wish = json!({ "username": "ann", "password": "1234567" });
    let refused = post(&app, &token, "/users", wish.clone()).await;
    assert_eq!(problem(&refused, 400), "\"password\" must be at least 8 characters");
    let tenant = app.tenant("Acme").await;
    post(&app, &token, &format!("/users?tenant_id={}", tenant.id), wish).await.expect(201);
    let ctx = app.ctx().await;
    let bob = make_user(&ctx, "bob@example.org", NewPassword::Plain("a quiet harbour", 8), &[]).await;
    let refused = post(&app, &token, &format!("/users/{}/password", bob.id), json!({ "password": "1234567" })).await;
    problem(&refused, 400);
}
