//! What the authorization endpoint takes, what it ignores, and whom it tells what is wrong (D1–D16).

use reqwest::Method;

use super::suite::{
    ALICE, BASIC, CODE, HYBRID, PASSWORD, Suite, about_the_person, all, is_error_page, person, with_access_token,
    with_code,
};
use crate::support::{Browser, CALLBACK, TestApp, both_engines, challenge};

both_engines!(
    oidcc_response_type_missing,
    oidcc_ensure_request_without_nonce_fails,
    oidcc_ensure_request_without_nonce_succeeds_for_code_flow,
    oidcc_alternate_happy_flow,
    oidcc_display_page,
    oidcc_display_popup,
    oidcc_ui_locales,
    oidcc_claims_locales,
    oidcc_login_hint,
    oidcc_ensure_request_with_unknown_parameter_succeeds,
    oidcc_ensure_request_with_acr_values_succeeds,
    oidcc_ensure_post_request_succeeds,
    oidcc_ensure_request_with_valid_pkce_succeeds,
    oidcc_ensure_registered_redirect_uri,
    oidcc_ensure_redirect_uri_in_authorization_request,
    oidcc_redirect_uri_query_ok,
    oidcc_redirect_uri_query_mismatch,
    oidcc_redirect_uri_query_added,
    an_unknown_client_is_told_to_the_person_alone,
    a_repeated_parameter_is_told_to_the_client,
    what_is_wrong_is_told_to_the_client,
    public_clients_use_pkce_and_s256,
    the_port_of_a_loopback_address_is_free,
    a_long_state_comes_back_or_is_refused,
    an_audience_is_named_once_and_known,
);

async fn oidcc_response_type_missing(app: TestApp) {
    for mode in ["", "form_post"] {
        let plan = BASIC.into_iter().find(|plan| plan.response_mode == mode).unwrap();
        let suite = Suite::new(&app, plan).await;
        let page = suite.open(&[("response_type", "")]).await;
        let error = suite.error(&page);
        assert_eq!((error.get("error"), error.get("state")), (Some("invalid_request"), Some("a state")), "{mode}");
    }
    // Also where tokens would come in the fragment: nothing says so without the response type.
    let suite = Suite::new(&app, HYBRID[0]).await;
    let error = suite.open(&[("response_type", "")]).await.answer();
    assert_eq!((error.get("error"), error.in_fragment), (Some("invalid_request"), false));
}

async fn oidcc_ensure_request_without_nonce_fails(app: TestApp) {
    for plan in all().filter(|plan| plan.gives("id_token")) {
        let suite = Suite::new(&app, plan).await;
        let error = suite.error(&suite.open(&[("nonce", "")]).await);
        assert_eq!((error.get("error"), error.get("state")), (Some("invalid_request"), Some("a state")), "{plan:?}");
    }
}

async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow(app: TestApp) {
    person(&app, ALICE).await;
    for plan in with_code().filter(|plan| !plan.gives("id_token")) {
        let tokens = Suite::new(&app, plan).await.sign_in(&[("nonce", "")]).await;
        assert_eq!(tokens.id().get("nonce"), None, "{plan:?}");
    }
}

async fn oidcc_alternate_happy_flow(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = Suite::new(&app, plan).await;
        let tokens = suite.sign_in(&[("scope", "email openid")]).await;
        let about: Vec<String> = about_the_person(tokens.id()).into_iter().collect();
        if plan.gives("code") || plan.gives("token") {
            assert!(about.is_empty(), "{plan:?}: {about:?}");
            let said = suite.userinfo(tokens.access()).await;
            assert_eq!((&said["email"], said.get("name")), (&ALICE.into(), None), "{plan:?}");
        } else {
            assert_eq!(about, ["email", "email_verified"], "{plan:?}");
        }
    }
    // A registered redirect URI with a query, and the parameters the other way round.
    let uri = format!("{CALLBACK}?foo=bar");
    let suite = Suite::with(&app, CODE, |new| new.redirect_uris = vec![uri.clone()]).await;
    let request = suite.request(&[]);
    let (path, query) = request.split_once('?').unwrap();
    let turned: Vec<&str> = query.split('&').rev().collect();
    suite.sign_in(&[]).await;
    let page = suite.browser.open(&format!("{path}?{}", turned.join("&"))).await;
    assert_eq!(suite.answer(&page).get("foo"), Some("bar"));
}

/// Everything comes to its end with these parameters beside the usual ones, in every plan.
async fn goes_well(app: &TestApp, more: &[(&str, &str)]) {
    person(app, ALICE).await;
    for plan in all() {
        Suite::new(app, plan).await.sign_in(more).await;
    }
}

async fn oidcc_display_page(app: TestApp) {
    goes_well(&app, &[("display", "page")]).await;
}

async fn oidcc_display_popup(app: TestApp) {
    goes_well(&app, &[("display", "popup")]).await;
}

async fn oidcc_ui_locales(app: TestApp) {
    goes_well(&app, &[("ui_locales", "se")]).await;
    let suite = Suite::new(&app, CODE).await;
    for (tags, expected) in [("se", "en"), ("se zh-Hans en", "zh-Hans"), ("zh-TW", "zh-Hans"), ("!! ,", "en")] {
        let page = suite.open(&[("ui_locales", tags)]).await.expect(200, "/login");
        assert!(page.text.contains(&format!(r#"<html lang="{expected}""#)), "{tags}: {}", page.text);
    }
}

async fn oidcc_claims_locales(app: TestApp) {
    goes_well(&app, &[("claims_locales", "se")]).await;
}

async fn oidcc_login_hint(app: TestApp) {
    goes_well(&app, &[("login_hint", "buffy@127.0.0.1")]).await;
    let suite = Suite::new(&app, CODE).await;
    let page = suite.open(&[("login_hint", "buffy@<b>.example")]).await.expect(200, "/login");
    assert!(page.text.contains("buffy@") && !page.text.contains("buffy@<b>"), "{}", page.text);
    let long = "x".repeat(5000);
    suite.open(&[("login_hint", &long)]).await.expect(200, "/login");
}

async fn oidcc_ensure_request_with_unknown_parameter_succeeds(app: TestApp) {
    goes_well(&app, &[("extra", "foobar")]).await;
}

async fn oidcc_ensure_request_with_acr_values_succeeds(app: TestApp) {
    person(&app, ALICE).await;
    let document = app.get("/.well-known/openid-configuration").await.body(200);
    let values: Vec<&str> =
        document["acr_values_supported"].as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect();
    for plan in all() {
        let tokens = Suite::new(&app, plan).await.sign_in(&[("acr_values", &values.join(" "))]).await;
        assert!(values.contains(&tokens.id()["acr"].as_str().unwrap()), "{plan:?}: {}", tokens.id());
    }
    // What nobody knows is a wish that can't be fulfilled, no error.
    Suite::new(&app, CODE).await.sign_in(&[("acr_values", "1 2")]).await;
}

async fn oidcc_ensure_post_request_succeeds(app: TestApp) {
    person(&app, ALICE).await;
    for plan in BASIC {
        let suite = Suite::new(&app, plan).await;
        let request = suite.request(&[]);
        let (path, query) = request.split_once('?').unwrap();
        let form: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        for _ in 0..2 {
            // The first time nobody is signed in and no cookie is there; the second time both.
            let answer = suite.browser.send(Method::POST, path, Some(&form)).await;
            let mut page = suite.browser.follow(path, answer).await;
            if page.path() == "/login" {
                let fields = [("identifier", ALICE), ("password", PASSWORD)];
                page = suite.browser.submit(&page, "/login", &fields).await;
                page = suite.browser.submit(&page, "/consent", &[("action", "allow")]).await;
            }
            suite.finish(suite.answer(&page), Some("a nonce")).await;
        }
    }
}

async fn oidcc_ensure_request_with_valid_pkce_succeeds(app: TestApp) {
    person(&app, ALICE).await;
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    let verifier: String = letters.chars().cycle().take(128).collect();
    for plan in with_code() {
        let suite = Suite::new(&app, plan).await;
        let more = [("code_challenge", &*challenge(&verifier)), ("code_challenge_method", "S256")];
        let page = suite.page(&more).await;
        suite.rp.redeem(suite.answer(&page).code(), &[("code_verifier", &verifier)]).await.expect(200);
    }
}

async fn oidcc_ensure_registered_redirect_uri(app: TestApp) {
    let suite = Suite::new(&app, CODE).await;
    for uri in [
        "https://rp.example/callback/unregistered",
        "https://rp.example/callback/",
        "https://rp.example/Callback",
        "https://RP.example/callback",
        "https://rp.example:443/callback",
        "http://rp.example/callback",
        "https://rp.example/callback#",
        "https://rp.example/./callback",
        "https://rp.example/%63allback",
        "https://rp.example@evil.example/callback",
        "https://rp.example.evil.example/callback",
        "javascript:alert(1)",
        "/callback",
        "//rp.example/callback",
    ] {
        let page = suite.open(&[("redirect_uri", uri)]).await;
        is_error_page(&page);
        assert!(!page.text.contains("evil.example") && !page.text.contains("javascript:"), "{}", page.text);
    }
}

async fn oidcc_ensure_redirect_uri_in_authorization_request(app: TestApp) {
    let two = vec![CALLBACK.to_owned(), "https://rp.example/other".to_owned()];
    let suite = Suite::with(&app, CODE, |new| new.redirect_uris = two).await;
    is_error_page(&suite.open(&[("redirect_uri", "")]).await);
    is_error_page(&suite.open(&[("redirect_uri", ""), ("scope", "profile")]).await);
    // OpenID Connect wants it named also where one is registered.
    is_error_page(&Suite::new(&app, CODE).await.open(&[("redirect_uri", "")]).await);
}

async fn oidcc_redirect_uri_query_ok(app: TestApp) {
    person(&app, ALICE).await;
    let uri = format!("{CALLBACK}?foo=bar&dummy2=ipsum");
    for plan in BASIC {
        let suite = Suite::with(&app, plan, |new| new.redirect_uris = vec![uri.clone()]).await;
        let tokens = suite.sign_in(&[]).await;
        if plan == CODE {
            assert_eq!((tokens.callback.get("foo"), tokens.callback.get("dummy2")), (Some("bar"), Some("ipsum")));
        }
    }
    let suite = Suite::with(&app, HYBRID[0], |new| new.redirect_uris = vec![uri.clone()]).await;
    let page = suite.page(&[]).await;
    assert!(page.left_for.as_ref().unwrap().starts_with(&format!("{uri}#")), "{page:?}");
}

async fn oidcc_redirect_uri_query_mismatch(app: TestApp) {
    let uri = format!("{CALLBACK}?foo=bar");
    let suite = Suite::with(&app, CODE, |new| new.redirect_uris = vec![uri]).await;
    for query in ["foo=baz", "foo=bar&foo=bar", "Foo=bar", "foo=bar&", ""] {
        is_error_page(&suite.open(&[("redirect_uri", &format!("{CALLBACK}?{query}"))]).await);
    }
    is_error_page(&suite.open(&[("redirect_uri", CALLBACK)]).await);
}

async fn oidcc_redirect_uri_query_added(app: TestApp) {
    let suite = Suite::new(&app, CODE).await;
    is_error_page(&suite.open(&[("redirect_uri", &format!("{CALLBACK}?foo=bar"))]).await);
}

async fn an_unknown_client_is_told_to_the_person_alone(app: TestApp) {
    let suite = Suite::new(&app, CODE).await;
    for id in ["", "app_nobody", "<script>", "\u{1f600}"] {
        is_error_page(&suite.open(&[("client_id", id)]).await);
    }
    let request = suite.request(&[]);
    is_error_page(&suite.browser.open(&format!("{request}&client_id=other")).await);
    is_error_page(&suite.browser.open(&format!("{request}&redirect_uri=https://evil.example")).await);
    // Another tenant's client is nobody here, and the other way round.
    let tenant = app.tenant("another").await;
    is_error_page(&suite.browser.open(&format!("/t/{}{request}", tenant.id)).await);
}

async fn a_repeated_parameter_is_told_to_the_client(app: TestApp) {
    let suite = Suite::new(&app, CODE).await;
    for name in ["scope", "state", "nonce", "response_type", "prompt", "response_mode", "max_age", "extra"] {
        let page =
            suite.browser.open(&format!("{}&{name}=page&{name}=page", suite.request(&[("prompt", "login")]))).await;
        let error = page.answer();
        assert_eq!(error.get("error"), Some("invalid_request"), "{name}");
        assert_eq!(error.get("state").is_some(), name != "state", "which state was meant can't be told");
    }
}

async fn what_is_wrong_is_told_to_the_client(app: TestApp) {
    let public = Suite::new(&app, CODE).await;
    for (more, code) in [
        (&[("response_type", "token")] as &[_], "unsupported_response_type"),
        (&[("response_type", "codes")], "unsupported_response_type"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_mode", "web_message")], "invalid_request"),
        (&[("scope", "user:read")], "invalid_scope"),
        (&[("scope", "nothing that is known")], "invalid_scope"),
        (&[("scope", "open\"id")], "invalid_scope"),
        (&[("scope", " ")], "invalid_scope"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("prompt", "dance")], "invalid_request"),
        (&[("max_age", "-1")], "invalid_request"),
        (&[("max_age", "soon")], "invalid_request"),
        (&[("display", "hologram")], "invalid_request"),
        (&[("claims", "{")], "invalid_request"),
        (&[("claims", "[]")], "invalid_request"),
        (&[("claims", r#"{"userinfo":{"name":1}}"#)], "invalid_request"),
        (&[("registration", "{}")], "registration_not_supported"),
        (&[("id_token_hint", "nothing")], "invalid_request"),
        (&[("code_challenge", "short"), ("code_challenge_method", "S256")], "invalid_request"),
        (&[("code_challenge_method", "S256")], "invalid_request"),
        (&[("resource", "https://unknown.example")], "invalid_target"),
    ] {
        let error = public.open(more).await.answer();
        assert_eq!((error.get("error"), error.get("state")), (Some(code), Some("a state")), "{more:?}");
        assert_eq!(error.in_fragment, *more == [("response_type", "code id_token")], "{more:?}");
    }
    // N2: what is not known beside what is does not matter.
    person(&app, ALICE).await;
    let tokens = public.sign_in(&[("scope", "openid unknown user:read")]).await;
    assert_eq!(tokens.answer.unwrap()["scope"], "openid");
}

/// RFC 9700 §2.1.1.
async fn public_clients_use_pkce_and_s256(app: TestApp) {
    let method = gatehouse::model::client::AuthMethod::None;
    for change in [true, false] {
        // A public client, and a confidential one that is not excused.
        let suite = Suite::with(&app, CODE, |new| {
            new.settings.require_pkce = true;
            if change {
                new.auth_method = method;
            }
        })
        .await;
        suite.refused(&suite.open(&[]).await, "invalid_request");
        let verifier = "a".repeat(43);
        suite.refused(&suite.open(&[("code_challenge", &verifier)]).await, "invalid_request");
        let plain = [("code_challenge", &*verifier), ("code_challenge_method", "plain")];
        suite.refused(&suite.open(&plain).await, "invalid_request");
        let good = [("code_challenge", &*challenge(&verifier)), ("code_challenge_method", "S256")];
        suite.open(&good).await.expect(200, "/login");
    }
}

/// RFC 8252 §7.3.
async fn the_port_of_a_loopback_address_is_free(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::with(&app, CODE, |new| {
        new.redirect_uris = vec!["http://127.0.0.1/callback".to_owned(), "http://localhost:3000/callback".to_owned()];
        new.settings.application_type = gatehouse::model::client_settings::ApplicationType::Native;
    })
    .await;
    let uri = "http://127.0.0.1:49152/callback";
    let page = suite.page(&[("redirect_uri", uri)]).await;
    let code = page.answer().code().to_owned();
    assert!(page.left_for.as_ref().unwrap().starts_with(&format!("{uri}?")), "{page:?}");
    // The code is bound to the port that was asked with.
    suite
        .rp
        .redeem(&code, &[("code_verifier", ""), ("redirect_uri", "http://127.0.0.1:49153/callback")])
        .await
        .expect(400);
    suite.rp.redeem(&code, &[("code_verifier", ""), ("redirect_uri", uri)]).await.expect(200);
    for other in [
        "http://127.0.0.1:49152/other",
        "http://127.0.0.1:99999/callback",
        "http://localhost:3001/callback",
        "http://[::1]:49152/callback",
        "https://127.0.0.1/callback",
        "http://127.0.0.1:80@evil.example/callback",
    ] {
        is_error_page(&suite.open(&[("redirect_uri", other)]).await);
    }
}

/// D11.
async fn a_long_state_comes_back_or_is_refused(app: TestApp) {
    person(&app, ALICE).await;
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for plan in BASIC {
        let suite = Suite::new(&app, plan).await;
        for length in [1, 128, 1000] {
            let state: String = letters.chars().cycle().take(length).collect();
            suite.sign_in(&[("state", &state)]).await;
            let error = suite.error(&suite.open(&[("state", &state), ("max_age", "x")]).await);
            assert_eq!(error.get("state"), Some(&*state));
        }
        let strange = "a b+c&d=e%20\"<>'/\u{e9}\u{1f600}";
        suite.sign_in(&[("state", strange)]).await;
        suite.refused(&suite.open(&[("state", &"x".repeat(5000))]).await, "invalid_request");
        // D16
        assert_eq!(suite.sign_in(&[("state", "")]).await.callback.get("state"), None);
    }
}

/// RFC 8707 §2.
async fn an_audience_is_named_once_and_known(app: TestApp) {
    const API: &str = "https://api.example.org/v1";
    person(&app, ALICE).await;
    for plan in with_access_token() {
        let suite = Suite::with(&app, plan, |new| new.audiences = vec![API.to_owned()]).await;
        let page = suite.page(&[("resource", API)]).await;
        let callback = suite.answer(&page);
        let token = match callback.get("code") {
            Some(code) => suite.redeem(code).await.expect(200).str("access_token"),
            None => callback.get("access_token").unwrap().to_owned(),
        };
        assert_eq!(crate::support::claims_of(&token)["aud"], API, "{plan:?}");
        let twice = format!("{}&resource={API}&resource={API}", suite.request(&[]));
        suite.refused(&Browser::new(&app).open(&twice).await, "invalid_target");
    }
}
