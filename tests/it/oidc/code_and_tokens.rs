//! What a code is worth, to whom, and for how long (H1–H12, RFC 6749 §4.1.3, RFC 7636, RFC 9700).

use std::time::Duration;

use gatehouse::domain::clients::{self, ClientChange};
use gatehouse::domain::users;
use gatehouse::model::client::AuthMethod;
use gatehouse::model::signing_key::SigningAlg;
use serde_json::json;

use super::suite::{ALICE, CODE, Suite, client_of, person, with_code};
use crate::support::{Browser, RelyingParty, Signer, TestApp, VERIFIER, both_engines, challenge, make_user};

both_engines!(
    oidcc_server_client_secret_post,
    oidcc_codereuse,
    oidcc_codereuse_30seconds,
    oidcc_ensure_client_assertion_with_iss_aud_succeeds,
    client_secret_jwt_redeems_too,
    a_code_lives_a_minute,
    a_code_is_bound_to_its_client,
    a_code_is_bound_to_its_redirect_uri,
    a_code_is_bound_to_its_verifier,
    a_code_of_another_tenant_is_none,
    a_code_ends_with_whom_it_is_for,
    a_code_ends_with_its_client,
    a_code_ends_with_its_session,
    the_audience_of_a_code_stays,
    what_is_missing_or_twice_is_named,
);

const SECOND: Duration = Duration::from_secs(1);
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn code(suite: &Suite, more: &[(&str, &str)]) -> String {
    suite.answer(&suite.page(more).await).code().to_owned()
}

async fn oidcc_server_client_secret_post(app: TestApp) {
    person(&app, ALICE).await;
    for plan in with_code() {
        let suite = Suite::with(&app, plan, |new| new.auth_method = AuthMethod::ClientSecretPost).await;
        let code = code(&suite, &[]).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &suite.rp.redirect_uri),
            ("client_id", &suite.rp.client.id),
            ("client_secret", &suite.rp.client.secret),
        ];
        app.form("/oauth/token", &fields).await.expect(200);
    }
}

async fn oidcc_codereuse(app: TestApp) {
    person(&app, ALICE).await;
    for plan in with_code() {
        let suite = Suite::new(&app, plan).await;
        let tokens = suite.sign_in(&[]).await;
        suite.redeem(tokens.callback.code()).await.is_oauth_error(400, "invalid_grant");
        suite.redeem(tokens.callback.code()).await.is_oauth_error(400, "invalid_grant");
    }
}

async fn oidcc_codereuse_30seconds(app: TestApp) {
    person(&app, ALICE).await;
    for plan in with_code() {
        let suite = Suite::new(&app, plan).await;
        let tokens = suite.sign_in(&[]).await;
        // Also long after the code would have expired: a replay tells of a theft.
        app.advance(if plan == CODE { 30 * SECOND } else { 300 * SECOND });
        suite.redeem(tokens.callback.code()).await.is_oauth_error(400, "invalid_grant");
        suite.rp.userinfo(tokens.access()).await.expect(401);
        if let Some(front) = tokens.callback.get("access_token") {
            suite.rp.userinfo(front).await.expect(401);
        }
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
        suite.rp.token(&refresh).await.is_oauth_error(400, "invalid_grant");
    }
}

async fn oidcc_ensure_client_assertion_with_iss_aud_succeeds(app: TestApp) {
    person(&app, ALICE).await;
    let signer = Signer::new(SigningAlg::Rs256);
    let suite = Suite::with(&app, CODE, |new| {
        new.auth_method = AuthMethod::PrivateKeyJwt;
        new.jwks = Some(signer.jwks());
    })
    .await;
    let (id, now) = (&suite.rp.client.id, app.now().seconds());
    let endpoint = format!("{}/oauth/token", app.base);
    for (n, audience) in [&app.base, &endpoint].into_iter().enumerate() {
        let code = code(&suite, &[]).await;
        let claims =
            json!({ "iss": id, "sub": id, "aud": audience, "jti": n.to_string(), "iat": now, "exp": now + 60 });
        let assertion = signer.sign(&claims);
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &suite.rp.redirect_uri),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", &assertion),
        ];
        let answer = app.form("/oauth/token", &fields).await.expect(200);
        suite.id_token(&answer.str("id_token"), Some("a nonce")).await;
        app.form("/oauth/token", &fields).await.expect(400);
    }
}

async fn client_secret_jwt_redeems_too(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::with(&app, CODE, |new| new.auth_method = AuthMethod::ClientSecretJwt).await;
    let (id, secret) = (&suite.rp.client.id, &suite.rp.client.secret);
    let code = code(&suite, &[]).await;
    let now = app.now().seconds();
    let claims =
        json!({ "iss": id, "sub": id, "aud": format!("{}/oauth/token", app.base), "jti": "1", "exp": now + 60 });
    let assertion = crate::support::mac(secret.as_bytes(), &json!({ "alg": "HS256" }), &claims);
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &suite.rp.redirect_uri),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", &assertion),
    ];
    app.form("/oauth/token", &fields).await.expect(200);
}

/// H8.
async fn a_code_lives_a_minute(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let first = code(&suite, &[]).await;
    app.advance(59 * SECOND);
    suite.redeem(&first).await.expect(200);
    let second = code(&suite, &[]).await;
    app.advance(60 * SECOND);
    suite.redeem(&second).await.is_oauth_error(400, "invalid_grant");
}

/// H9: and the try of another one takes nothing from whom it is for.
async fn a_code_is_bound_to_its_client(app: TestApp) {
    person(&app, ALICE).await;
    let (suite, other) = (Suite::new(&app, CODE).await, Suite::new(&app, CODE).await);
    let code = code(&suite, &[]).await;
    other.redeem(&code).await.is_oauth_error(400, "invalid_grant");
    // H10: named as the other, proved as oneself.
    let fields = [("code_verifier", ""), ("client_id", &*other.rp.client.id)];
    let mixed = suite.rp.redeem(&code, &fields).await;
    assert!(["invalid_client", "invalid_request"].contains(&mixed.str("error").as_str()), "{mixed:?}");
    let tokens = suite.redeem(&code).await.expect(200);
    // A replay by somebody else ends nothing.
    other.redeem(&code).await.is_oauth_error(400, "invalid_grant");
    suite.rp.userinfo(&tokens.str("access_token")).await.expect(200);
}

async fn a_code_is_bound_to_its_redirect_uri(app: TestApp) {
    person(&app, ALICE).await;
    let other = "https://rp.example/other";
    let suite = Suite::with(&app, CODE, |new| new.redirect_uris.push(other.to_owned())).await;
    let code = code(&suite, &[]).await;
    for uri in [other, "https://rp.example/callback/", "https://evil.example"] {
        let fields = [("code_verifier", ""), ("redirect_uri", uri)];
        suite.rp.redeem(&code, &fields).await.is_oauth_error(400, "invalid_grant");
    }
    // RFC 6749 §4.1.3: needed where it was named and nothing else binds the code.
    let fields = [("code_verifier", ""), ("redirect_uri", "")];
    suite.rp.redeem(&code, &fields).await.is_oauth_error(400, "invalid_grant");
    suite.redeem(&code).await.expect(200);
    // OAuth 2.1 §4.1.3 drops the parameter: the verifier says more.
    let page = suite.page(&[("code_challenge", &challenge(VERIFIER)), ("code_challenge_method", "S256")]).await;
    suite.rp.redeem(suite.answer(&page).code(), &[("redirect_uri", "")]).await.expect(200);
}

/// H11, RFC 9700 §4.8.2.
async fn a_code_is_bound_to_its_verifier(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let challenge = challenge(VERIFIER);
    let code = code(&suite, &[("code_challenge", &challenge), ("code_challenge_method", "S256")]).await;
    let wrong = VERIFIER.replace('d', "e");
    for verifier in ["", &wrong, &challenge, &VERIFIER[..42], &"a".repeat(129), &format!("{VERIFIER} ")] {
        suite.rp.redeem(&code, &[("code_verifier", verifier)]).await.is_oauth_error(400, "invalid_grant");
    }
    suite.rp.redeem(&code, &[]).await.expect(200);
    // The downgrade: a verifier for a code that was asked for without a challenge.
    let code = self::code(&suite, &[]).await;
    suite.rp.redeem(&code, &[]).await.is_oauth_error(400, "invalid_grant");
    suite.redeem(&code).await.expect(200);
}

async fn a_code_of_another_tenant_is_none(app: TestApp) {
    person(&app, ALICE).await;
    let tenant = app.tenant("another").await;
    let password = gatehouse::domain::users::NewPassword::Plain(super::suite::PASSWORD, 6);
    make_user(&app.ctx_of(&tenant).await, ALICE, password, &[]).await;
    let here = RelyingParty::new(&app, client_of(CODE)).await;
    let mut same_id = client_of(CODE);
    same_id.id = Some(here.client.id.clone());
    let there = RelyingParty::of(&app, &tenant, same_id).await;
    let browser = Browser::new(&app);
    for (one, other) in [(&here, &there), (&there, &here)] {
        let page = one.sign_in_with(&browser, ALICE, &[]).await;
        let code = page.answer().code().to_owned();
        assert_eq!(page.answer().get("iss").unwrap().ends_with(&tenant.id), one.prefix.contains("/t/"));
        other.redeem(&code, &[]).await.is_oauth_error(400, "invalid_grant");
        one.redeem(&code, &[]).await.expect(200);
    }
}

async fn a_code_ends_with_whom_it_is_for(app: TestApp) {
    let alice = person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let code = code(&suite, &[]).await;
    users::set_enabled(&app.ctx().await, alice.id, false).await.unwrap();
    suite.redeem(&code).await.is_oauth_error(400, "invalid_grant");
}

async fn a_code_ends_with_its_client(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let code = code(&suite, &[]).await;
    let page = suite.open(&[("prompt", "consent")]).await.expect(200, "/consent");
    let change = ClientChange { enabled: Some(false), ..ClientChange::default() };
    clients::update(&app.ctx().await, &suite.rp.client.id.parse().unwrap(), change).await.unwrap();
    suite.redeem(&code).await.is_oauth_error(401, "invalid_client");
    // Whoever was about to say yes is told, and nobody else.
    let page = suite.browser.submit(&page, "/consent", &[("action", "allow")]).await;
    super::suite::is_error_page(&page);
    super::suite::is_error_page(&suite.open(&[]).await);
}

async fn a_code_ends_with_its_session(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let code = code(&suite, &[]).await;
    let page = suite.browser.open("/logout").await.expect(200, "/logout");
    suite.browser.submit(&page, "/logout", &[("action", "sign-out")]).await;
    suite.redeem(&code).await.is_oauth_error(400, "invalid_grant");
}

/// RFC 8707 §2.2.
async fn the_audience_of_a_code_stays(app: TestApp) {
    const API: &str = "https://api.example.org/v1";
    const OTHER: &str = "https://other.example.org";
    person(&app, ALICE).await;
    let both = vec![API.to_owned(), OTHER.to_owned()];
    let suite = Suite::with(&app, CODE, |new| new.audiences = both).await;
    let code = code(&suite, &[("resource", API)]).await;
    let named = |resource: &'static str| [("code_verifier", ""), ("resource", resource)];
    suite.rp.redeem(&code, &named(OTHER)).await.is_oauth_error(400, "invalid_target");
    let answer = suite.rp.redeem(&code, &named(API)).await.expect(200);
    assert_eq!(crate::support::claims_of(&answer.str("access_token"))["aud"], API);
}

async fn what_is_missing_or_twice_is_named(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    suite.rp.redeem("", &[]).await.is_oauth_error(400, "invalid_request");
    for code in ["nothing", "ghc_x", "gha_0123456789abcdef"] {
        suite.redeem(code).await.is_oauth_error(400, "invalid_grant");
    }
    let code = code(&suite, &[]).await;
    let twice = [("code", &*code), ("code", &*code), ("grant_type", "authorization_code")];
    suite.rp.token(&twice).await.is_oauth_error(400, "invalid_request");
    // A client that has not registered for the grant.
    let service = app.service("user:read").await;
    let fields = [("grant_type", "authorization_code"), ("code", &*code)];
    let answer = app.basic("/oauth/token", &service.id, &service.secret, &fields).await;
    answer.is_oauth_error(400, "unauthorized_client");
    suite.redeem(&code).await.expect(200);
}
