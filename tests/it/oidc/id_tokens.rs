//! What an ID token says, what it is signed with, and what it is not good for (J1–J8). Every sign-in
//! of these tests checks its ID tokens in `suite.rs`.

use gatehouse::model::signing_key::SigningAlg;
use serde_json::json;

use super::suite::{ALICE, BASIC, CODE, HYBRID, Suite, about_the_person, all, person};
use crate::support::{TestApp, both_engines, header_of};

both_engines!(
    oidcc_idtoken_signature,
    oidcc_idtoken_rs256,
    oidcc_idtoken_unsigned,
    every_algorithm_has_its_hashes,
    claims_of_scopes_stand_there_only_without_an_access_token,
    single_claims_stand_where_they_were_asked_for,
    a_subject_says_the_same_to_every_client,
    an_id_token_opens_nothing,
);

async fn oidcc_idtoken_signature(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let tokens = Suite::new(&app, plan).await.sign_in(&[]).await;
        let header = header_of(tokens.id_token());
        assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")), "{plan:?}");
        assert!(header["kid"].is_string());
    }
}

async fn oidcc_idtoken_rs256(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let alg = SigningAlg::Rs256;
        let suite = Suite::with(&app, plan, |new| new.settings.id_token_signed_response_alg = alg).await;
        assert_eq!(header_of(suite.sign_in(&[]).await.id_token())["alg"], "RS256");
    }
}

/// J3: it is not advertised, and there is no way to register for it, so the suite skips it.
async fn oidcc_idtoken_unsigned(app: TestApp) {
    let document = app.get("/.well-known/openid-configuration").await.body(200);
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["ES256", "RS256", "EdDSA"]));
    assert!("none".parse::<SigningAlg>().is_err());
}

async fn every_algorithm_has_its_hashes(app: TestApp) {
    person(&app, ALICE).await;
    for alg in [SigningAlg::Es256, SigningAlg::EdDsa] {
        for plan in [CODE, HYBRID[2]] {
            let suite = Suite::with(&app, plan, |new| new.settings.id_token_signed_response_alg = alg).await;
            let tokens = suite.sign_in(&[]).await;
            assert_eq!(header_of(tokens.id_token())["alg"], alg.as_str());
            assert!(tokens.id()["at_hash"].is_string());
        }
    }
}

/// K6, OpenID Connect Core §5.4.
async fn claims_of_scopes_stand_there_only_without_an_access_token(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let tokens = Suite::new(&app, plan).await.sign_in(&[("scope", super::suite::EVERYTHING)]).await;
        let about = about_the_person(tokens.id());
        assert_eq!(about.contains("email"), plan.response_type == "id_token", "{plan:?}: {about:?}");
        assert_eq!(about.contains("name"), plan.response_type == "id_token", "{plan:?}: {about:?}");
    }
}

/// OpenID Connect Core §5.5.
async fn single_claims_stand_where_they_were_asked_for(app: TestApp) {
    person(&app, ALICE).await;
    let claims = json!({
        "id_token": { "email": null, "nickname": { "essential": true }, "auth_time": { "essential": true }, "x": null },
        "userinfo": { "phone_number": { "value": "+44 20 7946 0000" }, "name#ja": null },
        "elsewhere": { "name": null },
    })
    .to_string();
    for plan in BASIC.into_iter().chain(HYBRID) {
        let suite = Suite::new(&app, plan).await;
        let tokens = suite.sign_in(&[("claims", &claims)]).await;
        for id in tokens.front.iter().chain(&tokens.back) {
            let about: Vec<String> = about_the_person(id).into_iter().collect();
            assert_eq!(about, ["email", "nickname"], "{plan:?}");
        }
        let said = suite.userinfo(tokens.access()).await;
        assert_eq!(said, json!({ "sub": tokens.id()["sub"], "phone_number": "+44 20 7946 0000" }));
    }
}

async fn a_subject_says_the_same_to_every_client(app: TestApp) {
    let alice = person(&app, ALICE).await;
    for _ in 0..2 {
        assert_eq!(Suite::new(&app, CODE).await.sign_in(&[]).await.id()["sub"], alice.id.to_string());
    }
}

/// RFC 8725 §2.8: an ID token is no access token, no refresh token, no code and no assertion.
async fn an_id_token_opens_nothing(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, CODE).await;
    let token = suite.sign_in(&[]).await.id_token().to_owned();
    suite.rp.userinfo(&token).await.expect(401);
    app.get_as(&token, "/api/internal/users").await.expect(401);
    suite.redeem(&token).await.is_oauth_error(400, "invalid_grant");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &*token)];
    suite.rp.token(&fields).await.is_oauth_error(400, "invalid_grant");
    let fields = [("token", &*token)];
    let seen = app.basic("/oauth/introspect", &suite.rp.client.id, &suite.rp.client.secret, &fields).await;
    assert_eq!(seen.body(200), json!({ "active": false }));
}
