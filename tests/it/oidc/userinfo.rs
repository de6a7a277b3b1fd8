//! What clients learn about people at the userinfo endpoint (K1–K8, RFC 6750).

use std::collections::BTreeSet;

use gatehouse::domain::users;
use gatehouse::model::signing_key::SigningAlg;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, ORIGIN};
use serde_json::{Value, json};

use super::suite::{
    ALICE, CODE, EVERYTHING, IMPLICIT, Plan, Suite, about_the_person, all, person, verified, with_access_token,
};
use crate::support::{CALLBACK, TestApp, both_engines, claims_of};

both_engines!(
    oidcc_userinfo_get,
    oidcc_userinfo_post_header,
    oidcc_userinfo_post_body,
    oidcc_userinfo_rs256,
    oidcc_scope_profile,
    oidcc_scope_email,
    oidcc_scope_address,
    oidcc_scope_phone,
    oidcc_scope_all,
    oidcc_claims_essential,
    a_claim_that_nobody_has_is_not_there,
    only_an_access_token_with_openid_opens_it,
    a_token_comes_one_way_and_not_in_the_address,
    a_pages_script_may_ask_where_the_client_lives,
    it_says_what_is_true_now,
);

async fn oidcc_userinfo_get(app: TestApp) {
    person(&app, ALICE).await;
    for plan in with_access_token() {
        let suite = Suite::new(&app, plan).await;
        let tokens = suite.sign_in(&[]).await;
        assert_eq!(suite.userinfo(tokens.access()).await, json!({ "sub": tokens.id()["sub"] }));
        // U6: the name of the scheme has no case.
        let request = app.request(Method::GET, "/oauth/userinfo");
        app.send(request.header(AUTHORIZATION, format!("bEARER {}", tokens.access()))).await.expect(200);
    }
}

async fn oidcc_userinfo_post_header(app: TestApp) {
    person(&app, ALICE).await;
    for plan in with_access_token() {
        let suite = Suite::new(&app, plan).await;
        let tokens = suite.sign_in(&[]).await;
        let header = format!("Bearer {}", tokens.access());
        let said = app.raw_form("/oauth/userinfo", Some(&header), "").await.body(200);
        assert_eq!(said["sub"], tokens.id()["sub"]);
        let bare = app.request(Method::POST, "/oauth/userinfo").bearer_auth(tokens.access());
        assert_eq!(app.send(bare).await.body(200)["sub"], tokens.id()["sub"]);
    }
}

async fn oidcc_userinfo_post_body(app: TestApp) {
    person(&app, ALICE).await;
    for plan in with_access_token() {
        let suite = Suite::new(&app, plan).await;
        let tokens = suite.sign_in(&[]).await;
        let said = app.form("/oauth/userinfo", &[("access_token", tokens.access())]).await.body(200);
        assert_eq!(said["sub"], tokens.id()["sub"]);
    }
}

async fn oidcc_userinfo_rs256(app: TestApp) {
    person(&app, ALICE).await;
    for plan in with_access_token() {
        let alg = SigningAlg::Rs256;
        let suite = Suite::with(&app, plan, |new| new.settings.userinfo_signed_response_alg = Some(alg)).await;
        let page = suite.page(&[("scope", "openid email")]).await;
        let callback = suite.answer(&page);
        let token = match callback.get("code") {
            Some(code) => suite.redeem(code).await.expect(200).str("access_token"),
            None => callback.get("access_token").unwrap().to_owned(),
        };
        let answer = suite.rp.userinfo(&token).await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/jwt"));
        verified(&app, &answer.text).await;
        let said = claims_of(&answer.text);
        assert_eq!((&said["iss"], &said["aud"]), (&json!(app.base), &json!(suite.rp.client.id)));
        assert_eq!((&said["email"], said.get("nonce")), (&json!(ALICE), None));
        assert_eq!(said["sub"], claims_of(&token)["sub"]);
    }
}

const PROFILE: [&str; 14] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
    "preferred_username",
];

/// What a scope brings, wherever this plan wants it, is just this.
async fn brings(app: &TestApp, plan: Plan, scope: &str, claims: &[&str]) {
    let suite = Suite::new(app, plan).await;
    let tokens = suite.sign_in(&[("scope", scope)]).await;
    let place = if plan.gives("code") || plan.gives("token") {
        assert_eq!(about_the_person(tokens.id()), BTreeSet::new(), "{plan:?}");
        suite.userinfo(tokens.access()).await
    } else {
        tokens.id().clone()
    };
    let expected: BTreeSet<String> = claims.iter().map(|claim| (*claim).to_owned()).collect();
    assert_eq!(about_the_person(&place), expected, "{plan:?}");
}

async fn oidcc_scope_profile(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        brings(&app, plan, "openid profile", &PROFILE).await;
    }
}

async fn oidcc_scope_email(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        brings(&app, plan, "openid email", &["email", "email_verified"]).await;
    }
}

async fn oidcc_scope_address(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        brings(&app, plan, "openid address", &["address"]).await;
    }
}

async fn oidcc_scope_phone(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        brings(&app, plan, "openid phone", &["phone_number", "phone_number_verified"]).await;
    }
}

async fn oidcc_scope_all(app: TestApp) {
    person(&app, ALICE).await;
    let others = ["email", "email_verified", "address", "phone_number", "phone_number_verified"];
    for plan in all() {
        brings(&app, plan, EVERYTHING, &[&PROFILE as &[_], &others].concat()).await;
    }
}

async fn oidcc_claims_essential(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        let in_token = plan.response_type == "id_token";
        let place = if in_token { "id_token" } else { "userinfo" };
        let claims = json!({ place: { "name": { "essential": true } } }).to_string();
        let tokens = suite.sign_in(&[("claims", &claims)]).await;
        assert_eq!(tokens.id().get("name").is_some(), in_token, "{plan:?}");
        if !in_token {
            assert_eq!(suite.userinfo(tokens.access()).await["name"], "Alice Liddell");
        }
    }
}

async fn a_claim_that_nobody_has_is_not_there(app: TestApp) {
    app.user(ALICE, super::suite::PASSWORD).await;
    let claims = json!({ "userinfo": { "website": { "essential": true } }, "id_token": { "phone_number": null } });
    let suite = Suite::new(&app, CODE).await;
    let tokens = suite.sign_in(&[("scope", EVERYTHING), ("claims", &claims.to_string())]).await;
    let said = suite.userinfo(tokens.access()).await;
    let names: Vec<&String> = said.as_object().unwrap().keys().collect();
    assert_eq!(names, ["email", "email_verified", "name", "sub", "updated_at"]);
}

/// RFC 6750 §3.
async fn only_an_access_token_with_openid_opens_it(app: TestApp) {
    person(&app, ALICE).await;
    let challenge = |answer: &crate::support::Answer| answer.header("www-authenticate").unwrap().to_owned();
    let nothing = app.get("/oauth/userinfo").await.expect(401);
    assert!(challenge(&nothing).starts_with("Bearer") && !challenge(&nothing).contains("error"), "{nothing:?}");
    let suite = Suite::new(&app, CODE).await;
    let tokens = suite.sign_in(&[]).await;
    let service = app.service_token("user:read").await;
    for bad in ["nonsense", tokens.id_token(), tokens.refresh(), tokens.callback.code(), &service] {
        let answer = suite.rp.userinfo(bad).await.expect(401);
        assert!(challenge(&answer).contains(r#"error="invalid_token""#), "{answer:?}");
    }
    let page = suite.page(&[("scope", "profile"), ("nonce", "")]).await;
    let answer = suite.redeem(suite.answer(&page).code()).await.expect(200);
    assert_eq!(answer.json().get("id_token"), None::<&Value>);
    let answer = suite.rp.userinfo(&answer.str("access_token")).await.expect(403);
    assert!(challenge(&answer).contains(r#"error="insufficient_scope""#) && challenge(&answer).contains("openid"));
    let tenant = app.tenant("another").await;
    app.get_as(tokens.access(), &format!("/t/{}/oauth/userinfo", tenant.id)).await.expect(401);
}

/// V2, RFC 6750 §2.
async fn a_token_comes_one_way_and_not_in_the_address(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let token = suite.sign_in(&[]).await.access().to_owned();
    let twice = app.request(Method::POST, "/oauth/userinfo").bearer_auth(&token).form(&[("access_token", &token)]);
    for request in [app.request(Method::GET, &format!("/oauth/userinfo?access_token={token}")), twice] {
        let answer = app.send(request).await;
        answer.is_oauth_error(400, "invalid_request");
        // RFC 6750 §3: whatever is wrong with it, the challenge says so.
        let challenge = r#"Bearer realm="gatehouse", error="invalid_request""#;
        assert_eq!(answer.header("www-authenticate"), Some(challenge));
    }
}

/// RFC 9700 §2.6, `oauth.md`.
async fn a_pages_script_may_ask_where_the_client_lives(app: TestApp) {
    person(&app, ALICE).await;
    let token = Suite::new(&app, CODE).await.sign_in(&[]).await.access().to_owned();
    let own = CALLBACK.strip_suffix("/callback").unwrap();
    for (origin, allowed) in [(own, true), ("https://evil.example", false)] {
        let request = app.request(Method::GET, "/oauth/userinfo").bearer_auth(&token).header(ORIGIN, origin);
        let answer = app.send(request).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin").is_some_and(|o| o == origin), allowed, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

async fn it_says_what_is_true_now(app: TestApp) {
    let alice = person(&app, ALICE).await;
    let suites = [Suite::new(&app, CODE).await, Suite::new(&app, IMPLICIT[1]).await];
    let mut tokens = Vec::new();
    for suite in &suites {
        tokens.push(suite.sign_in(&[("scope", "openid email")]).await.access().to_owned());
    }
    users::set_enabled(&app.ctx().await, alice.id, false).await.unwrap();
    for (suite, token) in suites.iter().zip(&tokens) {
        suite.rp.userinfo(token).await.expect(401);
    }
}
