//! What is found out about a connection before anybody comes by it, in plain words.

use gatehouse::domain::access::Powers;
use gatehouse::domain::connections::{self, ConnectionChange};
use gatehouse::model::connection::{Connection, ConnectionSettings, OidcProvider, Provider as By};
use gatehouse::model::secret::Secret;
use serde_json::{Value, json};

use super::provider::{Provider, start};
use crate::support::{Reply, Setup, TestApp, both_engines};

both_engines!(what_stands_in_the_way_is_said_in_plain_words, a_trial_sees_the_provider_as_it_is_now);

/// An honest provider, as far as it can be found out without a person.
async fn honest() -> Provider {
    let provider = Provider::start().await;
    provider.receiver.at("/authorize", Reply::Says(200, "<form>".to_owned()));
    provider.receiver.at("/token", Reply::Says(400, json!({ "error": "invalid_grant" }).to_string()));
    provider
}

async fn tried(app: &TestApp, connection: &Connection) -> Value {
    let token = app.service_token("tenant:read tenant:write").await;
    let path = format!("/api/admin/v1/connections/{}/test", connection.id);
    app.post(&token, &path, &json!({})).await.body(200)
}

/// The findings that are not fine, each as `what: detail`.
async fn wrong(app: &TestApp, connection: &Connection) -> Vec<String> {
    let found = tried(app, connection).await;
    let wrong = found["findings"].as_array().unwrap().iter().filter(|one| one["fine"] == false);
    let wrong: Vec<String> =
        wrong.map(|one| format!("{}: {}", one["what"].as_str().unwrap(), one["detail"].as_str().unwrap())).collect();
    assert_eq!(found["fine"], wrong.is_empty(), "{found}");
    wrong
}

async fn what_stands_in_the_way_is_said_in_plain_words(setup: Setup) {
    let app = start(&setup).await;
    let discovery = "/.well-known/openid-configuration";
    let says = |status, body: &str| Reply::Says(status, body.to_owned());
    let broken: Vec<(&str, Reply, &str)> = vec![
        (discovery, says(404, ""), "discovery: …: the answer has status 404"),
        (discovery, says(200, "<html>"), "it is no JSON"),
        (discovery, says(200, "{}"), "missing field `issuer`"),
        (discovery, Reply::Leads("https://elsewhere.example/".to_owned()), "is a redirect (status 302), which is not"),
        (discovery, Reply::Hangs, "no answer in time"),
        (discovery, Reply::Floods, "the answer is larger than"),
        ("/jwks", says(500, ""), "keys: …: the answer has status 500"),
        ("/jwks", says(200, "{\"keys\":[]}"), "it holds no key for signatures"),
        (
            "/authorize",
            says(400, "unknown redirect_uri"),
            "authorization endpoint: it answers with status 400; does it know",
        ),
        ("/authorize", Reply::Hangs, "authorization endpoint: …: no answer in time"),
        ("/token", says(401, "{\"error\":\"invalid_client\"}"), "token endpoint: it does not take us for gatehouse"),
        ("/token", says(200, "{\"error\":\"incorrect_client_credentials\"}"), "it does not take us for gatehouse"),
        ("/token", Reply::Hangs, "token endpoint: …: no answer in time"),
    ];
    for (place, reply, expected) in broken {
        let provider = honest().await;
        let connection = provider.connection(&app, ConnectionSettings::default()).await;
        assert_eq!(wrong(&app, &connection).await, Vec::<String>::new());
        provider.receiver.at(place, reply);
        let found = wrong(&app, &connection).await.join("\n");
        let found = found.replace(&provider.receiver.uri(place), "…");
        assert!(found.contains(expected), "{place}: {found}");
    }
    for (more, expected) in [
        (json!({ "issuer": "https://evil.example" }), "it calls itself https://evil.example, which must be the issuer"),
        (json!({ "token_endpoint": null }), "it has no token endpoint"),
        (json!({ "authorization_endpoint": "javascript:alert(1)" }), "its authorization endpoint is no web address"),
        (json!({ "jwks_uri": "http://10.0.0.1/jwks" }), "leads into a network that may not be reached"),
        (json!({ "token_endpoint": "http://127.0.0.1:1/" }), "token endpoint: http://127.0.0.1:1/: not reached"),
        (json!({ "id_token_signing_alg_values_supported": ["HS256"] }), "with nothing that has a public key"),
        (json!({ "response_types_supported": ["id_token"] }), "it gives no codes"),
        (json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }), "takes our secret in no way"),
    ] {
        let provider = honest().await;
        provider.describes(&more);
        let connection = provider.connection(&app, ConnectionSettings::default()).await;
        let found = wrong(&app, &connection).await.join("\n");
        assert!(found.contains(expected), "{more}: {found}");
    }
}

async fn a_trial_sees_the_provider_as_it_is_now(setup: Setup) {
    let (app, provider) = (start(&setup).await, honest().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    assert_eq!(tried(&app, &connection).await["fine"], true);
    // What was kept for sign-ins a moment ago is no answer.
    provider.receiver.at("/jwks", Reply::Says(503, String::new()));
    assert_eq!(wrong(&app, &connection).await.len(), 1);
    provider.receiver.shows("/jwks", provider.key.jwks());
    assert_eq!(wrong(&app, &connection).await.len(), 0);

    let By::Oidc(oidc) = connection.provider.clone() else { panic!("OpenID Connect") };
    let change = ConnectionChange {
        enabled: Some(false),
        provider: Some(By::Oidc(OidcProvider { userinfo: true, ..oidc })),
        secret: Some(Secret::new("another".to_owned())),
        ..ConnectionChange::default()
    };
    provider.describes(&json!({ "userinfo_endpoint": null }));
    connections::update(&app.ctx().await, &Powers::operator(), connection.id, change).await.unwrap();
    let found = wrong(&app, &connection).await.join("\n");
    assert!(found.contains("no userinfo endpoint") && found.contains("enabled: no"), "{found}");
}
