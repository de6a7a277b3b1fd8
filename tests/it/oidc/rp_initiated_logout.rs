//! Sign-out on a client's word (M1–M5, OpenID Connect RP-Initiated Logout 1.0).

use std::time::Duration;

use gatehouse::model::signing_key::SigningAlg;
use reqwest::Method;
use serde_json::json;

use super::suite::{ALICE, BOB, CODE, Plan, Suite, Tokens, is_error_page, person};
use crate::support::{Browser, Page, Signer, TestApp, both_engines, claims_of, header_of, unsigned};

both_engines!(
    oidcc_rp_initiated_logout,
    oidcc_rp_initiated_logout_no_state,
    oidcc_rp_initiated_logout_bad_post_logout_redirect_uri,
    oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri,
    oidcc_rp_initiated_logout_no_id_token_hint,
    oidcc_rp_initiated_logout_modified_id_token_hint,
    oidcc_rp_initiated_logout_bad_id_token_hint,
    oidcc_rp_initiated_logout_no_params,
    oidcc_rp_initiated_logout_only_state,
    oidcc_rp_initiated_logout_no_post_logout_redirect_uri,
    a_post_does_the_same,
    a_client_id_must_be_that_of_the_hint,
    a_hint_counts_for_its_person_alone,
    a_hint_counts_after_it_has_expired,
    nobody_being_signed_in_is_no_obstacle,
    the_question_is_asked_before_anything_ends,
    another_browser_stays_signed_in,
    a_support_code_leads_to_what_failed,
);

const AFTER: &str = "https://rp.example/signed-out";

struct SignedIn {
    suite: Suite,
    tokens: Tokens,
}

async fn signed_in(app: &TestApp) -> SignedIn {
    signed_in_by(app, CODE).await
}

async fn signed_in_by(app: &TestApp, plan: Plan) -> SignedIn {
    let suite = Suite::with(app, plan, |new| new.post_logout_redirect_uris = vec![AFTER.to_owned()]).await;
    let tokens = suite.sign_in(&[]).await;
    SignedIn { suite, tokens }
}

impl SignedIn {
    fn address(parameters: &[(&str, &str)]) -> String {
        let sent = parameters.iter().filter(|(_, value)| !value.is_empty());
        let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(sent).finish();
        format!("/oauth/logout?{query}")
    }

    /// Asks for a sign-out with the usual parameters, and these.
    async fn ask(&self, more: &[(&str, &str)]) -> Page {
        let usual =
            [("id_token_hint", self.tokens.id_token()), ("post_logout_redirect_uri", AFTER), ("state", "a state~.-_1")];
        let mut parameters = usual.to_vec();
        for (name, value) in more {
            parameters.retain(|(known, _)| known != name);
            parameters.push((name, value));
        }
        self.suite.browser.open(&Self::address(&parameters)).await
    }

    /// M4.
    async fn is_over(&self) {
        self.suite.refused(&self.suite.open(&[("prompt", "none")]).await, "login_required");
        self.suite.rp.userinfo(self.tokens.access()).await.expect(401);
    }

    async fn goes_on(&self) {
        let page = self.suite.open(&[("prompt", "none")]).await;
        self.suite.finish(self.suite.answer(&page), Some("a nonce")).await;
    }

    /// Says yes on the page that asks, which leads nowhere else.
    async fn confirm(&self, page: Page) {
        let page = page.expect(200, "/oauth/logout");
        self.goes_on().await;
        let page = self.suite.browser.submit(&page, "/logout", &[("action", "sign-out")]).await;
        assert_eq!((page.status, &page.left_for), (200, &None), "{page:?}");
        assert!(!page.text.contains("rp.example"), "{}", page.text);
        self.is_over().await;
    }
}

async fn oidcc_rp_initiated_logout(app: TestApp) {
    person(&app, ALICE).await;
    for plan in super::suite::all() {
        let at = signed_in_by(&app, plan).await;
        let page = at.ask(&[]).await;
        assert_eq!(
            page.left_for.as_deref(),
            Some(&*format!("{AFTER}?state=a+state~.-_1").replace('~', "%7E")),
            "{page:?}"
        );
        at.suite.refused(&at.suite.open(&[("prompt", "none")]).await, "login_required");
    }
    let at = signed_in(&app).await;
    for state in ["0123456789", "~!@#$%^&*()_+{}|:<>?[];'./", &*"x".repeat(50)] {
        let page = at.ask(&[("state", state)]).await;
        assert_eq!(page.answer().parameters, [("state".to_owned(), state.to_owned())]);
        at.suite.sign_in(&[]).await;
    }
}

async fn oidcc_rp_initiated_logout_no_state(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    assert_eq!(at.ask(&[("state", "")]).await.left_for.as_deref(), Some(AFTER));
    at.is_over().await;
}

async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    for uri in
        ["https://rp.example/unregistered", "https://evil.example/", "https://rp.example/callback", "javascript:1", "/"]
    {
        is_error_page(&at.ask(&[("post_logout_redirect_uri", uri)]).await);
    }
    at.goes_on().await;
}

async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    is_error_page(&at.ask(&[("post_logout_redirect_uri", &format!("{AFTER}?foo=bar"))]).await);
    at.goes_on().await;
}

async fn oidcc_rp_initiated_logout_no_id_token_hint(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    is_error_page(&at.ask(&[("id_token_hint", "")]).await);
    is_error_page(&at.ask(&[("id_token_hint", ""), ("client_id", &at.suite.rp.client.id)]).await);
    at.goes_on().await;
}

async fn oidcc_rp_initiated_logout_modified_id_token_hint(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    let hint = at.tokens.id_token();
    let mut header = header_of(hint);
    header["alg"] = json!("none");
    let body = unsigned(&header, &claims_of(hint));
    for hint in [&*body, &format!("{body}."), &format!("{body}.{}", hint.rsplit_once('.').unwrap().1)] {
        is_error_page(&at.ask(&[("id_token_hint", hint)]).await);
    }
    at.goes_on().await;
}

async fn oidcc_rp_initiated_logout_bad_id_token_hint(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    let mut claims = claims_of(at.tokens.id_token());
    let own = Signer::new(SigningAlg::Es256);
    is_error_page(&at.ask(&[("id_token_hint", &own.sign(&claims))]).await);
    (claims["iss"], claims["aud"]) = (claims["aud"].clone(), claims["iss"].clone());
    is_error_page(&at.ask(&[("id_token_hint", &own.sign(&claims))]).await);
    for hint in ["nothing", "a.b.c", at.tokens.access(), at.tokens.refresh()] {
        is_error_page(&at.ask(&[("id_token_hint", hint)]).await);
    }
    at.goes_on().await;
}

async fn oidcc_rp_initiated_logout_no_params(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    let page = at.suite.browser.open("/oauth/logout").await;
    at.confirm(page).await;
}

async fn oidcc_rp_initiated_logout_only_state(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    let page = at.suite.browser.open("/oauth/logout?state=0123456789").await;
    at.confirm(page).await;
}

async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    let page = at.ask(&[("post_logout_redirect_uri", "")]).await.expect(200, "/oauth/logout");
    assert!(!page.text.contains("rp.example"), "{}", page.text);
    at.is_over().await;
}

async fn a_post_does_the_same(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    let form = [("id_token_hint", at.tokens.id_token()), ("post_logout_redirect_uri", AFTER), ("state", "0123456789")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let answer = at.suite.browser.send(Method::POST, "/oauth/logout", Some(&form)).await.expect(303);
    assert_eq!(answer.header("location"), Some(&*format!("{AFTER}?state=0123456789")));
    at.is_over().await;
}

async fn a_client_id_must_be_that_of_the_hint(app: TestApp) {
    person(&app, ALICE).await;
    let (at, other) = (signed_in(&app).await, signed_in(&app).await);
    is_error_page(&at.ask(&[("client_id", &other.suite.rp.client.id)]).await);
    is_error_page(&at.ask(&[("client_id", "app_nobody")]).await);
    at.goes_on().await;
    let page = at.ask(&[("client_id", &at.suite.rp.client.id), ("logout_hint", ALICE), ("ui_locales", "zh")]).await;
    assert_eq!(page.answer().address, AFTER);
    at.is_over().await;
}

async fn a_hint_counts_for_its_person_alone(app: TestApp) {
    person(&app, ALICE).await;
    person(&app, BOB).await;
    let mut at = signed_in(&app).await;
    at.suite.browser = Browser::new(&app);
    at.suite.sign_in_as(BOB, &[]).await;
    // Alice's token does not sign Bob out: he is asked.
    let page = at.ask(&[]).await.expect(200, "/oauth/logout");
    at.goes_on().await;
    let page = at.suite.browser.submit(&page, "/logout", &[("action", "sign-out")]).await;
    assert_eq!(page.answer().address, AFTER);
    at.suite.refused(&at.suite.open(&[("prompt", "none")]).await, "login_required");
}

async fn a_hint_counts_after_it_has_expired(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    app.advance(Duration::from_secs(2 * 3600));
    assert_eq!(at.ask(&[]).await.answer().address, AFTER);
    at.suite.refused(&at.suite.open(&[("prompt", "none")]).await, "login_required");
}

async fn nobody_being_signed_in_is_no_obstacle(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    at.suite.browser.clear();
    assert_eq!(at.ask(&[]).await.answer().address, AFTER);
    at.suite.browser.open("/oauth/logout").await.expect(200, "/oauth/logout");
    // The session of the other jar was not touched: nobody showed it.
    at.suite.rp.userinfo(at.tokens.access()).await.expect(200);
}

async fn the_question_is_asked_before_anything_ends(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    let page = at.suite.browser.open("/oauth/logout").await.expect(200, "/oauth/logout");
    let stayed = at.suite.browser.submit(&page, "/logout", &[("action", "stay")]).await;
    assert_eq!((stayed.status, &stayed.left_for), (200, &None));
    at.goes_on().await;
    let forged = at.suite.browser.submit(&page, "/logout", &[("action", "sign-out"), ("csrf", "x")]).await;
    assert_eq!(forged.status, 403);
    at.goes_on().await;
}

async fn another_browser_stays_signed_in(app: TestApp) {
    person(&app, ALICE).await;
    let at = signed_in(&app).await;
    let other = Suite::new(&app, CODE).await;
    let elsewhere = other.sign_in(&[]).await;
    at.ask(&[]).await;
    other.rp.userinfo(elsewhere.access()).await.expect(200);
    other.finish(other.answer(&other.open(&[("prompt", "none")]).await), Some("a nonce")).await;
}

/// `oauth.md`: the code that an error page shows finds the exact comparison that failed in the audit log.
async fn a_support_code_leads_to_what_failed(app: TestApp) {
    person(&app, ALICE).await;
    let SignedIn { suite, tokens } = signed_in(&app).await;
    let hint = tokens.id_token();
    for (path, action, cause) in [
        ("/oauth/authorize?client_id=nobody".to_owned(), "authorization.refuse", "unknown client"),
        ("/oauth/authorize?state=%ff".to_owned(), "authorization.refuse", "The parameters are not UTF-8"),
        (
            SignedIn::address(&[("id_token_hint", hint), ("post_logout_redirect_uri", "https://evil.example")]),
            "logout.refuse",
            "The post_logout_redirect_uri is not registered for this app",
        ),
        ("/oauth/logout?state=a&state=b".to_owned(), "logout.refuse", "The parameter state is there more than once"),
    ] {
        let page = suite.browser.open(&path).await;
        is_error_page(&page);
        let sql = app.sql().await;
        let noted = format!("SELECT request_id FROM audit_log WHERE action = '{action}' AND detail = '{cause}'");
        let codes = sql.texts(&noted).await;
        sql.close().await;
        assert!(codes.iter().any(|code| page.text.contains(code)), "{path}: {codes:?}");
    }
}
