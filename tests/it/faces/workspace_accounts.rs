//! `/api/auth/*` (`workspace.md`): accounts in the default tenant.

use std::time::Duration;

use gatehouse::domain::memberships;
use gatehouse::domain::organizations::NewOrganization;
use gatehouse::domain::users::{self, NewPassword};
use gatehouse::domain::{lockout, roles};
use gatehouse::model::user::User;
use serde_json::{Value, json};

use crate::factors::with_app;
use crate::support::{
    ADMIN_EMAIL, ADMIN_PASSWORD, Answer, Setup, TestApp, both_engines, claims_of, make_user, totp_code, within,
};

both_engines!(
    somebody_registers,
    a_taken_address_gets_the_same_answer,
    many_at_once_make_one_account,
    what_can_t_be_an_account_is_named_member_by_member,
    registration_can_be_closed,
    somebody_signs_in,
    a_wrong_sign_in_has_one_text_for_every_cause,
    an_address_is_proved_first_unless_nobody_asks,
    a_second_factor_is_shown_with_a_ticket,
    a_recovery_code_stands_in_for_the_app,
    a_ticket_counts_for_five_minutes_and_once,
    wrong_codes_lock_the_second_factor,
    a_ticket_ends_with_the_password,
    many_at_once_finish_one_sign_in,
    tokens_are_refreshed,
    a_replay_ends_the_sign_in,
    a_client_that_has_a_secret_must_prove_it_elsewhere,
    a_sign_out_ends_everything,
    a_sign_out_is_known_on_every_copy,
    one_s_own_account,
    an_app_s_token_reaches_as_far_as_its_scopes,
    errors_have_one_shape,
    the_built_in_client_is_there_after_an_upgrade,
);

const ALICE: &str = "alice@example.org";
const PASSWORD: &str = "a quiet harbour at dawn";

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[track_caller]
pub fn is_uuid(value: &Value) {
    let text = value.as_str().unwrap();
    let id = uuid::Uuid::parse_str(text).unwrap();
    assert_eq!(id.hyphenated().to_string(), text);
}

/// A refusal of this face.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    let body = answer.json();
    assert_eq!((&body["error_code"], &body["status_code"]), (&json!(code), &json!(status)), "{answer:?}");
    assert!(body["detail"].as_str().is_some_and(|text| !text.is_empty()), "{answer:?}");
    if status == 401 {
        assert!(answer.header("www-authenticate").is_some_and(|text| text.starts_with("Bearer")), "{answer:?}");
    }
}

async fn register(app: &TestApp, body: &Value) -> Answer {
    app.post("", "/api/auth/register", body).await
}

async fn login(app: &TestApp, email: &str, password: &str) -> Answer {
    app.post("", "/api/auth/login", &json!({ "email": email, "password": password })).await
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    app.post("", "/api/auth/refresh", &json!({ "refresh_token": token })).await
}

async fn mfa(app: &TestApp, ticket: &str, code: &str) -> Answer {
    app.post("", "/api/auth/mfa", &json!({ "mfa_token": ticket, "code": code })).await
}

/// The ticket that a right password gets.
async fn ticket(app: &TestApp) -> String {
    let answer = login(app, ALICE, PASSWORD).await;
    refused(&answer, 403, "MFA_REQUIRED");
    assert_eq!(keys(&answer.json()), ["detail", "error_code", "mfa_token", "status_code"]);
    answer.str("mfa_token")
}

async fn alice(app: &TestApp) -> User {
    app.user(ALICE, PASSWORD).await
}

async fn somebody_registers(app: TestApp) {
    let body = json!({ "email": ALICE, "password": PASSWORD, "name": "Alice" });
    let made = register(&app, &body).await.body(201);
    assert_eq!(keys(&made), ["message", "user_id"]);
    assert_eq!(made["message"], "User registered successfully. Please verify your email.");
    is_uuid(&made["user_id"]);
    let user = users::find_by_identifier(&app.ctx().await, ALICE).await.unwrap();
    assert_eq!(made["user_id"], json!(user.id.uuid().to_string()));
    assert_eq!(user.name.as_deref(), Some("Alice"));
    // A single-use link goes out; before it is followed, the right password is not enough.
    let mail = app.mail_to(ALICE, "Confirm your e-mail address").await;
    refused(&login(&app, ALICE, PASSWORD).await, 403, "EMAIL_NOT_VERIFIED");
    refused(&login(&app, ALICE, "not the password").await, 401, "INVALID_CREDENTIALS");
    gatehouse::domain::verification::verify_email(&app.ctx().await, &mail.token()).await.unwrap();
    login(&app, ALICE, PASSWORD).await.expect(200);
}

async fn a_taken_address_gets_the_same_answer(app: TestApp) {
    let user = alice(&app).await;
    let body = |email: &str| json!({ "email": email, "password": PASSWORD, "name": "Alice" });
    let mut shapes = Vec::new();
    for email in [ALICE, "ALICE@example.org", "new@example.org"] {
        let answer = register(&app, &body(email)).await.expect(201);
        let made = answer.json();
        is_uuid(&made["user_id"]);
        assert_ne!(made["user_id"], json!(user.id.uuid().to_string()), "nothing of the owner is told");
        let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        shapes.push((made["message"].clone(), headers));
    }
    assert!(shapes.iter().all(|shape| *shape == shapes[0]), "{shapes:?}");
    app.mail_to(ALICE, "You have an account").await;
    app.mail_to("new@example.org", "Confirm").await;
    // Their password stays.
    login(&app, ALICE, PASSWORD).await.expect(200);
}

async fn many_at_once_make_one_account(app: TestApp) {
    let [here, there] = app.copies().await;
    let body = json!({ "email": ALICE, "password": PASSWORD, "name": "Alice" });
    let all = (0..6).map(|n| register(if n % 2 == 0 { &here } else { &there }, &body));
    for answer in futures_util::future::join_all(all).await {
        answer.expect(201);
    }
    let sql = here.sql().await;
    assert_eq!(sql.number("SELECT count(*) FROM users").await, 2, "Alice and the administrator");
    let told = "SELECT count(*) FROM audit_log WHERE action = 'user.register' AND outcome = 'failure'";
    assert_eq!(sql.number(told).await, 5);
}

async fn what_can_t_be_an_account_is_named_member_by_member(app: TestApp) {
    let answer = register(&app, &json!({})).await;
    refused(&answer, 422, "VALIDATION_ERROR");
    let wrong = |field: &str| json!({ "field": field, "message": "is required" });
    let body = answer.json();
    assert_eq!(keys(&body), ["detail", "error_code", "errors", "status_code"]);
    assert_eq!(body["errors"], json!([wrong("email"), wrong("password"), wrong("name")]));
    // What is of the wrong form is named together with what is missing.
    let answer = register(&app, &json!({ "email": "x", "name": "x".repeat(1000) })).await;
    let errors = answer.json()["errors"].clone();
    let fields: Vec<&Value> = errors.as_array().unwrap().iter().map(|wrong| &wrong["field"]).collect();
    assert_eq!(fields, ["email", "password", "name"], "{errors}");
    for (body, field) in [
        (json!({ "email": "x", "password": PASSWORD, "name": "A" }), "email"),
        (json!({ "email": 1, "password": PASSWORD, "name": "A" }), "email"),
        (json!({ "email": ALICE, "password": "short", "name": "A" }), "password"),
        (json!({ "email": ALICE, "password": "password", "name": "A" }), "password"),
        (json!({ "email": ALICE, "password": PASSWORD, "name": " " }), "name"),
        (json!({ "email": ALICE, "password": PASSWORD, "name": "x".repeat(1000) }), "name"),
    ] {
        let answer = register(&app, &body).await;
        refused(&answer, 422, "VALIDATION_ERROR");
        let errors = answer.json()["errors"].clone();
        assert_eq!((errors.as_array().unwrap().len(), &errors[0]["field"]), (1, &json!(field)), "{errors}");
        assert!(errors[0]["message"].is_string());
    }
    assert_eq!(app.sql().await.number("SELECT count(*) FROM users").await, 1, "nobody but the administrator");
}

async fn registration_can_be_closed(setup: Setup) {
    let app = setup.start_with(|config| config.registration.self_registration = false).await;
    let answer = register(&app, &json!({ "email": ALICE, "password": PASSWORD, "name": "Alice" })).await;
    refused(&answer, 403, "FORBIDDEN");
}

async fn somebody_signs_in(app: TestApp) {
    let user = alice(&app).await;
    let answer = login(&app, " Alice@Example.org ", PASSWORD).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(keys(&body), ["access_token", "refresh_token", "user"]);
    let id = user.id.uuid().to_string();
    assert_eq!(body["user"], json!({ "id": id, "email": ALICE, "name": "Someone", "role": "user" }));
    let claims = claims_of(body["access_token"].as_str().unwrap());
    assert_eq!((&claims["client_id"], &claims["sub"]), (&json!("workspace"), &json!(user.id.to_string())));
    assert_eq!(claims["iss"], json!(app.config.http.issuer.as_str()));
    // The highest role that somebody holds.
    let admin = login(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await.body(200);
    assert_eq!(admin["user"]["role"], "super_admin");
    roles_of(&app, &user, "admin").await;
    assert_eq!(login(&app, ALICE, PASSWORD).await.body(200)["user"]["role"], "admin");
}

/// Gives somebody one of the seeded roles.
pub async fn roles_of(app: &TestApp, user: &User, code: &str) {
    let id = format!("ROLE_{}", code.to_uppercase()).parse().unwrap();
    let operator = gatehouse::domain::access::Powers::operator();
    roles::assign(&app.ctx().await, &operator, user.id, vec![id], None).await.unwrap();
}

async fn a_wrong_sign_in_has_one_text_for_every_cause(app: TestApp) {
    let user = alice(&app).await;
    let disabled = app.user("gone@example.org", PASSWORD).await;
    users::set_enabled(&app.ctx().await, disabled.id, false).await.unwrap();
    let mut texts = Vec::new();
    for (email, password) in [
        (ALICE, "not the password"),
        ("nobody@example.org", PASSWORD),
        ("gone@example.org", PASSWORD),
        (ALICE, &*"x".repeat(1000)),
    ] {
        let answer = login(&app, email, password).await;
        refused(&answer, 401, "INVALID_CREDENTIALS");
        texts.push(answer.text);
    }
    for _ in 0..app.config.lockout.failures {
        login(&app, ALICE, "not the password").await.expect(401);
    }
    // A locked account too, on the count that all ways in share.
    let answer = login(&app, ALICE, PASSWORD).await;
    refused(&answer, 401, "INVALID_CREDENTIALS");
    texts.push(answer.text);
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    lockout::unlock(&app.ctx().await, &user.id.to_string()).await.unwrap();
    login(&app, ALICE, PASSWORD).await.expect(200);
    // Somebody of another tenant is nobody here.
    let tenant = app.tenant("Acme").await;
    app.tenant_user(&tenant, "theirs@example.org", PASSWORD).await;
    refused(&login(&app, "theirs@example.org", PASSWORD).await, 401, "INVALID_CREDENTIALS");
}

async fn an_address_is_proved_first_unless_nobody_asks(setup: Setup) {
    let app = setup.start_with(|config| config.registration.require_verified_email = false).await;
    register(&app, &json!({ "email": ALICE, "password": PASSWORD, "name": "Alice" })).await.expect(201);
    login(&app, ALICE, PASSWORD).await.expect(200);
}

async fn a_second_factor_is_shown_with_a_ticket(app: TestApp) {
    let user = alice(&app).await;
    let (secret, _) = with_app(&app, &user).await;
    let ticket = ticket(&app).await;
    assert!(ticket.starts_with("ghf_"), "{ticket}");
    refused(&app.get_as(&ticket, "/api/auth/me").await, 401, "UNAUTHORIZED");
    refused(&mfa(&app, &ticket, "000000").await, 401, "INVALID_TOKEN");
    let code = totp_code(&secret, app.now());
    let body = mfa(&app, &ticket, &format!("{} {}", &code[..3], &code[3..])).await.body(200);
    assert_eq!(keys(&body), ["access_token", "refresh_token", "user"]);
    let claims = claims_of(body["access_token"].as_str().unwrap());
    assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));
    refresh(&app, body["refresh_token"].as_str().unwrap()).await.expect(200);
    refused(&mfa(&app, &ticket, &code).await, 401, "INVALID_TOKEN");
    // The secret of a ticket is nowhere to be found.
    let rows = app.sql().await.dump(&[]).await;
    assert!(!rows.iter().any(|row| row.contains(&ticket)));
}

async fn a_recovery_code_stands_in_for_the_app(app: TestApp) {
    let user = alice(&app).await;
    let (_, codes) = with_app(&app, &user).await;
    let first = ticket(&app).await;
    mfa(&app, &first, &codes[0]).await.expect(200);
    let second = ticket(&app).await;
    refused(&mfa(&app, &second, &codes[0]).await, 401, "INVALID_TOKEN");
    mfa(&app, &second, &codes[1].to_uppercase()).await.expect(200);
}

async fn a_ticket_counts_for_five_minutes_and_once(app: TestApp) {
    let user = alice(&app).await;
    let (secret, _) = with_app(&app, &user).await;
    let ticket = ticket(&app).await;
    app.advance(Duration::from_secs(300));
    refused(&mfa(&app, &ticket, &totp_code(&secret, app.now())).await, 401, "INVALID_TOKEN");
    for wrong in ["x", "ghf_0", &"ghf_".repeat(30)] {
        refused(&mfa(&app, wrong, "123456").await, 401, "INVALID_TOKEN");
    }
    let answer = app.post("", "/api/auth/mfa", &json!({})).await;
    refused(&answer, 422, "VALIDATION_ERROR");
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 2);
}

async fn wrong_codes_lock_the_second_factor(app: TestApp) {
    let user = alice(&app).await;
    let (secret, _) = with_app(&app, &user).await;
    let first = ticket(&app).await;
    for _ in 0..app.config.lockout.failures {
        refused(&mfa(&app, &first, "000000").await, 401, "INVALID_TOKEN");
    }
    // The right password gives no new guesses.
    let second = ticket(&app).await;
    for ticket in [&first, &second] {
        refused(&mfa(&app, ticket, &totp_code(&secret, app.now())).await, 401, "INVALID_TOKEN");
    }
}

async fn a_ticket_ends_with_the_password(app: TestApp) {
    let user = alice(&app).await;
    let (secret, _) = with_app(&app, &user).await;
    let ticket = ticket(&app).await;
    users::set_password(&app.ctx().await, user.id, "seven lanterns on the pier", 6).await.unwrap();
    refused(&mfa(&app, &ticket, &totp_code(&secret, app.now())).await, 401, "INVALID_TOKEN");
}

async fn many_at_once_finish_one_sign_in(app: TestApp) {
    let user = alice(&app).await;
    let (secret, codes) = with_app(&app, &user).await;
    let ticket = ticket(&app).await;
    let [here, there] = app.copies().await;
    // Different codes, so that it is the ticket that decides.
    let mut typed = codes[..5].to_vec();
    typed.push(totp_code(&secret, here.now()));
    let at = |n: usize| if n.is_multiple_of(2) { &here } else { &there };
    let all = typed.iter().enumerate().map(|(n, code)| mfa(at(n), &ticket, code));
    let statuses: Vec<u16> = futures_util::future::join_all(all).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
}

async fn tokens_are_refreshed(app: TestApp) {
    alice(&app).await;
    let first = login(&app, ALICE, PASSWORD).await.expect(200);
    let body = refresh(&app, &first.str("refresh_token")).await.body(200);
    assert_eq!(keys(&body), ["access_token", "refresh_token"]);
    assert_ne!(body["refresh_token"], first.json()["refresh_token"], "rotated");
    app.get_as(body["access_token"].as_str().unwrap(), "/api/auth/me").await.expect(200);
    refused(&refresh(&app, "x").await, 401, "INVALID_TOKEN");
    refused(&refresh(&app, &first.str("access_token")).await, 401, "INVALID_TOKEN");
    refused(&app.post("", "/api/auth/refresh", &json!({})).await, 422, "VALIDATION_ERROR");
}

async fn a_replay_ends_the_sign_in(app: TestApp) {
    alice(&app).await;
    let first = login(&app, ALICE, PASSWORD).await.str("refresh_token");
    let next = refresh(&app, &first).await.expect(200);
    refused(&refresh(&app, &first).await, 401, "INVALID_TOKEN");
    refused(&refresh(&app, &next.str("refresh_token")).await, 401, "INVALID_TOKEN");
    refused(&app.get_as(&next.str("access_token"), "/api/auth/me").await, 401, "UNAUTHORIZED");
}

async fn a_client_that_has_a_secret_must_prove_it_elsewhere(app: TestApp) {
    alice(&app).await;
    let client = app.password_app("openid").await;
    let token = app.sign_in(&client, ALICE, PASSWORD).await.expect(200).str("refresh_token");
    refused(&refresh(&app, &token).await, 401, "INVALID_TOKEN");
    app.refresh(&client, &token).await.expect(200);
}

async fn a_sign_out_ends_everything(app: TestApp) {
    alice(&app).await;
    let first = login(&app, ALICE, PASSWORD).await.expect(200);
    let other = login(&app, ALICE, PASSWORD).await.expect(200);
    let next = refresh(&app, &first.str("refresh_token")).await.expect(200);
    let out = app.post(&next.str("access_token"), "/api/auth/logout", &json!({})).await.body(200);
    assert_eq!(out, json!({ "message": "Logged out successfully" }));
    for token in [first.str("access_token"), next.str("access_token")] {
        refused(&app.get_as(&token, "/api/auth/me").await, 401, "UNAUTHORIZED");
        refused(&app.post(&token, "/api/auth/logout", &json!({})).await, 401, "UNAUTHORIZED");
    }
    refused(&refresh(&app, &next.str("refresh_token")).await, 401, "INVALID_TOKEN");
    // Another sign-in of theirs goes on.
    app.get_as(&other.str("access_token"), "/api/auth/me").await.expect(200);
    // A token without refresh token ends too.
    let tenant = app.tenant("Acme").await;
    let (_, token) = app.tenant_user(&tenant, ALICE, PASSWORD).await;
    app.post(&token, "/api/auth/logout", &json!({})).await.expect(200);
    refused(&app.get_as(&token, "/api/auth/me").await, 401, "UNAUTHORIZED");
}

async fn a_sign_out_is_known_on_every_copy(app: TestApp) {
    alice(&app).await;
    let [here, there] = app.copies().await;
    let token = login(&here, ALICE, PASSWORD).await.str("access_token");
    there.get_as(&token, "/api/auth/me").await.expect(200);
    here.post(&token, "/api/auth/logout", &json!({})).await.expect(200);
    let soon = Duration::from_millis(1200);
    within(soon, "a sign-out", async || there.get_as(&token, "/api/auth/me").await.status == 401).await;
}

async fn one_s_own_account(app: TestApp) {
    let user = alice(&app).await;
    let token = login(&app, ALICE, PASSWORD).await.str("access_token");
    let id = user.id.uuid().to_string();
    let me = app.get_as(&token, "/api/auth/me").await.body(200);
    let expected = json!({ "id": id, "email": ALICE, "name": "Someone", "role": "user", "workspaces": [] });
    assert_eq!(me, expected);
    let ctx = app.ctx().await;
    let mut made = Vec::new();
    for name in ["Zoo", "Acme"] {
        let new = NewOrganization { name, ..NewOrganization::default() };
        made.push(memberships::found(&ctx, user.id, &new).await.unwrap().organization);
    }
    let shown = |n: usize, name: &str, slug: &str| json!({ "id": made[n].id.uuid().to_string(), "name": name, "slug": slug, "role": "owner" });
    let me = app.get_as(&token, "/api/auth/me").await.body(200);
    assert_eq!(me["workspaces"], json!([shown(1, "Acme", "acme"), shown(0, "Zoo", "zoo")]), "by name");
    // In a tenant of its own everybody is who they are there.
    let tenant = app.tenant("Acme").await;
    let (theirs, token) = app.tenant_user(&tenant, "theirs@example.org", PASSWORD).await;
    let me = app.get_as(&token, "/api/auth/me").await.body(200);
    assert_eq!(me["id"].as_str().unwrap().replace('-', ""), theirs.trim_start_matches("usr_"));
    refused(&app.get("/api/auth/me").await, 401, "UNAUTHORIZED");
    refused(&app.get_as("nonsense", "/api/auth/me").await, 401, "UNAUTHORIZED");
    let service = app.service_token("user:read").await;
    refused(&app.get_as(&service, "/api/auth/me").await, 403, "FORBIDDEN");
}

async fn an_app_s_token_reaches_as_far_as_its_scopes(app: TestApp) {
    let user = alice(&app).await;
    let service = app.service_token("auth:token").await;
    let of = async |scope: &str| {
        let wish = json!({ "user_id": user.id.to_string(), "scope": scope });
        app.post(&service, "/api/internal/auth/token", &wish).await.expect(200).str("access_token")
    };
    // A service that acts for somebody sees their account, and is nobody in their workspaces.
    let token = of("openid").await;
    app.get_as(&token, "/api/auth/me").await.expect(200);
    refused(&app.get_as(&token, "/api/external/workspaces").await, 403, "FORBIDDEN");
    let made = app.post(&token, "/api/external/workspaces", &json!({ "name": "Acme" })).await;
    refused(&made, 403, "FORBIDDEN");
}

async fn errors_have_one_shape(app: TestApp) {
    for (path, status, code) in [
        ("/api/auth/nothing", 404, "NOT_FOUND"),
        ("/api/external/nothing", 404, "NOT_FOUND"),
        ("/api/sso/saml/metadata/00000000-0000-0000-0000-000000000000", 404, "NOT_FOUND"),
        ("/api/auth/login", 405, "BAD_REQUEST"),
    ] {
        refused(&app.get(path).await, status, code);
    }
    let request = app.request(reqwest::Method::POST, "/api/auth/login").header("content-type", "application/json");
    refused(&app.send(request.body("{")).await, 400, "BAD_REQUEST");
    let request = app.request(reqwest::Method::POST, "/api/auth/login").header("content-type", "text/plain");
    refused(&app.send(request.body("{}")).await, 415, "BAD_REQUEST");
    let large = "x".repeat(app.config.http.max_body as usize);
    refused(&login(&app, ALICE, &large).await, 413, "BAD_REQUEST");
}

async fn the_built_in_client_is_there_after_an_upgrade(app: TestApp) {
    let count = "SELECT count(*) FROM clients WHERE id = 'workspace'";
    assert_eq!(app.sql().await.number(count).await, 1);
    app.sql().await.run("DELETE FROM clients WHERE id = 'workspace'").await;
    let app = app.restart().await;
    assert_eq!(app.sql().await.number(count).await, 1);
    let ctx = app.ctx().await;
    make_user(&ctx, ALICE, NewPassword::Plain(PASSWORD, 6), &[]).await;
    login(&app, ALICE, PASSWORD).await.expect(200);
}
