//! The published keys (RFC 7517) and their life: next, active, retiring, gone.

use std::collections::BTreeMap;
use std::time::Duration;

use gatehouse::domain::clients::NewClient;
use gatehouse::domain::keys::{self, Rotation};
use gatehouse::domain::upkeep;
use gatehouse::model::signing_key::SigningAlg;
use reqwest::Method;
use reqwest::header::IF_NONE_MATCH;
use serde_json::Value;

use crate::support::{TestApp, both_engines, header_of};

both_engines!(
    the_set_is_public_and_complete,
    unchanged_is_304,
    a_rotation_fails_no_token,
    age_rotates_by_itself,
    a_rotation_that_comes_too_early_waits,
    a_leaked_key_goes_at_once,
);

const DAY: Duration = Duration::from_secs(86_400);

/// The published keys by `kid`.
async fn published(app: &TestApp) -> BTreeMap<String, Value> {
    let set = app.get("/.well-known/jwks.json").await.body(200);
    let keys = set["keys"].as_array().unwrap();
    keys.iter().map(|key| (key["kid"].as_str().unwrap().to_owned(), key.clone())).collect()
}

async fn the_set_is_public_and_complete(app: TestApp) {
    let answer = app.get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("cache-control").unwrap().contains("max-age=300"), "{answer:?}");
    let keys = published(&app).await;
    let count = answer.json()["keys"].as_array().unwrap().len();
    assert_eq!(keys.len(), count, "kids are different");
    for key in keys.values() {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{private} of {}", key["kid"]);
        }
        assert_eq!(key["use"], "sig");
        let (kty, members): (_, &[&str]) = match key["alg"].as_str().unwrap() {
            "ES256" => ("EC", &["crv", "x", "y"]),
            "RS256" => ("RSA", &["n", "e"]),
            "EdDSA" => ("OKP", &["crv", "x"]),
            other => panic!("{other}"),
        };
        assert_eq!(key["kty"], kty);
        for member in members {
            let text = key[member].as_str().unwrap();
            assert!(!text.is_empty() && !text.contains(['=', '+', '/']), "base64url without padding: {text}");
        }
    }
}

async fn unchanged_is_304(app: TestApp) {
    upkeep::advance_keys(&app.core).await.unwrap();
    let first = app.get("/.well-known/jwks.json").await.expect(200);
    let tag = first.header("etag").unwrap().to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let request = app.request(Method::GET, "/.well-known/jwks.json").header(IF_NONE_MATCH, known);
        let answer = app.send(request).await.expect(304);
        assert_eq!(answer.text, "");
        assert_eq!(answer.header("etag"), Some(&*tag));
    }
    let request = app.request(Method::GET, "/.well-known/jwks.json").header(IF_NONE_MATCH, "\"other\"");
    app.send(request).await.expect(200);
    keys::rotate(&app.ctx().await, SigningAlg::Es256, true).await.unwrap();
    upkeep::advance_keys(&app.core).await.unwrap();
    let request = app.request(Method::GET, "/.well-known/jwks.json").header(IF_NONE_MATCH, &tag);
    let answer = app.send(request).await.expect(200);
    assert_ne!(answer.header("etag"), Some(&*tag));
}

async fn a_rotation_fails_no_token(app: TestApp) {
    upkeep::advance_keys(&app.core).await.unwrap();
    let longest = NewClient {
        access_token_ttl: Some(DAY),
        scope: "user:read".parse().unwrap(),
        ..NewClient::service("long tokens")
    };
    let service = app.client(longest).await;
    let before = published(&app).await;
    assert_eq!(before.len(), 6, "one that signs and one that comes next, for each algorithm");
    let old = app.token_of(&service).await;
    let old_kid = header_of(&old)["kid"].as_str().unwrap().to_owned();
    assert!(before.contains_key(&old_kid));

    // The next key has been published for a cache's life, so it may sign.
    app.advance(Duration::from_secs(361));
    let ctx = app.ctx().await;
    let Rotation::Activated(new_kid) = keys::rotate(&ctx, SigningAlg::Es256, false).await.unwrap() else {
        panic!("the next key was published long enough")
    };
    assert!(before.contains_key(new_kid.as_str()), "no relying party meets a key that it could not know");
    let new = app.token_of(&service).await;
    assert_eq!(header_of(&new)["kid"], new_kid.as_str());
    for token in [&old, &new] {
        app.get_as(token, "/api/internal/users").await.expect(200);
    }
    // Until its last token has expired the old key is published; then it is gone, its half wiped.
    upkeep::advance_keys(&app.core).await.unwrap();
    app.advance(DAY - Duration::from_secs(400));
    upkeep::advance_keys(&app.core).await.unwrap();
    assert!(published(&app).await.contains_key(&old_kid));
    app.get_as(&old, "/api/internal/users").await.expect(200);
    app.advance(Duration::from_secs(400 + 120));
    upkeep::advance_keys(&app.core).await.unwrap();
    assert!(!published(&app).await.contains_key(&old_kid));
    let row = app.sql().await.rows("signing_keys").await.into_iter().find(|row| row.contains(&old_kid)).unwrap();
    let wiped = row.contains("sealed_private=X''") || row.contains(r#""sealed_private": "\\x""#);
    assert!(wiped, "the private half is still there: {row}");
    app.get_as(&app.token_of(&service).await, "/api/internal/users").await.expect(200);
}

async fn age_rotates_by_itself(app: TestApp) {
    upkeep::advance_keys(&app.core).await.unwrap();
    let service = app.service("user:read").await;
    let before = published(&app).await;
    let old = header_of(&app.token_of(&service).await)["kid"].clone();
    app.advance(89 * DAY);
    upkeep::advance_keys(&app.core).await.unwrap();
    assert_eq!(header_of(&app.token_of(&service).await)["kid"], old);
    app.advance(DAY);
    upkeep::advance_keys(&app.core).await.unwrap();
    let new = header_of(&app.token_of(&service).await)["kid"].clone();
    assert_ne!(new, old);
    assert!(before.contains_key(new.as_str().unwrap()), "it was published before");
    upkeep::advance_keys(&app.core).await.unwrap();
    let states = app.sql().await.texts("SELECT alg || ' ' || state FROM signing_keys ORDER BY 1").await;
    for alg in ["ES256", "EdDSA", "RS256"] {
        for (state, count) in [("active", 1), ("next", 1), ("retiring", 1)] {
            let found = states.iter().filter(|row| **row == format!("{alg} {state}")).count();
            assert_eq!(found, count, "{alg} {state}: {states:?}");
        }
    }
}

async fn a_rotation_that_comes_too_early_waits(app: TestApp) {
    let service = app.service("user:read").await;
    let old = header_of(&app.token_of(&service).await)["kid"].clone();
    // No next key is published yet: this publishes one and puts its turn off.
    let Rotation::Scheduled(next, at) = keys::rotate(&app.ctx().await, SigningAlg::Es256, false).await.unwrap() else {
        panic!("nobody can know the next key yet")
    };
    assert_eq!(at.since(app.now()), Duration::from_secs(360), "a cache's life and a minute");
    assert!(published(&app).await.contains_key(next.as_str()));
    app.advance(Duration::from_secs(359));
    upkeep::advance_keys(&app.core).await.unwrap();
    assert_eq!(header_of(&app.token_of(&service).await)["kid"], old);
    app.advance(Duration::from_secs(1));
    upkeep::advance_keys(&app.core).await.unwrap();
    assert_eq!(header_of(&app.token_of(&service).await)["kid"], next.as_str());
}

async fn a_leaked_key_goes_at_once(app: TestApp) {
    let service = app.service("user:read").await;
    let token = app.token_of(&service).await;
    let kid = header_of(&token)["kid"].as_str().unwrap().to_owned();
    let ctx = app.ctx().await;
    assert!(keys::retire(&ctx, &kid.parse().unwrap()).await.is_err(), "a key that signs can't be removed");
    keys::rotate(&ctx, SigningAlg::Es256, true).await.unwrap();
    app.get_as(&token, "/api/internal/users").await.expect(200);
    keys::retire(&ctx, &kid.parse().unwrap()).await.unwrap();
    assert!(!published(&app).await.contains_key(&kid));
    app.get_as(&token, "/api/internal/users").await.expect(401);
    app.get_as(&app.token_of(&service).await, "/api/internal/users").await.expect(200);
}
