//! RFC 9068: what an access token looks like, and what is none.

use std::collections::BTreeSet;

use gatehouse::crypto::{digest, jwk::VerifyingKey, jws};
use gatehouse::domain::clients::NewClient;
use gatehouse::model::signing_key::SigningAlg;
use serde_json::{Value, json};

use crate::support::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp, both_engines, claims_of, header_of, mac, unsigned};

both_engines!(
    a_service_token_has_the_claims,
    a_persons_token_has_the_roles,
    each_algorithm_signs,
    what_is_no_access_token
);

fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn a_service_token_has_the_claims(app: TestApp) {
    let service = app.service("user:read").await;
    let (token, again) = (app.token_of(&service).await, app.token_of(&service).await);
    let header = header_of(&token);
    assert_eq!(members(&header), BTreeSet::from(["alg", "kid", "typ"]));
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["alg"], "ES256");
    let claims = claims_of(&token);
    let expected = BTreeSet::from(["aud", "client_id", "exp", "iat", "iss", "jti", "scope", "sub", "tenant_id"]);
    assert_eq!(members(&claims), expected);
    assert_eq!(claims["iss"], json!(app.base));
    assert_eq!(claims["aud"], json!(app.base));
    assert_eq!(claims["iat"], json!(app.now().seconds()));
    assert_eq!(claims["exp"], json!(app.now().seconds() + 300));
    assert!(claims["tenant_id"].as_str().unwrap().starts_with("tnt_"));
    assert_ne!(claims["jti"], claims_of(&again)["jti"]);
}

async fn a_persons_token_has_the_roles(app: TestApp) {
    let people = app.password_app("openid").await;
    let token = app.sign_in(&people, ADMIN_EMAIL, ADMIN_PASSWORD).await.expect(200).str("access_token");
    assert_eq!(claims_of(&token)["roles"], json!(["super_admin"]));
}

async fn each_algorithm_signs(app: TestApp) {
    let set = app.get("/.well-known/jwks.json").await.body(200);
    for alg in [SigningAlg::Es256, SigningAlg::Rs256, SigningAlg::EdDsa] {
        let service = app.client(NewClient { signing_alg: alg, ..NewClient::service("by algorithm") }).await;
        let token = app.token_of(&service).await;
        let header = header_of(&token);
        assert_eq!(header["alg"], json!(alg.as_str()));
        let key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).expect("published");
        assert_eq!(key["alg"], json!(alg.as_str()));
        assert_eq!(key["use"], "sig");
        let key = VerifyingKey::from_value(key).unwrap();
        let claims: Value = jws::verify(&token, &key, jws::Typ::Is("at+jwt")).unwrap();
        assert_eq!(claims["sub"], json!(service.id));
    }
}

async fn what_is_no_access_token(app: TestApp) {
    let service = app.service("user:read").await;
    let token = app.token_of(&service).await;
    app.get_as(&token, "/api/internal/users").await.expect(200);
    let (header, claims) = (header_of(&token), claims_of(&token));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let with = |value: &Value, member: &str, new: Value| {
        let mut value = value.clone();
        value[member] = new;
        value
    };
    let richer = with(&claims, "scope", json!("user:read user:write system:admin"));
    let set = app.get("/.well-known/jwks.json").await.body(200);
    let public = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap().clone();
    let mut bytes = digest::from_base64url(signature).unwrap();
    bytes[10] ^= 1;
    let forged = [
        // Other claims under the same signature; no signature; another one.
        format!("{}.{signature}", unsigned(&header, &richer)),
        format!("{}.", unsigned(&with(&header, "alg", json!("none")), &richer)),
        format!("{}.", unsigned(&header, &richer)),
        format!("{signed}.{}", digest::base64url(&bytes)),
        format!("{signed}.{}", digest::base64url(&[0; 64])),
        format!("{signed}.{signature}="),
        format!("{signed}.{signature}.{signature}"),
        // Algorithm confusion: the public key as a shared secret.
        mac(public.to_string().as_bytes(), &with(&header, "alg", json!("HS256")), &richer),
        mac(public["x"].as_str().unwrap().as_bytes(), &with(&header, "alg", json!("HS256")), &richer),
        // Another type, an unknown or missing key, a header that would be believed by the careless.
        format!("{}.{signature}", unsigned(&with(&header, "typ", json!("JWT")), &claims)),
        format!("{}.{signature}", unsigned(&with(&header, "kid", json!("nobody's")), &claims)),
        format!("{}.{signature}", unsigned(&json!({ "alg": "ES256", "typ": "at+jwt" }), &claims)),
        format!("{}.{signature}", unsigned(&with(&header, "jwk", public), &richer)),
        format!("{}.{signature}", unsigned(&with(&header, "crit", json!(["exp"])), &claims)),
        format!("{}.{signature}", unsigned(&header, &with(&claims, "iss", json!("https://evil.example")))),
    ];
    for token in forged {
        let answer = app.get_as(&token, "/api/internal/users").await;
        assert_eq!(answer.status, 401, "{token}");
        assert!(!app.is_active(&token).await, "{token}");
    }
    // In a query string or a form a token is none at all (RFC 6750 §2.3 is not offered).
    assert_eq!(app.get(&format!("/api/internal/users?access_token={token}")).await.status, 401);
}
