//! RFC 6749 §6 and RFC 9700 §4.14.2: every use rotates, a lost answer is answered again, a replay
//! ends everything.

use std::time::Duration;

use gatehouse::domain::clients::{self, ClientChange};
use gatehouse::domain::users;

use crate::support::{Client, Setup, TestApp, both_engines, claims_of};

both_engines!(
    a_refresh_rotates,
    the_successor_is_the_same_within_the_grace,
    a_replay_ends_the_family,
    strict_rotation_has_no_grace,
    scope_never_widens,
    it_belongs_to_its_client,
    it_expires_when_idle_and_in_the_end,
    it_ends_with_the_account,
    nonsense_is_no_refresh_token,
    a_client_that_lost_a_scope_gets_it_no_more,
);

const DAY: Duration = Duration::from_secs(86_400);

async fn signed_in(app: &TestApp, scopes: &str) -> (Client, String, String) {
    let user = app.user("alice@example.org", "open sesame").await;
    let people = app.password_app(scopes).await;
    let answer = app.sign_in(&people, &user.email.unwrap(), "open sesame").await.expect(200);
    (people, answer.str("access_token"), answer.str("refresh_token"))
}

async fn a_refresh_rotates(app: TestApp) {
    let (people, access, refresh) = signed_in(&app, "openid profile").await;
    app.advance(Duration::from_secs(60));
    let answer = app.refresh(&people, &refresh).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.str("token_type"), "Bearer");
    assert_ne!(answer.str("refresh_token"), refresh);
    assert_ne!(answer.str("access_token"), access);
    assert_eq!(answer.str("scope"), "openid profile");
    let (before, after) = (claims_of(&access), claims_of(&answer.str("access_token")));
    assert_eq!(before["sub"], after["sub"]);
    assert_eq!(before["auth_time"], after["auth_time"], "a refresh is no sign-in");
    assert_eq!(before["family"], after["family"]);
    assert!(after["iat"].as_i64() > before["iat"].as_i64());
    assert_ne!(before["jti"], after["jti"]);
    // The access token from before goes on counting until it expires.
    assert!(app.is_active(&access).await);
}

async fn the_successor_is_the_same_within_the_grace(app: TestApp) {
    let (people, _, first) = signed_in(&app, "openid").await;
    let second = app.refresh(&people, &first).await.expect(200).str("refresh_token");
    app.advance(Duration::from_secs(9));
    assert_eq!(app.refresh(&people, &first).await.expect(200).str("refresh_token"), second);
    // What was answered again counts as any other.
    let third = app.refresh(&people, &second).await.expect(200).str("refresh_token");
    assert_ne!(third, second);
    app.refresh(&people, &third).await.expect(200);
}

async fn a_replay_ends_the_family(app: TestApp) {
    let (people, access, first) = signed_in(&app, "openid").await;
    let answer = app.refresh(&people, &first).await.expect(200);
    let (second, renewed) = (answer.str("refresh_token"), answer.str("access_token"));
    app.advance(Duration::from_secs(11));
    app.refresh(&people, &first).await.is_oauth_error(400, "invalid_grant");
    app.refresh(&people, &second).await.is_oauth_error(400, "invalid_grant");
    assert!(!app.is_active(&access).await, "the access token of the same authorization");
    assert!(!app.is_active(&renewed).await);
    let replays = "SELECT count(*) FROM audit_log WHERE action = 'token.replay'";
    assert_eq!(app.sql().await.number(replays).await, 1);
    // Two generations back is a replay within the grace too.
    let first = app.sign_in(&people, "alice@example.org", "open sesame").await.expect(200).str("refresh_token");
    let second = app.refresh(&people, &first).await.expect(200).str("refresh_token");
    let third = app.refresh(&people, &second).await.expect(200).str("refresh_token");
    app.refresh(&people, &first).await.is_oauth_error(400, "invalid_grant");
    app.refresh(&people, &third).await.is_oauth_error(400, "invalid_grant");
}

async fn strict_rotation_has_no_grace(setup: Setup) {
    let app = setup.start_with(|config| config.tokens.refresh_grace = Duration::ZERO).await;
    let (people, access, first) = signed_in(&app, "openid").await;
    let second = app.refresh(&people, &first).await.expect(200).str("refresh_token");
    app.refresh(&people, &first).await.is_oauth_error(400, "invalid_grant");
    app.refresh(&people, &second).await.is_oauth_error(400, "invalid_grant");
    assert!(!app.is_active(&access).await);
}

async fn scope_never_widens(app: TestApp) {
    let (people, _, refresh) = signed_in(&app, "openid profile email").await;
    let ask = async |token: &str, scope: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
        app.basic("/oauth/token", &people.id, &people.secret, &fields).await
    };
    ask(&refresh, "openid admin").await.is_oauth_error(400, "invalid_scope");
    let narrow = ask(&refresh, "openid").await.expect(200);
    assert_eq!(narrow.str("scope"), "openid");
    // A refusal has used nothing up, and narrowing one access token narrows no authorization.
    let again = ask(&narrow.str("refresh_token"), "").await.expect(200);
    assert_eq!(again.str("scope"), "openid profile email");
}

async fn it_belongs_to_its_client(app: TestApp) {
    let (people, _, refresh) = signed_in(&app, "openid").await;
    let other = app.password_app("openid").await;
    app.refresh(&other, &refresh).await.is_oauth_error(400, "invalid_grant");
    let wrong = Client { id: people.id.clone(), secret: other.secret.clone() };
    app.refresh(&wrong, &refresh).await.is_oauth_error(401, "invalid_client");
    // Neither try has cost the rightful client anything.
    app.refresh(&people, &refresh).await.expect(200);
}

async fn it_expires_when_idle_and_in_the_end(app: TestApp) {
    let (people, _, refresh) = signed_in(&app, "openid").await;
    app.advance(14 * DAY);
    app.refresh(&people, &refresh).await.is_oauth_error(400, "invalid_grant");
    let mut refresh = app.sign_in(&people, "alice@example.org", "open sesame").await.expect(200).str("refresh_token");
    let mut uses = 0;
    // Used every ten days it is never idle, and still ends ninety days after the sign-in.
    while uses < 20 {
        app.advance(10 * DAY);
        let answer = app.refresh(&people, &refresh).await;
        if answer.status != 200 {
            answer.is_oauth_error(400, "invalid_grant");
            break;
        }
        refresh = answer.str("refresh_token");
        uses += 1;
    }
    assert_eq!(uses, 8, "ten days after ten days, to the ninetieth");
}

async fn it_ends_with_the_account(app: TestApp) {
    let (people, access, refresh) = signed_in(&app, "openid").await;
    let ctx = app.ctx().await;
    let user = users::find_by_identifier(&ctx, "alice@example.org").await.unwrap();
    users::set_enabled(&ctx, user.id, false).await.unwrap();
    app.refresh(&people, &refresh).await.is_oauth_error(400, "invalid_grant");
    assert!(!app.is_active(&access).await);
    // Enabling the account again brings no token back.
    users::set_enabled(&ctx, user.id, true).await.unwrap();
    app.refresh(&people, &refresh).await.is_oauth_error(400, "invalid_grant");
    assert!(!app.is_active(&access).await);
    let answer = app.sign_in(&people, "alice@example.org", "open sesame").await.expect(200);
    users::set_password(&ctx, user.id, "another one", 6).await.unwrap();
    app.refresh(&people, &answer.str("refresh_token")).await.is_oauth_error(400, "invalid_grant");
    assert!(!app.is_active(&answer.str("access_token")).await);
}

async fn nonsense_is_no_refresh_token(app: TestApp) {
    let (people, access, refresh) = signed_in(&app, "openid").await;
    let changed: String = refresh.chars().rev().collect();
    let mut flipped = refresh.clone();
    let last = flipped.pop().unwrap();
    flipped.push(if last == 'A' { 'B' } else { 'A' });
    for nonsense in
        ["x", "ghr_", &changed, &flipped, &access, &format!("{refresh}="), &format!(" {refresh}"), &"A".repeat(60_000)]
    {
        app.refresh(&people, nonsense).await.is_oauth_error(400, "invalid_grant");
    }
    let missing = app.basic("/oauth/token", &people.id, &people.secret, &[("grant_type", "refresh_token")]).await;
    missing.is_oauth_error(400, "invalid_request");
    assert_eq!(missing.str("error_description"), "The parameter refresh_token is missing");
    app.refresh(&people, &refresh).await.expect(200);
    // And a refresh token is no access token.
    app.get_as(&refresh, "/v1/users/me").await.is_error(401, "user not authenticated");
}

async fn a_client_that_lost_a_scope_gets_it_no_more(app: TestApp) {
    let (people, _, refresh) = signed_in(&app, "openid profile").await;
    let change = ClientChange { scope: Some("openid".parse().unwrap()), ..ClientChange::default() };
    clients::update(&app.ctx().await, &people.id.parse().unwrap(), change).await.unwrap();
    let answer = app.refresh(&people, &refresh).await.expect(200);
    assert_eq!(answer.str("scope"), "openid");
    let change = ClientChange { enabled: Some(false), ..ClientChange::default() };
    clients::update(&app.ctx().await, &people.id.parse().unwrap(), change).await.unwrap();
    app.refresh(&people, &answer.str("refresh_token")).await.is_oauth_error(401, "invalid_client");
}
