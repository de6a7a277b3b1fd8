//! Discovery and the published keys: what is advertised works, and what works is advertised (A1–A13).

use gatehouse::domain::tenants;
use gatehouse::model::tenant::{RegistrationPolicy, Tenant};
use serde_json::{Value, json};
use url::Url;

use super::suite::{IMPLICIT, Suite};
use crate::support::{TestApp, both_engines};

both_engines!(
    oidcc_discovery_endpoint_verification,
    oidcc_rp_initiated_logout_discovery_endpoint_verification,
    oidcc_backchannel_logout_discovery_endpoint_verification,
    oidcc_frontchannel_logout_discovery_endpoint_verification,
    the_published_keys_are_what_relying_parties_can_use,
    what_is_off_is_not_advertised,
    every_endpoint_that_is_advertised_is_there,
);

async fn document(app: &TestApp) -> Value {
    let answer = app.get("/.well-known/openid-configuration").await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

#[track_caller]
fn texts(document: &Value, name: &str) -> Vec<String> {
    let values = document[name].as_array().unwrap_or_else(|| panic!("{name}: {document}"));
    let texts: Vec<String> = values.iter().map(|value| value.as_str().expect("a text").to_owned()).collect();
    let mut different = texts.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), texts.len(), "{name}: each once");
    texts
}

#[track_caller]
fn has(document: &Value, name: &str, wanted: &[&str]) {
    let values = texts(document, name);
    assert!(wanted.iter().all(|wanted| values.iter().any(|value| value == wanted)), "{name}: {values:?}");
}

/// What a client registers for can be registered for: as the Dynamic plan wants it.
async fn open_registration(app: &TestApp) {
    let open = |tenant: &mut Tenant| {
        tenant.settings.registration = RegistrationPolicy::Open;
        tenant.settings.registration_legacy = true;
    };
    tenants::update(&app.ctx().await, open).await.unwrap();
}

async fn oidcc_discovery_endpoint_verification(app: TestApp) {
    open_registration(&app).await;
    let document = document(&app).await;
    // A1: the issuer is the address less the well-known part, and nothing but scheme, host and path.
    let issuer = document["issuer"].as_str().unwrap();
    assert_eq!(issuer, app.base);
    let parsed = Url::parse(issuer).unwrap();
    assert_eq!((parsed.query(), parsed.fragment(), parsed.username()), (None, None, ""));
    // A2: https follows the issuer's scheme, so here it is whatever the issuer has.
    let endpoints = document.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint"));
    for (name, address) in endpoints.chain([(&"jwks_uri".to_owned(), &document["jwks_uri"])]) {
        assert!(
            address.as_str().is_some_and(|address| address.starts_with(&format!("{issuer}/"))),
            "{name}: {address}"
        );
    }
    for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "registration_endpoint"] {
        assert!(document[name].is_string(), "{name}");
    }
    // A4
    has(&document, "response_types_supported", &["code", "id_token", "id_token token"]);
    has(&document, "subject_types_supported", &["public", "pairwise"]);
    has(&document, "id_token_signing_alg_values_supported", &["RS256"]);
    has(&document, "userinfo_signing_alg_values_supported", &["RS256"]);
    has(&document, "request_object_signing_alg_values_supported", &["RS256"]);
    has(&document, "scopes_supported", &["openid", "profile", "email", "address", "phone", "offline_access"]);
    has(&document, "grant_types_supported", &["authorization_code", "implicit", "refresh_token"]);
    has(&document, "claims_supported", &["sub", "name", "email", "address", "phone_number", "auth_time", "acr"]);
    let scopes = texts(&document, "scopes_supported");
    assert!(scopes.iter().all(|scope| scope.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))));
    // A5
    assert_eq!(texts(&document, "ui_locales_supported"), ["en", "zh-Hans"]);
    assert_eq!(texts(&document, "code_challenge_methods_supported"), ["S256"]);
    for name in ["claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"] {
        assert_eq!(document[name], true, "{name}");
    }
    // A8: what a client may choose and what the plans use.
    let methods = ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];
    has(&document, "token_endpoint_auth_methods_supported", &methods);
    // A13, J3: what is not there.
    assert_eq!(document.get("mtls_endpoint_aliases"), None);
    for name in ["id_token_signing_alg_values_supported", "request_object_signing_alg_values_supported"] {
        assert!(!texts(&document, name).contains(&"none".to_owned()), "{name}");
    }
    // RFC 9207 §3
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
}

async fn oidcc_rp_initiated_logout_discovery_endpoint_verification(app: TestApp) {
    assert_eq!(document(&app).await["end_session_endpoint"], format!("{}/oauth/logout", app.base));
}

async fn oidcc_backchannel_logout_discovery_endpoint_verification(app: TestApp) {
    let document = document(&app).await;
    assert_eq!(document["backchannel_logout_supported"], true);
    assert_eq!(document["backchannel_logout_session_supported"], true);
}

async fn oidcc_frontchannel_logout_discovery_endpoint_verification(app: TestApp) {
    let document = document(&app).await;
    assert_eq!(document["frontchannel_logout_supported"], true);
    assert_eq!(document["frontchannel_logout_session_supported"], true);
}

/// A6, A7: the rest is held by `oauth/jwks.rs`.
async fn the_published_keys_are_what_relying_parties_can_use(app: TestApp) {
    let document = document(&app).await;
    let set = app.get(document["jwks_uri"].as_str().unwrap()).await.body(200);
    let keys = set["keys"].as_array().unwrap();
    let names: std::collections::BTreeSet<String> =
        keys.iter().map(|key| format!("{} {} {} {}", key["kid"], key["kty"], key["alg"], key["use"])).collect();
    assert_eq!(names.len(), keys.len(), "no two keys agree on kid, kty, alg and use");
    for alg in texts(&document, "id_token_signing_alg_values_supported") {
        assert!(keys.iter().any(|key| key["alg"] == alg.as_str()), "a key for {alg}");
    }
}

async fn what_is_off_is_not_advertised(app: TestApp) {
    let before = document(&app).await;
    assert_eq!(before.get("registration_endpoint"), None);
    assert_eq!(before["response_types_supported"], json!(["code"]));
    assert!(!texts(&before, "grant_types_supported").contains(&"implicit".to_owned()));
    // What one client may use is advertised: there is no other way to tell it.
    Suite::new(&app, IMPLICIT[1]).await;
    let after = document(&app).await;
    has(&after, "response_types_supported", &["code", "id_token token", "code id_token token"]);
    has(&after, "grant_types_supported", &["implicit"]);
}

async fn every_endpoint_that_is_advertised_is_there(app: TestApp) {
    open_registration(&app).await;
    let document = document(&app).await;
    for (name, address) in document.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint")) {
        let answer = app.form(address.as_str().unwrap(), &[]).await;
        assert!(!matches!(answer.status, 404 | 405), "{name}: {answer:?}");
    }
}
