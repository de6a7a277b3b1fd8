//! What was decided stays decided when the process ends and starts again.

use std::collections::BTreeSet;
use std::time::Duration;

use gatehouse::domain::clients::{self, NewClient};
use gatehouse::domain::users;
use gatehouse::model::client::AuthMethod;
use gatehouse::model::signing_key::SigningAlg;
use serde_json::json;

use crate::support::routes::{PASSWORD, World};
use crate::support::{Signer, TestApp, both_engines};

both_engines!(
    an_assertion_that_was_used_stays_used,
    a_rotated_refresh_token_stays_rotated,
    what_was_revoked_stays_revoked,
    a_locked_account_stays_locked,
    what_was_taken_away_stays_away,
    what_was_issued_goes_on_counting,
);

async fn an_assertion_that_was_used_stays_used(app: TestApp) {
    let signer = Signer::new(SigningAlg::Es256);
    let new =
        NewClient { auth_method: AuthMethod::PrivateKeyJwt, jwks: Some(signer.jwks()), ..NewClient::service("signs") };
    let client = app.client(new).await;
    let claims = |app: &TestApp, jti: &str| {
        let now = app.now().seconds();
        json!({ "iss": client.id, "sub": client.id, "aud": app.base, "jti": jti, "iat": now, "exp": now + 120 })
    };
    let assertion = signer.sign(&claims(&app, "one"));
    let present = async |app: &TestApp, assertion: &str| {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let fields =
            [("grant_type", "client_credentials"), ("client_assertion_type", kind), ("client_assertion", assertion)];
        app.form("/oauth/token", &fields).await
    };
    present(&app, &assertion).await.expect(200);
    present(&app, &assertion).await.is_oauth_error(400, "invalid_client");
    let app = app.restart().await;
    present(&app, &assertion).await.is_oauth_error(400, "invalid_client");
    present(&app, &signer.sign(&claims(&app, "two"))).await.expect(200);
}

async fn a_rotated_refresh_token_stays_rotated(app: TestApp) {
    let world = World::default(&app).await;
    let second = app.refresh(&world.app, &world.refresh_token).await.expect(200).str("refresh_token");
    assert_ne!(second, world.refresh_token);
    let app = app.restart().await;
    // Within the grace the same successor comes again, also from a process that never made it.
    assert_eq!(app.refresh(&world.app, &world.refresh_token).await.expect(200).str("refresh_token"), second);
    app.advance(app.config.tokens.refresh_grace + Duration::from_secs(1));
    let app = app.restart().await;
    app.refresh(&world.app, &world.refresh_token).await.is_oauth_error(400, "invalid_grant");
    // That was a replay, and it ended everything, for good.
    app.refresh(&world.app, &second).await.is_oauth_error(400, "invalid_grant");
    let app = app.restart().await;
    app.refresh(&world.app, &second).await.is_oauth_error(400, "invalid_grant");
    assert!(!app.is_active(&world.access_token).await);
}

async fn what_was_revoked_stays_revoked(app: TestApp) {
    let (by_itself, family) = (World::default(&app).await, World::default(&app).await);
    let revoke = async |app: &TestApp, world: &World, token: &str| {
        app.basic("/oauth/revoke", &world.app.id, &world.app.secret, &[("token", token)]).await.expect(200);
    };
    revoke(&app, &by_itself, &by_itself.access_token).await;
    revoke(&app, &family, &family.refresh_token).await;
    let revoked = [&by_itself.access_token, &family.access_token, &family.refresh_token];
    for token in revoked {
        assert!(!app.is_active(token).await);
    }
    let app = app.restart().await;
    for token in revoked {
        assert!(!app.is_active(token).await);
    }
    app.refresh(&family.app, &family.refresh_token).await.is_oauth_error(400, "invalid_grant");
    assert!(app.is_active(&family.user_token).await, "what was not revoked goes on");
}

async fn a_locked_account_stays_locked(app: TestApp) {
    let client = app.password_app("openid").await;
    app.user("ann@example.org", PASSWORD).await;
    app.user("bob@example.org", PASSWORD).await;
    let failures = app.config.lockout.failures;
    for n in 0..failures {
        app.sign_in(&client, "ann@example.org", &format!("wrong {n}")).await.is_oauth_error(400, "invalid_grant");
    }
    // The other one is one short of it: the count goes on where it was.
    for n in 1..failures {
        app.sign_in(&client, "bob@example.org", &format!("wrong {n}")).await.is_oauth_error(400, "invalid_grant");
    }
    let app = app.restart().await;
    app.sign_in(&client, "ann@example.org", PASSWORD).await.is_oauth_error(400, "invalid_grant");
    app.sign_in(&client, "bob@example.org", "wrong").await.is_oauth_error(400, "invalid_grant");
    app.sign_in(&client, "bob@example.org", PASSWORD).await.is_oauth_error(400, "invalid_grant");
    app.advance(app.config.lockout.duration + Duration::from_secs(1));
    app.sign_in(&client, "ann@example.org", PASSWORD).await.expect(200);
    app.sign_in(&client, "bob@example.org", PASSWORD).await.expect(200);
}

async fn what_was_taken_away_stays_away(app: TestApp) {
    let (disabled, deleted, narrowed) =
        (World::default(&app).await, World::default(&app).await, World::default(&app).await);
    let ctx = app.ctx().await;
    users::set_enabled(&ctx, disabled.user_id.parse().unwrap(), false).await.unwrap();
    clients::delete(&ctx, &deleted.service.id.parse().unwrap()).await.unwrap();
    let body = json!({ "client_id": narrowed.service.id, "scope_name": "user:read" });
    let path = "/v1/internal/services/revoke-scope";
    app.post(&narrowed.service_token, path, &body).await.expect(200);
    drop(ctx);
    let app = app.restart().await;
    app.get_as(&disabled.user_token, "/v1/users/me").await.is_error(401, "user not authenticated");
    app.refresh(&disabled.app, &disabled.refresh_token).await.is_oauth_error(400, "invalid_grant");
    app.sign_in(&disabled.app, &disabled.email, PASSWORD).await.is_oauth_error(400, "invalid_grant");
    app.credentials(&deleted.service).await.is_oauth_error(401, "invalid_client");
    app.get_as(&deleted.service_token, "/v1/internal/services").await.is_error(401, "Unauthorized");
    app.get_as(&narrowed.service_token, "/api/internal/users").await.is_error(403, "Forbidden");
    app.get_as(&narrowed.service_token, "/api/internal/tenants").await.expect(200);
}

async fn what_was_issued_goes_on_counting(app: TestApp) {
    let (default, other) = (World::default(&app).await, World::new(&app, "another").await);
    let published = async |app: &TestApp, world: &World| {
        let jwks = app.get(&format!("{}/.well-known/jwks.json", world.prefix)).await.body(200);
        let kids = jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
        kids.collect::<BTreeSet<_>>()
    };
    let before = (published(&app, &default).await, published(&app, &other).await);
    let app = app.restart().await;
    let (id, secret) = app.first_client();
    app.basic("/oauth/token", id, secret, &[("grant_type", "client_credentials")]).await.expect(200);
    let after = (published(&app, &default).await, published(&app, &other).await);
    assert!(after.0.is_superset(&before.0) && after.1.is_superset(&before.1), "{before:?} {after:?}");
    for world in [&default, &other] {
        app.get_as(&world.user_token, "/v1/users/me").await.expect(200);
        app.get_as(&world.service_token, "/v1/internal/services").await.expect(200);
        app.get_as(&world.secret_key, "/v1/users").await.expect(200);
        let fields = [("grant_type", "refresh_token"), ("refresh_token", world.refresh_token.as_str())];
        app.basic(&format!("{}/oauth/token", world.prefix), &world.app.id, &world.app.secret, &fields)
            .await
            .expect(200);
    }
}
