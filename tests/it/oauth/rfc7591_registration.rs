//! Clients register themselves: RFC 7591, OpenID Connect Registration, conformance C.

use std::time::Duration;

use gatehouse::config::Rate;
use gatehouse::domain::tenants;
use gatehouse::model::signing_key::SigningAlg;
use gatehouse::model::tenant::RegistrationPolicy;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Receiver, Reply, Setup, Signer, TestApp, both_engines};

both_engines!(
    it_is_off_unless_the_tenant_says_otherwise,
    an_initial_access_token_opens_it,
    defaults_are_those_of_the_specification,
    everything_that_is_registered_is_shown,
    members_have_their_types,
    oidcc_redirect_uri_regfrag,
    oidcc_3rd_party_init_login,
    oidcc_registration_sector_uri,
    nothing_is_granted_that_acts_without_a_person,
    legacy_response_types_are_the_tenants_to_allow,
    what_was_registered_can_be_used,
    each_tenant_has_its_own,
    registrations_from_one_address_are_limited,
);

const CALLBACK: &str = "https://rp.example/callback";

pub async fn policy(app: &TestApp, policy: RegistrationPolicy) {
    tenants::update(&app.ctx().await, move |tenant| tenant.settings.registration = policy).await.unwrap();
}

pub async fn register(app: &TestApp, metadata: &Value) -> Answer {
    app.post("", "/oauth/register", metadata).await
}

/// The least that registers.
pub fn least() -> Value {
    json!({ "redirect_uris": [CALLBACK] })
}

fn with(mut metadata: Value, name: &str, value: Value) -> Value {
    metadata[name] = value;
    metadata
}

async fn open(app: &TestApp) {
    policy(app, RegistrationPolicy::Open).await;
}

async fn it_is_off_unless_the_tenant_says_otherwise(app: TestApp) {
    let endpoint =
        async || app.get("/.well-known/openid-configuration").await.body(200)["registration_endpoint"].clone();
    register(&app, &least()).await.is_oauth_error(403, "access_denied");
    assert_eq!(endpoint().await, Value::Null);
    open(&app).await;
    register(&app, &least()).await.expect(201);
    assert_eq!(endpoint().await, json!(format!("{}/oauth/register", app.base)));
    policy(&app, RegistrationPolicy::Off).await;
    register(&app, &least()).await.is_oauth_error(403, "access_denied");
    app.request(Method::GET, "/oauth/register").send().await.map(|answer| assert_eq!(answer.status(), 405)).unwrap();
}

async fn an_initial_access_token_opens_it(app: TestApp) {
    policy(&app, RegistrationPolicy::Token).await;
    let expires = app.now() + Duration::from_secs(60);
    let token = tenants::issue_initial_token(&app.ctx().await, Some(expires)).await.unwrap().expose().clone();
    let lasting = tenants::issue_initial_token(&app.ctx().await, None).await.unwrap().expose().clone();
    let missing = register(&app, &least()).await;
    missing.is_oauth_error(401, "invalid_token");
    assert_eq!(missing.header("www-authenticate"), Some(r#"Bearer realm="gatehouse""#));
    for wrong in ["x", "ghn_0000000000000000000000000000000000000000000000000", &token[..token.len() - 1]] {
        let refused = app.post(wrong, "/oauth/register", &least()).await;
        refused.is_oauth_error(401, "invalid_token");
        assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"), "{refused:?}");
    }
    app.post(&token, "/oauth/register", &least()).await.expect(201);
    app.post(&token, "/oauth/register", &least()).await.expect(201);
    app.advance(Duration::from_secs(61));
    app.post(&token, "/oauth/register", &least()).await.is_oauth_error(401, "invalid_token");
    app.post(&lasting, "/oauth/register", &least()).await.expect(201);
    tenants::revoke_initial_tokens(&app.ctx().await).await.unwrap();
    app.post(&lasting, "/oauth/register", &least()).await.is_oauth_error(401, "invalid_token");
}

async fn defaults_are_those_of_the_specification(app: TestApp) {
    open(&app).await;
    let answer = register(&app, &least()).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.body(201);
    for (name, value) in [
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("grant_types", json!(["authorization_code"])),
        ("response_types", json!(["code"])),
        ("application_type", json!("web")),
        ("id_token_signed_response_alg", json!("RS256")),
        ("subject_type", json!("public")),
        ("client_secret_expires_at", json!(0)),
        ("client_name", json!("rp.example")),
        ("client_id_issued_at", json!(app.now().seconds())),
        ("error", Value::Null),
    ] {
        assert_eq!(body[name], value, "{name}: {body}");
    }
    let id = body["client_id"].as_str().unwrap();
    assert_eq!(body["registration_client_uri"], json!(format!("{}/oauth/register/{id}", app.base)));
    assert!(body["client_secret"].as_str().unwrap().starts_with("ghs_"));
    assert!(body["registration_access_token"].as_str().unwrap().starts_with("ghg_"));
    // Nothing that only the operator decides.
    for ours in ["registration_token", "first_party", "legacy_response_types", "require_pkce"] {
        assert_eq!(body.get(ours), None, "{ours}");
    }
    // A public client and one with keys get no secret, and so no date for one.
    let signer = Signer::new(SigningAlg::Rs256);
    let public = with(least(), "token_endpoint_auth_method", json!("none"));
    let keys = with(
        with(least(), "token_endpoint_auth_method", json!("private_key_jwt")),
        "jwks",
        json!({ "keys": [signer.jwk()] }),
    );
    for metadata in [public, keys] {
        let body = register(&app, &metadata).await.body(201);
        assert_eq!(body.get("client_secret"), None);
        assert_eq!(body.get("client_secret_expires_at"), None);
    }
}

async fn everything_that_is_registered_is_shown(app: TestApp) {
    open(&app).await;
    let mut key = serde_json::to_value(Signer::new(SigningAlg::Rs256).jwk()).unwrap();
    key.as_object_mut().unwrap().remove("kid");
    let metadata = json!({
        "client_name": "Certification suite, client #1 (\"first\")",
        "application_type": "web",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "redirect_uris": [CALLBACK, "https://rp.example/callback?dummy1=lorem&dummy2=ipsum"],
        "post_logout_redirect_uris": ["https://rp.example/after"],
        "contacts": ["rp@example.org"],
        "token_endpoint_auth_method": "client_secret_post",
        "jwks": { "keys": [key] },
        "logo_uri": "https://rp.example/logo.png",
        "client_uri": "https://rp.example/",
        "policy_uri": "https://rp.example/policy",
        "tos_uri": "https://rp.example/tos",
        "subject_type": "pairwise",
        "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "RS256",
        "request_object_signing_alg": "RS256",
        "request_uris": ["https://rp.example/request#Zm9v"],
        "initiate_login_uri": "https://rp.example/start",
        "backchannel_logout_uri": "https://rp.example/back",
        "backchannel_logout_session_required": true,
        "frontchannel_logout_uri": "https://rp.example/front",
        "frontchannel_logout_session_required": true,
        "default_max_age": 3600,
        "require_auth_time": true,
        "default_acr_values": ["phr"],
        "require_pushed_authorization_requests": true,
        "scope": "openid email",
    });
    let mut asked = metadata.clone();
    // What nobody here knows is ignored.
    for (name, value) in [
        ("tls_client_certificate_bound_access_tokens", json!(true)),
        ("client_name#ja-Jpan-JP", json!("クライアント名")),
        ("unheard_of", json!({ "a": [1] })),
        ("logo_uri#de", json!(5)),
    ] {
        asked[name] = value;
    }
    let body = register(&app, &asked).await.body(201);
    for (name, value) in metadata.as_object().unwrap() {
        assert_eq!(&body[name], value, "{name}");
    }
    assert_eq!(body.get("unheard_of"), None);
}

async fn members_have_their_types(app: TestApp) {
    open(&app).await;
    for (name, value) in [
        ("redirect_uris", json!(CALLBACK)),
        ("redirect_uris", json!([1])),
        ("redirect_uris", json!({})),
        ("grant_types", json!("authorization_code")),
        ("grant_types", json!(["magic"])),
        ("response_types", json!(["code", "magic"])),
        ("client_name", json!(1)),
        ("client_name", json!("a\u{0}b")),
        ("client_name", json!("x".repeat(201))),
        ("client_name", json!("")),
        ("application_type", json!("desktop")),
        ("token_endpoint_auth_method", json!("tls_client_auth")),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("token_endpoint_auth_signing_alg", json!("none")),
        ("id_token_signed_response_alg", json!("none")),
        ("id_token_encrypted_response_alg", json!("RSA-OAEP")),
        ("userinfo_signed_response_alg", json!("HS256")),
        ("subject_type", json!("secret")),
        ("jwks", json!("{}")),
        ("jwks", json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] })),
        ("jwks_uri", json!("http://rp.example/jwks")),
        ("default_max_age", json!("60")),
        ("default_max_age", json!(-1)),
        ("require_auth_time", json!("true")),
        ("backchannel_logout_uri", json!("http://rp.example/back")),
        ("backchannel_logout_session_required", json!(1)),
        ("frontchannel_logout_uri", json!("https://other.example/front")),
        ("contacts", json!("rp@example.org")),
        ("request_uris", json!(["http://rp.example/r"])),
        ("logo_uri", json!("javascript:alert(1)")),
        ("post_logout_redirect_uris", json!(["http://rp.example/"])),
        ("scope", json!("a\"b")),
        ("software_id", json!(7)),
    ] {
        let answer = register(&app, &with(least(), name, value.clone())).await;
        let code = if answer.json()["error"] == "invalid_redirect_uri" {
            "invalid_redirect_uri"
        } else {
            "invalid_client_metadata"
        };
        answer.is_oauth_error(400, code);
        let said = answer.str("error_description");
        assert!(
            said.contains(name.trim_end_matches('s')) || said.contains("jwks") || name == "client_name",
            "{name}={value}: {said}"
        );
    }
    // `null` is what is not there.
    register(&app, &with(least(), "logo_uri", Value::Null)).await.expect(201);
    register(&app, &json!({})).await.is_oauth_error(400, "invalid_redirect_uri");
    for body in
        ["", "[]", "{", "null", r#"{"redirect_uris":["https://a.example/"],"redirect_uris":["https://b.example/"]}"#]
    {
        let request =
            app.request(Method::POST, "/oauth/register").header("content-type", "application/json").body(body);
        assert_eq!(app.send(request).await.status, 400, "{body}");
    }
    let form = app.form("/oauth/register", &[("redirect_uris", CALLBACK)]).await;
    assert_eq!(form.status, 415, "{form:?}");
    let large = with(least(), "client_uri", json!("x".repeat(70_000)));
    assert_eq!(register(&app, &large).await.status, 413);
}

async fn oidcc_redirect_uri_regfrag(app: TestApp) {
    open(&app).await;
    let answer = register(&app, &json!({ "redirect_uris": ["https://rp.example/callback#foobar"] })).await;
    answer.is_oauth_error(400, "invalid_redirect_uri");
}

async fn oidcc_3rd_party_init_login(app: TestApp) {
    open(&app).await;
    let start = json!("https://rp.example/start?from=here");
    let made = register(&app, &with(least(), "initiate_login_uri", start.clone())).await.body(201);
    assert_eq!(made["initiate_login_uri"], start);
    let uri = made["registration_client_uri"].as_str().unwrap();
    let shown = app.get_as(made["registration_access_token"].as_str().unwrap(), uri).await.body(200);
    assert_eq!(shown["initiate_login_uri"], start);
    // oidcc-3rd_party-init-login-nohttps
    let plain = register(&app, &with(least(), "initiate_login_uri", json!("http://rp.example/start"))).await;
    plain.is_oauth_error(400, "invalid_client_metadata");
}

async fn oidcc_registration_sector_uri(setup: Setup) {
    let app = setup.start_with(|config| config.outbound.allow_networks = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let receiver = Receiver::start().await;
    open(&app).await;
    let uris = json!(["https://a.example/cb", "https://b.example/cb"]);
    let asked =
        |sector: &str| json!({ "redirect_uris": uris, "subject_type": "pairwise", "sector_identifier_uri": sector });
    let whole =
        receiver.shows("/whole", json!(["https://b.example/cb", "https://c.example/cb", "https://a.example/cb"]));
    let made = register(&app, &asked(&whole)).await.body(201);
    assert_eq!(made["sector_identifier_uri"], whole);
    // oidcc-registration-sector-bad, and every other way not to be one
    let replies = [
        Reply::Says(200, json!(["https://a.example/cb"]).to_string()),
        Reply::Says(200, json!({ "uris": uris }).to_string()),
        Reply::Says(200, "<html>".to_owned()),
        Reply::Says(404, uris.to_string()),
        Reply::Leads(whole.clone()),
        Reply::Floods,
    ];
    for (n, reply) in replies.into_iter().enumerate() {
        let sector = receiver.at(&format!("/bad{n}"), reply);
        register(&app, &asked(&sector)).await.is_oauth_error(400, "invalid_client_metadata");
    }
    let mut without = asked("");
    without.as_object_mut().unwrap().remove("sector_identifier_uri");
    register(&app, &without).await.is_oauth_error(400, "invalid_client_metadata");
    // What may not be reached is refused in words that say nothing of what is there.
    let inside = register(&app, &asked("https://10.0.0.1/sector")).await;
    inside.is_oauth_error(400, "invalid_client_metadata");
    assert!(!inside.str("error_description").contains("network"), "{inside:?}");
}

async fn nothing_is_granted_that_acts_without_a_person(app: TestApp) {
    open(&app).await;
    for grant in ["client_credentials", "password", "urn:ietf:params:oauth:grant-type:token-exchange"] {
        let asked = with(least(), "grant_types", json!(["authorization_code", grant]));
        register(&app, &asked).await.is_oauth_error(400, "invalid_client_metadata");
    }
    // Permissions are not asked for but dropped; what nobody knows, too.
    let asked = with(least(), "scope", json!("openid user:read admin email internal:admin offline_access"));
    let body = register(&app, &asked).await.body(201);
    assert_eq!(body["scope"], "openid email offline_access");
    let device = json!({ "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"] });
    let body = register(&app, &device).await.body(201);
    assert_eq!((body["response_types"].clone(), body["redirect_uris"].clone()), (json!([]), json!([])));
}

async fn legacy_response_types_are_the_tenants_to_allow(app: TestApp) {
    open(&app).await;
    let hybrid = json!({
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "implicit"],
        "response_types": ["code id_token"],
    });
    register(&app, &hybrid).await.is_oauth_error(400, "invalid_client_metadata");
    tenants::update(&app.ctx().await, |tenant| tenant.settings.registration_legacy = true).await.unwrap();
    assert_eq!(register(&app, &hybrid).await.body(201)["response_types"], json!(["code id_token"]));
    let implicit =
        with(with(hybrid.clone(), "grant_types", json!(["implicit"])), "response_types", json!(["id_token token"]));
    assert_eq!(register(&app, &implicit).await.body(201)["response_types"], json!(["id_token token"]));
    // Response types and grant types go together (RFC 7591 §2.1).
    register(&app, &with(hybrid, "grant_types", json!(["implicit"])))
        .await
        .is_oauth_error(400, "invalid_client_metadata");
}

async fn what_was_registered_can_be_used(app: TestApp) {
    open(&app).await;
    let made = register(&app, &least()).await.body(201);
    let (id, secret) = (made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
    // The client is known: its secret counts, and what it may not do is told as that.
    let grant = [("grant_type", "client_credentials")];
    app.basic("/oauth/token", id, secret, &grant).await.is_oauth_error(400, "unauthorized_client");
    app.basic("/oauth/token", id, "wrong", &grant).await.is_oauth_error(401, "invalid_client");
}

async fn each_tenant_has_its_own(app: TestApp) {
    open(&app).await;
    let other = app.tenant("other").await;
    let path = format!("/t/{}/oauth/register", other.id);
    app.post("", &path, &least()).await.is_oauth_error(403, "access_denied");
    tenants::update(&app.ctx_of(&other).await, |tenant| tenant.settings.registration = RegistrationPolicy::Token)
        .await
        .unwrap();
    let ours = tenants::issue_initial_token(&app.ctx().await, None).await.unwrap().expose().clone();
    app.post(&ours, &path, &least()).await.is_oauth_error(401, "invalid_token");
    let theirs = tenants::issue_initial_token(&app.ctx_of(&other).await, None).await.unwrap().expose().clone();
    let made = app.post(&theirs, &path, &least()).await.body(201);
    let uri = made["registration_client_uri"].as_str().unwrap();
    assert!(uri.starts_with(&format!("{}/oauth/register/", other.issuer)), "{uri}");
    let token = made["registration_access_token"].as_str().unwrap();
    app.get_as(token, uri).await.expect(200);
    let elsewhere = uri.replace(&format!("/t/{}", other.id), "");
    app.get_as(token, &elsewhere).await.is_oauth_error(401, "invalid_token");
}

async fn registrations_from_one_address_are_limited(setup: Setup) {
    let app = setup.start_with(|config| config.limits.registration = Rate::per_hour(1, 3)).await;
    open(&app).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(register(&app, &least()).await.status);
    }
    assert_eq!(statuses, [201, 201, 201, 429]);
    // Who has a token was let in by the operator.
    policy(&app, RegistrationPolicy::Token).await;
    let token = tenants::issue_initial_token(&app.ctx().await, None).await.unwrap().expose().clone();
    app.post(&token, "/oauth/register", &least()).await.expect(201);
}
