//! Response types that send tokens through the browser: off for everybody, complete where on
//! (RFC 9700 §2.1.2; J4, J5, AR7 are checked at every sign-in of these tests).

use std::time::Duration;

use gatehouse::domain::DomainError;
use gatehouse::domain::clients::{self, NewClient};
use gatehouse::model::client::{AuthMethod, GrantType};
use serde_json::json;

use super::suite::{ALICE, CODE, HYBRID, IMPLICIT, Suite, client_of, person};
use crate::support::{TestApp, both_engines, claims_of};

both_engines!(
    they_stand_behind_a_setting,
    a_client_uses_the_types_that_it_registered,
    the_order_of_the_words_says_nothing,
    implicit_gives_nothing_that_lasts,
    both_tokens_of_a_hybrid_flow_are_one_authorization,
    a_front_channel_token_ends_with_the_session,
    a_public_client_may_be_implicit,
);

async fn they_stand_behind_a_setting(app: TestApp) {
    let ctx = app.ctx().await;
    for plan in IMPLICIT.into_iter().chain(HYBRID) {
        let mut new = client_of(plan);
        new.settings.legacy_response_types = false;
        let refused = clients::create(&ctx, new).await.err();
        assert!(matches!(&refused, Some(DomainError::Invalid(why)) if why.to_string().contains("legacy")), "{plan:?}");
        // Nor does a request bring it about.
        let suite = Suite::new(&app, CODE).await;
        let page = suite.open(&[("response_type", plan.response_type)]).await;
        let error = page.answer();
        assert_eq!((error.get("error"), error.in_fragment), (Some("unsupported_response_type"), true), "{plan:?}");
    }
}

/// OpenID Connect Registration §2, RFC 6749 §4.2.2.1.
async fn a_client_uses_the_types_that_it_registered(app: TestApp) {
    for (registered, asked) in
        [(IMPLICIT[0], IMPLICIT[1]), (IMPLICIT[1], IMPLICIT[0]), (HYBRID[0], HYBRID[2]), (HYBRID[1], CODE)]
    {
        let suite = Suite { plan: asked, ..Suite::new(&app, registered).await };
        suite.refused(&suite.open(&[]).await, "unauthorized_client");
    }
    // Without the grant type the response type can't be registered.
    let without = NewClient { grant_types: vec![GrantType::AuthorizationCode], ..client_of(HYBRID[0]) };
    assert!(matches!(clients::create(&app.ctx().await, without).await, Err(DomainError::Invalid(_))));
}

async fn the_order_of_the_words_says_nothing(app: TestApp) {
    person(&app, ALICE).await;
    for (plan, turned) in [(IMPLICIT[1], "token id_token"), (HYBRID[2], "token code  id_token")] {
        Suite::new(&app, plan).await.sign_in(&[("response_type", turned)]).await;
    }
}

async fn implicit_gives_nothing_that_lasts(app: TestApp) {
    person(&app, ALICE).await;
    let suite = Suite::new(&app, IMPLICIT[1]).await;
    let tokens = suite.sign_in(&[("scope", "openid email offline_access")]).await;
    assert_eq!(tokens.callback.get("refresh_token"), None);
    assert_eq!(tokens.callback.get("scope"), Some("openid email"));
    assert_eq!(suite.userinfo(tokens.access()).await["email"], ALICE);
    let life: u64 = tokens.callback.get("expires_in").unwrap().parse().unwrap();
    app.advance(Duration::from_secs(life - 1));
    suite.rp.userinfo(tokens.access()).await.expect(200);
    app.advance(Duration::from_secs(2));
    suite.rp.userinfo(tokens.access()).await.expect(401);
}

async fn both_tokens_of_a_hybrid_flow_are_one_authorization(app: TestApp) {
    person(&app, ALICE).await;
    for plan in HYBRID.into_iter().filter(|plan| plan.gives("token")) {
        let suite = Suite::new(&app, plan).await;
        let tokens = suite.sign_in(&[]).await;
        let (front, back) = (tokens.callback.get("access_token").unwrap(), tokens.access());
        assert_ne!(front, back);
        assert_eq!(claims_of(front)["family"], claims_of(back)["family"]);
        // A code that nobody has redeemed takes nothing from the token beside it.
        let page = suite.open(&[]).await;
        let unredeemed = suite.answer(&page);
        app.advance(Duration::from_secs(120));
        suite.redeem(unredeemed.code()).await.is_oauth_error(400, "invalid_grant");
        suite.userinfo(unredeemed.get("access_token").unwrap()).await;
        // Whoever revokes the authorization ends both.
        let (client, fields) = (&suite.rp.client, [("token", tokens.refresh())]);
        app.basic("/oauth/revoke", &client.id, &client.secret, &fields).await.expect(200);
        suite.rp.userinfo(front).await.expect(401);
        suite.rp.userinfo(back).await.expect(401);
    }
}

async fn a_front_channel_token_ends_with_the_session(app: TestApp) {
    person(&app, ALICE).await;
    for plan in [IMPLICIT[1], HYBRID[1]] {
        let suite = Suite::new(&app, plan).await;
        let tokens = suite.sign_in(&[]).await;
        let page = suite.browser.open("/logout").await.expect(200, "/logout");
        suite.browser.submit(&page, "/logout", &[("action", "sign-out")]).await;
        suite.rp.userinfo(tokens.callback.get("access_token").unwrap()).await.expect(401);
        suite.rp.userinfo(tokens.access()).await.expect(401);
    }
}

async fn a_public_client_may_be_implicit(app: TestApp) {
    person(&app, ALICE).await;
    for plan in &IMPLICIT[..2] {
        let suite = Suite::with(&app, *plan, |new| {
            new.auth_method = AuthMethod::None;
            new.settings.require_pkce = true;
        })
        .await;
        let tokens = suite.sign_in(&[]).await;
        assert_eq!(tokens.id()["aud"], json!(suite.rp.client.id));
    }
}
