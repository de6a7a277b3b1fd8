//! What comes back, where and with what in it (AR1–AR7), for every response type and mode.

use std::collections::BTreeSet;

use serde_json::Value;

use super::suite::{ALICE, CODE, PASSWORD, Suite, about_the_person, all, person};
use crate::support::{Page, TestApp, both_engines};

both_engines!(
    oidcc_server,
    the_person_can_say_no,
    errors_travel_as_the_answer_would,
    an_answer_is_never_kept_nor_posted_on,
    pages_before_the_answer_belong_to_nobody_else,
);

async fn oidcc_server(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        // N1: nothing but the sign-in and the consent.
        suite.open(&[]).await.expect(200, "/login");
        let tokens = suite.sign_in(&[]).await;
        assert_eq!(about_the_person(tokens.id()), BTreeSet::new(), "{plan:?}: {}", tokens.id());
        if let Some(body) = &tokens.answer {
            let refresh = body["refresh_token"].as_str().unwrap();
            assert!(refresh.bytes().all(|b| (0x20..=0x7e).contains(&b)), "{refresh}");
            assert!(super::suite::entropy(refresh) > 96.0, "{refresh}");
        }
        // AR7: the life of a token goes with it.
        let callback = &tokens.callback;
        assert_eq!(callback.get("expires_in").is_some(), plan.gives("token"), "{callback:?}");
        if plan.gives("token") {
            assert_eq!(callback.get("token_type"), Some("Bearer"));
            // RFC 6749 §4.2.2: said where it differs.
            assert_eq!(callback.get("scope"), None);
            assert_eq!(suite.userinfo(callback.get("access_token").unwrap()).await["sub"], tokens.id()["sub"]);
        }
    }
}

/// D15.
async fn the_person_can_say_no(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        let said_no = |page: &Page| {
            let error = suite.error(page);
            assert_eq!((error.get("error"), error.get("state")), (Some("access_denied"), Some("a state")), "{plan:?}");
        };
        let page = suite.open(&[]).await.expect(200, "/login");
        said_no(&suite.browser.submit(&page, "/login", &[("action", "cancel")]).await);
        let page = suite.open(&[]).await.expect(200, "/login");
        let fields = [("identifier", ALICE), ("password", PASSWORD)];
        let page = suite.browser.submit(&page, "/login", &fields).await.expect(200, "/consent");
        said_no(&suite.browser.submit(&page, "/consent", &[("action", "deny")]).await);
        // It was not remembered as a yes.
        suite.open(&[]).await.expect(200, "/consent");
    }
}

/// AR1.
async fn errors_travel_as_the_answer_would(app: TestApp) {
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        suite.refused(&suite.open(&[("prompt", "none")]).await, "login_required");
        suite.refused(&suite.open(&[("max_age", "x")]).await, "invalid_request");
        if plan.is_legacy() {
            // Tokens do not travel in a query (OAuth 2.0 Multiple Response Types §3), nor does the error.
            let error = suite.open(&[("response_mode", "query")]).await.answer();
            assert_eq!((error.get("error"), error.in_fragment), (Some("invalid_request"), true), "{plan:?}");
        }
    }
    // A code may travel in the fragment where that is asked for.
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let answer = suite.page(&[("response_mode", "fragment")]).await.answer();
    assert!(answer.in_fragment && answer.get("code").is_some(), "{answer:?}");
    let answer = suite.open(&[("response_mode", "query")]).await.answer();
    assert!(!answer.in_fragment && answer.get("code").is_some(), "{answer:?}");
}

/// RFC 9700 §4.2 and §4.12.
async fn an_answer_is_never_kept_nor_posted_on(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        for page in [suite.page(&[]).await, suite.open(&[("prompt", "none")]).await] {
            assert!([200, 303].contains(&page.status), "{page:?}");
            assert_eq!(page.headers["cache-control"], "no-store");
            assert_eq!(page.headers["referrer-policy"], "no-referrer");
            assert!(!page.headers.contains_key("access-control-allow-origin"));
        }
    }
}

/// RFC 9700 §4.2, §4.16 and §2.6: no frame, no referrer, no other origin, nothing kept.
async fn pages_before_the_answer_belong_to_nobody_else(app: TestApp) {
    let suite = Suite::new(&app, CODE).await;
    let origin = [("origin", "https://rp.example")];
    let page = suite.open(&[]).await.expect(200, "/login");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(
        (&page.headers["cache-control"], &page.headers["referrer-policy"]),
        (&"no-store".parse().unwrap(), &"no-referrer".parse().unwrap())
    );
    let request = app.request(reqwest::Method::GET, &suite.request(&[])).header(origin[0].0, origin[0].1);
    assert_eq!(app.send(request).await.header("access-control-allow-origin"), None);
    let _: Value = app.get("/.well-known/openid-configuration").await.body(200);
}
