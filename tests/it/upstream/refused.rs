//! What is not believed: each a message made by hand that a careless relying party would take.

use futures_util::future::join_all;
use gatehouse::domain::access::Powers;
use gatehouse::domain::connections::{self, ConnectionChange};
use gatehouse::domain::identities::Claimed;
use gatehouse::domain::{DomainError, sign_in};
use gatehouse::model::connection::ConnectionSettings;
use gatehouse::model::signing_key::SigningAlg;
use reqwest::Method;
use serde_json::{Value, json};

use super::provider::{Provider, SECRET, merge, reason, sessions, set_out, start};
use crate::support::{Browser, Setup, Signer, both_engines, header_of, mac, unsigned};

both_engines!(
    claims_that_are_not_ours_let_nobody_in,
    tokens_that_the_provider_did_not_sign_let_nobody_in,
    a_state_counts_once_in_its_browser_at_its_connection,
    of_many_answers_one_counts,
    the_issuer_of_an_answer_is_compared,
    a_provider_that_calls_itself_otherwise_is_not_used,
    what_was_disabled_meanwhile_lets_nobody_in,
    what_was_changed_meanwhile_lets_nobody_in,
    who_shall_sign_in_anew_must_have_done_so,
    who_says_no_there_is_told_so_here,
);

async fn claims_that_are_not_ours_let_nobody_in(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let now = app.now().seconds();
    let cases: &[(Value, &str)] = &[
        (json!({ "nonce": "another" }), "nonce mismatch"),
        (json!({ "nonce": null }), "missing nonce claim"),
        (json!({ "iss": "https://evil.example" }), "Invalid issuer"),
        (json!({ "iss": null }), "missing field `iss`"),
        (json!({ "aud": "another" }), "must contain"),
        (json!({ "aud": ["gatehouse", "another"] }), "trusted audience"),
        (json!({ "aud": ["gatehouse", "another"], "azp": "gatehouse" }), "trusted audience"),
        (json!({ "azp": "another" }), "azp"),
        (json!({ "exp": now - 61 }), "expired"),
        (json!({ "exp": null }), "missing field `exp`"),
        (json!({ "iat": now + 3600 }), "future"),
        (json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }), "at_hash"),
        (json!({ "sub": "" }), "do not say who it is"),
        (json!({ "sub": null }), "missing field `sub`"),
        (json!({ "sub": "x".repeat(256) }), "subject is empty, too long"),
        (json!({ "sub": "a\u{0}b" }), "subject is empty, too long"),
    ];
    for (claims, why) in cases {
        let browser = Browser::new(&app);
        let page = provider.sign_in(&app, &browser, &connection, claims).await;
        assert_eq!(page.status, 403, "{claims}: {}", page.text);
        let logged = reason(&app).await;
        assert!(logged.contains(why), "{claims}: {logged}");
        browser.open("/account").await.expect(200, "/login");
    }
    assert_eq!(sessions(&app).await, 0);
    assert_eq!(app.sql().await.number("SELECT count(*) FROM identities").await, 0);
    // A minute of difference between two clocks is none.
    let late = json!({ "exp": now - 30, "iat": now + 30 });
    provider.sign_in(&app, &Browser::new(&app), &connection, &late).await.expect(200, "/account");
}

async fn tokens_that_the_provider_did_not_sign_let_nobody_in(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let other = Signer::new(SigningAlg::Es256);
    let kid = provider.key.jwk().kid.clone();
    let public = serde_json::to_vec(provider.key.jwk()).unwrap();
    let hs256 = json!({ "alg": "HS256", "typ": "JWT", "kid": kid });
    let forge = |claims: &Value| {
        let honest = provider.key.sign(claims);
        let mut altered = claims.clone();
        merge(&mut altered, &json!({ "sub": "somebody-else" }));
        let (_, signature) = honest.rsplit_once('.').unwrap();
        let header = header_of(&honest);
        vec![
            ("none", "No signature found", format!("{}.", unsigned(&json!({ "alg": "none" }), claims))),
            (
                "None",
                "unrecognized JSON Web Algorithm",
                format!("{}.AAAA", unsigned(&json!({ "alg": "None", "kid": kid }), claims)),
            ),
            ("the public key as a secret", "algorithm `HS256` is not one of", mac(&public, &hs256, claims)),
            ("our secret", "algorithm `HS256` is not one of", mac(SECRET.as_bytes(), &hs256, claims)),
            ("another key", "No matching key found", other.sign(claims)),
            ("another key under its name", "Signature was wrong", {
                let (body, made) = (unsigned(&header, claims), other.sign(claims));
                format!("{body}.{}", made.rsplit_once('.').unwrap().1)
            }),
            ("altered", "Signature was wrong", format!("{}.{signature}", unsigned(&header, &altered))),
            ("no signature", "Invalid signature", honest.rsplit_once('.').unwrap().0.to_owned() + "."),
            (
                "critical",
                "critical JWT header fields",
                format!("{}.{signature}", unsigned(&json!({ "alg": "ES256", "crit": ["x"], "x": 1 }), claims)),
            ),
            (
                "an access token",
                "JWT type `at+jwt`",
                format!("{}.{signature}", unsigned(&json!({ "alg": "ES256", "typ": "at+jwt" }), claims)),
            ),
            ("its own key inside", "Signature was wrong", {
                let header = json!({ "alg": "ES256", "jwk": other.jwk() });
                let made = other.sign(claims);
                format!("{}.{}", unsigned(&header, claims), made.rsplit_once('.').unwrap().1)
            }),
            ("nothing", "Invalid JSON web token", String::new()),
            ("junk", "Failed to parse header", "not.a.token".to_owned()),
        ]
    };
    let count = forge(&json!({})).len();
    for n in 0..count {
        let browser = Browser::new(&app);
        let journey = set_out(&browser, &format!("/login/with/{}", connection.id)).await;
        let (name, why, token) = forge(&provider.claims(&app, &journey)).swap_remove(n);
        provider.gives(&token);
        let page = browser.open(&journey.callback(&[])).await;
        assert_eq!(page.status, 403, "{name}: {}", page.text);
        let logged = reason(&app).await;
        assert!(logged.contains(why), "{name}: {logged}");
    }
    for (name, why, tokens) in [
        ("no ID token", "ID token: there is none", json!({ "access_token": "x", "token_type": "Bearer" })),
        ("an error", "no tokens: invalid_grant", json!({ "error": "invalid_grant" })),
        ("no object", "it is no token response", json!([])),
        ("a token that is none", "it is no token response", json!({ "access_token": 5, "token_type": "Bearer" })),
    ] {
        provider.receiver.shows("/token", tokens);
        let browser = Browser::new(&app);
        let journey = set_out(&browser, &format!("/login/with/{}", connection.id)).await;
        assert_eq!(browser.open(&journey.callback(&[])).await.status, 403, "{name}");
        let logged = reason(&app).await;
        assert!(logged.contains(why), "{name}: {logged}");
    }
    assert_eq!(sessions(&app).await, 0);
}

async fn a_state_counts_once_in_its_browser_at_its_connection(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let evil = Provider::start().await;
    let other = evil.connection(&app, ConnectionSettings::default()).await;
    let (alice, mallory) = (Browser::new(&app), Browser::new(&app));
    mallory.open("/login").await;
    let journey = set_out(&alice, &format!("/login/with/{}", connection.id)).await;
    provider.gives(&provider.key.sign(&provider.claims(&app, &journey)));

    // Another browser, no browser that we know, no state, an unknown state.
    let callback = journey.callback(&[]);
    assert_eq!(mallory.open(&callback).await.status, 400);
    assert_eq!(Browser::new(&app).open(&callback).await.status, 400);
    for state in ["", "ghu_nothing", "%00"] {
        assert_eq!(alice.open(&journey.callback(&[("state", state)])).await.status, 400, "{state}");
    }
    // Said twice, it could be read in two ways.
    assert_eq!(alice.open(&format!("{callback}&state={}", journey.state())).await.status, 400);
    // Mix-up: the answer comes to the callback of another connection (RFC 9700 §4.4).
    let mixed = callback.replace(&connection.id.to_string(), &other.id.to_string());
    assert_eq!(alice.open(&mixed).await.status, 400);
    assert!(evil.receiver.received("/token").is_empty(), "no code leaves for another provider");
    assert_eq!(sessions(&app).await, 0);

    // None of that used it up; the right answer does.
    alice.open(&callback).await.expect(200, "/account");
    assert_eq!(alice.open(&callback).await.status, 400);
    assert_eq!(provider.receiver.received("/token").len(), 1);

    // Ten minutes are enough.
    let journey = set_out(&mallory, &format!("/login/with/{}", connection.id)).await;
    app.advance(std::time::Duration::from_secs(601));
    assert_eq!(mallory.open(&journey.callback(&[])).await.status, 400);
}

async fn of_many_answers_one_counts(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let browser = Browser::new(&app);
    let journey = set_out(&browser, &format!("/login/with/{}", connection.id)).await;
    provider.gives(&provider.key.sign(&provider.claims(&app, &journey)));
    let copies = app.clone().copies().await;
    let callback = journey.callback(&[]);
    let browsers: Vec<Browser> = (0..100).map(|n| browser.at(&copies[n % 2])).collect();
    let answers = join_all(browsers.iter().map(|browser| browser.send(Method::GET, &callback, None))).await;
    let entered = answers.iter().filter(|answer| answer.status == 303).count();
    assert_eq!(entered, 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 303 | 400)));
    assert_eq!(provider.receiver.received("/token").len(), 1);
    assert_eq!(sessions(&app).await, 1);
}

async fn the_issuer_of_an_answer_is_compared(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let attempt = async |iss: &str| {
        let browser = Browser::new(&app);
        let journey = set_out(&browser, &format!("/login/with/{}", connection.id)).await;
        provider.gives(&provider.key.sign(&provider.claims(&app, &journey)));
        browser.open(&journey.callback(&[("iss", iss)])).await.status
    };
    assert_eq!(attempt("").await, 200);
    assert_eq!(attempt(&provider.issuer()).await, 200);
    assert_eq!(attempt("https://evil.example").await, 403);
    assert!(reason(&app).await.contains("(iss)"));
    let redeemed = provider.receiver.received("/token").len();
    assert_eq!(redeemed, 2, "nothing is redeemed for another's answer");

    // Who promises to say it must (RFC 9207 §2.4).
    let careful = Provider::start().await;
    careful.describes(&json!({ "authorization_response_iss_parameter_supported": true }));
    let connection = careful.connection(&app, ConnectionSettings::default()).await;
    let page = careful.sign_in(&app, &Browser::new(&app), &connection, &json!({ "sub": "2" })).await;
    assert_eq!(page.status, 403);
    assert!(reason(&app).await.contains("does not say whose it is (iss)"));
    assert!(careful.receiver.received("/token").is_empty());
}

async fn a_provider_that_calls_itself_otherwise_is_not_used(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let path = format!("/login/with/{}", connection.id);
    for more in [
        json!({ "issuer": "https://accounts.example" }),
        json!({ "issuer": format!("{}/", provider.issuer()) }),
        json!({ "authorization_endpoint": "javascript:alert(1)" }),
        json!({ "token_endpoint": null }),
    ] {
        provider.describes(&more);
        // As long as the last one is kept.
        app.advance(std::time::Duration::from_secs(86_401));
        let page = Browser::new(&app).open(&path).await;
        assert_eq!((page.status, page.left_for), (503, None), "{more}");
    }
    provider.describes(&json!({}));
    app.advance(std::time::Duration::from_secs(86_401));
    set_out(&Browser::new(&app), &path).await;
}

async fn what_was_disabled_meanwhile_lets_nobody_in(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let enable = async |enabled| {
        let change = ConnectionChange { enabled: Some(enabled), ..ConnectionChange::default() };
        connections::update(&app.ctx().await, &Powers::operator(), connection.id, change).await.unwrap();
    };
    let browser = Browser::new(&app);
    let journey = set_out(&browser, &format!("/login/with/{}", connection.id)).await;
    enable(false).await;
    assert_eq!(provider.come_back(&app, &browser, &journey, &json!({})).await.status, 403);
    assert!(reason(&app).await.contains("disabled"));
    assert_eq!(browser.open(&format!("/login/with/{}", connection.id)).await.status, 404);
    enable(true).await;
    provider.sign_in(&app, &browser, &connection, &json!({})).await.expect(200, "/account");

    // An account that is disabled.
    let sql = app.sql().await;
    let user = sql.texts("SELECT email FROM users WHERE password_hash IS NULL").await.pop().unwrap();
    let found = gatehouse::domain::users::find_by_identifier(&app.ctx().await, &user).await.unwrap();
    gatehouse::domain::users::set_enabled(&app.ctx().await, found.id, false).await.unwrap();
    let page = provider.sign_in(&app, &Browser::new(&app), &connection, &json!({})).await;
    assert_eq!(page.status, 403);
    assert!(reason(&app).await.contains("disabled"));

    // A connection that makes no accounts.
    let settings = ConnectionSettings { just_in_time: false, ..ConnectionSettings::default() };
    let change = ConnectionChange { settings: Some(settings), ..ConnectionChange::default() };
    connections::update(&app.ctx().await, &Powers::operator(), connection.id, change).await.unwrap();
    let page = provider
        .sign_in(&app, &Browser::new(&app), &connection, &json!({ "sub": "new", "email": "new@example.org" }))
        .await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("No account for you yet"), "{}", page.text);
}

async fn what_was_changed_meanwhile_lets_nobody_in(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let before = provider.connection(&app, ConnectionSettings::default()).await;
    app.advance(std::time::Duration::from_secs(1));
    let ctx = app.ctx().await;
    let closed = ConnectionSettings { just_in_time: false, ..ConnectionSettings::default() };
    let change = ConnectionChange { settings: Some(closed), ..ConnectionChange::default() };
    connections::update(&ctx, &Powers::operator(), before.id, change).await.unwrap();
    // Somebody whose code was being redeemed while that happened.
    let claimed = Claimed { subject: "1".to_owned(), ..Claimed::default() };
    let browser = gatehouse::domain::sessions::Browser { digest: [7; 32], user_agent: None };
    let arrived = sign_in::with_upstream(&ctx, &before, &claimed, &browser, None).await;
    assert!(matches!(arrived, Err(DomainError::NotAuthenticated(_))));
    assert!(reason(&app).await.contains("changed meanwhile"));
}

async fn who_shall_sign_in_anew_must_have_done_so(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let browser = Browser::new(&app);
    let long_ago = app.now().seconds() - 3600;
    provider.sign_in(&app, &browser, &connection, &json!({ "auth_time": long_ago })).await.expect(200, "/account");
    let page = provider.sign_in(&app, &browser, &connection, &json!({ "auth_time": long_ago })).await;
    assert_eq!(page.status, 403);
    assert!(reason(&app).await.contains("auth_time"));
    let now = app.now().seconds();
    provider.sign_in(&app, &browser, &connection, &json!({ "auth_time": now })).await.expect(200, "/account");
}

async fn who_says_no_there_is_told_so_here(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let browser = Browser::new(&app);
    let journey = set_out(&browser, &format!("/login/with/{}", connection.id)).await;
    let answer = [("code", ""), ("error", "access_denied"), ("error_description", "<b>no</b>")];
    let page = browser.open(&journey.callback(&answer)).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("cancelled or refused") && !page.text.contains("<b>no"), "{}", page.text);
    assert!(reason(&app).await.contains("access_denied"));
    assert!(provider.receiver.received("/token").is_empty());
}
