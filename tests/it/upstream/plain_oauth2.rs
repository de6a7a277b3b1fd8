//! Providers that know OAuth 2 and no more: who somebody is, is what an interface of theirs says.

use gatehouse::domain::access::Powers;
use gatehouse::domain::connections::{self, NewConnection};
use gatehouse::model::connection::{Connection, ConnectionSettings, Mapping, OAuth2Provider, Provider as By};
use gatehouse::model::secret::Secret;
use serde_json::json;

use super::provider::{reason, set_out, start};
use crate::support::{Browser, Receiver, Setup, TestApp, both_engines, challenge};

both_engines!(who_somebody_is_says_their_interface, what_says_nobody_lets_nobody_in);

async fn connection(app: &TestApp, receiver: &Receiver, pkce: bool) -> Connection {
    let provider = OAuth2Provider {
        authorization_endpoint: receiver.uri("/login/oauth/authorize?allow_signup=false"),
        token_endpoint: receiver.uri("/login/oauth/access_token"),
        userinfo_endpoint: receiver.uri("/user"),
        client_id: "Iv1.1234".to_owned(),
        scopes: vec!["read:user".to_owned()],
        pkce,
    };
    let named = |name: &str| Some(name.to_owned());
    let mapping = Mapping { subject: named("id"), username: named("login"), ..Mapping::default() };
    let new = NewConnection {
        organization: None,
        name: "Octohub".to_owned(),
        provider: By::OAuth2(provider),
        settings: ConnectionSettings { mapping, ..ConnectionSettings::default() },
        domains: Vec::new(),
        secret: Some(Secret::new("hush".to_owned())),
    };
    connections::create(&app.ctx().await, &Powers::operator(), new).await.unwrap()
}

async fn who_somebody_is_says_their_interface(setup: Setup) {
    let (app, receiver) = (start(&setup).await, Receiver::start().await);
    let tokens = json!({ "access_token": "gho_1", "token_type": "bearer", "scope": "read:user,user:email" });
    receiver.shows("/login/oauth/access_token", tokens);
    let me = json!({ "id": 583_231, "login": "octocat", "name": "Octo Cat", "email": "octo@example.org" });
    receiver.shows("/user", me);
    for pkce in [false, true] {
        let connection = connection(&app, &receiver, pkce).await;
        let browser = Browser::new(&app);
        let journey = set_out(&browser, &format!("/login/with/{}", connection.id)).await;
        assert_eq!(journey.asked.get("allow_signup"), Some("false"));
        assert_eq!((journey.asked.get("scope"), journey.asked.get("nonce")), (Some("read:user"), None));
        browser.open(&journey.callback(&[])).await.expect(200, "/account");
        let redeemed = receiver.received("/login/oauth/access_token").pop().unwrap();
        assert_eq!(redeemed.field("client_secret").as_deref(), Some("hush"));
        let verifier = redeemed.field("code_verifier");
        let challenge = verifier.as_deref().map(challenge);
        assert_eq!((journey.asked.get("code_challenge"), verifier.is_some()), (challenge.as_deref(), pkce));
        assert!(receiver.received("/user").pop().unwrap().head.contains("Bearer gho_1"));
    }
    // The address was not proved to anybody; the username was free the first time.
    let sql = app.sql().await;
    assert_eq!(sql.texts("SELECT subject FROM identities").await, ["583231", "583231"]);
    assert_eq!(sql.texts("SELECT username FROM users WHERE username IS NOT NULL").await, ["octocat"]);
    assert_eq!(sql.number("SELECT count(*) FROM users WHERE email = 'octo@example.org'").await, 0);
}

async fn what_says_nobody_lets_nobody_in(setup: Setup) {
    let (app, receiver) = (start(&setup).await, Receiver::start().await);
    let connection = connection(&app, &receiver, true).await;
    let attempt = async || {
        let browser = Browser::new(&app);
        let journey = set_out(&browser, &format!("/login/with/{}", connection.id)).await;
        browser.open(&journey.callback(&[])).await.status
    };
    // What some answer with although nothing is right (RFC 6749 §5.2 has it 400).
    receiver.shows("/login/oauth/access_token", json!({ "error": "bad_verification_code" }));
    assert_eq!(attempt().await, 403);
    receiver.shows("/login/oauth/access_token", json!({ "access_token": "gho_1", "token_type": "bearer" }));
    for me in [json!({}), json!({ "id": null }), json!({ "id": "" }), json!({ "id": [1] }), json!([]), json!("me")] {
        receiver.shows("/user", &me);
        assert_eq!(attempt().await, 403, "{me}");
        assert!(!reason(&app).await.is_empty());
    }
    assert_eq!(app.sql().await.number("SELECT count(*) FROM sessions").await, 0);
}
