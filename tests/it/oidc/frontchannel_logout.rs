//! The sign-out page loads a page of each client, which then forgets the session too (M7, OpenID
//! Connect Front-Channel Logout 1.0).

use super::suite::{ALICE, CODE, Plan, Suite, all, person};
use crate::support::{Page, TestApp, both_engines, unescaped};

both_engines!(
    oidcc_frontchannel_rp_initiated_logout,
    every_client_of_the_session_is_told_and_no_other,
    a_client_that_wants_no_session_gets_none,
);

const AFTER: &str = "https://rp.example/signed-out";
const FRAME: &str = "https://rp.example/frontchannel_logout";

async fn suite(app: &TestApp, plan: Plan, frame: &str, with_session: bool) -> Suite {
    Suite::with(app, plan, |new| {
        new.post_logout_redirect_uris = vec![AFTER.to_owned()];
        new.settings.frontchannel_logout_uri = Some(frame.to_owned());
        new.settings.frontchannel_logout_session_required = with_session;
    })
    .await
}

fn frames(page: &Page) -> Vec<String> {
    let tags = page.text.split("<iframe").skip(1);
    tags.map(|tag| unescaped(tag.split("src=\"").nth(1).unwrap().split('"').next().unwrap())).collect()
}

async fn sign_out(suite: &Suite, hint: &str) -> Page {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("id_token_hint", hint), ("post_logout_redirect_uri", AFTER), ("state", "0123456789")])
        .finish();
    suite.browser.open(&format!("/oauth/logout?{query}")).await
}

async fn oidcc_frontchannel_rp_initiated_logout(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = suite(&app, plan, FRAME, true).await;
        let tokens = suite.sign_in(&[]).await;
        let page = sign_out(&suite, tokens.id_token()).await;
        assert_eq!((page.status, &page.left_for), (200, &None), "{page:?}");
        let loaded = frames(&page);
        assert_eq!(loaded.len(), 1, "{loaded:?}");
        let (address, query) = loaded[0].split_once('?').unwrap();
        let parameters: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let sid = tokens.id()["sid"].as_str().unwrap();
        let expected = [("iss".to_owned(), app.base.clone()), ("sid".to_owned(), sid.to_owned())];
        assert_eq!((address, parameters.as_slice()), (FRAME, &expected[..]));
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        let rule = policy.split(';').map(str::trim).find(|rule| rule.starts_with("frame-src")).unwrap();
        assert_eq!(rule, "frame-src https://rp.example");
        // Then it goes on by itself, and by a link.
        let refresh = page.headers["refresh"].to_str().unwrap();
        let next = format!("{AFTER}?state=0123456789");
        assert!(refresh.ends_with(&format!("url={next}")) && unescaped(&page.text).contains(&next), "{refresh}");
        suite.refused(&suite.open(&[("prompt", "none")]).await, "login_required");
    }
}

async fn every_client_of_the_session_is_told_and_no_other(app: TestApp) {
    person(&app, ALICE).await;
    let one = suite(&app, CODE, FRAME, true).await;
    let two = suite(&app, CODE, "https://rp.example/other?x=1", true).await;
    let never = suite(&app, CODE, "https://rp.example/never", true).await;
    let tokens = one.sign_in(&[]).await;
    Suite { browser: one.browser.at(&app), ..two }.sign_in(&[]).await;
    let elsewhere = never.sign_in(&[]).await;
    let mut all = frames(&sign_out(&one, tokens.id_token()).await);
    all.sort_unstable();
    let without_query: Vec<&str> = all.iter().map(|uri| uri.split("iss=").next().unwrap()).collect();
    assert_eq!(without_query, [format!("{FRAME}?"), "https://rp.example/other?x=1&".to_owned()]);
    never.rp.userinfo(elsewhere.access()).await.expect(200);
}

async fn a_client_that_wants_no_session_gets_none(app: TestApp) {
    person(&app, ALICE).await;
    let suite = suite(&app, CODE, FRAME, false).await;
    let tokens = suite.sign_in(&[]).await;
    let page = sign_out(&suite, tokens.id_token()).await;
    assert_eq!(frames(&page), [FRAME]);
}
