//! Clients look after their registration: RFC 7592, conformance C3 and C4.

use gatehouse::domain::clients::{self, ClientChange};
use gatehouse::model::client_settings::ClientSettings;
use gatehouse::model::tenant::RegistrationPolicy;
use reqwest::Method;
use serde_json::{Value, json};

use super::rfc7591_registration::{least, policy, register};
use crate::support::{Answer, TestApp, both_engines};

both_engines!(
    what_is_registered_can_be_read_and_replaced,
    the_token_is_replaced_with_the_registration,
    what_the_operator_decides_stays,
    after_its_end_nothing_counts,
    a_token_manages_one_client_alone,
);

struct Registered {
    uri: String,
    token: String,
    id: String,
    secret: String,
}

async fn registered(app: &TestApp) -> Registered {
    policy(app, RegistrationPolicy::Open).await;
    let made = register(app, &least()).await.expect(201);
    Registered {
        uri: made.str("registration_client_uri"),
        token: made.str("registration_access_token"),
        id: made.str("client_id"),
        secret: made.str("client_secret"),
    }
}

async fn put(app: &TestApp, client: &Registered, body: &Value) -> Answer {
    app.send(app.request(Method::PUT, &client.uri).bearer_auth(&client.token).json(body)).await
}

async fn delete(app: &TestApp, client: &Registered) -> Answer {
    app.send(app.request(Method::DELETE, &client.uri).bearer_auth(&client.token)).await
}

async fn what_is_registered_can_be_read_and_replaced(app: TestApp) {
    let mut client = registered(&app).await;
    let shown = app.get_as(&client.token, &client.uri).await;
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    let shown = shown.body(200);
    assert_eq!(shown["redirect_uris"], json!(["https://rp.example/callback"]));
    assert_eq!(
        (&shown["registration_access_token"], &shown["registration_client_uri"]),
        (&json!(client.token), &json!(client.uri))
    );
    assert_eq!(shown.get("client_secret"), None, "nobody knows it any more");

    let wish = json!({
        "client_id": client.id,
        "client_secret": client.secret,
        "client_name": "Renamed",
        "redirect_uris": ["https://rp.example/elsewhere"],
        "logo_uri": "https://rp.example/logo.png",
        "grant_types": ["authorization_code", "refresh_token"],
    });
    let replaced = put(&app, &client, &wish).await.body(200);
    assert_eq!(replaced["redirect_uris"], json!(["https://rp.example/elsewhere"]));
    client.token = replaced["registration_access_token"].as_str().unwrap().to_owned();
    // The secret is what it was.
    let grant = [("grant_type", "client_credentials")];
    app.basic("/oauth/token", &client.id, &client.secret, &grant).await.is_oauth_error(400, "unauthorized_client");

    // What is left out goes back to its default.
    let wish = json!({ "client_id": client.id, "redirect_uris": ["https://rp.example/callback"] });
    let replaced = put(&app, &client, &wish).await.body(200);
    client.token = replaced["registration_access_token"].as_str().unwrap().to_owned();
    assert_eq!(replaced.get("logo_uri"), None);
    assert_eq!(replaced["grant_types"], json!(["authorization_code"]));
    let shown = app.get_as(&client.token, &client.uri).await.body(200);
    assert_eq!(shown["client_name"], "rp.example");

    for bad in [
        json!({ "redirect_uris": ["https://rp.example/callback"] }),
        json!({ "client_id": "another", "redirect_uris": ["https://rp.example/callback"] }),
        json!({ "client_id": client.id, "client_secret": "wrong", "redirect_uris": ["https://rp.example/callback"] }),
        json!({ "client_id": client.id, "registration_access_token": client.token, "redirect_uris": ["https://rp.example/callback"] }),
    ] {
        put(&app, &client, &bad).await.is_oauth_error(400, "invalid_request");
    }
    let bad = json!({ "client_id": client.id, "redirect_uris": ["http://rp.example/callback"] });
    put(&app, &client, &bad).await.is_oauth_error(400, "invalid_redirect_uri");
    // What was refused has changed nothing, not even the token.
    app.get_as(&client.token, &client.uri).await.expect(200);

    // Another way of authentication that needs a secret which nobody kept gives a new one.
    let wish = json!({ "client_id": client.id, "redirect_uris": ["https://rp.example/callback"], "token_endpoint_auth_method": "client_secret_jwt" });
    let replaced = put(&app, &client, &wish).await.body(200);
    assert!(replaced["client_secret"].as_str().is_some_and(|secret| secret != client.secret));
}

async fn the_token_is_replaced_with_the_registration(app: TestApp) {
    let client = registered(&app).await;
    let wish = json!({ "client_id": client.id, "redirect_uris": ["https://rp.example/callback"] });
    let new = put(&app, &client, &wish).await.expect(200).str("registration_access_token");
    app.get_as(&client.token, &client.uri).await.is_oauth_error(401, "invalid_token");
    put(&app, &client, &wish).await.is_oauth_error(401, "invalid_token");
    delete(&app, &client).await.is_oauth_error(401, "invalid_token");
    app.get_as(&new, &client.uri).await.expect(200);
    // Of many at once under one token, one is made.
    let client = Registered { token: new, ..client };
    let tries = futures_util::future::join_all((0..8).map(|_| put(&app, &client, &wish))).await;
    assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1, "{tries:?}");
    assert!(tries.iter().all(|answer| matches!(answer.status, 200 | 401)), "{tries:?}");
}

async fn what_the_operator_decides_stays(app: TestApp) {
    let client = registered(&app).await;
    let id = client.id.parse().unwrap();
    let found = clients::find(&app.ctx().await, &id).await.unwrap();
    let change = ClientChange {
        settings: Some(ClientSettings { first_party: true, require_pkce: true, ..found.settings }),
        scope: Some("openid custom".parse().unwrap()),
        ..ClientChange::default()
    };
    clients::update(&app.ctx().await, &id, change).await.unwrap();
    let wish = json!({ "client_id": client.id, "redirect_uris": ["https://rp.example/new"] });
    let replaced = put(&app, &client, &wish).await.body(200);
    assert_eq!(replaced["scope"], "openid custom");
    let found = clients::find(&app.ctx().await, &id).await.unwrap();
    assert!(found.settings.first_party && found.settings.require_pkce);
    // Who is switched off manages nothing.
    let token = replaced["registration_access_token"].as_str().unwrap();
    let off = ClientChange { enabled: Some(false), ..ClientChange::default() };
    clients::update(&app.ctx().await, &id, off).await.unwrap();
    app.get_as(token, &client.uri).await.is_oauth_error(401, "invalid_token");
}

async fn after_its_end_nothing_counts(app: TestApp) {
    let client = registered(&app).await;
    let gone = delete(&app, &client).await.expect(204);
    assert!(gone.text.is_empty());
    app.get_as(&client.token, &client.uri).await.is_oauth_error(401, "invalid_token");
    delete(&app, &client).await.is_oauth_error(401, "invalid_token");
    let grant = [("grant_type", "client_credentials")];
    app.basic("/oauth/token", &client.id, &client.secret, &grant).await.is_oauth_error(401, "invalid_client");
}

async fn a_token_manages_one_client_alone(app: TestApp) {
    let (one, other) = (registered(&app).await, registered(&app).await);
    app.get(&one.uri).await.is_oauth_error(401, "invalid_token");
    app.get_as(&other.token, &one.uri).await.is_oauth_error(401, "invalid_token");
    app.get_as(&one.secret, &one.uri).await.is_oauth_error(401, "invalid_token");
    let nobody = one.uri.replace(&one.id, "app_nobody");
    app.get_as(&one.token, &nobody).await.is_oauth_error(401, "invalid_token");
    // A client of the operator's has no token at all.
    let service = app.service("").await;
    app.get_as(&one.token, &one.uri.replace(&one.id, &service.id)).await.is_oauth_error(401, "invalid_token");
}
