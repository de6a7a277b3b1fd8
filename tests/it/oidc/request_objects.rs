//! Requests that a client has signed, by value and by reference (G1–G5, RFC 9101).

use std::time::Duration;

use gatehouse::config::Config;
use gatehouse::domain::clients::NewClient;
use gatehouse::model::signing_key::SigningAlg;
use serde_json::{Value, json};

use super::suite::{ALICE, BASIC, CODE, HYBRID, Plan, Suite, is_error_page, person};
use crate::support::{CALLBACK, Receiver, Setup, Signer, TestApp, both_engines, mac, unsigned};

both_engines!(
    oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported,
    oidcc_ensure_request_object_with_redirect_uri,
    oidcc_request_uri_unsigned,
    oidcc_request_uri_signed_rs256,
    what_is_signed_is_all_that_counts,
    an_object_is_signed_by_its_client_for_us_and_now,
    an_object_holds_no_other,
    only_registered_addresses_are_fetched,
    a_client_may_bind_itself_to_signed_requests,
);

/// What an object says that is as it must be.
fn claims(suite: &Suite) -> Value {
    json!({
        "iss": suite.rp.client.id, "aud": suite.app.config.http.issuer.as_str(), "client_id": suite.rp.client.id,
        "response_type": suite.plan.response_type, "redirect_uri": suite.rp.redirect_uri, "scope": "openid email",
        "state": "inside", "nonce": "inside too", "max_age": 10_000,
        "claims": { "userinfo": { "name": { "essential": true } } },
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

async fn signing(app: &TestApp, plan: Plan, signer: &Signer, change: impl FnOnce(&mut NewClient)) -> Suite {
    Suite::with(app, plan, |new| {
        new.jwks = Some(signer.jwks());
        change(new);
    })
    .await
}

async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(app: TestApp) {
    let document = app.get("/.well-known/openid-configuration").await.body(200);
    let algs = document["request_object_signing_alg_values_supported"].as_array().unwrap();
    assert!(!algs.contains(&json!("none")), "so the suite skips it");
    for plan in BASIC {
        let suite = Suite::new(&app, plan).await;
        for object in [
            format!("{}.", unsigned(&json!({ "alg": "none" }), &claims(&suite))),
            unsigned(&json!({ "alg": "none" }), &claims(&suite)),
            mac(suite.rp.client.secret.as_bytes(), &json!({ "alg": "HS256" }), &claims(&suite)),
        ] {
            suite.refused(&suite.open(&[("request", &object)]).await, "invalid_request_object");
        }
    }
}

async fn oidcc_ensure_request_object_with_redirect_uri(app: TestApp) {
    person(&app, ALICE).await;
    let signer = Signer::new(SigningAlg::Es256);
    let suite = signing(&app, CODE, &signer, |_| {}).await;
    let object = signer.sign(&claims(&suite));
    // The address of the query is wrong, that of the object right: the object's counts.
    let outside = [("redirect_uri", "https://evil.example/callback"), ("request", &*object)];
    let page = suite.page(&outside).await;
    assert_eq!(page.answer().address, CALLBACK);
    // And the other way round it is nobody's.
    let inside = signer.sign(&with(claims(&suite), "redirect_uri", json!("https://evil.example/callback")));
    is_error_page(&suite.open(&[("request", &inside)]).await);
    let without = signer.sign(&with(claims(&suite), "redirect_uri", Value::Null));
    is_error_page(&suite.open(&[("request", &without)]).await);
}

/// Another server may be asked here.
fn reachable(config: &mut Config) {
    config.outbound.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
}

const FRAGMENT: &str = "#T1bDcgYd_nZnNmQ0cK4T3eZKxvvqGJb2eJmWc1ZbY7E";

async fn oidcc_request_uri_unsigned(setup: Setup) {
    let app = setup.start_with(reachable).await;
    let receiver = Receiver::start().await;
    let uri = format!("{}{FRAGMENT}", receiver.uri("/requesturi/unsigned"));
    let suite = Suite::with(&app, CODE, |new| new.settings.request_uris = vec![uri.clone()]).await;
    receiver.shows("/requesturi/unsigned", format!("{}.", unsigned(&json!({ "alg": "none" }), &claims(&suite))));
    suite.refused(&suite.open(&[("request_uri", &uri)]).await, "invalid_request_object");
}

async fn oidcc_request_uri_signed_rs256(setup: Setup) {
    let app = setup.start_with(reachable).await;
    person(&app, ALICE).await;
    let receiver = Receiver::start().await;
    let uri = format!("{}{FRAGMENT}", receiver.uri("/requesturi/signed"));
    let signer = Signer::new(SigningAlg::Rs256);
    for plan in [CODE, HYBRID[2]] {
        let suite = signing(&app, plan, &signer, |new| {
            new.settings.request_uris = vec![uri.clone()];
            new.settings.request_object_signing_alg = Some("RS256".to_owned());
        })
        .await;
        receiver.shows("/requesturi/signed", signer.sign(&with(claims(&suite), "claims", Value::Null)));
        let page = suite.page(&[("request_uri", &uri)]).await;
        let callback = suite.answer(&page);
        assert_eq!(callback.get("state"), Some("inside"));
        suite.finish(callback, Some("inside too")).await;
    }
    // It was fetched when each request began, never again on its way, and without the fragment.
    let fetched = receiver.received("/requesturi/signed");
    assert_eq!(fetched.len(), 2, "{fetched:?}");
    assert!(fetched.iter().all(|request| request.method == "GET"));
}

/// RFC 9101 §6.3: what stands beside an object is ignored, what is in it counts in every type.
async fn what_is_signed_is_all_that_counts(app: TestApp) {
    person(&app, ALICE).await;
    let signer = Signer::new(SigningAlg::Es256);
    for plan in [CODE, BASIC[1], HYBRID[0]] {
        let suite = signing(&app, plan, &signer, |_| {}).await;
        let object = signer.sign(&with(claims(&suite), "response_mode", json!(plan.response_mode)));
        let outside = [("request", &*object), ("state", "outside"), ("nonce", "outside"), ("scope", "openid phone")];
        let page = suite.page(&[&outside as &[_], &[("prompt", "none"), ("max_age", "x")]].concat()).await;
        let callback = suite.answer(&page);
        assert_eq!(callback.get("state"), Some("inside"));
        let tokens = suite.finish(callback, Some("inside too")).await;
        let said = suite.userinfo(tokens.access()).await;
        assert_eq!((&said["email"], said.get("phone_number")), (&json!(ALICE), None));
        assert_eq!(said["name"], "Alice Liddell");
        // State outside alone comes back to nobody.
        let without = with(with(claims(&suite), "state", Value::Null), "response_mode", json!(plan.response_mode));
        let page = suite.page(&[("request", &signer.sign(&without)), ("state", "outside")]).await;
        assert_eq!(suite.answer(&page).get("state"), None);
    }
}

async fn an_object_is_signed_by_its_client_for_us_and_now(app: TestApp) {
    person(&app, ALICE).await;
    let (signer, other) = (Signer::new(SigningAlg::Es256), Signer::new(SigningAlg::Es256));
    let suite = signing(&app, CODE, &signer, |_| {}).await;
    let (good, now) = (claims(&suite), app.now().seconds());
    let edit = |name: &str, value: Value| signer.sign(&with(good.clone(), name, value));
    let mut broken = signer.sign(&good);
    broken.replace_range(broken.len() - 4.., "AAAA");
    for (what, object) in [
        ("another key", other.sign(&good)),
        ("another signature", broken),
        ("another issuer", edit("iss", json!("app_other"))),
        ("another client", edit("client_id", json!("app_other"))),
        ("another audience", edit("aud", json!("https://other.example"))),
        ("other audiences", edit("aud", json!(["https://other.example"]))),
        ("the endpoint as audience", edit("aud", json!(format!("{}/oauth/par", app.base)))),
        ("expired", edit("exp", json!(now - 60))),
        ("not yet", edit("nbf", json!(now + 120))),
        ("of the future", edit("iat", json!(now + 3600))),
        ("a time in words", edit("exp", json!("soon"))),
        ("a time before all others", edit("exp", json!(-0.5))),
        ("nothing", "a.b.c".to_owned()),
    ] {
        let page = suite.open(&[("request", &object)]).await;
        let error = suite.error(&page);
        assert_eq!(error.get("error"), Some("invalid_request_object"), "{what}");
        assert_eq!(error.get("state"), Some("a state"), "{what}");
    }
    for (what, object) in [
        ("without audience", edit("aud", Value::Null)),
        ("among several audiences", edit("aud", json!(["https://other.example", app.base]))),
        ("a clock that is ahead", edit("nbf", json!(now + 8))),
        ("good for a while", edit("exp", json!(now + 60))),
        ("good for a while and a bit", edit("exp", json!(f64::from(u32::try_from(now).unwrap()) + 60.5))),
        ("without issuer", edit("iss", Value::Null)),
    ] {
        let page = suite.page(&[("request", &object)]).await;
        assert!(page.answer().get("code").is_some(), "{what}: {page:?}");
    }
    // One without keys has signed nothing.
    let keyless = Suite::new(&app, CODE).await;
    let object = signer.sign(&claims(&keyless));
    keyless.refused(&keyless.open(&[("request", &object)]).await, "invalid_request_object");
}

async fn an_object_holds_no_other(app: TestApp) {
    let signer = Signer::new(SigningAlg::Es256);
    let suite = signing(&app, CODE, &signer, |_| {}).await;
    let object = signer.sign(&claims(&suite));
    for name in ["request", "request_uri"] {
        let nested = signer.sign(&with(claims(&suite), name, json!(object)));
        suite.refused(&suite.open(&[("request", &nested)]).await, "invalid_request_object");
    }
    let both = [("request", &*object), ("request_uri", "https://rp.example/object")];
    suite.refused(&suite.open(&both).await, "invalid_request");
}

async fn only_registered_addresses_are_fetched(setup: Setup) {
    let app = setup.start_with(reachable).await;
    let receiver = Receiver::start().await;
    let uri = receiver.shows("/object", "not an object");
    let suite = Suite::with(&app, CODE, |new| new.settings.request_uris = vec![format!("{uri}#1")]).await;
    let long = format!("{uri}#{}", "x".repeat(600));
    for other in [&*uri, &format!("{uri}#2"), &format!("{uri}?a#1"), &long, "urn:ietf:params:oauth:request_uri:nothing"]
    {
        suite.refused(&suite.open(&[("request_uri", other)]).await, "invalid_request_uri");
    }
    assert!(receiver.received("/object").is_empty());
    suite.refused(&suite.open(&[("request_uri", &format!("{uri}#1"))]).await, "invalid_request_object");
    receiver.at("/object", crate::support::Reply::Says(500, String::new()));
    suite.refused(&suite.open(&[("request_uri", &format!("{uri}#1"))]).await, "invalid_request_uri");
    app.advance(Duration::from_secs(1));
}

/// RFC 9101 §10.5; the algorithm is one that was registered.
async fn a_client_may_bind_itself_to_signed_requests(app: TestApp) {
    person(&app, ALICE).await;
    let signer = Signer::new(SigningAlg::Es256);
    let suite = signing(&app, CODE, &signer, |new| new.settings.require_signed_request_object = true).await;
    suite.refused(&suite.open(&[]).await, "invalid_request");
    let page = suite.page(&[("request", &signer.sign(&claims(&suite)))]).await;
    assert!(page.answer().get("code").is_some());
    let another = Some("PS256".to_owned());
    let suite = signing(&app, CODE, &signer, |new| new.settings.request_object_signing_alg = another).await;
    let object = signer.sign(&claims(&suite));
    suite.refused(&suite.open(&[("request", &object)]).await, "invalid_request_object");
}
