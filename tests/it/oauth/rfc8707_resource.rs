//! RFC 8707: for whom a token is.

use gatehouse::domain::clients::NewClient;

use crate::support::{Answer, Client, TestApp, both_engines, claims_of, password_app};

both_engines!(
    the_audience_is_named_or_the_clients_own,
    a_refresh_keeps_the_audience,
    a_token_for_others_opens_nothing_here
);

const API: &str = "https://api.example.org/v1";
const OTHER: &str = "https://other.example.org";

async fn ask(app: &TestApp, client: &Client, resource: &[&str]) -> Answer {
    let mut fields = vec![("grant_type", "client_credentials")];
    fields.extend(resource.iter().map(|resource| ("resource", *resource)));
    app.basic("/oauth/token", &client.id, &client.secret, &fields).await
}

fn audience(answer: &Answer) -> serde_json::Value {
    claims_of(&answer.str("access_token"))["aud"].clone()
}

async fn the_audience_is_named_or_the_clients_own(app: TestApp) {
    let plain = app.service("user:read").await;
    assert_eq!(audience(&ask(&app, &plain, &[]).await.expect(200)), app.base);
    assert_eq!(audience(&ask(&app, &plain, &[&app.base]).await.expect(200)), app.base);
    ask(&app, &plain, &[API]).await.is_oauth_error(400, "invalid_target");
    let new = NewClient {
        default_audience: Some(API.to_owned()),
        audiences: vec![OTHER.to_owned()],
        ..NewClient::service("of several")
    };
    let several = app.client(new).await;
    assert_eq!(audience(&ask(&app, &several, &[]).await.expect(200)), API);
    assert_eq!(audience(&ask(&app, &several, &[API]).await.expect(200)), API);
    assert_eq!(audience(&ask(&app, &several, &[OTHER]).await.expect(200)), OTHER);
    for unknown in
        ["https://api.example.org/v1/", "https://API.example.org/v1", "not a uri", "https://api.example.org/v1#f"]
    {
        ask(&app, &several, &[unknown]).await.is_oauth_error(400, "invalid_target");
    }
    ask(&app, &several, &[API, OTHER]).await.is_oauth_error(400, "invalid_target");
}

async fn a_refresh_keeps_the_audience(app: TestApp) {
    app.user("alice@example.org", "open sesame").await;
    let people =
        app.client(NewClient { audiences: vec![API.to_owned(), OTHER.to_owned()], ..password_app("openid") }).await;
    let fields =
        [("grant_type", "password"), ("username", "alice@example.org"), ("password", "open sesame"), ("resource", API)];
    let answer = app.basic("/oauth/token", &people.id, &people.secret, &fields).await.expect(200);
    assert_eq!(audience(&answer), API);
    let fields =
        [("grant_type", "refresh_token"), ("refresh_token", &*answer.str("refresh_token")), ("resource", OTHER)];
    app.basic("/oauth/token", &people.id, &people.secret, &fields).await.is_oauth_error(400, "invalid_target");
    let answer = app.refresh(&people, &answer.str("refresh_token")).await.expect(200);
    assert_eq!(audience(&answer), API);
}

async fn a_token_for_others_opens_nothing_here(app: TestApp) {
    let new = NewClient {
        scope: "user:read internal:admin".parse().unwrap(),
        default_audience: Some(API.to_owned()),
        ..NewClient::service("for others")
    };
    let service = app.client(new).await;
    let token = app.token_of(&service).await;
    app.get_as(&token, "/api/internal/users").await.expect(401);
    app.get_as(&token, "/v1/internal/services").await.expect(401);
    let ours = ask(&app, &service, &[&app.base]).await.expect(200).str("access_token");
    app.get_as(&ours, "/api/internal/users").await.expect(200);
}
