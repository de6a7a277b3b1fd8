//! RFC 7009: the end of tokens.

use crate::support::{Answer, Client, TestApp, both_engines};

both_engines!(
    an_access_token_ends_alone,
    a_refresh_token_ends_its_authorization,
    unknown_tokens_are_no_error,
    only_the_own_tokens,
    who_proves_nothing_ends_nothing,
);

async fn revoke(app: &TestApp, client: &Client, token: &str) -> Answer {
    app.basic("/oauth/revoke", &client.id, &client.secret, &[("token", token)]).await
}

async fn signed_in(app: &TestApp) -> (Client, String, String) {
    app.user("alice@example.org", "open sesame").await;
    let people = app.password_app("openid").await;
    let answer = app.sign_in(&people, "alice@example.org", "open sesame").await.expect(200);
    (people, answer.str("access_token"), answer.str("refresh_token"))
}

async fn an_access_token_ends_alone(app: TestApp) {
    let service = app.service("user:read").await;
    let (first, second) = (app.token_of(&service).await, app.token_of(&service).await);
    let answer = revoke(&app, &service, &first).await.expect(200);
    assert_eq!(answer.text, "");
    app.get_as(&first, "/api/internal/users").await.expect(401);
    app.get_as(&second, "/api/internal/users").await.expect(200);
    assert!(!app.is_active(&first).await);
    // Once more is no error (§2.2).
    revoke(&app, &service, &first).await.expect(200);
    // A person's access token ends alone too: the refresh token goes on.
    let (people, access, refresh) = signed_in(&app).await;
    revoke(&app, &people, &access).await.expect(200);
    assert!(!app.is_active(&access).await);
    app.refresh(&people, &refresh).await.expect(200);
}

async fn a_refresh_token_ends_its_authorization(app: TestApp) {
    let (people, access, refresh) = signed_in(&app).await;
    let answer = app.refresh(&people, &refresh).await.expect(200);
    revoke(&app, &people, &answer.str("refresh_token")).await.expect(200);
    app.refresh(&people, &answer.str("refresh_token")).await.is_oauth_error(400, "invalid_grant");
    assert!(!app.is_active(&access).await, "issued before the rotation");
    assert!(!app.is_active(&answer.str("access_token")).await, "issued after it");
    // A hint, right, wrong or unknown, changes nothing (§2.1).
    for hint in ["access_token", "refresh_token", "nonsense"] {
        let again = app.sign_in(&people, "alice@example.org", "open sesame").await.expect(200);
        let token = again.str("refresh_token");
        let fields = [("token", &*token), ("token_type_hint", hint)];
        app.basic("/oauth/revoke", &people.id, &people.secret, &fields).await.expect(200);
        app.refresh(&people, &token).await.is_oauth_error(400, "invalid_grant");
    }
}

async fn unknown_tokens_are_no_error(app: TestApp) {
    let service = app.service("user:read").await;
    for token in ["x", "ghr_", "gha_0000", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", &"A".repeat(60_000)] {
        revoke(&app, &service, token).await.expect(200);
    }
    let missing = app.basic("/oauth/revoke", &service.id, &service.secret, &[("token_type_hint", "x")]).await;
    missing.is_oauth_error(400, "invalid_request");
}

async fn only_the_own_tokens(app: TestApp) {
    let (people, access, refresh) = signed_in(&app).await;
    let other = app.password_app("openid").await;
    revoke(&app, &other, &access).await.is_oauth_error(400, "invalid_grant");
    revoke(&app, &other, &refresh).await.is_oauth_error(400, "invalid_grant");
    assert!(app.is_active(&access).await);
    app.refresh(&people, &refresh).await.expect(200);
}

async fn who_proves_nothing_ends_nothing(app: TestApp) {
    let (people, access, _) = signed_in(&app).await;
    let wrong = Client { id: people.id.clone(), secret: "wrong".to_owned() };
    revoke(&app, &wrong, &access).await.is_oauth_error(401, "invalid_client");
    app.form("/oauth/revoke", &[("token", &access)]).await.is_oauth_error(400, "invalid_client");
    app.form("/oauth/revoke", &[("token", &access), ("client_id", &people.id)])
        .await
        .is_oauth_error(400, "invalid_client");
    assert!(app.is_active(&access).await);
}
