//! Refresh tokens of people who signed in in a browser (I1–I4; rotation itself is held by
//! `oauth/rfc6749_refresh.rs`, keys that clients replace by `oauth/client_settings.rs`).

use std::time::Duration;

use serde_json::Value;

use super::suite::{ALICE, CODE, Suite, person, with_code};
use crate::support::{Answer, TestApp, both_engines};

both_engines!(
    oidcc_refresh_token,
    a_refresh_never_widens,
    offline_access_outlives_the_session,
    offline_access_is_consented_to,
    a_client_without_the_grant_gets_none,
);

async fn refresh(suite: &Suite, token: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [&[("grant_type", "refresh_token"), ("refresh_token", token)], more].concat();
    suite.rp.token(&fields).await
}

async fn oidcc_refresh_token(app: TestApp) {
    person(&app, ALICE).await;
    for plan in with_code() {
        let (suite, other) = (Suite::new(&app, plan).await, Suite::new(&app, plan).await);
        let asked = [("scope", "openid offline_access"), ("prompt", "consent")];
        let first = suite.sign_in(&asked).await;
        let mut token = first.refresh().to_owned();
        for scope in [&[] as &[_], &[("scope", "openid offline_access")]] {
            app.advance(Duration::from_secs(30));
            let answer = refresh(&suite, &token, scope).await.expect(200);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let body = answer.json();
            assert_ne!(body["access_token"], first.access());
            assert_eq!((&body["token_type"], body["expires_in"].is_u64()), (&"Bearer".into(), true));
            // I3
            let id = suite.id_token(&answer.str("id_token"), None).await;
            for claim in ["iss", "sub", "aud", "azp", "auth_time", "acr", "amr", "sid"] {
                assert_eq!(id[claim], first.id()[claim], "{claim}");
            }
            assert!(id["iat"].as_i64() > first.id()["iat"].as_i64());
            suite.userinfo(&answer.str("access_token")).await;
            token = answer.str("refresh_token");
            assert!(super::suite::entropy(&token) > 96.0);
        }
        // I4
        refresh(&other, &token, &[]).await.is_oauth_error(400, "invalid_grant");
        refresh(&suite, &token, &[]).await.expect(200);
    }
}

async fn a_refresh_never_widens(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let first = suite.sign_in(&[("scope", "openid email")]).await;
    refresh(&suite, first.refresh(), &[("scope", "openid phone")]).await.is_oauth_error(400, "invalid_scope");
    let less = refresh(&suite, first.refresh(), &[("scope", "openid")]).await.expect(200);
    assert_eq!(less.str("scope"), "openid");
    let said = suite.userinfo(&less.str("access_token")).await;
    assert_eq!(said.get("email"), None);
    let all = refresh(&suite, &less.str("refresh_token"), &[]).await.expect(200);
    assert_eq!(suite.userinfo(&all.str("access_token")).await["email"], ALICE);
}

/// OpenID Connect Core §11, Back-Channel Logout §2.7.
async fn offline_access_outlives_the_session(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let online = suite.sign_in(&[]).await;
    let offline = suite.sign_in(&[("scope", "openid offline_access"), ("prompt", "consent")]).await;
    let page = suite.browser.open("/logout").await.expect(200, "/logout");
    suite.browser.submit(&page, "/logout", &[("action", "sign-out")]).await;
    refresh(&suite, online.refresh(), &[]).await.is_oauth_error(400, "invalid_grant");
    suite.rp.userinfo(online.access()).await.expect(401);
    let renewed = refresh(&suite, offline.refresh(), &[]).await.expect(200);
    suite.userinfo(&renewed.str("access_token")).await;
}

/// OpenID Connect Core §11: nobody's tokens outlive their session without their word, also where they
/// are not asked for anything else.
async fn offline_access_is_consented_to(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::with(&app, CODE, |new| new.settings.first_party = true).await;
    let asked = [("scope", "openid email offline_access")];
    suite.sign_in(&[]).await;
    suite.open(&asked).await.expect(200, "/consent");
    let tokens = suite.sign_in(&asked).await;
    assert_eq!(tokens.answer.unwrap()["scope"], "openid email offline_access");
    // Without a code there is nothing that could outlive anything.
    let suite = Suite::new(&app, super::suite::IMPLICIT[1]).await;
    let tokens = suite.sign_in(&[("scope", "openid offline_access")]).await;
    assert_eq!(tokens.callback.get("scope"), Some("openid"));
    assert_eq!(tokens.answer, None::<Value>);
}

/// A8, RFC 7591 §2.1.
async fn a_client_without_the_grant_gets_none(app: TestApp) {
    use gatehouse::model::client::GrantType::AuthorizationCode;
    person(&app, ALICE).await;
    let suite = Suite::with(&app, CODE, |new| new.grant_types = vec![AuthorizationCode]).await;
    let tokens = suite.sign_in(&[("scope", "openid offline_access"), ("prompt", "consent")]).await;
    assert_eq!(tokens.answer.unwrap().get("refresh_token"), None);
}
